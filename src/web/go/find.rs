//! What is called so, of all that is here: containers, images, volumes, networks, pages, jobs.

use super::{Hit, rights};
use crate::{
    engine::{Container, Image, JobId, Network, Progress, Volume},
    web::{
        SECTIONS, address,
        containers::{self, StateMark},
        extract::Page,
        html::{bytes, count},
        images, jobs, networks,
        order::natural,
        volumes,
    },
};

/// How many of a kind are shown; their list has the others.
pub(super) const SHOWN: usize = 8;

/// Pages that no navigation has, and other words for what is on them.
const PAGES: &[(&str, &str, &str)] = &[
    ("/containers/new", "New container", "run create docker"),
    ("/containers?show=attention", "Containers that need attention", "unhealthy failed problem"),
    ("/images/pull", "Pull an image", "download registry"),
    ("/images/search", "Search Docker Hub", "registry images"),
    ("/images/save", "Save images", "export tar backup"),
    ("/images/load", "Load images", "tar restore"),
    ("/images/import", "Import an image", "tar"),
    ("/images/prune", "Prune images", "unused dangling space"),
    ("/volumes/new", "New volume", "create"),
    ("/volumes/prune", "Prune volumes", "unused space"),
    ("/networks/new", "New network", "create"),
    ("/networks/map", "Who reaches whom", "networks map drawing"),
    ("/networks/ports", "Host ports", "published networks"),
    ("/networks/prune", "Prune networks", "unused"),
    ("/engine/disk", "Disk use", "space df size"),
    ("/engine/prune", "Prune", "system unused space clean"),
    ("/events/search", "Search events", "history past"),
    ("/me", "Your account", "password sessions tokens second factor"),
];

/// What was found of a kind.
pub(super) struct Kind {
    pub word: &'static str,
    pub label: &'static str,
    /// Its list, with the same search; none for what has none.
    pub list: Option<String>,
    pub total: usize,
    pub hits: Vec<Hit>,
}

impl Kind {
    fn new<T>(
        (word, label): (&'static str, &'static str),
        text: &str,
        found: impl Iterator<Item = T>,
        hit: impl FnMut(T) -> Hit,
    ) -> Self {
        let lower = text.to_lowercase();
        let mut hits: Vec<Hit> = found.map(hit).collect();
        // What is called so comes before what only has to do with it.
        hits.sort_by(|a, b| {
            let is_named = |hit: &Hit| hit.name.to_lowercase().contains(&lower);
            is_named(b).cmp(&is_named(a)).then_with(|| natural(&a.name, &b.name)).then_with(|| a.path.cmp(&b.path))
        });
        Self::of((word, label), text, hits)
    }

    fn of((word, label): (&'static str, &'static str), text: &str, mut hits: Vec<Hit>) -> Self {
        let total = hits.len();
        hits.truncate(SHOWN);
        Self { word, label, list: Some(address::address(&format!("/{word}"), [("q", text)])), total, hits }
    }
}

fn container(it: &Container) -> Hit {
    let mark = Some(StateMark::of(it));
    Hit { mark, ..Hit::new(it.name.clone(), format!("/containers/{}", it.id), it.image.clone()) }
}

fn image(it: &Image) -> Hit {
    let about = match it.tags.len() {
        0 => format!("dangling, {}", bytes(it.size)),
        1 => bytes(it.size),
        tags => format!("and {}, {}", count(tags - 1, "more tag"), bytes(it.size)),
    };
    Hit::new(it.name().to_owned(), format!("/images/{}", it.id), about)
}

fn volume(it: &Volume) -> Hit {
    Hit::new(it.name.to_string(), format!("/volumes/{}", it.name), it.driver.clone())
}

fn network(it: &Network) -> Hit {
    let ranges = it.ranges.iter().map(|range| range.subnet.as_str());
    let about = [it.driver.as_str()].into_iter().chain(ranges).collect::<Vec<_>>().join(", ");
    Hit::new(it.name.clone(), format!("/networks/{}", it.id), about)
}

fn job((id, job): (JobId, Progress)) -> Hit {
    Hit::new(job.title, format!("/jobs/{id}"), job.command)
}

/// The pages that somebody may open and that are called so; all of the navigation where nothing is said.
fn pages(page: &Page, text: &str) -> Kind {
    let has = |words: &str| words.to_lowercase().contains(&text.to_lowercase());
    let sections =
        SECTIONS.iter().filter(|section| page.may(section.right)).map(|section| (section.path, section.label));
    let of_nav: Vec<_> = sections.filter(|(_, label)| has(label)).map(|(path, label)| (path, label, "")).collect();
    let others = PAGES.iter().filter(|(path, ..)| rights::may(page, path));
    let others = others.filter(|(_, label, words)| !text.is_empty() && (has(label) || has(words))).copied();
    let hit = |(path, label, _): (&str, &str, &str)| Hit::new(label.to_owned(), path.to_owned(), String::new());
    let hits: Vec<Hit> = of_nav.into_iter().chain(others).map(hit).collect();
    Kind { word: "pages", label: "Pages", list: None, total: hits.len(), hits }
}

/// All that is called so, a kind each; none of a kind where nothing is.
pub(super) fn all(page: &Page, text: &str) -> Vec<Kind> {
    let (picture, lower) = (&page.picture, text.to_lowercase());
    if text.is_empty() {
        return vec![pages(page, text)];
    }
    let containers = picture.containers.values().filter(|it| containers::finds(it, &lower));
    let images = picture.images.values().filter(|it| images::finds(it, &lower));
    let volumes = picture.volumes.values().filter(|it| volumes::finds(it, &lower));
    let networks = picture.networks.values().filter(|it| networks::finds(it, &lower));
    // The newest first, as they come.
    let jobs = page.engine.jobs().list().into_iter().map(|job| (job.id, job.progress()));
    let jobs = jobs.filter(|(_, it)| jobs::finds(it, &lower)).map(job).collect();
    let kinds = [
        Kind::new(("containers", "Containers"), text, containers, |it| container(it)),
        Kind::new(("images", "Images"), text, images, |it| image(it)),
        Kind::new(("volumes", "Volumes"), text, volumes, |it| volume(it)),
        Kind::new(("networks", "Networks"), text, networks, |it| network(it)),
        pages(page, text),
        Kind::of(("jobs", "Jobs"), text, jobs),
    ];
    kinds.into_iter().filter(|kind| kind.total > 0).collect()
}
