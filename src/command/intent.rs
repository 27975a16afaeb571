//! What a docker command is after: read word by word, and run by nobody. `docker rm -f web`, or only `rm -f web`, is
//! somebody who wants to remove `web` by force; where that is done, and whether they may, is for others to say.

mod table;
#[cfg(test)]
mod tests;

pub use self::table::{COMMANDS, Command};
use super::prompt::Prompt;
use super::words::{self, Word};

/// What a command asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is a docker command, which the table has beside it")]
pub enum Ask {
    Make,
    Containers,
    /// What the life of a container has verbs for: the command's name says which.
    Act,
    Update,
    Logs,
    Exec,
    Attach,
    Top,
    Stats,
    /// One of these, or whatever is called so.
    Inspect(Option<Noun>),
    Diff,
    Files,
    Port,
    Commit,
    Export,
    ContainerPrune,
    Images,
    Pull,
    Push,
    Rmi,
    Tag,
    Build,
    Save,
    Load,
    Import,
    Search,
    History,
    ImagePrune,
    Volumes,
    VolumeCreate,
    VolumeRemove,
    VolumePrune,
    Networks,
    NetworkCreate,
    NetworkRemove,
    Connect,
    Disconnect,
    NetworkPrune,
    Disk,
    Engine,
    Events,
    SystemPrune,
    Login,
    Logout,
}

/// A kind of thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "docker's own words")]
pub enum Noun {
    Container,
    Image,
    Volume,
    Network,
}

/// What somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// By which command.
    pub command: &'static Command,
    /// Its flags that mean something on a page, by their long names, in their order; of a switch, `true` or `false`.
    pub flags: Vec<(&'static str, String)>,
    /// What stands after them.
    pub words: Vec<String>,
    /// What was left out, a sentence each.
    pub notes: Vec<String>,
    /// Whether it began with `docker`: nothing else can be meant.
    pub is_plain: bool,
    /// For what makes a container, the line as `docker run` and `docker create` have it.
    pub line: Option<String>,
}

/// What a text turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// No docker command: something to look for.
    Text,
    /// A docker command.
    Intent(Intent),
    /// The beginning of these.
    Beginning(Vec<&'static Command>),
    /// A docker command that leads nowhere, and why.
    Nowhere(String),
}

/// The most commands that a beginning is taken for.
const BEGINNINGS: usize = 5;
/// The most that is said of what was left out.
const NOTES: usize = 10;

/// Reads a text that may be a docker command, with or without `docker` before it.
pub fn read(text: &str) -> Reading {
    let Ok(mut all) = words::split(text) else {
        // A quotation that is still open is closed for who is typing; a line of docker run is read elsewhere.
        return match ["'", "\""].iter().map(|mark| format!("{text}{mark}")).find(|text| words::split(text).is_ok()) {
            Some(closed) => read(&closed),
            None => Reading::Text,
        };
    };
    let prompt = Prompt::of(&all);
    let end = all.iter().skip(prompt.words).position(|word| word.is_operator);
    let piped = end.map(|end| all.split_off(prompt.words + end));
    let flags = all.get(prompt.flags).unwrap_or_default().iter().filter(|word| is_flag(&word.text));
    let notes =
        flags.map(|flag| format!("{} is left out: this console has its own engine.", short(&flag.text))).collect();
    let is_plain = prompt.is_named;
    let said = all.get(prompt.words..).unwrap_or_default();
    let Some((command, taken)) = command(said) else { return unknown(said, is_plain) };
    let mut intent = Intent { command, flags: Vec::new(), words: Vec::new(), notes, is_plain, line: None };
    let rest = said.get(taken..).unwrap_or_default();
    if command.ask == Ask::Make {
        // Its own reader knows it better, what only a shell could do included.
        let from = said.get(taken - 1).map_or(0, |verb| verb.at.start);
        intent.line = (!rest.is_empty()).then(|| format!("docker {}", text.get(from..).unwrap_or_default()));
        return Reading::Intent(intent);
    }
    intent.take(rest);
    if let Some(first) = piped.as_ref().and_then(|piped| piped.first()) {
        intent.note(format!("From “{}” on it is for a shell, and left out.", short(&first.text)));
    }
    Reading::Intent(intent)
}

/// The command that these words begin with, and how many of them it is.
fn command(said: &[Word]) -> Option<(&'static Command, usize)> {
    let first = said.first()?.text.as_str();
    let two = said.get(1).map(|second| format!("{first} {}", second.text));
    let by = |name: &str| COMMANDS.iter().find(|command| command.names.contains(&name));
    two.and_then(|two| Some((by(&two)?, 2))).or_else(|| Some((by(first)?, 1)))
}

/// What is no command, or none yet.
fn unknown(said: &[Word], is_plain: bool) -> Reading {
    let typed = said.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
    let first = said.first().map(|word| word.text.as_str()).unwrap_or_default();
    let nowhere = table::NOWHERE.iter().find(|(word, _)| *word == first);
    // A container may well be called node: nobody asked for docker's.
    if let Some((_, why)) = nowhere.filter(|_| is_plain) {
        return Reading::Nowhere((*why).to_owned());
    }
    let begins = |command: &&Command| command.names.iter().any(|name| name.starts_with(&typed));
    let found: Vec<_> = COMMANDS.iter().filter(begins).take(BEGINNINGS).collect();
    match (is_plain, found.is_empty(), typed.len()) {
        (true, true, _) => {
            Reading::Nowhere(format!("docker has no command “{}”, or none that has a page here.", short(&typed)))
        }
        (true, false, _) | (false, false, 2..) => Reading::Beginning(found),
        _ => Reading::Text,
    }
}

/// Whether it is read as a flag; `-` alone is a word.
fn is_flag(word: &str) -> bool {
    word.len() > 1 && word.starts_with('-')
}

/// As much of it as a sentence bears.
fn short(text: &str) -> String {
    const LONGEST: usize = 60;
    if text.chars().count() > LONGEST { text.chars().take(LONGEST).chain(['…']).collect() } else { text.to_owned() }
}

/// A flag of a command, as its row writes it.
#[derive(Clone, Copy)]
struct Flag {
    letter: Option<char>,
    long: &'static str,
    takes: bool,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Here,
    OfTerminals,
    Nowhere,
}

impl Command {
    fn flags(&self) -> impl Iterator<Item = Flag> {
        self.flags.split_whitespace().map(|text| {
            let (text, kind) = match (text.strip_prefix('~'), text.strip_prefix('!')) {
                (Some(text), _) => (text, Kind::OfTerminals),
                (_, Some(text)) => (text, Kind::Nowhere),
                _ => (text, Kind::Here),
            };
            let (text, takes) = text.strip_suffix('=').map_or((text, false), |text| (text, true));
            let (letter, long) =
                text.split_once(':').map_or((None, text), |(letter, long)| (letter.chars().next(), long));
            Flag { letter, long, takes, kind }
        })
    }
}

impl Intent {
    /// The value of a flag, the last where it was said more than once.
    pub fn flag(&self, long: &str) -> Option<&str> {
        self.flags.iter().rev().find(|(name, _)| *name == long).map(|(_, value)| value.as_str())
    }

    /// All values of a flag.
    pub fn all<'a>(&'a self, long: &'a str) -> impl Iterator<Item = &'a str> {
        self.flags.iter().filter(move |(name, _)| *name == long).map(|(_, value)| value.as_str())
    }

    /// Whether nothing was said but the command itself.
    pub fn is_bare(&self) -> bool {
        self.flags.is_empty() && self.words.is_empty() && self.line.is_none() && self.notes.is_empty()
    }

    /// Whether a switch is on.
    pub fn is_set(&self, long: &str) -> bool {
        self.flag(long) == Some("true")
    }

    /// The same command on these, as it was understood.
    pub fn echo<S: AsRef<str>>(&self, on: impl IntoIterator<Item = S>) -> String {
        let mut all = vec!["docker".to_owned()];
        all.extend(self.command.name().split(' ').map(str::to_owned));
        for (long, value) in &self.flags {
            let flag = self.command.flags().find(|flag| flag.long == *long);
            let letter = flag.and_then(|flag| flag.letter);
            let name = letter.map_or_else(|| format!("--{long}"), |letter| format!("-{letter}"));
            match (flag.is_some_and(|flag| flag.takes), value.as_str()) {
                (true, value) => all.extend([name, value.to_owned()]),
                (false, "true") => all.push(name),
                (false, value) => all.push(format!("--{long}={value}")),
            }
        }
        let on: Vec<String> = on.into_iter().map(|word| word.as_ref().to_owned()).collect();
        let read = if self.command.ends_at_a_word() { 1 } else { on.len() };
        if on.iter().take(read).any(|word| is_flag(word)) {
            all.push("--".to_owned());
        }
        all.extend(on);
        words::join(all)
    }

    /// Takes flags and words, as docker does: flags may stand anywhere before `--`.
    fn take(&mut self, rest: &[Word]) {
        let mut rest = rest.iter().map(|word| word.text.as_str());
        while let Some(word) = rest.next() {
            match word.strip_prefix("--") {
                Some("") => break,
                Some(long) => self.long(long, &mut rest),
                None if is_flag(word) => self.letters(word, &mut rest),
                _ => {
                    self.words.push(word.to_owned());
                    if self.command.ends_at_a_word() {
                        break;
                    }
                }
            }
        }
        self.words.extend(rest.map(str::to_owned));
    }

    fn long<'a>(&mut self, text: &str, rest: &mut impl Iterator<Item = &'a str>) {
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        match self.command.flags().find(|flag| flag.long == name) {
            Some(flag) => self.keep(flag, value, rest),
            None => self.unknown(&format!("--{name}")),
        }
    }

    /// `-fv`, `-n5`, `-t=30`.
    fn letters<'a>(&mut self, word: &str, rest: &mut impl Iterator<Item = &'a str>) {
        let mut letters = word.chars();
        let _ = letters.next();
        while let Some(letter) = letters.next() {
            let Some(flag) = self.command.flags().find(|flag| flag.letter == Some(letter)) else {
                return self.unknown(&format!("-{letter}"));
            };
            let glued = letters.as_str();
            let value = glued.strip_prefix('=').or_else(|| Some(glued).filter(|glued| flag.takes && !glued.is_empty()));
            self.keep(flag, value, rest);
            if value.is_some() {
                break;
            }
        }
    }

    fn keep<'a>(&mut self, flag: Flag, value: Option<&str>, rest: &mut impl Iterator<Item = &'a str>) {
        let value = match (flag.takes, value) {
            (_, Some(value)) => Some(value),
            (true, None) => rest.next(),
            (false, None) => Some("true"),
        };
        let Some(value) = value else {
            return self.note(format!("--{} needs a value.", flag.long));
        };
        match flag.kind {
            Kind::Here => self.flags.push((flag.long, value.to_owned())),
            Kind::OfTerminals => {}
            Kind::Nowhere => self.note(format!("This console has no place for --{}: it is left out.", flag.long)),
        }
    }

    fn unknown(&mut self, flag: &str) {
        self.note(format!("docker {} has no flag {}: it is left out.", self.command.name(), short(flag)));
    }

    fn note(&mut self, note: String) {
        if self.notes.len() < NOTES && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}
