//! A line as it is shown: colours as classes (no style of its own: CSP), control characters as symbols, what was found
//! marked. The one drawing for pages, windows, streams and searches.

use std::{collections::HashMap, fmt::Write as _, ops::Range};

use askama::{Template, filters::Escaper as _};

use super::asked::Source;
use crate::{
    engine::{Cursor, Found, Level, Matcher, Out, Painted, Painter, Style},
    web::html::{Visible, bytes},
};

/// The longest text that is shown of a line, in bytes; a download has all of it.
const SHOWN: usize = 128 << 10;
/// The most places that are marked in a line.
const MARKS: usize = 200;

/// A line of the list.
#[derive(Template)]
#[template(path = "containers/logs/_line.html")]
struct Row<'a> {
    key: &'a Cursor,
    /// The same line in its container's own log.
    own: Cursor,
    path: Option<String>,
    time: &'a str,
    clock: &'a str,
    is_err: bool,
    is_here: bool,
    level: Option<&'static str>,
    name: Option<&'a str>,
    colour: u16,
    text: String,
}

/// A line that is drawn.
pub struct Drawn {
    /// When, as RFC 3339 with nanoseconds.
    pub time: String,
    /// How grave it is.
    pub level: Option<Level>,
    /// Its element.
    pub html: String,
}

/// What draws the lines of a window or a stream, in their order: colours last from line to line.
pub struct Pen<'a> {
    sources: &'a [Source],
    matcher: Option<&'a Matcher>,
    here: Option<Cursor>,
    is_short: bool,
    painters: HashMap<(u16, Out), Painter>,
}

impl<'a> Pen<'a> {
    /// For lines of these.
    pub fn new(sources: &'a [Source]) -> Self {
        Self { sources, matcher: None, here: None, is_short: false, painters: HashMap::new() }
    }

    /// That marks what is searched for.
    pub fn marking(self, matcher: Option<&'a Matcher>) -> Self {
        Self { matcher, ..self }
    }

    /// That shows where a link led to.
    pub fn at(self, here: Option<Cursor>) -> Self {
        Self { here, ..self }
    }

    /// That draws the words alone: what stands before them, the page's script draws itself.
    pub fn short(self) -> Self {
        Self { is_short: true, ..self }
    }

    /// The next line.
    pub fn draw(&mut self, found: &Found) -> Drawn {
        let Found { cursor, line } = found;
        let written = trimmed(&line.text);
        let painter = self.painters.entry((cursor.source, line.out)).or_default();
        let Painted { text, spans } = painter.paint(written);
        let level = Level::of(&text);
        let source = self.sources.get(usize::from(cursor.source));
        let is_terminal = source.is_some_and(|source| source.is_terminal);
        // A terminal shows what was written last over what stood there.
        let from = if is_terminal { text.rfind('\r').map_or(0, |at| at + 1) } else { 0 };
        let marks = self.matcher.map(|matcher| matcher.ranges(&text, MARKS)).unwrap_or_default();
        let mut shown = String::with_capacity(text.len() + 64);
        if from > 0 {
            shown.push_str("<i class=\"cr\" title=\"written over what stood here\">␍</i>");
        }
        let end = boundary(&text, from.saturating_add(SHOWN));
        paint(&mut shown, &text, from..end, &spans, &marks);
        let more = u64::try_from(text.len() - end).unwrap_or_default() + line.lacks;
        if more > 0 {
            // Writing to a String cannot fail.
            let _ = write!(
                shown,
                "<i class=\"cut\" data-more=\"{more}\" title=\"A download has all of it.\"> … {} more</i>",
                bytes(more)
            );
        }
        let time = stamp(line.time());
        let row = Row {
            key: cursor,
            own: cursor.own(),
            path: source.filter(|_| !self.is_short).map(|source| format!("/containers/{}/logs", source.id)),
            clock: time.get(11..23).unwrap_or_default(),
            time: &time,
            is_err: line.out == Out::Stderr,
            is_here: self.here == Some(*cursor),
            level: level.map(Level::word),
            name: source.filter(|_| self.sources.len() > 1).map(|source| source.name.as_str()),
            colour: cursor.source % 8,
            text: shown,
        };
        let html = row.render().unwrap_or_default();
        let html = html.trim_end().to_owned();
        Drawn { time, level, html }
    }

    /// Its words without anything else, for scripts.
    pub fn plain(found: &Found) -> String {
        crate::engine::plain(trimmed(&found.line.text)).into_owned()
    }
}

/// A moment as RFC 3339, always with nine digits of a second.
pub fn stamp(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%9fZ").to_string()
}

/// Without the returns of a terminal's line end.
fn trimmed(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| *byte != b'\r').map_or(0, |at| at + 1);
    text.get(..end).unwrap_or(text)
}

fn boundary(text: &str, at: usize) -> usize {
    (at..=at + 3).find(|at| text.is_char_boundary(*at)).map_or(text.len(), |at| at.min(text.len()))
}

fn paint(out: &mut String, text: &str, shown: Range<usize>, spans: &[(usize, Style)], marks: &[Range<usize>]) {
    let mut at = shown.start;
    let mut marks = marks.iter().filter(|mark| mark.end > shown.start && mark.start < shown.end).peekable();
    let mut index = spans.partition_point(|(from, _)| *from <= at).saturating_sub(1);
    while at < shown.end {
        while spans.get(index + 1).is_some_and(|(from, _)| *from <= at) {
            index += 1;
        }
        while marks.peek().is_some_and(|mark| mark.end <= at) {
            marks.next();
        }
        let style = spans.get(index).map(|(_, style)| *style).unwrap_or_default();
        let next = spans.get(index + 1).map_or(shown.end, |(from, _)| *from);
        let (is_marked, edge) = match marks.peek() {
            Some(mark) if mark.start <= at => (true, mark.end),
            Some(mark) => (false, mark.start),
            None => (false, shown.end),
        };
        let end = next.min(edge).min(shown.end);
        let piece = text.get(at..end).unwrap_or_default();
        let is_styled = classes(out, style);
        out.push_str(if is_marked { "<mark>" } else { "" });
        // Writing to a String cannot fail.
        let _ = Visible.write_escaped_str(&mut *out, piece);
        out.push_str(if is_marked { "</mark>" } else { "" });
        out.push_str(if is_styled { "</span>" } else { "" });
        if end <= at {
            return;
        }
        at = end;
    }
}

/// Begins a span with a style's classes, where it has one.
fn classes(out: &mut String, style: Style) -> bool {
    if style == Style::default() {
        return false;
    }
    out.push_str("<span class=\"");
    let flags = [
        (style.bold, "bo "),
        (style.dim, "di "),
        (style.italic, "it "),
        (style.underline, "un "),
        (style.strike, "st "),
        (style.inverse, "iv "),
    ];
    flags.iter().filter(|(is, _)| *is).for_each(|(_, class)| out.push_str(class));
    // Writing to a String cannot fail.
    if let Some(ink) = style.ink {
        let _ = write!(out, "f{} ", sixteen(ink));
    }
    if let Some(paper) = style.paper {
        let _ = write!(out, "b{}", sixteen(paper));
    }
    out.truncate(out.trim_end().len());
    out.push_str("\">");
    true
}

/// The nearest of a terminal's sixteen colours, which the page has in a light and a dark shade each, all to be read on
/// its paper; the other 240 are not. Source of their values: xterm, `256colres.pl`.
fn sixteen(colour: u8) -> u8 {
    let (r, g, b) = match colour {
        0..16 => return colour,
        16..232 => {
            let step = |n: u8| if n == 0 { 0 } else { 55 + 40 * i32::from(n) };
            let n = colour - 16;
            (step(n / 36), step(n / 6 % 6), step(n % 6))
        }
        232.. => {
            return match colour {
                ..238 => 0,
                238..244 => 8,
                244..252 => 7,
                252.. => 15,
            };
        }
    };
    let (most, least) = (r.max(g).max(b), r.min(g).min(b));
    if most - least < 48 {
        return match most {
            0..64 => 0,
            64..140 => 8,
            140..225 => 7,
            _ => 15,
        };
    }
    let on = |value: i32| u8::from(value * 2 > most + least);
    let hue = on(r) | on(g) << 1 | on(b) << 2;
    if most > 215 { hue + 8 } else { hue }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::engine::{LogLine as Line, Search};

    fn sources(is_terminal: bool) -> Vec<Source> {
        vec![Source { id: "0a".repeat(32).parse().unwrap(), name: "web".into(), is_terminal, removed: None }]
    }

    fn found(text: &[u8]) -> Found {
        let line = Line {
            at: 5,
            out: Out::Stdout,
            text: Bytes::copy_from_slice(text),
            lacks: 0,
            is_rest: false,
            goes_on: false,
            is_open: false,
        };
        Found { cursor: "5-1-0-0".parse().unwrap(), line }
    }

    /// What stands between the tags of the text.
    fn text(html: &str) -> String {
        html.split_once("class=\"tx\">").and_then(|(_, rest)| rest.strip_suffix("</span></li>")).unwrap().to_owned()
    }

    #[test]
    fn s026_colours_are_classes_and_nothing_else_comes_through() {
        let sources = sources(false);
        let mut pen = Pen::new(&sources);
        let mut draw = |line: &[u8]| text(&pen.draw(&found(line)).html);
        assert_eq!(draw(b"a \x1b[1;31mb<\x1b[0mc"), "a <span class=\"bo f1\">b&lt;</span>c");
        assert_eq!(draw(b"\x1b[2J\x1b[H\x1b]0;title\x07x\x1b]8;;javascript:alert(1)\x07y\x1b]52;c;aGk=\x07"), "xy");
        assert_eq!(draw(b"\0\x01\x07\x08\x0b\x0c\x0e\x1f\x7f"), "␀␁␇␈␋␌␎␟␡");
        assert_eq!(draw("\u{9b}31m\u{202e}x".as_bytes()), "⟨U+009B⟩31m⟨U+202E⟩x");
        assert_eq!(draw(b"\x1b[38;2;255;0;0mred"), "<span class=\"f9\">red</span>");
        assert_eq!(draw(b"still"), "<span class=\"f9\">still</span>");
        assert!(!pen.draw(&found(b"\x1b[41;30mx")).html.contains("style="));
    }

    #[test]
    fn s030_a_return_makes_no_line_of_its_own() {
        let plain = sources(false);
        assert_eq!(text(&Pen::new(&plain).draw(&found(b"x\rdata: FORGED\r\r")).html), "x␍data: FORGED");
        let terminal = sources(true);
        let drawn = text(&Pen::new(&terminal).draw(&found(b"10%\r20%\r")).html);
        assert!(drawn.ends_with("</i>20%") && !drawn.contains("10%"), "{drawn}");
    }

    #[test]
    fn what_is_found_is_marked_within_colours() {
        let sources = sources(false);
        let matcher = Matcher::new(Search { text: "bc", ..Search::default() }).unwrap();
        let drawn = text(&Pen::new(&sources).marking(Some(&matcher)).draw(&found(b"ab\x1b[31mcd\x1b[0m<bc>")).html);
        assert_eq!(
            drawn,
            "a<mark>b</mark><span class=\"f1\"><mark>c</mark></span><span class=\"f1\">d</span>&lt;<mark>bc</mark>&gt;"
        );
    }

    #[test]
    fn all_colours_are_among_the_sixteen() {
        assert!((0..=255).all(|colour| sixteen(colour) < 16));
        assert_eq!([196, 46, 21, 231, 16, 244, 208].map(sixteen), [9, 10, 12, 15, 0, 7, 11]);
    }
}
