//! What is given once on an engine, and whether somebody has it: names of containers, ports of the host, networks. What
//! is outside of the scope is in the way too, and that is all that is said of it (S041).

use std::{collections::HashMap, sync::Arc};

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

    /// Who has which port of the host now.
    pub fn held_ports(&self) -> HeldPorts {
        let (whole, seen) = (self.0.live.picture(), self.0.picture());
        let mut held = HashMap::<_, Vec<_>>::new();
        for container in whole.containers.values().filter(|container| container.state.is_up()) {
            let holder = seen.containers.get(&container.id).map_or(Holder::Unseen, |seen| Holder::Seen(seen.clone()));
            for (port, public) in container.ports.iter().filter_map(|port| Some((port, port.public?))) {
                held.entry((public, port.protocol.clone())).or_default().push((port.clone(), holder.clone()));
            }
        }
        HeldPorts(held)
    }

    fn holder(&self, holds: impl Fn(&Container) -> bool) -> Option<Holder> {
        let whole = self.0.live.picture();
        let holder = whole.containers.values().find(|container| holds(container))?;
        let seen = self.0.picture().containers.get(&holder.id).cloned();
        Some(seen.map_or(Holder::Unseen, Holder::Seen))
    }
}

/// The ports of the host that containers have.
pub struct HeldPorts(HashMap<(u16, String), Vec<(Port, Holder)>>);

impl HeldPorts {
    /// Who has this one, at this address; empty for all addresses.
    pub fn holder(&self, address: &str, port: u16, protocol: &str) -> Option<&Holder> {
        let is_all = matches!(address, "" | "0.0.0.0" | "::");
        let clashes = |held: &Port| is_all || held.is_open_to_all() || held.address == address;
        let all = self.0.get(&(port, protocol.to_owned()))?;
        all.iter().find(|(held, _)| clashes(held)).map(|(_, holder)| holder)
    }

    /// The next that no container has.
    pub fn free(&self, address: &str, after: u16, protocol: &str) -> Option<u16> {
        let next = after.checked_add(1)?..=after.saturating_add(NEAR);
        next.into_iter().find(|port| self.holder(address, *port, protocol).is_none())
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
