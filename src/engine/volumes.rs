//! Volumes: listing, making, removing, and how much they hold.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use bollard::{models::VolumeCreateRequest, query_parameters::RemoveVolumeOptions};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{
    Engine, Error,
    containers::or_default,
    ids::VolumeName,
    reach::{masked_options, taken, told_volume},
    wire::{ACT, Wire},
};

/// The label that newer engines (23.0 and later) put on volumes that they named themselves.
const ANONYMOUS: &str = "com.docker.volume.anonymous";
/// How long measuring may take: the engine walks every file of every volume.
const MEASURE: Duration = Duration::from_mins(10);

/// A volume, as the engine lists it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Volume {
    /// Its name.
    pub name: VolumeName,
    /// The driver that keeps it; `local` is the engine's own.
    #[serde(default, deserialize_with = "or_default")]
    pub driver: String,
    /// Where it is on the host.
    #[serde(default, deserialize_with = "or_default")]
    pub mountpoint: String,
    /// When it was created.
    #[serde(default, deserialize_with = "time")]
    pub created_at: Option<Timestamp>,
    /// Its labels.
    #[serde(default, deserialize_with = "or_default")]
    pub labels: BTreeMap<String, String>,
    /// What was said to the driver when it was created. In a picture without what may be a secret, whoever looks:
    /// [`Volumes::inspect`] tells the rest to who may know.
    #[serde(default, deserialize_with = "or_default")]
    pub options: BTreeMap<String, String>,
    /// local or global.
    #[serde(default, deserialize_with = "or_default")]
    pub scope: String,
}

/// A time, or none: drivers of others may tell none.
fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.and_then(|text| text.parse().ok()))
}

impl Volume {
    /// Whether the engine named it itself, for a container that asked for a volume without a name.
    pub fn is_anonymous(&self) -> bool {
        self.labels.contains_key(ANONYMOUS) || self.name.is_generated()
    }

    /// The path on the host that it really is, if it was made to be one: mounting it mounts the host (S037). A folder
    /// that is bound, a disk, or whatever path a driver that is not the engine's own was given.
    pub fn host_path(&self) -> Option<&str> {
        let option = |name: &str| self.options.get(name).map(String::as_str);
        if !matches!(self.driver.as_str(), "" | "local") {
            return self.options.values().map(String::as_str).find(|value| is_path(value));
        }
        let bind = option("o").is_some_and(|o| o.split(',').any(|option| matches!(option.trim(), "bind" | "rbind")));
        let elsewhere = matches!(option("type"), Some("nfs" | "nfs4" | "cifs" | "tmpfs"));
        option("device").filter(|device| bind || (is_path(device) && !elsewhere))
    }
}

/// A path of the host; two slashes begin a name of a file server.
fn is_path(text: &str) -> bool {
    text.starts_with('/') && !text.starts_with("//")
}

/// How much the volumes hold, as of when it was measured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Bytes by name.
    pub bytes: Arc<HashMap<String, u64>>,
    /// When the last measuring ended.
    pub measured: Option<Timestamp>,
    /// Whether the engine is measuring now.
    pub running: bool,
    /// Why the last measuring failed.
    pub failed: Option<String>,
}

/// What a new volume should be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewVolume {
    /// Its name; the engine makes one up where there is none.
    pub name: Option<VolumeName>,
    /// The driver; `local` where none is said.
    pub driver: Option<String>,
    /// What is said to the driver.
    pub options: Vec<(String, String)>,
    /// Its labels.
    pub labels: Vec<(String, String)>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    #[serde(default, deserialize_with = "or_default")]
    volumes: Vec<Value>,
}

/// All volumes. One whose name is not in the grammar of names is left out: no path could be made of it.
pub(super) async fn list(wire: &Wire) -> Result<Vec<Volume>, Error> {
    Ok(read(wire.get("/volumes").await?))
}

pub(super) fn read(listed: Listed) -> Vec<Volume> {
    let read = |value: Value| match serde_json::from_value::<Volume>(value) {
        Ok(volume) => Some(Volume { options: masked_options(&volume.options), ..volume }),
        Err(error) => {
            tracing::warn!(error = error.to_string(), "a volume that cannot be read is not shown");
            None
        }
    };
    listed.volumes.into_iter().filter_map(read).collect()
}

/// Puts a fresh list in the place of the old one; answers whether anything differs.
pub(super) fn place(old: &mut BTreeMap<VolumeName, Arc<Volume>>, listed: Vec<Volume>) -> bool {
    let same = old.len() == listed.len()
        && listed.iter().all(|volume| old.get(&volume.name).is_some_and(|old| **old == *volume));
    if !same {
        *old = listed.into_iter().map(|volume| (volume.name.clone(), Arc::new(volume))).collect();
    }
    !same
}

/// The volumes of one engine.
pub struct Volumes<'a>(pub(super) &'a Engine);

impl Volumes<'_> {
    /// Makes a volume; answers with its name.
    pub async fn create(&self, new: NewVolume) -> Result<VolumeName, Error> {
        let new = self.admit(new)?;
        self.0.reachable()?;
        let request = VolumeCreateRequest {
            name: new.name.as_ref().map(ToString::to_string),
            driver: new.driver,
            driver_opts: Some(new.options.into_iter().collect()),
            labels: Some(new.labels.into_iter().collect()),
            ..VolumeCreateRequest::default()
        };
        let call = Box::pin(self.0.docker.create_volume(request));
        let volume = self.0.wire.typed("POST /volumes/create", ACT, call).await;
        let (_, volume) = volume.map_err(|error| self.0.told(error))?;
        self.0.live.read_back_volumes().await;
        let name: VolumeName = volume
            .name
            .parse()
            .map_err(|_| Error::Engine { status: 502, message: format!("a volume of that name: {}", volume.name) })?;
        // Somebody else's of that name, made in the same moment: the engine says yes to both.
        self.0.reaches_volume(&name).map_err(|_| taken(&name))?;
        Ok(name)
    }

    /// Everything that the engine tells of a volume, as far as this reach goes.
    pub async fn inspect(&self, name: &VolumeName) -> Result<Value, Error> {
        self.0.reaches_volume(name)?;
        self.0.reachable()?;
        let raw = self.0.wire.get(&format!("/volumes/{name}")).await;
        raw.map(|raw| told_volume(&self.0.reach, raw)).map_err(|error| self.0.told(error))
    }

    /// Removes a volume.
    pub async fn remove(&self, name: &VolumeName) -> Result<(), Error> {
        self.0.reach.may_operate()?;
        self.0.reaches_volume(name)?;
        let result = self.delete(name).await;
        self.0.live.read_back_volumes().await;
        result
    }

    pub(super) async fn delete(&self, name: &VolumeName) -> Result<(), Error> {
        self.0.reach.may_operate()?;
        self.0.reaches_volume(name)?;
        self.0.live.picture().guard_volume(name)?;
        self.0.reachable()?;
        let call = self.0.docker.remove_volume(name.as_str(), None::<RemoveVolumeOptions>);
        let done = self.0.wire.typed("DELETE /volumes/{name}", ACT, call).await;
        done.map(|_| ()).map_err(|error| self.0.told(error))
    }

    /// Has the engine measure how much each volume holds, in the background; one measuring at a time, for everybody.
    pub fn measure(&self) -> Result<(), Error> {
        self.0.reach.may_operate()?;
        let before = self.0.live.picture().sizes.clone();
        if before.running {
            return Ok(());
        }
        self.0.live.set_sizes(Sizes { running: true, ..before.clone() });
        let engine = self.0.clone();
        tokio::spawn(async move {
            let sizes = match engine.volumes().all_sizes(MEASURE).await {
                Ok(bytes) => {
                    Sizes { bytes: Arc::new(bytes), measured: Some(Timestamp::now()), running: false, failed: None }
                }
                Err(error) => Sizes { running: false, failed: Some(error.to_string()), ..before },
            };
            engine.live.set_sizes(sizes);
        });
        Ok(())
    }

    /// Bytes by name, of the volumes in the scope.
    pub async fn sizes(&self, limit: Duration) -> Result<HashMap<String, u64>, Error> {
        let mut sizes = self.all_sizes(limit).await?;
        let is_ours = |name: &str| name.parse().is_ok_and(|name| self.0.reaches_volume(&name).is_ok());
        if self.0.reach.is_scoped() {
            sizes.retain(|name, _| is_ours(name));
        }
        Ok(sizes)
    }

    /// Own request: bollard 0.21.1 knows only the shape of API 1.52 and answers nothing for older.
    /// `type=volume` (API 1.42 and later) spares the engine the images and containers.
    async fn all_sizes(&self, limit: Duration) -> Result<HashMap<String, u64>, Error> {
        Ok(sizes(&self.0.wire.get_within("/system/df?type=volume", limit).await?))
    }
}

/// Bytes by name, out of the answer to `GET /system/df`.
pub(super) fn sizes(answer: &Value) -> HashMap<String, u64> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Used {
        name: String,
        #[serde(default, deserialize_with = "or_default")]
        usage_data: Usage,
    }
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "PascalCase", default)]
    struct Usage {
        size: i64,
    }
    // From API 1.52 on the list stands one step deeper.
    let list = answer.pointer("/VolumeUsage/Items").or_else(|| answer.get("Volumes")).cloned().unwrap_or_default();
    let used: Vec<Used> = serde_json::from_value::<Option<_>>(list).ok().flatten().unwrap_or_default();
    // -1 is the engine's word for a size that it cannot tell.
    used.into_iter().filter_map(|used| Some((used.name, u64::try_from(used.usage_data.size).ok()?))).collect()
}
