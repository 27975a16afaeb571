//! Everything that nothing uses, removed together: `docker system prune`, but of a list that was seen before, thing by
//! thing.
//!
//! What goes is worked out as the engine would, in its order: containers first, and then what is unused without them.
//! One difference: a network that a stopped container is on stays, for without it that container could not start again.

mod act;
mod plan;

use std::{collections::BTreeMap, fmt, str::FromStr};

use jiff::Timestamp;
use serde::Deserialize;

use super::disk::{bare, is_step};
use crate::engine::{ContainerId, VolumeName, containers::or_default, ids::is_hex64};

/// What somebody wants to be rid of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// All unused images, and all of the build cache; else dangling ones, and what nothing needs any more.
    pub all: bool,
    /// Anonymous volumes, too.
    pub volumes: bool,
    /// Only what was made before.
    pub until: Option<Timestamp>,
    /// Only what carries these labels.
    pub labels: Vec<Label>,
}

/// A label that is asked for: `NAME`, `NAME=value`, or the same with `!=` for what does not carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Its name.
    pub name: String,
    /// Its value; any, where none is said.
    pub value: Option<String>,
    /// Whether it must not be there.
    pub is_not: bool,
}

impl FromStr for Label {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (text, is_not) = match text.split_once("!=") {
            Some((name, value)) => return Self::new(name, Some(value), true),
            None => text.strip_prefix('!').map_or((text, false), |rest| (rest, true)),
        };
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        Self::new(name, value, is_not)
    }
}

impl Label {
    fn new(name: &str, value: Option<&str>, is_not: bool) -> Result<Self, String> {
        if name.trim().is_empty() {
            return Err("A label is NAME, NAME=value or NAME!=value.".to_owned());
        }
        Ok(Self { name: name.trim().to_owned(), value: value.map(str::to_owned), is_not })
    }

    fn takes(&self, labels: &BTreeMap<String, String>) -> bool {
        let has = labels.get(&self.name).is_some_and(|has| self.value.as_ref().is_none_or(|wanted| wanted == has));
        has != self.is_not
    }
}

impl Wish {
    fn takes(&self, labels: &BTreeMap<String, String>, made: Option<Timestamp>) -> bool {
        self.labels.iter().all(|label| label.takes(labels))
            && self.until.is_none_or(|until| made.is_some_and(|made| made < until))
    }
}

/// Something that can go, by what it is known by for good. Written `container:ID`, `network:ID`, `volume:NAME`,
/// `image:ID`, `image:ID NAME`, `cache:ID`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// A container that does not run.
    Container(ContainerId),
    /// A network that nobody is on.
    Network(String),
    /// An anonymous volume.
    Volume(VolumeName),
    /// A name of an image, and the image with the last of them; or an image that has none.
    Image {
        /// The full id.
        id: String,
        /// The name.
        name: Option<String>,
    },
    /// A step of the build cache.
    Cache(String),
}

impl Thing {
    /// What kind of thing it is.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Container(_) => "container",
            Self::Network(_) => "network",
            Self::Volume(_) => "volume",
            Self::Image { .. } => "image",
            Self::Cache(_) => "cache",
        }
    }

    /// What it is known by.
    pub fn id(&self) -> &str {
        match self {
            Self::Container(id) => id.as_str(),
            Self::Volume(name) => name.as_str(),
            Self::Network(id) | Self::Image { id, .. } | Self::Cache(id) => id,
        }
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind(), self.id())?;
        match self {
            Self::Image { name: Some(name), .. } => write!(f, " {name}"),
            _ => Ok(()),
        }
    }
}

impl FromStr for Thing {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("“{}” is nothing that can be pruned.", text.chars().take(100).collect::<String>());
        let (kind, id) = text.split_once(':').ok_or_else(wrong)?;
        match kind {
            "container" => id.parse().map(Self::Container).map_err(|_| wrong()),
            "volume" => id.parse().map(Self::Volume).map_err(|_| wrong()),
            "network" if is_network(id) => Ok(Self::Network(id.to_owned())),
            "cache" if is_step(id) => Ok(Self::Cache(id.to_owned())),
            "image" => {
                let (id, name) = id.split_once(' ').map_or((id, None), |(id, name)| (id, Some(name)));
                let is_fine = is_hex64(bare(id)) && name.is_none_or(is_reference);
                let name = name.map(str::to_owned);
                is_fine.then(|| Self::Image { id: id.to_owned(), name }).ok_or_else(wrong)
            }
            _ => Err(wrong()),
        }
    }
}

/// Docker's are 64 digits; those of a swarm are 25 letters and digits.
fn is_network(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// Whether it may stand in a path (S033).
fn is_reference(name: &str) -> bool {
    let is_fine = |part: &str| !matches!(part, "" | "." | "..");
    name.len() <= 512
        && name.split('/').all(is_fine)
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-/:@".contains(&b))
}

/// Something that would go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goes {
    /// What.
    pub thing: Thing,
    /// Its name.
    pub name: String,
    /// What else there is to say of it.
    pub about: String,
    /// Bytes that it would free, where that is known.
    pub frees: Option<u64>,
}

/// What would go, in the order in which it would.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// All of it.
    pub goes: Vec<Goes>,
    /// How much more there would be: it is for the next time.
    pub more: usize,
    /// Why the build cache is left alone, if it is.
    pub no_cache: Option<&'static str>,
    /// Whether what belongs to everybody is left alone: it is for who sees everything.
    pub is_partial: bool,
}

impl Plan {
    /// Bytes that it would free, as far as that is known.
    pub fn frees(&self) -> u64 {
        self.goes.iter().filter_map(|goes| goes.frees).sum()
    }
}

/// A network, as the engine lists it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Network {
    id: String,
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    created: String,
    #[serde(default, deserialize_with = "or_default")]
    driver: String,
    #[serde(default, deserialize_with = "or_default")]
    scope: String,
    #[serde(default, deserialize_with = "or_default")]
    ingress: bool,
    #[serde(default, deserialize_with = "or_default")]
    labels: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s033_things_are_read_as_they_are_written_and_nothing_else_is() {
        let id = "a1".repeat(32);
        for text in [
            format!("container:{id}"),
            format!("network:{id}"),
            "volume:data".to_owned(),
            format!("image:sha256:{id}"),
            format!("image:sha256:{id} localhost:5000/a/b:1"),
            "cache:kzvtkb8wbzhfzgd0kr4bcvgzb".to_owned(),
        ] {
            assert_eq!(text.parse::<Thing>().map(|thing| thing.to_string()), Ok(text));
        }
        for text in [
            "",
            "container:web",
            "network:../volumes/x",
            "volume:../x",
            "image:busybox",
            &format!("image:sha256:{id} ../x"),
            &format!("image:sha256:{id} a//b"),
            &format!("image:sha256:{id} a?force=1"),
            "cache:.*",
            "plugin:x",
        ] {
            assert!(text.parse::<Thing>().is_err(), "{text}");
        }
    }

    #[test]
    fn labels_are_asked_for_as_docker_does() {
        let labels = BTreeMap::from([("team".to_owned(), "red".to_owned())]);
        for (text, takes) in [
            ("team", true),
            ("team=red", true),
            ("team=blue", false),
            ("team!=blue", true),
            ("team!=red", false),
            ("!team", false),
            ("tier", false),
        ] {
            assert_eq!(text.parse::<Label>().map(|label| label.takes(&labels)), Ok(takes), "{text}");
        }
        assert!("".parse::<Label>().is_err() && "=x".parse::<Label>().is_err());
    }
}
