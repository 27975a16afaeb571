//! Bytes of a log into lines: the engine's frames, or the bare text of a terminal, each line with its time before it.
//!
//! Source of the frames: <https://docs.docker.com/reference/api/engine/version/v1.51/#tag/Container/operation/ContainerAttach>.
//! A long line comes in pieces of 16 kB, each with the time of the first and without a line feed; they are joined again
//! (S062). Nothing is taken for text here: what is no UTF-8 stays as it is (S029).

use bytes::{Buf, Bytes, BytesMut};

use super::line::{LINE, Line, Out};

/// The most of one frame that is waited for; the rest of it is read as it comes.
const FRAME: usize = 1 << 20;
/// What the engine writes at once at most. Source: moby, `daemon/logger/copier.go`, `defaultBufSize`.
const PIECE: usize = 16 << 10;
/// The longest time before a line, with the blank after it.
const STAMP: usize = 36;

/// What is wrong with the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Broken {
    /// These are no frames.
    NoFrames,
    /// The engine's own words, in the middle of the log.
    Said(String),
}

/// What becomes of a line that is longer than is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Long {
    /// It is cut, and says how much it lacks.
    #[default]
    Cut,
    /// It comes in several, one behind the other.
    Pieces,
}

/// What of a line is there so far.
#[derive(Debug)]
struct Pending {
    out: Out,
    long: Long,
    at: i64,
    text: Vec<u8>,
    lacks: u64,
    is_rest: bool,
    is_open: bool,
}

impl Pending {
    fn new(out: Out, long: Long) -> Self {
        Self { out, long, at: 0, text: Vec::new(), lacks: 0, is_rest: false, is_open: false }
    }

    fn add(&mut self, at: i64, mut piece: &[u8], lines: &mut Vec<Line>) {
        self.at = at;
        self.is_open = true;
        loop {
            let room = LINE.saturating_sub(self.text.len()).min(piece.len());
            let (here, rest) = piece.split_at(room);
            self.text.extend_from_slice(here);
            if rest.is_empty() {
                return;
            }
            if self.long == Long::Cut {
                self.lacks += u64::try_from(rest.len()).unwrap_or_default();
                return;
            }
            let text = std::mem::take(&mut self.text);
            lines.push(Line { text: text.into(), goes_on: true, ..self.line(Bytes::new()) });
            self.is_rest = true;
            piece = rest;
        }
    }

    fn line(&self, text: Bytes) -> Line {
        let Self { out, at, lacks, is_rest, .. } = *self;
        Line { at, out, text, lacks, is_rest, goes_on: false, is_open: false }
    }

    fn take(&mut self) -> Option<Line> {
        let text = std::mem::take(&mut self.text).into();
        let line = self.is_open.then(|| self.line(text));
        *self = Self::new(self.out, self.long);
        line
    }

    fn peek(&self) -> Option<Line> {
        self.is_open.then(|| Line { is_open: true, ..self.line(Bytes::copy_from_slice(&self.text)) })
    }
}

/// Makes lines of what comes.
#[derive(Debug)]
pub(super) struct Decoder {
    is_bare: bool,
    buffer: BytesMut,
    /// How much of a frame that is too long to be held is still to come, and of which stream.
    rest: (usize, Out),
    stdout: Pending,
    stderr: Pending,
    /// Of bare text: how much of the piece that is being read is there.
    piece: usize,
    at: i64,
    entries: u64,
}

impl Decoder {
    /// Of frames, or of bare text.
    pub(super) fn new(is_bare: bool, long: Long) -> Self {
        Self {
            is_bare,
            buffer: BytesMut::new(),
            rest: (0, Out::Stdout),
            stdout: Pending::new(Out::Stdout, long),
            stderr: Pending::new(Out::Stderr, long),
            piece: 0,
            at: 0,
            entries: 0,
        }
    }

    /// How many entries of the log have come: a long line is several.
    pub(super) fn entries(&self) -> u64 {
        self.entries
    }

    /// The lines that are whole with this.
    pub(super) fn push(&mut self, chunk: &[u8], lines: &mut Vec<Line>) -> Result<(), Broken> {
        self.buffer.extend_from_slice(chunk);
        if self.is_bare {
            self.bare(lines);
            return Ok(());
        }
        loop {
            let (rest, out) = self.rest;
            let here = self.buffer.split_to(rest.min(self.buffer.len())).freeze();
            self.rest.0 -= here.len();
            self.text(out, here, lines);
            let Some((&[kind, a, b, c, l1, l2, l3, l4], rest)) = self.buffer.split_first_chunk::<8>() else { break };
            if kind > 3 || [a, b, c] != [0; 3] {
                return Err(Broken::NoFrames);
            }
            let len = usize::try_from(u32::from_be_bytes([l1, l2, l3, l4])).unwrap_or(usize::MAX);
            let take = len.min(FRAME);
            if rest.len() < take {
                self.buffer.reserve(take + 8);
                break;
            }
            self.buffer.advance(8);
            let entry = self.buffer.split_to(take).freeze();
            let out = match kind {
                // Source: moby, `pkg/stdcopy`, `Systemerr`.
                3 => return Err(Broken::Said(String::from_utf8_lossy(&entry).trim().chars().take(500).collect())),
                2 => Out::Stderr,
                _ => Out::Stdout,
            };
            self.entry(out, &entry, lines);
            self.rest = (len - take, out);
        }
        Ok(())
    }

    fn pending(&mut self, out: Out) -> &mut Pending {
        match out {
            Out::Stdout => &mut self.stdout,
            Out::Stderr => &mut self.stderr,
        }
    }

    fn entry(&mut self, out: Out, entry: &Bytes, lines: &mut Vec<Line>) {
        self.entries += 1;
        let (at, len) = stamp(entry).unwrap_or((self.at, 0));
        self.at = at;
        let pending = self.pending(out);
        // What was never ended, by a container that ended first, is a line of its own.
        if pending.is_open && pending.at != at {
            lines.extend(pending.take());
        }
        self.text(out, entry.slice(len..), lines);
    }

    /// What stands in an entry behind its time.
    fn text(&mut self, out: Out, mut rest: Bytes, lines: &mut Vec<Line>) {
        let at = self.at;
        let pending = self.pending(out);
        while !rest.is_empty() {
            let Some(end) = memchr::memchr(b'\n', &rest) else { return pending.add(at, &rest, lines) };
            let text = rest.split_to(end);
            rest.advance(1);
            if pending.is_open || text.len() > LINE {
                pending.add(at, &text, lines);
                lines.extend(pending.take());
            } else {
                // As it came, without a copy.
                lines.push(Line { at, ..pending.line(text) });
            }
        }
    }

    /// Bare text: a time stands before each line, and before each further piece of one.
    fn bare(&mut self, lines: &mut Vec<Line>) {
        loop {
            if !self.stdout.is_open {
                if self.buffer.len() < STAMP && memchr::memchr(b'\n', &self.buffer).is_none() {
                    return;
                }
                let (at, len) = stamp(&self.buffer).unwrap_or((self.at, 0));
                self.buffer.advance(len);
                self.begin(at);
                self.stdout.add(at, b"", lines);
            } else if self.piece == PIECE {
                if self.buffer.len() < STAMP && memchr::memchr(b'\n', &self.buffer).is_none() {
                    return;
                }
                match stamp(&self.buffer) {
                    Some((at, len)) if at == self.at => {
                        self.buffer.advance(len);
                        self.begin(at);
                    }
                    // It never ended: the next line stands right behind it.
                    Some(_) => {
                        lines.extend(self.stdout.take());
                        self.piece = 0;
                        continue;
                    }
                    None => self.piece = 0,
                }
            }
            let room = PIECE - self.piece;
            let here = self.buffer.get(..room).unwrap_or(&self.buffer);
            match memchr::memchr(b'\n', here) {
                Some(end) => {
                    let text = self.buffer.split_to(end);
                    self.buffer.advance(1);
                    self.stdout.add(self.at, &text, lines);
                    lines.extend(self.stdout.take());
                    self.piece = 0;
                }
                None if here.is_empty() => return,
                None => {
                    let text = self.buffer.split_to(here.len());
                    self.piece += text.len();
                    self.stdout.add(self.at, &text, lines);
                }
            }
        }
    }

    fn begin(&mut self, at: i64) {
        self.entries += 1;
        self.at = at;
        self.piece = 0;
    }

    /// What has begun and not ended.
    pub(super) fn open(&self) -> impl Iterator<Item = Line> {
        [self.stderr.peek(), self.stdout.peek()].into_iter().flatten()
    }

    /// The log has ended: so has what was begun.
    pub(super) fn end(&mut self, lines: &mut Vec<Line>) {
        if self.is_bare && !self.stdout.is_open && !self.buffer.is_empty() {
            let rest = self.buffer.split();
            let (at, len) = stamp(&rest).unwrap_or((self.at, 0));
            self.entries += 1;
            self.stdout.add(at, rest.get(len..).unwrap_or_default(), lines);
        }
        lines.extend(self.stderr.take());
        lines.extend(self.stdout.take());
    }
}

/// The time before a line, in nanoseconds since the epoch, and how long it is written, with the blank after it.
fn stamp(text: &[u8]) -> Option<(i64, usize)> {
    let digits = |from: usize, to: usize| {
        let digits = text.get(from..to)?;
        digits
            .iter()
            .try_fold(0_i64, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0')))
    };
    let is = |at: usize, byte: u8| (text.get(at) == Some(&byte)).then_some(());
    let (year, month, day) = (digits(0, 4)?, digits(5, 7)?, digits(8, 10)?);
    let (hour, minute, second) = (digits(11, 13)?, digits(14, 16)?, digits(17, 19)?);
    [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')].into_iter().try_for_each(|(at, byte)| is(at, byte))?;
    if !(1970..=2261).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut at = 19;
    let mut nanos = 0;
    if is(at, b'.').is_some() {
        let fraction = text.get(at + 1..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=9).contains(&fraction) {
            return None;
        }
        nanos = digits(at + 1, at + 1 + fraction)? * 10_i64.pow(9 - u32::try_from(fraction).ok()?);
        at += 1 + fraction;
    }
    let offset = match text.get(at)? {
        b'Z' => {
            at += 1;
            0
        }
        sign @ (b'+' | b'-') => {
            is(at + 3, b':')?;
            let offset = digits(at + 1, at + 3)? * 3_600 + digits(at + 4, at + 6)? * 60;
            at += 6;
            if *sign == b'+' { offset } else { -offset }
        }
        _ => return None,
    };
    is(at, b' ')?;
    // Days since the epoch. Source: Howard Hinnant, `days_from_civil`.
    let (y, m) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let (era, of_era) = (y / 400, y % 400);
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * m + 2) / 5 + day - 1 - 719_468;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    Some((seconds.checked_mul(1_000_000_000)?.checked_add(nanos)?, at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const T1: &str = "2026-11-25T02:26:41.909059280Z ";
    const T2: &str = "2026-11-25T02:26:42.000000001Z ";

    fn frame(kind: u8, text: &[u8]) -> Vec<u8> {
        let len = u32::try_from(text.len()).unwrap().to_be_bytes();
        [&[kind, 0, 0, 0], &len[..], text].concat()
    }

    /// The lines, however the bytes are cut.
    fn lines(is_bare: bool, bytes: &[u8]) -> Vec<Line> {
        lines_as(Long::Cut, is_bare, bytes)
    }

    fn lines_as(long: Long, is_bare: bool, bytes: &[u8]) -> Vec<Line> {
        let read = |step: usize| {
            let (mut decoder, mut lines) = (Decoder::new(is_bare, long), Vec::new());
            for chunk in bytes.chunks(step) {
                decoder.push(chunk, &mut lines).unwrap();
            }
            decoder.end(&mut lines);
            lines
        };
        let whole = read(usize::MAX);
        for step in [1, 7, 64, 5_000] {
            assert_eq!(read(step), whole, "in steps of {step}");
        }
        whole
    }

    fn texts(lines: &[Line]) -> Vec<String> {
        lines.iter().map(|line| String::from_utf8_lossy(&line.text).into_owned()).collect()
    }

    #[test]
    fn times_are_read() {
        let read = |text: &str| stamp(text.as_bytes());
        let second = 1_795_573_601_000_000_000;
        assert_eq!(read(T1), Some((second + 909_059_280, 31)));
        assert_eq!(read("2026-11-25T02:26:41Z x"), Some((second, 21)));
        assert_eq!(read("2026-11-25T03:26:41.5+01:00 "), Some((second + 500_000_000, 28)));
        assert_eq!(read("1970-01-01T00:00:00Z "), Some((0, 21)));
        for none in [
            "",
            "2026",
            "2026-13-25T02:26:41Z ",
            "2026-11-25T02:26:41Z",
            "x026-11-25T02:26:41Z ",
            "2026-11-25T02:26:41.Z ",
        ] {
            assert_eq!(read(none), None, "{none}");
        }
        let now = jiff::Timestamp::now();
        let told = format!("{} ", now.strftime("%Y-%m-%dT%H:%M:%S.%9fZ"));
        assert_eq!(read(&told).map(|(at, _)| i128::from(at)), Some(now.as_nanosecond()));
    }

    #[test]
    fn s062_pieces_of_a_line_are_joined() {
        let long = "x".repeat(PIECE);
        let bytes = [
            frame(1, format!("{T1}{long}").as_bytes()),
            frame(2, format!("{T1}between\n").as_bytes()),
            frame(1, format!("{T1}{long}").as_bytes()),
            frame(1, format!("{T1}end\n").as_bytes()),
            frame(1, format!("{T2}never ended").as_bytes()),
            frame(1, format!("{T1}next\n\n").as_bytes()),
        ]
        .concat();
        let found = lines(false, &bytes);
        assert_eq!(
            texts(&found),
            ["between".into(), format!("{long}{long}end"), "never ended".into(), "next".into(), String::new()]
        );
        assert!(found.iter().all(|line| line.lacks == 0 && !line.is_open));
        let bare = format!("{T1}{long}{T1}{long}{T1}end\r\n{T2}next\r\n{T2}{long}{T1}other\r\n{T1}a\rb");
        let found = lines(true, bare.as_bytes());
        assert_eq!(
            texts(&found),
            [format!("{long}{long}end\r"), "next\r".into(), long.clone(), "other\r".into(), "a\rb".into()]
        );
    }

    #[test]
    fn s062_a_line_without_end_is_cut() {
        let piece = frame(1, format!("{T1}{}", "x".repeat(PIECE)).as_bytes());
        let bytes =
            [piece.repeat(40), frame(1, format!("{T1}\n{T2}").as_bytes()), frame(1, format!("{T2}next\n").as_bytes())]
                .concat();
        let found = lines(false, &bytes);
        let lacks = |found: &[Line]| found.iter().map(|line| (line.text.len(), line.lacks)).collect::<Vec<_>>();
        let over = |len: usize| u64::try_from(len - LINE).unwrap();
        assert_eq!(lacks(&found), [(LINE, over(40 * PIECE)), (31, 0), (4, 0)]);
        let giant = frame(1, format!("{T1}{}\n", "y".repeat(FRAME * 2)).as_bytes());
        let bytes = [giant, frame(1, format!("{T2}next\n").as_bytes())].concat();
        assert_eq!(lacks(&lines(false, &bytes)), [(LINE, over(FRAME * 2)), (4, 0)]);
    }

    #[test]
    fn s062_a_long_line_comes_in_pieces_where_all_of_it_is_asked_for() {
        let piece = |text: &str| frame(1, format!("{T1}{text}").as_bytes());
        let long = "x".repeat(PIECE);
        let framed = [piece(&long).repeat(40), frame(2, format!("{T1}between\n").as_bytes()), piece("end\nnext\n")];
        let giant = piece(&format!("{}end\nnext\n", long.repeat(FRAME * 2 / PIECE)));
        let bare = format!("{}{T1}end\n{T2}next\n", format!("{T1}{long}").repeat(40)).into_bytes();
        for (is_bare, bytes, len) in
            [(false, framed.concat(), 40 * PIECE), (false, giant, FRAME * 2), (true, bare, 40 * PIECE)]
        {
            let found: Vec<Line> = lines_as(Long::Pieces, is_bare, &bytes);
            let found: Vec<&Line> = found.iter().filter(|line| line.out == Out::Stdout).collect();
            let [first, .., last, next] = found.as_slice() else { panic!("{} lines", found.len()) };
            assert!(!first.is_rest && first.goes_on && last.is_rest && !last.goes_on && last.text.ends_with(b"end"));
            assert!(!next.is_rest && next.text == "next");
            assert_eq!(found.iter().map(|line| line.text.len()).sum::<usize>(), len + "endnext".len());
            assert!(found.iter().all(|line| line.lacks == 0 && line.text.len() <= LINE));
        }
    }

    #[test]
    fn s029_what_is_no_text_stays_as_it_is() {
        let bytes = [frame(1, &[T1.as_bytes(), &[0xff, 0xfe, b'\n']].concat())].concat();
        assert_eq!(lines(false, &bytes)[0].text, &[0xff, 0xfe][..]);
    }

    #[test]
    fn what_is_no_frame_is_told() {
        let push = |bytes: &[u8]| Decoder::new(false, Long::Cut).push(bytes, &mut Vec::new());
        assert_eq!(push(b"plain text"), Err(Broken::NoFrames));
        assert_eq!(
            push(&frame(3, b"Error grabbing logs: gone\n")),
            Err(Broken::Said("Error grabbing logs: gone".into()))
        );
    }

    #[test]
    fn what_has_no_end_yet_is_there_to_see() {
        let mut decoder = Decoder::new(false, Long::Cut);
        let mut lines = Vec::new();
        decoder.push(&frame(1, format!("{T1}half").as_bytes()), &mut lines).unwrap();
        assert!(lines.is_empty());
        assert_eq!(decoder.open().map(|line| (line.text, line.is_open)).collect::<Vec<_>>(), [("half".into(), true)]);
    }
}
