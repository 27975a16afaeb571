//! What comes: one connection to the engine for each container that is watched, however many watch it.
//!
//! It is read without pause and shared through a ring of bounded size. Who does not keep up is told how much was
//! skipped, and goes on with what is newest (S057); nobody's stalled page holds up the engine, the container or
//! another page (S060). Where the log ends because the container does, and it starts again, reading goes on (S078);
//! an engine that went away is told from that (S068).

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::{join_all, select_all};
use jiff::Timestamp;
use serde::Deserialize;
use tokio::{
    sync::{broadcast, watch},
    time::Instant,
};

use super::{
    Logs, beside,
    filter::Filter,
    line::{Cursor, Found, Line, Places},
    merge::merged,
    reading::{Ask, Reading},
    window::{Log, Point, Slice},
};
use crate::engine::{ContainerId, Engine, Error, containers::or_default};

/// Batches that are kept for who is slower.
const RING: usize = 128;
/// Lines of one batch.
const LINES: usize = 512;
/// Bytes of one batch, its last line apart.
const BYTES: usize = 64 << 10;
/// Entries that are read again at the beginning, so that nothing is missed between a page and its stream.
const OVERLAP: u64 = 1_000;
/// How far before its last line a log is read again, in nanoseconds.
const ASKEW: i64 = 1_000_000_000;
/// How many lines are remembered, so that none comes twice.
const REMEMBERED: usize = 64 << 10;
/// How long a line that has not ended is waited for before it is shown as it is.
const UNENDED: Duration = Duration::from_millis(200);
/// How long a feed goes on without anybody who reads it.
const IDLE: Duration = Duration::from_secs(3);
/// Between two tries.
const AGAIN: Duration = Duration::from_millis(300);
/// How long a page waits for a feed to begin.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a page is sent what has come, at most.
const PACE: Duration = Duration::from_millis(100);
/// How many of the last lines are looked at for where somebody was who comes again, at first and then.
const NEAR: usize = 1_000;
const FAR: usize = 4_000;
/// Lines that a page is sent at once.
const AT_ONCE: usize = 1_000;
/// Bytes that it is sent at once.
const BYTES_AT_ONCE: usize = 512 << 10;

/// Something that happened to a log.
#[derive(Debug, Clone)]
pub struct Mark {
    /// What.
    pub kind: MarkKind,
    /// To whose, among those that are followed.
    pub source: u16,
    /// When, by the engine's clock.
    pub at: Timestamp,
}

/// What happened to a log.
#[derive(Debug, Clone)]
pub enum MarkKind {
    /// The container runs again.
    Restarted,
    /// It ended, with this exit code where there is one.
    Stopped(Option<i64>),
    /// It was removed.
    Removed,
    /// The engine went away.
    EngineAway,
    /// It is back.
    EngineBack,
    /// It cannot be read any more.
    Failed(Error),
}

/// What there is to show.
#[derive(Debug)]
pub enum News {
    /// Lines, in their order.
    Lines(Vec<Found>),
    /// So many lines of this container were not read fast enough.
    Skipped(u16, u64),
    /// Something happened.
    Mark(Mark),
}

#[derive(Debug, Clone)]
enum Item {
    Batch(Arc<Batch>),
    Mark(MarkKind, Timestamp),
}

#[derive(Debug)]
struct Batch {
    /// How many lines came before these.
    first: u64,
    lines: Vec<(i64, u32, Line)>,
}

/// All logs that are followed.
#[derive(Debug, Default)]
pub(in crate::engine) struct Feeds(Mutex<HashMap<ContainerId, Feed>>);

#[derive(Debug, Clone)]
struct Feed {
    sender: broadcast::Sender<Item>,
    attached: watch::Receiver<bool>,
    has_ended: Arc<AtomicBool>,
}

impl Feeds {
    /// Begins to listen to a container's log, as the first or as one of many.
    fn subscribe(&self, engine: &Engine, id: &ContainerId) -> (broadcast::Receiver<Item>, watch::Receiver<bool>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(feed) = all.get(id).filter(|feed| !feed.has_ended.load(Ordering::Relaxed)) {
            return (feed.sender.subscribe(), feed.attached.clone());
        }
        let (sender, receiver) = broadcast::channel(RING);
        let (attach, attached) = watch::channel(false);
        let feed = Feed { sender: sender.clone(), attached: attached.clone(), has_ended: Arc::default() };
        all.insert(id.clone(), feed.clone());
        let (engine, id) = (engine.whole_hand(), id.clone());
        tokio::spawn(async move {
            let reader =
                Reader { engine: &engine, id: &id, sender: &sender, attach, count: 0, recent: Recent::default() };
            tokio::select! {
                () = reader.run() => {}
                () = engine.feeds.unwatched(&id, &sender) => {}
            }
            feed.has_ended.store(true, Ordering::Relaxed);
            engine.feeds.forget(&id, &sender);
        });
        (receiver, attached)
    }

    /// Waits until nobody has read it for a while.
    async fn unwatched(&self, id: &ContainerId, sender: &broadcast::Sender<Item>) {
        let mut is_alone = false;
        loop {
            tokio::time::sleep(IDLE).await;
            let is_now = sender.receiver_count() == 0;
            if is_alone && is_now && self.close(id, sender) {
                return;
            }
            is_alone = is_now;
        }
    }

    /// Takes it off the list, unless somebody has come meanwhile.
    fn close(&self, id: &ContainerId, sender: &broadcast::Sender<Item>) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_alone = sender.receiver_count() == 0;
        if is_alone && all.get(id).is_some_and(|feed| feed.sender.same_channel(sender)) {
            all.remove(id);
        }
        is_alone
    }

    fn forget(&self, id: &ContainerId, sender: &broadcast::Sender<Item>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.get(id).is_some_and(|feed| feed.sender.same_channel(sender)) {
            all.remove(id);
        }
    }
}

/// The last lines, so that none is told twice.
#[derive(Debug, Default)]
struct Recent {
    lines: VecDeque<(i64, u32)>,
    newest: i64,
    /// Those of them that may come again, and how often.
    again: HashMap<(i64, u32), u32>,
    /// Lines before this do not come again.
    floor: i64,
}

impl Recent {
    fn push(&mut self, at: i64, sum: u32) {
        self.newest = self.newest.max(at);
        self.lines.push_back((at, sum));
        if self.lines.len() > REMEMBERED {
            self.lines.pop_front();
        }
    }

    /// What is known of a log, of which this is the end: what the feed tells again of it is not told twice.
    fn know(&mut self, missed: &Missed) {
        missed.lines.iter().for_each(|found| self.push(found.cursor.at, found.cursor.sum));
        self.floor = missed.lines.iter().map(|found| found.cursor.at).min().unwrap_or(self.floor);
        self.expect_again();
    }

    /// From where on to read again; everything before it has been told.
    fn resume(&mut self) -> Option<i64> {
        let oldest = self.lines.iter().map(|(at, _)| *at).min()?;
        let is_full = self.lines.len() >= REMEMBERED;
        self.floor = (self.newest - ASKEW).max(if is_full { oldest + 1 } else { oldest });
        self.expect_again();
        Some(self.floor)
    }

    /// From now on what is remembered may come again.
    fn expect_again(&mut self) {
        self.again.clear();
        for line in self.lines.iter().filter(|(at, _)| *at >= self.floor) {
            *self.again.entry(*line).or_default() += 1;
        }
    }

    /// Whether a line has been told.
    fn knows(&mut self, at: i64, sum: u32) -> bool {
        if at < self.floor {
            return true;
        }
        if self.again.is_empty() {
            return false;
        }
        if at > self.newest.saturating_add(ASKEW) {
            self.again.clear();
            return false;
        }
        let Some(count) = self.again.get_mut(&(at, sum)) else { return false };
        *count -= 1;
        if *count == 0 {
            self.again.remove(&(at, sum));
        }
        true
    }
}

/// How a container runs, asked anew.
#[derive(Debug, PartialEq, Eq)]
struct Run {
    started: String,
    is_running: bool,
    exit_code: i64,
}

/// What reads for all.
struct Reader<'a> {
    engine: &'a Engine,
    id: &'a ContainerId,
    sender: &'a broadcast::Sender<Item>,
    attach: watch::Sender<bool>,
    count: u64,
    recent: Recent,
}

impl Reader<'_> {
    fn mark(&self, kind: MarkKind) {
        let _ = self.sender.send(Item::Mark(kind, self.engine.live.picture().now()));
    }

    async fn inspect(&self) -> Result<Run, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Told {
            state: State,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", default)]
        #[derive(Default)]
        struct State {
            #[serde(deserialize_with = "or_default")]
            started_at: String,
            #[serde(deserialize_with = "or_default")]
            running: bool,
            #[serde(deserialize_with = "or_default")]
            exit_code: i64,
        }
        let Told { state } = self.engine.wire.get(&format!("/containers/{}/json", self.id)).await?;
        Ok(Run { started: state.started_at, is_running: state.running, exit_code: state.exit_code })
    }

    /// Reads until the container is removed, or its log cannot be read.
    async fn run(mut self) {
        let mut before: Option<Run> = None;
        let mut is_away = false;
        let mut has_begun = false;
        loop {
            let reading = async {
                let run = self.inspect().await?;
                let ask = match (has_begun, self.recent.resume()) {
                    (_, Some(since)) => Ask { since: Some(since), follow: true, ..Ask::default() },
                    // It was empty: all that is there is new.
                    (true, None) => Ask { follow: true, ..Ask::default() },
                    (false, None) => Ask { follow: true, ..Ask::tail(OVERLAP) },
                };
                Ok::<_, Error>((run, Reading::open(self.engine, self.id, ask).await?))
            };
            let (run, reading) = match reading.await {
                Ok(opened) => opened,
                Err(error) if error.is_outage() => {
                    if !std::mem::replace(&mut is_away, true) {
                        self.mark(MarkKind::EngineAway);
                    }
                    tokio::time::sleep(AGAIN).await;
                    continue;
                }
                Err(error) => return self.end(error).await,
            };
            if std::mem::take(&mut is_away) {
                self.mark(MarkKind::EngineBack);
            }
            if let Some(before) = &before
                && before.started != run.started
            {
                self.mark(MarkKind::Restarted);
            }
            let was_running = run.is_running;
            let read = self.read(reading, &mut has_begun).await;
            before = Some(run);
            match read {
                Ok(()) => {
                    if let Err(error) = self.rest(before.as_ref(), was_running).await {
                        return self.end(error).await;
                    }
                }
                Err(error) if error.is_outage() => {
                    is_away = true;
                    self.mark(MarkKind::EngineAway);
                    tokio::time::sleep(AGAIN).await;
                }
                Err(error) => return self.end(error).await,
            }
        }
    }

    async fn end(&self, mut error: Error) {
        // One that is being removed has no log any more, and is still there for a moment. Source: moby,
        // `daemon/logs.go`: "can not get logs from container which is dead or marked for removal".
        let mut left = 20;
        while left > 0 && matches!(error, Error::Conflict(_) | Error::Engine { .. }) {
            left -= 1;
            tokio::time::sleep(AGAIN / 2).await;
            match self.inspect().await {
                Err(gone @ Error::NotFound(_)) => error = gone,
                Ok(run) if run.is_running => break,
                _ => {}
            }
        }
        self.attach.send_replace(true);
        self.mark(match error {
            Error::NotFound(_) => MarkKind::Removed,
            error => MarkKind::Failed(error),
        });
        // Who comes now finds it so, too, and who is here reads that first.
        tokio::time::sleep(AGAIN).await;
    }

    /// Waits until the container runs again.
    async fn rest(&self, before: Option<&Run>, was_running: bool) -> Result<(), Error> {
        let mut watch = self.engine.live.watch();
        let mut has_told = !was_running;
        loop {
            match self.inspect().await {
                Ok(run) if before.is_none_or(|before| before.started != run.started) => return Ok(()),
                // It ended by itself, while the container runs on: an engine that went and left its containers.
                Ok(run) if run.is_running => {
                    tokio::time::sleep(AGAIN).await;
                    return Ok(());
                }
                Ok(run) => {
                    if !std::mem::replace(&mut has_told, true) {
                        self.mark(MarkKind::Stopped(Some(run.exit_code)));
                    }
                }
                Err(error) if error.is_outage() => return Ok(()),
                Err(error) => return Err(error),
            }
            let known = watch.borrow_and_update().containers.get(self.id).cloned();
            // Nothing of it has changed: so many pictures are of others.
            loop {
                if watch.changed().await.is_err() {
                    return Ok(());
                }
                let picture = watch.borrow_and_update();
                let now = picture.containers.get(self.id);
                let is_same = match (&known, now) {
                    (Some(known), Some(now)) => Arc::ptr_eq(known, now),
                    (None, None) => true,
                    _ => false,
                };
                if !is_same || !picture.link.is_live() {
                    break;
                }
            }
        }
    }

    async fn read(&mut self, mut reading: Reading, has_begun: &mut bool) -> Result<(), Error> {
        // The first answer of the engine is the beginning of its log: it is positioned then.
        self.attach.send_replace(true);
        *has_begun = true;
        let mut shown: Vec<Line> = Vec::new();
        loop {
            let next = if let Ok(next) = tokio::time::timeout(UNENDED, reading.next()).await {
                next?
            } else {
                let open: Vec<Line> = reading.open_lines().collect();
                if open != shown {
                    self.send(open.clone());
                    shown = open;
                }
                // Woken by what comes, not by a clock, where there is nothing to show meanwhile.
                reading.next().await?
            };
            let Some(lines) = next else { return Ok(()) };
            self.send(lines);
        }
    }

    fn send(&mut self, lines: Vec<Line>) {
        let mut batch = Vec::new();
        let mut bytes = 0;
        for line in lines {
            let (at, sum) = (line.at, line.sum());
            if !line.is_open {
                if self.recent.knows(at, sum) {
                    continue;
                }
                self.recent.push(at, sum);
            }
            bytes += line.text.len();
            batch.push((at, sum, line));
            if batch.len() >= LINES || bytes >= BYTES {
                self.flush(&mut batch);
                bytes = 0;
            }
        }
        self.flush(&mut batch);
    }

    fn flush(&mut self, batch: &mut Vec<(i64, u32, Line)>) {
        if batch.is_empty() {
            return;
        }
        let lines = std::mem::take(batch);
        let first = self.count;
        self.count += lines.iter().filter(|(.., line)| !line.is_open).map(|_| 1).sum::<u64>();
        let _ = self.sender.send(Item::Batch(Arc::new(Batch { first, lines })));
    }
}

/// One container of those that somebody follows.
struct Source {
    id: ContainerId,
    index: u16,
    receiver: broadcast::Receiver<Item>,
    /// How many lines have come, by the feed's count; none before the first.
    count: Option<u64>,
    recent: Recent,
    places: Places,
    is_over: bool,
}

/// What somebody follows.
pub struct Follow {
    filter: Filter,
    sources: Vec<Source>,
    /// What came before the feeds did.
    first: VecDeque<News>,
    taken: Vec<(usize, Item)>,
    sent: Instant,
}

impl Logs<'_> {
    /// What comes to these logs, behind a line, or from now on. Nothing is missed between that line and what comes, and
    /// nothing comes twice.
    pub async fn follow(&self, ids: &[ContainerId], after: Option<Cursor>, filter: Filter) -> Result<Follow, Error> {
        for id in ids {
            self.0.reaches_container(id)?;
        }
        let begun = ids.iter().zip(0_u16..).map(|(id, index)| async move {
            let (receiver, mut attached) = self.0.feeds.subscribe(self.0, id);
            let _ = tokio::time::timeout(PATIENCE, attached.wait_for(|attached| *attached)).await;
            let mut source = Source {
                id: id.clone(),
                index,
                receiver,
                count: None,
                recent: Recent::default(),
                places: Places::new(index),
                is_over: false,
            };
            let missed = self.missed(id, index, after).await;
            source.recent.know(&missed);
            (source, missed)
        });
        let (mut sources, mut found, mut first) = (Vec::new(), Vec::new(), VecDeque::new());
        for (source, missed) in join_all(begun).await {
            if missed.is_behind {
                first.push_back(News::Skipped(source.index, 0));
            }
            sources.push(source);
            found.push(missed.lines.into_iter().skip(missed.known).collect());
        }
        let (mut lines, mut bytes) = (Vec::new(), 0);
        for line in merged(found).into_iter().filter(|found: &Found| filter.takes_text(&found.line)) {
            bytes += line.line.text.len();
            lines.push(line);
            if lines.len() >= AT_ONCE || bytes >= BYTES_AT_ONCE {
                first.push_back(News::Lines(std::mem::take(&mut lines)));
                bytes = 0;
            }
        }
        first.push_back(News::Lines(lines));
        let sent = Instant::now().checked_sub(PACE).unwrap_or_else(Instant::now);
        Ok(Follow { filter, sources, first, taken: Vec::new(), sent })
    }

    /// The end of a log: what of it stands behind a line has been missed. Only the end is read, however long the log
    /// is and however fast it grows: who was away for longer goes on with the newest.
    async fn missed(&self, id: &ContainerId, index: u16, after: Option<Cursor>) -> Missed {
        let log = Log::new(self.0, id, index);
        let mut missed = Missed::default();
        for count in [NEAR, FAR] {
            // Why it cannot be read is told by the feed.
            let Ok(Slice { lines, has_more }) = log.back(Point::End, count, &Filter::default()).await else {
                return missed;
            };
            let known = match after {
                None => Some(lines.len()),
                Some(after) => known(&lines, beside(after, index), !has_more),
            };
            let newest = lines.len().saturating_sub(NEAR);
            missed = Missed { lines, known: known.unwrap_or(newest), is_behind: known.is_none() };
            if known.is_some() {
                break;
            }
        }
        missed
    }
}

/// The end of a log, for who comes to it.
#[derive(Default)]
struct Missed {
    lines: VecDeque<Found>,
    /// How many of them are known.
    known: usize,
    /// Whether there are more before them that are not.
    is_behind: bool,
}

/// How many of these lines, the last of a log, do not stand behind a place; none where it may be before them.
fn known(lines: &VecDeque<Found>, point: Point, is_all: bool) -> Option<usize> {
    let at = match point {
        Point::Line(place) => {
            let is_it = |found: &Found| {
                (found.cursor.at, found.cursor.sum, found.cursor.ordinal) == (place.at, place.sum, place.ordinal)
            };
            if let Some(at) = lines.iter().rposition(is_it) {
                return Some(at + 1);
            }
            place.at.saturating_add(1)
        }
        Point::Time(at) => at,
        Point::End => return Some(lines.len()),
    };
    let before = lines.iter().position(|found| found.cursor.at >= at).unwrap_or(lines.len());
    (before > 0 || is_all).then_some(before)
}

impl Follow {
    /// What has come since it was asked the last time; none where nothing will come any more. May be dropped and asked
    /// anew: nothing is lost.
    pub async fn next(&mut self) -> Option<Vec<News>> {
        if let Some(first) = self.first.pop_front() {
            return Some(vec![first]);
        }
        while self.taken.is_empty() {
            let waiting = self.sources.iter_mut().enumerate().filter(|(_, source)| !source.is_over);
            let waiting: Vec<_> =
                waiting.map(|(at, source)| Box::pin(async move { (at, source.receiver.recv().await) })).collect();
            if waiting.is_empty() {
                return None;
            }
            let ((at, received), ..) = select_all(waiting).await;
            self.take(at, received);
        }
        tokio::time::sleep_until(self.sent + PACE).await;
        self.sent = Instant::now();
        Some(self.drain())
    }

    fn take(&mut self, at: usize, received: Result<Item, broadcast::error::RecvError>) {
        match received {
            Ok(item) => self.taken.push((at, item)),
            // How many lines that were is told by the next batch.
            Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => {
                if let Some(source) = self.sources.get_mut(at) {
                    source.is_over = true;
                }
            }
        }
    }

    fn drain(&mut self) -> Vec<News> {
        let mut items: Vec<VecDeque<Item>> = self.sources.iter().map(|_| VecDeque::new()).collect();
        let (mut lines, mut bytes) = (0, 0);
        for (at, item) in std::mem::take(&mut self.taken) {
            measure(&item, &mut lines, &mut bytes);
            if let Some(items) = items.get_mut(at) {
                items.push_back(item);
            }
        }
        // One batch of each in turn.
        let mut is_more = true;
        while is_more && lines < AT_ONCE && bytes < BYTES_AT_ONCE {
            is_more = false;
            for (source, items) in self.sources.iter_mut().zip(&mut items) {
                match source.receiver.try_recv() {
                    Ok(item) => {
                        measure(&item, &mut lines, &mut bytes);
                        items.push_back(item);
                        is_more = true;
                    }
                    Err(broadcast::error::TryRecvError::Lagged(_)) => is_more = true,
                    Err(_) => {}
                }
            }
        }
        let (mut news, mut found) = (Vec::new(), Vec::new());
        for (source, items) in self.sources.iter_mut().zip(items) {
            let mut lines = VecDeque::new();
            for item in items {
                source.news(item, &self.filter, &mut lines, &mut news);
            }
            found.push(lines);
        }
        let lines = merged(found);
        if !lines.is_empty() {
            let skipped = news.iter().take_while(|news| matches!(news, News::Skipped(..))).count();
            news.insert(skipped, News::Lines(lines));
        }
        news
    }

    /// Whose logs they are, in their order.
    pub fn ids(&self) -> impl Iterator<Item = &ContainerId> {
        self.sources.iter().map(|source| &source.id)
    }
}

fn measure(item: &Item, lines: &mut usize, bytes: &mut usize) {
    if let Item::Batch(batch) = item {
        *lines += batch.lines.len();
        *bytes += batch.lines.iter().map(|(.., line)| line.text.len()).sum::<usize>();
    }
}

impl Source {
    fn news(&mut self, item: Item, filter: &Filter, lines: &mut VecDeque<Found>, news: &mut Vec<News>) {
        let batch = match item {
            Item::Mark(kind, at) => {
                // What came before it is shown before it.
                if !lines.is_empty() {
                    news.push(News::Lines(std::mem::take(lines).into()));
                }
                news.push(News::Mark(Mark { kind, source: self.index, at }));
                return;
            }
            Item::Batch(batch) => batch,
        };
        if let Some(count) = self.count
            && batch.first > count
        {
            news.push(News::Skipped(self.index, batch.first - count));
        }
        self.count = Some(batch.first + batch.lines.iter().filter(|(.., line)| !line.is_open).map(|_| 1).sum::<u64>());
        for (at, sum, line) in &batch.lines {
            let cursor = self.places.of(line);
            if !self.recent.knows(*at, *sum) && filter.takes_text(line) {
                lines.push_back(Found { cursor, line: line.clone() });
            }
        }
    }
}

/// A log is followed for all who watch it, whatever each of them may see; who may not is refused before.
impl Engine {
    fn whole_hand(&self) -> Self {
        self.within(Arc::new(crate::engine::Reach::everything()))
    }
}
