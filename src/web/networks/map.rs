//! Who reaches whom: a picture, drawn here, and a table that says the same.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use askama::Template;
use axum::response::Response;

use super::{drawing::Drawing, json};
use crate::{
    command::echo,
    engine::{Container, ContainerId, Network, NetworkId, Picture},
    web::{
        Error, address,
        answer::List,
        chrome::Chrome,
        containers::{PortLink, StateMark},
        extract::{Fields, Page, Query},
        filters,
        html::html,
        order::natural,
        stream::{Fragments, Live, Part},
    },
};

/// Containers that are drawn, and rows on a page of the table.
pub(super) const MOST: usize = 100;
/// Networks that are drawn.
const MOST_NETWORKS: usize = 40;
/// Others that a row names.
const NAMED: usize = 8;
/// Stacks to narrow by.
const STACKS: usize = 12;

/// What is looked at.
#[derive(Clone)]
struct View {
    all: bool,
    stack: Option<String>,
    page: usize,
}

impl View {
    fn parse(query: &Fields) -> Self {
        Self { all: query.is_set("all"), stack: query.text("stack").map(str::to_owned), page: query.page() }
    }

    fn path(&self, base: &str) -> String {
        let (stack, page) = (self.stack.as_deref().unwrap_or_default(), address::page(self.page));
        address::address(base, [("all", address::tick(self.all)), ("stack", stack), ("page", &page)])
    }

    fn takes(&self, container: &Container) -> bool {
        (self.all || container.state.is_up())
            && self.stack.as_deref().is_none_or(|stack| container.stack() == Some(stack))
    }
}

/// A network that a container is on, and its address there.
type On<'a> = (&'a Arc<Network>, String);

/// A container, and what it is on.
pub(super) struct Stop<'a> {
    pub c: &'a Arc<Container>,
    pub mark: StateMark,
    /// Its networks, with its address on each.
    pub networks: Vec<On<'a>>,
    /// Whose networks it uses, where it has none of its own.
    pub of: Option<&'a Arc<Container>>,
    pub ports: Vec<PortLink>,
}

impl Stop<'_> {
    fn is_on_host(&self) -> bool {
        self.networks.iter().any(|(network, _)| network.driver == "host")
    }

    /// Whether it reaches the world outside.
    fn reaches_outside(&self) -> bool {
        self.networks.iter().any(|(network, _)| !network.internal && network.driver != "null")
    }
}

/// All containers that are looked at, with those whose networks they share together.
pub(super) struct Ground<'a> {
    pub stops: Vec<Stop<'a>>,
    /// In the order of their names; only those that something is on.
    pub networks: Vec<&'a Arc<Network>>,
    members: HashMap<&'a NetworkId, Vec<&'a Arc<Container>>>,
}

/// Which networks a container is on: its own, or those of the one that it stands beside.
fn networks_of<'a>(
    c: &'a Arc<Container>,
    picture: &'a Picture,
    known: &BTreeMap<&str, Vec<&'a Arc<Network>>>,
) -> (Vec<On<'a>>, Option<&'a Arc<Container>>) {
    let of = c.network_of.as_ref().and_then(|id| picture.containers.get(&id.parse::<ContainerId>().ok()?));
    let is_podman = picture.is_podman();
    let mut found: Vec<_> = of
        .unwrap_or(c)
        .networks
        .iter()
        .filter_map(|at| {
            let name = if is_podman && at.network == "podman" { "bridge" } else { &at.network };
            let network = known.get(name)?.iter().find(|network| at.is_on(network, is_podman))?;
            let address = [&at.ipv4, &at.ipv6].into_iter().filter(|text| !text.is_empty()).cloned();
            Some((*network, address.collect::<Vec<_>>().join(" ")))
        })
        .collect();
    found.sort_by(|(a, _), (b, _)| natural(&a.name, &b.name));
    (found, of)
}

impl<'a> Ground<'a> {
    fn new(page: &'a Page, view: &View) -> Self {
        let picture = &page.picture;
        let mut known: BTreeMap<&str, Vec<&Arc<Network>>> = BTreeMap::new();
        for network in picture.networks.values() {
            known.entry(&network.name).or_default().push(network);
        }
        let stop = |c: &'a Arc<Container>| {
            let (networks, of) = networks_of(c, picture, &known);
            Stop { mark: StateMark::of(c), ports: PortLink::all(c, &page.host), networks, of, c }
        };
        let mut stops: Vec<Stop> = picture.containers.values().filter(|c| view.takes(c)).map(stop).collect();
        let names = |stop: &Stop| -> Vec<String> { stop.networks.iter().map(|(n, _)| n.name.to_lowercase()).collect() };
        stops.sort_by_cached_key(|stop| (names(stop).is_empty(), names(stop), stop.c.name.to_lowercase()));
        let mut networks: BTreeMap<&NetworkId, &Arc<Network>> = BTreeMap::new();
        let mut members: HashMap<&NetworkId, Vec<_>> = HashMap::new();
        for stop in &stops {
            for (network, _) in &stop.networks {
                networks.insert(&network.id, network);
                if network.connects() && stop.c.state.is_up() {
                    members.entry(&network.id).or_default().push(stop.c);
                }
            }
        }
        let mut networks: Vec<_> = networks.into_values().collect();
        networks.sort_by(|a, b| natural(&a.name, &b.name));
        Self { stops, networks, members }
    }

    /// The others that a container reaches: who runs beside it on a network.
    fn reaches(&self, stop: &Stop<'_>) -> Vec<&'a Arc<Container>> {
        if !stop.c.state.is_up() {
            return Vec::new();
        }
        let mut seen = BTreeSet::new();
        let beside = stop.networks.iter().filter_map(|(network, _)| self.members.get(&network.id)).flatten();
        let mut found: Vec<_> =
            beside.filter(|other| other.id != stop.c.id && seen.insert(&other.id)).copied().collect();
        found.sort_by(|a, b| natural(&a.name, &b.name));
        found
    }
}

struct Row<'a> {
    s: &'a Stop<'a>,
    reaches: Vec<&'a Arc<Container>>,
    more: usize,
    outside: &'static str,
}

#[derive(Template)]
#[template(path = "networks/_map.html")]
struct Map<'a> {
    rows: Vec<Row<'a>>,
    drawing: Option<Drawing<'a>>,
    containers: usize,
    networks: usize,
    chips: Vec<(String, String, bool)>,
    stacks: Vec<(String, &'a str, bool)>,
    previous: Option<String>,
    next: Option<String>,
    first: usize,
    last: usize,
    is_known: bool,
}

impl<'a> Map<'a> {
    fn new(page: &'a Page, view: &View, ground: &'a Ground<'a>) -> Self {
        let skip = (view.page - 1).saturating_mul(MOST);
        let rows: Vec<_> = ground
            .stops
            .iter()
            .skip(skip)
            .take(MOST)
            .map(|s| {
                let all = ground.reaches(s);
                let outside = match (s.c.state.is_up(), s.is_on_host(), s.reaches_outside()) {
                    (false, ..) => "does not run",
                    (_, true, _) => "as the host itself",
                    (_, _, true) => "yes",
                    _ => "no",
                };
                let more = all.len().saturating_sub(NAMED);
                Row { s, reaches: all.into_iter().take(NAMED).collect(), more, outside }
            })
            .collect();
        let fits = ground.stops.len() <= MOST && ground.networks.len() <= MOST_NETWORKS;
        let number = |all: bool| {
            let other = View { all, ..view.clone() };
            page.picture.containers.values().filter(|c| other.takes(c)).count()
        };
        let chip = |all: bool, label: &str| {
            let path = View { all, page: 1, ..view.clone() }.path("/networks/map");
            (path, format!("{label} {}", number(all)), view.all == all)
        };
        let stacks: BTreeSet<&str> = page.picture.containers.values().filter_map(|c| c.stack()).collect();
        let to_stack = |stack: &'a str| {
            let is_here = view.stack.as_deref() == Some(stack);
            let stack_of = (!is_here).then(|| stack.to_owned());
            (View { stack: stack_of, page: 1, ..view.clone() }.path("/networks/map"), stack, is_here)
        };
        let turned = |page: usize| View { page, ..view.clone() }.path("/networks/map");
        Self {
            drawing: (fits && !ground.stops.is_empty()).then(|| Drawing::new(ground)),
            containers: ground.stops.len(),
            networks: ground.networks.len(),
            chips: vec![chip(false, "Running"), chip(true, "All")],
            stacks: stacks.into_iter().take(STACKS).map(to_stack).collect(),
            previous: (view.page > 1).then(|| turned(view.page - 1)),
            next: (skip + rows.len() < ground.stops.len()).then(|| turned(view.page + 1)),
            first: (skip + 1).min(ground.stops.len()),
            last: skip + rows.len(),
            is_known: page.picture.info.is_some(),
            rows,
        }
    }
}

#[derive(Template)]
#[template(path = "networks/map.html")]
struct MapPage<'a> {
    chrome: Chrome,
    command: String,
    map: Map<'a>,
}

fn data(view: &View, ground: &Ground<'_>) -> List<json::Reaching> {
    let one = |stop: &Stop<'_>| json::Reaching {
        id: stop.c.id.to_string(),
        name: stop.c.name.clone(),
        state: stop.c.state.to_string(),
        networks: stop.networks.iter().map(|(network, _)| network.name.clone()).collect(),
        reaches: ground.reaches(stop).iter().map(|other| other.name.clone()).collect(),
        published: stop.ports.iter().map(|port| port.text.clone()).collect(),
        outside: stop.c.state.is_up() && stop.reaches_outside(),
    };
    let total = ground.stops.len();
    List {
        items: ground.stops.iter().skip((view.page - 1).saturating_mul(MOST)).take(MOST).map(one).collect(),
        total,
        page: view.page,
        pages: total.div_ceil(MOST).max(1),
    }
}

/// `GET /networks/map`
pub async fn page(page: Page, Query(query): Query) -> Result<Response, Error> {
    let view = View::parse(&query);
    let ground = Ground::new(&page, &view);
    page.show(
        || data(&view, &ground),
        || {
            html(&MapPage {
                chrome: Chrome::new(&page, "Who reaches whom").live(&page, &view.path("/networks/map/stream")),
                command: echo::network_inspect(&["$(docker network ls -q)"]).replace('\'', ""),
                map: Map::new(&page, &view, &ground),
            })
        },
    )
}

/// `GET /networks/map/stream`
pub async fn stream(live: Live, Query(query): Query) -> Response {
    let view = View::parse(&query);
    live.follow(move |page| {
        let ground = Ground::new(&page, &view);
        let drawn = html(&Map::new(&page, &view, &ground));
        let fragments =
            drawn.map(|html| Fragments { rest: vec![Part { id: "map".into(), html: html.0 }], ..Fragments::default() });
        async { fragments }
    })
}
