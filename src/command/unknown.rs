//! What a line leaves to the shell that it is typed in: `$PWD`, `$(pwd)`, `${TAG}`, `~`. The console has no such shell, and
//! runs nothing to find out (S047): who pasted the line is asked.

use std::{collections::BTreeMap, ops::Range};

use super::words;

/// The most that one line may leave open.
const MOST: usize = 50;

/// A part of a line that a shell would put something in place of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// As it was typed: `$PWD`.
    pub text: String,
    /// Bytes of the line.
    pub at: Range<usize>,
    /// Whether it stands between double quotes.
    is_quoted: bool,
}

impl Unknown {
    /// Whether it is the folder that somebody is in.
    pub fn is_folder(&self) -> bool {
        matches!(self.text.as_str(), "$PWD" | "${PWD}" | "$(pwd)" | "`pwd`" | ".")
    }

    /// Whether it is the folder above that.
    pub fn is_above(&self) -> bool {
        self.text == ".."
    }

    /// What a shell puts there where it knows nothing of that name: `${TAG:-latest}`.
    pub fn otherwise(&self) -> Option<&str> {
        let (name, otherwise) = self.text.strip_prefix("${")?.strip_suffix('}')?.split_once('-')?;
        let name = name.strip_suffix(':').unwrap_or(name);
        name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_').then_some(otherwise)
    }

    /// Whether it is somebody's home.
    pub fn is_home(&self) -> bool {
        matches!(self.text.as_str(), "~" | "$HOME" | "${HOME}")
    }
}

/// Everything in a line that a shell would put something in place of, in its order.
pub fn unknowns(line: &str) -> Vec<Unknown> {
    let mut found = Vec::new();
    let (mut at, mut quote, mut begins) = (0, None, true);
    while let Some(c) = line.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = line.get(at..).unwrap_or_default();
        let is_quoted = quote == Some('"');
        if let Some(end) = words::end_of_comment(line, at).filter(|_| begins) {
            at = end;
            continue;
        }
        let length = match (quote, c) {
            (Some('\''), _) => None,
            (Some(_), '$') if rest.starts_with("$'") => None,
            (None, '~') if begins => tilde(rest),
            (_, '.') => relative(line, at),
            _ => substitution(rest),
        };
        if let Some(length) = length {
            let text = rest.get(..length).unwrap_or_default().to_owned();
            found.push(Unknown { text, at: at..at + length, is_quoted });
            if found.len() > MOST {
                break;
            }
            (at, begins) = (at + length, false);
            continue;
        }
        begins = c.is_ascii_whitespace() && quote.is_none();
        at += c.len_utf8();
        match (quote, c) {
            (None | Some('"'), '\\') => {
                at += line.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
            }
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
    }
    found
}

/// How long what begins here is, if a shell puts something in its place.
pub(super) fn substitution(rest: &str) -> Option<usize> {
    match rest.chars().next()? {
        '$' => dollar(rest),
        '`' if words::continuation(rest).is_none() => rest.get(1..)?.find('`').map(|end| end + 2),
        _ => None,
    }
}

/// How long what begins with this dollar is; none where it is only a dollar.
fn dollar(text: &str) -> Option<usize> {
    let rest = text.get(1..)?;
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    match rest.chars().next()? {
        '{' => rest.find('}').map(|end| end + 2),
        // With escapes as in C: what those of all shells mean is not known here.
        '\'' => {
            let mut is_escaped = false;
            let end = rest.char_indices().skip(1).find(|(_, c)| {
                let ends = *c == '\'' && !is_escaped;
                is_escaped = *c == '\\' && !is_escaped;
                ends
            });
            end.map(|(at, _)| at + 2)
        }
        '(' => {
            let mut depth = 0_usize;
            let end = rest.char_indices().find(|(_, c)| {
                match c {
                    '(' => depth += 1,
                    ')' => depth -= 1,
                    _ => {}
                }
                depth == 0
            });
            end.map(|(at, _)| at + 2)
        }
        c if c.is_ascii_digit() || "?!#@*$-".contains(c) => Some(2),
        c if is_of_name(c) => Some(1 + rest.find(|c| !is_of_name(c)).unwrap_or(rest.len())),
        _ => None,
    }
}

/// How long the beginning of a host's path is that docker itself completes: `.` and `..` of a volume or a bind mount.
/// Source: docker CLI 28.2, `cli/command/container/opts.go`, `resolveVolumePath`.
fn relative(line: &str, at: usize) -> Option<usize> {
    let (before, rest) = line.split_at_checked(at)?;
    let before = before.strip_suffix('"').unwrap_or(before);
    let length = rest.find(|c| c != '.').filter(|dots| *dots <= 2)?;
    rest.get(length..)?.starts_with(['/', ':', ',']).then_some(())?;
    let is_mount = ["source=", "src="].iter().any(|key| before.ends_with(key));
    let word = rest.split(|c: char| c.is_ascii_whitespace() || c == '"').next()?;
    let flag = before.split_ascii_whitespace().next_back()?;
    let is_next = before.ends_with(|c: char| c.is_ascii_whitespace());
    let is_volume = word.contains(':')
        && match flag {
            "-v" | "--volume" => is_next,
            "--volume=" | "-v=" => !is_next,
            _ => false,
        };
    (is_mount || is_volume).then_some(length)
}

/// `~` and `~name`, where a path or nothing follows.
fn tilde(text: &str) -> Option<usize> {
    let end = text.find(|c: char| c == '/' || c == ':' || c.is_ascii_whitespace()).unwrap_or(text.len());
    text.get(..end).filter(|name| name.chars().skip(1).all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'))?;
    Some(end)
}

/// The line with these in place of what it leaves open; what is not among them stays.
pub fn complete(line: &str, known: &BTreeMap<String, String>) -> String {
    let mut whole = String::new();
    let mut done = 0;
    for unknown in unknowns(line) {
        let Some(value) = known.get(&unknown.text) else { continue };
        whole.push_str(line.get(done..unknown.at.start).unwrap_or_default());
        if unknown.is_quoted {
            for c in value.chars() {
                if "\"\\$`".contains(c) {
                    whole.push('\\');
                }
                whole.push(c);
            }
        } else if !value.is_empty() {
            whole.push_str(&words::quote(value));
        }
        done = unknown.at.end;
    }
    whole.push_str(line.get(done..).unwrap_or_default());
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Vec<String> {
        unknowns(line).into_iter().map(|unknown| unknown.text).collect()
    }

    #[test]
    fn finds_what_a_shell_would_put_in() {
        let line = r#"$ docker run -v "$PWD":/a -v $(pwd)/b:/b -v ~/c:/c -v ${X:-y}/d:/d -u $(id -u):$(id -g) -e P=`pwd` -e 'A=$B' -e "C=\$D" -e E=\$F -e G=5$ image $1 sh -c 'echo $H' "$(echo (a) b)""#;
        assert_eq!(
            texts(line),
            ["$PWD", "$(pwd)", "~", "${X:-y}", "$(id -u)", "$(id -g)", "`pwd`", "$1", "$(echo (a) b)"]
        );
        let line = r#"docker run -v ./x:/x -v "../y:/y" --volume=.:/z --mount "type=bind,src=./a,dst=/a" --mount source=..,target=/b \
            -v .cache:/c -v ./anonymous -w ./x -e A=./x image ./run.sh ../x:y"#;
        assert_eq!(texts(line), [".", "..", ".", ".", ".."]);
        let otherwise = |line: &str| unknowns(line).first().and_then(|it| it.otherwise()).map(str::to_owned);
        assert_eq!(otherwise("${X:-/tmp}").as_deref(), Some("/tmp"));
        assert_eq!(otherwise("${X-a-b}").as_deref(), Some("a-b"));
        assert_eq!((otherwise("${X}"), otherwise("$X"), otherwise("${X#a-b}")), (None, None, None));
        assert_eq!(texts("a~ ~ ~root/x '~' \"~\" ~: $ $"), ["~", "~root", "~"]);
        assert_eq!(texts("$(open ${open `open $é $'open"), [""; 0]);
        assert_eq!(texts(r#"-e A=$'it\'s\n' "$'no'" '$'"#), [r"$'it\'s\n'"]);
        assert_eq!(texts("a `#$A` \\\n -b `\n -c `\n # $B it's\n $C # $D"), ["$C"]);
        assert!(unknowns(&"$A ".repeat(100_000)).len() <= MOST + 1);
    }

    #[test]
    fn what_is_told_is_one_word_whatever_is_in_it() {
        let known: BTreeMap<String, String> = [("$PWD", "/a b/$x"), ("$A", "it's \"so\"; `rm` $(x)\n"), ("$E", "")]
            .map(|(a, b)| (a.into(), b.into()))
            .into();
        let whole = complete(r#"docker run -v $PWD:/x -v "$PWD/y:/y" -e A=$A -e "B=$A" -e E=$E -e F=$F i"#, &known);
        let texts: Vec<String> = words::split(&whole).unwrap().into_iter().map(|word| word.text).collect();
        let a = &known["$A"];
        let expected = [
            "docker",
            "run",
            "-v",
            "/a b/$x:/x",
            "-v",
            "/a b/$x/y:/y",
            "-e",
            &format!("A={a}"),
            "-e",
            &format!("B={a}"),
            "-e",
            "E=",
            "-e",
            "F=$F",
            "i",
        ];
        assert_eq!(texts, expected);
    }
}
