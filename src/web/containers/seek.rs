//! Looking for a field of the form: by its flag, as it is typed after `docker run`, or by words of its label and help.

use crate::command::{FLAGS, Flag};

/// Fields that are no flags, and blocks of rows for several flags: what they are found by.
const BLOCKS: [(&str, &[&str], &str); 7] = [
    ("image", &[], "image tag digest the blueprint"),
    ("command", &[], "command cmd args what to run in place of the image’s own command"),
    ("rows-env", &["env"], ""),
    ("env-file", &["env-file"], "paste a .env file"),
    ("rows-label", &["label"], ""),
    ("rows-publish", &["publish"], "firewall range host port address protocol"),
    ("rows-mount", &["volume", "mount", "tmpfs"], "source path read-only"),
];

/// What is looked for.
pub(super) struct Sought {
    /// As it was typed.
    pub text: String,
}

impl Sought {
    pub fn new(text: &str) -> Self {
        Self { text: text.chars().take(200).collect() }
    }

    /// Whether something is looked for at all.
    pub fn is_on(&self) -> bool {
        !self.text.is_empty()
    }

    /// Whether a flag is it; each is, where nothing is looked for.
    pub fn has(&self, flag: &Flag) -> bool {
        finds(&self.text, &self.by(flag))
    }

    /// The same of a block.
    pub fn has_block(&self, block: &str) -> bool {
        finds(&self.text, &self.by_block(block))
    }

    /// Whether a group has one of them.
    pub fn has_any<'a>(&self, flags: impl IntoIterator<Item = &'a Flag>) -> bool {
        flags.into_iter().any(|flag| self.has(flag))
    }

    /// What a flag is found by; `create.js` looks in the same.
    #[expect(clippy::unused_self, reason = "templates ask whom they have")]
    pub fn by(&self, flag: &Flag) -> String {
        let letter = flag.short.map(|letter| format!("-{letter} ")).unwrap_or_default();
        let names: Vec<_> = flag.also.iter().map(|name| format!("--{name} ")).collect();
        let words = [flag.label, flag.help, flag.group.title(), &flag.choices.join(" ")].join(" ").to_lowercase();
        format!("{letter}--{} {}{words}", flag.long, names.concat())
    }

    /// What a block is found by.
    pub fn by_block(&self, block: &str) -> String {
        let (_, flags, words) = BLOCKS.into_iter().find(|(name, ..)| *name == block).unwrap_or_default();
        let of = FLAGS.iter().filter(|flag| flags.contains(&flag.long)).map(|flag| self.by(flag));
        of.chain([words.to_owned()]).collect::<Vec<_>>().join(" ")
    }

    /// The flags that the form has no field for, as they concern the docker command on somebody's terminal.
    #[expect(clippy::unused_self, reason = "templates ask whom they have")]
    pub fn elsewhere(&self) -> impl Iterator<Item = &'static Flag> {
        FLAGS.iter().filter(|flag| flag.client && flag.long != "env-file")
    }

    /// Whether anything is it.
    pub fn is_found(&self) -> bool {
        self.has_any(FLAGS) || BLOCKS.iter().any(|(block, ..)| self.has_block(block))
    }
}

/// Whether all that is looked for is in there. A flag is looked for by its beginning, and what follows it is its value;
/// a letter is another than its capital.
fn finds(query: &str, by: &str) -> bool {
    let mut terms = query.split_whitespace();
    let word = |term: &str| by.split_whitespace().any(|word| word.starts_with(&term.to_lowercase()));
    match terms.clone().next() {
        Some(flag) if flag.starts_with("--") && flag.len() > 2 => word(flag.split('=').next().unwrap_or(flag)),
        Some(letters) if letters.starts_with('-') && letters.len() > 1 && !letters.starts_with("--") => {
            letters.chars().skip(1).any(|letter| by.split_whitespace().any(|word| word == format!("-{letter}")))
        }
        _ => terms.all(|term| by.contains(&term.trim_start_matches('-').to_lowercase())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_found_by_its_beginning_and_words_anywhere() {
        let sought = Sought::new("");
        let found = |query: &str| {
            let hits = FLAGS.iter().filter(|flag| finds(query, &sought.by(flag)));
            hits.map(|flag| flag.long).collect::<Vec<_>>()
        };
        assert_eq!(found("").len(), FLAGS.len());
        assert_eq!(found("--shm-size"), ["shm-size"]);
        assert_eq!(found("--SHM-size=1g"), ["shm-size"]);
        assert_eq!(found("-p 80:80"), ["publish"]);
        assert_eq!(found("-it"), ["interactive", "tty"]);
        assert!(found("--net").contains(&"network") && found("swap memory").contains(&"memory-swap"));
        for nothing in ["xyzzy", "--xyzzy", "-z", "memory xyzzy"] {
            assert_eq!(found(nothing), [""; 0], "{nothing}");
        }
        for flag in FLAGS {
            assert!(found(&format!("--{}", flag.long)).contains(&flag.long), "--{}", flag.long);
            assert!(flag.short.is_none_or(|letter| found(&format!("-{letter}")) == [flag.long]), "-{:?}", flag.short);
        }
        assert!(Sought::new("tmpfs").has_block("rows-mount") && !Sought::new("--dns").has_block("rows-mount"));
    }
}
