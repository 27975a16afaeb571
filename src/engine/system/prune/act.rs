//! Removing what was listed.

use std::{collections::BTreeMap, time::Duration};

use bollard::query_parameters::RemoveImageOptions;
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Goes, Network, Thing};
use crate::engine::{
    Action, ContainerId, Engine, Error,
    containers::{Done, or_default},
    encoded,
    jobs::{Job, Jobs, Part, Stage, Work},
    system::disk::{bare, named},
    wire::ACT,
};

/// How long an image may take to be removed.
const IMAGE: Duration = Duration::from_mins(5);
/// How many containers or volumes are removed at the same time.
const AT_ONCE: usize = 8;

impl Jobs<'_> {
    /// Removes just these, in this order. What has gone is as wished; what has come to be used stays, and says so.
    pub fn prune(&self, goes: Vec<Goes>, command: String) -> Result<Job, Error> {
        self.0.reach.may_operate()?;
        // What belongs to nobody is for who sees everything.
        let is_common = |goes: &Goes| !matches!(goes.thing, Thing::Container(_) | Thing::Volume(_));
        if self.0.reach.is_scoped() && goes.iter().any(is_common) {
            return Err(Error::Forbidden("It does not let you remove what may be of others.".to_owned()));
        }
        let part =
            |goes: &Goes| Part { name: format!("{} {}", goes.thing.kind(), goes.name), container: None, result: None };
        let parts = goes.iter().map(part).collect();
        let title = format!("Prune {} thing{}", goes.len(), if goes.len() == 1 { "" } else { "s" });
        let job = self.start("prune", title, command, parts, move |engine, job| async move {
            let mut all: Vec<(usize, Goes)> = goes.into_iter().enumerate().collect();
            // Kind by kind: what a container holds is free when it is gone. What may hang together goes one by one.
            for kind in ["container", "network", "volume", "image", "cache"] {
                let at_once = if matches!(kind, "container" | "volume") { AT_ONCE } else { 1 };
                let these: Vec<_> = all.extract_if(.., |(_, goes)| goes.thing.kind() == kind).collect();
                let work = these.into_iter().map(|(place, goes)| {
                    let (engine, job) = (engine.clone(), job.clone());
                    async move { engine.prune_one(&job, place, &goes).await }
                });
                stream::iter(work).buffer_unordered(at_once).collect::<()>().await;
            }
            engine.live.read_back_volumes().await;
            Stage::of_parts(job.progress())
        });
        Ok(job)
    }
}

impl Engine {
    async fn prune_one(&self, job: &Work, place: usize, goes: &Goes) {
        let result = match &goes.thing {
            Thing::Container(id) => self.prune_container(id).await,
            Thing::Volume(name) => self.volumes().delete(name).await.map(|()| None),
            Thing::Network(id) => self.prune_network(id).await,
            Thing::Image { id, name } => self.prune_image(id, name.as_deref()).await,
            Thing::Cache(id) => self.prune_step(id).await,
        };
        let result = match result {
            Ok(freed) => {
                job.freed(freed.or(goes.frees).unwrap_or_default());
                Ok("removed".to_owned())
            }
            Err(Error::NotFound(_)) => Ok("was removed already".to_owned()),
            Err(error) => Err(self.told(error)),
        };
        job.part(place, result);
    }

    async fn prune_container(&self, id: &ContainerId) -> Result<Option<u64>, Error> {
        let action = Action::Remove { force: false, volumes: false, link: false };
        let (Done::Now | Done::Already | Done::UnderWay) = self.containers().act(id, action).await?;
        Ok(None)
    }

    /// Only as long as nobody is on it. Podman 4.3 would remove it by its id from under containers that run.
    async fn prune_network(&self, id: &str) -> Result<Option<u64>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct On {
            #[serde(default, deserialize_with = "or_default")]
            names: Vec<String>,
            #[serde(default, deserialize_with = "or_default")]
            network_settings: Settings,
        }
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "PascalCase", default)]
        struct Settings {
            #[serde(deserialize_with = "or_default")]
            networks: BTreeMap<String, Value>,
        }
        let networks: Vec<Network> = self.wire.get("/networks").await?;
        let network = networks.into_iter().find(|network| network.id == id);
        let network = network.ok_or_else(|| Error::NotFound(format!("network {id} not found")))?;
        let containers: Vec<On> = self.wire.get("/containers/json?all=true").await?;
        let users = containers.into_iter().filter(|on| on.network_settings.networks.contains_key(&network.name));
        let users: Vec<String> =
            users.flat_map(|on| on.names).map(|name| name.trim_start_matches('/').to_owned()).collect();
        if !users.is_empty() {
            return Err(Error::Conflict(format!("the network {} is used by {} now", network.name, users.join(", "))));
        }
        let call = Box::pin(self.docker.remove_network(id));
        self.wire.typed("DELETE /networks/{id}", ACT, call).await?;
        Ok(None)
    }

    /// A name goes only as long as it means this image; an image without one, only as long as it has none.
    async fn prune_image(&self, id: &str, name: Option<&str>) -> Result<Option<u64>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Now {
            id: String,
            #[serde(default, deserialize_with = "or_default")]
            repo_tags: Vec<String>,
        }
        let reference = name.unwrap_or(id);
        let path: Vec<String> = reference.split('/').map(encoded).collect();
        let now: Now = self.wire.get(&format!("/images/{}/json", path.join("/"))).await?;
        if bare(&now.id) != bare(id) {
            return Err(Error::Conflict(format!("the name {reference} means another image now")));
        }
        let names = named(now.repo_tags);
        if name.is_none() && !names.is_empty() {
            return Err(Error::Conflict(format!("it is called {} now", names.join(", "))));
        }
        let call = Box::pin(self.docker.remove_image(reference, None::<RemoveImageOptions>, None));
        let (_, items) = self.wire.typed("DELETE /images/{name}", IMAGE, call).await?;
        // Only the name went, where others are left.
        Ok(items.iter().all(|item| item.deleted.is_none()).then_some(0))
    }

    async fn prune_step(&self, id: &str) -> Result<Option<u64>, Error> {
        let filter = encoded(&json!({ "id": [id] }).to_string());
        let answer = self.wire.post(&format!("/build/prune?all=true&filters={filter}"), &json!({}), IMAGE).await?;
        let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
        let went = answer
            .get("CachesDeleted")
            .and_then(Value::as_array)
            .is_some_and(|went| went.iter().any(|step| step == id));
        if !went {
            let why = "it is not there any more, or something needs it: a build, an image, or another step that stays";
            return Err(Error::Conflict(why.to_owned()));
        }
        Ok(answer.get("SpaceReclaimed").and_then(Value::as_u64))
    }
}
