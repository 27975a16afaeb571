//! A container as the list shows it: everything from one line of `GET /containers/json`, no call per row (S071).

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use super::{State, Verb};
use crate::engine::{
    ids::{ContainerId, ImageId, is_hex64},
    networks::Attachment,
};

/// The label by which compose says which project a container belongs to.
pub(in crate::engine) const STACK: &str = "com.docker.compose.project";
/// The label by which compose says which service of it a container is.
pub(in crate::engine) const SERVICE: &str = "com.docker.compose.service";

/// A container, as the picture holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Container {
    /// The full id.
    pub id: ContainerId,
    /// The name without its slash; the short id where it has none.
    pub name: String,
    /// The image as it was asked for.
    pub image: String,
    /// The image that it was made of.
    pub image_id: Option<ImageId>,
    /// The command line that runs, as the engine shows it.
    pub command: String,
    /// When it was created.
    pub created: Timestamp,
    /// Its state.
    pub state: State,
    /// What its health check says, if it has one.
    pub health: Option<Health>,
    /// The exit code of its last run, where there was one.
    pub exit_code: Option<i64>,
    /// Since when it is in this state: exact where an event told, else out of the engine's rounded words.
    pub since: Option<Timestamp>,
    /// Published and exposed ports.
    pub ports: Vec<Port>,
    /// Its labels, image's included.
    pub labels: BTreeMap<String, String>,
    /// Its networks, with its place in each.
    pub networks: Vec<Attachment>,
    /// Whose network it shares: the id of another container.
    pub network_of: Option<String>,
    /// What is mounted in it.
    pub mounts: Vec<Mount>,
    /// How its last run ended, as far as this console saw it.
    pub ending: Ending,
    /// What is being done to it now.
    pub pending: Option<Pending>,
    /// How often it ended within the last ten minutes, as far as this console saw it.
    pub recent_ends: usize,
}

/// How a run ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ending {
    /// Somebody asked for it: the verb and whether it came through this console.
    pub asked: Option<Asked>,
    /// The kernel ended it for want of memory.
    pub out_of_memory: bool,
    /// The last try to start it, from this console, failed.
    pub start_failed: bool,
}

/// Who or what ended a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The signal that was sent, by number, where known.
    pub signal: Option<u8>,
    /// Whether it came through this console, and what was pressed.
    pub here: Option<Verb>,
    /// When it was asked.
    pub at: Timestamp,
}

/// Something that is being done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// What.
    pub verb: Verb,
    /// Since when.
    pub since: Timestamp,
}

/// What a health check says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Health {
    /// Not decided yet: still within its start period.
    Starting,
    /// The last check passed.
    Healthy,
    /// As many checks in a row failed as it takes.
    Unhealthy,
}

impl Health {
    /// Docker's word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
        }
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        [Self::Starting, Self::Healthy, Self::Unhealthy].into_iter().find(|health| health.word() == word)
    }
}

/// A port of a container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port {
    /// The port on the host, if it is published.
    pub public: Option<u16>,
    /// The port inside.
    pub private: u16,
    /// tcp, udp or sctp.
    pub protocol: String,
    /// The host's address that it is bound to; empty or a wildcard for all of them.
    pub address: String,
}

impl Port {
    /// Whether it is bound to every address of the host.
    pub fn is_open_to_all(&self) -> bool {
        matches!(self.address.as_str(), "" | "0.0.0.0" | "::" | "[::]")
    }
}

/// Something mounted into a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// bind, volume, tmpfs, image, npipe or cluster.
    pub kind: String,
    /// A volume's name, or a path on the host.
    pub source: String,
    /// The path inside.
    pub target: String,
    /// Whether the container may write there.
    pub writable: bool,
}

impl Mount {
    /// Whether it is a volume that the engine named itself: it goes with `docker rm -v`.
    pub fn is_anonymous(&self) -> bool {
        self.kind == "volume" && is_hex64(&self.source)
    }

    /// Whether it is a volume that somebody named: it stays.
    pub fn is_named(&self) -> bool {
        self.kind == "volume" && !is_hex64(&self.source)
    }
}

/// Why a container needs somebody's eyes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attention {
    /// The kernel ended it for want of memory.
    OutOfMemory,
    /// Its removal failed.
    Dead,
    /// It ends and is started again, over and over.
    RestartLoop,
    /// Its health check fails.
    Unhealthy,
    /// It ended with an error that nobody asked for.
    Failed,
}

impl Attention {
    /// All of them, the most pressing first.
    pub const ALL: [Self; 5] = [Self::OutOfMemory, Self::Dead, Self::RestartLoop, Self::Unhealthy, Self::Failed];

    /// The word for it where machines read.
    pub fn key(self) -> &'static str {
        match self {
            Self::OutOfMemory => "out_of_memory",
            Self::Dead => "dead",
            Self::RestartLoop => "restart_loop",
            Self::Unhealthy => "unhealthy",
            Self::Failed => "failed",
        }
    }
}

/// Ends within ten minutes from which on it is a loop.
const LOOP: usize = 3;

impl Container {
    /// The compose project that it belongs to.
    pub fn stack(&self) -> Option<&str> {
        self.labels.get(STACK).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// Whether it needs attention, and for what.
    pub fn attention(&self) -> Option<Attention> {
        let ended = matches!(self.state, State::Exited | State::Restarting);
        if self.ending.out_of_memory && ended {
            Some(Attention::OutOfMemory)
        } else if self.state == State::Dead {
            Some(Attention::Dead)
        } else if self.state == State::Restarting || (self.state.is_up() && self.recent_ends >= LOOP) {
            Some(Attention::RestartLoop)
        } else if self.health == Some(Health::Unhealthy) && self.state.is_up() {
            Some(Attention::Unhealthy)
        } else if (self.state == State::Exited && self.failed()) || (!self.state.is_up() && self.ending.start_failed) {
            Some(Attention::Failed)
        } else {
            None
        }
    }

    /// Whether it ended with an error that nobody asked for. 130, 137 and 143 (interrupted, killed, terminated)
    /// count as asked for where this console was not there to see.
    fn failed(&self) -> bool {
        match self.exit_code {
            None | Some(0) => false,
            Some(130 | 137 | 143) => false,
            Some(_) => self.ending.asked.is_none(),
        }
    }

    /// What can be done to it now.
    pub fn verbs(&self, on_podman: bool) -> &'static [Verb] {
        match &self.pending {
            Some(pending) if pending.verb == Verb::Remove => &[],
            _ => self.state.verbs(on_podman),
        }
    }
}

/// One element of the answer to `GET /containers/json`. Own and forgiving, where bollard's strict enums would lose
/// the whole list to one unknown word.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::engine) struct Listed {
    pub id: ContainerId,
    #[serde(default, deserialize_with = "or_default")]
    names: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    image: String,
    #[serde(default, rename = "ImageID", deserialize_with = "or_default")]
    image_id: String,
    #[serde(default, deserialize_with = "or_default")]
    command: String,
    #[serde(default)]
    created: i64,
    state: State,
    #[serde(default, deserialize_with = "or_default")]
    status: String,
    #[serde(default, deserialize_with = "or_default")]
    ports: Vec<ListedPort>,
    #[serde(default, deserialize_with = "or_default")]
    labels: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "or_default")]
    network_settings: ListedNetworks,
    #[serde(default, deserialize_with = "or_default")]
    host_config: ListedHost,
    #[serde(default, deserialize_with = "or_default")]
    mounts: Vec<ListedMount>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListedPort {
    #[serde(default, rename = "IP", deserialize_with = "or_default")]
    ip: String,
    private_port: u16,
    public_port: Option<u16>,
    #[serde(default, rename = "Type", deserialize_with = "or_default")]
    protocol: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListedNetworks {
    #[serde(default, deserialize_with = "or_default")]
    networks: BTreeMap<String, Option<ListedEndpoint>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListedEndpoint {
    #[serde(default, rename = "NetworkID", deserialize_with = "or_default")]
    network: String,
    #[serde(default, rename = "IPAddress", deserialize_with = "or_default")]
    ipv4: String,
    #[serde(default, rename = "GlobalIPv6Address", deserialize_with = "or_default")]
    ipv6: String,
    #[serde(default, deserialize_with = "or_default")]
    mac_address: String,
}

impl ListedEndpoint {
    fn into_attachment(self, network: String) -> Attachment {
        Attachment { network, id: self.network, ipv4: self.ipv4, ipv6: self.ipv6, mac: self.mac_address }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListedHost {
    #[serde(default, deserialize_with = "or_default")]
    network_mode: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListedMount {
    #[serde(default, rename = "Type", deserialize_with = "or_default")]
    kind: String,
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    source: String,
    #[serde(default, deserialize_with = "or_default")]
    destination: String,
    #[serde(default, rename = "RW")]
    writable: bool,
}

/// `null` is what the engine says for an empty list.
pub(in crate::engine) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    from: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

impl Listed {
    /// The container as of `now` by the engine's clock, without what only events tell.
    pub(in crate::engine) fn into_container(self, now: Timestamp) -> Container {
        let status = Status::parse(&self.status);
        let ports = self.ports.into_iter().map(ListedPort::into_port);
        let mut ports: Vec<_> = ports.collect();
        ports.sort();
        ports.dedup_by(|b, a| {
            a.is_open_to_all()
                && b.is_open_to_all()
                && (a.public, a.private, &a.protocol) == (b.public, b.private, &b.protocol)
        });
        let attached = |(name, at): (String, Option<ListedEndpoint>)| at.unwrap_or_default().into_attachment(name);
        let created = Timestamp::from_second(self.created).unwrap_or_default();
        let since = match self.state {
            State::Created => Some(created),
            _ => status.ago.and_then(|ago| now.checked_sub(ago).ok()),
        };
        // Links make further names, `/web/db`; its own has one slash.
        let own = self.names.iter().find(|name| !name.trim_start_matches('/').contains('/')).or(self.names.first());
        Container {
            name: own.map_or_else(|| self.id.short().to_owned(), |name| name.trim_start_matches('/').to_owned()),
            id: self.id,
            image: self.image,
            image_id: self.image_id.parse().ok(),
            command: self.command,
            created,
            state: self.state,
            health: status.health,
            exit_code: status.exit_code,
            since,
            ports,
            labels: self.labels,
            networks: self.network_settings.networks.into_iter().map(attached).collect(),
            network_of: self.host_config.network_mode.strip_prefix("container:").map(str::to_owned),
            mounts: self.mounts.into_iter().map(ListedMount::into_mount).collect(),
            ending: Ending::default(),
            pending: None,
            recent_ends: 0,
        }
    }
}

impl ListedPort {
    fn into_port(self) -> Port {
        Port {
            public: self.public_port.filter(|port| *port != 0),
            private: self.private_port,
            protocol: self.protocol,
            address: self.ip,
        }
    }
}

impl ListedMount {
    fn into_mount(self) -> Mount {
        let source = if self.kind == "volume" && !self.name.is_empty() { self.name } else { self.source };
        Mount { kind: self.kind, source, target: self.destination, writable: self.writable }
    }
}

/// What the engine's `Status` text holds and nothing else in a list does: exit code, health, age.
/// Source: moby, `daemon/container/state.go`, `State.String`, and go-units, `HumanDuration`.
#[derive(Debug, Default, PartialEq)]
struct Status {
    exit_code: Option<i64>,
    health: Option<Health>,
    ago: Option<Duration>,
}

impl Status {
    fn parse(text: &str) -> Self {
        let parenthesised = |from: &str| {
            from.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(inner, _)| inner.to_owned())
        };
        let exit_code = text
            .starts_with("Exited (")
            .then(|| parenthesised(text))
            .or_else(|| text.starts_with("Restarting (").then(|| parenthesised(text)))
            .flatten()
            .and_then(|code| code.parse().ok());
        let health = ["healthy", "unhealthy", "health: starting", "starting"]
            .into_iter()
            .find(|word| text.ends_with(&format!("({word})")))
            .and_then(|word| Health::parse(word.trim_start_matches("health: ")));
        let age = text
            .strip_prefix("Up ")
            .or_else(|| text.split_once(") ").map(|(_, rest)| rest))
            .map(|rest| rest.split_once(" (").map_or(rest, |(age, _)| age).trim_end_matches(" ago"));
        Self { exit_code, health, ago: age.and_then(human_duration) }
    }
}

/// `3 days`, `About an hour`, `Less than a second`.
fn human_duration(text: &str) -> Option<Duration> {
    let text = text.trim().trim_start_matches("About ").trim_start_matches("Less than ");
    let (count, unit) = text.split_once(' ')?;
    let count: u64 = match count {
        "a" | "an" => 1,
        digits => digits.parse().ok()?,
    };
    let seconds = match unit.trim_end_matches('s') {
        "second" => 1,
        "minute" => 60,
        "hour" => 3_600,
        "day" => 86_400,
        "week" => 7 * 86_400,
        "month" => 30 * 86_400,
        "year" => 365 * 86_400,
        _ => return None,
    };
    count.checked_mul(seconds).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_engines_status_words() {
        let status = |text| Status::parse(text);
        let up = status("Up 3 days (unhealthy)");
        assert_eq!((up.exit_code, up.health, up.ago), (None, Some(Health::Unhealthy), Some(Duration::from_hours(72))));
        let exited = status("Exited (137) About an hour ago");
        assert_eq!((exited.exit_code, exited.ago), (Some(137), Some(Duration::from_hours(1))));
        assert_eq!(status("Up 2 seconds (health: starting)").health, Some(Health::Starting));
        assert_eq!(status("Up Less than a second (Paused)").ago, Some(Duration::from_secs(1)));
        assert_eq!(status("Restarting (3) 5 seconds ago").exit_code, Some(3));
        for plain in ["Created", "Dead", "Removal In Progress", "", "Exited (x)"] {
            assert_eq!(status(plain), Status::default(), "{plain}");
        }
    }
}
