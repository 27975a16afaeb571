//! Shell words: a line split as a POSIX shell would, each word with its place, and words quoted for one.
//!
//! Nothing is expanded: `$HOME` and `$(pwd)` stay as they were typed, since the shell that would know them
//! is on somebody else's computer.

use std::ops::Range;

/// A word, without its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// What a program would be given.
    pub text: String,
    /// Bytes of the line that it was written in, quotes included.
    pub at: Range<usize>,
}

/// A line that ends inside a quotation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this quotation mark has no partner")]
pub struct Unclosed {
    /// Bytes from the word that the quotation begins in to the end of the line.
    pub at: Range<usize>,
}

/// Splits a line at blanks and line ends that are not quoted.
pub fn split(line: &str) -> Result<Vec<Word>, Unclosed> {
    let mut words = Vec::new();
    let mut start = skip_blank(line, 0);
    while start < line.len() {
        let end = end_of_word(line, start);
        let raw = line.get(start..end).unwrap_or_default();
        // shell-words takes a leading # for a comment, which nobody means in a line pasted into a form: none leads here.
        let text = unquote(&format!("''{raw}")).map_err(|_| Unclosed { at: start..end })?;
        words.push(Word { text, at: start..end });
        start = skip_blank(line, end);
    }
    Ok(words)
}

fn unquote(raw: &str) -> Result<String, shell_words::ParseError> {
    Ok(shell_words::split(raw)?.concat())
}

/// The next byte that belongs to a word. A backslash at a line's end joins lines, whichever way lines end.
fn skip_blank(line: &str, from: usize) -> usize {
    let mut rest = line.get(from..).unwrap_or_default();
    loop {
        let next = rest.trim_start_matches(is_blank);
        let next = next.strip_prefix("\\\n").or_else(|| next.strip_prefix("\\\r\n")).unwrap_or(next);
        if next.len() == rest.len() {
            return line.len() - rest.len();
        }
        rest = next;
    }
}

fn end_of_word(line: &str, start: usize) -> usize {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in line.get(start..).unwrap_or_default().char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (None | Some('"'), '\\') => escaped = true,
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None, _) if is_blank(c) => return start + at,
            _ => {}
        }
    }
    line.len()
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// Writes a word so that a POSIX shell reads it back, and without quotes where it needs none.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else if word.contains('\'') && !word.contains(['"', '$', '`', '\\', '!']) {
        format!("\"{word}\"")
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Quotes words and puts them on a line.
pub fn join<S: AsRef<str>>(words: impl IntoIterator<Item = S>) -> String {
    words.into_iter().map(|word| quote(word.as_ref())).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const AWKWARD: [&str; 14] = [
        "",
        "plain",
        "A=b",
        "a b",
        "it's",
        "say \"hi\"",
        "it's \"both\"",
        "$HOME",
        "`id`",
        "a\\b",
        "two\nlines",
        "#no",
        "~/x",
        "é [x] {a,b} *?!;&|<>()",
    ];

    fn texts(line: &str) -> Vec<String> {
        split(line).unwrap().into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn splits_as_a_shell_does_and_knows_where() {
        let line = "a 'b c'\\''d' \\\n  -e \"x=$Y \\\"z\\\"\" \\\r\n e\\ f #g";
        assert_eq!(texts(line), ["a", "b c'd", "-e", "x=$Y \"z\"", "e f", "#g"]);
        assert_eq!(texts("## ##'x y' #\"\" #\\\n#'z' a#b"), ["##", "##x y", "#", "##z", "a#b"]);
        let places: Vec<&str> = split(line).unwrap().into_iter().map(|word| line.get(word.at).unwrap()).collect();
        assert_eq!(places, ["a", "'b c'\\''d'", "-e", "\"x=$Y \\\"z\\\"\"", "e\\ f", "#g"]);
    }

    #[test]
    fn an_open_quotation_is_pointed_at() {
        assert_eq!(split("a 'b c").unwrap_err().at, 2..6);
        assert_eq!(split("a b\"").unwrap_err().at, 2..4);
    }

    #[test]
    fn quotes_only_what_needs_it() {
        assert_eq!(join(["-p", "[::1]:80:80", "-e", "A=b", "it's", ""]), "-p '[::1]:80:80' -e A=b \"it's\" ''");
    }

    #[test]
    fn what_is_quoted_is_read_back_here_and_by_a_shell() {
        assert_eq!(texts(&join(AWKWARD)), AWKWARD);
        let script = format!("printf '%s\\0' {}", join(AWKWARD));
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        let read = String::from_utf8(output.stdout).unwrap();
        assert_eq!(read.split_terminator('\0').collect::<Vec<_>>(), AWKWARD);
    }
}
