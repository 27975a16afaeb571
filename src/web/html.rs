//! What templates print with: escaping that leaves nothing invisible, and sizes and times as people read them.

use std::fmt::{self, Write as _};

use askama::{Template, filters::Escaper};
use axum::response::Html;
use jiff::{SignedDuration, Timestamp};

use super::Error;

/// Draws a template. One that cannot be drawn is a fault of ours.
pub fn html(template: &impl Template) -> Result<Html<String>, Error> {
    template.render().map(Html).map_err(|error| {
        tracing::error!(error = error.to_string(), "a template could not be drawn");
        Error::ours()
    })
}

/// Escapes HTML and shows as symbols what a screen would hide or obey: control characters, marks that turn the
/// writing direction, characters without width (S023, S030, S032). Line ends and tabs stay.
#[derive(Debug, Clone, Copy)]
pub struct Visible;

impl Escaper for Visible {
    fn write_escaped_str<W: fmt::Write>(&self, mut out: W, text: &str) -> fmt::Result {
        let plain = |b: u8| matches!(b, b'\n' | b'\t' | b' '..=b'~') && !b"<>&\"'".contains(&b);
        if text.bytes().all(plain) {
            return out.write_str(text);
        }
        for c in text.chars() {
            match c {
                '<' => out.write_str("&lt;")?,
                '>' => out.write_str("&gt;")?,
                '&' => out.write_str("&amp;")?,
                '"' => out.write_str("&quot;")?,
                '\'' => out.write_str("&#39;")?,
                '\n' | '\t' => out.write_char(c)?,
                // The block of control pictures stands in the order of the control characters.
                '\0'..='\u{1f}' => out.write_char(char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'))?,
                '\u{7f}' => out.write_char('\u{2421}')?,
                _ if is_hidden(c) => write!(out, "\u{27e8}U+{:04X}\u{27e9}", c as u32)?,
                _ => out.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Source: Unicode, `DerivedCoreProperties.txt`, `Default_Ignorable_Code_Point`; line ends and annotations beside. The two
/// marks that say whether a sign is drawn in colours (U+FE0E, U+FE0F) hide nothing.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/// Bytes as people read them, in the units of `docker stats`: `34.2 MiB`.
pub fn bytes(count: impl Into<Number>) -> String {
    let Number(count) = count.into();
    let mut unit = 0;
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut value = count as f64;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let unit_name = UNITS.get(unit).unwrap_or(&"");
    match value {
        _ if unit == 0 => format!("{count} B"),
        v if v < 10.0 => format!("{v:.2} {unit_name}"),
        v if v < 100.0 => format!("{v:.1} {unit_name}"),
        v => format!("{v:.0} {unit_name}"),
    }
}

/// A moment, or a reference to one, to one of those: templates hand on whatever they have.
pub trait Moment {
    /// The moment itself.
    fn moment(&self) -> Timestamp;
}

impl Moment for Timestamp {
    fn moment(&self) -> Timestamp {
        *self
    }
}

impl<T: Moment + ?Sized> Moment for &T {
    fn moment(&self) -> Timestamp {
        (**self).moment()
    }
}

/// How long ago, in one unit: `3 d`. `app.js` keeps it fresh by the same steps. Coarse below a minute, so that
/// drawing it again a moment later changes nothing.
pub fn age(now: impl Moment, then: impl Moment) -> String {
    span(now.moment().duration_since(then.moment()))
}

/// The same in a sentence: `3 d ago`.
pub fn ago(now: impl Moment, then: impl Moment) -> String {
    match age(now, then) {
        just if just == "just now" => just,
        age => format!("{age} ago"),
    }
}

/// A length of time in one unit.
pub fn span(length: SignedDuration) -> String {
    let seconds = length.as_secs().max(0);
    match seconds {
        ..10 => "just now".to_owned(),
        10..60 => format!("{} s", seconds / 10 * 10),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        86_400..5_184_000 => format!("{} d", seconds / 86_400),
        5_184_000..63_072_000 => format!("{} mo", seconds / 2_592_000),
        _ => format!("{} y", seconds / 31_536_000),
    }
}

/// A moment for `<time>`: what machines read and what shows on hover.
pub fn exact(at: impl Moment) -> String {
    at.moment().strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A moment for the `datetime` attribute.
pub fn datetime(at: impl Moment) -> String {
    at.moment().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The time of day, UTC; `app.js` makes it the reader's own.
pub fn clock(at: impl Moment) -> String {
    at.moment().strftime("%H:%M:%S").to_string()
}

/// A count of any width, or a reference to one.
pub struct Number(u64);

macro_rules! number {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Number {
            fn from(number: $kind) -> Self {
                Self(u64::try_from(number.to_owned()).unwrap_or(u64::MAX))
            }
        }
    )*};
}
number!(usize, u64, &usize, &u64);

/// `1 container`, `2 containers`.
pub fn count(number: impl Copy + Into<Number>, thing: &str) -> String {
    let Number(number) = number.into();
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// JSON as a tree to unfold. Foreign text goes through the same escaper as everything else.
pub fn tree(value: &serde_json::Value) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = branch(&mut out, None, value, 0);
    out
}

/// How deep a tree is drawn. What is deeper is shown as text.
const DEPTH: usize = 24;

fn branch(out: &mut String, key: Option<&str>, value: &serde_json::Value, depth: usize) -> fmt::Result {
    use serde_json::Value;
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) if depth < DEPTH => map.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(list) if depth < DEPTH => {
            list.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect()
        }
        leaf => {
            let class = if leaf.is_string() { "str" } else { "lit" };
            out.write_str("<div class=\"leaf\">")?;
            label(out, key)?;
            write!(out, ": <span class=\"{class}\">")?;
            Visible.write_escaped_str(&mut *out, &leaf.to_string())?;
            return out.write_str("</span></div>");
        }
    };
    let Some(name) = key else {
        return children.iter().try_for_each(|(key, value)| branch(out, Some(key), value, depth + 1));
    };
    let (open, close) = if value.is_array() { ('[', ']') } else { ('{', '}') };
    if children.is_empty() {
        out.write_str("<div class=\"leaf\">")?;
        label(out, key)?;
        return write!(out, ": <span class=\"lit\">{open}{close}</span></div>");
    }
    write!(out, "<details{}><summary>", if name == "State" { " open" } else { "" })?;
    label(out, key)?;
    write!(out, " <span class=\"sub\">{open}{}{close}</span></summary>", children.len())?;
    children.iter().try_for_each(|(key, value)| branch(out, Some(key), value, depth + 1))?;
    out.write_str("</details>")
}

fn label(out: &mut String, key: Option<&str>) -> fmt::Result {
    out.write_str("<span class=\"k\">")?;
    Visible.write_escaped_str(&mut *out, key.unwrap_or_default())?;
    out.write_str("</span>")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let mut out = String::new();
        Visible.write_escaped_str(&mut out, text).map(|()| out).unwrap_or_default()
    }

    #[test]
    fn s023_nothing_hides_and_nothing_is_markup() {
        assert_eq!(shown("a <b> & \"c\" 'd'"), "a &lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;");
        assert_eq!(shown("x\u{202e}y\u{200b}"), "x⟨U+202E⟩y⟨U+200B⟩");
        assert_eq!(shown("\x1b]52;c;aGk=\x07\r\0"), "␛]52;c;aGk=␇␍␀");
        assert_eq!(shown("line\nnext\tcell é 漢"), "line\nnext\tcell é 漢");
        assert_eq!(shown("\u{85}\u{9b}31m"), "⟨U+0085⟩⟨U+009B⟩31m");
        assert_eq!(
            shown("a\u{3164}\u{e0121}\u{34f}b \u{2764}\u{fe0f}"),
            "a⟨U+3164⟩⟨U+E0121⟩⟨U+034F⟩b \u{2764}\u{fe0f}"
        );
    }

    #[test]
    fn sizes_and_ages_have_units() {
        assert_eq!([0_u64, 999, 1_048_576, 35_861_299].map(bytes), ["0 B", "999 B", "1.00 MiB", "34.2 MiB"]);
        let now = Timestamp::UNIX_EPOCH;
        let ago = |seconds| age(now, now - SignedDuration::from_secs(seconds));
        assert_eq!([ago(-5), ago(59), ago(3_599), ago(86_400 * 59)], ["just now", "50 s", "59 min", "59 d"]);
    }
}
