//! The history on the disk: a file of a fixed size for each container, so that all of them have a bound.
//!
//! A file is a head and two rings: a day of minutes, and a month of hours. A record stands where its time puts it (the
//! minute of the day, the hour of the month) and carries that time, so that there is nothing else to keep in order: a
//! record of another time, or of nonsense, is a gap. A file that is not ours is written anew. Nothing is ever fatal.

use std::{
    collections::HashSet,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, SystemTime},
};

use super::points::{Point, Range, VALUES};
use crate::engine::{ContainerId, private};

/// What a file begins with, before the container's id.
const MAGIC: &[u8; 16] = b"wheelhouse-use1\n";
/// Its head: that, the id, and nothing.
const HEAD: u64 = 96;
/// A record: its time, in minutes or hours since the epoch, and its values.
const RECORD: usize = 4 + 4 * VALUES;
/// Minutes and hours that a file has room for.
const SLOTS: [(Range, u64); 2] = [(Range::Day, 1_440), (Range::Month, 744)];
/// The size of a file, in bytes: 78,720.
const SIZE: u64 = HEAD + (1_440 + 744) * RECORD as u64;
/// How many containers have one, at most: 79 MB.
pub(super) const MOST: usize = 1_000;
/// How long the file of a container that is gone stays.
const KEPT: Duration = Duration::from_hours(24);

/// The folder of the files.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
    most: usize,
    count: AtomicUsize,
    /// Whether it has been said that they cannot be written.
    said: AtomicBool,
}

impl Files {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, most: MOST, count: AtomicUsize::new(0), said: AtomicBool::new(false) }
    }

    /// Writes these minutes, and the hours that they are part of. Answers whether that went well; that it did not is
    /// said once.
    pub(super) fn write(&self, batch: &[(ContainerId, Vec<Point>)]) -> bool {
        let work = || {
            private::folder(&self.folder)?;
            batch.iter().try_for_each(|(id, minutes)| self.write_one(id, minutes))
        };
        match work() {
            Ok(()) => {
                if self.said.swap(false, Ordering::Relaxed) {
                    tracing::info!("the history of stats is written to the disk again");
                }
                true
            }
            Err(error) => {
                if !self.said.swap(true, Ordering::Relaxed) {
                    let folder = self.folder.display().to_string();
                    let error = error.to_string();
                    tracing::warn!(folder, error, "the history of stats goes on in memory only, for an hour at most");
                }
                false
            }
        }
    }

    fn write_one(&self, id: &ContainerId, minutes: &[Point]) -> io::Result<()> {
        let Some(file) = self.open_to_write(id)? else { return Ok(()) };
        let mut hours = HashSet::new();
        for minute in minutes {
            put(&file, Range::Day, minute)?;
            hours.insert(minute.at.div_euclid(3_600) * 3_600);
        }
        for hour in hours {
            let minutes = (0..60).filter_map(|minute| get(&file, Range::Day, hour + minute * 60));
            put(&file, Range::Month, &Point::together(hour, minutes))?;
        }
        Ok(())
    }

    /// None where there are as many as there may be.
    fn open_to_write(&self, id: &ContainerId) -> io::Result<Option<File>> {
        let path = self.path(id);
        let mut options = OpenOptions::new();
        options.read(true).write(true).mode(0o600).custom_flags(no_follow());
        let found = options.open(&path);
        let file = match found {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if self.count.load(Ordering::Relaxed) >= self.most {
                    return Ok(None);
                }
                let file = options.create(true).open(&path)?;
                self.count.fetch_add(1, Ordering::Relaxed);
                file
            }
            // What stands there is no file of ours.
            Err(_) => {
                fs::remove_file(&path)?;
                options.create(true).open(&path)?
            }
        };
        if !is_ours(&file, id) {
            file.set_len(0)?;
            file.set_len(SIZE)?;
            file.write_all_at(&head(id), 0)?;
        }
        Ok(Some(file))
    }

    /// The points of the last day or month until now, in their order.
    pub(super) fn read(&self, id: &ContainerId, range: Range, now: i64) -> Vec<Point> {
        let file = OpenOptions::new().read(true).custom_flags(no_follow()).open(self.path(id));
        let Some(file) = file.ok().filter(|file| is_ours(file, id)) else { return Vec::new() };
        let Some((start, slots)) = ring(range) else { return Vec::new() };
        let mut bytes = vec![0; usize::try_from(slots).unwrap_or_default() * RECORD];
        if file.read_exact_at(&mut bytes, start).is_err() {
            return Vec::new();
        }
        let step = range.step();
        let newest = now.div_euclid(step) * step;
        let oldest = newest - (i64::try_from(slots).unwrap_or_default() - 1) * step;
        let records = bytes.chunks_exact(RECORD).zip(0..);
        let mut points: Vec<Point> = records
            .filter_map(|(record, slot)| decode(record, step).filter(|point| slot_of(point.at, step, slots) == slot))
            .filter(|point| (oldest..=newest).contains(&point.at))
            .collect();
        points.sort_unstable_by_key(|point| point.at);
        points
    }

    /// Drops the files of containers that have been gone for a day, and then those of the longest gone where there are
    /// too many. Files of others are left alone.
    pub(super) fn sweep(&self, known: &HashSet<ContainerId>) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        let mut gone = Vec::new();
        let mut count = 0;
        for entry in entries.filter_map(Result::ok) {
            let name = entry.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(".ring")).and_then(|id| id.parse().ok());
            let Some(id): Option<ContainerId> = id else { continue };
            count += 1;
            if !known.contains(&id) {
                let written = entry.metadata().and_then(|about| about.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
                gone.push((written, entry.path()));
            }
        }
        gone.sort();
        for (written, path) in gone {
            let is_old = written.elapsed().is_ok_and(|age| age > KEPT);
            if (is_old || count > self.most) && fs::remove_file(&path).is_ok() {
                count -= 1;
            }
        }
        self.count.store(count, Ordering::Relaxed);
    }

    fn path(&self, id: &ContainerId) -> PathBuf {
        self.folder.join(Path::new(id.as_str()).with_extension("ring"))
    }
}

/// A link there would lead to a file of somebody else's.
fn no_follow() -> i32 {
    i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default()
}

fn head(id: &ContainerId) -> Vec<u8> {
    let mut head = MAGIC.to_vec();
    head.extend(id.as_str().bytes());
    head.resize(usize::try_from(HEAD).unwrap_or_default(), 0);
    head
}

fn is_ours(file: &File, id: &ContainerId) -> bool {
    let wanted = head(id);
    let mut found = vec![0; wanted.len()];
    file.metadata().is_ok_and(|about| about.is_file() && about.len() == SIZE)
        && file.read_exact_at(&mut found, 0).is_ok()
        && found == wanted
}

/// Where a ring begins, and how many records it has.
fn ring(range: Range) -> Option<(u64, u64)> {
    let mut start = HEAD;
    for (of, slots) in SLOTS {
        if of == range {
            return Some((start, slots));
        }
        start += slots * RECORD as u64;
    }
    None
}

fn slot_of(at: i64, step: i64, slots: u64) -> u64 {
    u64::try_from(at.div_euclid(step)).unwrap_or_default() % slots
}

fn put(file: &File, range: Range, point: &Point) -> io::Result<()> {
    let Some((start, slots)) = ring(range) else { return Ok(()) };
    let step = range.step();
    let mut record = Vec::with_capacity(RECORD);
    record.extend(u32::try_from(point.at.div_euclid(step)).unwrap_or_default().to_le_bytes());
    point.values.iter().for_each(|value| record.extend(value.to_le_bytes()));
    file.write_all_at(&record, start + slot_of(point.at, step, slots) * RECORD as u64)
}

/// The record of this moment, if it is there.
fn get(file: &File, range: Range, at: i64) -> Option<Point> {
    let (start, slots) = ring(range)?;
    let mut record = [0; RECORD];
    file.read_exact_at(&mut record, start + slot_of(at, range.step(), slots) * RECORD as u64).ok()?;
    decode(&record, range.step()).filter(|point| point.at == at)
}

/// None where nothing was ever written. What cannot be is not known.
fn decode(record: &[u8], step: i64) -> Option<Point> {
    let mut words = record.chunks_exact(4).filter_map(|word| <[u8; 4]>::try_from(word).ok());
    let at = i64::from(u32::from_le_bytes(words.next()?)) * step;
    let mut point = Point::gap(at);
    for (value, word) in point.values.iter_mut().zip(words) {
        let read = f32::from_le_bytes(word);
        *value = if read.is_finite() && read >= 0.0 { read } else { f32::NAN };
    }
    (at > 0 && !point.is_gap()).then_some(point)
}

#[cfg(test)]
mod tests {
    use super::{super::points::Measure, *};
    use crate::engine::stats::Figures;

    fn id(digit: char) -> ContainerId {
        digit.to_string().repeat(64).parse().unwrap()
    }

    fn minute(at: i64, cpu: f64) -> Point {
        Point::of(at, &Figures { cpu: Some(cpu), memory: Some(1 << 20), ..Figures::default() })
    }

    /// On the hour.
    const NOW: i64 = 1_795_000_000 / 3_600 * 3_600;

    #[test]
    fn a_day_and_a_month_are_kept_in_a_file_that_does_not_grow() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(folder.path().join("stats"));
        let day: Vec<Point> = (0..3_000).map(|n| minute(NOW + n * 60, 50.0)).collect();
        assert!(files.write(&[(id('a'), day)]));
        let end = NOW + 2_999 * 60;
        let kept = files.read(&id('a'), Range::Day, end);
        assert_eq!((kept.len(), kept.last().map(|point| point.at)), (1_440, Some(end)));
        assert_eq!(kept.first().and_then(|point| point.get(Measure::Cpu)), Some(50.0));
        let month = files.read(&id('a'), Range::Month, end);
        // The minutes that the day has no room for any more were in no hour: they came all at once.
        assert!(month.len() >= 24, "{}", month.len());
        assert_eq!(fs::metadata(files.path(&id('a'))).unwrap().len(), SIZE);
        // A day later all of it is too old for the day, and not for the month.
        assert!(files.read(&id('a'), Range::Day, end + 86_400).is_empty());
        assert_eq!(files.read(&id('a'), Range::Month, end + 86_400).len(), month.len());
        assert!(files.read(&id('b'), Range::Day, end).is_empty());
    }

    #[test]
    fn an_hour_is_made_of_its_minutes_even_over_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        Files::new(folder.path().to_owned()).write(&[(id('a'), vec![minute(NOW, 10.0)])]);
        Files::new(folder.path().to_owned()).write(&[(id('a'), vec![minute(NOW + 60, 30.0)])]);
        let hours = Files::new(folder.path().to_owned()).read(&id('a'), Range::Month, NOW + 120);
        assert_eq!(hours.len(), 1);
        assert_eq!(
            (hours[0].at, hours[0].get(Measure::Cpu), hours[0].get(Measure::CpuPeak)),
            (NOW, Some(20.0), Some(30.0))
        );
    }

    #[test]
    fn what_is_broken_or_not_ours_is_no_history_and_is_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(folder.path().to_owned());
        let other = folder.path().join("other");
        fs::write(&other, "mine").unwrap();
        std::os::unix::fs::symlink(&other, files.path(&id('c'))).unwrap();
        fs::write(files.path(&id('a')), "nonsense").unwrap();
        fs::write(files.path(&id('b')), vec![0xff; usize::try_from(SIZE).unwrap()]).unwrap();
        for digit in ['a', 'b', 'c'] {
            assert!(files.read(&id(digit), Range::Day, NOW).is_empty());
            assert!(files.write(&[(id(digit), vec![minute(NOW, 1.0)])]));
            assert_eq!(files.read(&id(digit), Range::Day, NOW).len(), 1, "{digit}");
        }
        assert_eq!(fs::read_to_string(other).unwrap(), "mine");
        // Noise within a file of ours makes gaps at most.
        let file = OpenOptions::new().write(true).open(files.path(&id('a'))).unwrap();
        file.write_all_at(&vec![0xab; 40_000], HEAD).unwrap();
        assert!(files.read(&id('a'), Range::Day, NOW).len() <= 1);
    }

    #[test]
    fn there_are_no_more_files_than_there_may_be() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files { most: 2, ..Files::new(folder.path().to_owned()) };
        fs::write(folder.path().join("notes.txt"), "mine").unwrap();
        for digit in ['a', 'b', 'c'] {
            assert!(files.write(&[(id(digit), vec![minute(NOW, 1.0)])]));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
        // Nobody goes who is still there, and nobody before a day is over.
        files.sweep(&HashSet::from([id('a'), id('b')]));
        assert_eq!(files.count.load(Ordering::Relaxed), 2);
        let old = SystemTime::now() - Duration::from_hours(30);
        File::options().write(true).open(files.path(&id('a'))).unwrap().set_modified(old).unwrap();
        files.sweep(&HashSet::from([id('b')]));
        assert_eq!(files.count.load(Ordering::Relaxed), 1);
        assert!(files.write(&[(id('c'), vec![minute(NOW, 1.0)])]));
        assert!(files.path(&id('c')).exists() && !files.path(&id('a')).exists());
        assert!(folder.path().join("notes.txt").exists());
    }

    #[test]
    fn what_cannot_be_written_is_no_end_of_anything() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let files = Files::new(file.join("stats"));
        assert!(!files.write(&[(id('a'), vec![minute(NOW, 1.0)])]));
        assert!(files.read(&id('a'), Range::Day, NOW).is_empty());
        files.sweep(&HashSet::new());
    }
}
