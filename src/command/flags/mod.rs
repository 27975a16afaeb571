//! The flags of `docker run` and `docker create`: one table for the form, the command line and the request.
//!
//! Each file holds the flags of one part of the form. The table's order is the order in which flags are
//! applied to a [`Spec`], whatever the order on the line, so that a flag may build on those before it: an
//! alias belongs to the first network, which must be known by then.

mod advanced;
mod basics;
mod environment;
mod mounts;
mod network;
mod ports;
mod resources;
mod security;
mod values;

use std::collections::BTreeMap;

use crate::engine::spec::Spec;
pub(super) use network::{is_long_form, is_made_by_user};
pub(super) use ports::{MOST_PORTS, ports_in};
use values::Parsed;
pub(super) use values::switch;

/// What a flag made of its value: nothing to add, or a sentence that says what the value should have been.
pub type Applied = Result<(), String>;

/// What follows a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing: it is there or not.
    Switch,
    /// One value; the last counts.
    Value,
    /// One value each time, and all count.
    List,
}

/// A part of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Name, terminal, command.
    Basics,
    /// Variables and labels.
    Environment,
    /// Ports.
    Ports,
    /// Volumes, folders of the host, memory file systems.
    Mounts,
    /// Networks and names.
    Network,
    /// Restart policy, limits.
    Resources,
    /// User, rights, devices of the host.
    Security,
    /// Everything else.
    Advanced,
}

impl Group {
    /// The heading in the form.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Basics => "Basics",
            Self::Environment => "Environment",
            Self::Ports => "Ports",
            Self::Mounts => "Mounts",
            Self::Network => "Network",
            Self::Resources => "Restart and resources",
            Self::Security => "Security",
            Self::Advanced => "Advanced",
        }
    }
}

/// A flag.
#[derive(Debug, Clone, Copy)]
pub struct Flag {
    /// The name after `--`.
    pub long: &'static str,
    /// The letter after `-`.
    pub short: Option<char>,
    /// Older names, still understood.
    pub also: &'static [&'static str],
    /// What follows it.
    pub kind: Kind,
    /// Its part of the form.
    pub group: Group,
    /// What a form calls it.
    pub label: &'static str,
    /// A sentence or two for a beginner.
    pub help: &'static str,
    /// An example of a value.
    pub placeholder: &'static str,
    /// Values to choose from; others may be right too.
    pub choices: &'static [&'static str],
    /// What can go wrong on the host, for values that [`Flag::danger_of`] finds so.
    pub danger: Option<&'static str>,
    /// Whether it concerns the docker command on somebody's terminal and says nothing about the container.
    pub client: bool,
    /// Writes its value into the request.
    pub apply: fn(&mut Spec, &str) -> Applied,
    risky: fn(&str) -> bool,
}

impl Flag {
    const fn new(
        kind: Kind,
        long: &'static str,
        label: &'static str,
        placeholder: &'static str,
        apply: fn(&mut Spec, &str) -> Applied,
    ) -> Self {
        Self {
            long,
            short: None,
            also: &[],
            kind,
            group: Group::Advanced,
            label,
            help: "",
            placeholder,
            choices: &[],
            danger: None,
            client: false,
            apply,
            risky: |value| !matches!(value, "false" | ""),
        }
    }

    const fn switch(long: &'static str, label: &'static str, apply: fn(&mut Spec, &str) -> Applied) -> Self {
        Self::new(Kind::Switch, long, label, "", apply)
    }

    const fn value(
        long: &'static str,
        label: &'static str,
        placeholder: &'static str,
        apply: fn(&mut Spec, &str) -> Applied,
    ) -> Self {
        Self::new(Kind::Value, long, label, placeholder, apply)
    }

    const fn list(
        long: &'static str,
        label: &'static str,
        placeholder: &'static str,
        apply: fn(&mut Spec, &str) -> Applied,
    ) -> Self {
        Self::new(Kind::List, long, label, placeholder, apply)
    }

    const fn help(self, help: &'static str) -> Self {
        Self { help, ..self }
    }

    const fn short(self, letter: char) -> Self {
        Self { short: Some(letter), ..self }
    }

    const fn also(self, also: &'static [&'static str]) -> Self {
        Self { also, ..self }
    }

    const fn choices(self, choices: &'static [&'static str]) -> Self {
        Self { choices, ..self }
    }

    const fn danger(self, danger: &'static str) -> Self {
        Self { danger: Some(danger), ..self }
    }

    const fn danger_if(self, risky: fn(&str) -> bool, danger: &'static str) -> Self {
        Self { risky, danger: Some(danger), ..self }
    }

    const fn client(self) -> Self {
        Self { client: true, ..self }
    }

    /// What can go wrong on the host with this value: `None` for `--pid container:web`, a warning for `--pid host`.
    pub fn danger_of(&self, value: &str) -> Option<&'static str> {
        self.danger.filter(|_| (self.risky)(value))
    }
}

const TOPICS: [(Group, &[Flag]); 8] = [
    (Group::Basics, basics::FLAGS),
    (Group::Environment, environment::FLAGS),
    (Group::Ports, ports::FLAGS),
    (Group::Mounts, mounts::FLAGS),
    (Group::Network, network::FLAGS),
    (Group::Resources, resources::FLAGS),
    (Group::Security, security::FLAGS),
    (Group::Advanced, advanced::FLAGS),
];

const COUNT: usize = {
    let (mut count, mut topics) = (0, TOPICS.as_slice());
    while let Some(((_, flags), rest)) = topics.split_first() {
        count += flags.len();
        topics = rest;
    }
    count
};

/// Every flag, in the order of the form and of application.
pub static FLAGS: &[Flag] = &{
    let mut table = [Flag::switch("", "", ignore); COUNT];
    let (mut slots, mut topics) = (table.as_mut_slice(), TOPICS.as_slice());
    while let Some((&(group, mut flags), rest)) = topics.split_first() {
        while let Some((flag, more)) = flags.split_first() {
            let taken = slots;
            slots = match taken.split_first_mut() {
                Some((slot, left)) => {
                    *slot = Flag { group, ..*flag };
                    left
                }
                None => &mut [],
            };
            flags = more;
        }
        topics = rest;
    }
    table
};

/// The flag of a name, current or older, without its hyphens.
pub fn by_long(name: &str) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.long == name || flag.also.contains(&name))
}

/// The flag of a letter.
pub fn by_short(letter: char) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.short == Some(letter))
}

/// A flag's place in the table, which is its turn to be applied.
pub fn turn(long: &str) -> usize {
    FLAGS.iter().position(|flag| flag.long == long).unwrap_or(FLAGS.len())
}

fn put<T>(slot: &mut T, value: Parsed<T>) -> Applied {
    *slot = value?;
    Ok(())
}

fn text(slot: &mut String, value: &str) -> Applied {
    put(slot, Ok(value.to_owned()))
}

fn push<T>(list: &mut Vec<T>, value: Parsed<T>) -> Applied {
    list.push(value?);
    Ok(())
}

fn add(list: &mut Vec<String>, value: &str) -> Applied {
    push(list, Ok(value.to_owned()))
}

fn insert(map: &mut BTreeMap<String, String>, setting: Parsed<(String, String)>) -> Applied {
    let (name, value) = setting?;
    map.insert(name, value);
    Ok(())
}

/// For flags that say nothing about the container.
#[expect(clippy::unnecessary_wraps, reason = "it stands in a table beside others that can fail")]
fn ignore(_: &mut Spec, _: &str) -> Applied {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_flag_has_its_own_names_and_words_for_a_beginner() {
        let mut names = BTreeSet::new();
        for flag in FLAGS {
            for name in flag.also.iter().chain([&flag.long]) {
                assert!(names.insert((*name).to_owned()), "--{name} is there twice");
            }
            assert!(
                flag.short.is_none_or(|letter| names.insert(letter.to_string())),
                "{:?} is there twice",
                flag.short
            );
            assert!(!flag.label.is_empty() && flag.help.ends_with('.'), "--{} is not explained", flag.long);
        }
    }

    #[test]
    fn every_example_is_right() {
        for flag in FLAGS.iter().filter(|flag| flag.kind != Kind::Switch && !flag.client) {
            let mut spec = Spec::default();
            if matches!(flag.long, "network-alias") {
                (by_long("network").unwrap().apply)(&mut spec, "shop").unwrap();
            }
            for value in flag.choices.iter().chain([&flag.placeholder]) {
                assert_eq!((flag.apply)(&mut spec, value), Ok(()), "--{} {value}", flag.long);
            }
        }
    }

    #[test]
    fn danger_depends_on_the_value() {
        let danger = |long, value| by_long(long).unwrap().danger_of(value).is_some();
        assert!(danger("privileged", "true") && !danger("privileged", "false"));
        assert!(danger("pid", "host") && !danger("pid", "container:web"));
        assert!(danger("volume", "/var/run/docker.sock:/var/run/docker.sock") && !danger("volume", "data:/data"));
        assert!(danger("mount", "type=bind,src=/,dst=/host") && !danger("mount", "type=volume,src=data,dst=/data"));
        assert!(!danger("mount", "type=bind,src=/srv/www,dst=/"));
    }
}
