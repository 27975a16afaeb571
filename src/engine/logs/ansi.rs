//! Colours out of what a terminal would obey (S026): of its commands, those that set colours are kept as data, and all
//! others are dropped. Control characters stay as they are, for the page to show as symbols.

use std::borrow::Cow;

use anstyle_parse::{Params, Parser, Perform, Utf8Parser};

/// How text looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// Its colour: one of the terminal's 256; none for the page's own.
    pub ink: Option<u8>,
    /// The colour behind it.
    pub paper: Option<u8>,
    /// Bold.
    pub bold: bool,
    /// Weaker than the rest.
    pub dim: bool,
    /// Leaning.
    pub italic: bool,
    /// With a line below.
    pub underline: bool,
    /// With a line through it.
    pub strike: bool,
    /// Its colour and the one behind it changed for each other.
    pub inverse: bool,
}

/// Text as it is read, and from where on it looks how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Painted<'a> {
    /// Without any command.
    pub text: Cow<'a, str>,
    /// From this byte of the text on, this style; in order, the first at 0.
    pub spans: Vec<(usize, Style)>,
}

/// What reads the lines of one stream, one after the other: a colour lasts until another is set.
#[derive(Debug, Clone, Copy, Default)]
pub struct Painter {
    style: Style,
}

struct Sink {
    text: String,
    style: Style,
    spans: Vec<(usize, Style)>,
}

impl Painter {
    /// The next line.
    pub fn paint<'a>(&mut self, line: &'a [u8]) -> Painted<'a> {
        if memchr::memchr(0x1b, line).is_none() {
            return Painted { text: String::from_utf8_lossy(line), spans: vec![(0, self.style)] };
        }
        let mut sink =
            Sink { text: String::with_capacity(line.len()), style: self.style, spans: vec![(0, self.style)] };
        // What a line leaves open ends with it: the next one must not be swallowed.
        let mut parser = Parser::<Utf8Parser>::new();
        for byte in String::from_utf8_lossy(line).bytes() {
            parser.advance(&mut sink, byte);
        }
        self.style = sink.style;
        Painted { text: sink.text.into(), spans: sink.spans }
    }
}

/// A line without any command of a terminal: what is searched.
pub fn plain(line: &[u8]) -> Cow<'_, str> {
    Painter::default().paint(line).text
}

impl Sink {
    fn restyle(&mut self) {
        let (at, style) = (self.text.len(), self.style);
        match self.spans.last_mut() {
            Some(last) if last.0 == at => last.1 = style,
            Some(last) if last.1 == style => {}
            _ => self.spans.push((at, style)),
        }
    }

    fn select(&mut self, params: &Params) {
        let style = &mut self.style;
        // With colons or with semicolons: `38:5:1`, `38:2::1:2:3`, `38;5;1`.
        let mut each = params.iter();
        while let Some(param) = each.next() {
            let Some((code, of_it)) = param.split_first() else { continue };
            match code {
                0 => *style = Style::default(),
                1 => style.bold = true,
                2 => style.dim = true,
                3 => style.italic = true,
                4 => style.underline = of_it.first() != Some(&0),
                7 => style.inverse = true,
                9 => style.strike = true,
                21 | 22 => (style.bold, style.dim) = (false, false),
                23 => style.italic = false,
                24 => style.underline = false,
                27 => style.inverse = false,
                29 => style.strike = false,
                39 => style.ink = None,
                49 => style.paper = None,
                30..=37 => style.ink = u8::try_from(code - 30).ok(),
                40..=47 => style.paper = u8::try_from(code - 40).ok(),
                90..=97 => style.ink = u8::try_from(code - 82).ok(),
                100..=107 => style.paper = u8::try_from(code - 92).ok(),
                38 | 48 => {
                    let rest: Vec<u16> = if of_it.is_empty() {
                        let mut next = || each.next().and_then(|param| param.first().copied());
                        match next() {
                            Some(5) => [5].into_iter().chain(next()).collect(),
                            Some(2) => [2].into_iter().chain(next()).chain(next()).chain(next()).collect(),
                            _ => Vec::new(),
                        }
                    } else {
                        of_it.to_vec()
                    };
                    let Some(colour) = colour(&rest) else { continue };
                    *(if *code == 38 { &mut style.ink } else { &mut style.paper }) = Some(colour);
                }
                _ => {}
            }
        }
        self.restyle();
    }
}

/// One of the 256 out of `5;N`, `2;R;G;B` or `2;space;R;G;B`.
fn colour(params: &[u16]) -> Option<u8> {
    let byte = |value: u16| u8::try_from(value).ok();
    match *params {
        [5, index, ..] => byte(index),
        [2, r, g, b] | [2, _, r, g, b, ..] => Some(nearest(byte(r)?, byte(g)?, byte(b)?)),
        _ => None,
    }
}

/// The nearest of the 6 x 6 x 6 colours and the greys. Source: xterm, `256colres.pl`.
fn nearest(r: u8, g: u8, b: u8) -> u8 {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let step = |value: u8| (0_u8..).zip(STEPS).min_by_key(|(_, step)| step.abs_diff(value)).unwrap_or_default();
    let ((ri, rs), (gi, gs), (bi, bs)) = (step(r), step(g), step(b));
    let far = |one: [u8; 3]| one.iter().zip([r, g, b]).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum::<u32>();
    let mean = (u16::from(r) + u16::from(g) + u16::from(b)) / 3;
    let grey = u8::try_from((mean.max(8) - 8 + 5) / 10).unwrap_or_default().min(23);
    let shade = 8 + 10 * grey;
    if far([shade; 3]) < far([rs, gs, bs]) { 232 + grey } else { 16 + 36 * ri + 6 * gi + bi }
}

impl Perform for Sink {
    fn print(&mut self, c: char) {
        self.text.push(c);
    }

    fn execute(&mut self, byte: u8) {
        self.text.push(char::from(byte));
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], ignore: bool, action: u8) {
        if action == b'm' && intermediates.is_empty() && !ignore {
            self.select(params);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_kept_and_nothing_else() {
        let mut painter = Painter::default();
        let line = b"a\x1b[31mred\x1b[1;38;5;200mb\x1b[0m c\x1b[2J\x1b]0;title\x07d\x1b]52;c;aGk=\x1b\\e\x1bPq\x1b\\f";
        let painted = painter.paint(line);
        assert_eq!(painted.text, "aredb cdef");
        let red = Style { ink: Some(1), ..Style::default() };
        let bold = Style { ink: Some(200), bold: true, ..Style::default() };
        assert_eq!(painted.spans, [(0, Style::default()), (1, red), (4, bold), (5, Style::default())]);
    }

    #[test]
    fn a_colour_lasts_over_lines_and_what_is_open_does_not() {
        let mut painter = Painter::default();
        painter.paint(b"\x1b[32mgreen\x1b]0;never ended");
        let painted = painter.paint(b"still");
        assert_eq!(painted.text, "still");
        assert_eq!(painted.spans, [(0, Style { ink: Some(2), ..Style::default() })]);
    }

    #[test]
    fn colours_beyond_the_256_become_the_nearest() {
        let ink = |line: &[u8]| Painter::default().paint(line).spans.last().and_then(|(_, style)| style.ink);
        assert_eq!(ink(b"\x1b[38;2;255;0;0mx"), Some(196));
        assert_eq!(ink(b"\x1b[38:2::255:0:0mx"), Some(196));
        assert_eq!(ink(b"\x1b[38;2;128;128;128mx"), Some(244));
        assert_eq!(ink(b"\x1b[97mx"), Some(15));
        assert_eq!(ink(b"\x1b[38;5;999mx"), None);
        assert_eq!(ink(b"\x1b[38mx"), None);
    }

    #[test]
    fn s029_what_is_no_text_is_shown_as_such() {
        assert_eq!(plain(&[b'a', 0xff, 0xfe, b'b']), "a\u{fffd}\u{fffd}b");
        assert_eq!(plain(b"\x1b[1mcut \xe2\x82"), "cut \u{fffd}");
        assert_eq!(plain("\u{1b}[1m漢\u{1b}[0m".as_bytes()), "漢");
    }
}
