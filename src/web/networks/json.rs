//! Networks as scripts see them.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::engine::{self, Container, Picture};

/// A network.
#[derive(Serialize, ToSchema)]
pub struct Network {
    /// Its full id.
    id: String,
    /// Its name, free text.
    name: String,
    /// The driver that makes it.
    driver: String,
    /// local, or swarm.
    scope: String,
    /// When it was created, where the engine tells.
    #[schema(value_type = Option<String>, format = DateTime)]
    created: Option<Timestamp>,
    /// Its ranges of addresses.
    ranges: Vec<Range>,
    /// Whether nothing leads out of it.
    internal: bool,
    /// Whether containers that are no services may join a network of a swarm.
    attachable: bool,
    /// Whether it has addresses of IPv6.
    ipv6: bool,
    /// Whether the engine made it itself, and keeps it.
    predefined: bool,
    /// The compose project that it belongs to.
    stack: Option<String>,
    /// Its labels.
    labels: BTreeMap<String, String>,
    /// Who is on it, running or not.
    members: Vec<Member>,
}

/// A range of addresses.
#[derive(Serialize, ToSchema)]
#[schema(as = NetworkRange)]
pub struct Range {
    subnet: String,
    gateway: String,
    ip_range: String,
}

/// A container on a network.
#[derive(Serialize, ToSchema)]
#[schema(as = NetworkMember)]
pub struct Member {
    id: String,
    name: String,
    state: String,
    /// Its address there, while it runs.
    ipv4: String,
    /// Its address of IPv6 there, while it runs.
    ipv6: String,
    /// Its hardware address there, while it runs.
    mac: String,
}

impl Member {
    /// This container, on that network.
    pub fn new(container: &Container, network: &engine::Network, picture: &Picture) -> Self {
        let is_podman = picture.is_podman();
        let at = container.networks.iter().find(|at| at.is_on(network, is_podman)).cloned().unwrap_or_default();
        Self {
            id: container.id.to_string(),
            name: container.name.clone(),
            state: container.state.to_string(),
            ipv4: at.ipv4,
            ipv6: at.ipv6,
            mac: at.mac,
        }
    }
}

impl Network {
    /// As of this picture, with who is on it.
    pub fn new(network: &engine::Network, members: &[&Arc<Container>], picture: &Picture) -> Self {
        let range = |range: &engine::NetworkRange| Range {
            subnet: range.subnet.clone(),
            gateway: range.gateway.clone(),
            ip_range: range.ip_range.clone(),
        };
        Self {
            id: network.id.to_string(),
            name: network.name.clone(),
            driver: network.driver.clone(),
            scope: network.scope.clone(),
            created: network.created,
            ranges: network.ranges.iter().map(range).collect(),
            internal: network.internal,
            attachable: network.attachable,
            ipv6: network.ipv6,
            predefined: network.is_predefined(),
            stack: network.stack().map(str::to_owned),
            labels: network.labels.clone(),
            members: members.iter().map(|member| Member::new(member, network, picture)).collect(),
        }
    }
}

/// A network, and everything about it.
#[derive(Serialize, ToSchema)]
pub struct NetworkDetail {
    #[serde(flatten)]
    pub network: Network,
    /// Everything as the engine tells it: `docker network inspect`. Options that may hold a secret are hidden;
    /// administrators see them with `?reveal=1`, which the audit notes.
    #[schema(value_type = Object)]
    pub inspect: Value,
}

/// What would be removed, before it is.
#[derive(Serialize, ToSchema)]
#[schema(as = NetworkPlan)]
pub struct Plan {
    /// The docker command that does the same.
    pub command: String,
    /// What would go.
    pub goes: Vec<Network>,
    /// What no running container is on, and would stay all the same.
    pub stays: Vec<Network>,
}

/// A form, read: nothing was done.
#[derive(Serialize, ToSchema)]
#[schema(as = NetworkDraft)]
pub struct Sketch {
    /// The docker command that does the same.
    pub command: String,
    /// What is wrong with which field.
    pub fields: BTreeMap<String, String>,
}

/// A container, and whom it reaches.
#[derive(Serialize, ToSchema)]
#[schema(as = NetworkReach)]
pub struct Reaching {
    pub id: String,
    pub name: String,
    pub state: String,
    /// The networks that it is on.
    pub networks: Vec<String>,
    /// Which containers it shares a network with.
    pub reaches: Vec<String>,
    /// Ports of the host that lead to it.
    pub published: Vec<String>,
    /// Whether it reaches the world outside.
    pub outside: bool,
}

/// A port of the host that a container has, or wants when it starts.
#[derive(Serialize, ToSchema)]
#[schema(as = HostPort)]
pub struct HostPort {
    /// The host's address; empty for all.
    pub address: String,
    /// The port, or `first-last`; empty for any free one.
    pub port: String,
    /// tcp, udp or sctp.
    pub protocol: String,
    /// The port inside.
    pub private: u16,
    /// The container's id.
    pub container: String,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: String,
    /// The names of others that want the same.
    pub conflicts: Vec<String>,
}
