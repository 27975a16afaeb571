//! What containers use: one sampler for everybody, and a history in a fixed room (S064).
//!
//! # What it costs the engine
//! Every answer is a one-shot reading of one container, a few milliseconds of the engine's time, and all who look share
//! it. Looked at on its own page, a container is read every two seconds, 50 of them at the most; as a row of a list every
//! five seconds, 200 at the most, four at a time; however many look. While nobody does, each running container is read
//! once a minute, one after the other and spread over that minute: a thousand containers are 17 calls a second. A
//! difference between two readings of a counter is the exact average in between, so that seldom readings tell less of
//! moments and nothing less of sums. Without a history nothing is read while nobody looks.
//!
//! # What it costs here
//! The last quarter of an hour is in memory: 36 bytes a point, 450 points a container at most, 1.5 kB while nobody looks.
//! A day and a month are on the disk: 79 kB a container, 1,000 containers at most, written once a minute.

mod files;
mod points;
mod reading;

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use tokio::sync::watch;

pub(super) use self::reading::Stats;
use self::{
    files::Files,
    points::{Ring, Sum},
    reading::Counters,
};
pub use self::{
    points::{Measure, Point, Range},
    reading::Figures,
};
use super::{ContainerId, Engine, Error};

/// How often the sampler looks what is due.
const TICK: Duration = Duration::from_secs(1);
/// How often a container is read whose page somebody looks at, in ticks.
const FAST: u64 = 2;
/// How often one that is a row of a list, in ticks.
const SLOW: u64 = 5;
/// How long a page without a live connection counts as looking.
const LOOK: Duration = Duration::from_secs(20);
/// How old a reading may be that a page takes for now.
const NOW: Duration = Duration::from_secs(2);
/// How long a page waits for its first reading.
const PATIENCE: Duration = Duration::from_secs(2);
/// Containers asked at the same time.
const AT_ONCE: usize = 4;
/// Containers that are read fast at most.
const MOST_FAST: usize = 50;
/// Containers asked in one round at most.
const ASKED: usize = 200;
/// How many are shown of those that use most.
const SHOWN: usize = 8;
/// The time in which each running container is read once while nobody looks.
const MINUTE: Duration = Duration::from_mins(1);
/// Minutes of one container that wait to be written, at most.
const WAITING: usize = 60;

/// What a container uses now, among those that use most.
#[derive(Debug, Clone, PartialEq)]
pub struct Usage {
    /// Whose it is.
    pub id: ContainerId,
    /// Memory in bytes, without the page cache that the kernel can take back: as `docker stats` shows it.
    pub memory: u64,
    /// Memory that it may use, in bytes.
    pub limit: u64,
    /// Per cent of one CPU; none until there are two samples.
    pub cpu_percent: Option<f64>,
}

/// What is known of one container.
#[derive(Debug, Default)]
struct Track {
    counters: Option<Counters>,
    /// When it was read last.
    read: Option<Instant>,
    /// None of a container that does not run, or that the engine did not answer for.
    figures: Option<Arc<Figures>>,
    recent: Ring,
    /// The minute that goes on.
    minute: Option<Sum>,
    /// Minutes that are not on the disk.
    waiting: VecDeque<Point>,
}

impl Track {
    fn take(&mut self, counters: Option<Counters>, now: i64) {
        self.read = Some(Instant::now());
        let Some(counters) = counters else {
            self.end(now);
            return;
        };
        let figures = counters.since(self.counters.as_ref());
        let point = Point::of(now, &figures);
        self.counters = Some(counters);
        self.figures = Some(Arc::new(figures));
        self.recent.push(point);
        let minute = now.div_euclid(60) * 60;
        match &mut self.minute {
            Some(sum) if sum.at == minute => sum.add(&point),
            other => {
                let mut sum = Sum::new(minute);
                sum.add(&point);
                let ended = other.replace(sum);
                self.wait(ended.map(|sum| sum.point()));
            }
        }
    }

    /// It does not run any more, or nothing is known of it: its lines end here.
    fn end(&mut self, now: i64) {
        self.figures = None;
        self.counters = None;
        if !self.recent.is_broken() {
            self.recent.push(Point::gap(now));
        }
    }

    fn wait(&mut self, minute: Option<Point>) {
        self.waiting.extend(minute);
        while self.waiting.len() > WAITING {
            self.waiting.pop_front();
        }
    }

    /// The minutes that are not on the disk, the one that goes on among them.
    fn unwritten(&self) -> impl Iterator<Item = Point> {
        self.waiting.iter().copied().chain(self.minute.map(|sum| sum.point()))
    }
}

/// Who looks at what.
#[derive(Debug, Default)]
struct Watched {
    /// At pages of single containers, and until when pages count that have no live connection.
    fast: HashMap<ContainerId, (usize, Option<Instant>)>,
    /// At rows of lists.
    rows: HashMap<ContainerId, usize>,
    /// At all of them.
    all: usize,
    /// At who uses most.
    most: usize,
    /// When a page without a live connection last showed all of them.
    looked: Option<Instant>,
}

impl Watched {
    fn is_looked_at(&self) -> bool {
        self.looked.is_some_and(|at| at.elapsed() < LOOK)
    }

    fn is_idle(&mut self) -> bool {
        self.fast.retain(|_, (count, until)| *count > 0 || until.is_some_and(|until| until > Instant::now()));
        self.fast.is_empty() && self.rows.is_empty() && self.all == 0 && self.most == 0 && !self.is_looked_at()
    }
}

/// The one sampler.
#[derive(Debug)]
pub(super) struct Sampler {
    watched: Mutex<Watched>,
    running: AtomicBool,
    tracks: Mutex<HashMap<ContainerId, Track>>,
    beats: watch::Sender<u64>,
    /// Held by whoever reads what a page waits for.
    one: tokio::sync::Mutex<()>,
    files: OnceLock<Files>,
}

impl Default for Sampler {
    fn default() -> Self {
        Self {
            watched: Mutex::default(),
            running: AtomicBool::default(),
            tracks: Mutex::default(),
            beats: watch::Sender::new(0),
            one: tokio::sync::Mutex::default(),
            files: OnceLock::new(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sampler {
    /// Writes what waits to be. For a thread that may wait for the disk.
    fn save(&self) {
        let Some(files) = self.files.get() else { return };
        let batch: Vec<(ContainerId, Vec<Point>)> = lock(&self.tracks)
            .iter()
            .map(|(id, track)| (id.clone(), track.unwritten().filter(|point| !point.is_gap()).collect()))
            .filter(|(_, minutes): &(_, Vec<Point>)| !minutes.is_empty())
            .collect();
        if batch.is_empty() || !files.write(&batch) {
            return;
        }
        let mut tracks = lock(&self.tracks);
        for (id, minutes) in batch {
            if let Some(track) = tracks.get_mut(&id) {
                let newest = minutes.last().map_or(0, |point| point.at);
                let now = Timestamp::now().as_second();
                track.waiting.retain(|point| point.at > newest);
                // A minute that is over and written is not written again.
                if track.minute.is_some_and(|sum| sum.at <= newest && sum.at < now - 120) {
                    track.minute = None;
                }
            }
        }
    }
}

/// What somebody looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Gaze {
    One(ContainerId),
    Rows(Vec<ContainerId>, bool),
    Most,
}

/// Somebody who looks; stops looking when dropped.
pub struct Watcher {
    engine: Engine,
    gaze: Gaze,
}

impl Watcher {
    fn new(engine: &Engine, gaze: Gaze) -> Self {
        engine.sampler.look(&gaze, true);
        engine.start_to_sample();
        Self { engine: engine.clone(), gaze }
    }

    /// Looks at these rows from now on; at all containers beside, where the list is sorted by what they use.
    pub fn look_at(&mut self, rows: Vec<ContainerId>, all: bool) {
        let gaze = Gaze::Rows(rows, all);
        if gaze != self.gaze {
            self.engine.sampler.look(&gaze, true);
            self.engine.sampler.look(&self.gaze, false);
            self.gaze = gaze;
            self.engine.start_to_sample();
        }
    }

    /// Changes whenever there is something new.
    pub fn beats(&self) -> watch::Receiver<u64> {
        self.engine.sampler.beats.subscribe()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.engine.sampler.look(&self.gaze, false);
    }
}

impl Sampler {
    fn look(&self, gaze: &Gaze, begins: bool) {
        let count = |count: &mut usize| *count = if begins { *count + 1 } else { count.saturating_sub(1) };
        let mut watched = lock(&self.watched);
        match gaze {
            Gaze::One(id) => count(&mut watched.fast.entry(id.clone()).or_default().0),
            Gaze::Most => count(&mut watched.most),
            Gaze::Rows(rows, all) => {
                if *all {
                    count(&mut watched.all);
                }
                rows.iter().for_each(|id| count(watched.rows.entry(id.clone()).or_default()));
                watched.rows.retain(|_, count| *count > 0);
            }
        }
    }
}

impl Engine {
    /// Says that somebody looks at who uses most. The answer comes with the picture.
    pub fn watch_usage(&self) -> Watcher {
        self.look_at_all();
        Watcher::new(self, Gaze::Most)
    }

    /// Says that a page shows what all containers use: they are read for a moment more.
    pub fn look_at_all(&self) {
        lock(&self.sampler.watched).looked = Some(Instant::now());
        self.start_to_sample();
    }

    /// To say which rows of a list somebody looks at.
    pub fn watch_rows(&self) -> Watcher {
        Watcher::new(self, Gaze::Rows(Vec::new(), false))
    }

    /// Says that somebody looks at what this container uses.
    ///
    /// # Errors
    /// [`Error::NotFound`] outside of the scope.
    pub fn watch_stats(&self, id: &ContainerId) -> Result<Watcher, Error> {
        self.reaches_container(id)?;
        Ok(Watcher::new(self, Gaze::One(id.clone())))
    }

    /// What this container uses now, as far as that is known already.
    pub fn figures(&self, id: &ContainerId) -> Option<Arc<Figures>> {
        self.reaches_container(id).ok()?;
        lock(&self.sampler.tracks).get(id)?.figures.clone()
    }

    /// The same of all that is in the scope, for lists.
    pub fn all_figures(&self) -> BTreeMap<ContainerId, Arc<Figures>> {
        let picture = self.live.picture();
        let mut figures = self.every_figure();
        if self.reach.is_scoped() {
            let is_ours = |id: &ContainerId| picture.containers.get(id).is_some_and(|c| self.reach.takes(&c.labels));
            figures.retain(|id, _| is_ours(id));
        }
        figures
    }

    fn every_figure(&self) -> BTreeMap<ContainerId, Arc<Figures>> {
        let tracks = lock(&self.sampler.tracks);
        tracks.iter().filter_map(|(id, track)| Some((id.clone(), track.figures.clone()?))).collect()
    }

    /// What this container uses, read now if that is not known yet; none where it does not run or the engine does not
    /// tell. Many who ask at once cost the engine what one does.
    ///
    /// # Errors
    /// [`Error::NotFound`] outside of the scope.
    pub async fn figures_now(&self, id: &ContainerId) -> Result<Option<Arc<Figures>>, Error> {
        self.reaches_container(id)?;
        {
            let mut watched = lock(&self.sampler.watched);
            watched.fast.entry(id.clone()).or_default().1 = Some(Instant::now() + LOOK / 2);
        }
        let is_known =
            || lock(&self.sampler.tracks).get(id).is_some_and(|track| track.read.is_some_and(|at| at.elapsed() < NOW));
        if !is_known() && self.is_up(id) && self.reachable().is_ok() {
            let _ = tokio::time::timeout(PATIENCE, async {
                let _one = self.sampler.one.lock().await;
                if !is_known() {
                    self.read_use(id).await;
                }
            })
            .await;
        }
        self.start_to_sample();
        Ok(self.figures(id))
    }

    /// What this container used, in points in their order. What is not there was not read: nobody looked, it did not
    /// run, or this console did not.
    ///
    /// # Errors
    /// [`Error::NotFound`] outside of the scope.
    pub async fn usage_of(&self, id: &ContainerId, range: Range) -> Result<Vec<Point>, Error> {
        self.reaches_container(id)?;
        let now = Timestamp::now().as_second();
        let since = now - range.length();
        let (recent, unwritten) = lock(&self.sampler.tracks)
            .get(id)
            .map(|track| (track.recent.points(since), track.unwritten().collect::<Vec<_>>()))
            .unwrap_or_default();
        if range == Range::Recent {
            return Ok(recent);
        }
        let mut points: BTreeMap<i64, Point> =
            self.kept(id, range, now).await.into_iter().map(|point| (point.at, point)).collect();
        let mut newest: BTreeMap<i64, Vec<Point>> = BTreeMap::new();
        for point in unwritten {
            newest.entry(point.at.div_euclid(range.step()) * range.step()).or_default().push(point);
        }
        for (at, of) in newest {
            match range {
                Range::Day => drop(points.insert(at, Point::together(at, of))),
                // What is on the disk knows the hour as of a minute ago.
                _ => drop(points.entry(at).or_insert_with(|| Point::together(at, of))),
            }
        }
        Ok(points.into_values().filter(|point| point.at >= since).collect())
    }

    async fn kept(&self, id: &ContainerId, range: Range, now: i64) -> Vec<Point> {
        let (engine, id) = (self.clone(), id.clone());
        let read = move || engine.sampler.files.get().map(|files| files.read(&id, range, now));
        tokio::task::spawn_blocking(read).await.ok().flatten().unwrap_or_default()
    }

    /// Whether use is read and kept while nobody looks.
    pub fn keeps_history(&self) -> bool {
        self.sampler.files.get().is_some()
    }

    /// Keeps a history of what containers use in this folder, from now on: each is read once a minute, whoever looks.
    pub fn keep_history(&self, folder: PathBuf) {
        if self.sampler.files.set(Files::new(folder)).is_ok() {
            let engine = self.clone();
            tokio::spawn(async move { engine.read_minutes().await });
        }
    }

    /// Writes what is not written of the history, at the end of the program.
    pub(super) fn save_history(&self) {
        self.sampler.save();
    }

    fn is_up(&self, id: &ContainerId) -> bool {
        self.live.picture().containers.get(id).is_some_and(|container| container.state.is_up())
    }

    /// Reads one container's use. What the engine does not answer is a gap.
    async fn read_use(&self, id: &ContainerId) {
        let path = format!("/containers/{id}/stats?stream=false&one-shot=true");
        let stats = self.wire.get::<Stats>(&path).await.ok();
        let is_podman = self.live.picture().is_podman();
        let counters = stats.and_then(|stats| Counters::read(stats, is_podman)).filter(|_| self.is_up(id));
        let now = Timestamp::now().as_second();
        lock(&self.sampler.tracks).entry(id.clone()).or_default().take(counters, now);
    }

    /// Forgets who is gone, and ends the lines of who does not run.
    fn tidy(&self) {
        let picture = self.live.picture();
        if !picture.link.is_live() {
            return;
        }
        let now = Timestamp::now().as_second();
        lock(&self.sampler.tracks).retain(|id, track| {
            let found = picture.containers.get(id);
            if found.is_some_and(|container| !container.state.is_up()) && track.figures.is_some() {
                track.end(now);
            }
            found.is_some()
        });
    }

    // ---- While somebody looks.

    fn start_to_sample(&self) {
        if !self.sampler.running.swap(true, Ordering::AcqRel) {
            let engine = self.clone();
            tokio::spawn(async move { engine.sample().await });
        }
    }

    async fn sample(&self) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut shows_most = false;
        for tick in 0_u64.. {
            ticks.tick().await;
            let (due, most) = {
                let mut watched = lock(&self.sampler.watched);
                if watched.is_idle() {
                    self.sampler.running.store(false, Ordering::Release);
                    break;
                }
                (self.due(&watched, tick), watched.most > 0 || watched.is_looked_at())
            };
            self.tidy();
            if due.is_empty() || !self.live.picture().link.is_live() {
                if tick.is_multiple_of(SLOW) {
                    self.sampler.beats.send_modify(|beat| *beat += 1);
                }
                continue;
            }
            let work = due.into_iter().map(|id| async move { self.read_use(&id).await });
            stream::iter(work).buffer_unordered(AT_ONCE).collect::<()>().await;
            if most && tick.is_multiple_of(SLOW) {
                self.show_most();
            }
            shows_most |= most;
            self.sampler.beats.send_modify(|beat| *beat += 1);
        }
        if shows_most {
            self.live.set_usage(Vec::new());
        }
    }

    /// Who is to be read in this tick: those first that have a page of their own.
    fn due(&self, watched: &Watched, tick: u64) -> Vec<ContainerId> {
        let picture = self.live.picture();
        let is_up = |id: &&ContainerId| picture.containers.get(*id).is_some_and(|found| found.state.is_up());
        let mut due: Vec<ContainerId> = Vec::new();
        if tick.is_multiple_of(FAST) {
            // What a page has had read this moment is not read again: a difference of nothing tells nothing.
            let tracks = lock(&self.sampler.tracks);
            let is_old =
                |id: &&ContainerId| tracks.get(*id).and_then(|track| track.read).is_none_or(|at| at.elapsed() > TICK);
            due.extend(watched.fast.keys().filter(is_up).take(MOST_FAST).filter(is_old).cloned());
        }
        if tick.is_multiple_of(SLOW) {
            let mut seen: HashSet<ContainerId> = due.iter().cloned().collect();
            let slower = watched.fast.keys().skip(MOST_FAST).chain(watched.rows.keys()).filter(is_up);
            due.extend(slower.filter(|id| seen.insert((*id).clone())).take(ASKED).cloned());
            if watched.all > 0 || watched.most > 0 || watched.is_looked_at() {
                // Those first whose reading is oldest: where there are more than are asked at once, each gets its turn.
                let tracks = lock(&self.sampler.tracks);
                let read = |id: &ContainerId| tracks.get(id).and_then(|track| track.read);
                let mut others: Vec<&ContainerId> =
                    picture.containers.keys().filter(is_up).filter(|id| !seen.contains(*id)).collect();
                others.sort_by_key(|id| read(id));
                let room = ASKED.saturating_sub(due.len());
                due.extend(others.into_iter().take(room).cloned());
            }
        }
        due
    }

    fn show_most(&self) {
        let figures = self.every_figure();
        let mut usage: Vec<Usage> = figures
            .into_iter()
            .filter_map(|(id, of)| {
                let (memory, limit) = (of.memory?, of.memory_limit.unwrap_or_default());
                Some(Usage { id, memory, limit, cpu_percent: of.cpu })
            })
            .collect();
        usage.sort_by(|a, b| b.memory.cmp(&a.memory).then_with(|| a.id.cmp(&b.id)));
        usage.truncate(SHOWN);
        self.live.set_usage(usage);
    }

    // ---- While nobody does.

    async fn read_minutes(&self) {
        loop {
            let begun = Instant::now();
            self.tidy();
            let picture = self.live.picture();
            if !picture.link.is_live() {
                tokio::time::sleep(TICK).await;
                continue;
            }
            let up = picture.containers.values().filter(|container| container.state.is_up());
            let due: Vec<ContainerId> = up.map(|container| container.id.clone()).collect();
            let share = MINUTE / u32::try_from(due.len().max(1)).unwrap_or(u32::MAX);
            for (place, id) in (0_u32..).zip(due) {
                let is_read = || {
                    let tracks = lock(&self.sampler.tracks);
                    tracks.get(&id).is_some_and(|track| track.read.is_some_and(|at| at.elapsed() < MINUTE / 2))
                };
                if self.is_up(&id) && !is_read() && self.reachable().is_ok() {
                    self.read_use(&id).await;
                }
                tokio::time::sleep((share * (place + 1)).saturating_sub(begun.elapsed())).await;
            }
            self.write_history().await;
            tokio::time::sleep(MINUTE.saturating_sub(begun.elapsed()).max(TICK)).await;
        }
    }

    async fn write_history(&self) {
        let engine = self.clone();
        let work = move || {
            engine.sampler.save();
            let picture = engine.live.picture();
            if let Some(files) = engine.sampler.files.get()
                && picture.link.is_live()
            {
                files.sweep(&picture.containers.keys().cloned().collect());
            }
        };
        let _ = tokio::task::spawn_blocking(work).await;
    }
}
