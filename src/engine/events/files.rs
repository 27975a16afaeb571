//! Events on the disk: files of lines of JSON that are only added to, each with a bound, and all of them together.
//!
//! A file is named after the time of its first line. A line that cannot be read, because the console was ended in the
//! middle of it, is left out. What is too old goes file by file, and so does the oldest where it is too much.

use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Event;
use crate::engine::private;

/// The largest file, in bytes.
const FILE: u64 = 4 << 20;
/// All of them together, in bytes: some 400,000 events.
const ALL: u64 = 128 << 20;
/// The longest value of an attribute that is kept, in letters.
const VALUE: usize = 1_000;
/// The longest line that is kept with its attributes.
const LINE: usize = 16 << 10;

/// Something that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// An event.
    Event(Arc<Event>),
    /// Some events may be missing here: nobody listened, and the engine had forgotten them.
    Gap {
        /// When the last one before was heard.
        from: Timestamp,
        /// When the first one after was.
        to: Timestamp,
    },
}

/// Where a search goes on: the file, and how far into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventCursor(i64, u64);

impl fmt::Display for EventCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0, self.1)
    }
}

impl FromStr for EventCursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (file, at) = text.split_once('-').ok_or(())?;
        Ok(Self(file.parse().map_err(|_| ())?, at.parse().map_err(|_| ())?))
    }
}

/// A line of a file.
#[derive(Serialize, Deserialize)]
struct Line {
    /// Nanoseconds since the epoch.
    at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gap_from: Option<i64>,
    #[serde(default, rename = "type", skip_serializing_if = "String::is_empty")]
    kind: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    action: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    id: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<String, String>,
}

fn nanos(at: Timestamp) -> i64 {
    i64::try_from(at.as_nanosecond()).unwrap_or_default()
}

fn moment(nanos: i64) -> Option<Timestamp> {
    Timestamp::from_nanosecond(i128::from(nanos)).ok()
}

impl Kept {
    /// When.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Event(event) => event.at,
            Self::Gap { to, .. } => *to,
        }
    }

    fn line(&self) -> Vec<u8> {
        let cut = |text: &String| text.chars().take(VALUE).collect::<String>();
        let mut line = match self {
            Self::Event(event) => Line {
                at: nanos(event.at),
                gap_from: None,
                kind: cut(&event.kind),
                action: cut(&event.action),
                detail: event.detail.as_ref().map(cut),
                id: cut(&event.id),
                name: cut(&event.name),
                attributes: event.attributes.iter().map(|(key, value)| (cut(key), cut(value))).collect(),
            },
            Self::Gap { from, to } => Line {
                at: nanos(*to),
                gap_from: Some(nanos(*from)),
                kind: String::new(),
                action: String::new(),
                detail: None,
                id: String::new(),
                name: String::new(),
                attributes: BTreeMap::new(),
            },
        };
        let mut text = serde_json::to_vec(&line).unwrap_or_default();
        if text.len() > LINE {
            line.attributes.clear();
            text = serde_json::to_vec(&line).unwrap_or_default();
        }
        text.push(b'\n');
        text
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let line: Line = serde_json::from_slice(text).ok()?;
        let at = moment(line.at)?;
        Some(match line.gap_from {
            Some(from) => Self::Gap { from: moment(from)?, to: at },
            None => Self::Event(Arc::new(Event {
                kind: line.kind,
                action: line.action,
                detail: line.detail,
                id: line.id,
                name: line.name,
                attributes: line.attributes,
                at,
            })),
        })
    }
}

/// The folder of the files.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
    /// How long a line is kept.
    time: SignedDuration,
    most: u64,
    /// The file that is added to, and how long it is.
    open: Option<(File, u64)>,
}

impl Files {
    pub(super) fn new(folder: PathBuf, time: SignedDuration) -> Self {
        Self { folder, time, most: ALL, open: None }
    }

    fn path(folder: &Path, first: i64) -> PathBuf {
        folder.join(format!("{first}.jsonl"))
    }

    /// The files by the time of their first line, oldest first.
    fn list(folder: &Path) -> Vec<(i64, u64)> {
        let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
        let file = |entry: fs::DirEntry| {
            let first = entry.file_name().to_str()?.strip_suffix(".jsonl")?.parse().ok()?;
            let about = entry.metadata().ok().filter(fs::Metadata::is_file)?;
            Some((first, about.len()))
        };
        let mut files: Vec<_> = entries.filter_map(file).collect();
        files.sort_unstable();
        files
    }

    /// Adds these. What was written of them when it fails is taken back.
    pub(super) fn add(&mut self, kept: &[Kept]) -> io::Result<()> {
        let Some(first) = kept.first() else { return Ok(()) };
        let text: Vec<u8> = kept.iter().flat_map(Kept::line).collect();
        if self.open.as_ref().is_some_and(|(_, len)| *len >= FILE) {
            self.open = None;
        }
        let (file, len) = match &mut self.open {
            Some(open) => open,
            None => self.open.insert(Self::begin(&self.folder, nanos(first.at()))?),
        };
        if let Err(error) = file.write_all(&text) {
            let _ = file.set_len(*len);
            self.open = None;
            return Err(error);
        }
        *len += u64::try_from(text.len()).unwrap_or_default();
        Ok(())
    }

    /// The newest file, if there is room in it, else a new one. A line that was not finished is ended.
    fn begin(folder: &Path, first: i64) -> io::Result<(File, u64)> {
        private::folder(folder)?;
        let newest = Self::list(folder).last().copied();
        let name = match newest {
            Some((name, len)) if len < FILE => name,
            // The names are in the order of what is in the files.
            Some((name, _)) => first.max(name + 1),
            None => first,
        };
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(Self::path(folder, name))?;
        let mut len = file.metadata()?.len();
        if len > 0 {
            file.write_all(b"\n")?;
            len += 1;
        }
        Ok((file, len))
    }

    /// Drops what is too old, and the oldest where it is too much.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        let files = Self::list(&self.folder);
        let mut sum: u64 = files.iter().map(|(_, len)| len).sum();
        let oldest = nanos(now.checked_sub(self.time).unwrap_or(Timestamp::UNIX_EPOCH));
        // A file is as old as its last line: the next one begins with what came after it.
        let ends = files.iter().skip(1).map(|(first, _)| *first);
        for ((first, len), end) in files.iter().zip(ends) {
            if end < oldest || sum > self.most {
                let _ = fs::remove_file(Self::path(&self.folder, *first));
                sum -= len;
            }
        }
    }

    pub(super) fn reader(&self) -> Reader {
        Reader { folder: self.folder.clone() }
    }
}

/// Reads the files, newest first.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    folder: PathBuf,
}

impl Reader {
    /// How far back they go, and how many bytes they are.
    pub(super) fn extent(&self) -> (Option<Timestamp>, u64) {
        let files = Files::list(&self.folder);
        (files.first().and_then(|(first, _)| moment(*first)), files.iter().map(|(_, len)| len).sum())
    }

    /// Hands out what was kept, newest first, until `take` has enough. Answers where it stopped; none at the very end.
    pub(super) fn read(
        &self,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
        before: Option<EventCursor>,
        mut take: impl FnMut(Kept) -> bool,
    ) -> io::Result<Option<EventCursor>> {
        let files = Files::list(&self.folder);
        for (first, _) in files.into_iter().rev() {
            if before.is_some_and(|before| first > before.0) || until.is_some_and(|until| first > nanos(until)) {
                continue;
            }
            let text = match fs::read(Files::path(&self.folder, first)) {
                // It was swept meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                text => text?,
            };
            let end = before.filter(|before| before.0 == first).and_then(|before| usize::try_from(before.1).ok());
            let mut rest = text.get(..end.unwrap_or(text.len())).unwrap_or(&text);
            while !rest.is_empty() {
                let body = rest.strip_suffix(b"\n").unwrap_or(rest);
                let start = body.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
                let line = body.get(start..).unwrap_or_default();
                rest = rest.get(..start).unwrap_or_default();
                let Some(kept) = Kept::parse(line) else { continue };
                if until.is_some_and(|until| kept.at() > until) {
                    continue;
                }
                // Lines are nearly in their order: what was caught up with may stand a little late.
                if since.is_some_and(|since| kept.at() < since) {
                    continue;
                }
                if take(kept) {
                    return Ok(Some(EventCursor(first, u64::try_from(start).unwrap_or_default())));
                }
            }
            // All files before this one are older than its beginning.
            if since.is_some_and(|since| first < nanos(since)) {
                break;
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(at: i64, name: &str) -> Kept {
        Kept::Event(Arc::new(Event {
            kind: "container".into(),
            action: "start".into(),
            detail: None,
            id: "0a".repeat(32),
            name: name.into(),
            attributes: BTreeMap::from([("team".to_owned(), "red".to_owned())]),
            at: Timestamp::from_second(at).unwrap(),
        }))
    }

    fn names(reader: &Reader, before: Option<EventCursor>, most: usize) -> (Vec<String>, Option<EventCursor>) {
        let mut names = Vec::new();
        let next = reader
            .read(None, None, before, |kept| {
                if let Kept::Event(event) = kept {
                    names.push(event.name.clone());
                }
                names.len() == most
            })
            .unwrap();
        (names, next)
    }

    const NOW: i64 = 1_795_000_000;

    #[test]
    fn what_was_kept_is_read_newest_first_and_page_by_page() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Files::new(folder.path().join("events"), SignedDuration::from_hours(720));
        files.add(&[event(NOW, "a"), event(NOW + 1, "b")]).unwrap();
        let gap =
            Kept::Gap { from: Timestamp::from_second(NOW + 1).unwrap(), to: Timestamp::from_second(NOW + 9).unwrap() };
        files.add(&[gap.clone(), event(NOW + 9, "c")]).unwrap();
        let reader = files.reader();
        assert_eq!(names(&reader, None, 9).0, ["c", "b", "a"]);
        let (first, next) = names(&reader, None, 1);
        let (second, next) = names(&reader, Some(next.unwrap().to_string().parse().unwrap()), 1);
        assert_eq!((first, second), (vec!["c".to_owned()], vec!["b".to_owned()]));
        assert_eq!(names(&reader, next, 9), (vec!["a".to_owned()], None));
        let mut all = Vec::new();
        reader
            .read(None, None, None, |kept| {
                all.push(kept);
                false
            })
            .unwrap();
        assert_eq!((all.len(), &all[1], &all[3]), (4, &gap, &event(NOW, "a")));
        let mut some = 0;
        let (since, until) = (Timestamp::from_second(NOW + 1).ok(), Timestamp::from_second(NOW + 1).ok());
        reader
            .read(since, until, None, |_| {
                some += 1;
                false
            })
            .unwrap();
        assert_eq!(some, 1);
    }

    #[test]
    fn s085_half_a_line_is_left_out_and_what_follows_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Files::new(folder.path().to_owned(), SignedDuration::from_hours(720));
        files.add(&[event(NOW, "a")]).unwrap();
        let path = Files::path(folder.path(), NOW * 1_000_000_000);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"at\":17950000020000").unwrap();
        let mut files = Files::new(folder.path().to_owned(), SignedDuration::from_hours(720));
        files.add(&[event(NOW + 5, "b")]).unwrap();
        assert_eq!(names(&files.reader(), None, 9).0, ["b", "a"]);
    }

    #[test]
    fn old_files_go_and_so_does_the_oldest_where_it_is_too_much() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Files::new(folder.path().to_owned(), SignedDuration::from_hours(24));
        let many = |at: i64| (0..12_000).map(|n| event(at + n / 1_000, "x")).collect::<Vec<_>>();
        for day in 0..4 {
            files.add(&many(NOW + day * 86_400)).unwrap();
            assert!(files.open.as_ref().is_some_and(|(_, len)| *len > FILE / 4));
            files.open = None;
        }
        let count = Files::list(folder.path()).len();
        assert!(count >= 1);
        // Each file with more than it may have is followed by another.
        while Files::list(folder.path()).len() < 3 {
            files.add(&many(NOW + 5 * 86_400)).unwrap();
        }
        files.sweep(Timestamp::from_second(NOW + 30 * 86_400).unwrap());
        assert_eq!(Files::list(folder.path()).len(), 1, "the newest stays");
        files.most = 1;
        for _ in 0..6 {
            files.add(&many(NOW + 31 * 86_400)).unwrap();
        }
        files.sweep(Timestamp::from_second(NOW).unwrap());
        assert_eq!(Files::list(folder.path()).len(), 1);
    }

    #[test]
    fn s081_what_cannot_be_written_is_an_error_and_no_end_of_anything() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let mut files = Files::new(file.join("events"), SignedDuration::from_hours(24));
        assert!(files.add(&[event(NOW, "a")]).is_err());
        assert_eq!(names(&files.reader(), None, 9).0, [""; 0]);
        files.sweep(Timestamp::now());
    }
}
