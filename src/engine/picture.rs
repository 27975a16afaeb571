//! The engine as of one moment: what every page is drawn from.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};

use super::{
    Outage,
    containers::Container,
    events::Event,
    ids::{ContainerId, ImageId, NetworkId, VolumeName},
    images::{Freshness, Image, normal},
    networks::Network,
    own::Own,
    reach::Scope,
    stats::Usage,
    system::{Disk, Info},
    volumes::{Sizes, Volume},
};

/// The engine as of one moment. Cheap to clone; never changes once published.
#[derive(Debug, Clone, Default)]
pub struct Picture {
    /// Grows by one with each change.
    pub version: u64,
    /// All containers, running or not.
    pub containers: BTreeMap<ContainerId, Arc<Container>>,
    /// All volumes.
    pub volumes: BTreeMap<VolumeName, Arc<Volume>>,
    /// All networks.
    pub networks: BTreeMap<NetworkId, Arc<Network>>,
    /// The volumes' sizes, where somebody asked for them.
    pub sizes: Sizes,
    /// What the disk is used for, where somebody asked for it.
    pub disk: Disk,
    /// The jobs that have not ended, by what they see who started them.
    pub working: Arc<Vec<Vec<Scope>>>,
    /// Who uses most memory, while somebody looks.
    pub usage: Arc<Vec<Usage>>,
    /// All images but those that are only a part of others.
    pub images: Arc<BTreeMap<ImageId, Arc<Image>>>,
    /// How much of each image others have too, by its id, where somebody asked for it.
    pub shared: Sizes,
    /// What registries have said of tags, where somebody asked for it.
    pub newer: Arc<BTreeMap<String, Freshness>>,
    /// The newest events, oldest first.
    pub events: VecDeque<Arc<Event>>,
    /// Whether the engine answers.
    pub link: Link,
    /// What the engine says of itself.
    pub info: Option<Arc<Info>>,
    /// Which containers and volumes are this console's own.
    pub own: Own,
    /// How far the engine's clock is ahead of ours (S082).
    pub(super) skew: SignedDuration,
}

/// Whether the engine answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// It does.
    Live,
    /// It does not.
    Down {
        /// Why not.
        why: Outage,
        /// Since when, by our clock.
        since: Timestamp,
        /// When the picture was last known to be true, by our clock; none if it never was.
        seen: Option<Timestamp>,
    },
}

impl Default for Link {
    fn default() -> Self {
        Self::Down { why: Outage::Connecting, since: Timestamp::now(), seen: None }
    }
}

impl Link {
    /// Whether the engine answers.
    pub fn is_live(&self) -> bool {
        *self == Self::Live
    }
}

impl Picture {
    /// Now, by the engine's clock.
    pub fn now(&self) -> Timestamp {
        Timestamp::now() + self.skew
    }

    /// Whether the engine is podman: it does some things differently.
    pub fn is_podman(&self) -> bool {
        self.info.as_ref().is_some_and(|info| info.version.is_podman())
    }

    /// Who has the network of a container (`--network container:…`). podman lists no container with whose it has.
    pub fn sharers_of<'a>(&'a self, of: &'a Container) -> impl Iterator<Item = &'a Arc<Container>> {
        let is_its = move |network: &str| network == of.id.as_str() || network == of.name;
        self.containers.values().filter(move |other| other.network_of.as_deref().is_some_and(is_its))
    }

    /// Which containers were made of each image, running or not.
    pub fn users_of_images(&self) -> HashMap<&ImageId, Vec<&Arc<Container>>> {
        let mut users: HashMap<&ImageId, Vec<_>> = HashMap::new();
        for container in self.containers.values() {
            if let Some(image) = &container.image_id {
                users.entry(image).or_default().push(container);
            }
        }
        users
    }

    /// The image that this reference means now: a tag, a digest or an id.
    pub fn image_of(&self, reference: &str) -> Option<&Arc<Image>> {
        if let Ok(id) = reference.parse::<ImageId>() {
            return self.images.get(&id);
        }
        let wanted = normal(reference);
        let is = |name: &String| normal(name) == wanted;
        self.images.values().find(|image| image.tags.iter().any(is) || image.digests.iter().any(is))
    }

    /// Which containers use each volume, running or not.
    pub fn users_of_volumes(&self) -> HashMap<&str, Vec<&Arc<Container>>> {
        let mut users: HashMap<&str, Vec<_>> = HashMap::new();
        for container in self.containers.values() {
            for mount in container.mounts.iter().filter(|mount| mount.kind == "volume") {
                let of_this = users.entry(&mount.source).or_default();
                if of_this.last().is_none_or(|last: &&Arc<Container>| last.id != container.id) {
                    of_this.push(container);
                }
            }
        }
        users
    }
}
