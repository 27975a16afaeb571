//! Live pages: one connection a page, over which only what changed is sent.
//!
//! Each page can name its parts, elements with an id. A view that many watch is drawn once for each picture and
//! shared; each watcher is sent the parts that differ from what it has. The stream is pulled by the client: one that
//! stops reading costs nothing and gets the newest state when it reads again.

use std::{
    collections::HashMap,
    fmt::Write as _,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use askama::Template;
use axum::{
    body::{Body, Bytes},
    extract::{FromRef, FromRequestParts},
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName},
        request::Parts,
    },
    response::{IntoResponse, Response},
};
use futures_util::stream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use super::{AppState, Asker, Error, asker::Lease, chrome, extract::Page, html::html};
use crate::{
    engine::{Changes, Progress, Watch},
    team::AccountId,
};

/// How often a stream says that it lives. The page greys out when it has heard nothing for ten seconds (S087).
const PULSE: Duration = Duration::from_secs(4);

/// An element of a page as it now is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its id.
    pub id: String,
    /// Its HTML, from its own tag on.
    pub html: String,
}

/// What a page consists of, as far as it lives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fragments {
    /// The rows of its list, in order.
    pub rows: Vec<Part>,
    /// The list as a whole, for when rows come, go or move.
    pub list: Option<Part>,
    /// Everything else.
    pub rest: Vec<Part>,
}

impl Fragments {
    /// Of a page with a list: its rows, each with its id, the whole of it, and what stands above.
    pub fn of_list<R: Template>(
        rows: &[R],
        id: impl Fn(&R) -> String,
        list: &impl Template,
        head: &impl Template,
    ) -> Result<Self, Error> {
        let rows = rows.iter().map(|row| Ok(Part { id: id(row), html: html(row)?.0 })).collect::<Result<_, Error>>()?;
        Ok(Self {
            rows,
            list: Some(Part { id: "list".into(), html: html(list)?.0 }),
            rest: vec![Part { id: "head".into(), html: html(head)?.0 }],
        })
    }

    /// What has to be sent to who has `before`.
    fn since<'a>(&'a self, before: &'a Self) -> Vec<&'a Part> {
        let same_rows =
            self.rows.len() == before.rows.len() && self.rows.iter().zip(&before.rows).all(|(a, b)| a.id == b.id);
        let list = if same_rows {
            self.rows.iter().zip(&before.rows).filter(|(a, b)| a != b).map(|(a, _)| a).collect()
        } else {
            self.list.iter().collect::<Vec<_>>()
        };
        // By name, not by place: a part may be one that `before` did not have.
        let old: HashMap<_, _> = before.rest.iter().map(|part| (&part.id, &part.html)).collect();
        self.rest.iter().filter(|part| old.get(&part.id) != Some(&&part.html)).chain(list).collect()
    }

    /// All of it.
    fn all(&self) -> Vec<&Part> {
        self.rest.iter().chain(&self.list).collect()
    }
}

/// A view as it was drawn.
#[derive(Debug)]
struct Drawn {
    /// Of which picture.
    version: u64,
    /// When.
    at: Instant,
    fragments: Arc<Fragments>,
}

/// The one drawing of a view that all who watch it share.
type Shared = Arc<tokio::sync::Mutex<Option<Drawn>>>;

/// All live connections.
#[derive(Debug)]
pub struct Streams {
    places: Arc<Semaphore>,
    most_per_client: usize,
    most_per_person: usize,
    /// How many each client has, and each person.
    held: Mutex<HashMap<Holder, usize>>,
    views: Mutex<HashMap<String, Shared>>,
    ending: watch::Sender<bool>,
}

impl Streams {
    /// With room for so many, in all, for one address and for one person (S056).
    pub fn new(most: usize, most_per_client: usize, most_per_person: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(most)),
            most_per_client,
            most_per_person,
            held: Mutex::default(),
            views: Mutex::default(),
            ending: watch::Sender::new(false),
        }
    }

    /// Ends them all.
    pub fn end(&self) {
        self.ending.send_replace(true);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.iter().filter(|(holder, _)| matches!(holder, Holder::Client(_))).map(|(_, count)| count).sum()
    }

    fn view(&self, key: &str) -> Shared {
        let mut views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        views.retain(|_, view| Arc::strong_count(view) > 1);
        views.entry(key.to_owned()).or_default().clone()
    }
}

/// Who holds places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Holder {
    Client(IpAddr),
    Person(AccountId),
}

/// A place among the live connections, given back when it is dropped.
pub(super) struct Place {
    streams: Arc<Streams>,
    holders: Vec<Holder>,
    _permit: OwnedSemaphorePermit,
}

impl Place {
    pub(super) fn take(streams: &Arc<Streams>, asker: &Asker) -> Option<Self> {
        let permit = streams.places.clone().try_acquire_owned().ok()?;
        let person = asker.who.account.map(Holder::Person);
        let holders: Vec<Holder> = std::iter::once(Holder::Client(asker.client.address)).chain(person).collect();
        let mut held = streams.held.lock().unwrap_or_else(PoisonError::into_inner);
        let most = |holder: &Holder| match holder {
            Holder::Client(_) => streams.most_per_client,
            Holder::Person(_) => streams.most_per_person,
        };
        if holders.iter().any(|holder| held.get(holder).is_some_and(|count| *count >= most(holder))) {
            return None;
        }
        holders.iter().for_each(|holder| *held.entry(*holder).or_default() += 1);
        drop(held);
        Some(Self { streams: streams.clone(), holders, _permit: permit })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.streams.held.lock().unwrap_or_else(PoisonError::into_inner);
        for holder in &self.holders {
            if let Some(count) = held.get_mut(holder) {
                *count -= 1;
                if *count == 0 {
                    held.remove(holder);
                }
            }
        }
    }
}

/// The name of an event, and its JSON.
type Told = (&'static str, String);
/// Finds what is new since it was last asked; it is shown what the browser has.
type Tell = Box<dyn FnMut(&Fragments) -> Option<Told> + Send>;

/// What is told beside the page itself: numbers that change all the time, which would draw the page anew for everybody.
pub struct Aside {
    /// When to ask.
    pub at: watch::Receiver<u64>,
    /// What to tell.
    pub tell: Tell,
}

impl Aside {
    fn message(&mut self, has: &Fragments) -> Option<Bytes> {
        let (name, json) = (self.tell)(has)?;
        Some(format!("event: {name}\ndata: {json}\n\n").into())
    }
}

/// Waits until there may be something to tell; for ever, where there never is.
async fn next_aside(aside: &mut Option<Aside>) {
    if let Some(aside) = aside
        && aside.at.changed().await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}

/// A request for a live connection: it has a place, and knows what its page was drawn from.
pub struct Live {
    page: Page,
    place: Place,
    ending: watch::Receiver<bool>,
    lease: Lease,
    /// The picture that the browser has already, as `boot-version`.
    has: Option<String>,
}

impl<S> FromRequestParts<S> for Live
where
    AppState: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let AppState { streams, .. } = AppState::from_ref(state);
        let Ok(page) = Page::from_request_parts(parts, state).await;
        let place = Place::take(&streams, &page.asker).ok_or_else(Error::too_many_streams)?;
        let said = parts.headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
        let drawn = super::extract::Fields::parse(parts.uri.query().unwrap_or_default().as_bytes())
            .get("drawn")
            .map(str::to_owned);
        let lease = page.asker.lease();
        Ok(Self {
            page,
            place,
            lease,
            ending: streams.ending.subscribe(),
            has: said.filter(|id| !id.is_empty()).or(drawn),
        })
    }
}

/// Which picture a page was drawn from, and for whom: told apart from those of an earlier run of this console, and from
/// what somebody saw before their role changed.
pub fn stamp(version: u64, page: &Page) -> String {
    use std::sync::LazyLock;
    static BOOT: LazyLock<String> = LazyLock::new(|| format!("{:x}", jiff::Timestamp::now().as_millisecond()));
    format!("{}-{version}-{}", *BOOT, page.engine.reach().digest())
}

impl Live {
    /// The same with values shown, where they are asked for and may be: see [`Page::revealed`].
    pub async fn revealed(self) -> Result<Self, Error> {
        Ok(Self { page: self.page.revealed().await?, ..self })
    }

    /// The page that lives.
    pub fn page(&self) -> &Page {
        &self.page
    }

    /// Follows the picture: `draw` is asked for the page's parts whenever it has changed.
    pub fn follow<D, F>(self, draw: D) -> Response
    where
        D: Fn(Page) -> F + Send + 'static,
        F: Future<Output = Result<Fragments, Error>> + Send,
    {
        self.follow_by(None, None, draw)
    }

    /// The same, and what is told beside it.
    pub fn follow_telling<D, F>(self, aside: Aside, draw: D) -> Response
    where
        D: Fn(Page) -> F + Send + 'static,
        F: Future<Output = Result<Fragments, Error>> + Send,
    {
        self.follow_by(None, Some(aside), draw)
    }

    /// The same, and asks once in each `period` too: for what the picture does not tell. All who watch the view are drawn
    /// it once.
    pub fn follow_every<D, F>(self, period: Duration, draw: D) -> Response
    where
        D: Fn(Page) -> F + Send + 'static,
        F: Future<Output = Result<Fragments, Error>> + Send,
    {
        self.follow_by(Some(period), None, draw)
    }

    fn follow_by<D, F>(self, period: Option<Duration>, aside: Option<Aside>, draw: D) -> Response
    where
        D: Fn(Page) -> F + Send + 'static,
        F: Future<Output = Result<Fragments, Error>> + Send,
    {
        let Self { page, place, ending, lease, has } = self;
        // Without the stamp: who came a moment later watches the same view.
        let view = page.here().split("drawn=").next().unwrap_or_default().to_owned();
        // Nor is what one may see drawn for another.
        let shared = place.streams.view(&format!("{} {view} {}", page.host, page.engine.reach().key()));
        let mut pulse = tokio::time::interval(PULSE);
        pulse.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let watch = page.engine.watch();
        let beat = period.map(|period| {
            let mut beat = tokio::time::interval(period);
            beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            beat
        });
        let state = Following { page, place, ending, lease, has, draw, shared, pulse, watch, beat, aside, sent: None };
        let body = Body::from_stream(stream::unfold(state, |mut state| async move {
            let message = state.next().await?;
            Some((Ok::<_, std::convert::Infallible>(message), state))
        }));
        respond(body)
    }
}

impl Live {
    /// Follows a job until it has ended: its page changes many times a second while it pulls, so it is sent ten
    /// times a second at most.
    pub fn follow_job<D>(self, changes: Changes, draw: D) -> Response
    where
        D: Fn(&Progress) -> Result<Fragments, Error> + Send + 'static,
    {
        let Self { page, place, ending, lease, .. } = self;
        let watch = page.engine.watch();
        let state = (changes, watch, (ending, lease), (page, draw), place, Fragments::default(), true);
        let body = Body::from_stream(stream::unfold(
            state,
            |(mut changes, mut watch, (mut ending, mut lease), (page, draw), place, before, first)| async move {
                if !first {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    tokio::select! {
                        _ = ending.changed() => return None,
                        () = lease.lost() => return None,
                        changed = changes.changed() => changed.ok()?,
                        changed = watch.changed() => changed.ok()?,
                        () = tokio::time::sleep(PULSE) => {
                            let pulse = pulse(watch.is_live());
                            let state = (changes, watch, (ending, lease), (page, draw), place, before, false);
                            return Some((Ok::<_, std::convert::Infallible>(pulse), state));
                        }
                    }
                }
                let progress = changes.progress();
                let mut now = draw(&progress).unwrap_or_default();
                // What stands around the job lives too: that it works is said there.
                now.rest.extend(chrome::parts(&Page { picture: watch.picture(), ..page.clone() }));
                let text = message(&progress.version.to_string(), &now.since(&before));
                Some((Ok(text), (changes, watch, (ending, lease), (page, draw), place, now, false)))
            },
        ));
        respond(body)
    }
}

/// Where a task puts what it has to send.
pub struct Outbox(mpsc::Sender<Bytes>);

impl Outbox {
    /// Waits until the client has taken what was sent before; none when it is gone. So nothing is made for who does not
    /// read.
    pub async fn room(&self) -> Option<mpsc::Permit<'_, Bytes>> {
        self.0.reserve().await.ok()
    }
}

/// Ends a task when it is dropped.
struct Worker(tokio::task::AbortHandle);

impl Drop for Worker {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Live {
    /// Sends events that a task of its own makes, for as long as the client reads and has the right to it.
    pub fn events<F>(self, make: impl FnOnce(Outbox) -> F) -> Response
    where
        F: Future<Output = ()> + Send + 'static,
    {
        respond(self.work(true, make))
    }

    /// The same for a file: without signs of life.
    pub fn file<F>(self, make: impl FnOnce(Outbox) -> F) -> Body
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.work(false, make)
    }

    /// What the client has had already, as it says.
    pub fn last_event(&self) -> Option<&str> {
        self.has.as_deref()
    }

    fn work<F>(self, pulses: bool, make: impl FnOnce(Outbox) -> F) -> Body
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Self { page, place, ending, lease, .. } = self;
        let (sender, receiver) = mpsc::channel(1);
        let worker = Worker(tokio::spawn(make(Outbox(sender))).abort_handle());
        let mut beat = tokio::time::interval(PULSE);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let state = (receiver, ending, lease, beat, (page, place, worker));
        Body::from_stream(stream::unfold(
            state,
            move |(mut receiver, mut ending, mut lease, mut beat, held)| async move {
                if *ending.borrow() {
                    return None;
                }
                let message = tokio::select! {
                    _ = ending.changed() => return None,
                    () = lease.lost() => return None,
                    message = receiver.recv() => message?,
                    _ = beat.tick(), if pulses => pulse(held.0.engine.watch().is_live()),
                };
                Some((Ok::<_, std::convert::Infallible>(message), (receiver, ending, lease, beat, held)))
            },
        ))
    }
}

/// An event with data of its own: JSON, so that nothing in it ends a line.
pub fn event(name: &str, id: Option<&str>, data: &impl serde::Serialize) -> Bytes {
    let data = serde_json::to_string(data).unwrap_or_default();
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    Bytes::from(format!("event: {name}\n{id}data: {data}\n\n"))
}

fn pulse(live: bool) -> Bytes {
    Bytes::from(format!("event: pulse\ndata: {}\n\n", if live { "live" } else { "down" }))
}

/// An event stream. Proxies must not gather it: X-Accel-Buffering is nginx's word for that.
fn respond(body: Body) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (StatusCode::OK, headers, body).into_response()
}

struct Following<D> {
    page: Page,
    #[expect(dead_code, reason = "held for its drop")]
    place: Place,
    ending: watch::Receiver<bool>,
    lease: Lease,
    has: Option<String>,
    draw: D,
    shared: Shared,
    pulse: tokio::time::Interval,
    watch: Watch,
    /// When to draw although the picture is the same.
    beat: Option<tokio::time::Interval>,
    aside: Option<Aside>,
    sent: Option<Arc<Fragments>>,
}

/// Waits for the next beat; for ever, where there is none.
async fn next(beat: &mut Option<tokio::time::Interval>) {
    match beat {
        Some(beat) => _ = beat.tick().await,
        None => std::future::pending().await,
    }
}

impl<D, F> Following<D>
where
    D: Fn(Page) -> F,
    F: Future<Output = Result<Fragments, Error>>,
{
    /// The next message; none when the stream ends.
    async fn next(&mut self) -> Option<Bytes> {
        if *self.ending.borrow() {
            return None;
        }
        if self.sent.is_none() {
            let (version, now) = self.drawn().await;
            let stamp = stamp(version, &self.page);
            // The stamp tells of the picture, and of nothing else.
            let known = self.beat.is_none() && self.has.as_deref() == Some(&stamp);
            let message = if known { message(&stamp, &[]) } else { message(&stamp, &now.all()) };
            let told = self.aside.as_mut().and_then(|aside| aside.message(&now));
            self.sent = Some(now);
            return Some(match told {
                Some(told) => [message, told].concat().into(),
                None => message,
            });
        }
        loop {
            tokio::select! {
                _ = self.ending.changed() => return None,
                () = self.lease.lost() => return None,
                changed = self.watch.changed() => changed.ok()?,
                () = next(&mut self.beat) => {}
                () = next_aside(&mut self.aside) => {
                    let told = self.aside.as_mut().zip(self.sent.as_deref());
                    match told.and_then(|(aside, has)| aside.message(has)) {
                        Some(told) => return Some(told),
                        None => continue,
                    }
                }
                _ = self.pulse.tick() => {
                    return Some(pulse(self.watch.is_live()));
                }
            }
            let (version, now) = self.drawn().await;
            let before = self.sent.replace(now.clone());
            let parts = before.as_deref().map_or_else(|| now.all(), |before| now.since(before));
            if !parts.is_empty() {
                return Some(message(&stamp(version, &self.page), &parts));
            }
        }
    }

    /// The view as of the newest picture, drawn by whoever of its watchers comes first.
    async fn drawn(&mut self) -> (u64, Arc<Fragments>) {
        let mut shared = self.shared.lock().await;
        let picture = self.watch.picture();
        // What another has drawn within half a beat is new enough.
        let is_new = |at: Instant| self.beat.as_ref().is_none_or(|beat| at.elapsed() < beat.period() / 2);
        if let Some(Drawn { version, at, fragments }) = &*shared
            && *version >= picture.version
            && is_new(*at)
        {
            return (*version, fragments.clone());
        }
        let page = Page { picture: picture.clone(), ..self.page.clone() };
        let mut fragments = (self.draw)(page.clone()).await.unwrap_or_default();
        fragments.rest.extend(chrome::parts(&page));
        let fragments = Arc::new(fragments);
        *shared = Some(Drawn { version: picture.version, at: Instant::now(), fragments: fragments.clone() });
        (picture.version, fragments)
    }
}

/// One event: its id is the picture's stamp, its data puts each part in the place of the element of that id.
pub(super) fn message(stamp: &str, parts: &[&Part]) -> Bytes {
    let mut text = format!("id: {stamp}\n");
    for part in parts {
        // Ids are made by us, of letters, digits, _ . and -.
        let _ = writeln!(text, "data: <hx-partial hx-target=\"[id='{}']\" hx-swap=\"outerMorph\">", part.id);
        // A CR ends a line of SSE too. The escaper leaves none in what is shown (S030), but the value of a field of a form
        // keeps its own.
        for line in part.html.lines().flat_map(|line| line.split('\r')) {
            let _ = writeln!(text, "data: {line}");
        }
        text.push_str("data: </hx-partial>\n");
    }
    text.push('\n');
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(id: &str, html: &str) -> Part {
        Part { id: id.into(), html: html.into() }
    }

    #[test]
    fn s030_no_line_end_makes_a_field_of_its_own() {
        let text = message("1", &[&part("a", "x\rid: 2\r\ny\n")]);
        let lines: Vec<&str> = std::str::from_utf8(&text).unwrap().lines().collect();
        assert_eq!(lines.iter().filter(|line| !line.starts_with("data: ")).copied().collect::<Vec<_>>(), ["id: 1", ""]);
        assert!(!text.contains(&b'\r') && lines.contains(&"data: id: 2"), "{lines:?}");
    }

    #[test]
    fn only_what_changed_is_sent() {
        let before = Fragments {
            rows: vec![part("a", "1"), part("b", "1")],
            list: Some(part("list", "11")),
            rest: vec![part("count", "2")],
        };
        let mut now = before.clone();
        assert!(now.since(&before).is_empty());
        now.rows[1].html = "2".into();
        assert_eq!(now.since(&before), [&part("b", "2")]);
        now.rows.swap(0, 1);
        now.rest[0].html = "3".into();
        assert_eq!(now.since(&before), [&part("count", "3"), &part("list", "11")]);
    }
}
