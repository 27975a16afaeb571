//! Reading what the engine tells of its disk: `GET /system/df`, in both of its shapes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{DiskUsage, UsedCache, UsedContainer, UsedImage, UsedVolume};
use crate::engine::{ContainerId, VolumeName, containers::or_default};

/// An id without its algorithm: podman leaves it out in places.
pub(in crate::engine::system) fn bare(id: &str) -> &str {
    id.strip_prefix("sha256:").unwrap_or(id)
}

/// The names that are some.
pub(in crate::engine::system) fn named(tags: Vec<String>) -> Vec<String> {
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

pub(super) fn all(answer: &Value, names: &BTreeMap<String, Vec<String>>) -> DiskUsage {
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

pub(super) fn cache(answer: &Value) -> Vec<UsedCache> {
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
pub(in crate::engine::system) fn is_step(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric())
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
        let (old, new) = (all(&old, &BTreeMap::new()), all(&new, &BTreeMap::new()));
        assert_eq!(old, new);
        let sums: Vec<_> = old.sums().iter().map(|sum| (sum.total, sum.active, sum.size, sum.free)).collect();
        assert_eq!(sums, [(2, 1, 150, 110), (1, 0, 7, 7), (1, 0, 30, 30), (1, 0, 9, 9)]);
        assert!(old.images[1].names.is_empty() && old.images[1].id == "sha256:bb");
        assert_eq!(all(&json!({"BuildCache": null, "Images": null}), &BTreeMap::new()).sums().len(), 4);
    }
}
