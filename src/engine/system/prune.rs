//! Everything that nothing uses, removed together: `docker system prune`, but of a list that was seen before, thing by
//! thing.
//!
//! What goes is worked out as the engine would, in its order: containers first, and then what is unused without them.
//! One difference: a network that a stopped container is on stays, for without it that container could not start again.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fmt,
    str::FromStr,
    time::Duration,
};

use bollard::query_parameters::RemoveImageOptions;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::disk::{UsedCache, bare, is_step, named};
use crate::engine::{
    Action, Container, ContainerId, Engine, Error, Picture, State, Verb, VolumeName,
    containers::{Done, or_default},
    encoded,
    ids::is_hex64,
    jobs::{Job, Jobs, Part, Stage, Work},
    wire::ACT,
};

/// How long the build cache may take to be listed: an older engine walks through everything for it.
const CACHE: Duration = Duration::from_secs(20);
/// How long an image may take to be removed.
const IMAGE: Duration = Duration::from_mins(5);
/// The most that goes at once.
const MOST: usize = 3_000;
/// How many containers or volumes are removed at the same time.
const AT_ONCE: usize = 8;
/// The networks that every engine has.
const PREDEFINED: [&str; 5] = ["bridge", "host", "none", "podman", "ingress"];

/// What somebody wants to be rid of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// All unused images, and all of the build cache; else dangling ones, and what nothing needs any more.
    pub all: bool,
    /// Anonymous volumes, too.
    pub volumes: bool,
    /// Only what was made before.
    pub until: Option<Timestamp>,
    /// Only what carries these labels.
    pub labels: Vec<Label>,
}

/// A label that is asked for: `NAME`, `NAME=value`, or the same with `!=` for what does not carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Its name.
    pub name: String,
    /// Its value; any, where none is said.
    pub value: Option<String>,
    /// Whether it must not be there.
    pub is_not: bool,
}

impl FromStr for Label {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (text, is_not) = match text.split_once("!=") {
            Some((name, value)) => return Self::new(name, Some(value), true),
            None => text.strip_prefix('!').map_or((text, false), |rest| (rest, true)),
        };
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        Self::new(name, value, is_not)
    }
}

impl Label {
    fn new(name: &str, value: Option<&str>, is_not: bool) -> Result<Self, String> {
        if name.trim().is_empty() {
            return Err("A label is NAME, NAME=value or NAME!=value.".to_owned());
        }
        Ok(Self { name: name.trim().to_owned(), value: value.map(str::to_owned), is_not })
    }

    fn takes(&self, labels: &BTreeMap<String, String>) -> bool {
        let has = labels.get(&self.name).is_some_and(|has| self.value.as_ref().is_none_or(|wanted| wanted == has));
        has != self.is_not
    }
}

impl Wish {
    fn takes(&self, labels: &BTreeMap<String, String>, made: Option<Timestamp>) -> bool {
        self.labels.iter().all(|label| label.takes(labels))
            && self.until.is_none_or(|until| made.is_some_and(|made| made < until))
    }
}

/// Something that can go, by what it is known by for good. Written `container:ID`, `network:ID`, `volume:NAME`,
/// `image:ID`, `image:ID NAME`, `cache:ID`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// A container that does not run.
    Container(ContainerId),
    /// A network that nobody is on.
    Network(String),
    /// An anonymous volume.
    Volume(VolumeName),
    /// A name of an image, and the image with the last of them; or an image that has none.
    Image {
        /// The full id.
        id: String,
        /// The name.
        name: Option<String>,
    },
    /// A step of the build cache.
    Cache(String),
}

impl Thing {
    /// What kind of thing it is.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Container(_) => "container",
            Self::Network(_) => "network",
            Self::Volume(_) => "volume",
            Self::Image { .. } => "image",
            Self::Cache(_) => "cache",
        }
    }

    /// What it is known by.
    pub fn id(&self) -> &str {
        match self {
            Self::Container(id) => id.as_str(),
            Self::Volume(name) => name.as_str(),
            Self::Network(id) | Self::Image { id, .. } | Self::Cache(id) => id,
        }
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind(), self.id())?;
        match self {
            Self::Image { name: Some(name), .. } => write!(f, " {name}"),
            _ => Ok(()),
        }
    }
}

impl FromStr for Thing {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("“{}” is nothing that can be pruned.", text.chars().take(100).collect::<String>());
        let (kind, id) = text.split_once(':').ok_or_else(wrong)?;
        match kind {
            "container" => id.parse().map(Self::Container).map_err(|_| wrong()),
            "volume" => id.parse().map(Self::Volume).map_err(|_| wrong()),
            "network" if is_network(id) => Ok(Self::Network(id.to_owned())),
            "cache" if is_step(id) => Ok(Self::Cache(id.to_owned())),
            "image" => {
                let (id, name) = id.split_once(' ').map_or((id, None), |(id, name)| (id, Some(name)));
                let is_fine = is_hex64(bare(id)) && name.is_none_or(is_reference);
                let name = name.map(str::to_owned);
                is_fine.then(|| Self::Image { id: id.to_owned(), name }).ok_or_else(wrong)
            }
            _ => Err(wrong()),
        }
    }
}

/// Docker's are 64 digits; those of a swarm are 25 letters and digits.
fn is_network(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// Whether it may stand in a path (S033).
fn is_reference(name: &str) -> bool {
    let is_fine = |part: &str| !matches!(part, "" | "." | "..");
    name.len() <= 512
        && name.split('/').all(is_fine)
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-/:@".contains(&b))
}

/// Something that would go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goes {
    /// What.
    pub thing: Thing,
    /// Its name.
    pub name: String,
    /// What else there is to say of it.
    pub about: String,
    /// Bytes that it would free, where that is known.
    pub frees: Option<u64>,
}

/// What would go, in the order in which it would.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// All of it.
    pub goes: Vec<Goes>,
    /// How much more there would be: it is for the next time.
    pub more: usize,
    /// Why the build cache is left alone, if it is.
    pub no_cache: Option<&'static str>,
    /// Whether what belongs to everybody is left alone: it is for who sees everything.
    pub is_partial: bool,
}

impl Plan {
    /// Bytes that it would free, as far as that is known.
    pub fn frees(&self) -> u64 {
        self.goes.iter().filter_map(|goes| goes.frees).sum()
    }
}

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

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Network {
    id: String,
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    created: String,
    #[serde(default, deserialize_with = "or_default")]
    driver: String,
    #[serde(default, deserialize_with = "or_default")]
    scope: String,
    #[serde(default, deserialize_with = "or_default")]
    ingress: bool,
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
            left.iter().flat_map(|container| container.networks.iter().map(String::as_str)).collect();
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

    async fn unused_images(
        &self,
        wish: &Wish,
        left: &[&Container],
        usage: &super::DiskUsage,
    ) -> Result<Vec<Goes>, Error> {
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

    async fn prune_network(&self, id: &str) -> Result<Option<u64>, Error> {
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
            return Err(Error::Conflict(format!("{reference} is another image now")));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s033_things_are_read_as_they_are_written_and_nothing_else_is() {
        let id = "a1".repeat(32);
        for text in [
            format!("container:{id}"),
            format!("network:{id}"),
            "volume:data".to_owned(),
            format!("image:sha256:{id}"),
            format!("image:sha256:{id} localhost:5000/a/b:1"),
            "cache:kzvtkb8wbzhfzgd0kr4bcvgzb".to_owned(),
        ] {
            assert_eq!(text.parse::<Thing>().map(|thing| thing.to_string()), Ok(text));
        }
        for text in [
            "",
            "container:web",
            "network:../volumes/x",
            "volume:../x",
            "image:busybox",
            &format!("image:sha256:{id} ../x"),
            &format!("image:sha256:{id} a//b"),
            &format!("image:sha256:{id} a?force=1"),
            "cache:.*",
            "plugin:x",
        ] {
            assert!(text.parse::<Thing>().is_err(), "{text}");
        }
    }

    #[test]
    fn labels_are_asked_for_as_docker_does() {
        let labels = BTreeMap::from([("team".to_owned(), "red".to_owned())]);
        for (text, takes) in [
            ("team", true),
            ("team=red", true),
            ("team=blue", false),
            ("team!=blue", true),
            ("team!=red", false),
            ("!team", false),
            ("tier", false),
        ] {
            assert_eq!(text.parse::<Label>().map(|label| label.takes(&labels)), Ok(takes), "{text}");
        }
        assert!("".parse::<Label>().is_err() && "=x".parse::<Label>().is_err());
    }

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
