//! Names of things, parsed before they can reach the engine (S033).
//!
//! bollard formats an id into a URL and lets the URL's dots fold: `../volumes/v` as a container's id would
//! remove a volume. So no text becomes part of a path here unless it has passed one of these types.

use std::{fmt, str::FromStr, sync::Arc};

use serde::Deserialize;

/// A container's full id: 64 lower-case hex digits. Names are for show, ids act (S034).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct ContainerId(Arc<str>);

/// An image's id: 64 lower-case hex digits, without the `sha256:` that the engine writes before them. No repository can
/// be called so, which makes it an id and nothing else wherever the engine takes an image.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct ImageId(Arc<str>);

/// A volume's name, in the grammar of the engine's local driver: `[a-zA-Z0-9][a-zA-Z0-9_.-]*`.
/// Source: moby, `volume/names/names.go`, `RestrictedNamePattern`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct VolumeName(Arc<str>);

/// A network's full id: 64 lower-case hex digits, or 25 letters and digits for those of a swarm. Names are free text
/// and never part of a path (S024).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct NetworkId(Arc<str>);

/// Why a text is no id or name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Not 64 hex digits.
    #[error("a container's id is 64 hex digits")]
    ContainerId,
    /// Neither 64 hex digits nor an id of a swarm.
    #[error("a network's id is 64 hex digits, or 25 letters and digits in a swarm")]
    NetworkId,
    /// Not 64 hex digits, with or without `sha256:`.
    #[error("an image's id is 64 hex digits")]
    ImageId,
    /// Not in the grammar of volume names.
    #[error("a volume's name starts with a letter or digit and goes on with letters, digits, _ . or - (255 at most)")]
    VolumeName,
    /// Not a host that docker takes for a registry.
    #[error("a registry is a host with a dot or a port, such as ghcr.io or registry.lan:5000; docker.io is Docker Hub")]
    Registry,
}

impl ImageId {
    /// The 12 digits that `docker image ls` shows.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }

    /// All 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ContainerId {
    /// The 12 digits that `docker ps` shows.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }

    /// All 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl NetworkId {
    /// The 12 digits that `docker network ls` shows.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }

    /// All of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl VolumeName {
    /// The name as it is.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it looks like a name that the engine made up: 64 hex digits.
    pub fn is_generated(&self) -> bool {
        is_hex64(&self.0)
    }
}

/// Whether this is what the engine uses as an id: 64 lower-case hex digits.
pub fn is_hex64(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

impl FromStr for ContainerId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if is_hex64(text) { Ok(Self(text.into())) } else { Err(InvalidName::ContainerId) }
    }
}

impl FromStr for NetworkId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let is_swarms = text.len() == 25 && text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase());
        if is_hex64(text) || is_swarms { Ok(Self(text.into())) } else { Err(InvalidName::NetworkId) }
    }
}

impl FromStr for ImageId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        if is_hex64(digits) { Ok(Self(digits.into())) } else { Err(InvalidName::ImageId) }
    }
}

impl FromStr for VolumeName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let first = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
        let rest = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
        if first && rest && text.len() <= 255 { Ok(Self(text.into())) } else { Err(InvalidName::VolumeName) }
    }
}

macro_rules! text_like {
    ($($name:ident),*) => {$(
        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, InvalidName> {
                text.parse()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}
text_like!(ContainerId, ImageId, NetworkId, VolumeName);

/// A container's id in a file.
pub(super) mod text {
    use super::ContainerId;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(in crate::engine) fn serialize<S: Serializer>(id: &ContainerId, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(id.as_str())
    }

    pub(in crate::engine) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<ContainerId, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s033_only_exact_ids_and_names_parse() {
        let id = "a1".repeat(32);
        assert_eq!(id.parse::<ContainerId>().map(|id| id.short().len()), Ok(12));
        let upper = id.to_uppercase();
        for bad in ["", "../volumes/v", "web", &id[1..], &format!("{id}0"), &upper, &format!("{}#", &id[1..])] {
            assert!(bad.parse::<ContainerId>().is_err(), "{bad}");
        }
        for network in [&*id, "mzym7m0n9y4t3q2x1w0v9u8t7"] {
            assert!(network.parse::<NetworkId>().is_ok(), "{network}");
        }
        for bad in ["", "..", "bridge", "../containers/x", &id[1..], &upper, "mzym7m0n9y4t3q2x1w0v9u8t/"] {
            assert!(bad.parse::<NetworkId>().is_err(), "{bad}");
        }
        let with_name = format!("sha256:{id}");
        assert_eq!(with_name.parse::<ImageId>().map(|id| id.to_string()), Ok(id.clone()));
        for bad in ["", "nginx", "sha256:", "sha512:", "../volumes/v", &id[1..], &format!("sha256:{with_name}")] {
            assert!(bad.parse::<ImageId>().is_err(), "{bad}");
        }
        assert!("data_1.x-y".parse::<VolumeName>().is_ok());
        for bad in ["", "..", ".hidden", "a/b", "a%2fb", "a b", "-rf", "a?force=1", "a#"] {
            assert!(bad.parse::<VolumeName>().is_err(), "{bad}");
        }
    }
}
