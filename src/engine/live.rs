//! The picture of the engine that every page is drawn from, and what keeps it true.
//!
//! One task holds one event stream for everybody. An event only marks what changed; the truth is then read back
//! from the engine with one list call for all that was marked meanwhile, so a burst costs a call or two and never
//! a call per row. After any gap (a lost connection, a silent engine) and once a minute everything is listed
//! afresh (S074). A hundred people watching cost the engine what one does: pages read the picture.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    convert::Infallible,
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::{Notify, broadcast, watch},
    time::Instant as Tick,
};

use super::{
    Error, Outage,
    containers::{Asked, Listed, Pending, State, Verb},
    events::{Event, Events, Keeping},
    ids::ContainerId,
    images::{self, Freshness},
    networks,
    notes::Notes,
    own::Own,
    picture::{Link, Picture},
    reach::Scope,
    stats::Usage,
    system::{Disk, Info, Version},
    volumes::{self, Sizes},
    wire::{Wire, encoded},
};

/// How many events are kept for people to read.
const EVENTS: usize = 500;
/// Events that who has to be quick may be behind.
const HEARD: usize = 1_024;
/// How often everything is listed afresh although nothing seems to have been missed.
const RELIST: Duration = Duration::from_mins(1);
/// How often the engine is asked whether it still answers.
const PING: Duration = Duration::from_secs(5);
/// How long it may take to.
const PONG: Duration = Duration::from_secs(3);
/// How far back the first connection asks for events; the engine itself keeps its last 256 only.
/// Source: moby, `daemon/events/events.go`, `eventsLimit`.
const BACKLOG: SignedDuration = SignedDuration::from_hours(24);
/// How far before the last event a new connection starts to listen.
const OVERLAP: SignedDuration = SignedDuration::from_secs(2);
/// From how many marked containers on the whole list is read instead of those.
const MANY: usize = 100;
/// How soon what contradicts the last event is read again.
const DOUBT: Duration = Duration::from_millis(8);
/// How long after it was read everything that an event marked is read once more.
const AGAIN: Duration = Duration::from_millis(250);
/// How often the state is read when an action has ended, at most.
const END_READS: u32 = 20;
/// The longest pause between two readings.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// What has to be read back from the engine.
#[derive(Debug, Default)]
struct Marked {
    containers: HashSet<ContainerId>,
    volumes: bool,
    networks: bool,
    /// What has been read and has to be read again: the engine tells of an event before its own list knows of it.
    /// Source: moby, `daemon/pause.go`: the event is logged, then the container is checkpointed.
    again: HashMap<ContainerId, Again>,
}

/// When something is read again.
#[derive(Debug, Clone, Copy)]
struct Again {
    due: Tick,
    /// How long was waited for it; twice as long the next time, as long as the list contradicts the last event.
    step: Duration,
}

impl Again {
    fn after(step: Duration) -> Self {
        Self { due: Tick::now() + step, step }
    }

    /// The next time, if there has to be one: in doubt soon, then more and more seldom; else once more to be sure.
    fn next(self, doubtful: bool) -> Option<Self> {
        match (doubtful, self.step < AGAIN) {
            (true, _) => Some(Self::after((self.step * 2).min(RELIST))),
            (false, true) => Some(Self::after(AGAIN)),
            (false, false) => None,
        }
    }
}

/// Keeps the picture.
pub(super) struct Live {
    wire: Arc<Wire>,
    picture: watch::Sender<Arc<Picture>>,
    notes: Mutex<HashMap<ContainerId, Notes>>,
    pending: Mutex<HashMap<ContainerId, Pending>>,
    marked: Mutex<Marked>,
    wake: Notify,
    /// Something happened to images: their list is slow on some engines, and nothing else waits for it.
    wake_images: Notify,
    /// When the engine last answered, in milliseconds since the epoch by our clock; 0 for never.
    seen: AtomicI64,
    closing: AtomicBool,
    /// Each event as it comes, before anything is read back.
    heard: broadcast::Sender<Arc<Event>>,
    /// Where events are written down.
    kept: Arc<Keeping>,
    /// Our helpers: no container of anybody's.
    pub(super) helpers: super::files::helper::Names,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Live {
    pub(super) fn new(wire: Arc<Wire>, kept: Arc<Keeping>) -> Self {
        let picture = Picture { own: Own::find(), ..Picture::default() };
        Self {
            wire,
            kept,
            picture: watch::Sender::new(Arc::new(picture)),
            notes: Mutex::default(),
            pending: Mutex::default(),
            marked: Mutex::default(),
            wake: Notify::new(),
            wake_images: Notify::new(),
            seen: AtomicI64::new(0),
            closing: AtomicBool::new(false),
            heard: broadcast::Sender::new(HEARD),
            helpers: super::files::helper::Names::default(),
        }
    }

    pub(super) fn picture(&self) -> Arc<Picture> {
        self.picture.borrow().clone()
    }

    /// Each event as it comes: for who has to be quick. A storm of them may be too much.
    pub(super) fn hear(&self) -> broadcast::Receiver<Arc<Event>> {
        self.heard.subscribe()
    }

    pub(super) fn watch(&self) -> watch::Receiver<Arc<Picture>> {
        self.picture.subscribe()
    }

    /// Keeps the picture true for as long as it is polled.
    pub(super) async fn keep(&self) -> Infallible {
        let mut failures = 0_u32;
        loop {
            let started = Instant::now();
            let Err(error) = self.session().await;
            failures = if started.elapsed() > PING * 2 { 0 } else { failures + 1 };
            self.lost(error);
            // Quick at first, so that a restarted engine is found at once; then every two seconds.
            let pause = Duration::from_millis(100).saturating_mul(1 << failures.min(5)).min(Duration::from_secs(2));
            tokio::time::sleep(pause).await;
        }
    }

    /// One connection's life: everything afresh, then events until something breaks.
    async fn session(&self) -> Result<Infallible, Error> {
        self.wire.set_version("");
        let version: Version = self.wire.get_within("/version", PONG).await?;
        self.wire.set_version(&version.negotiate()?);
        let mut info = self.wire.get::<Info>("/info").await?.tidied();
        info.version = version;
        let skew = info.skew();
        let since = self.picture().events.back().map_or(Timestamp::now() + skew - BACKLOG, |last| last.at - OVERLAP);
        self.wire.meter().listens(Timestamp::now() + skew);
        let stream = self.wire.open(&format!("/events?since={}", since.as_second())).await?;
        let mut events = Events::new(stream.into_body());
        *lock(&self.marked) = Marked::default();
        self.change(|picture| {
            picture.skew = skew;
            picture.info = Some(Arc::new(info));
            true
        });
        self.relist().await?;
        tracing::info!(engine = %self.wire.address(), "connected to the engine");
        tokio::select! {
            result = self.read(&mut events) => result,
            result = self.refresh() => result,
            result = self.refresh_images() => result,
            result = self.ping() => result,
        }
    }

    /// From now on a connection that breaks is no news: it is our own end.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    fn lost(&self, error: Error) {
        if self.closing.load(Ordering::Relaxed) {
            return;
        }
        let why = match error {
            Error::Unreachable(outage) => outage,
            Error::TimedOut { .. } => Outage::Silent,
            other => Outage::Other(other.to_string()),
        };
        let seen = Timestamp::from_millisecond(self.seen.load(Ordering::Relaxed)).ok().filter(|at| at.as_second() > 0);
        let changed = self.change(|picture| {
            let since = match &picture.link {
                Link::Down { why: before, .. } if *before == why => return false,
                Link::Down { since, .. } if picture.info.is_some() => *since,
                _ => Timestamp::now(),
            };
            picture.link = Link::Down { why: why.clone(), since, seen };
            true
        });
        if changed {
            tracing::warn!(engine = %self.wire.address(), why = why.to_string(), "no engine");
        }
    }

    async fn ping(&self) -> Result<Infallible, Error> {
        loop {
            tokio::time::sleep(PING).await;
            self.wire.bytes("/_ping", PONG).await?;
            self.saw();
        }
    }

    fn saw(&self) {
        self.seen.store(Timestamp::now().as_millisecond(), Ordering::Relaxed);
    }

    async fn read(&self, events: &mut Events) -> Result<Infallible, Error> {
        loop {
            let event = events.next().await?;
            self.note(event);
        }
    }

    /// Takes an event in: remembers what no list tells and marks what has to be read back.
    fn note(&self, event: Event) {
        self.wire.meter().event(&event);
        if event.is_noise() || self.helpers.has(&event.name) {
            return;
        }
        let known = |picture: &Picture| {
            let recent = picture.events.iter().rev().take_while(|other| other.at >= event.at);
            recent.into_iter().any(|other| **other == event)
        };
        if known(&self.picture.borrow()) {
            return;
        }
        let event = Arc::new(event);
        let _ = self.heard.send(event.clone());
        self.kept.hear(&event);
        let mut marked = true;
        match event.kind.as_str() {
            "container" => {
                let Ok(id) = event.id.parse::<ContainerId>() else {
                    return;
                };
                self.remember(&id, &event);
                if event.action == "commit" {
                    self.wake_images.notify_one();
                }
                let mut marked = lock(&self.marked);
                // A signal by itself changes nothing that is shown, and what comes of it has events of its own; but
                // one that ends a container between two of its restarts is told by nothing else.
                if event.action == "kill" {
                    marked.again.entry(id).or_insert(Again::after(AGAIN));
                } else {
                    marked.containers.insert(id);
                }
            }
            "volume" if matches!(event.action.as_str(), "create" | "destroy" | "prune" | "remove") => {
                lock(&self.marked).volumes = true;
            }
            "network" => {
                let mut marked = lock(&self.marked);
                marked.networks = true;
                // Who has joined or left.
                marked.containers.extend(event.attributes.get("container").and_then(|id| id.parse().ok()));
            }
            "image" => {
                self.wake_images.notify_one();
                marked = false;
            }
            _ => marked = false,
        }
        self.picture.send_if_modified(|picture| {
            let picture = Arc::make_mut(picture);
            picture.events.push_back(event);
            if picture.events.len() > EVENTS {
                picture.events.pop_front();
            }
            // What is marked makes a new version once it has been read back, and the event is shown with it.
            picture.version += u64::from(!marked);
            !marked
        });
        self.wake.notify_one();
    }

    fn remember(&self, id: &ContainerId, event: &Arc<Event>) {
        let mut all = lock(&self.notes);
        if event.action == "destroy" {
            all.remove(id);
            return;
        }
        all.entry(id.clone()).or_default().hear(event);
    }

    /// Reads back what was marked, everything once a minute.
    async fn refresh(&self) -> Result<Infallible, Error> {
        let mut next_relist = Tick::now() + RELIST;
        loop {
            let due = lock(&self.marked).again.values().map(|again| again.due).min();
            let due = due.map_or(next_relist, |due| due.min(next_relist));
            // Woken or not: events without a pause must not put off what is due.
            let _ = tokio::time::timeout_at(due, self.wake.notified()).await;
            if Tick::now() >= next_relist {
                self.relist().await?;
                next_relist = Tick::now() + RELIST;
            }
            let started = Instant::now();
            self.read_marked().await?;
            // The first change is read at once. Under a storm the engine gets three quarters of the time to itself.
            tokio::time::sleep((started.elapsed() * 3).clamp(Duration::from_millis(5), LONGEST_PAUSE)).await;
        }
    }

    /// Reads what events have marked, and what is due to be read again; in one call.
    async fn read_marked(&self) -> Result<(), Error> {
        let (ids, volumes, networks) = {
            let (mut marked, now) = (lock(&self.marked), Tick::now());
            let due: Vec<_> =
                marked.again.iter().filter(|(_, again)| again.due <= now).map(|(id, _)| id.clone()).collect();
            let mut ids: HashMap<_, _> = marked.containers.drain().map(|id| (id, Again::after(DOUBT / 2))).collect();
            for id in due {
                if let Some(again) = marked.again.remove(&id) {
                    ids.entry(id).or_insert(again);
                }
            }
            (ids, mem::take(&mut marked.volumes), mem::take(&mut marked.networks))
        };
        self.read_back(&ids.keys().cloned().collect::<Vec<_>>()).await?;
        let picture = self.picture();
        for (id, again) in ids {
            if let Some(next) = again.next(self.is_doubtful(&id, &picture)) {
                lock(&self.marked).again.insert(id, next);
            }
        }
        if volumes {
            self.list_volumes().await?;
        }
        if networks {
            self.list_networks().await?;
        }
        Ok(())
    }

    /// Reads the images back when something happened to them, and once a minute.
    async fn refresh_images(&self) -> Result<Infallible, Error> {
        loop {
            let started = Instant::now();
            match self.list_images().await {
                Err(error @ Error::Unreachable(_)) => return Err(error),
                Err(error) => tracing::warn!(error = error.to_string(), "images not read back"),
                Ok(()) => {}
            }
            tokio::time::sleep((started.elapsed() * 3).clamp(Duration::from_millis(5), LONGEST_PAUSE)).await;
            let _ = tokio::time::timeout(RELIST, self.wake_images.notified()).await;
        }
    }

    async fn list_images(&self) -> Result<(), Error> {
        let images = match images::list(&self.wire).await {
            // podman fails where one of them is removed while it lists them.
            Err(Error::Engine { .. }) => {
                tokio::time::sleep(AGAIN).await;
                images::list(&self.wire).await?
            }
            listed => listed?,
        };
        self.change(|picture| images::place(&mut picture.images, images));
        Ok(())
    }

    /// Reads the images back at once, for an action of ours whose result should be on the next page.
    pub(super) async fn read_back_images(&self) {
        if let Err(error) = self.list_images().await {
            tracing::warn!(error = error.to_string(), "images not read back");
        }
    }

    pub(super) fn set_shared(&self, shared: Sizes) {
        self.change(|picture| {
            picture.shared = shared;
            true
        });
    }

    /// Keeps what a registry has said of a tag.
    pub(super) fn set_freshness(&self, tag: &str, said: Freshness) {
        self.change(|picture| {
            let tags: HashSet<&String> = picture.images.values().flat_map(|image| &image.tags).collect();
            let mut newer: BTreeMap<String, Freshness> = BTreeMap::clone(&picture.newer);
            newer.retain(|tag, _| tags.contains(tag));
            newer.insert(tag.to_owned(), said);
            picture.newer = Arc::new(newer);
            true
        });
    }

    /// Whether the list does not yet say what the last event said.
    fn is_doubtful(&self, id: &ContainerId, picture: &Picture) -> bool {
        let notes = lock(&self.notes);
        let Some(notes) = notes.get(id) else { return false };
        let said = notes.since.as_ref().map(|(state, _)| state);
        match (said, picture.containers.get(id).map(|container| &container.state)) {
            (Some(said @ (State::Running | State::Paused)), Some(listed)) => said != listed,
            (Some(State::Exited), Some(listed)) => *listed == State::Running,
            // Heard of and not listed yet.
            (Some(_), None) => notes.is_recent(picture.now()),
            _ => false,
        }
    }

    async fn relist(&self) -> Result<(), Error> {
        let listed: Vec<Listed> = self.wire.get("/containers/json?all=true").await?;
        let volumes = volumes::list(&self.wire).await?;
        let networks = networks::list(&self.wire).await?;
        self.saw();
        let ids: HashSet<_> = listed.iter().map(|listed| listed.id.clone()).collect();
        let now = self.picture().now();
        lock(&self.notes).retain(|id, notes| ids.contains(id) || notes.is_recent(now));
        self.change(|picture| {
            let gone = picture.containers.len();
            picture.containers.retain(|id, _| ids.contains(id));
            let mut changed = gone != picture.containers.len() || !picture.link.is_live();
            picture.link = Link::Live;
            for listed in listed {
                changed |= self.place(picture, listed);
            }
            changed |= volumes::place(&mut picture.volumes, volumes);
            changed |= networks::place(&mut picture.networks, networks);
            picture.protect_own();
            changed
        });
        Ok(())
    }

    /// Reads these containers back from the engine; who is not there any more goes.
    pub(super) async fn read_back(&self, ids: &[ContainerId]) -> Result<(), Error> {
        match ids.len() {
            0 => return Ok(()),
            many if many > MANY => return self.relist().await,
            _ => {}
        }
        let filter = serde_json::json!({ "id": ids.iter().map(ContainerId::as_str).collect::<Vec<_>>() }).to_string();
        let filter = encoded(&filter);
        let path = format!("/containers/json?all=true&filters={filter}");
        let listed: Vec<Listed> = self.wire.get(&path).await?;
        self.saw();
        self.change(|picture| {
            let mut changed = false;
            for id in ids.iter().filter(|id| !listed.iter().any(|listed| listed.id == **id)) {
                changed |= picture.containers.remove(id).is_some();
            }
            for listed in listed {
                changed |= self.place(picture, listed);
            }
            changed
        });
        Ok(())
    }

    async fn list_volumes(&self) -> Result<(), Error> {
        let volumes = volumes::list(&self.wire).await?;
        self.change(|picture| volumes::place(&mut picture.volumes, volumes));
        Ok(())
    }

    /// Reads the volumes back at once, for an action of ours whose result should be on the next page.
    pub(super) async fn read_back_volumes(&self) {
        if let Err(error) = self.list_volumes().await {
            tracing::warn!(error = error.to_string(), "volumes not read back");
        }
    }

    async fn list_networks(&self) -> Result<(), Error> {
        let networks = networks::list(&self.wire).await?;
        self.change(|picture| networks::place(&mut picture.networks, networks));
        Ok(())
    }

    /// The same for networks.
    pub(super) async fn read_back_networks(&self) {
        if let Err(error) = self.list_networks().await {
            tracing::warn!(error = error.to_string(), "networks not read back");
        }
    }

    pub(super) fn set_sizes(&self, sizes: Sizes) {
        self.change(|picture| {
            picture.sizes = sizes;
            true
        });
    }

    /// Says that the disk is being measured; answers whether nobody else does already.
    pub(super) fn begin_disk(&self) -> bool {
        self.change(|picture| {
            let is_first = picture.disk.running.is_none();
            picture.disk.running.get_or_insert_with(Timestamp::now);
            is_first
        })
    }

    pub(super) fn set_disk(&self, disk: Disk) {
        self.change(|picture| {
            picture.disk = disk;
            true
        });
    }

    pub(super) fn set_working(&self, working: Vec<Vec<Scope>>) {
        self.change(|picture| {
            let changed = *picture.working != working;
            picture.working = Arc::new(working);
            changed
        });
    }

    pub(super) fn set_usage(&self, usage: Vec<Usage>) {
        self.change(|picture| {
            let changed = *picture.usage != usage;
            picture.usage = Arc::new(usage);
            changed
        });
    }

    /// Puts a listed container into the picture, with what events and this console know of it. Answers whether
    /// anything that is shown has changed.
    fn place(&self, picture: &mut Picture, listed: Listed) -> bool {
        let mut container = listed.into_container(picture.now());
        if self.helpers.has(&container.name) {
            return false;
        }
        let before = picture.containers.get(&container.id);
        if let Some(notes) = lock(&self.notes).get(&container.id) {
            container.ending = notes.ending.clone();
            container.recent_ends = notes.recent_ends(picture.now());
            container.since = notes
                .since
                .as_ref()
                .filter(|(state, _)| *state == container.state)
                .map(|(_, at)| *at)
                .or(container.since);
        }
        // The engine's words are rounded ("3 hours ago"): what they meant the first time stays, or rows would
        // change at every list.
        if let Some(before) =
            before.filter(|before| before.state == container.state && before.exit_code == container.exit_code)
        {
            let exact = lock(&self.notes).get(&container.id).is_some_and(|notes| notes.since.is_some());
            if !exact {
                container.since = before.since;
            }
        }
        container.pending = lock(&self.pending).get(&container.id).cloned();
        if before.is_some_and(|before| **before == container) {
            return false;
        }
        picture.containers.insert(container.id.clone(), Arc::new(container));
        true
    }

    /// The last events of this container, newest first.
    pub(super) fn history(&self, id: &ContainerId) -> Vec<Arc<Event>> {
        lock(&self.notes).get(id).map(|notes| notes.past.iter().cloned().collect()).unwrap_or_default()
    }

    /// Says to everybody that `verb` is being done to this container.
    pub(super) fn begin(&self, id: &ContainerId, verb: Verb) {
        let now = self.picture().now();
        lock(&self.pending).insert(id.clone(), Pending { verb, since: now });
        if matches!(verb, Verb::Stop | Verb::Kill | Verb::Restart | Verb::Remove) {
            let mut notes = lock(&self.notes);
            notes.entry(id.clone()).or_default().ending.asked = Some(Asked { signal: None, here: Some(verb), at: now });
        }
        self.show_pending(id);
    }

    /// Remembers whether a start that was asked for here went well: no list tells.
    pub(super) fn started(&self, id: &ContainerId, well: bool) {
        lock(&self.notes).entry(id.clone()).or_default().ending.start_failed = !well;
    }

    /// Says that it is over, however it ended, with the state read back from the engine: the next page should show it,
    /// so what contradicts the engine's own event is read again at once.
    pub(super) async fn end(&self, id: &ContainerId) {
        for _ in 0..END_READS {
            if let Err(error) = self.read_back(std::slice::from_ref(id)).await {
                tracing::warn!(container = id.short(), error = error.to_string(), "state not read back");
                break;
            }
            if !self.is_doubtful(id, &self.picture()) {
                break;
            }
            tokio::time::sleep(DOUBT).await;
        }
        lock(&self.pending).remove(id);
        self.show_pending(id);
        lock(&self.marked).again.insert(id.clone(), Again::after(DOUBT));
        self.wake.notify_one();
    }

    fn show_pending(&self, id: &ContainerId) {
        let pending = lock(&self.pending).get(id).cloned();
        self.change(|picture| {
            let Some(container) = picture.containers.get_mut(id) else {
                return false;
            };
            Arc::make_mut(container).pending = pending;
            true
        });
    }

    /// Publishes a changed picture; `change` answers whether it changed anything that is shown.
    fn change(&self, change: impl FnOnce(&mut Picture) -> bool) -> bool {
        let mut picture = None;
        self.picture.send_if_modified(|current| {
            let mut next = Picture::clone(current);
            if !change(&mut next) {
                return false;
            }
            next.version += 1;
            *current = Arc::new(next);
            picture = Some(());
            true
        });
        picture.is_some()
    }
}
