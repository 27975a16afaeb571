//! Which containers are on which network.

use std::{collections::HashMap, sync::Arc};

use super::Network;
use crate::engine::{Container, NetworkId, Picture};

/// A container's place in a network, as the list of containers tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attachment {
    /// The network's name.
    pub network: String,
    /// The network's id; none where the container has not been started there, its name on podman.
    pub id: String,
    /// Its address there, while it runs.
    pub ipv4: String,
    /// Its address of IPv6 there, while it runs.
    pub ipv6: String,
    /// Its hardware address there.
    pub mac: String,
}

impl Attachment {
    /// Whether this is the network. A name alone counts where there is no id: podman has none here, and calls its own
    /// network `podman` where its list of networks says `bridge`.
    pub fn is_on(&self, network: &Network, is_podman: bool) -> bool {
        if self.id.parse::<NetworkId>().is_ok() && !is_podman {
            return self.id == network.id.as_str();
        }
        self.network == network.name || (is_podman && self.network == "podman" && network.name == "bridge")
    }
}

impl Picture {
    /// The containers on a network, running or not.
    pub fn members_of(&self, network: &Network) -> Vec<&Arc<Container>> {
        let is_podman = self.is_podman();
        let is_on = |container: &&Arc<Container>| container.networks.iter().any(|at| at.is_on(network, is_podman));
        self.containers.values().filter(is_on).collect()
    }

    /// The containers on each network, running or not.
    pub fn members_of_networks(&self) -> HashMap<&NetworkId, Vec<&Arc<Container>>> {
        let is_podman = self.is_podman();
        let mut named: HashMap<&str, Vec<&Arc<Network>>> = HashMap::new();
        for network in self.networks.values() {
            named.entry(&network.name).or_default().push(network);
        }
        let mut members: HashMap<&NetworkId, Vec<_>> = HashMap::new();
        for container in self.containers.values() {
            for at in &container.networks {
                let name = if is_podman && at.network == "podman" { "bridge" } else { &at.network };
                let of_name = named.get(name).into_iter().flatten();
                for network in of_name.filter(|network| at.is_on(network, is_podman)) {
                    members.entry(&network.id).or_default().push(container);
                }
            }
        }
        members
    }

    /// The network that a container is on by this.
    pub fn network_at(&self, at: &Attachment) -> Option<&Arc<Network>> {
        let is_podman = self.is_podman();
        self.networks.values().find(|network| at.is_on(network, is_podman))
    }
}
