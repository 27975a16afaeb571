//! The engine about itself: version, facts, warnings; known holes, disk use, and what can be pruned of all of it.

mod advisories;
mod disk;
mod facts;
mod prune;

use std::{collections::BTreeMap, fmt};

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

pub use self::{
    advisories::{Advisory, Part as EnginePart, Step as Release},
    disk::{Disk, DiskUsage, Sum, UsedCache, UsedContainer, UsedImage, UsedVolume, What},
    facts::{IndexSettings, Plugins, RegistrySettings, Runtime},
    prune::{Goes, Label, Plan, Thing, Wish},
};
use super::{Error, Outage, containers::or_default};

/// The oldest API that this console is tested with: engine 20.10.
pub const OLDEST: Api = Api(1, 41);
/// The newest API that it knows: that of bollard 0.21.1's models.
pub const NEWEST: Api = Api(1, 53);
/// The first that takes several networks in one request. Source: moby, `api/docs/CHANGELOG.md`, v1.44.
const MANY_NETWORKS: Api = Api(1, 44);

/// A version of the engine's API, `1.51`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Api(u32, u32);

impl Api {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        Some(Self(major.parse().ok()?, minor.parse().ok()?))
    }
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// The answer to `GET /version`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Version {
    /// The engine's own version, `28.5.2`.
    #[serde(default, deserialize_with = "or_default")]
    pub version: String,
    #[serde(default, deserialize_with = "or_default")]
    api_version: String,
    #[serde(default, rename = "MinAPIVersion", deserialize_with = "or_default")]
    min_api_version: String,
    /// What it consists of, itself included.
    #[serde(default, deserialize_with = "or_default")]
    pub components: Vec<Component>,
    #[serde(default, deserialize_with = "or_default")]
    platform: Platform,
    /// The Go that it was built with.
    #[serde(default, deserialize_with = "or_default")]
    pub go_version: String,
}

/// A program that an engine consists of.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Component {
    /// Engine, containerd, runc, ...
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    #[serde(default, deserialize_with = "or_default")]
    version: String,
}

impl Component {
    /// Its version; podman tells that of others in a sentence of several lines.
    pub fn version(&self) -> &str {
        let is_version = |word: &&str| word.contains('.') && word.starts_with(|c: char| c.is_ascii_digit());
        let found = self.version.split([' ', '\n', ',']).find(is_version);
        found.unwrap_or_else(|| self.version.lines().next().unwrap_or_default())
    }
}

/// What an engine is part of: Docker Desktop says so here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Platform {
    #[serde(default, deserialize_with = "or_default")]
    name: String,
}

impl Version {
    /// The version to speak: the newest that both know (S073).
    pub(super) fn negotiate(&self) -> Result<String, Error> {
        let max = Api::parse(&self.api_version).ok_or_else(|| {
            Error::Unreachable(Outage::Other(
                "what answers there is not a container engine: it tells no API version".to_owned(),
            ))
        })?;
        let min = Api::parse(&self.min_api_version).unwrap_or(max.min(OLDEST));
        if max < OLDEST || min > NEWEST {
            return Err(Error::Unreachable(Outage::Version {
                engine_min: min.to_string(),
                engine_max: max.to_string(),
                ours_min: OLDEST.to_string(),
                ours_max: NEWEST.to_string(),
            }));
        }
        Ok(max.min(NEWEST).to_string())
    }

    /// Whether a container can be made on several networks at once.
    pub(in crate::engine) fn joins_many_at_once(&self) -> bool {
        self.is_podman() || Api::parse(&self.api_version).is_none_or(|api| api >= MANY_NETWORKS)
    }

    /// Whether this is podman behind Docker's API: it does some things differently.
    pub fn is_podman(&self) -> bool {
        self.components.iter().any(|component| component.name.starts_with("Podman"))
    }

    /// `Docker 28.5.2` or `Podman 4.3.1`.
    pub fn title(&self) -> String {
        format!("{} {}", if self.is_podman() { "Podman" } else { "Docker" }, self.version)
    }

    /// The API version that the engine speaks at most.
    pub fn api(&self) -> &str {
        &self.api_version
    }

    /// The oldest API version that it takes; empty where it does not tell.
    pub fn oldest_api(&self) -> &str {
        &self.min_api_version
    }

    /// The API version that this console speaks with it.
    pub fn spoken_api(&self) -> String {
        self.negotiate().unwrap_or_default()
    }
}

/// What is shown of `GET /info`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Info {
    /// The host's name.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// The host's operating system.
    #[serde(default, deserialize_with = "or_default")]
    pub operating_system: String,
    /// Its kernel.
    #[serde(default, deserialize_with = "or_default")]
    pub kernel_version: String,
    /// Its processors' kind.
    #[serde(default, deserialize_with = "or_default")]
    pub architecture: String,
    /// How many processors.
    #[serde(default, rename = "NCPU", deserialize_with = "or_default")]
    pub cpus: u64,
    /// Memory in bytes.
    #[serde(default, deserialize_with = "or_default")]
    pub mem_total: u64,
    /// How image layers are stored.
    #[serde(default, deserialize_with = "or_default")]
    pub driver: String,
    /// How many images there are.
    #[serde(default, deserialize_with = "or_default")]
    pub images: u64,
    /// Where the engine keeps its data.
    #[serde(default, deserialize_with = "or_default")]
    pub docker_root_dir: String,
    /// What the engine warns of.
    #[serde(default, deserialize_with = "or_default")]
    pub warnings: Vec<String>,
    /// How many containers there are, whoever sees them.
    #[serde(default, deserialize_with = "or_default")]
    pub containers: u64,
    /// How many of them run.
    #[serde(default, deserialize_with = "or_default")]
    pub containers_running: u64,
    /// What the storage driver tells of itself.
    #[serde(default, deserialize_with = "or_default")]
    pub driver_status: Vec<(String, String)>,
    /// Who makes cgroups: cgroupfs or systemd.
    #[serde(default, deserialize_with = "or_default")]
    pub cgroup_driver: String,
    /// 1 or 2.
    #[serde(default, deserialize_with = "or_default")]
    pub cgroup_version: String,
    /// Where the output of containers goes that ask for nothing else.
    #[serde(default, deserialize_with = "or_default")]
    pub logging_driver: String,
    /// What runs containers that ask for nothing else.
    #[serde(default, deserialize_with = "or_default")]
    pub default_runtime: String,
    /// What can run containers, by name.
    #[serde(default, deserialize_with = "or_default")]
    pub runtimes: BTreeMap<String, Runtime>,
    /// How containers are confined, as `name=seccomp,profile=builtin`.
    #[serde(default, deserialize_with = "or_default")]
    pub security_options: Vec<String>,
    /// What it can do by kind.
    #[serde(default, deserialize_with = "or_default")]
    pub plugins: Plugins,
    /// How it talks to registries.
    #[serde(default, rename = "RegistryConfig", deserialize_with = "or_default")]
    pub registries: RegistrySettings,
    /// Whether containers go on while the engine restarts.
    #[serde(default, rename = "LiveRestoreEnabled", deserialize_with = "or_default")]
    pub live_restore: bool,
    /// Whether it is part of a swarm.
    #[serde(default, deserialize_with = "or_default")]
    swarm: facts::Swarm,
    /// Who filters packets.
    #[serde(default, deserialize_with = "or_default")]
    firewall_backend: facts::Firewall,
    /// Its labels, NAME=value.
    #[serde(default, deserialize_with = "or_default")]
    pub labels: Vec<String>,
    /// The proxy for plain HTTP that it pulls through.
    #[serde(default, deserialize_with = "or_default")]
    pub http_proxy: String,
    /// The proxy for HTTPS that it pulls through.
    #[serde(default, deserialize_with = "or_default")]
    pub https_proxy: String,
    /// Its clock.
    #[serde(default, deserialize_with = "or_default")]
    system_time: String,
    /// From `GET /version`.
    #[serde(skip)]
    pub version: Version,
}

impl Info {
    /// How far the engine's clock is ahead of ours. Under two seconds is nothing: the answer took its time.
    pub(super) fn skew(&self) -> SignedDuration {
        let theirs = self.system_time.parse::<Timestamp>();
        let skew = theirs.map_or(SignedDuration::ZERO, |theirs| theirs.duration_since(Timestamp::now()));
        if skew.abs() < SignedDuration::from_secs(2) { SignedDuration::ZERO } else { skew }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s073_speaks_the_newest_that_both_know() {
        let version = |min: &str, max: &str| {
            let version = Version { api_version: max.into(), min_api_version: min.into(), ..Version::default() };
            version.negotiate().ok()
        };
        assert_eq!(version("1.24", "1.51").as_deref(), Some("1.51"));
        assert_eq!(version("1.44", "1.99").as_deref(), Some("1.53"));
        assert_eq!(version("", "1.41").as_deref(), Some("1.41"));
        assert_eq!(version("1.60", "1.70"), None);
        assert_eq!(version("1.12", "1.39"), None);
        assert_eq!(version("", ""), None);
    }
}
