//! What a terminal has said last, for who reads slower than it speaks or comes back later. It is bounded: what is too old
//! is gone, and who has not read it is told how much that was.

use std::collections::VecDeque;

/// What is kept, in bytes.
const KEPT: usize = 256 << 10;

/// The end of what a terminal has said.
#[derive(Debug, Default)]
pub(super) struct Screen {
    bytes: VecDeque<u8>,
    /// How many bytes came before those.
    gone: u64,
}

/// A piece of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// How many bytes before it were wanted and are gone.
    pub skipped: u64,
    /// Where it ends.
    pub end: u64,
    /// What was said.
    pub bytes: Vec<u8>,
}

impl Screen {
    /// Adds what was said; answers with how many bytes that makes in all.
    pub(super) fn add(&mut self, said: &[u8]) -> u64 {
        self.bytes.extend(said);
        let excess = self.bytes.len().saturating_sub(KEPT);
        self.bytes.drain(..excess);
        self.gone += excess as u64;
        self.end()
    }

    /// How many bytes were said in all.
    pub(super) fn end(&self) -> u64 {
        self.gone + self.bytes.len() as u64
    }

    /// Where what is kept begins.
    pub(super) fn begin(&self) -> u64 {
        self.gone
    }

    /// What was said from this byte on, so many bytes at most; none where there is no more.
    pub(super) fn from(&self, at: u64, most: usize) -> Option<Piece> {
        let start = at.max(self.gone);
        let skip = usize::try_from(start - self.gone).unwrap_or(usize::MAX);
        let bytes: Vec<u8> = self.bytes.iter().skip(skip).take(most).copied().collect();
        let (skipped, end) = (start - at.min(start), start + bytes.len() as u64);
        (!bytes.is_empty()).then_some(Piece { skipped, end, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_in_time_is_whole() {
        let mut screen = Screen::default();
        assert_eq!(screen.from(0, 10), None);
        assert_eq!(screen.add(b"hello"), 5);
        assert_eq!(screen.from(0, 3), Some(Piece { skipped: 0, end: 3, bytes: b"hel".to_vec() }));
        assert_eq!(screen.from(3, 10), Some(Piece { skipped: 0, end: 5, bytes: b"lo".to_vec() }));
        assert_eq!(screen.from(5, 10), None);
        assert_eq!(screen.from(99, 10), None);
    }

    #[test]
    fn what_is_too_old_is_counted() {
        let mut screen = Screen::default();
        screen.add(b"abc");
        screen.add(&vec![b'x'; KEPT]);
        assert_eq!(screen.end(), KEPT as u64 + 3);
        let piece = screen.from(1, 4).unwrap();
        assert_eq!(piece, Piece { skipped: 2, end: 7, bytes: b"xxxx".to_vec() });
    }
}
