//! What images, containers, volumes and the build cache hold on the disk: `docker system df -v`.
//!
//! The engine walks through every file of every container and volume for it: it is asked when somebody looks for it,
//! once for everybody, and what it said stays in the picture.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::engine::{ContainerId, Engine, Error, HIDDEN, Sizes, VolumeName, containers::or_default, volumes};

/// How long measuring may take.
const MEASURE: Duration = Duration::from_mins(10);

/// Disk use, as of when it was measured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Disk {
    /// What is used; none if it never was measured.
    pub usage: Option<Arc<DiskUsage>>,
    /// When the last measuring ended.
    pub measured: Option<Timestamp>,
    /// Since when the engine measures now.
    pub running: Option<Timestamp>,
    /// Why the last measuring failed.
    pub failed: Option<String>,
}

/// What is used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DiskUsage {
    /// All layers of all images together, each once.
    pub layers: u64,
    /// Images.
    pub images: Vec<UsedImage>,
    /// Containers: what they wrote beside their image.
    pub containers: Vec<UsedContainer>,
    /// Volumes.
    pub volumes: Vec<UsedVolume>,
    /// The build cache.
    pub cache: Vec<UsedCache>,
    /// Whether images and the build cache are left out: they are nobody's, and so for who sees everything.
    pub is_partial: bool,
}

/// An image on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedImage {
    /// Its full id.
    pub id: String,
    /// Its names; none for a dangling one.
    pub names: Vec<String>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Bytes.
    pub size: u64,
    /// How many of them it shares with others.
    pub shared: u64,
    /// How many containers come from it, running or not.
    pub users: u64,
}

/// A container on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedContainer {
    /// Its id.
    pub id: ContainerId,
    /// Its name.
    pub name: String,
    /// The image as it was asked for.
    pub image: String,
    /// Bytes that it wrote beside its image.
    pub size: u64,
    /// Whether it runs or is paused.
    pub is_up: bool,
}

/// A volume on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedVolume {
    /// Its name.
    pub name: VolumeName,
    /// Bytes, where the driver tells.
    pub size: Option<u64>,
    /// How many containers have it, running or not.
    pub users: u64,
}

/// A step of a build that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedCache {
    /// Its id.
    pub id: String,
    /// regular, source.local, exec.cachemount, ...
    pub kind: String,
    /// What made it. It may hold arguments of a build.
    pub about: String,
    /// Bytes.
    pub size: u64,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it was last used.
    pub used: Option<Timestamp>,
    /// Whether a build uses it now.
    pub in_use: bool,
    /// Whether an image or another step has it, too.
    pub shared: bool,
    /// What it builds on.
    pub parents: Vec<String>,
}

/// A kind of thing that takes room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Images.
    Images,
    /// Containers.
    Containers,
    /// Volumes.
    Volumes,
    /// The build cache.
    Cache,
}

impl What {
    /// All, in docker's order.
    pub const EACH: [Self; 4] = [Self::Images, Self::Containers, Self::Volumes, Self::Cache];

    /// Its word in addresses.
    pub fn word(self) -> &'static str {
        match self {
            Self::Images => "images",
            Self::Containers => "containers",
            Self::Volumes => "volumes",
            Self::Cache => "cache",
        }
    }

    /// Its name on pages: docker's.
    pub fn label(self) -> &'static str {
        match self {
            Self::Images => "Images",
            Self::Containers => "Containers",
            Self::Volumes => "Local volumes",
            Self::Cache => "Build cache",
        }
    }
}

/// A line of `docker system df`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sum {
    /// Of what.
    pub what: What,
    /// How many.
    pub total: usize,
    /// How many of them are used.
    pub active: usize,
    /// Bytes.
    pub size: u64,
    /// Bytes that nothing uses.
    pub free: u64,
}

impl DiskUsage {
    /// The lines of `docker system df`. Source of what counts as free: docker/cli, `formatter/disk_usage.go`.
    pub fn sums(&self) -> Vec<Sum> {
        let used: u64 = self
            .images
            .iter()
            .filter(|image| image.users > 0)
            .map(|image| image.size.saturating_sub(image.shared))
            .sum();
        let images = Sum {
            what: What::Images,
            total: self.images.len(),
            active: self.images.iter().filter(|image| image.users > 0).count(),
            size: self.layers,
            free: self.layers.saturating_sub(used),
        };
        let containers = Sum {
            what: What::Containers,
            total: self.containers.len(),
            active: self.containers.iter().filter(|container| container.is_up).count(),
            size: self.containers.iter().map(|container| container.size).sum(),
            free: self.containers.iter().filter(|container| !container.is_up).map(|container| container.size).sum(),
        };
        let bytes = |volume: &UsedVolume| volume.size.unwrap_or_default();
        let volumes = Sum {
            what: What::Volumes,
            total: self.volumes.len(),
            active: self.volumes.iter().filter(|volume| volume.users > 0).count(),
            size: self.volumes.iter().map(bytes).sum(),
            free: self.volumes.iter().filter(|volume| volume.users == 0).map(bytes).sum(),
        };
        // What is shared is in an image as well, and counted there.
        let own = || self.cache.iter().filter(|step| !step.shared);
        let cache = Sum {
            what: What::Cache,
            total: self.cache.len(),
            active: self.cache.iter().filter(|step| step.in_use).count(),
            size: own().map(|step| step.size).sum(),
            free: own().filter(|step| !step.in_use).map(|step| step.size).sum(),
        };
        let is_told = |sum: &Sum| !(self.is_partial && matches!(sum.what, What::Images | What::Cache));
        [images, containers, volumes, cache].into_iter().filter(is_told).collect()
    }

    /// An image by its id.
    pub fn image(&self, id: &str) -> Option<&UsedImage> {
        self.images.iter().find(|image| image.id == id)
    }
}

impl Engine {
    /// Has the engine measure, in the background; one measuring at a time, for everybody.
    pub fn measure_disk(&self) -> Result<(), Error> {
        self.reach.may_operate()?;
        self.reachable()?;
        let before = self.live.picture().disk.clone();
        if before.running.is_some() || !self.live.begin_disk() {
            return Ok(());
        }
        let engine = self.clone();
        tokio::spawn(async move {
            let disk = match engine.disk_usage().await {
                Ok((usage, sizes)) => {
                    // The volumes' own page shows the same.
                    let measured = Some(Timestamp::now());
                    engine.live.set_sizes(Sizes { bytes: Arc::new(sizes), measured, running: false, failed: None });
                    Disk { usage: Some(Arc::new(usage)), measured, running: None, failed: None }
                }
                Err(error) => Disk { running: None, failed: Some(error.to_string()), ..before },
            };
            engine.live.set_disk(disk);
        });
        Ok(())
    }

    /// All of it, and the sizes of volumes by name.
    async fn disk_usage(&self) -> Result<(DiskUsage, HashMap<String, u64>), Error> {
        // From API 1.52 on the things themselves are told to who asks for them.
        let answer: Value = self.wire.get_within("/system/df?verbose=true", MEASURE).await?;
        // Podman tells no names of images here.
        let names = self.image_names().await?;
        let sizes = volumes::sizes(&answer);
        Ok((read(&answer, &names), sizes))
    }

    /// The build cache alone, which is quick where the engine can tell it apart (API 1.42).
    pub(super) async fn build_cache(&self, limit: Duration) -> Result<Vec<UsedCache>, Error> {
        let answer: Value = self.wire.get_within("/system/df?type=build-cache&verbose=true", limit).await?;
        Ok(cache(&answer))
    }

    async fn image_names(&self) -> Result<BTreeMap<String, Vec<String>>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Named {
            id: String,
            #[serde(default, deserialize_with = "or_default")]
            repo_tags: Vec<String>,
        }
        let listed: Vec<Named> = self.wire.get("/images/json?all=true").await?;
        Ok(listed.into_iter().map(|image| (bare(&image.id).to_owned(), named(image.repo_tags))).collect())
    }
}

/// An id without its algorithm: podman leaves it out in places.
pub(super) fn bare(id: &str) -> &str {
    id.strip_prefix("sha256:").unwrap_or(id)
}

/// The names that are some.
pub(super) fn named(tags: Vec<String>) -> Vec<String> {
    tags.into_iter().filter(|tag| !tag.contains("<none>")).collect()
}

/// The list of this name: from API 1.52 on it stands one step deeper.
fn list<T: for<'de> Deserialize<'de>>(answer: &Value, deep: &str, flat: &str) -> Vec<T> {
    let list = answer.pointer(deep).or_else(|| answer.get(flat)).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(|item| T::deserialize(item).ok()).collect()
}

fn size(told: i64) -> u64 {
    // -1 is the engine's word for what it cannot tell.
    u64::try_from(told).unwrap_or_default()
}

fn read(answer: &Value, names: &BTreeMap<String, Vec<String>>) -> DiskUsage {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Image {
        id: String,
        #[serde(default, deserialize_with = "or_default")]
        repo_tags: Vec<String>,
        #[serde(default)]
        created: i64,
        #[serde(default)]
        size: i64,
        #[serde(default)]
        shared_size: i64,
        #[serde(default)]
        containers: i64,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Container {
        id: ContainerId,
        #[serde(default, deserialize_with = "or_default")]
        names: Vec<String>,
        #[serde(default, deserialize_with = "or_default")]
        image: String,
        #[serde(default)]
        size_rw: i64,
        #[serde(default, deserialize_with = "or_default")]
        state: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Volume {
        name: VolumeName,
        #[serde(default, deserialize_with = "or_default")]
        usage_data: Usage,
    }
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "PascalCase", default)]
    struct Usage {
        size: i64,
        ref_count: i64,
    }
    let images: Vec<UsedImage> = list::<Image>(answer, "/ImageUsage/Items", "Images")
        .into_iter()
        .map(|image| UsedImage {
            names: names.get(bare(&image.id)).cloned().unwrap_or_else(|| named(image.repo_tags)),
            id: format!("sha256:{}", bare(&image.id)),
            created: Timestamp::from_second(image.created).ok().filter(|at| at.as_second() > 0),
            size: size(image.size),
            shared: size(image.shared_size).min(size(image.size)),
            users: size(image.containers),
        })
        .collect();
    let containers = list::<Container>(answer, "/ContainerUsage/Items", "Containers").into_iter().map(|container| {
        let name = container.names.first().map(|name| name.trim_start_matches('/').to_owned());
        UsedContainer {
            name: name.unwrap_or_else(|| container.id.short().to_owned()),
            id: container.id,
            image: container.image,
            size: size(container.size_rw),
            is_up: matches!(container.state.as_str(), "running" | "paused" | "restarting"),
        }
    });
    let volumes = list::<Volume>(answer, "/VolumeUsage/Items", "Volumes").into_iter().map(|volume| UsedVolume {
        name: volume.name,
        size: u64::try_from(volume.usage_data.size).ok(),
        users: size(volume.usage_data.ref_count),
    });
    let told = answer.pointer("/ImageUsage/TotalSize").or_else(|| answer.get("LayersSize")).and_then(Value::as_u64);
    let own = || images.iter().map(|image| image.size.saturating_sub(image.shared)).sum();
    DiskUsage {
        // Podman tells none, nor what images share.
        layers: told.filter(|told| *told > 0).unwrap_or_else(own),
        containers: containers.collect(),
        volumes: volumes.collect(),
        cache: cache(answer),
        is_partial: false,
        images,
    }
}

fn cache(answer: &Value) -> Vec<UsedCache> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Step {
        #[serde(rename = "ID")]
        id: String,
        #[serde(default, deserialize_with = "or_default")]
        r#type: String,
        #[serde(default, deserialize_with = "or_default")]
        description: String,
        #[serde(default)]
        size: i64,
        #[serde(default, deserialize_with = "or_default")]
        created_at: String,
        #[serde(default, deserialize_with = "or_default")]
        last_used_at: String,
        #[serde(default, deserialize_with = "or_default")]
        in_use: bool,
        #[serde(default, deserialize_with = "or_default")]
        shared: bool,
        /// Until API 1.42.
        #[serde(default, deserialize_with = "or_default")]
        parent: String,
        #[serde(default, deserialize_with = "or_default")]
        parents: Vec<String>,
    }
    let steps = list::<Step>(answer, "/BuildCacheUsage/Items", "BuildCache").into_iter();
    let steps = steps.filter(|step| is_step(&step.id));
    let parents =
        |one: String, all: Vec<String>| all.into_iter().chain(Some(one).filter(|one| !one.is_empty())).collect();
    steps
        .map(|step| UsedCache {
            id: step.id,
            kind: step.r#type,
            about: step.description,
            size: size(step.size),
            created: step.created_at.parse().ok(),
            used: step.last_used_at.parse().ok(),
            in_use: step.in_use,
            shared: step.shared,
            parents: parents(step.parent, step.parents),
        })
        .collect()
}

/// Whether it is an id of the build cache: 25 letters and digits. The engine takes it for a regular expression.
pub(super) fn is_step(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric())
}

impl DiskUsage {
    /// What of it somebody sees who does not see everything.
    pub(in crate::engine) fn within(
        &self,
        sees: &dyn Fn(&ContainerId) -> bool,
        sees_volume: &dyn Fn(&VolumeName) -> bool,
    ) -> Self {
        Self {
            layers: 0,
            images: Vec::new(),
            containers: self.containers.iter().filter(|container| sees(&container.id)).cloned().collect(),
            volumes: self.volumes.iter().filter(|volume| sees_volume(&volume.name)).cloned().collect(),
            cache: Vec::new(),
            is_partial: true,
        }
    }

    /// Without the command lines of builds.
    pub(in crate::engine) fn redacted(&self) -> Self {
        let hidden = |step: &UsedCache| UsedCache { about: HIDDEN.to_owned(), ..step.clone() };
        Self { cache: self.cache.iter().map(hidden).collect(), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_shapes_of_the_answer_are_read() {
        let image = json!({"Id": "sha256:aa", "RepoTags": ["web:1"], "Created": 5, "Size": 100, "SharedSize": 60, "Containers": 1});
        let dangling =
            json!({"Id": "bb", "RepoTags": ["<none>:<none>"], "Size": 50, "SharedSize": -1, "Containers": 0});
        let container =
            json!({"Id": "0f".repeat(32), "Names": ["/web"], "Image": "web:1", "SizeRw": 7, "State": "exited"});
        let volume = json!({"Name": "data", "UsageData": {"Size": 30, "RefCount": 0}});
        let step = json!({"ID": "ab12", "Type": "regular", "Size": 9, "Parents": null, "LastUsedAt": null});
        let old = json!({"LayersSize": 150, "Images": [image, dangling], "Containers": [container], "Volumes": [volume], "BuildCache": [step]});
        let new = json!({
            "ImageUsage": {"TotalSize": 150, "Items": [image, dangling]}, "ContainerUsage": {"Items": [container]},
            "VolumeUsage": {"Items": [volume]}, "BuildCacheUsage": {"Items": [step]},
        });
        let (old, new) = (read(&old, &BTreeMap::new()), read(&new, &BTreeMap::new()));
        assert_eq!(old, new);
        let sums: Vec<_> = old.sums().iter().map(|sum| (sum.total, sum.active, sum.size, sum.free)).collect();
        assert_eq!(sums, [(2, 1, 150, 110), (1, 0, 7, 7), (1, 0, 30, 30), (1, 0, 9, 9)]);
        assert!(old.images[1].names.is_empty() && old.images[1].id == "sha256:bb");
        assert_eq!(read(&json!({"BuildCache": null, "Images": null}), &BTreeMap::new()).sums().len(), 4);
    }

    #[test]
    fn s041_who_does_not_see_everything_sees_no_images() {
        let usage = DiskUsage { layers: 5, ..DiskUsage::default() };
        let seen = usage.within(&|_| true, &|_| true);
        assert_eq!(seen.sums().iter().map(|sum| sum.what).collect::<Vec<_>>(), [What::Containers, What::Volumes]);
    }
}
