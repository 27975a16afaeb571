//! The picture as a reach may see it. Drawn once for each version and shared by all who have that reach.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use tokio::sync::watch;

use super::{HIDDEN, Reach, Secrets};
use crate::engine::{
    Container, ContainerId, Disk, DiskUsage, Engine, Event, Image, ImageId, Network, Picture, Scope, Sizes, Usage,
    VolumeName,
};

/// How many reaches' pictures are kept: who comes back to one that is not is drawn a new one.
const KEPT: usize = 64;

/// The pictures of those whose hand ends somewhere.
#[derive(Debug, Default)]
pub struct Views(Mutex<HashMap<Arc<Reach>, Kept>>);

#[derive(Debug)]
struct Kept {
    asked: Instant,
    view: Arc<Mutex<Option<View>>>,
}

#[derive(Debug)]
struct View {
    /// What it was drawn from.
    of: Arc<Picture>,
    shown: Arc<Picture>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Views {
    /// The whole picture as this reach sees it; a newer one where somebody else has seen that already.
    fn of(&self, reach: &Arc<Reach>, whole: Arc<Picture>) -> Arc<Picture> {
        if !reach.is_scoped() && reach.secrets >= Secrets::Masked {
            return whole;
        }
        let slot = self.slot(reach);
        // Others of the same reach wait here for the one drawing.
        let mut view = lock(&slot);
        if let Some(view) = &*view
            && view.of.version >= whole.version
        {
            return view.shown.clone();
        }
        let shown = Arc::new(reach.picture(&whole, view.as_ref()));
        *view = Some(View { of: whole, shown: shown.clone() });
        shown
    }

    fn slot(&self, reach: &Arc<Reach>) -> Arc<Mutex<Option<View>>> {
        let mut all = lock(&self.0);
        if !all.contains_key(reach)
            && all.len() >= KEPT
            && let Some(oldest) = all.iter().min_by_key(|(_, kept)| kept.asked).map(|(reach, _)| reach.clone())
        {
            all.remove(&oldest);
        }
        let kept = all.entry(reach.clone()).or_insert_with(|| Kept { asked: Instant::now(), view: Arc::default() });
        kept.asked = Instant::now();
        kept.view.clone()
    }
}

impl Engine {
    /// The engine as it is now, as far as this reach goes.
    pub fn picture(&self) -> Arc<Picture> {
        self.views.of(&self.reach, self.live.picture())
    }

    /// To follow the picture.
    pub fn watch(&self) -> Watch {
        Watch { engine: self.clone(), changes: self.live.watch() }
    }
}

/// Follows the picture as one reach sees it.
pub struct Watch {
    engine: Engine,
    changes: watch::Receiver<Arc<Picture>>,
}

/// There will be no more pictures: the engine is not followed any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the engine is not followed any more")]
pub struct Ended;

impl Watch {
    /// Waits until there is a picture that was not taken from here yet.
    pub async fn changed(&mut self) -> Result<(), Ended> {
        self.changes.changed().await.map_err(|_| Ended)
    }

    /// The newest picture.
    pub fn picture(&mut self) -> Arc<Picture> {
        let whole = self.changes.borrow_and_update().clone();
        self.engine.views.of(&self.engine.reach, whole)
    }

    /// Whether the engine answers.
    pub fn is_live(&self) -> bool {
        self.changes.borrow().link.is_live()
    }
}

/// What `found` was drawn as, if it is still the `old` one; else what it is drawn as now.
fn again<T>(
    found: &Arc<T>,
    old: Option<(&Arc<T>, Option<&Arc<T>>)>,
    draw: impl FnOnce() -> Option<Arc<T>>,
) -> Option<Arc<T>> {
    match old {
        Some((of, shown)) if Arc::ptr_eq(of, found) => shown.cloned(),
        _ => draw(),
    }
}

impl Reach {
    /// What this reach sees of the whole picture. What has not changed since it was last drawn is taken from there.
    fn picture(&self, whole: &Picture, before: Option<&View>) -> Picture {
        let containers = whole.containers.iter().filter_map(|(id, found)| {
            let old = before.and_then(|view| Some((view.of.containers.get(id)?, view.shown.containers.get(id))));
            let shown = again(found, old, || self.takes(&found.labels).then(|| self.container(found)));
            Some((id.clone(), shown?))
        });
        let volumes = whole.volumes.iter().filter_map(|(name, found)| {
            let old = before.and_then(|view| Some((view.of.volumes.get(name)?, view.shown.volumes.get(name))));
            let shown = again(found, old, || self.takes(&found.labels).then(|| self.volume(found)));
            Some((name.clone(), shown?))
        });
        let containers: BTreeMap<_, _> = containers.collect();
        let networks =
            whole.networks.iter().filter(|(_, found)| self.sees_network(found, &containers, whole.is_podman()));
        let networks = networks.map(|(id, found)| (id.clone(), self.network(found))).collect();
        let events = whole.events.iter().filter(|event| self.hears(event, whole)).map(|event| self.event(event));
        Picture {
            version: whole.version,
            containers,
            volumes: volumes.collect(),
            networks,
            sizes: self.sizes(whole),
            images: self.images(whole, before),
            shared: whole.shared.clone(),
            newer: whole.newer.clone(),
            usage: self.usage(whole),
            disk: self.disk(whole),
            working: self.working(whole),
            events: events.collect(),
            link: whole.link.clone(),
            info: whole.info.as_ref().map(|info| self.info(info)),
            own: whole.own.clone(),
            skew: whole.skew,
        }
    }

    /// Whether it sees a network: one of its own, one that something of its own is on, and the engine's, which are
    /// everybody's.
    fn sees_network(&self, network: &Network, ours: &BTreeMap<ContainerId, Arc<Container>>, is_podman: bool) -> bool {
        let has_ours =
            || ours.values().any(|container| container.networks.iter().any(|at| at.is_on(network, is_podman)));
        self.takes(&network.labels) || network.is_predefined() || has_ours()
    }

    /// The images that carry a label of the scope, and those that containers in it were made of: who looks after a
    /// container has to know what it runs. What is shown of sizes and registries goes by what stands here.
    fn images(&self, whole: &Picture, before: Option<&View>) -> Arc<BTreeMap<ImageId, Arc<Image>>> {
        let used: std::collections::HashSet<&ImageId> = if self.is_scoped() {
            let ours = whole.containers.values().filter(|container| self.takes(&container.labels));
            ours.filter_map(|container| container.image_id.as_ref()).collect()
        } else {
            std::collections::HashSet::new()
        };
        let seen = whole.images.iter().filter(|(id, image)| self.takes(&image.labels) || used.contains(id));
        let drawn = seen.filter_map(|(id, found)| {
            let old = before.and_then(|view| Some((view.of.images.get(id)?, view.shown.images.get(id))));
            let old = old.filter(|(_, shown)| shown.is_some());
            Some((id.clone(), again(found, old, || Some(self.image(found)))?))
        });
        Arc::new(drawn.collect())
    }

    fn sizes(&self, whole: &Picture) -> Sizes {
        if !self.is_scoped() {
            return whole.sizes.clone();
        }
        let of_ours = |name: &&String| {
            let found = name.parse::<VolumeName>().ok().and_then(|name| whole.volumes.get(&name));
            found.is_some_and(|volume| self.takes(&volume.labels))
        };
        let bytes = whole.sizes.bytes.iter().filter(|(name, _)| of_ours(name));
        Sizes {
            bytes: Arc::new(bytes.map(|(name, bytes)| (name.clone(), *bytes)).collect()),
            // It may name a volume of others.
            failed: whole.sizes.failed.as_ref().map(|_| HIDDEN.to_owned()),
            ..whole.sizes.clone()
        }
    }

    fn disk(&self, whole: &Picture) -> Disk {
        let Some(usage) = &whole.disk.usage else { return self.disk_told(&whole.disk, None) };
        let sees = |id: &ContainerId| whole.containers.get(id).is_some_and(|found| self.takes(&found.labels));
        let sees_volume = |name: &VolumeName| whole.volumes.get(name).is_some_and(|found| self.takes(&found.labels));
        let usage = if self.is_scoped() { Arc::new(usage.within(&sees, &sees_volume)) } else { usage.clone() };
        let usage = if self.hides() { Arc::new(usage.redacted()) } else { usage };
        self.disk_told(&whole.disk, Some(usage))
    }

    /// Why measuring failed may name what is of others.
    fn disk_told(&self, disk: &Disk, usage: Option<Arc<DiskUsage>>) -> Disk {
        let told = |why: &String| if self.is_scoped() || self.hides() { HIDDEN.to_owned() } else { why.clone() };
        Disk { usage, failed: disk.failed.as_ref().map(told), ..disk.clone() }
    }

    fn working(&self, whole: &Picture) -> Arc<Vec<Vec<Scope>>> {
        if !self.is_scoped() {
            return whole.working.clone();
        }
        Arc::new(whole.working.iter().filter(|scope| self.takes_work_of(scope)).cloned().collect())
    }

    fn usage(&self, whole: &Picture) -> Arc<Vec<Usage>> {
        if !self.is_scoped() {
            return whole.usage.clone();
        }
        let is_ours = |id: &ContainerId| whole.containers.get(id).is_some_and(|found| self.takes(&found.labels));
        Arc::new(whole.usage.iter().filter(|usage| is_ours(&usage.id)).cloned().collect())
    }

    /// Whether it hears of an event: of what it sees, and of containers that are gone by the labels that their events
    /// carry. What belongs to nobody, images and the engine itself, is for who sees everything.
    pub(in crate::engine) fn hears(&self, event: &Event, whole: &Picture) -> bool {
        let sees = |id: &str| {
            let found = id.parse::<ContainerId>().ok().and_then(|id| whole.containers.get(&id));
            found.map(|found| self.takes(&found.labels))
        };
        if !self.is_scoped() {
            return true;
        }
        match event.kind.as_str() {
            "container" => sees(&event.id).unwrap_or_else(|| {
                // The engine writes its own words over labels of the same names, and those are no labels.
                self.scope.iter().any(|part| !event.is_own_word(part.key()) && part.takes(&event.attributes))
            }),
            "volume" => {
                let found = event.id.parse::<VolumeName>().ok().and_then(|name| whole.volumes.get(&name));
                found.is_some_and(|volume| self.takes(&volume.labels))
            }
            "network" if event.attributes.contains_key("container") => {
                event.attributes.get("container").and_then(|id| sees(id)).unwrap_or_default()
            }
            "network" => {
                let found = event.id.parse().ok().and_then(|id| whole.networks.get(&id));
                found.is_some_and(|network| self.takes(&network.labels))
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn event(kind: &str, id: &str, attributes: &[(&str, &str)]) -> Event {
        let attributes: BTreeMap<String, String> =
            attributes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Event {
            kind: kind.into(),
            action: "start".into(),
            detail: None,
            id: id.into(),
            name: "web".into(),
            attributes,
            at: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    fn red() -> Reach {
        Reach::viewer(vec!["label:team=red".parse().unwrap()])
    }

    #[test]
    fn s041_events_of_others_are_not_heard() {
        let (whole, id) = (Picture::default(), "0a".repeat(32));
        assert!(red().hears(&event("container", &id, &[("team", "red"), ("name", "web")]), &whole));
        assert!(!red().hears(&event("container", &id, &[("team", "blue")]), &whole));
        for kind in ["image", "daemon", "network", "volume", "plugin", "new"] {
            assert!(!red().hears(&event(kind, &id, &[("team", "red")]), &whole), "{kind}");
            assert!(Reach::viewer(vec![]).hears(&event(kind, &id, &[]), &whole), "{kind}");
        }
        // A container called "web" is not one that carries a label called "name".
        let named = Reach::viewer(vec![Scope::Label { key: "name".into(), value: None }]);
        assert!(!named.hears(&event("container", &id, &[("name", "web")]), &whole));
    }

    #[tokio::test]
    async fn one_drawing_serves_all_of_one_reach() {
        let engine = Engine::connect("unix:///nowhere".parse().unwrap()).unwrap();
        let whole = engine.live.picture();
        assert!(Arc::ptr_eq(&engine.within(Arc::new(Reach::admin())).picture(), &whole));
        assert!(Arc::ptr_eq(&engine.within(Arc::new(Reach::operator(vec![]))).picture(), &whole));
        let (one, other) = (engine.within(Arc::new(red())), engine.within(Arc::new(red())));
        engine.close();
        assert!(Arc::ptr_eq(&one.picture(), &other.picture()));
        assert!(!Arc::ptr_eq(&one.picture(), &engine.within(Arc::new(Reach::viewer(vec![]))).picture()));
        for n in 0..KEPT * 2 {
            engine.within(Arc::new(Reach::viewer(vec![Scope::Stack(n.to_string())]))).picture();
        }
        assert_eq!(lock(&engine.views.0).len(), KEPT);
    }
}
