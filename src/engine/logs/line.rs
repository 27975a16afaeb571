//! A line of a log, and where it stands.

use std::{collections::HashMap, fmt, str::FromStr};

use bytes::Bytes;
use jiff::Timestamp;

/// The longest line that is kept, in bytes; what is longer is cut, or comes in pieces of that length.
pub(super) const LINE: usize = 256 << 10;
/// How much of a line tells it from others of the same time, in bytes: as much as the engine writes at once, so that
/// the beginning of a line and the whole of it are the same line.
const TOLD: usize = 1 << 10;

/// Where a line was written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Out {
    /// The standard output; a terminal has no other.
    Stdout,
    /// The standard error.
    Stderr,
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When, by the engine's clock, in nanoseconds since the epoch. Podman tells whole seconds.
    pub at: i64,
    /// Where it was written to.
    pub out: Out,
    /// What was written, without its line feed: foreign bytes.
    pub text: Bytes,
    /// How many bytes more were written than are kept.
    pub lacks: u64,
    /// Whether it is not the beginning of what was written, which came before it.
    pub is_rest: bool,
    /// Whether the rest of it comes behind it, as another.
    pub goes_on: bool,
    /// Whether its end has not been written yet.
    pub is_open: bool,
}

impl Line {
    /// When it was written.
    pub fn time(&self) -> Timestamp {
        Timestamp::from_nanosecond(i128::from(self.at)).unwrap_or_default()
    }

    /// A copy that holds nothing of what was read around it.
    pub(super) fn alone(&self) -> Self {
        Self { text: Bytes::copy_from_slice(&self.text), ..self.clone() }
    }

    /// What tells it from others of the same time.
    pub(super) fn sum(&self) -> u32 {
        // FNV-1a. Source: <http://www.isthe.com/chongo/tech/comp/fnv/>
        let begin = if self.out == Out::Stdout { 0x811c_9dc5 } else { 0x811c_9dc4 };
        let told = self.text.get(..TOLD).unwrap_or(&self.text);
        told.iter().fold(begin, |sum: u32, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
    }
}

/// Where a line stands: its time, what tells it from others of that time, which of those that are the same it is, and
/// whose it is among the containers that are shown together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// When, in nanoseconds since the epoch.
    pub at: i64,
    pub(super) sum: u32,
    pub(super) ordinal: u32,
    /// Which container's, among those that were asked for.
    pub source: u16,
}

impl Cursor {
    /// The same line where its container's log is shown alone.
    #[must_use]
    pub fn own(self) -> Self {
        Self { source: 0, ..self }
    }
}

/// Why a text is no place in a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no place in a log")]
pub struct InvalidCursor;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{:x}-{:x}-{:x}", self.at, self.sum, self.ordinal, self.source)
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let mut parts = text.split('-');
        let mut part = || {
            let text = parts.next().filter(|text| text.len() <= 16 && text.bytes().all(|b| b.is_ascii_hexdigit()));
            text.and_then(|text| u64::from_str_radix(text, 16).ok()).ok_or(InvalidCursor)
        };
        let [at, sum, ordinal, source] = [part()?, part()?, part()?, part()?];
        let narrow = |_| InvalidCursor;
        let cursor = Self {
            at: at.try_into().map_err(narrow)?,
            sum: sum.try_into().map_err(narrow)?,
            ordinal: ordinal.try_into().map_err(narrow)?,
            source: source.try_into().map_err(narrow)?,
        };
        if parts.next().is_some() { Err(InvalidCursor) } else { Ok(cursor) }
    }
}

/// A line and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where.
    pub cursor: Cursor,
    /// What.
    pub line: Line,
}

/// Says where lines stand, as they come.
#[derive(Debug, Default)]
pub(super) struct Places {
    source: u16,
    at: i64,
    /// How often each was seen at this time.
    seen: HashMap<u32, u32>,
}

impl Places {
    pub(super) fn new(source: u16) -> Self {
        Self { source, ..Self::default() }
    }

    pub(super) fn of(&mut self, line: &Line) -> Cursor {
        if line.at != self.at {
            self.at = line.at;
            self.seen.clear();
        }
        let sum = line.sum();
        let seen = self.seen.entry(sum).or_default();
        let ordinal = *seen;
        // A line that is not whole comes again; of one that comes in pieces the first counts.
        *seen += u32::from(!line.is_open && !line.is_rest);
        Cursor { at: line.at.max(0), sum, ordinal, source: self.source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_they_are_written() {
        let cursor = Cursor { at: 1_764_000_000_123_456_789, sum: 0xffff_ffff, ordinal: 3, source: 7 };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for none in
            ["", "1", "1-2-3", "1-2-3-4-5", "x-2-3-4", "1--2-3", "ffffffffffffffff-1-1-1", "1-2-3-10000", "+1-2-3-4"]
        {
            assert_eq!(none.parse::<Cursor>(), Err(InvalidCursor), "{none}");
        }
    }

    #[test]
    fn lines_of_one_time_are_told_apart() {
        let line = |at, text: &'static str| Line {
            at,
            out: Out::Stdout,
            text: Bytes::from_static(text.as_bytes()),
            lacks: 0,
            is_rest: false,
            goes_on: false,
            is_open: false,
        };
        let mut places = Places::new(0);
        let seen: Vec<Cursor> =
            [line(5, "a"), line(5, "b"), line(5, "a"), line(6, "a")].iter().map(|line| places.of(line)).collect();
        assert_eq!(seen.iter().map(|cursor| cursor.ordinal).collect::<Vec<_>>(), [0, 0, 1, 0]);
        assert_ne!(seen[0].sum, seen[1].sum);
        assert_eq!(seen[0].sum, seen[2].sum);
    }
}
