//! One container: what it is, why, what each next step does, and everything that the engine knows of it.

use std::sync::Arc;

use crate::web::filters;
use askama::Template;
use axum::response::Response;
use jiff::Timestamp;
use serde_json::Value;

use super::{
    StateMark,
    frame::{Frame, Tab, Tabs, can, find},
    json,
    row::{PortLink, Way, ways},
    words,
};
use crate::{
    command::echo,
    engine::{Container, ContainerId, Detail, Endpoint, Event, NetworkId, State, Verb, root_on_host},
    web::{
        Error,
        asker::Can,
        attachment::attachment,
        chrome::Chrome,
        extract::{Id, Page},
        html::{Moment, bytes, html},
        stream::{Fragments, Live, Part},
    },
};

/// Health checks that are shown.
const CHECKS: usize = 5;
/// Events that are shown; the history has all.
const PAST: usize = 12;

/// Everything that changes on the page, as one part: it is small, and morphing touches only what differs.
#[derive(Template)]
#[template(path = "containers/_detail.html")]
struct Summary<'a> {
    c: &'a Container,
    d: &'a Detail,
    mark: StateMark,
    say: String,
    why: Vec<String>,
    ways: Vec<Way>,
    command: Way,
    ports: Vec<PortLink>,
    networks: Vec<(&'a Endpoint, Option<NetworkId>)>,
    may_join: bool,
    policy: (String, &'static str),
    limits: Vec<String>,
    checks: Vec<&'a crate::engine::Check>,
    past: Vec<(String, Arc<Event>)>,
    life: Life,
    now: Timestamp,
    is_own: bool,
    can: Can,
    may_reveal: bool,
    is_revealed: bool,
    secrets: usize,
    on_host: Vec<&'static str>,
    tabs: Tabs<'a>,
}

#[derive(Template)]
#[template(path = "containers/detail.html")]
struct DetailPage<'a> {
    chrome: Chrome,
    name: &'a str,
    summary: Summary<'a>,
}

#[derive(Template)]
#[template(path = "containers/inspect.html")]
struct InspectPage<'a> {
    chrome: Chrome,
    c: &'a Container,
    frame: Frame<'a>,
    tree: String,
    raw: String,
    may_reveal: bool,
    is_revealed: bool,
}

/// The id of the network of this name that a container is on.
fn network(page: &Page, c: &Container, name: &str) -> Option<NetworkId> {
    let at = c.networks.iter().find(|at| at.network == name)?;
    page.picture.network_at(at).map(|network| network.id.clone())
}

/// A part of the page when the container is gone.
#[derive(Template)]
#[template(
    source = r#"<div id="detail"><section class="card"><h1>{{ name }}</h1><p class="say">This container is not there any more.</p><p class="why">It was removed, here or elsewhere.</p><div class="acts"><a class="btn primary" href="/containers">All containers</a></div></section></div>"#,
    ext = "html"
)]
struct Gone<'a> {
    name: &'a str,
}

/// The drawing of the life cycle: which state this one is in, and which ways lead on.
pub struct Life {
    here: &'static str,
    verbs: &'static [Verb],
}

impl Life {
    fn of(container: &Container, on_podman: bool) -> Self {
        let here = match container.state {
            State::Created => "created",
            State::Running => "running",
            State::Paused => "paused",
            State::Restarting => "restarting",
            State::Removing => "removing",
            State::Exited => "exited",
            State::Dead => "dead",
            State::Unknown(_) => "",
        };
        Self { here, verbs: container.state.verbs(on_podman) }
    }

    /// ` here` for the state that it is in.
    fn node(&self, name: &str) -> &'static str {
        if self.here == name { " here" } else { "" }
    }

    /// Whether a way from one of these states is open.
    fn open(&self, from: &str, verb: &str) -> bool {
        self.here == from && self.verbs.iter().any(|possible| possible.word() == verb)
    }
}

impl<'a> Summary<'a> {
    fn seconds(&self, since: impl Moment) -> i64 {
        self.now.duration_since(since.moment()).as_secs().max(0)
    }

    fn new(page: &'a Page, c: &'a Container, d: &'a Detail) -> Self {
        let (first, more) = ways(c, page);
        let mut ways: Vec<Way> = first.into_iter().chain(more).collect();
        ways.sort_by_key(|way| (way.verb.asks(), way.verb == Verb::Remove));
        let command =
            ways.first().cloned().unwrap_or_else(|| Way { verb: Verb::Start, command: echo::inspect(&[&c.name]) });
        let now = page.picture.now();
        let limit = |what: &str, value: Option<String>| value.map(|value| format!("{value} {what}"));
        let limits = [
            limit("memory", d.limits.memory.map(bytes)),
            limit(
                "CPUs",
                d.limits
                    .nano_cpus
                    .map(|nano| format!("{}.{:02}", nano / 1_000_000_000, nano % 1_000_000_000 / 10_000_000)),
            ),
            limit("processes", d.limits.pids.map(|pids| pids.to_string())),
        ];
        Self {
            mark: StateMark::of(c),
            say: words::say(c, d, now),
            why: words::why(c, d, &page.picture),
            command,
            ports: PortLink::all(c, &page.host),
            networks: d.endpoints.iter().map(|endpoint| (endpoint, network(page, c, &endpoint.network))).collect(),
            may_join: page.can().operate
                && c.network_of.is_none()
                && !d.endpoints.iter().any(|at| at.network == "host"),
            policy: words::restart_policy(&d.restart_policy),
            limits: limits.into_iter().flatten().collect(),
            checks: d.checks.iter().rev().take(CHECKS).collect(),
            past: page
                .engine
                .history(&c.id)
                .into_iter()
                .take(PAST)
                .map(|event| (words::event(&event), event))
                .collect(),
            life: Life::of(c, page.picture.is_podman()),
            now,
            is_own: page.picture.is_own(c),
            can: can(page, c),
            secrets: d.env.iter().filter(|var| var.looks_secret()).count(),
            on_host: root_on_host(c, &page.picture, Some(d)),
            tabs: Tabs::new(page, c, Tab::Summary),
            may_reveal: page.may_reveal(),
            is_revealed: page.is_revealed(),
            ways,
            c,
            d,
        }
    }
}

/// `GET /containers/{id}`, with `?reveal=1` with its values.
pub async fn page(Id(id): Id<ContainerId>, page: Page) -> Result<Response, Error> {
    let page = page.revealed().await?;
    let container = find(&page, &id)?;
    let detail = page.engine.containers().get(&id).await?;
    let data = || json::ContainerDetail::new(&page, &container, &detail);
    page.show(data, || {
        let stream = format!("/containers/{id}/stream{}", if page.is_revealed() { "?reveal=1" } else { "" });
        html(&DetailPage {
            chrome: Chrome::new(&page, container.name.clone()).live(&page, &stream),
            name: &container.name,
            summary: Summary::new(&page, &container, &detail),
        })
    })
}

/// `GET /containers/{id}/stream`
pub async fn stream(Id(id): Id<ContainerId>, live: Live) -> Result<Response, Error> {
    let live = live.revealed().await?;
    let name = live
        .page()
        .picture
        .containers
        .get(&id)
        .map_or_else(|| id.short().to_owned(), |container| container.name.clone());
    Ok(live.follow(move |page| {
        let (id, name) = (id.clone(), name.clone());
        async move {
            let part = match page.picture.containers.get(&id) {
                None => html(&Gone { name: &name })?,
                Some(container) => {
                    let detail = page.engine.containers().get(&id).await?;
                    html(&Summary::new(&page, container, &detail))?
                }
            };
            Ok(Fragments { rest: vec![Part { id: "detail".into(), html: part.0 }], ..Fragments::default() })
        }
    }))
}

/// `GET /containers/{id}/inspect`: everything, as a tree to unfold and as JSON.
pub async fn inspect(Id(id): Id<ContainerId>, page: Page) -> Result<Response, Error> {
    let page = page.revealed().await?;
    let container = find(&page, &id)?;
    let detail = page.engine.containers().get(&id).await?;
    let data = || detail.raw.clone();
    page.show(data, || {
        let frame = Frame::new(&page, &container, Tab::Inspect, echo::inspect(&[&container.name]));
        html(&InspectPage {
            chrome: frame.chrome(&page),
            frame,
            tree: super::super::html::tree(&detail.raw),
            raw: pretty(&detail.raw),
            may_reveal: page.may_reveal(),
            is_revealed: page.is_revealed(),
            c: &container,
        })
    })
}

/// `GET /containers/{id}/inspect.json`: as a file.
pub async fn raw(Id(id): Id<ContainerId>, page: Page) -> Result<Response, Error> {
    let page = page.revealed().await?;
    let detail = page.engine.containers().get(&id).await?;
    Ok(attachment("application/json", &format!("container-{}.json", id.short()), None, pretty(&detail.raw)))
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
