//! Events are kept for a month and can be searched: the engine itself remembers its last 256 alone.
//!
//! What is heard is written down at once. After a restart of the console, and each time that the engine is back, it is
//! asked for what was missed, as far as it remembers; where that does not reach back to what was heard last, a gap is
//! noted. What a reader is shown, and what a search finds, is what their reach lets them see (S041, S044).

use std::{
    collections::{HashSet, VecDeque},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Semaphore, mpsc, watch};

use super::{
    Event, all,
    files::{EventCursor, Files, Kept, Reader},
};
use crate::engine::{Engine, Error, Picture};

/// Events that wait to be written down.
const WAITING: usize = 16_384;
/// Events that are written at once.
const BATCH: usize = 1_024;
/// Events that are known to be written already.
const KNOWN: usize = 4_096;
/// How far before the last event it is asked what was missed.
const OVERLAP: SignedDuration = SignedDuration::from_secs(2);
/// How long the engine may take to tell it.
const CATCH_UP: Duration = Duration::from_secs(20);
/// How often what could not be written is tried again, and what is too old goes.
const AGAIN: Duration = Duration::from_secs(10);
/// How many searches read the disk at once.
const READERS: usize = 2;

/// What is kept, and for how long.
#[derive(Debug, Clone)]
pub struct KeepEvents {
    /// Where.
    pub folder: PathBuf,
    /// For how long; nothing is kept where it is no time at all.
    pub time: SignedDuration,
}

/// What is searched for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// From when on.
    pub since: Option<Timestamp>,
    /// Until when.
    pub until: Option<Timestamp>,
    /// container, image, volume, network, ...
    pub kind: String,
    /// create, start, die, ...
    pub action: String,
    /// In the name or the id of whom it happened to, in small letters.
    pub of: String,
    /// Anywhere in it, in small letters.
    pub text: String,
}

impl EventFilter {
    /// Whether it takes this event, as its reader sees it.
    fn takes(&self, event: &Event) -> bool {
        let has = |text: &str, part: &str| part.is_empty() || text.to_lowercase().contains(part);
        let anywhere = || {
            let attributes = event.attributes.iter().any(|(key, value)| has(&format!("{key}={value}"), &self.text));
            let texts = [&event.kind, &event.action, &event.id, &event.name];
            attributes || texts.into_iter().chain(&event.detail).any(|text| has(text, &self.text))
        };
        (self.kind.is_empty() || self.kind == event.kind)
            && (self.action.is_empty() || self.action == event.action)
            && (self.of.is_empty() || has(&event.name, &self.of) || has(&event.id, &self.of))
            && (self.text.is_empty() || anywhere())
    }

    /// Whether it asks for certain events.
    fn is_narrow(&self) -> bool {
        !(self.kind.is_empty() && self.action.is_empty() && self.of.is_empty() && self.text.is_empty())
    }
}

/// What a search found.
#[derive(Debug, Clone, Default)]
pub struct FoundEvents {
    /// Newest first.
    pub kept: Vec<Kept>,
    /// Where the ones before these are.
    pub older: Option<EventCursor>,
}

/// What is kept.
#[derive(Debug)]
pub(in crate::engine) struct Keeping {
    heard: OnceLock<mpsc::Sender<Arc<Event>>>,
    reader: OnceLock<Reader>,
    /// Why it could not be written the last time.
    trouble: Mutex<Option<String>>,
    readers: Semaphore,
}

impl Default for Keeping {
    fn default() -> Self {
        Self {
            heard: OnceLock::new(),
            reader: OnceLock::new(),
            trouble: Mutex::default(),
            readers: Semaphore::new(READERS),
        }
    }
}

impl Keeping {
    /// Takes an event to be written down. A storm that the disk does not keep up with loses some.
    pub(in crate::engine) fn hear(&self, event: &Arc<Event>) {
        if let Some(heard) = self.heard.get() {
            let _ = heard.try_send(event.clone());
        }
    }

    fn trouble(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells one event from another.
fn key(event: &Event) -> u64 {
    let mut hasher = DefaultHasher::new();
    (event.at, &event.kind, &event.action, &event.id).hash(&mut hasher);
    hasher.finish()
}

/// Writes down what is heard.
struct Keeper {
    engine: Engine,
    files: Files,
    /// What is not written yet.
    waiting: VecDeque<Kept>,
    known: HashSet<u64>,
    order: VecDeque<u64>,
    /// The newest that was heard.
    last: Option<Arc<Event>>,
}

impl Keeper {
    fn take(&mut self, event: &Arc<Event>) {
        let key = key(event);
        if !self.known.insert(key) {
            return;
        }
        self.order.push_back(key);
        if self.order.len() > KNOWN
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        if self.last.as_ref().is_none_or(|last| last.at <= event.at) {
            self.last = Some(event.clone());
        }
        self.waiting.push_back(Kept::Event(event.clone()));
        while self.waiting.len() > WAITING {
            self.waiting.pop_front();
        }
    }

    /// Learns what an earlier console has written.
    fn remember(&mut self) {
        let mut events = Vec::new();
        let read = self.files.reader().read(None, None, None, |kept| {
            if let Kept::Event(event) = kept {
                events.push(event);
            }
            events.len() == KNOWN
        });
        if let Err(error) = read {
            tracing::warn!(error = error.to_string(), "events that were kept cannot be read");
        }
        for event in events.iter().rev() {
            self.take(event);
        }
        self.waiting.clear();
    }

    /// Asks the engine for what was missed, as far as it remembers.
    async fn catch_up(&mut self) {
        let Some(last) = self.last.clone() else { return };
        let now = self.engine.live.picture().now();
        let since = last.at.checked_sub(OVERLAP).unwrap_or(last.at).as_second();
        let path = format!("/events?since={since}&until={}", now.as_second().max(since) + 1);
        let missed = match self.engine.wire.bytes(&path, CATCH_UP).await {
            Ok(answer) => all(&answer),
            Err(error) => {
                tracing::debug!(error = error.to_string(), "the engine does not tell which events were missed");
                return;
            }
        };
        let of_ours = |event: &&Event| self.engine.live.helpers.has(&event.name);
        let missed: Vec<Arc<Event>> =
            missed.into_iter().filter(|event| !event.is_noise() && !of_ours(&event)).map(Arc::new).collect();
        let reaches_back = missed.iter().any(|event| self.known.contains(&key(event)));
        if !reaches_back {
            let to = missed.first().map_or(now, |event| event.at);
            self.waiting.push_back(Kept::Gap { from: last.at, to: to.max(last.at) });
        }
        missed.iter().for_each(|event| self.take(event));
    }

    /// Writes what waits; what cannot be written waits on.
    async fn write(mut self) -> Option<Self> {
        if self.waiting.is_empty() {
            return Some(self);
        }
        let engine = self.engine.clone();
        let work = tokio::task::spawn_blocking(move || {
            let result = self.files.add(self.waiting.make_contiguous());
            if result.is_ok() {
                self.waiting.clear();
            }
            (self, result)
        });
        let done = work.await;
        let mut trouble = engine.kept_events.trouble();
        let Ok((keeper, result)) = done else {
            *trouble = Some("something went wrong inside this console".to_owned());
            return None;
        };
        match result {
            Ok(()) => {
                if trouble.take().is_some() {
                    tracing::info!("events are written down again");
                }
            }
            Err(error) => {
                if trouble.replace(error.to_string()).is_none() {
                    tracing::warn!(error = error.to_string(), "events cannot be written down: the last wait in memory");
                }
            }
        }
        drop(trouble);
        Some(keeper)
    }

    async fn keep(mut self, mut heard: mpsc::Receiver<Arc<Event>>) {
        let mut watch = self.engine.live.watch();
        let mut was_live = false;
        let mut again = tokio::time::interval(AGAIN);
        again.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                biased;
                is_there = turned(&mut watch, was_live) => {
                    if !is_there {
                        return;
                    }
                    was_live = !was_live;
                    if was_live {
                        self.catch_up().await;
                    }
                }
                count = heard.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        return;
                    }
                    batch.drain(..).for_each(|event| self.take(&event));
                }
                _ = again.tick() => self.files.sweep(Timestamp::now()),
            }
            let Some(keeper) = self.write().await else { return };
            self = keeper;
        }
    }
}

/// Waits until the engine is there where it was not, or the other way round; no more, where it is not followed any more.
async fn turned(watch: &mut watch::Receiver<Arc<Picture>>, was_live: bool) -> bool {
    watch.wait_for(|picture| picture.link.is_live() != was_live).await.is_ok()
}

impl Engine {
    /// From now on events are written down. Answers at once.
    pub fn keep_events(&self, keep: KeepEvents) {
        if keep.time <= SignedDuration::ZERO {
            return;
        }
        let files = Files::new(keep.folder, keep.time);
        let (sender, heard) = mpsc::channel(WAITING);
        let _ = self.kept_events.reader.set(files.reader());
        if self.kept_events.heard.set(sender).is_err() {
            return;
        }
        let mut keeper = Keeper {
            engine: self.clone(),
            files,
            waiting: VecDeque::new(),
            known: HashSet::new(),
            order: VecDeque::new(),
            last: None,
        };
        // What was heard until now is there to be taken as well.
        let before: Vec<Arc<Event>> = self.live.picture().events.iter().cloned().collect();
        tokio::spawn(async move {
            let remembered = tokio::task::spawn_blocking(move || {
                keeper.remember();
                keeper
            });
            let Ok(mut keeper) = remembered.await else { return };
            before.iter().for_each(|event| keeper.take(event));
            keeper.keep(heard).await;
        });
    }

    /// Whether events are kept, how far back they go, and how many bytes they are.
    pub fn events_kept(&self) -> Option<(Option<Timestamp>, u64)> {
        self.kept_events.reader.get().map(Reader::extent)
    }

    /// Why events cannot be written down, if they cannot.
    pub fn events_trouble(&self) -> Option<String> {
        self.kept_events.trouble().clone()
    }

    /// The newest kept events that a filter takes, before a place, of those that this reach sees.
    pub async fn past_events(
        &self,
        filter: EventFilter,
        before: Option<EventCursor>,
        most: usize,
    ) -> Result<FoundEvents, Error> {
        let Some(reader) = self.kept_events.reader.get().cloned() else {
            return Err(Error::Unsupported(
                "this console keeps no events: it was started with --keep-events 0".to_owned(),
            ));
        };
        let _room = self.kept_events.readers.acquire().await;
        let (reach, whole) = (self.reach.clone(), self.live.picture());
        let search = move || {
            let mut found = FoundEvents::default();
            found.older = reader.read(filter.since, filter.until, before, |kept| {
                match kept {
                    Kept::Event(event) if reach.hears(&event, &whole) => {
                        // What is not shown is not found, either.
                        let event = reach.event(&event);
                        if filter.takes(&event) {
                            found.kept.push(Kept::Event(event));
                        }
                    }
                    Kept::Gap { .. } if !filter.is_narrow() => found.kept.push(kept),
                    _ => {}
                }
                found.kept.len() >= most
            })?;
            Ok::<_, std::io::Error>(found)
        };
        let found = tokio::task::spawn_blocking(search).await;
        let failed = |why: String| Error::Engine { status: 500, message: format!("kept events cannot be read: {why}") };
        found.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_filter_takes_what_it_says() {
        let event = Event {
            kind: "container".into(),
            action: "die".into(),
            detail: None,
            id: "0a".repeat(32),
            name: "Web".into(),
            attributes: BTreeMap::from([("exitCode".to_owned(), "137".to_owned())]),
            at: Timestamp::UNIX_EPOCH,
        };
        let filter = |change: fn(&mut EventFilter)| {
            let mut filter = EventFilter::default();
            change(&mut filter);
            filter.takes(&event)
        };
        assert!(filter(|_| {}) && filter(|f| f.kind = "container".into()) && filter(|f| f.action = "die".into()));
        assert!(
            filter(|f| f.of = "web".into())
                && filter(|f| f.of = "0a0a".into())
                && filter(|f| f.text = "exitcode=137".into())
        );
        assert!(!filter(|f| f.kind = "image".into()) && !filter(|f| f.action = "start".into()));
        assert!(!filter(|f| f.of = "db".into()) && !filter(|f| f.text = "138".into()));
    }
}
