//! Images: what there is, what is in each, and everything that is done to them.

mod change;
mod check;
mod credentials;
mod detail;
mod follow;
mod pull;
mod push;
mod search;
mod transfer;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

pub use self::{
    change::Gone,
    check::Freshness,
    detail::{Declared, ImageDetail, Layer},
    pull::{Wanted, split_reference},
    search::Found,
    transfer::{Incoming, Source},
};
use super::{
    Engine, Error, Sizes,
    containers::or_default,
    ids::ImageId,
    wire::{Wire, encoded},
};

/// How long listing may take: podman looks into each image for it.
const LIST: Duration = Duration::from_secs(30);
/// How long measuring may take: where the engine cannot measure images alone, it walks every file of every volume.
const MEASURE: Duration = Duration::from_mins(10);
/// What engines write where there is no tag and no digest.
const NONE: &str = "<none>";

/// An image, as the engine lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its id.
    pub id: ImageId,
    /// Its names with a tag, `nginx:1.29`, in their order.
    pub tags: Vec<String>,
    /// Its names with a digest, `nginx@sha256:…`: as registries know it.
    pub digests: Vec<String>,
    /// When it was built; none where that is not told.
    pub created: Option<Timestamp>,
    /// All its layers, in bytes.
    pub size: u64,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

impl Image {
    /// Whether it has no tag: what an image becomes when its tag goes to a newer one.
    pub fn is_dangling(&self) -> bool {
        self.tags.is_empty()
    }

    /// What people call it: its first tag, else what it was pulled as, else its short id.
    pub fn name(&self) -> &str {
        let pulled_as = || self.digests.first().and_then(|digest| digest.split('@').next());
        self.tags.first().map(String::as_str).or_else(pulled_as).unwrap_or_else(|| self.id.short())
    }

    /// What the engine takes it by: its first tag, else its id.
    pub fn reference(&self) -> &str {
        self.tags.first().map_or(self.id.as_str(), String::as_str)
    }
}

/// A reference in full, so that two that mean the same are the same: `nginx` is `docker.io/library/nginx:latest`.
/// Source: distribution/reference, `normalize.go`.
pub(super) fn normal(reference: &str) -> String {
    let (name, tag) = reference.split_once('@').map_or_else(
        || {
            let (name, tag) = split_reference(reference);
            (name, format!(":{tag}"))
        },
        |(name, digest)| (split_reference(name).0, format!("@{digest}")),
    );
    let name = match name.split_once('/') {
        Some((first, rest)) if first == "docker.io" || first == "index.docker.io" => rest,
        _ => name,
    };
    let is_host = |first: &str| first.contains(['.', ':']) || first == "localhost";
    match name.split_once('/') {
        None => format!("docker.io/library/{name}{tag}"),
        Some((first, _)) if !is_host(first) => format!("docker.io/{name}{tag}"),
        Some(_) => format!("{name}{tag}"),
    }
}

/// One element of the answer to `GET /images/json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    id: ImageId,
    #[serde(default, deserialize_with = "or_default")]
    repo_tags: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    repo_digests: Vec<String>,
    #[serde(default)]
    created: i64,
    #[serde(default)]
    size: i64,
    #[serde(default, deserialize_with = "or_default")]
    labels: BTreeMap<String, String>,
}

impl From<Listed> for Image {
    fn from(listed: Listed) -> Self {
        let named = |names: Vec<String>| {
            let mut names: Vec<_> = names.into_iter().filter(|name| !name.contains(NONE)).collect();
            names.sort();
            names.dedup();
            names
        };
        Self {
            id: listed.id,
            tags: named(listed.repo_tags),
            digests: named(listed.repo_digests),
            // Images that say nothing of their age are from the year 1 or from 1970 (S082).
            created: Timestamp::from_second(listed.created).ok().filter(|at| at.as_second() > 0),
            size: u64::try_from(listed.size).unwrap_or_default(),
            labels: listed.labels,
        }
    }
}

/// All images but those that are only a part of others. One that cannot be read is left out.
pub(super) async fn list(wire: &Wire) -> Result<Vec<Image>, Error> {
    let read = |value: Value| match serde_json::from_value::<Listed>(value) {
        Ok(listed) => Some(listed.into()),
        Err(error) => {
            tracing::warn!(error = error.to_string(), "an image that cannot be read is not shown");
            None
        }
    };
    let listed: Vec<Value> = wire.get_within("/images/json", LIST).await?;
    Ok(listed.into_iter().filter_map(read).collect())
}

/// Puts a fresh list in the place of the old one; answers whether anything differs.
pub(super) fn place(old: &mut Arc<BTreeMap<ImageId, Arc<Image>>>, listed: Vec<Image>) -> bool {
    let mut fresh = BTreeMap::new();
    for mut image in listed {
        // podman lists an image once for each of its names.
        if let Some(known) = fresh.get(&image.id).map(|known: &Arc<Image>| Image::clone(known)) {
            image.tags.extend(known.tags);
            image.tags.sort();
            image.tags.dedup();
        }
        let image = old.get(&image.id).filter(|old| ***old == image).cloned().unwrap_or_else(|| Arc::new(image));
        fresh.insert(image.id.clone(), image);
    }
    let same = old.len() == fresh.len()
        && fresh.iter().all(|(id, image)| old.get(id).is_some_and(|old| Arc::ptr_eq(old, image)));
    if !same {
        *old = Arc::new(fresh);
    }
    !same
}

/// A reference as a part of a path. Its slashes and colons are part of the path; whatever else it might hold is encoded
/// (S033).
pub(super) fn path_of(reference: &str) -> Result<String, Error> {
    if reference.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(Error::Invalid(format!("“{reference}” is no image reference")));
    }
    let path: Vec<String> = reference.split('/').map(encoded).collect();
    Ok(path.join("/"))
}

/// The images of one engine.
pub struct Images<'a>(pub(super) &'a Engine);

impl Images<'_> {
    /// Whether the engine has this image.
    pub async fn has(&self, reference: &str) -> Result<bool, Error> {
        match self.raw(reference).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Everything that the engine tells of an image, variables among it.
    async fn raw(&self, reference: &str) -> Result<Value, Error> {
        self.0.wire.get(&format!("/images/{}/json", path_of(reference)?)).await
    }

    /// Has the engine measure how much of each image others have too, in the background; once for everybody.
    pub fn measure(&self) -> Result<(), Error> {
        self.0.reach.may_operate()?;
        let before = self.0.live.picture().shared.clone();
        if before.running {
            return Ok(());
        }
        self.0.live.set_shared(Sizes { running: true, ..before.clone() });
        let engine = self.0.clone();
        tokio::spawn(async move {
            // `type=image` (API 1.42 and later) spares the engine the volumes and containers.
            let answer: Result<Value, _> = engine.wire.get_within("/system/df?type=image", MEASURE).await;
            let shared = match answer {
                Ok(answer) => Sizes {
                    bytes: Arc::new(shared(&answer)),
                    measured: Some(Timestamp::now()),
                    running: false,
                    failed: None,
                },
                Err(error) => Sizes { running: false, failed: Some(error.to_string()), ..before },
            };
            engine.live.set_shared(shared);
        });
        Ok(())
    }
}

/// Reads whatever an engine may say of images.
#[cfg(any(test, fuzzing))]
pub(super) fn reads(value: &Value) {
    if let Ok(listed) = serde_json::from_value::<Listed>(value.clone()) {
        let image = Image::from(listed);
        let _ = (image.name(), image.reference(), normal(image.name()));
    }
    follow::reads(value);
    detail::reads(value);
    let _ = shared(value);
}

/// Bytes by id that others have too, out of the answer to `GET /system/df`.
fn shared(answer: &Value) -> HashMap<String, u64> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Used {
        id: ImageId,
        #[serde(default)]
        shared_size: i64,
    }
    // From API 1.52 on the list stands one step deeper.
    let list = answer.pointer("/ImageUsage/Items").or_else(|| answer.get("Images")).cloned().unwrap_or_default();
    let used: Vec<Used> = serde_json::from_value::<Option<_>>(list).ok().flatten().unwrap_or_default();
    // -1 is the engine's word for a size that it cannot tell.
    used.into_iter().filter_map(|used| Some((used.id.to_string(), u64::try_from(used.shared_size).ok()?))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_that_mean_the_same_are_the_same() {
        for (reference, full) in [
            ("nginx", "docker.io/library/nginx:latest"),
            ("docker.io/library/nginx:latest", "docker.io/library/nginx:latest"),
            ("a/b:1", "docker.io/a/b:1"),
            ("localhost:5000/a", "localhost:5000/a:latest"),
            ("localhost/a:1", "localhost/a:1"),
            ("nginx:1@sha256:00", "docker.io/library/nginx@sha256:00"),
            ("ghcr.io/x/y", "ghcr.io/x/y:latest"),
        ] {
            assert_eq!(normal(reference), full);
        }
    }

    #[test]
    fn a_list_is_read_as_each_engine_writes_it() {
        let id = "0a".repeat(32);
        let read = |value: Value| Image::from(serde_json::from_value::<Listed>(value).unwrap());
        let docker20 =
            read(json!({"Id": format!("sha256:{id}"), "RepoTags": ["<none>:<none>"], "RepoDigests": ["<none>@<none>"],
            "Created": -62_135_596_800_i64, "Size": -1, "Labels": null}));
        assert!(docker20.is_dangling() && docker20.digests.is_empty() && docker20.created.is_none());
        assert_eq!((docker20.name(), docker20.size), (&id[..12], 0));
        let podman = read(json!({"Id": id, "RepoTags": ["localhost/b:1", "localhost/a:1"], "Created": 5, "Size": 7}));
        assert_eq!((podman.name(), podman.id.as_str()), ("localhost/a:1", id.as_str()));
        let mut images = Arc::default();
        assert!(place(&mut images, vec![podman.clone()]) && !place(&mut images, vec![podman]));
    }
}
