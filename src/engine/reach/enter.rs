//! Who may go inside a container: whoever is inside one that has power over the host has that power, too (S040).

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::Value;

use crate::engine::{
    Container, ContainerId, Detail, Engine, Error, Mount, Picture, VolumeName, files, spec::opens_host,
};

/// Capabilities that are power over the host, as the engine spells them without `CAP_`. Source: capabilities(7).
const POWERS: [&str; 9] =
    ["ALL", "SYS_ADMIN", "SYS_PTRACE", "SYS_MODULE", "SYS_RAWIO", "DAC_READ_SEARCH", "BPF", "SYS_BOOT", "MAC_ADMIN"];

/// Why, where a socket of the host is in it.
const SOCKET: &str = "has an engine’s socket";

/// Why whoever is inside is root on the host, as far as the list tells; with its detail, all that the engine tells.
pub fn root_on_host(container: &Container, picture: &Picture, detail: Option<&Detail>) -> Vec<&'static str> {
    let path = |mount: &'_ Mount| match mount.kind.as_str() {
        "bind" => Some(mount.source.clone()),
        // A volume can be a folder of the host, too (S037).
        "volume" => {
            let volume = mount.source.parse::<VolumeName>().ok().and_then(|name| picture.volumes.get(&name));
            volume.and_then(|volume| volume.host_path().map(str::to_owned))
        }
        _ => None,
    };
    let is_socket = |path: &str| path.ends_with("sock");
    // Which of the host's services listens at a socket cannot be seen from its name.
    let is_open = |path: &String| opens_host(path) || is_socket(path);
    let paths: Vec<String> = container.mounts.iter().filter_map(path).filter(is_open).collect();
    let of_host = |field: &str| detail.and_then(|detail| detail.raw.pointer(&format!("/HostConfig/{field}")));
    let is_host = |field: &str| of_host(field).and_then(Value::as_str) == Some("host");
    let power = |word: &String| {
        let word = word.to_ascii_uppercase();
        POWERS.contains(&word.strip_prefix("CAP_").unwrap_or(&word))
    };
    let found = [
        (detail.is_some_and(|detail| detail.privileged), "is privileged"),
        (paths.iter().any(|path| is_socket(path)), SOCKET),
        (paths.iter().any(|path| !is_socket(path)), "has a folder of the host that opens all of it"),
        (is_host("PidMode"), "sees the host’s processes"),
        (detail.is_some_and(|detail| detail.capabilities.0.iter().any(power)), "has capabilities that reach the host"),
        (
            of_host("Devices").and_then(Value::as_array).is_some_and(|devices| !devices.is_empty()),
            "has devices of the host",
        ),
    ];
    found.into_iter().filter(|(is, _)| *is).map(|(_, why)| why).collect()
}

impl Engine {
    /// Why this hand does not go into a container, as far as that is known without asking the engine: what leads to a
    /// refusal is not offered.
    pub fn shut(&self, container: &Container) -> Vec<&'static str> {
        if self.reach.root {
            return Vec::new();
        }
        root_on_host(container, &self.live.picture(), self.details.known(&container.id).as_deref())
    }

    /// Answers with everything about a container into which this hand may go: to run commands in it, and to read and
    /// write its files. Where that would be root on the host, only who may have that may (S040).
    ///
    /// # Errors
    /// [`Error::NotFound`] outside of the scope, [`Error::Forbidden`] for who only looks and for what is root on the host.
    pub(in crate::engine) async fn enters(&self, id: &ContainerId) -> Result<Arc<Detail>, Error> {
        self.reaches_container(id)?;
        if self.reach.secrets < super::Secrets::Masked {
            return Err(Error::Forbidden("It lets you look at things, not into them.".to_owned()));
        }
        // Judged by what is so now, and whole: what this hand is shown has its secrets masked.
        let detail = self.containers().whole(id).await?;
        let picture = self.live.picture();
        if self.reach.root {
            return Ok(detail);
        }
        let Some(container) = picture.containers.get(id) else {
            return Err(Error::NotFound(format!("No such container: {id}")));
        };
        let mut why = root_on_host(container, &picture, Some(&detail));
        if why.is_empty() && self.mounts_socket(container).await {
            why.push(SOCKET);
        }
        if why.is_empty() {
            return Ok(detail);
        }
        Err(Error::Forbidden(format!(
            "{} {}: whoever is inside it is root on the host, so only an administrator may go in.",
            container.name,
            why.join(", and ")
        )))
    }

    /// Whether something of the host that is mounted in it is a socket, whatever it is called: the engine has looked.
    async fn mounts_socket(&self, container: &Container) -> bool {
        let binds = container.mounts.iter().filter(|mount| mount.kind == "bind");
        let looked = join_all(binds.map(|mount| files::is_socket(self, &container.id, &mount.target))).await;
        looked.contains(&true)
    }
}
