//! Working out what would go.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    time::Duration,
};

use jiff::Timestamp;
use serde::Deserialize;

use super::{Goes, Network, Plan, Thing, Wish, is_network};
use crate::engine::{
    Container, ContainerId, DiskUsage, Engine, Error, Picture, State, UsedCache, Verb,
    containers::or_default,
    ids::is_hex64,
    system::disk::{bare, named},
};

/// How long the build cache may take to be listed: an older engine walks through everything for it.
const CACHE: Duration = Duration::from_secs(20);
/// The most that goes at once.
const MOST: usize = 3_000;
/// The networks that every engine has.
const PREDEFINED: [&str; 5] = ["bridge", "host", "none", "podman", "ingress"];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Image {
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    repo_tags: Vec<String>,
    #[serde(default)]
    created: i64,
    #[serde(default, deserialize_with = "or_default")]
    labels: BTreeMap<String, String>,
}

/// The containers that would go: those that do not run.
fn stopped<'a>(picture: &'a Picture, wish: &Wish) -> Vec<&'a Container> {
    let goes = |container: &&Container| {
        matches!(container.state, State::Created | State::Exited | State::Dead)
            && wish.takes(&container.labels, Some(container.created))
            && picture.guard_container(&container.id, Verb::Remove).is_ok()
    };
    picture.containers.values().map(AsRef::as_ref).filter(goes).collect()
}

impl Engine {
    /// Exactly what would go now.
    pub async fn prune_plan(&self, wish: &Wish) -> Result<Plan, Error> {
        self.reach.may_operate()?;
        self.reachable()?;
        // What others have is used, too: who does not see it must not think otherwise.
        let (picture, whole) = (self.picture(), self.live.picture());
        let usage = picture.disk.usage.clone().unwrap_or_default();
        let mut plan = Plan { is_partial: self.reach.is_scoped(), ..Plan::default() };
        let goes = stopped(&picture, wish);
        let gone: HashSet<&ContainerId> = goes.iter().map(|container| &container.id).collect();
        plan.goes.extend(goes.iter().map(|container| Goes {
            thing: Thing::Container(container.id.clone()),
            name: container.name.clone(),
            about: format!("{}, from {}", container.state, container.image),
            frees: usage.containers.iter().find(|used| used.id == container.id).map(|used| used.size),
        }));
        let left: Vec<&Container> =
            whole.containers.values().map(AsRef::as_ref).filter(|one| !gone.contains(&one.id)).collect();
        if !plan.is_partial {
            plan.goes.extend(self.unused_networks(wish, &left).await?);
        }
        // Source: docker/cli, `system/prune.go`: an age does not go with volumes.
        if wish.volumes && wish.until.is_none() {
            plan.goes.extend(unused_volumes(&picture, wish, &left));
        }
        if !plan.is_partial {
            plan.goes.extend(self.unused_images(wish, &left, &usage).await?);
            let asked = if wish.labels.is_empty() {
                self.unused_cache(wish).await
            } else {
                Err("a step of a build has no labels")
            };
            match asked {
                Ok(steps) => plan.goes.extend(steps),
                Err(why) => plan.no_cache = Some(why),
            }
        }
        plan.more = plan.goes.len().saturating_sub(MOST);
        plan.goes.truncate(MOST);
        Ok(plan)
    }

    async fn unused_networks(&self, wish: &Wish, left: &[&Container]) -> Result<Vec<Goes>, Error> {
        let networks: Vec<Network> = self.wire.get("/networks").await?;
        let used: HashSet<&str> =
            left.iter().flat_map(|container| container.networks.iter().map(|on| on.network.as_str())).collect();
        let goes = |network: &Network| {
            !PREDEFINED.contains(&network.name.as_str())
                && !network.ingress
                && network.scope != "swarm"
                && !used.contains(network.name.as_str())
                && is_network(&network.id)
                && wish.takes(&network.labels, network.created.parse().ok())
        };
        let networks = networks.into_iter().filter(goes).map(|network| Goes {
            thing: Thing::Network(network.id),
            name: network.name,
            about: network.driver,
            frees: None,
        });
        Ok(networks.collect())
    }

    async fn unused_images(&self, wish: &Wish, left: &[&Container], usage: &DiskUsage) -> Result<Vec<Goes>, Error> {
        let images: Vec<Image> = self.wire.get("/images/json").await?;
        let used = self.images_of(left).await?;
        let mut goes = Vec::new();
        for image in images {
            let made = Timestamp::from_second(image.created).ok();
            let names = named(image.repo_tags);
            let id = format!("sha256:{}", bare(&image.id));
            let wanted = names.is_empty() || wish.all;
            if !wanted || used.contains(bare(&id)) || !is_hex64(bare(&id)) || !wish.takes(&image.labels, made) {
                continue;
            }
            let found = usage.image(&id);
            let frees = found.map(|found| found.size.saturating_sub(found.shared));
            if names.is_empty() {
                let about = "dangling: it has no name any more".to_owned();
                let name = id.get(7..19).unwrap_or(&id).to_owned();
                goes.push(Goes { thing: Thing::Image { id, name: None }, name, about, frees });
                continue;
            }
            // The image goes with the last of its names.
            let last = names.len() - 1;
            for (at, name) in names.into_iter().enumerate() {
                let (about, frees) = if at == last { ("unused", frees) } else { ("a name of the same image", Some(0)) };
                let thing = Thing::Image { id: id.clone(), name: Some(name.clone()) };
                goes.push(Goes { thing, name, about: about.to_owned(), frees });
            }
        }
        Ok(goes)
    }

    /// The images that these containers come from, by id. The list of containers names images, not their ids, and a
    /// name may have moved on.
    async fn images_of(&self, left: &[&Container]) -> Result<BTreeSet<String>, Error> {
        #[derive(Deserialize)]
        struct From {
            #[serde(rename = "Id")]
            id: String,
            #[serde(rename = "ImageID", default)]
            image: String,
        }
        let left: HashSet<&str> = left.iter().map(|container| container.id.as_str()).collect();
        let listed: Vec<From> = self.wire.get("/containers/json?all=true").await?;
        let used = listed.into_iter().filter(|container| left.contains(container.id.as_str()));
        Ok(used.map(|container| bare(&container.image).to_owned()).collect())
    }

    /// The steps of builds that nothing uses, each before what it builds on; or why they are left alone.
    async fn unused_cache(&self, wish: &Wish) -> Result<Vec<Goes>, &'static str> {
        if self.live.picture().is_podman() {
            return Err("Podman keeps none: the steps of its builds are images");
        }
        let steps = self.build_cache(CACHE).await.map_err(|_| "the engine did not tell it in time")?;
        let is_old =
            |step: &UsedCache| wish.until.is_none_or(|until| step.used.or(step.created).is_some_and(|at| at < until));
        // Source: moby/buildkit, `cache/manager.go`: what is shared, and what it keeps for itself, goes with --all.
        let is_wanted =
            |step: &UsedCache| wish.all || !(step.shared || matches!(step.kind.as_str(), "internal" | "frontend"));
        let free = steps.into_iter().filter(|step| !step.in_use && is_old(step) && is_wanted(step));
        Ok(leaves_first(free.collect()))
    }
}

/// Steps in the order in which they can go: none before what builds on it.
fn leaves_first(mut steps: Vec<UsedCache>) -> Vec<Goes> {
    let mut goes = Vec::with_capacity(steps.len());
    while !steps.is_empty() {
        let needed: HashSet<String> = steps.iter().flat_map(|step| step.parents.clone()).collect();
        let (later, mut now): (Vec<_>, Vec<_>) = steps.into_iter().partition(|step| needed.contains(&step.id));
        // A circle cannot be; if there is one all the same, nothing is gained by an order.
        let later = if now.is_empty() {
            now = later;
            Vec::new()
        } else {
            later
        };
        goes.extend(now.into_iter().map(|step| Goes {
            thing: Thing::Cache(step.id.clone()),
            name: step.id,
            about: step.about,
            frees: Some(if step.shared { 0 } else { step.size }),
        }));
        steps = later;
    }
    goes
}

fn unused_volumes(picture: &Picture, wish: &Wish, left: &[&Container]) -> Vec<Goes> {
    let mounts = left.iter().flat_map(|container| container.mounts.iter());
    let used: HashSet<&str> =
        mounts.filter(|mount| mount.kind == "volume").map(|mount| mount.source.as_str()).collect();
    let goes = picture.volumes.values().filter(|volume| {
        volume.is_anonymous()
            && !used.contains(volume.name.as_str())
            && picture.guard_volume(&volume.name).is_ok()
            && wish.takes(&volume.labels, volume.created_at)
    });
    goes.map(|volume| Goes {
        thing: Thing::Volume(volume.name.clone()),
        name: volume.name.to_string(),
        about: "anonymous".to_owned(),
        frees: picture.sizes.bytes.get(volume.name.as_str()).copied(),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_step_goes_before_what_builds_on_it() {
        let step = |id: &str, parents: &[&str]| UsedCache {
            id: id.into(),
            kind: "regular".into(),
            about: String::new(),
            size: 1,
            created: None,
            used: None,
            in_use: false,
            shared: false,
            parents: parents.iter().map(|parent| (*parent).to_owned()).collect(),
        };
        let order = |steps: Vec<UsedCache>| leaves_first(steps).into_iter().map(|goes| goes.name).collect::<Vec<_>>();
        assert_eq!(
            order(vec![step("a", &[]), step("b", &["a"]), step("c", &["b"]), step("d", &[])]),
            ["c", "d", "b", "a"]
        );
        assert_eq!(order(vec![step("a", &["b"]), step("b", &["a"])]).len(), 2);
    }
}
