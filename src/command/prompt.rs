//! What stands before docker's own words on a line that was copied from somewhere.

use std::ops::Range;

use super::words::{PROGRAMS, Word};

/// Flags of docker itself that take a value: `docker --help` of docker CLI 28.2.
const TAKES_VALUE: [&str; 10] =
    ["-H", "--host", "-c", "--context", "--config", "-l", "--log-level", "--tlscacert", "--tlscert", "--tlskey"];

/// The most words of a prompt: `PS C:\>`, `[root@host ~]#`.
const LONGEST: usize = 3;

/// The words of a line before those that say what docker is to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Prompt {
    /// How many words that is in all.
    pub(super) words: usize,
    /// Whether docker or podman was named.
    pub(super) is_named: bool,
    /// Which of them are flags of docker itself, and their values.
    pub(super) flags: Range<usize>,
}

impl Prompt {
    /// Finds it: `$ sudo -E docker -H tcp://build:2375`, in parts or whole.
    pub(super) fn of(all: &[Word]) -> Self {
        let text = |at: usize| all.get(at).map(|word| word.text.as_str());
        let is_program = |at: usize| text(at).is_some_and(|text| PROGRAMS.contains(&text));
        let ends_a_prompt = |at: usize| text(at).is_some_and(|text| text.ends_with(['$', '#', '%', '>']));
        let shown = (1..=LONGEST).find(|at| is_program(*at) && ends_a_prompt(at - 1));
        let mut at = match shown.filter(|_| !is_program(0)) {
            Some(at) => at,
            None => usize::from(matches!(text(0), Some("$" | "#"))),
        };
        if text(at) == Some("sudo") {
            at += 1;
            while text(at).is_some_and(|flag| flag.starts_with('-')) {
                at += 1;
            }
            // As whom, after -u.
            at += usize::from(!is_program(at) && is_program(at + 1) && text(at - 1) != Some("sudo"));
        }
        if !matches!(text(at), Some("docker" | "podman")) {
            return Self { words: at, is_named: false, flags: at..at };
        }
        let begin = at + 1;
        at = begin;
        while let Some(flag) = text(at).filter(|text| text.starts_with('-')) {
            at += 1 + usize::from(TAKES_VALUE.contains(&flag));
        }
        Self { words: at.min(all.len()), is_named: true, flags: begin..at.min(all.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::words::split;

    #[test]
    fn what_was_copied_along_is_told_from_the_command() {
        for (line, rest, flags) in [
            ("docker ps", "ps", 0),
            ("$ docker ps", "ps", 0),
            ("# podman ps", "ps", 0),
            ("> docker ps", "ps", 0),
            ("me@host:~$ sudo docker ps", "ps", 0),
            ("[root@host ~]# docker ps", "ps", 0),
            (r"PS C:\> docker ps", "ps", 0),
            ("sudo -E docker ps", "ps", 0),
            ("sudo -u root docker ps", "ps", 0),
            ("docker -H tcp://x --tls ps", "ps", 3),
            ("docker -H", "", 1),
        ] {
            let words = split(line).unwrap();
            let prompt = Prompt::of(&words);
            let text = |words: &[Word]| words.iter().map(|word| word.text.clone()).collect::<Vec<_>>().join(" ");
            assert!(prompt.is_named, "{line}");
            assert_eq!((text(&words[prompt.words..]).as_str(), prompt.flags.len()), (rest, flags), "{line}");
        }
        for (line, words) in [("stop web", 0), ("$ stop web", 1), ("echo docker ps", 0), ("sudo ls docker", 1), ("", 0)]
        {
            let prompt = Prompt::of(&split(line).unwrap());
            assert_eq!((prompt.words, prompt.is_named), (words, false), "{line}");
        }
    }
}
