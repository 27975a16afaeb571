//! Helper containers, through which volumes are read and written. They have no network, nothing of the image's but its
//! shell, no capability but to read or write files of others, and they do not stay: they are removed when they are not
//! needed any more, they end by themselves if this console cannot see to it, and what an earlier run of this console
//! left is removed when it starts.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::call;
use crate::engine::{
    ContainerId, Engine, Error, Link, VolumeName,
    wire::{ACT, READ, encoded},
};

/// The label that helpers carry; its value is which console they belong to.
pub(crate) const LABEL: &str = "wheelhouse.helper";
/// What their names begin with.
const NAME: &str = "wheelhouse-files-";
/// Where the volume is in them.
pub(super) const VOLUME: &str = "/volume";
/// How long one lives, in seconds, if nobody removes it.
const LIFE: u32 = 900;
/// How many images are tried for one that has a shell.
const TRIES: usize = 4;
/// How long its name is kept to itself after it is gone: what the engine tells of it comes late.
const ECHO: Duration = Duration::from_secs(15);

/// The names of helpers that are there now: they are nobody's containers.
#[derive(Debug, Default)]
pub(in crate::engine) struct Names(Mutex<HashSet<String>>);

impl Names {
    /// Whether that is one.
    pub(in crate::engine) fn has(&self, name: &str) -> bool {
        name.starts_with(NAME) && self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
    }

    fn add(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
    }

    fn forget(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

/// A helper container; dropped, it is removed.
pub(super) struct Helper {
    engine: Engine,
    /// Its id.
    pub id: ContainerId,
    name: String,
    /// Whether it runs, so that commands can be run in it.
    pub runs: bool,
}

impl Drop for Helper {
    fn drop(&mut self) {
        let (engine, id, name) = (self.engine.clone(), self.id.clone(), std::mem::take(&mut self.name));
        // Without a runtime the program is at its end, and the next one sweeps.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                remove(&engine, &id).await;
                engine.files.removed(&id);
                tokio::time::sleep(ECHO).await;
                engine.live.helpers.forget(&name);
            });
        }
    }
}

/// What a helper is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    /// To write.
    pub writes: bool,
    /// To run commands.
    pub runs: bool,
}

/// Makes a helper with this volume.
pub(super) async fn make(engine: &Engine, volume: &VolumeName, wanted: Wanted) -> Result<Helper, Error> {
    let images = call::images(engine).await?;
    let known = engine.files.image();
    let known = known.filter(|known| images.contains(known));
    let images: Vec<String> =
        known.iter().cloned().chain(images.iter().filter(|image| Some(*image) != known.as_ref()).cloned()).collect();
    let Some(first) = images.first() else {
        return Err(Error::Unsupported(
            "a volume is read through a container, and there is no image on this engine to make one from: docker pull busybox"
                .to_owned(),
        ));
    };
    if wanted.runs {
        for image in images.iter().take(TRIES) {
            let mut helper = create(engine, volume, image, wanted).await?;
            match call::json(engine, "POST", &format!("/containers/{}/start", helper.id), None, ACT).await {
                Ok(_) => {
                    engine.files.set_image(image);
                    helper.runs = true;
                    return Ok(helper);
                }
                Err(error) if error.is_outage() => return Err(error),
                // It has no shell: the next may.
                Err(_) => drop(helper),
            }
        }
    }
    create(engine, volume, first, Wanted { runs: false, ..wanted }).await
}

async fn create(engine: &Engine, volume: &VolumeName, image: &str, wanted: Wanted) -> Result<Helper, Error> {
    let mut word = [0_u8; 8];
    getrandom::fill(&mut word)
        .map_err(|error| Error::Engine { status: 500, message: format!("no randomness: {error}") })?;
    let name = format!("{NAME}{}", HEXLOWER.encode(&word));
    engine.live.helpers.add(&name);
    let powers: &[&str] = if wanted.writes { &["DAC_OVERRIDE", "CHOWN", "FOWNER"] } else { &["DAC_READ_SEARCH"] };
    let body = json!({
        "Image": image,
        "Entrypoint": ["/bin/sh", "-c", format!("exec sleep {LIFE}")],
        "Cmd": [],
        "User": "0:0",
        "WorkingDir": "/",
        "Healthcheck": { "Test": ["NONE"] },
        "StopSignal": "SIGKILL",
        "Labels": { LABEL: engine.files.installation() },
        "HostConfig": {
            "NetworkMode": "none",
            "ReadonlyRootfs": true,
            "AutoRemove": wanted.runs,
            "CapDrop": ["ALL"],
            "CapAdd": powers,
            "SecurityOpt": ["no-new-privileges"],
            "PidsLimit": 32,
            "Memory": 128 << 20,
            "LogConfig": { "Type": "none" },
            "RestartPolicy": { "Name": "no" },
            "Mounts": [{
                "Type": "volume",
                "Source": volume.as_str(),
                "Target": VOLUME,
                "ReadOnly": !wanted.writes,
                "VolumeOptions": { "NoCopy": true },
            }],
        },
    });
    let made = call::json(engine, "POST", &format!("/containers/create?name={name}"), Some(&body), ACT).await;
    let id = made.and_then(|made| {
        let id = made.get("Id").and_then(Value::as_str).unwrap_or_default();
        id.parse().map_err(|_| Error::Engine { status: 502, message: format!("an id of {id}") })
    });
    match id {
        Ok(id) => {
            engine.files.made(&id);
            Ok(Helper { engine: engine.clone(), id, name, runs: false })
        }
        Err(error) => {
            engine.live.helpers.forget(&name);
            Err(error)
        }
    }
}

async fn remove(engine: &Engine, id: &ContainerId) {
    for pause in [100, 1_000, 5_000] {
        match call::json(engine, "DELETE", &format!("/containers/{id}?force=1&v=1"), None, ACT).await {
            // It is gone, or on its way.
            Ok(_) | Err(Error::NotFound(_) | Error::Conflict(_)) => return,
            Err(error) => {
                tracing::debug!(helper = id.short(), error = error.to_string(), "a helper is not removed yet");
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
        }
    }
    tracing::warn!(helper = id.short(), "a helper container was not removed; it will be at the next start");
}

/// Removes all helpers of this console that are there, whoever made them.
async fn sweep(engine: &Engine) -> Result<usize, Error> {
    let filter = json!({ "label": [format!("{LABEL}={}", engine.files.installation())] }).to_string();
    let path = format!("/containers/json?all=true&filters={}", encoded(&filter));
    let listed: Vec<Value> = engine.wire.get_within(&path, READ).await?;
    // What was made meanwhile is in use. What is removed by force is looked at once more: not every engine knows each
    // filter, and one that does not lists everything.
    let is_old = |one: &&Value| {
        let name = one.pointer("/Names/0").and_then(Value::as_str).unwrap_or_default();
        let is_ours = one.get("Labels").and_then(|labels| labels.get(LABEL)).and_then(Value::as_str)
            == Some(engine.files.installation());
        is_ours && !engine.live.helpers.has(name.trim_start_matches('/'))
    };
    let ids: Vec<ContainerId> =
        listed.iter().filter(is_old).filter_map(|one| one.get("Id").and_then(Value::as_str)?.parse().ok()).collect();
    for id in &ids {
        remove(engine, id).await;
    }
    Ok(ids.len())
}

impl Engine {
    /// Removes the helper containers that an earlier run of this console has left, once there is an engine.
    pub async fn sweep_helpers(&self) {
        let mut picture = self.live.watch();
        loop {
            if picture.wait_for(|picture| matches!(picture.link, Link::Live)).await.is_err() {
                return;
            }
            match sweep(self).await {
                Ok(0) => return,
                Ok(count) => return tracing::info!(count, "removed helper containers that were left"),
                // It went away again: that is told elsewhere.
                Err(error) if error.is_outage() => tokio::time::sleep(READ).await,
                Err(error) => {
                    return tracing::warn!(error = error.to_string(), "helper containers were not looked for");
                }
            }
        }
    }

    /// Removes the helpers that are there, at the end of the program.
    pub async fn end_helpers(&self) {
        let removed = async {
            for id in self.files.helpers() {
                remove(self, &id).await;
            }
        };
        let _ = tokio::time::timeout(READ, removed).await;
    }
}
