//! Reads a `docker run` line word by word, and remembers where each part of it stood.

use super::flags::{self, Flag, Kind};
use super::prompt::Prompt;
use super::run::{LineError, OptionError, RunLine, Verb};
use super::words::{self, PROGRAMS, Word};
use crate::engine::spec::Spec;

/// Flags that only `docker run` has, beside `--detach`.
const RUN_ONLY: [&str; 2] = ["sig-proxy", "detach-keys"];

/// The flag that somebody may have meant.
fn near(name: &str) -> Option<&'static str> {
    let likeness = |flag: &Flag| strsim::jaro_winkler(name, flag.long);
    let best = flags::FLAGS.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)))?;
    (likeness(best) > 0.85).then_some(best.long)
}

/// A line in the middle of being read.
pub(super) struct Reader {
    words: Vec<Word>,
    end: usize,
    next: usize,
    pub(super) verb: Verb,
    detached: bool,
    /// The word of the last `--attach`.
    attached: Option<usize>,
    pub(super) line: RunLine,
    /// For each option, the words of its flag and of its value, which may be the same.
    places: Vec<(usize, usize)>,
    image_at: usize,
}

impl Reader {
    /// Reads a whole line.
    pub(super) fn read(line: &str) -> Result<Self, LineError> {
        let words = words::split(line).map_err(|error| LineError {
            word: line
                .get(..error.at.start)
                .and_then(|before| words::split(before).ok())
                .map_or(0, |words| words.len()),
            message: error.to_string(),
            at: error.at,
        })?;
        let mut reader = Self {
            words,
            end: line.len(),
            next: 0,
            verb: Verb::Run,
            detached: false,
            attached: None,
            line: RunLine::default(),
            places: Vec::new(),
            image_at: 0,
        };
        reader.command(line)?;
        while reader.flag()? {}
        reader.image_and_args()?;
        Ok(reader)
    }

    fn error(&self, word: usize, message: impl Into<String>) -> LineError {
        let at = self.words.get(word).map_or(self.end..self.end, |word| word.at.clone());
        LineError { word, at, message: message.into() }
    }

    fn peek(&self) -> Option<&str> {
        self.words.get(self.next).map(|word| word.text.as_str())
    }

    fn take(&mut self) -> Option<String> {
        let text = self.peek()?.to_owned();
        self.next += 1;
        Some(text)
    }

    fn skip(&mut self, text: &str) -> bool {
        let is_there = self.peek() == Some(text);
        self.next += usize::from(is_there);
        is_there
    }

    /// Refuses what only a shell could do, from this word on.
    fn one_command(&self, line: &str, from: usize) -> Result<(), LineError> {
        for (nth, word) in self.words.iter().enumerate().skip(from) {
            let raw = line.get(word.at.clone()).unwrap_or_default();
            let after = line.get(word.at.end..).unwrap_or_default();
            let placeholder = after.split_once('>').filter(|(name, _)| raw == "<" && !name.contains(['\n', '<']));
            let next = self.words.get(nth + 1).map_or("-", |next| next.text.as_str());
            let message = if let Some((name, _)) = placeholder {
                return Err(LineError {
                    word: nth,
                    at: word.at.start..word.at.end + name.len() + 1,
                    message: format!("<{name}> holds the place of a value of yours: write it there, without < and >"),
                });
            } else if word.is_operator {
                "this is for a shell; the console takes one docker command at a time (quoted, it is part of a value)"
            } else if matches!(raw, "\\ " | "\\\t") {
                "a blank follows this backslash, which must be the last on its line to continue it"
            } else if word.is_first && PROGRAMS.contains(&raw) && !next.starts_with('-') {
                "another command begins here; the console takes one docker command at a time"
            } else {
                continue;
            };
            return Err(self.error(nth, message));
        }
        Ok(())
    }

    /// `docker container run`, after a prompt that was copied along.
    fn command(&mut self, line: &str) -> Result<(), LineError> {
        let prompt = Prompt::of(&self.words);
        self.next = prompt.words;
        self.one_command(line, prompt.words)?;
        if !prompt.is_named {
            let is_setting = self.words.get(prompt.words).is_some_and(|word| {
                word.text.split_once('=').is_some_and(|(name, _)| name.chars().all(|c| c.is_alphanumeric() || c == '_'))
            });
            let message = if is_setting {
                "this is a setting for docker where it is typed; the console has its own: leave it out"
            } else {
                "the line begins with docker run"
            };
            return Err(self.error(prompt.words, message));
        }
        if !prompt.flags.is_empty() {
            return Err(self.error(prompt.flags.start, "this says which engine; the console has its own: leave it out"));
        }
        self.skip("container");
        self.verb = match self.take().as_deref() {
            Some("run") => Verb::Run,
            Some("create") => Verb::Create,
            _ => {
                return Err(
                    self.error(self.next.saturating_sub(1), "only docker run and docker create make containers")
                );
            }
        };
        Ok(())
    }

    /// Reads one flag, or several glued letters; `false` where the image begins.
    fn flag(&mut self) -> Result<bool, LineError> {
        let at = self.next;
        let Some(word) = self.peek().filter(|word| word.len() > 1 && word.starts_with('-')).map(str::to_owned) else {
            return Ok(false);
        };
        self.next += 1;
        match word.strip_prefix("--") {
            Some("") => Ok(false),
            Some(long) => self.long(at, long).map(|()| true),
            None => self.letters(at, &word).map(|()| true),
        }
    }

    fn long(&mut self, at: usize, text: &str) -> Result<(), LineError> {
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value.to_owned())));
        if name == "detach" && self.verb == Verb::Run {
            return self.detach(at, value.as_deref());
        }
        let known = flags::by_long(name).filter(|flag| self.verb == Verb::Run || !RUN_ONLY.contains(&flag.long));
        let flag = known.ok_or_else(|| {
            let near = near(name).map(|flag| format!("; did you mean --{flag}?")).unwrap_or_default();
            self.error(at, format!("docker {} has no flag --{name}{near}", self.verb))
        })?;
        match (flag.kind, value) {
            (Kind::Switch, value) => self.keep(flag, value.unwrap_or_else(|| "true".to_owned()), at, at),
            (_, Some(value)) => self.keep(flag, value, at, at),
            (_, None) => self.next_value(flag, at),
        }
    }

    /// `-it`, `-p80:80`, `-itd=true`, `-e=A=b`.
    fn letters(&mut self, at: usize, word: &str) -> Result<(), LineError> {
        let mut rest = word.strip_prefix('-').unwrap_or(word);
        while let Some(letter) = rest.chars().next() {
            rest = rest.get(letter.len_utf8()..).unwrap_or_default();
            let value = rest.strip_prefix('=').filter(|_| !rest.is_empty());
            if letter == 'd' && self.verb == Verb::Run {
                self.detach(at, value)?;
                if value.is_some() {
                    return Ok(());
                }
                continue;
            }
            let flag = flags::by_short(letter)
                .ok_or_else(|| self.error(at, format!("docker {} has no flag -{letter}", self.verb)))?;
            match (flag.kind, value) {
                (Kind::Switch, None) => self.keep(flag, "true".to_owned(), at, at)?,
                (_, Some(value)) => return self.keep(flag, value.to_owned(), at, at),
                (_, None) if rest.is_empty() => return self.next_value(flag, at),
                (_, None) => return self.keep(flag, rest.to_owned(), at, at),
            }
        }
        Ok(())
    }

    /// The console is not attached to anything, so that this changes nothing.
    fn detach(&mut self, at: usize, value: Option<&str>) -> Result<(), LineError> {
        self.detached = flags::switch(value.unwrap_or("true")).map_err(|message| self.error(at, message))?;
        Ok(())
    }

    fn next_value(&mut self, flag: &'static Flag, at: usize) -> Result<(), LineError> {
        match self.take() {
            Some(value) => self.keep(flag, value, at, at + 1),
            None => Err(self.error(at, format!("--{} needs a value", flag.long))),
        }
    }

    fn keep(&mut self, flag: &'static Flag, value: String, at: usize, value_at: usize) -> Result<(), LineError> {
        let value = if flag.kind == Kind::Switch {
            flags::switch(&value).map_err(|message| self.error(at, message))?.to_string()
        } else {
            value
        };
        if flag.long == "attach" {
            self.attached = Some(at);
            return (flag.apply)(&mut Spec::default(), &value).map_err(|message| self.error(value_at, message));
        }
        self.line.options.push((flag.long.to_owned(), value));
        self.places.push((at, value_at));
        Ok(())
    }

    fn image_and_args(&mut self) -> Result<(), LineError> {
        self.image_at = self.next;
        if let Some(at) = self.attached.filter(|_| self.detached) {
            return Err(self.error(at, "--attach and -d contradict each other"));
        }
        self.line.image = self.take().ok_or_else(|| self.error(self.next, "the image is missing"))?;
        self.line.args = self.words.split_off(self.next).into_iter().map(|word| word.text).collect();
        Ok(())
    }

    /// Where in the line an error of an option is.
    pub(super) fn locate(&self, error: OptionError) -> LineError {
        let mut uses = self.line.options.iter().zip(&self.places).filter(|((flag, _), _)| *flag == error.flag);
        let (_, value_at) = uses.nth(error.index).map_or((self.image_at, self.image_at), |(_, place)| *place);
        self.error(value_at, error.message)
    }
}
