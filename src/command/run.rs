//! A `docker run` line: read, turned into a request, and written again.
//!
//! Reading finds the flags, the image and the arguments and keeps their order; what the values mean is the
//! business of [`RunLine::to_spec`], which finds every wrong one at once, for a form to show.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use super::flags::{self, Flag, Kind};
use super::read::Reader;
use super::{check, image, words};
use crate::engine::spec::Spec;

/// Characters on a line before [`RunLine::to_command_multiline`] breaks it.
const LINE_WIDTH: usize = 72;

/// Flags that one line may have: as many as a form has fields. Some compare themselves with all before them.
const MOST_FLAGS: usize = 4_000;

/// Flags whose values everybody may know.
const OUTLINE: [&str; 17] = [
    "name",
    "publish",
    "publish-all",
    "restart",
    "network",
    "memory",
    "cpus",
    "pids-limit",
    "rm",
    "init",
    "read-only",
    "interactive",
    "tty",
    "privileged",
    "cap-add",
    "cap-drop",
    "platform",
];

/// What a line does with the new container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Create and start it.
    Run,
    /// Create it only.
    Create,
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Run => "run",
            Self::Create => "create",
        })
    }
}

/// The parts of a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunLine {
    /// Flags by their long names, and values, in the order of the line; a switch is `true` or `false`.
    /// A line is read without `attach` and `detach` and written with `-d`: the console runs every container in
    /// the background.
    pub options: Vec<(String, String)>,
    /// The image's reference.
    pub image: String,
    /// What follows the image.
    pub args: Vec<String>,
}

/// A line that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// What it does.
    pub verb: Verb,
    /// Its parts.
    pub line: RunLine,
    /// The request that it stands for, or what is wrong with its values.
    pub spec: Result<Spec, Vec<LineError>>,
}

/// A line that cannot be read, or a value in it that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LineError {
    /// The word, counted from 0; the number of words if something is missing at the end.
    pub word: usize,
    /// Bytes of the line to point at.
    pub at: Range<usize>,
    /// A sentence for whoever wrote the line.
    pub message: String,
}

/// A value that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{flag}: {message}")]
pub struct OptionError {
    /// The flag's long name, or `image`.
    pub flag: String,
    /// Which use of the flag, counted from 0.
    pub index: usize,
    /// A sentence for whoever gave the value.
    pub message: String,
}

impl RunLine {
    /// Reads `docker run ...`, `docker create ...`, their long forms with `container`, with `sudo` before, or
    /// with `podman` in place of `docker`.
    pub fn parse(line: &str) -> Result<(Verb, Self), LineError> {
        Reader::read(line).map(|reader| (reader.verb, reader.line))
    }

    /// Reads a line, and beside it what is wrong with its values, which point into the line.
    pub fn read(line: &str) -> Result<Read, LineError> {
        let read = Reader::read(line)?;
        let spec = read.line.to_spec().map_err(|errors| {
            let mut errors: Vec<LineError> = errors.into_iter().map(|error| read.locate(error)).collect();
            errors.sort_by_key(|error| error.word);
            errors
        });
        Ok(Read { verb: read.verb, line: read.line, spec })
    }

    /// Reads a line and turns it into a request, with errors that point into the line.
    pub fn check(line: &str) -> Result<(Verb, Self, Spec), Vec<LineError>> {
        let Read { verb, line, spec } = Self::read(line).map_err(|error| vec![error])?;
        Ok((verb, line, spec?))
    }

    /// The line without the values of variables: docker takes those from the environment that it is run in. So it
    /// can be kept, and run again by who has them.
    #[must_use]
    pub fn without_values(&self) -> Self {
        let bare = |(flag, value): &(String, String)| {
            let kept = if flag == "env" { value.split('=').next().unwrap_or_default() } else { value };
            let is_secret = matches!(flag.as_str(), "log-opt" | "storage-opt") || value.contains("volume-opt");
            (!is_secret).then(|| (flag.clone(), kept.to_owned()))
        };
        Self { options: self.options.iter().filter_map(bare).collect(), ..self.clone() }
    }

    /// What everybody may know of the line: the image, and those flags whose values hold no secrets. A network may be
    /// said with options of its driver, which may hold some.
    #[must_use]
    pub fn outline(&self) -> Self {
        let is_known = |(flag, value): &&(String, String)| {
            OUTLINE.contains(&flag.as_str()) && !(flag == "network" && value.contains("driver-opt"))
        };
        let options = self.options.iter().filter(is_known).cloned().collect();
        Self { options, image: self.image.clone(), args: Vec::new() }
    }

    /// The outline as a command that says so where it is not all.
    pub fn to_outline(&self, verb: Verb) -> String {
        let outline = self.outline();
        let note = if outline == *self { "" } else { "  # shortened: what may hold secrets is left out" };
        format!("{}{note}", outline.to_command(verb))
    }

    /// The request that the line stands for, or everything that is wrong with it.
    pub fn to_spec(&self) -> Result<Spec, Vec<OptionError>> {
        if let Some((flag, _)) = self.options.get(MOST_FLAGS) {
            let index = self.options.iter().take(MOST_FLAGS).filter(|(other, _)| other == flag).count();
            let message = format!("more than {MOST_FLAGS} flags are too many");
            return Err(vec![OptionError { flag: flag.clone(), index, message }]);
        }
        let mut spec = Spec { image: self.image.clone(), cmd: self.args.clone(), ..Spec::default() };
        let (mut errors, mut ports) = (Vec::new(), 0);
        if let Err(message) = image::check(&self.image) {
            errors.push(OptionError { flag: "image".to_owned(), index: 0, message });
        }
        for (flag, index, value) in self.by_turn() {
            ports += flags::ports_in(flag, value);
            let applied = match flags::by_long(flag) {
                Some(_) if ports > flags::MOST_PORTS => {
                    Err(format!("more than {} ports are too many", flags::MOST_PORTS))
                }
                Some(known) => (known.apply)(&mut spec, value),
                None => Err(format!("there is no flag --{flag}")),
            };
            if let Err(message) = applied {
                errors.push(OptionError { flag: flag.to_owned(), index, message });
            }
        }
        check::contradictions(self, &spec, &mut errors);
        check::tidy(&mut spec);
        if errors.is_empty() { Ok(spec) } else { Err(errors) }
    }

    /// The values of a flag, in order.
    pub fn values<'a>(&'a self, long: &'a str) -> impl DoubleEndedIterator<Item = &'a str> {
        self.options.iter().filter(move |(flag, _)| flag == long).map(|(_, value)| value.as_str())
    }

    /// The value of a flag that counts, which is its last.
    pub fn value<'a>(&'a self, long: &'a str) -> Option<&'a str> {
        self.values(long).next_back()
    }

    /// What each use of a flag asks for by itself, where that can be said without the others. Not for more ports than
    /// a line may have.
    pub fn each<'a>(&'a self, long: &'a str) -> impl Iterator<Item = (usize, Spec)> + 'a {
        let known = flags::by_long(long);
        let few = self.values(long).scan(0, move |ports, value| {
            *ports += flags::ports_in(long, value);
            (*ports <= flags::MOST_PORTS).then_some(value)
        });
        few.enumerate().filter_map(move |(index, value)| {
            let mut spec = Spec::default();
            (known?.apply)(&mut spec, value).ok()?;
            Some((index, spec))
        })
    }

    /// Flag, which use of it, and value, in the order in which flags build on each other.
    pub(super) fn by_turn(&self) -> Vec<(&str, usize, &str)> {
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        let numbered = self.options.iter().map(|(flag, value)| {
            let next = times.entry(flag).or_default();
            *next += 1;
            (flag.as_str(), *next - 1, value.as_str())
        });
        let mut uses: Vec<_> = numbered.collect();
        uses.sort_by_cached_key(|(flag, ..)| flags::turn(flag));
        uses
    }

    /// The words of the shortest line that says the same.
    pub fn to_words(&self, verb: Verb) -> Vec<String> {
        self.groups(verb).concat()
    }

    /// The line, for a shell.
    pub fn to_command(&self, verb: Verb) -> String {
        words::join(self.to_words(verb))
    }

    /// The line, for a shell and a reader: broken before flags if it is long.
    pub fn to_command_multiline(&self, verb: Verb) -> String {
        let line = self.to_command(verb);
        if line.chars().count() <= LINE_WIDTH {
            return line;
        }
        let groups: Vec<String> = self.groups(verb).into_iter().map(words::join).collect();
        groups.join(" \\\n  ")
    }

    /// Words that belong together: the command and its single letters, each flag and its value, the image and
    /// its arguments.
    fn groups(&self, verb: Verb) -> Vec<Vec<String>> {
        let mut groups = vec![vec!["docker".to_owned(), verb.to_string()]];
        // Letters that can still be joined by another, as in -dit.
        let mut letters = String::new();
        if verb == Verb::Run {
            letters.push('d');
        }
        for (flag, value) in self.options.iter().filter(|(flag, _)| flag != "attach") {
            let known = flags::by_long(flag);
            if let Some(letter) =
                known.and_then(|known| known.short.filter(|_| known.kind == Kind::Switch && value == "true"))
            {
                letters.push(letter);
            } else {
                flush(&mut groups, &mut letters);
                groups.push(option_words(flag, known, value));
            }
        }
        flush(&mut groups, &mut letters);
        let guard = self.image.starts_with('-').then(|| "--".to_owned());
        groups.push(guard.into_iter().chain([self.image.clone()]).chain(self.args.iter().cloned()).collect());
        groups
    }
}

fn flush(groups: &mut Vec<Vec<String>>, letters: &mut String) {
    if letters.is_empty() {
        return;
    }
    let word = format!("-{}", std::mem::take(letters));
    match groups.as_mut_slice() {
        [command] => command.push(word),
        _ => groups.push(vec![word]),
    }
}

/// The short form where people use it; `-c` is one that they would have to look up.
fn option_words(flag: &str, known: Option<&Flag>, value: &str) -> Vec<String> {
    match known {
        Some(known) if known.kind == Kind::Switch && value == "true" => vec![format!("--{flag}")],
        Some(known) if known.kind == Kind::Switch => vec![format!("--{flag}={value}")],
        Some(Flag { short: Some(letter), .. }) if *letter != 'c' => {
            vec![format!("-{letter}"), value.to_owned()]
        }
        _ => vec![format!("--{flag}"), value.to_owned()],
    }
}

#[cfg(test)]
mod tests;
