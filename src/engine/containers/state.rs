//! The life of a container: its states, what can be done in each, and the signals.

use std::{fmt, str::FromStr};

use serde::Deserialize;

/// Where a container stands in its life. Docker's own words; podman's that mean the same are folded in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(from = "String")]
pub enum State {
    /// Made, never started.
    Created,
    /// Its main process runs.
    Running,
    /// Its processes are frozen, their memory kept.
    Paused,
    /// It ended and the restart policy is about to start it again.
    Restarting,
    /// It is being removed.
    Removing,
    /// Its main process has ended.
    Exited,
    /// Its removal failed half-way; it can only be removed again.
    Dead,
    /// A word that this console does not know.
    Unknown(String),
}

impl From<String> for State {
    fn from(word: String) -> Self {
        match word.as_str() {
            "created" | "configured" | "initialized" => Self::Created,
            "running" | "stopping" => Self::Running,
            "paused" => Self::Paused,
            "restarting" => Self::Restarting,
            "removing" => Self::Removing,
            "exited" | "stopped" => Self::Exited,
            "dead" => Self::Dead,
            _ => Self::Unknown(word),
        }
    }
}

impl State {
    /// Every state that the engine documents, in the order of a life.
    pub const ALL: [Self; 7] =
        [Self::Created, Self::Running, Self::Paused, Self::Restarting, Self::Removing, Self::Exited, Self::Dead];

    /// Docker's word for it.
    pub fn word(&self) -> &str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Removing => "removing",
            Self::Exited => "exited",
            Self::Dead => "dead",
            Self::Unknown(word) => word,
        }
    }

    /// What the word means, in a sentence.
    pub fn meaning(&self) -> &'static str {
        match self {
            Self::Created => "It exists, with its configuration and its own file system, but was never started.",
            Self::Running => "Its main process runs.",
            Self::Paused => "Its processes are frozen where they were; their memory is kept. Unpause lets them go on.",
            Self::Restarting => "Its main process ended, and its restart policy is about to start it again.",
            Self::Removing => "The engine is removing it.",
            Self::Exited => "Its main process has ended. Its files are still there, and it can be started again.",
            Self::Dead => "The engine could not remove it completely. It cannot be started; remove it again.",
            Self::Unknown(_) => "The engine uses a word that this console does not know.",
        }
    }

    /// Whether it counts as up: what `docker ps` without `-a` lists.
    pub fn is_up(&self) -> bool {
        matches!(self, Self::Running | Self::Paused | Self::Restarting)
    }

    /// What the engine lets be done in this state, the likeliest first. Podman does not stop what is paused.
    pub fn verbs(&self, on_podman: bool) -> &'static [Verb] {
        use Verb::{Kill, Pause, Remove, Rename, Restart, Start, Stop, Unpause};
        match self {
            Self::Created | Self::Exited => &[Start, Restart, Rename, Remove],
            Self::Running => &[Stop, Restart, Pause, Kill, Rename, Remove],
            Self::Paused if on_podman => &[Unpause, Kill, Rename, Remove],
            Self::Paused => &[Unpause, Stop, Restart, Kill, Rename, Remove],
            Self::Restarting => &[Stop, Restart, Kill, Rename, Remove],
            Self::Dead => &[Remove],
            Self::Removing => &[],
            Self::Unknown(_) => &[Start, Stop, Restart, Kill, Remove],
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What can be done to a container that exists; the last part of the path that does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// `docker start`
    Start,
    /// `docker stop`
    Stop,
    /// `docker restart`
    Restart,
    /// `docker kill`
    Kill,
    /// `docker pause`
    Pause,
    /// `docker unpause`
    Unpause,
    /// `docker rename`
    Rename,
    /// `docker rm`
    Remove,
}

impl Verb {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Start, Self::Stop, Self::Restart, Self::Kill, Self::Pause, Self::Unpause, Self::Rename, Self::Remove];

    /// The word in paths.
    pub fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Kill => "kill",
            Self::Pause => "pause",
            Self::Unpause => "unpause",
            Self::Rename => "rename",
            Self::Remove => "remove",
        }
    }

    /// The word on a button.
    pub fn label(self) -> &'static str {
        match self {
            Self::Start => "Start",
            Self::Stop => "Stop",
            Self::Restart => "Restart",
            Self::Kill => "Kill",
            Self::Pause => "Pause",
            Self::Unpause => "Unpause",
            Self::Rename => "Rename",
            Self::Remove => "Remove",
        }
    }

    /// What a row says while it happens.
    pub fn doing(self) -> &'static str {
        match self {
            Self::Start => "starting",
            Self::Stop => "stopping",
            Self::Restart => "restarting",
            Self::Kill => "killing",
            Self::Pause => "pausing",
            Self::Unpause => "unpausing",
            Self::Rename => "renaming",
            Self::Remove => "removing",
        }
    }

    /// What has been done when it is over.
    pub fn done(self) -> &'static str {
        match self {
            Self::Start => "started",
            Self::Stop => "stopped",
            Self::Restart => "restarted",
            Self::Kill => "killed",
            Self::Pause => "paused",
            Self::Unpause => "unpaused",
            Self::Rename => "renamed",
            Self::Remove => "removed",
        }
    }

    /// What it does, for who has not met it.
    pub fn help(self) -> &'static str {
        match self {
            Self::Start => "Runs its main process, with the configuration that it was created with.",
            Self::Stop => "Asks the main process to end (its stop signal, SIGTERM as a rule), waits, then kills it.",
            Self::Restart => "Stops it if it runs, then starts it.",
            Self::Kill => "Sends a signal at once, without waiting. SIGKILL cannot be caught: nothing is tidied up.",
            Self::Pause => "Freezes all its processes where they are. Memory and connections are kept.",
            Self::Unpause => "Lets the frozen processes go on.",
            Self::Rename => "Gives it another name. Nothing else changes, and it goes on running.",
            Self::Remove => "Takes it away, with its own file system. Named volumes stay.",
        }
    }

    /// Whether something has to be said before: a form is shown, not just a button.
    pub fn asks(self) -> bool {
        matches!(self, Self::Kill | Self::Rename | Self::Remove)
    }

    /// Whether it waits for the main process to end before it kills it.
    pub fn waits(self) -> bool {
        matches!(self, Self::Stop | Self::Restart)
    }

    /// Whether it can be done to many at once.
    pub fn in_bulk(self) -> bool {
        self != Self::Rename
    }

    /// Whether it takes something away or may lose data.
    pub fn is_dangerous(self) -> bool {
        matches!(self, Self::Kill | Self::Remove)
    }
}

impl FromStr for Verb {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|verb| verb.word() == word).ok_or(())
    }
}

/// A signal for `docker kill`, by name or number, as the engine takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal(String);

/// The signals worth explaining, by their names without `SIG`. The engine takes others by name or number.
pub const SIGNALS: [(&str, &str); 9] = [
    ("KILL", "Ends it at once. It cannot be caught: nothing is saved or tidied up."),
    ("TERM", "Asks it to end; well-behaved programs save and close. This is what stop sends first."),
    ("INT", "As Ctrl-C in a terminal: many programs end."),
    ("QUIT", "As Ctrl-\\: ends, often with a trace (Java prints its threads; nginx ends gracefully)."),
    ("HUP", "Many servers read their configuration again."),
    ("USR1", "Whatever the program means by it: nginx opens its log files again."),
    ("USR2", "Whatever the program means by it."),
    ("WINCH", "The window changed its size; Apache ends gracefully."),
    ("STOP", "Freezes the main process alone (pause freezes all of them). CONT lets it go on."),
];

impl Signal {
    /// SIGKILL, what `docker kill` sends when nothing is said.
    pub fn kill() -> Self {
        Self("KILL".to_owned())
    }

    /// Its name without `SIG`, or its number.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the main process cannot survive it.
    pub fn is_final(&self) -> bool {
        matches!(self.0.as_str(), "KILL" | "9")
    }
}

impl FromStr for Signal {
    type Err = String;

    /// Takes `KILL`, `sigterm`, `9`, `RTMIN+3`. The engine knows which names exist; this keeps other text out.
    fn from_str(text: &str) -> Result<Self, String> {
        let upper = text.trim().to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        // As a number is written: the engine takes +9 and 09 for 9, which nobody here would know for the one that kills.
        let numbered = name.parse::<u8>().is_ok_and(|number| (1..=64).contains(&number) && number.to_string() == name);
        let named = name.starts_with(|c: char| c.is_ascii_uppercase())
            && !name.starts_with("SIG")
            && name.len() <= 10
            && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b"+-".contains(&b));
        if numbered || named {
            Ok(Self(name.to_owned()))
        } else {
            Err(format!("“{}” is no signal: use a name such as TERM or HUP, or a number from 1 to 64", text.trim()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_is_its_word() {
        for verb in Verb::ALL {
            assert_eq!(verb.word().parse(), Ok(verb));
        }
        assert_eq!("exec".parse::<Verb>(), Err(()));
    }

    #[test]
    fn signals_are_names_or_numbers() {
        let signal = |text: &str| text.parse::<Signal>().map(|signal| signal.0);
        assert_eq!(signal(" sigterm "), Ok("TERM".to_owned()));
        assert_eq!(signal("9"), Ok("9".to_owned()));
        assert_eq!(signal("RTMIN+3"), Ok("RTMIN+3".to_owned()));
        for bad in ["", "0", "65", "KILL;rm", "$(x)", "-9", "+9", "09", "SIGSIGKILL"] {
            assert!(signal(bad).is_err(), "{bad}");
        }
    }
}
