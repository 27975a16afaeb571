//! What may be made, for whom, and where it then belongs (S036, S037, S042).

use std::collections::BTreeSet;

use super::policy;
use crate::engine::{
    Containers, Engine, Error, Networks, NewNetwork, NewVolume, Subnet, Volume, VolumeName, Volumes, spec::Spec,
};

/// The networks that are everybody's.
const COMMON: [&str; 5] = ["", "default", "bridge", "none", "podman"];

impl Containers<'_> {
    /// The request as it may be sent: refused where it asks for too much, and put into the scope of who asks.
    pub(in crate::engine) async fn admit(&self, spec: &Spec) -> Result<Spec, Error> {
        let (engine, mut spec) = (self.0, spec.clone());
        engine.reach.may_operate()?;
        if !engine.reach.root {
            policy::check(&spec)?;
        }
        if engine.reach.is_scoped() {
            engine.reach.claim(&mut spec.labels)?;
            engine.knows_networks(&spec)?;
        }
        for name in volumes(&spec) {
            engine.may_mount(&name).await?;
        }
        Ok(spec)
    }
}

impl Volumes<'_> {
    /// The same for a volume.
    pub(in crate::engine) fn admit(&self, mut new: NewVolume) -> Result<NewVolume, Error> {
        let (engine, reach) = (self.0, &self.0.reach);
        reach.may_operate()?;
        let is_local = new.driver.as_deref().is_none_or(|driver| matches!(driver, "" | "local"));
        if !(reach.root || is_local && new.options.is_empty()) {
            let words = if is_local { "options (-o)" } else { "a driver (-d)" };
            return Err(Error::Forbidden(format!(
                "It does not let you make a volume with {words}: such a volume can be any folder of the host."
            )));
        }
        if reach.is_scoped() {
            if let Some(name) = new.name.as_ref().filter(|name| engine.live.picture().volumes.contains_key(name)) {
                // The engine itself would say yes and hand out what others have.
                return Err(taken(name));
            }
            let mut labels = new.labels.into_iter().collect();
            reach.claim(&mut labels)?;
            new.labels = labels.into_iter().collect();
        }
        Ok(new)
    }
}

impl Networks<'_> {
    /// The same for a network. Drivers other than the engine's own bridge, and options, reach into the host's own
    /// network; addresses of the internet would be taken from the host.
    pub(in crate::engine) fn admit(&self, mut new: NewNetwork) -> Result<NewNetwork, Error> {
        let reach = &self.0.reach;
        reach.may_operate()?;
        let is_bridge = new.driver.as_deref().is_none_or(|driver| matches!(driver, "" | "bridge"));
        let is_private = |text: &str| text.is_empty() || text.parse::<Subnet>().is_ok_and(Subnet::is_private);
        let words = if !is_bridge {
            "a driver (-d)"
        } else if !new.options.is_empty() {
            "options (-o)"
        } else if !new.ranges.iter().all(|range| is_private(&range.subnet)) {
            "addresses that are not private (--subnet)"
        } else {
            ""
        };
        if !reach.root && !words.is_empty() {
            return Err(Error::Forbidden(format!(
                "It does not let you make a network with {words}: such a network can reach into the host's own."
            )));
        }
        if reach.is_scoped() {
            let mut labels = new.labels.into_iter().collect();
            reach.claim(&mut labels)?;
            new.labels = labels.into_iter().collect();
        }
        Ok(new)
    }
}

/// A name that somebody has already, whoever it is.
pub(in crate::engine) fn taken(name: &VolumeName) -> Error {
    Error::Conflict(format!("there is a volume called {name} already"))
}

impl Engine {
    /// Refuses networks that are not of the scope and that nothing in it is on: whoever is on a network reaches all that
    /// listen there. Where others have one of the same name, the engine could mean theirs.
    fn knows_networks(&self, spec: &Spec) -> Result<(), Error> {
        let (picture, whole) = (self.picture(), self.live.picture());
        let is_ours = |name: &str| {
            let mut of_name = whole.networks.values().filter(|network| network.name == name).peekable();
            of_name.peek().is_some() && of_name.all(|network| self.reach.takes(&network.labels))
        };
        let is_known = |name: &str| {
            COMMON.contains(&name)
                || is_ours(name)
                || picture.containers.values().any(|found| found.networks.iter().any(|at| at.network == name))
        };
        let asked = spec.networking_config.endpoints_config.keys().chain([&spec.host_config.network_mode]);
        match asked.into_iter().find(|name| !is_known(name)) {
            Some(name) => Err(Error::Forbidden(format!(
                "--network {name}: it is not among what you look after, and none of the containers there is on it."
            ))),
            None => Ok(()),
        }
    }

    /// Refuses a volume outside of the scope as one that nobody has, and one that is a folder of the host (S037). The
    /// engine is asked: the picture may be a moment old.
    async fn may_mount(&self, name: &VolumeName) -> Result<(), Error> {
        self.reaches_volume(name).map_err(|_| {
            Error::Forbidden(format!("There is no volume {name} among what you look after: create the volume first."))
        })?;
        if self.reach.root {
            return Ok(());
        }
        // Whoever mounts what this console keeps its accounts in makes themselves whatever they like.
        self.live.picture().guard_volume(name)?;
        self.reachable()?;
        let volume: Volume = match self.wire.get(&format!("/volumes/{name}")).await {
            Err(Error::NotFound(_)) => return Ok(()),
            volume => volume?,
        };
        match volume.host_path() {
            Some(path) => Err(Error::Forbidden(format!(
                "-v {name}: that volume is the host path {path}, and your role may not mount folders of the host."
            ))),
            None => Ok(()),
        }
    }
}

/// The volumes that a request mounts by name.
fn volumes(spec: &Spec) -> BTreeSet<VolumeName> {
    let binds = spec.host_config.binds.iter().filter_map(|bind| bind.split(':').next());
    let mounts =
        spec.host_config.mounts.iter().filter(|mount| mount.r#type == "volume").map(|mount| mount.source.as_str());
    binds.chain(mounts).filter_map(|name| name.parse().ok()).collect()
}
