//! Events of the last month, searched: on the disk of this console, where the engine itself forgets them.

use crate::web::filters;
use askama::Template;
use axum::{
    body::{Body, Bytes},
    http::StatusCode,
    response::Response,
};
use futures_util::stream;
use jiff::Timestamp;

use super::{json, path};
use crate::{
    command::echo,
    engine::{EventCursor, EventFilter, FoundEvents, KeptEvent, Picture},
    web::{
        Error, address,
        answer::Newest,
        attachment::attachment,
        chrome::Chrome,
        containers::words,
        doc::Field,
        extract::{Fields, Page, Query},
        html::{bytes, html},
        moment::moment,
    },
};

/// Events on a page.
const ENTRIES: usize = 100;
/// Events that an export reads at once.
const BATCH: usize = 1_000;
/// Kinds of things that events happen to.
const KINDS: [&str; 8] = ["container", "image", "volume", "network", "builder", "daemon", "plugin", "service"];
/// What happens most.
const ACTIONS: [&str; 20] = [
    "create",
    "start",
    "die",
    "stop",
    "kill",
    "restart",
    "pause",
    "unpause",
    "rename",
    "destroy",
    "oom",
    "health_status",
    "pull",
    "push",
    "tag",
    "untag",
    "delete",
    "connect",
    "disconnect",
    "prune",
];

/// What the address takes.
pub fn fields() -> [Field; 7] {
    [
        Field::text("since", "Only what happened from then on: an age, or a moment.", "24h"),
        Field::text("until", "Only what happened until then: an age, or a moment.", "1h"),
        Field::text("type", "Only what happened to such a thing: container, image, volume, network, …", "container"),
        Field::text("action", "Only this: create, start, die, …", "die"),
        Field::text("of", "Only what happened to things whose name or id holds this.", "web"),
        Field::text("q", "Only events that hold this anywhere.", "exitCode=137"),
        Field::text("before", "Where `older` of the answer before leads.", ""),
    ]
}

/// What is wrong with which field.
type Wrong = Vec<(&'static str, String)>;

fn read(query: &Fields, now: Timestamp) -> (EventFilter, Wrong) {
    let mut wrong = Wrong::new();
    let mut when = |field: &'static str| {
        let at = query.text(field).map(|text| moment(text, now));
        match at {
            Some(Ok(nanos)) => Timestamp::from_nanosecond(i128::from(nanos)).ok(),
            Some(Err(why)) => {
                wrong.push((field, why));
                None
            }
            None => None,
        }
    };
    let (since, until) = (when("since"), when("until"));
    let text = |field| query.text(field).unwrap_or_default().to_owned();
    let filter = EventFilter {
        since,
        until,
        kind: text("type"),
        action: text("action"),
        of: text("of").to_lowercase(),
        text: text("q").to_lowercase(),
    };
    (filter, wrong)
}

fn command(query: &Fields) -> String {
    let filters = [("type", "type"), ("event", "action"), ("container", "of")];
    let filters: Vec<(&str, &str)> =
        filters.into_iter().filter_map(|(docker, field)| Some((docker, query.text(field)?))).collect();
    // Without an end the command would go on listening.
    echo::events(Some(query.text("since").unwrap_or("720h")), Some(query.text("until").unwrap_or("0s")), &filters)
}

/// The same search from another place; none is the newest.
fn path_to(base: &str, query: &Fields, before: Option<EventCursor>) -> String {
    let asked = query.0.iter().filter(|(name, value)| name != "before" && !value.trim().is_empty());
    let before = before.map(|before| before.to_string()).unwrap_or_default();
    let asked = asked.map(|(name, value)| (name.as_str(), value.as_str()));
    address::address(base, asked.chain([("before", before.as_str())]))
}

/// A line of what was found.
enum Line {
    Event { at: Timestamp, kind: String, subject: String, words: String, path: Option<String> },
    Gap { from: Timestamp, to: Timestamp },
}

impl Line {
    fn new(kept: &KeptEvent, picture: &Picture) -> Self {
        match kept {
            KeptEvent::Event(event) => Self::Event {
                at: event.at,
                kind: event.kind.clone(),
                subject: words::subject(event, picture),
                words: words::event(event),
                path: path(event, picture),
            },
            KeptEvent::Gap { from, to } => Self::Gap { from: *from, to: *to },
        }
    }
}

#[derive(Template)]
#[template(path = "events/search.html")]
struct SearchPage<'a> {
    chrome: Chrome,
    query: &'a Fields,
    wrong: &'a Wrong,
    command: String,
    lines: Vec<Line>,
    older: Option<String>,
    newest: String,
    file: String,
    is_older: bool,
    is_filtered: bool,
    kinds: [&'static str; 8],
    actions: [&'static str; 20],
    kept: String,
    trouble: Option<String>,
}

impl SearchPage<'_> {
    fn of(&self, field: &str) -> &str {
        self.query.get(field).unwrap_or_default()
    }

    fn error_of(&self, field: &str) -> Option<&str> {
        self.wrong.iter().find(|(name, _)| *name == field).map(|(_, why)| why.as_str())
    }
}

/// How much is kept, in a sentence.
fn kept(page: &Page) -> String {
    match page.engine.events_kept() {
        Some((Some(oldest), size)) => {
            format!("Kept since {}, {}.", oldest.strftime("%Y-%m-%d"), bytes(size))
        }
        Some((None, _)) => "Nothing is kept yet.".to_owned(),
        None => "This console keeps none (--keep-events 0).".to_owned(),
    }
}

fn draw(
    page: &Page,
    query: &Fields,
    wrong: &Wrong,
    found: &FoundEvents,
) -> Result<axum::response::Html<String>, Error> {
    html(&SearchPage {
        chrome: Chrome::new(page, "Events of the last month"),
        command: command(query),
        lines: found.kept.iter().map(|kept| Line::new(kept, &page.picture)).collect(),
        older: found.older.map(|older| path_to("/events/search", query, Some(older))),
        newest: path_to("/events/search", query, None),
        file: path_to("/events.jsonl", query, None),
        is_older: query.text("before").is_some(),
        is_filtered: query.0.iter().any(|(name, value)| name != "before" && !value.trim().is_empty()),
        kinds: KINDS,
        actions: ACTIONS,
        kept: kept(page),
        trouble: page.engine.events_trouble().filter(|_| page.asker.who.scope.is_empty()),
        query,
        wrong,
    })
}

/// `GET /events/search`
pub async fn page(page: Page, Query(query): Query) -> Result<Response, Error> {
    let (filter, wrong) = read(&query, page.picture.now());
    if !wrong.is_empty() {
        return page.wrong(StatusCode::UNPROCESSABLE_ENTITY, "That cannot be searched for.", wrong.clone(), || {
            draw(&page, &query, &wrong, &FoundEvents::default())
        });
    }
    let before = query.text("before").and_then(|before| before.parse().ok());
    let found = page.engine.past_events(filter, before, ENTRIES).await?;
    let events = found.kept.iter().filter_map(|kept| match kept {
        KeptEvent::Event(event) => Some(json::Event::new(event, &page.picture)),
        KeptEvent::Gap { .. } => None,
    });
    page.show(
        || Newest {
            items: events.collect::<Vec<_>>(),
            older: found.older.map(|older| path_to("/events/search", &query, Some(older))),
        },
        || draw(&page, &query, &wrong, &found),
    )
}

/// `GET /events.jsonl`: all that a search finds, an event a line, newest first.
pub async fn jsonl(page: Page, Query(query): Query) -> Result<Response, Error> {
    let (filter, wrong) = read(&query, page.picture.now());
    if !wrong.is_empty() {
        return Err(Error::of_fields(StatusCode::UNPROCESSABLE_ENTITY, "That cannot be searched for.", wrong));
    }
    // The first of it before the answer begins: what fails at once is said as such.
    let first = page.engine.past_events(filter.clone(), None, BATCH).await?;
    let lines = stream::try_unfold(Some(first), move |found| {
        let (page, filter) = (page.clone(), filter.clone());
        async move {
            let Some(found) = found else { return Ok(None) };
            let text: String = found.kept.iter().map(|kept| line(kept, &page.picture)).collect();
            let next = match found.older {
                Some(older) => {
                    let next = page.engine.past_events(filter, Some(older), BATCH).await;
                    Some(next.map_err(std::io::Error::other)?)
                }
                None => None,
            };
            Ok::<_, std::io::Error>(Some((Bytes::from(text), next)))
        }
    });
    Ok(attachment("application/jsonl", "events.jsonl", None, Body::from_stream(lines)))
}

fn line(kept: &KeptEvent, picture: &Picture) -> String {
    let line = match kept {
        KeptEvent::Event(event) => serde_json::to_string(&json::Event::new(event, picture)).unwrap_or_default(),
        KeptEvent::Gap { from, to } => serde_json::json!({ "gap": { "from": from, "to": to } }).to_string(),
    };
    format!("{line}\n")
}
