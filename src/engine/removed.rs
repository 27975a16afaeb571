//! A removal can be undone: what a container was made from is kept for a month, with the names of its volumes. It is made
//! again from that, as created.
//!
//! Each is a file that only this console's user reads: it holds the values of variables, or nothing could be made again.

use std::{
    collections::BTreeMap,
    fs, io,
    path::PathBuf,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    ContainerId, Created, Engine, Error, Recipe,
    containers::Containers,
    jobs::{Job, Jobs},
    private,
    spec::Spec,
};

/// How long one is kept.
pub const KEPT_DAYS: i64 = 30;
/// How many at most: the newest.
const MOST: usize = 1_000;
/// The largest file that is read, in bytes.
const LARGEST: u64 = 4 << 20;

/// A container that was removed here.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Removed {
    /// The id that it had.
    #[serde(with = "super::ids::text")]
    pub id: ContainerId,
    /// Its name.
    pub name: String,
    /// When it was removed.
    pub at: Timestamp,
    /// Who did it, where people sign in.
    pub by: Option<String>,
    /// Whether it was up then.
    pub was_up: bool,
    /// Its volumes without a name of their own: where each was mounted, and what the engine calls it.
    pub anonymous: BTreeMap<String, String>,
    /// The image that it was made of, by its id.
    pub image: String,
    /// Its labels: they say who may see it.
    labels: BTreeMap<String, String>,
    /// The kind of machine that it was for.
    platform: Option<String>,
    /// What it was made from.
    spec: Spec,
}

impl Removed {
    /// The request that makes it again.
    pub fn spec(&self) -> Spec {
        let mut spec = self.spec.clone();
        (spec.name, spec.platform) = (Some(self.name.clone()), self.platform.clone());
        spec
    }

    fn is_old(&self, now: Timestamp) -> bool {
        now.duration_since(self.at) > SignedDuration::from_hours(KEPT_DAYS * 24)
    }
}

/// All that are kept, by their ids.
#[derive(Debug, Default)]
pub(super) struct Bin {
    folder: OnceLock<PathBuf>,
    all: Mutex<BTreeMap<ContainerId, Removed>>,
}

impl Bin {
    fn all(&self) -> MutexGuard<'_, BTreeMap<ContainerId, Removed>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, id: &ContainerId) -> Option<PathBuf> {
        self.folder.get().map(|folder| folder.join(format!("{id}.json")))
    }

    pub(super) fn put(&self, removed: Removed) {
        let path = self.path(&removed.id);
        let write = |path: PathBuf| private::write(&path, &serde_json::to_vec(&removed)?);
        if let Some(Err(error)) = path.map(write) {
            tracing::warn!(
                error = error.to_string(),
                "what was removed cannot be written down: a restart will forget it"
            );
        }
        self.all().insert(removed.id.clone(), removed);
        self.tidy();
    }

    /// Lets go of what is too old, and of the oldest where there are too many.
    fn tidy(&self) {
        let now = Timestamp::now();
        let mut by_age: Vec<(Timestamp, ContainerId)> = self.all().values().map(|it| (it.at, it.id.clone())).collect();
        by_age.sort();
        let many = by_age.len().saturating_sub(MOST);
        let is_old = |id: &ContainerId| self.all().get(id).is_some_and(|it| it.is_old(now));
        let gone: Vec<ContainerId> = by_age
            .into_iter()
            .enumerate()
            .filter(|(at, (_, id))| *at < many || is_old(id))
            .map(|(_, (_, id))| id)
            .collect();
        gone.iter().for_each(|id| self.forget(id));
    }

    fn forget(&self, id: &ContainerId) {
        self.all().remove(id);
        if let Some(path) = self.path(id) {
            let _ = fs::remove_file(path);
        }
    }
}

impl Engine {
    /// From now on removed containers are kept in this folder too; those of an earlier console are there again.
    ///
    /// # Errors
    /// What the folder's making and reading say.
    pub fn keep_removed(&self, folder: PathBuf) -> io::Result<()> {
        private::folder(&folder)?;
        for path in private::records(&folder)? {
            if fs::symlink_metadata(&path).is_ok_and(|about| about.is_file() && about.len() <= LARGEST)
                && let Ok(text) = fs::read(&path)
                && let Ok(removed) = serde_json::from_slice::<Removed>(&text)
            {
                self.removed.all().insert(removed.id.clone(), removed);
            }
        }
        let _ = self.removed.folder.set(folder);
        self.removed.tidy();
        Ok(())
    }
}

impl Containers<'_> {
    /// What has to be kept of a container that is about to be removed; none if it cannot be told.
    pub(super) async fn about_to_go(&self, id: &ContainerId) -> Option<Removed> {
        let Recipe { spec, image, anonymous, .. } = self.recipe_of(id).await.ok()?;
        let picture = self.0.live.picture();
        let container = picture.containers.get(id)?;
        Some(Removed {
            id: id.clone(),
            name: container.name.clone(),
            at: Timestamp::now(),
            by: self.0.by.as_ref().map(ToString::to_string),
            was_up: container.state.is_up(),
            anonymous,
            image,
            labels: container.labels.clone(),
            platform: spec.platform.clone(),
            spec,
        })
    }

    /// What was removed here in the last month, newest first, as far as this reach goes; what may be a secret is masked.
    pub fn removed(&self) -> Vec<Removed> {
        self.0.removed.tidy();
        let mut all: Vec<Removed> =
            self.0.removed.all().values().filter(|it| self.0.reach.takes(&it.labels)).cloned().collect();
        all.sort_by_key(|it| std::cmp::Reverse(it.at));
        all.iter_mut().for_each(|it| self.0.reach.spec(&mut it.spec));
        all
    }

    fn removed_one(&self, id: &ContainerId) -> Result<Removed, Error> {
        let found = self.0.removed.all().get(id).filter(|it| self.0.reach.takes(&it.labels)).cloned();
        found.ok_or_else(|| {
            Error::NotFound(format!("nothing is kept of a container {}; it is for {KEPT_DAYS} days", id.short()))
        })
    }

    /// Makes a removed container again, as created, with the volumes that are still there. If its image has to be pulled
    /// first, that goes on as a job.
    ///
    /// # Errors
    /// Those of [`Containers::create`].
    pub async fn restore(&self, id: &ContainerId, command: String) -> Result<Restored, Error> {
        self.0.reach.may_operate()?;
        let removed = self.removed_one(id)?;
        let mut spec = removed.spec();
        let picture = self.0.live.picture();
        let is_there = |volume: &String| picture.volumes.keys().any(|name| name.as_str() == volume);
        let anonymous = removed.anonymous.iter().filter(|(_, volume)| is_there(volume));
        let anonymous = anonymous.map(|(target, volume)| (target.clone(), volume.clone())).collect();
        Recipe { spec: removed.spec.clone(), anonymous, ..Recipe::default() }.keep_volumes(&mut spec);
        if !self.0.images().has(&spec.image).await? {
            if self.0.images().has(&removed.image).await? {
                // Its name has gone to another one, or away.
                spec.image.clone_from(&removed.image);
            } else {
                return Ok(Restored::Pulls(Jobs(self.0).run(spec, false, command).await?));
            }
        }
        let made = Box::pin(self.create(&spec)).await?;
        self.0.removed.forget(id);
        Ok(Restored::Made(made))
    }

    /// Keeps nothing of a removed container any more.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nothing is kept.
    pub fn forget_removed(&self, id: &ContainerId) -> Result<(), Error> {
        self.0.reach.may_operate()?;
        self.removed_one(id)?;
        self.0.removed.forget(id);
        Ok(())
    }
}

/// How a removed container was made again.
#[derive(Debug)]
pub enum Restored {
    /// It is there.
    Made(Created),
    /// Its image is pulled first.
    Pulls(Job),
}
