//! The end of a log outlives its container: when one ends, its last lines are put aside, and shown when it is removed.
//!
//! They are taken when the engine says that the container is asked to end, or has ended, at once: one that is removed
//! by itself (`--rm`) is gone a moment later. A few at a time; what is put aside is compressed, and bounded in all.
//! What others remove by force while it runs (`docker rm -f`) is beyond reach: the engine refuses its log before it says
//! a word. Source: moby, `daemon/logs.go`: "can not get logs from container which is dead or marked for removal".

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use bytes::{Buf as _, Bytes};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{Semaphore, broadcast},
    time::Instant,
};

use super::{
    Logs,
    line::{Found, Line, Out, Places},
    reading::{Ask, Reading},
};
use crate::engine::{ContainerId, Engine, Error, Event, private};

/// Logs that are put aside at once: a stack that is taken down ends in one moment.
const AT_ONCE: usize = 24;
/// How long one may take after its container has ended.
const LIMIT: Duration = Duration::from_secs(20);
/// How long a container that was asked to end is waited for.
const ENDING: Duration = Duration::from_mins(2);
/// Text of one log that is kept, in bytes.
const TEXT: usize = 8 << 20;
/// All that is kept, compressed, in bytes.
const ALL: u64 = 256 << 20;
/// How long a container has to run before its log is put aside once more.
const AGAIN: Duration = Duration::from_secs(5);
/// How often it is looked whether something is too old.
const SWEEP: Duration = Duration::from_mins(5);

/// What is kept, and for how long.
#[derive(Debug, Clone)]
pub struct Keep {
    /// Where.
    pub folder: PathBuf,
    /// Lines of each log; none keeps nothing.
    pub lines: u64,
    /// How long after the container was removed.
    pub time: SignedDuration,
}

/// A log that outlived its container.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeptLog {
    /// Whose it was.
    #[serde(with = "crate::engine::ids::text")]
    pub id: ContainerId,
    /// Its name.
    pub name: String,
    /// The image that it was made from.
    pub image: String,
    /// Its labels: they say who may read it.
    pub labels: BTreeMap<String, String>,
    /// Whether it had a terminal.
    pub is_terminal: bool,
    /// When it was removed; none as long as it is there.
    pub removed: Option<Timestamp>,
    /// How many lines are kept.
    pub lines: usize,
}

/// Everything that is kept.
#[derive(Debug, Default)]
pub(in crate::engine) struct Shelf {
    keep: OnceLock<Keep>,
    logs: Mutex<HashMap<ContainerId, (KeptLog, u64)>>,
    /// When each was begun to be put aside the last time.
    begun: Mutex<HashMap<ContainerId, Instant>>,
}

impl Shelf {
    fn logs(&self) -> std::sync::MutexGuard<'_, HashMap<ContainerId, (KeptLog, u64)>> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn files(keep: &Keep, id: &ContainerId) -> (PathBuf, PathBuf) {
        (keep.folder.join(format!("{id}.json")), keep.folder.join(format!("{id}.gz")))
    }

    /// Reads what an earlier run has kept. What cannot be read is left alone.
    fn open(&self, keep: Keep) -> io::Result<()> {
        fs::create_dir_all(&keep.folder)?;
        set_private(&keep.folder)?;
        for path in private::records(&keep.folder)? {
            let Some(log) = fs::read(&path).ok().and_then(|text| serde_json::from_slice::<KeptLog>(&text).ok()) else {
                continue;
            };
            if let Ok(file) = fs::metadata(Self::files(&keep, &log.id).1) {
                self.logs().insert(log.id.clone(), (log, file.len()));
            }
        }
        let _ = self.keep.set(keep);
        Ok(())
    }

    fn put(&self, keep: &Keep, log: KeptLog, lines: &VecDeque<Line>) -> io::Result<()> {
        let (head, body) = Self::files(keep, &log.id);
        let mut out = GzEncoder::new(Vec::new(), Compression::fast());
        for line in lines {
            let flags = if line.out == Out::Stderr { STDERR } else { 0 } | if line.lacks > 0 { LACKS } else { 0 };
            out.write_all(&[flags])?;
            out.write_all(&line.at.to_be_bytes())?;
            out.write_all(&u32::try_from(line.text.len()).unwrap_or_default().to_be_bytes())?;
            out.write_all(&line.text)?;
            if line.lacks > 0 {
                out.write_all(&line.lacks.to_be_bytes())?;
            }
        }
        let packed = out.finish()?;
        private::write(&body, &packed)?;
        private::write(&head, &serde_json::to_vec(&log)?)?;
        self.logs().insert(log.id.clone(), (log, u64::try_from(packed.len()).unwrap_or_default()));
        self.tidy(keep);
        Ok(())
    }

    /// Its container is gone: from now on it is shown, and its time runs.
    fn removed(&self, keep: &Keep, id: &ContainerId, at: Timestamp) {
        let Some((log, size)) = self.logs().get(id).cloned() else { return };
        if log.removed.is_some() {
            return;
        }
        let log = KeptLog { removed: Some(at), ..log };
        if let Ok(text) = serde_json::to_vec(&log)
            && let Err(error) = private::write(&Self::files(keep, id).0, &text)
        {
            tracing::warn!(error = error.to_string(), "a kept log could not be written");
        }
        self.logs().insert(id.clone(), (log, size));
    }

    fn drop(&self, keep: &Keep, id: &ContainerId) {
        self.logs().remove(id);
        let (head, body) = Self::files(keep, id);
        let _ = fs::remove_file(head);
        let _ = fs::remove_file(body);
    }

    /// Lets go of what is too old, and of the oldest where it is too much: of those first whose containers are there.
    fn tidy(&self, keep: &Keep) {
        let now = Timestamp::now();
        let mut all: Vec<(ContainerId, Option<Timestamp>, u64)> =
            self.logs().values().map(|(log, size)| (log.id.clone(), log.removed, *size)).collect();
        all.sort_by_key(|(_, removed, _)| *removed);
        let mut sum: u64 = all.iter().map(|(.., size)| size).sum();
        for (id, removed, size) in all {
            let is_old = removed.is_some_and(|at| now.duration_since(at) > keep.time);
            if is_old || sum > ALL {
                sum -= size;
                self.drop(keep, &id);
            }
        }
    }

    fn read(&self, id: &ContainerId) -> io::Result<Vec<Line>> {
        let Some(keep) = self.keep.get() else { return Ok(Vec::new()) };
        let most = u64::try_from(TEXT * 2).unwrap_or(u64::MAX);
        let mut bytes = Vec::new();
        GzDecoder::new(fs::File::open(Self::files(keep, id).1)?).take(most).read_to_end(&mut bytes)?;
        Ok(unpack(bytes.into()))
    }
}

/// What a file says of a line: that it was written to the standard error, that it says behind its text how much of it
/// was not kept.
const STDERR: u8 = 1;
const LACKS: u8 = 4;

/// The lines of a file. What is damaged ends it.
fn unpack(mut bytes: Bytes) -> Vec<Line> {
    const HEAD: usize = 13;
    let mut lines = Vec::new();
    while let Some((&[flags, a, b, c, d, e, f, g, h, l1, l2, l3, l4], _)) = bytes.split_first_chunk::<HEAD>() {
        let len = usize::try_from(u32::from_be_bytes([l1, l2, l3, l4])).unwrap_or(usize::MAX);
        if bytes.len() - HEAD < len {
            break;
        }
        let _ = bytes.split_to(HEAD);
        let text = bytes.split_to(len);
        let out = if flags & STDERR == 0 { Out::Stdout } else { Out::Stderr };
        let at = i64::from_be_bytes([a, b, c, d, e, f, g, h]);
        let lacks = if flags & LACKS == 0 { Ok(0) } else { bytes.try_get_u64() };
        let Ok(lacks) = lacks else { break };
        lines.push(Line { at, out, text, lacks, is_rest: false, goes_on: false, is_open: false });
    }
    lines
}

fn set_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

impl Engine {
    /// From now on the ends of logs are kept. Answers at once.
    pub fn keep_logs(&self, keep: Keep) -> io::Result<()> {
        if keep.lines == 0 {
            return Ok(());
        }
        self.shelf.open(keep.clone())?;
        let engine = self.clone();
        let heard = self.live.hear();
        tokio::spawn(async move { engine.keep_ends(&keep, heard).await });
        Ok(())
    }

    async fn keep_ends(&self, keep: &Keep, mut heard: broadcast::Receiver<Arc<Event>>) {
        let room = Arc::new(Semaphore::new(AT_ONCE));
        let mut sweep = tokio::time::interval(SWEEP);
        sweep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let event = tokio::select! {
                event = heard.recv() => event,
                _ = sweep.tick() => {
                    self.sweep(keep);
                    continue;
                }
            };
            let event = match event {
                Ok(event) => event,
                // A storm of events: what was removed meanwhile is found by the sweep.
                Err(broadcast::error::RecvError::Lagged(_)) => continue,
                Err(broadcast::error::RecvError::Closed) => return,
            };
            let (Some(id), "container") = (event.id.parse::<ContainerId>().ok(), event.kind.as_str()) else { continue };
            let is_ending = event.action == "kill" && matches!(event.number("signal"), Some(2 | 3 | 9 | 15));
            match event.action.as_str() {
                "kill" if is_ending => self.put_aside_soon(keep, &room, id, true),
                "die" => self.put_aside_soon(keep, &room, id, false),
                "destroy" => self.shelf.removed(keep, &id, event.at),
                _ => {}
            }
        }
    }

    /// What ended unseen, and what is too old.
    fn sweep(&self, keep: &Keep) {
        let picture = self.live.picture();
        if picture.link.is_live() && picture.info.is_some() {
            let there: Vec<ContainerId> = self
                .shelf
                .logs()
                .values()
                .filter(|(log, _)| log.removed.is_none())
                .map(|(log, _)| log.id.clone())
                .collect();
            for id in there.iter().filter(|id| !picture.containers.contains_key(*id)) {
                self.shelf.removed(keep, id, picture.now());
            }
        }
        self.shelf.tidy(keep);
        let mut begun = self.shelf.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.retain(|_, at| at.elapsed() < ENDING * 2);
    }

    fn put_aside_soon(&self, keep: &Keep, room: &Arc<Semaphore>, id: ContainerId, is_asked: bool) {
        {
            let mut begun = self.shelf.begun.lock().unwrap_or_else(PoisonError::into_inner);
            // One that was asked to end is read to its end already; one that ends all the time is not read each time.
            let is_soon = begun.get(&id).is_some_and(|at| at.elapsed() < AGAIN);
            if is_soon {
                return;
            }
            begun.insert(id.clone(), Instant::now());
        }
        let Ok(permit) = room.clone().try_acquire_owned() else {
            tracing::debug!(container = id.short(), "too many containers end at once to keep the end of each log");
            return;
        };
        let (engine, keep) = (self.within(Arc::new(crate::engine::Reach::everything())), keep.clone());
        tokio::spawn(async move {
            let limit = if is_asked { ENDING } else { LIMIT };
            match tokio::time::timeout(limit, engine.put_aside(&keep, &id, is_asked)).await {
                Ok(Err(error)) => {
                    tracing::debug!(container = id.short(), error = error.to_string(), "its log is not kept");
                }
                Ok(Ok(())) => {}
                Err(_) => tracing::debug!(container = id.short(), "its log is not kept: it took too long"),
            }
            drop(permit);
        });
    }

    /// Reads the end of a log and writes it down.
    async fn put_aside(&self, keep: &Keep, id: &ContainerId, follow: bool) -> Result<(), Error> {
        // What is known of it now: in a moment it may be gone.
        let container = self.live.picture().containers.get(id).cloned();
        let (mut reading, is_terminal) = Reading::open_as(self, id, Ask { follow, ..Ask::tail(keep.lines) }).await?;
        let mut lines: VecDeque<Line> = VecDeque::new();
        let mut size = 0;
        // Only as it was followed: an engine that removes a container cuts its log off.
        while let Some(more) = reading.next().await.unwrap_or_default() {
            for line in more {
                size += line.text.len();
                lines.push_back(line.alone());
                while lines.len() as u64 > keep.lines || size > TEXT {
                    size -= lines.pop_front().map_or(0, |line| line.text.len());
                }
            }
        }
        let Some(container) = container.or_else(|| self.live.picture().containers.get(id).cloned()) else {
            return Ok(());
        };
        if lines.is_empty() {
            return Ok(());
        }
        let log = KeptLog {
            id: id.clone(),
            name: container.name.clone(),
            image: container.image.clone(),
            labels: container.labels.clone(),
            is_terminal,
            removed: None,
            lines: lines.len(),
        };
        let (shelf, keep, id) = (self.shelf.clone(), keep.clone(), id.clone());
        let live = self.live.clone();
        let written = tokio::task::spawn_blocking(move || {
            shelf.put(&keep, log, &lines)?;
            // It may have been removed while it was read.
            let picture = live.picture();
            if picture.link.is_live() && !picture.containers.contains_key(&id) {
                shelf.removed(&keep, &id, picture.now());
            }
            Ok::<_, io::Error>(())
        });
        match written.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(error = error.to_string(), "the end of a log could not be kept"),
            Err(error) => tracing::error!(error = error.to_string(), "the end of a log could not be kept"),
        }
        Ok(())
    }

    /// Puts the end of a log aside before its container is removed from here. Whatever comes of it, that goes on.
    pub(in crate::engine) async fn keep_end(&self, id: &ContainerId) {
        let Some(keep) = self.shelf.keep.get() else { return };
        let engine = self.within(Arc::new(crate::engine::Reach::everything()));
        let _ = tokio::time::timeout(LIMIT / 4, engine.put_aside(keep, id, false)).await;
    }
}

impl Logs<'_> {
    /// Logs of containers that were removed, as far as this reach goes, the last ones first.
    pub fn kept(&self) -> Vec<KeptLog> {
        let there = self.0.live.picture();
        let logs = self.0.shelf.logs();
        let gone = logs
            .values()
            .map(|(log, _)| log)
            .filter(|log| log.removed.is_some() && !there.containers.contains_key(&log.id));
        let mut found: Vec<KeptLog> = gone.filter(|log| self.0.reach.takes(&log.labels)).cloned().collect();
        found.sort_by_key(|log| std::cmp::Reverse(log.removed));
        found
    }

    /// The log of one that was removed.
    pub fn kept_of(&self, id: &ContainerId) -> Option<KeptLog> {
        if self.0.live.picture().containers.contains_key(id) {
            return None;
        }
        let log = self.0.shelf.logs().get(id).map(|(log, _)| log.clone())?;
        (log.removed.is_some() && self.0.reach.takes(&log.labels)).then_some(log)
    }

    /// How long logs are kept; none where they are not.
    pub fn kept_for(&self) -> Option<SignedDuration> {
        self.0.shelf.keep.get().map(|keep| keep.time)
    }

    /// All lines of one that was removed: there are not many.
    pub(super) async fn kept_lines(&self, log: &KeptLog, source: u16) -> Result<VecDeque<Found>, Error> {
        let (shelf, id) = (self.0.shelf.clone(), log.id.clone());
        let read = tokio::task::spawn_blocking(move || shelf.read(&id)).await;
        let failed =
            |error: String| Error::Engine { status: 500, message: format!("the kept log cannot be read: {error}") };
        let lines = read.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))?;
        let mut places = Places::new(source);
        Ok(lines.into_iter().map(|line| Found { cursor: places.of(&line), line }).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(at: i64, text: &'static str) -> Line {
        Line {
            at,
            out: Out::Stderr,
            text: Bytes::from_static(text.as_bytes()),
            lacks: 7,
            is_rest: false,
            goes_on: false,
            is_open: false,
        }
    }

    fn log(id: &str, removed: Option<Timestamp>) -> KeptLog {
        KeptLog {
            id: id.repeat(32).parse().unwrap(),
            name: "web".into(),
            image: "busybox".into(),
            labels: BTreeMap::from([("team".to_owned(), "red".to_owned())]),
            is_terminal: false,
            removed,
            lines: 2,
        }
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let keep = Keep { folder: folder.path().join("logs"), lines: 10, time: SignedDuration::from_hours(24) };
        let shelf = Shelf::default();
        shelf.open(keep.clone()).unwrap();
        let lines = VecDeque::from([line(1, "a"), line(2, "b\u{1b}[31m")]);
        shelf.put(&keep, log("0a", None), &lines).unwrap();
        shelf.put(&keep, log("0b", Some(Timestamp::now() - SignedDuration::from_hours(25))), &lines).unwrap();
        let id = log("0a", None).id;
        shelf.removed(&keep, &id, Timestamp::now());
        // As the next run finds it; what is too old is gone.
        let shelf = Shelf::default();
        shelf.open(keep.clone()).unwrap();
        assert!(shelf.logs().keys().eq([&id]));
        assert_eq!(shelf.read(&id).unwrap(), Vec::from(lines));
        assert!(shelf.logs().values().all(|(log, _)| log.removed.is_some() && log.labels.contains_key("team")));
        // Nor is what is damaged read further than it goes.
        assert_eq!(unpack(Bytes::from_static(&[0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, b'x', 0, 0])).len(), 1);
        shelf.drop(&keep, &id);
        assert!(shelf.logs().is_empty() && shelf.read(&id).is_err());
    }
}
