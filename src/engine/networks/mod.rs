//! Networks: listing, making, joining, leaving, removing.
//!
//! Their names are free text on docker, `..` and line ends included (S024): a path is made of ids, and of nothing else.

mod members;
mod subnet;

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

pub use self::{members::Attachment, subnet::Subnet};
use super::{
    Engine, Error,
    containers::{STACK, or_default},
    ids::{ContainerId, NetworkId},
    reach::{masked_network_options, told_network},
    wire::{ACT, Wire},
};

/// Networks that the engine makes itself and keeps. Source: moby, `runconfig`, `IsPreDefinedNetwork`; podman tells of
/// its own, `podman`, as `bridge`.
const PREDEFINED: [&str; 4] = ["bridge", "host", "none", "default"];

/// A network, as the engine lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Its id.
    pub id: NetworkId,
    /// Its name, free text.
    pub name: String,
    /// The driver that makes it.
    pub driver: String,
    /// local, or swarm for all of a swarm's hosts.
    pub scope: String,
    /// When it was created, where the engine tells.
    pub created: Option<Timestamp>,
    /// Its ranges of addresses.
    pub ranges: Vec<Range>,
    /// Whether nothing leads out of it.
    pub internal: bool,
    /// Whether containers that are no services may join a network of a swarm.
    pub attachable: bool,
    /// Whether it is the one by which a swarm publishes ports.
    pub ingress: bool,
    /// Whether it has addresses of IPv6.
    pub ipv6: bool,
    /// Whether it is only a template for others.
    pub config_only: bool,
    /// What was said to the driver, without what may be a secret.
    pub options: BTreeMap<String, String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// A range of addresses that a network hands out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Range {
    /// All of it, `10.1.0.0/16`.
    #[serde(default, deserialize_with = "or_default")]
    pub subnet: String,
    /// The way out.
    #[serde(default, deserialize_with = "or_default")]
    pub gateway: String,
    /// The part that is handed out, where that is not all.
    #[serde(default, rename = "IPRange", deserialize_with = "or_default")]
    pub ip_range: String,
}

/// What a new network should be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewNetwork {
    /// Its name.
    pub name: String,
    /// The driver; bridge where none is said.
    pub driver: Option<String>,
    /// Its ranges; the engine chooses where there is none.
    pub ranges: Vec<Range>,
    /// With addresses of IPv6.
    pub ipv6: bool,
    /// With no way out.
    pub internal: bool,
    /// Open to containers that are no services.
    pub attachable: bool,
    /// What is said to the driver.
    pub options: Vec<(String, String)>,
    /// Its labels.
    pub labels: Vec<(String, String)>,
}

/// How a container should be in a network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Joining {
    /// Further names there.
    pub aliases: Vec<String>,
    /// Its address there; the engine chooses where none is said.
    pub ipv4: Option<IpAddr>,
    /// Its address of IPv6 there.
    pub ipv6: Option<IpAddr>,
}

impl NewNetwork {
    /// Whether every engine takes this for the name of a network.
    pub fn is_name(name: &str) -> bool {
        name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
            && name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
    }
}

impl Network {
    /// Whether the engine made it itself, and keeps it.
    pub fn is_predefined(&self) -> bool {
        PREDEFINED.contains(&self.name.as_str())
    }

    /// Whether containers join it here: not those of the host itself, of nothing, and of a swarm's services alone.
    pub fn is_joinable(&self) -> bool {
        !matches!(self.name.as_str(), "host" | "none")
            && !self.config_only
            && !self.ingress
            && (self.scope != "swarm" || self.attachable)
    }

    /// Whether it is between containers of this engine: who is on it reaches the others there.
    pub fn connects(&self) -> bool {
        !matches!(self.driver.as_str(), "host" | "null" | "none") && !self.config_only
    }

    /// The compose project that it belongs to.
    pub fn stack(&self) -> Option<&str> {
        self.labels.get(STACK).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// Its ranges, as far as they can be read.
    pub fn subnets(&self) -> impl Iterator<Item = Subnet> {
        self.ranges.iter().filter_map(|range| range.subnet.parse().ok())
    }
}

/// One element of the answer to `GET /networks`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    id: NetworkId,
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    driver: String,
    #[serde(default, deserialize_with = "or_default")]
    scope: String,
    #[serde(default, deserialize_with = "or_default")]
    created: String,
    #[serde(default, rename = "IPAM", deserialize_with = "or_default")]
    ipam: Ipam,
    #[serde(default)]
    internal: bool,
    #[serde(default)]
    attachable: bool,
    #[serde(default)]
    ingress: bool,
    #[serde(default, rename = "EnableIPv6")]
    ipv6: bool,
    #[serde(default)]
    config_only: bool,
    #[serde(default, deserialize_with = "or_default")]
    options: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "or_default")]
    labels: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Ipam {
    #[serde(default, deserialize_with = "or_default")]
    config: Vec<Range>,
}

/// All networks. One whose id is none is left out: no path could be made of it.
pub(super) async fn list(wire: &Wire) -> Result<Vec<Network>, Error> {
    Ok(read(wire.get("/networks").await?))
}

fn read(listed: Vec<Value>) -> Vec<Network> {
    let read = |value: Value| match serde_json::from_value::<Listed>(value) {
        Ok(listed) => Some(listed.into_network()),
        Err(error) => {
            tracing::warn!(error = error.to_string(), "a network that cannot be read is not shown");
            None
        }
    };
    listed.into_iter().filter_map(read).collect()
}

impl Listed {
    fn into_network(self) -> Network {
        // Podman says "now" of its default network at each list: that would be news each time.
        let is_default = PREDEFINED.contains(&self.name.as_str());
        let created = self.created.parse::<Timestamp>().ok().filter(|at| at.as_second() > 0 && !is_default);
        Network {
            id: self.id,
            name: self.name,
            driver: self.driver,
            scope: self.scope,
            created,
            ranges: self.ipam.config,
            internal: self.internal,
            attachable: self.attachable,
            ingress: self.ingress,
            ipv6: self.ipv6,
            config_only: self.config_only,
            options: masked_network_options(&self.options),
            labels: self.labels,
        }
    }
}

/// Puts a fresh list in the place of the old one; answers whether anything differs.
pub(super) fn place(old: &mut BTreeMap<NetworkId, Arc<Network>>, listed: Vec<Network>) -> bool {
    let same = old.len() == listed.len()
        && listed.iter().all(|network| old.get(&network.id).is_some_and(|old| **old == *network));
    if !same {
        *old = listed.into_iter().map(|network| (network.id.clone(), Arc::new(network))).collect();
    }
    !same
}

/// The networks of one engine.
pub struct Networks<'a>(pub(super) &'a Engine);

impl Networks<'_> {
    /// Makes a network; answers with its id.
    pub async fn create(&self, new: NewNetwork) -> Result<NetworkId, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Made {
            id: NetworkId,
        }
        let new = self.admit(new)?;
        self.0.reachable()?;
        let made = self.0.wire.post("/networks/create", &request(&new), ACT).await.map_err(refused)?;
        self.0.live.read_back_networks().await;
        let made: Made = serde_json::from_slice(&made)
            .map_err(|error| Error::Engine { status: 502, message: format!("unexpected answer: {error}") })?;
        Ok(made.id)
    }

    /// Everything that the engine tells of a network, as far as this reach goes.
    pub async fn inspect(&self, id: &NetworkId) -> Result<Value, Error> {
        self.0.reaches_network(id)?;
        self.settled(id)?;
        self.0.reachable()?;
        let raw = self.0.wire.get(&format!("/networks/{id}")).await?;
        Ok(told_network(&self.0.reach, raw, &self.0.picture()))
    }

    /// Puts a container into a network.
    pub async fn connect(&self, id: &NetworkId, container: &ContainerId, joining: &Joining) -> Result<(), Error> {
        self.0.reach.may_operate()?;
        self.0.reaches_network(id)?;
        self.0.reaches_container(container)?;
        self.settled(id)?;
        self.0.reachable()?;
        let address = |address: Option<IpAddr>| address.map(|address| address.to_string());
        let mut ipam = serde_json::Map::new();
        for (key, address) in [("IPv4Address", address(joining.ipv4)), ("IPv6Address", address(joining.ipv6))] {
            ipam.extend(address.map(|address| (key.to_owned(), Value::String(address))));
        }
        let ipam = (!ipam.is_empty()).then_some(ipam);
        let endpoint = json!({ "Aliases": joining.aliases, "IPAMConfig": ipam });
        let body = json!({ "Container": container.as_str(), "EndpointConfig": endpoint });
        let done = self.0.wire.post(&format!("/networks/{id}/connect"), &body, ACT).await;
        self.read_back(container).await;
        done.map(|_| ()).map_err(refused)
    }

    /// Takes a container out of a network; `force` even while it runs on a host that is gone.
    pub async fn disconnect(&self, id: &NetworkId, container: &ContainerId, force: bool) -> Result<(), Error> {
        self.0.reach.may_operate()?;
        self.0.reaches_network(id)?;
        self.0.reaches_container(container)?;
        self.settled(id)?;
        self.0.live.picture().guard_disconnect(container)?;
        self.0.reachable()?;
        let body = json!({ "Container": container.as_str(), "Force": force });
        let done = self.0.wire.post(&format!("/networks/{id}/disconnect"), &body, ACT).await;
        self.read_back(container).await;
        done.map(|_| ()).map_err(refused)
    }

    /// Removes a network.
    pub async fn remove(&self, id: &NetworkId) -> Result<(), Error> {
        let result = self.delete(id, false).await;
        self.0.live.read_back_networks().await;
        result
    }

    /// Removes a network; if `unused`, only one that no container has, not even a stopped one: such a container could
    /// not start any more.
    pub(super) async fn delete(&self, id: &NetworkId, unused: bool) -> Result<(), Error> {
        self.0.reach.may_operate()?;
        let network = self.0.owns_network(id)?;
        self.settled(id)?;
        if network.is_predefined() {
            return Err(Error::Denied(format!("{} is a pre-defined network and cannot be removed", network.name)));
        }
        let picture = self.0.live.picture();
        if unused && let Some(member) = picture.members_of(&network).first() {
            return Err(Error::Conflict(format!("the container {} has come to be on it", member.name)));
        }
        self.0.reachable()?;
        if picture.is_podman() {
            self.is_free(id).await?;
        }
        let call = self.0.docker.remove_network(id.as_str());
        let done = self.0.wire.typed("DELETE /networks/{id}", ACT, call).await;
        done.map(|_| ()).map_err(refused)
    }

    /// Refuses an id that is another network's name: podman would take that one (S034).
    fn settled(&self, id: &NetworkId) -> Result<(), Error> {
        let picture = self.0.live.picture();
        if picture.networks.values().any(|other| other.name == id.as_str() && other.id != *id) {
            return Err(Error::Conflict("another network has this one's id as its name".to_owned()));
        }
        Ok(())
    }

    /// Refuses to remove what is in use. Podman up to 4.3 does so only where it is told a name: by its id it takes a
    /// network away from under the containers on it.
    async fn is_free(&self, id: &NetworkId) -> Result<(), Error> {
        let raw: Value = self.0.wire.get(&format!("/networks/{id}")).await?;
        match raw.get("Containers").and_then(Value::as_object).filter(|members| !members.is_empty()) {
            Some(members) => Err(Error::Conflict(format!("network is being used by {} containers", members.len()))),
            None => Ok(()),
        }
    }

    async fn read_back(&self, container: &ContainerId) {
        if let Err(error) = self.0.live.read_back(std::slice::from_ref(container)).await {
            tracing::warn!(error = error.to_string(), "a container's networks were not read back");
        }
    }
}

/// The body of `POST /networks/create`.
fn request(new: &NewNetwork) -> Value {
    let range = |range: &Range| {
        let parts = [("Subnet", &range.subnet), ("Gateway", &range.gateway), ("IPRange", &range.ip_range)];
        let said = parts.into_iter().filter(|(_, value)| !value.is_empty());
        Value::Object(said.map(|(key, value)| (key.to_owned(), Value::String(value.clone()))).collect())
    };
    let map = |pairs: &[(String, String)]| pairs.iter().cloned().collect::<BTreeMap<_, _>>();
    let mut body = json!({
        "Name": new.name,
        // Engines before API 1.44 make two of one name otherwise.
        "CheckDuplicate": true,
        "Driver": new.driver.as_deref().unwrap_or("bridge"),
        "Internal": new.internal,
        "Attachable": new.attachable,
        "EnableIPv6": new.ipv6,
        "Options": map(&new.options),
        "Labels": map(&new.labels),
    });
    if !new.ranges.is_empty()
        && let Some(body) = body.as_object_mut()
    {
        body.insert("IPAM".to_owned(), json!({ "Config": new.ranges.iter().map(range).collect::<Vec<_>>() }));
    }
    body
}

/// What the engines mean by their refusals: docker says 403 to what is in use, podman 500 to everything.
fn refused(error: Error) -> Error {
    let (Error::Denied(words) | Error::Engine { message: words, .. }) = &error else { return error };
    let has = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
    if has(&["pre-defined", "default network"]) {
        Error::Denied(words.clone())
    } else if has(&["active endpoints", "being used", "already exists", "overlaps", "already used", "already in use"]) {
        Error::Conflict(words.clone())
    } else if has(&["invalid argument", "not in subnet", "out of range", "unsupported", "cannot be parsed", "subnet"]) {
        Error::Invalid(words.clone())
    } else {
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_of_all_engines_come_to_the_same() {
        let denied = |words: &str| refused(Error::Denied(words.into()));
        let failed = |words: &str| refused(Error::Engine { status: 500, message: words.into() });
        assert!(matches!(denied("error while removing network: network x has active endpoints"), Error::Conflict(_)));
        assert!(matches!(denied("Pool overlaps with other one on this address space"), Error::Conflict(_)));
        assert!(matches!(denied("bridge is a pre-defined network and cannot be removed"), Error::Denied(_)));
        assert!(matches!(failed("\"x\" has associated containers with it: network is being used"), Error::Conflict(_)));
        assert!(matches!(failed("default network podman cannot be removed"), Error::Denied(_)));
        assert!(matches!(failed("unsupported driver nope: invalid argument"), Error::Invalid(_)));
        assert!(matches!(failed("something else"), Error::Engine { .. }));
    }

    #[test]
    fn only_what_was_said_is_sent() {
        let new = NewNetwork { name: "a".into(), ..NewNetwork::default() };
        assert!(request(&new).get("IPAM").is_none());
        let range = Range { subnet: "10.1.0.0/16".into(), ..Range::default() };
        let body = request(&NewNetwork { ranges: vec![range], ..new });
        assert_eq!(body["IPAM"]["Config"], json!([{ "Subnet": "10.1.0.0/16" }]));
    }
}
