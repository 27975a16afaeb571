//! Which lines of a log are asked for.

use std::{collections::VecDeque, ops::Range};

use regex::{Regex, RegexBuilder};

use super::{
    ansi::plain,
    level::Level,
    line::{Cursor, Found, Line, Out},
};

/// The longest search, in bytes.
const LONGEST: usize = 1_000;
/// Words of one search at most.
const WORDS: usize = 16;
/// What a regular expression may grow to, in bytes.
const SIZE: usize = 1 << 20;

/// Which lines are asked for; all, where nothing is said.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this stream only.
    pub out: Option<Out>,
    /// Of these levels only.
    pub levels: Vec<Level>,
    /// Not before this, in nanoseconds since the epoch.
    pub since: Option<i64>,
    /// Not after this, in nanoseconds since the epoch.
    pub until: Option<i64>,
    /// With this in them.
    pub matcher: Option<Matcher>,
    /// So many lines around each, of a window.
    pub context: usize,
}

impl Filter {
    /// Whether a line is asked for.
    pub fn takes(&self, line: &Line) -> bool {
        self.is_within(line) && self.takes_text(line)
    }

    /// Whether it stands within the time that is asked for.
    pub(super) fn is_within(&self, line: &Line) -> bool {
        self.since.is_none_or(|since| line.at >= since) && self.until.is_none_or(|until| line.at <= until)
    }

    /// Whether it is of the stream that is asked for.
    fn is_of(&self, line: &Line) -> bool {
        self.out.is_none_or(|out| out == line.out)
    }

    /// Whether a line is asked for, whenever it was written.
    pub fn takes_text(&self, line: &Line) -> bool {
        if !self.is_of(line) {
            return false;
        }
        if self.levels.is_empty() && self.matcher.is_none() {
            return true;
        }
        let text = plain(&line.text);
        (self.levels.is_empty() || Level::of(&text).is_some_and(|level| self.levels.contains(&level)))
            && self.matcher.as_ref().is_none_or(|matcher| matcher.takes(&text))
    }

    /// Whether it looks into lines.
    pub(super) fn reads(&self) -> bool {
        self.out.is_some() || !self.levels.is_empty() || self.matcher.is_some()
    }
}

/// Lines that are asked for, with those around each, in the order of the log.
#[derive(Debug)]
pub(super) struct Around<'a> {
    filter: &'a Filter,
    before: VecDeque<Found>,
    /// How many lines behind the last that was asked for are still to come.
    left: usize,
}

impl<'a> Around<'a> {
    pub(super) fn new(filter: &'a Filter) -> Self {
        Self { filter, before: VecDeque::new(), left: 0 }
    }

    /// The next line: what there is to show with it.
    pub(super) fn push(&mut self, cursor: Cursor, line: &Line, mut show: impl FnMut(Found)) {
        let found = || Found { cursor, line: line.alone() };
        if self.filter.takes(line) {
            self.before.drain(..).for_each(&mut show);
            show(found());
            self.left = self.filter.context;
        } else if self.filter.context > 0 && self.filter.is_within(line) && self.filter.is_of(line) {
            if self.left > 0 {
                self.left -= 1;
                return show(found());
            }
            self.before.push_back(found());
            if self.before.len() > self.filter.context {
                self.before.pop_front();
            }
        }
    }

    /// What stood before is shown elsewhere.
    pub(super) fn forget(&mut self) {
        self.before.clear();
    }
}

/// What is searched for.
#[derive(Debug, Clone)]
pub struct Matcher {
    /// All of these have to be there.
    parts: Vec<Regex>,
    is_not: bool,
}

/// Why something cannot be searched for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSearch {
    /// Nothing was typed.
    #[error("there is nothing to search for")]
    Empty,
    /// Longer than anybody types.
    #[error("that is longer than {LONGEST} characters, or more than {WORDS} words")]
    Long,
    /// It is no regular expression.
    #[error("this is no regular expression: {why}")]
    Wrong {
        /// Why not.
        why: String,
        /// Where, in characters from its beginning.
        at: Option<usize>,
    },
    /// It would take too much memory.
    #[error("this regular expression is too large")]
    Broad,
}

/// What is typed, and how it is meant.
#[derive(Debug, Clone, Copy, Default)]
pub struct Search<'a> {
    /// Words, each of which has to be there, or a regular expression.
    pub text: &'a str,
    /// Whether it is a regular expression.
    pub is_regex: bool,
    /// Whether large letters are others than small ones.
    pub has_case: bool,
    /// Whether lines without it are asked for.
    pub is_not: bool,
}

impl Search<'_> {
    /// What has to be in a line: each of the words, or the regular expression.
    pub fn parts(self) -> Vec<String> {
        if self.is_regex { vec![self.text.to_owned()] } else { words(self.text) }
    }
}

impl Matcher {
    /// For what is typed.
    pub fn new(search: Search<'_>) -> Result<Self, InvalidSearch> {
        let Search { text, is_regex, has_case, is_not } = search;
        if text.trim().is_empty() {
            return Err(InvalidSearch::Empty);
        }
        let parts = search.parts().into_iter();
        let words: Vec<String> = parts.map(|part| if is_regex { part } else { regex::escape(&part) }).collect();
        if text.len() > LONGEST || words.len() > WORDS {
            return Err(InvalidSearch::Long);
        }
        let build = |pattern: &String| {
            let built =
                RegexBuilder::new(pattern).case_insensitive(!has_case).size_limit(SIZE).dfa_size_limit(SIZE).build();
            built.map_err(|error| match error {
                regex::Error::CompiledTooBig(_) => InvalidSearch::Broad,
                other => wrong(pattern, &other.to_string()),
            })
        };
        let parts = words.iter().map(build).collect::<Result<_, _>>()?;
        Ok(Self { parts, is_not })
    }

    /// Whether a plain line is what is searched for.
    pub fn takes(&self, text: &str) -> bool {
        self.parts.iter().all(|part| part.is_match(text)) != self.is_not
    }

    /// What of it there is in a piece of a line, from some place on: a pattern sees what stands before that, so that
    /// only the first piece has the line's beginning. Only the last has its end: what reaches to that of another may go on.
    fn look(&self, text: &str, from: usize, is_last: bool, seen: &mut Seen) {
        for (part, is_seen) in self.parts.iter().zip(&mut seen.0) {
            *is_seen |= part.find_at(text, from).is_some_and(|found| is_last || found.end() < text.len());
        }
    }

    /// Where in a plain line it is: in order, none over another; the first `most`.
    pub fn ranges(&self, text: &str, most: usize) -> Vec<Range<usize>> {
        if self.is_not {
            return Vec::new();
        }
        let found = self.parts.iter().flat_map(|part| part.find_iter(text).map(|found| found.range()).take(most));
        let mut found: Vec<_> = found.filter(|range| !range.is_empty()).collect();
        found.sort_by_key(|range| (range.start, range.end));
        found.dedup_by(|next, before| {
            let touches = next.start <= before.end;
            if touches {
                before.end = before.end.max(next.end);
            }
            touches
        });
        found.truncate(most);
        found
    }
}

/// Which parts of what is searched for have been seen in a line.
#[derive(Debug, Default)]
struct Seen([bool; WORDS]);

/// How much of the end of a piece is looked at again with the next, in bytes: more than is typed, and than most find.
const AGAIN: usize = 8 << 10;

/// A search through a line that is too long to be held, piece by piece.
#[derive(Debug, Default)]
pub struct LongSearch {
    seen: Seen,
    before: Vec<u8>,
    /// Whether the line began before that.
    is_later: bool,
}

impl LongSearch {
    /// The next piece; after the last one, whether the line is what is searched for.
    pub fn push(&mut self, matcher: &Matcher, piece: &Line) -> Option<bool> {
        self.before.extend_from_slice(&piece.text);
        let whole = plain(&self.before);
        // Not at its beginning, where that is not the line's.
        let from = usize::from(self.is_later);
        let from = (from..whole.len()).find(|at| whole.is_char_boundary(*at)).unwrap_or(whole.len());
        matcher.look(&whole, from, !piece.goes_on, &mut self.seen);
        if piece.goes_on {
            let end = self.before.len().saturating_sub(AGAIN);
            self.before.drain(..end);
            self.is_later |= end > 0;
            return None;
        }
        let is_all = self.seen.0.iter().take(matcher.parts.len()).all(|is_seen| *is_seen);
        Some(is_all != matcher.is_not)
    }
}

/// The words of a search; what stands in quotes is one.
fn words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
            Some(quoted) => quoted,
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        if !word.is_empty() {
            found.push(word.to_owned());
        }
        rest = after.trim_start();
    }
    if found.is_empty() { vec![text.trim().to_owned()] } else { found }
}

/// Why a pattern is none, and where: the crate draws it over several lines, with a mark below the place.
fn wrong(pattern: &str, drawn: &str) -> InvalidSearch {
    let why = drawn.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
    let mark = drawn.lines().find(|line| line.trim_start().starts_with('^'));
    let at = mark.and_then(|line| line.find('^')).map(|column| column.saturating_sub(4));
    InvalidSearch::Wrong { why, at: at.filter(|at| *at <= pattern.chars().count()) }
}

#[cfg(test)]
mod tests {
    use super::{super::line::LINE, *};

    fn search(text: &str) -> Search<'_> {
        Search { text, ..Search::default() }
    }

    #[test]
    fn words_all_have_to_be_there() {
        let takes = |what: Search<'_>, line: &str| Matcher::new(what).unwrap().takes(line);
        assert!(takes(search("disk FULL"), "the Disk is full"));
        assert!(!takes(search("disk full"), "the disk is empty"));
        assert!(takes(search("\"is full\" disk"), "the disk is full"));
        assert!(!takes(search("\"full is\""), "the disk is full"));
        assert!(!takes(Search { has_case: true, ..search("Disk") }, "the disk"));
        assert!(takes(Search { is_not: true, ..search("Disk") }, "the cpu"));
        assert!(takes(search("a.c"), "a.c") && !takes(search("a.c"), "abc"));
        assert!(takes(Search { is_regex: true, ..search("a.c$") }, "xabc"));
        assert!(takes(search("\""), "a \" b"));
    }

    #[test]
    fn s062_a_long_line_is_searched_in_pieces() {
        let takes = |what: Search<'_>, pieces: &[&str]| {
            let (matcher, mut search) = (Matcher::new(what).unwrap(), LongSearch::default());
            let answers = pieces.iter().enumerate().map(|(at, text)| {
                let text = bytes::Bytes::copy_from_slice(text.as_bytes());
                let goes_on = at + 1 < pieces.len();
                let line = Line { at: 5, out: Out::Stdout, text, lacks: 0, is_rest: at > 0, goes_on, is_open: false };
                search.push(&matcher, &line)
            });
            let answers: Vec<Option<bool>> = answers.collect();
            let (last, before) = answers.split_last().unwrap();
            assert!(before.iter().all(Option::is_none));
            last.unwrap()
        };
        let regex = |text| Search { is_regex: true, ..search(text) };
        let long = "y".repeat(LINE);
        let pieces = [long.as_str(), &long, "yENDVERY", "LONG"];
        assert!(takes(search("endverylong"), &pieces) && takes(search("yy long"), &pieces));
        assert!(!takes(search("yy short"), &pieces));
        assert!(takes(Search { is_not: true, ..search("yy short") }, &pieces));
        assert!(takes(regex("^y+E"), &["y", "yE"]) && takes(regex("LONG$"), &pieces));
        assert!(!takes(regex("^L"), &pieces) && !takes(regex("y$"), &pieces) && !takes(regex("VERY$"), &pieces));
    }

    #[test]
    fn what_is_found_is_marked() {
        let matcher = Matcher::new(search("ab bc")).unwrap();
        assert_eq!(matcher.ranges("abc ab", 10), [0..3, 4..6]);
        assert_eq!(matcher.ranges("abc ab", 1), vec![0..3; 1]);
    }

    #[test]
    fn s063_what_cannot_be_searched_is_told() {
        let wrong = |text: &str| Matcher::new(Search { is_regex: true, ..search(text) }).map(|_| ()).unwrap_err();
        assert!(matches!(wrong("a(b"), InvalidSearch::Wrong { at: Some(1), .. }), "{:?}", wrong("a(b"));
        assert_eq!(wrong(r"\w{1000}{1000}"), InvalidSearch::Broad);
        assert_eq!(wrong("  "), InvalidSearch::Empty);
        assert_eq!(wrong(&"x".repeat(1_001)), InvalidSearch::Long);
        // Linear, whatever is asked.
        let matcher = Matcher::new(Search { is_regex: true, ..search("(a+)+$") }).unwrap();
        assert!(!matcher.takes(&format!("{}b", "a".repeat(100_000))));
    }
}
