//! What is given once on an engine, and whether somebody has it: names of containers, ports of the host, networks. What
//! is outside of the scope is in the way too, and that is all that is said of it (S041).

use std::sync::Arc;

use crate::engine::{Container, Containers, Networks, Port};

/// How far a free name or port is looked for.
const NEAR: u16 = 200;

/// Who has something that is given once.
#[derive(Debug, Clone)]
pub enum Holder {
    /// A container that this reach sees.
    Seen(Arc<Container>),
    /// Somebody.
    Unseen,
}

impl Containers<'_> {
    /// Who has this name.
    pub fn named(&self, name: &str) -> Option<Holder> {
        self.holder(|container| container.name == name)
    }

    /// A name like this one that nobody has.
    pub fn free_name(&self, name: &str) -> Option<String> {
        (2..NEAR).map(|number| format!("{name}-{number}")).find(|name| self.named(name).is_none())
    }

    /// Who has this port of the host now, at this address; empty for all addresses.
    pub fn on_port(&self, address: &str, port: u16, protocol: &str) -> Option<Holder> {
        let is_all = matches!(address, "" | "0.0.0.0" | "::");
        let is_it = |p: &Port| {
            p.public == Some(port) && p.protocol == protocol && (is_all || p.is_open_to_all() || p.address == address)
        };
        self.holder(|container| container.state.is_up() && container.ports.iter().any(is_it))
    }

    /// The next port of the host that no container has.
    pub fn free_port(&self, address: &str, after: u16, protocol: &str) -> Option<u16> {
        let next = (after.saturating_add(1)..=after.saturating_add(NEAR)).take_while(|port| *port > after);
        next.into_iter().find(|port| self.on_port(address, *port, protocol).is_none())
    }

    fn holder(&self, holds: impl Fn(&Container) -> bool) -> Option<Holder> {
        let whole = self.0.live.picture();
        let holder = whole.containers.values().find(|container| holds(container))?;
        let seen = self.0.picture().containers.get(&holder.id).cloned();
        Some(seen.map_or(Holder::Unseen, Holder::Seen))
    }
}

impl Networks<'_> {
    /// Whether this reach sees a network that is meant by this name or start of an id.
    pub fn knows(&self, name: &str) -> bool {
        let picture = self.0.picture();
        // podman's own modes are none of its networks.
        (picture.is_podman()
            && (name == "podman" || name.contains(':') || matches!(name, "pasta" | "slirp4netns" | "private")))
            || picture.networks.values().any(|network| network.name == name || network.id.as_str().starts_with(name))
    }
}
