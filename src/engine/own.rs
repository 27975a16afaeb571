//! Which container this console is itself, and what it needs to live (S043).

use std::{collections::BTreeSet, fs, time::Duration};

use super::{Address, Container, ContainerId, Engine, Error, Link, Outage, Picture, Verb, VolumeName};

/// How long nobody may listen at a socket that was mounted as a file before it counts as a dead one.
const STRANDED: Duration = Duration::from_secs(30);

/// The console's own container and what it stands on. Empty when it does not run as one of this engine's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Own {
    /// Our id, if we run in a container.
    pub id: Option<ContainerId>,
    /// The volumes mounted into it.
    pub volumes: BTreeSet<VolumeName>,
}

impl Own {
    /// Looks for our id where the kernel shows it: the files that the engine mounts into each container
    /// (`/etc/hostname` and others) come from a folder that is named after it.
    pub(super) fn find() -> Self {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        Self { id: id_in(&mounts), ..Self::default() }
    }
}

fn id_in(mountinfo: &str) -> Option<ContainerId> {
    mountinfo
        .lines()
        .filter(|line| ["/hostname", "/resolv.conf", "/hosts"].iter().any(|file| line.contains(&format!("{file} "))))
        .flat_map(|line| line.split(['/', ' ']))
        .find_map(|part| part.parse().ok())
}

impl Picture {
    /// Learns from a fresh list what our own container stands on.
    pub(super) fn protect_own(&mut self) {
        let own = self.own.id.as_ref().and_then(|id| self.containers.get(id));
        self.own.volumes = own
            .map(|own| {
                own.mounts
                    .iter()
                    .filter(|mount| mount.kind == "volume")
                    .filter_map(|mount| mount.source.parse().ok())
                    .collect()
            })
            .unwrap_or_default();
    }

    /// Whether this is the container that this console runs in.
    pub fn is_own(&self, container: &Container) -> bool {
        self.own.id.as_ref() == Some(&container.id)
    }

    /// Refuses what would end this console or pull away what it stands on.
    pub fn guard_container(&self, id: &ContainerId, verb: Verb) -> Result<(), Error> {
        let Some(own) = self.own.id.as_ref().and_then(|own| self.containers.get(own)) else {
            return Ok(());
        };
        if verb == Verb::Start || verb == Verb::Unpause {
            return Ok(());
        }
        if own.id == *id {
            return Err(Error::OwnContainer(format!(
                "“{}” is the container that this console runs in: it would cut itself off and could not bring itself back. \
                 Do it from a terminal on the host.",
                own.name
            )));
        }
        if own.network_of.as_deref().is_some_and(|network| network == id.as_str()) && verb != Verb::Rename {
            return Err(Error::OwnContainer(
                "This console uses the network of that container and would be cut off. Do it from a terminal on the host.".to_owned(),
            ));
        }
        Ok(())
    }

    /// Refuses to take this console out of a network: somebody may look at it from there.
    pub fn guard_disconnect(&self, id: &ContainerId) -> Result<(), Error> {
        if self.own.id.as_ref() == Some(id) {
            return Err(Error::OwnContainer(
                "That is the container that this console runs in: it could cut itself off. Do it from a terminal on the host."
                    .to_owned(),
            ));
        }
        Ok(())
    }

    /// Refuses to remove a volume that this console has mounted.
    pub fn guard_volume(&self, name: &VolumeName) -> Result<(), Error> {
        if self.own.volumes.contains(name) {
            return Err(Error::OwnContainer(format!("“{name}” holds this console's own data.")));
        }
        Ok(())
    }
}

impl Engine {
    /// Waits until this console, in a container, holds the socket of an engine that has ended: an engine with
    /// live-restore makes a new socket when it starts, and a file that was mounted stays the old one. Only a restart
    /// of the container mounts it anew (S072).
    pub async fn stranded(&self) {
        let is_file = matches!(self.address(), Address::Unix(_));
        let mut picture = self.live.watch();
        let refused = |picture: &Picture| {
            let down = matches!(&picture.link, Link::Down { why: Outage::Refused(_), .. });
            is_file && picture.own.id.is_some() && down
        };
        loop {
            if picture.wait_for(|picture| refused(picture)).await.is_err() {
                return std::future::pending().await;
            }
            if tokio::time::timeout(STRANDED, picture.wait_for(|picture| !refused(picture))).await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s043_finds_the_own_id_in_mountinfo() {
        let id = "0f".repeat(32);
        let docker = format!(
            "689 672 254:0 /var/lib/docker/containers/{id}/hostname /etc/hostname rw,relatime - ext4 /dev/vda rw"
        );
        assert_eq!(id_in(&docker).map(|id| id.to_string()), Some(id.clone()));
        let podman =
            format!("689 672 0:50 /containers/overlay-containers/{id}/userdata/hosts /etc/hosts rw - tmpfs tmpfs rw");
        assert_eq!(id_in(&podman).map(|id| id.to_string()), Some(id.clone()));
        let overlay = format!("29 1 0:26 / / rw - overlay overlay lowerdir=/var/lib/docker/overlay2/{id}/diff");
        assert_eq!(id_in(&overlay), None);
    }
}
