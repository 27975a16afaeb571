//! How grave a line is, as far as it says so itself.

/// How grave a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Something failed.
    Error,
    /// Something may be wrong.
    Warn,
    /// Something happened.
    Info,
    /// For who looks for a fault.
    Debug,
    /// Everything.
    Trace,
}

/// How much of a line is looked at, in bytes.
const HEAD: usize = 240;
/// From how many bytes on a line of JSON is not read.
const JSON: usize = 64 << 10;

impl Level {
    /// All of them, the gravest first.
    pub const EACH: [Self; 5] = [Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }

    /// Out of our word for it.
    pub fn parse(word: &str) -> Option<Self> {
        Self::EACH.into_iter().find(|level| level.word() == word)
    }

    /// What a plain line says of itself.
    pub fn of(line: &str) -> Option<Self> {
        let line = line.trim_start();
        if line.starts_with('{')
            && let Some(level) = Self::of_json(line)
        {
            return Some(level);
        }
        let mut end = line.len().min(HEAD);
        while !line.is_char_boundary(end) {
            end -= 1;
        }
        let head = line.get(..end)?;
        Self::of_number(head).or_else(|| Self::of_glog(head)).or_else(|| Self::of_words(head))
    }

    /// The kernel's numbers, as systemd takes them: `<3>`. Source: sd-daemon(3).
    fn of_number(head: &str) -> Option<Self> {
        match head.as_bytes() {
            [b'<', digit @ b'0'..=b'7', b'>', ..] => Some(match digit {
                b'0'..=b'3' => Self::Error,
                b'4' => Self::Warn,
                b'5' | b'6' => Self::Info,
                _ => Self::Debug,
            }),
            _ => None,
        }
    }

    /// `E0102 15:04:05.000000`. Source: github.com/golang/glog, "Log line format".
    fn of_glog(head: &str) -> Option<Self> {
        let (letter, rest) = head.as_bytes().split_first()?;
        let is_date = rest.get(..4)?.iter().all(u8::is_ascii_digit) && rest.get(4) == Some(&b' ');
        match letter {
            b'E' | b'F' if is_date => Some(Self::Error),
            b'W' if is_date => Some(Self::Warn),
            b'I' if is_date => Some(Self::Info),
            _ => None,
        }
    }

    fn of_words(head: &str) -> Option<Self> {
        let bytes = head.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            if !bytes.get(at).is_some_and(u8::is_ascii_alphabetic) {
                at += 1;
                continue;
            }
            let len = bytes.get(at..)?.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
            let word = head.get(at..at + len)?;
            let before = head.get(..at)?.trim_end_matches(['"', '\'', ' ']);
            let after = bytes.get(at + len);
            let is_set = before.ends_with('=') || before.ends_with(':');
            let named = || before.trim_end_matches(['=', ':', '"']).rsplit(|c: char| !c.is_ascii_alphanumeric()).next();
            // A word in the middle of a sentence says nothing: only one that is set apart does.
            let is_apart = (before.ends_with(['[', '(', '|', '<'])
                && matches!(after, Some(b']' | b')' | b'|' | b' ' | b'>')))
                || (is_set
                    && named().is_some_and(|name| {
                        ["level", "lvl", "severity", "loglevel"].iter().any(|known| name.eq_ignore_ascii_case(known))
                    }))
                || (before.is_empty() && after == Some(&b':'))
                || word.bytes().all(|byte| byte.is_ascii_uppercase());
            if is_apart && let Some(level) = Self::of_word(word) {
                return Some(level);
            }
            at += len;
        }
        None
    }

    fn of_word(word: &str) -> Option<Self> {
        const WORDS: [(&str, Level); 21] = [
            ("error", Level::Error),
            ("err", Level::Error),
            ("fatal", Level::Error),
            ("panic", Level::Error),
            ("critical", Level::Error),
            ("crit", Level::Error),
            ("alert", Level::Error),
            ("emerg", Level::Error),
            ("emergency", Level::Error),
            ("severe", Level::Error),
            ("warning", Level::Warn),
            ("warn", Level::Warn),
            ("wrn", Level::Warn),
            ("information", Level::Info),
            ("info", Level::Info),
            ("notice", Level::Info),
            ("inf", Level::Info),
            ("debug", Level::Debug),
            ("dbg", Level::Debug),
            ("trace", Level::Trace),
            ("trc", Level::Trace),
        ];
        if !(3..=11).contains(&word.len()) {
            return None;
        }
        WORDS.iter().find(|(known, _)| word.eq_ignore_ascii_case(known)).map(|(_, level)| *level)
    }

    fn of_json(line: &str) -> Option<Self> {
        let value: serde_json::Value = (line.len() <= JSON).then(|| serde_json::from_str(line).ok())??;
        let names = ["level", "severity", "lvl", "log.level", "loglevel", "Level", "@l", "levelname"];
        let level = names.iter().find_map(|name| value.get(name)).or_else(|| value.pointer("/log/level"))?;
        match level {
            serde_json::Value::String(word) => Self::of_word(word),
            // Source: github.com/pinojs/pino, `docs/api.md`, and bunyan before it.
            serde_json::Value::Number(number) => Some(match number.as_u64()? {
                50.. => Self::Error,
                40.. => Self::Warn,
                30.. => Self::Info,
                20.. => Self::Debug,
                10.. => Self::Trace,
                _ => return None,
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_recognised() {
        for (line, level) in [
            ("2026-01-01 12:00:00 ERROR something", Some(Level::Error)),
            ("[WARN] something", Some(Level::Warn)),
            ("[2026-01-01 | warning] x", Some(Level::Warn)),
            ("[warning] x", Some(Level::Warn)),
            ("time=2026 level=info msg=\"no error\"", Some(Level::Info)),
            ("time=2026 level=\"debug\" msg=x", Some(Level::Debug)),
            ("error: cannot", Some(Level::Error)),
            ("there was no error in it", None),
            ("An error: no", None),
            ("<3>kernel", Some(Level::Error)),
            ("<6>kernel", Some(Level::Info)),
            ("E0102 15:04:05.000000 main.go", Some(Level::Error)),
            (r#"{"level":"warn","msg":"x"}"#, Some(Level::Warn)),
            (r#"{"level":50,"msg":"x"}"#, Some(Level::Error)),
            (r#"{"log":{"level":"trace"}}"#, Some(Level::Trace)),
            (r#"{"severity":"NOTICE"}"#, Some(Level::Info)),
            ("2026/01/01 [error] 7#7: *1 open() failed", Some(Level::Error)),
            ("2026-11-25 02:26:41.909 UTC [1] LOG:  ready", None),
            ("2026-11-25 02:26:41.909 UTC [1] FATAL:  no", Some(Level::Error)),
            ("", None),
            ("é", None),
        ] {
            assert_eq!(Level::of(line), level, "{line}");
        }
        assert!(Level::EACH.into_iter().all(|level| Level::parse(level.word()) == Some(level)));
    }
}
