//! Shell words: a line split as a POSIX shell would, each word with its place, and words quoted for one.
//!
//! Nothing is expanded: `$HOME` and `$(pwd)` stay as they were typed, since the shell that would know them
//! is on somebody else's computer. A line that was pasted may be several: they are joined as if each but the last ended
//! in a backslash, and those of PowerShell (`` ` ``) and of Windows' command prompt (`^`) are, too.

use std::ops::Range;

use super::unknown::substitution;

/// What a line to be read begins with, after a prompt.
pub(super) const PROGRAMS: [&str; 3] = ["docker", "podman", "sudo"];

/// A word, without its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// What a program would be given.
    pub text: String,
    /// Bytes of the line that it was written in, quotes included.
    pub at: Range<usize>,
    /// Whether it is one of the shell's own (`;`, `&&`, `2>`, `(`), which no program is given.
    pub is_operator: bool,
    /// Whether a line begins with it.
    pub is_first: bool,
}

/// A line that ends inside a quotation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this quotation mark has no partner")]
pub struct Unclosed {
    /// Bytes from the word that the quotation begins in to the end of the line.
    pub at: Range<usize>,
}

/// Splits a line at blanks, line ends and the shell's operators, where they are not quoted, without comments.
pub fn split(line: &str) -> Result<Vec<Word>, Unclosed> {
    let mut words = Vec::new();
    let (mut start, mut is_first) = skip_blank(line, 0);
    while start < line.len() {
        let word = match end_of_operator(line, start) {
            Some(end) => {
                let text = line.get(start..end).unwrap_or_default().to_owned();
                Word { text, at: start..end, is_operator: true, is_first }
            }
            None => Word { is_first, ..word(line, start)? },
        };
        (start, is_first) = skip_blank(line, word.at.end);
        words.push(word);
    }
    Ok(words)
}

fn unquote(raw: &str) -> Option<String> {
    // A form ends its lines as Windows does. Quotes first: shell-words takes a leading # for a comment, which is none here.
    let raw = raw.replace("\\\r\n", "\\\n");
    Some(shell_words::split(&format!("''{raw}")).ok()?.concat())
}

/// The next byte that belongs to a word, and whether a line begins there.
fn skip_blank(line: &str, from: usize) -> (usize, bool) {
    let (mut at, mut is_first) = (from, from == 0);
    while let Some(rest) = line.get(at..) {
        if let Some(joined) = continuation(rest) {
            (at, is_first) = (at + joined, false);
        } else if let Some(end) = end_of_comment(line, at) {
            at = end;
        } else if let Some(blank) = rest.chars().next().filter(|c| is_blank(*c)) {
            is_first |= blank == '\n';
            at += 1;
        } else {
            break;
        }
    }
    (at, is_first)
}

/// Where the comment that begins here ends, if one does: `# to the end of the line`, or the `` `#optional` `` that people
/// write into the middle of one. The `#` before a docker command is the prompt of a root's shell.
pub(super) fn end_of_comment(line: &str, at: usize) -> Option<usize> {
    let (before, rest) = line.split_at_checked(at)?;
    if rest.starts_with("`#") {
        return rest.get(1..)?.find('`').map(|end| at + end + 2);
    }
    let said = rest.strip_prefix('#')?.trim_start_matches([' ', '\t']);
    let is_command = PROGRAMS.iter().any(|name| said.strip_prefix(name).is_some_and(|rest| rest.starts_with(is_blank)));
    if is_command && before.chars().all(is_blank) {
        return None;
    }
    Some(at + rest.find('\n').unwrap_or(rest.len()))
}

/// How long a mark is that joins this line and the next: of a POSIX shell, of PowerShell, of Windows' command prompt.
pub(super) fn continuation(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix(['\\', '`', '^'])?;
    let ends = if after.starts_with("\r\n") { 2 } else { usize::from(after.starts_with('\n')) };
    let is_end = ends > 0 || (after.is_empty() && rest.starts_with('\\'));
    is_end.then_some(1 + ends)
}

/// Where the operator that begins here ends, if one does: `&&`, `2>`, `(`.
fn end_of_operator(line: &str, start: usize) -> Option<usize> {
    let rest = line.get(start..)?;
    let is_number = |c: char| c.is_ascii_digit();
    let bare = rest.trim_start_matches(is_number);
    let is_redirection = bare.starts_with(['<', '>']);
    let mark = if is_redirection { bare } else { rest };
    let length = match mark.chars().next()? {
        '(' | ')' => 1,
        c if is_operator(c) => {
            let end = mark.find(|c| !is_operator(c) || matches!(c, '(' | ')')).unwrap_or(mark.len());
            // To where, after >&.
            let is_copy = is_redirection && mark.get(..end).is_some_and(|mark| mark.ends_with('&'));
            end + mark.get(end..).filter(|_| is_copy).map_or(0, |to| to.len() - to.trim_start_matches(is_number).len())
        }
        _ => return None,
    };
    Some(start + rest.len() - mark.len() + length)
}

/// The word that begins here.
fn word(line: &str, start: usize) -> Result<Word, Unclosed> {
    let (mut at, mut done, mut quote, mut text) = (start, start, None, String::new());
    let plain = |from: usize, to: usize| line.get(from..to).and_then(unquote).ok_or(Unclosed { at: start..line.len() });
    while let Some(c) = line.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = line.get(at..).unwrap_or_default();
        match (quote, c) {
            (None, '\\') if continuation(rest).is_some() => at += continuation(rest).unwrap_or(1) - 1,
            (None | Some('"'), '\\') => at += rest.chars().nth(1).map_or(0, char::len_utf8),
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None, _) if is_blank(c) || is_operator(c) => break,
            (None, _) => {
                // What a shell would put something in place of is of one piece, blanks and all.
                if let Some(length) = substitution(rest) {
                    text.push_str(&plain(done, at)?);
                    text.push_str(rest.get(..length).unwrap_or_default());
                    at += length;
                    done = at;
                    continue;
                }
            }
            _ => {}
        }
        at += c.len_utf8();
    }
    text.push_str(&plain(done, at)?);
    Ok(Word { text, at: start..at, is_operator: false, is_first: false })
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// Whether a shell reads it as one of its own: POSIX.1-2024, Shell Command Language, 2.10.
fn is_operator(c: char) -> bool {
    matches!(c, ';' | '&' | '|' | '<' | '>' | '(' | ')')
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
        let line = "a 'b c'\\''d' \\\n  -e \"x=$Y \\\"z\\\"\" \\\r\n e\\ f g#h";
        assert_eq!(texts(line), ["a", "b c'd", "-e", "x=$Y \"z\"", "e f", "g#h"]);
        let places: Vec<&str> = split(line).unwrap().into_iter().map(|word| line.get(word.at).unwrap()).collect();
        assert_eq!(places, ["a", "'b c'\\''d'", "-e", "\"x=$Y \\\"z\\\"\"", "e\\ f", "g#h"]);
        assert_eq!(texts("a$(b 'c d')e `f g` ${h:-i j} $"), ["a$(b 'c d')e", "`f g`", "${h:-i j}", "$"]);
    }

    #[test]
    fn lines_are_joined_whichever_shell_they_are_for() {
        for mark in [" \\", "\\", " `", " ^", ""] {
            for end in ["\n", "\r\n"] {
                let line = format!("docker run{mark}{end}  -d{mark}{end}\t--name x{mark}{end} i");
                assert_eq!(texts(&line), ["docker", "run", "-d", "--name", "x", "i"], "{line:?}");
                let firsts = split(&line).unwrap().iter().filter(|word| word.is_first).count();
                assert_eq!(firsts, if mark.is_empty() { 4 } else { 1 }, "{line:?}");
            }
        }
        assert_eq!(texts("a \\"), ["a"]);
    }

    #[test]
    fn comments_are_left_out_and_a_prompt_is_none() {
        let line = "# it's for $HOME\n#too\n docker run `#it's optional` -d \\\n # or not\n 'i' a#b '#' # the \"end";
        assert_eq!(texts(line), ["docker", "run", "-d", "i", "a#b", "#"]);
        assert_eq!(texts(" # docker ps # all"), ["#", "docker", "ps"]);
        assert_eq!(texts("# dockers"), [""; 0]);
    }

    #[test]
    fn operators_are_words_of_their_own_where_they_are_not_quoted() {
        let line = "a;b&&c|d 2>&1 >f 80>x (g) h2>i ';' \\& \"<\" a=1&";
        let words = split(line).unwrap();
        let operators: Vec<&str> = words.iter().filter(|word| word.is_operator).map(|word| &*word.text).collect();
        assert_eq!(operators, [";", "&&", "|", "2>&1", ">", "80>", "(", ")", ">", "&"]);
        let rest: Vec<&str> = words.iter().filter(|word| !word.is_operator).map(|word| &*word.text).collect();
        assert_eq!(rest, ["a", "b", "c", "d", "f", "x", "g", "h2", "i", ";", "&", "<", "a=1"]);
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
