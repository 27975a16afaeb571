//! One network: who is on it, at which address and by which names.

use std::{collections::HashMap, sync::Arc};

use askama::Template;
use axum::response::Response;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::Mutex;

use super::json;
use crate::{
    command::echo,
    engine::{Attachment, Container, ContainerId, Network, NetworkId},
    web::{
        Error,
        asker::Can,
        attachment::attachment,
        chrome::Chrome,
        containers::StateMark,
        error::Step,
        extract::{Id, Page},
        filters,
        html::{html, tree},
        order::natural,
        stream::{Fragments, Live, Part},
    },
};

/// Members that are named with their aliases; each is a question to the engine.
const ASKED: usize = 100;
/// How many are asked for at a time.
const AT_ONCE: usize = 8;

/// A container on the network.
struct Member<'a> {
    c: &'a Arc<Container>,
    mark: StateMark,
    at: Attachment,
    aliases: Vec<String>,
}

/// What of the page lives: who is on it.
#[derive(Template)]
#[template(path = "networks/_network.html")]
struct Members<'a> {
    n: &'a Network,
    members: Vec<Member<'a>>,
    running: usize,
    is_scoped: bool,
    can: Can,
    command: String,
}

impl<'a> Members<'a> {
    async fn new(page: &'a Page, n: &'a Network, known: &Aliases) -> Self {
        let all = members(page, n);
        let aliases = known.of(page, n, &all).await;
        let is_podman = page.picture.is_podman();
        let member = |(c, aliases): (&'a Arc<Container>, Vec<String>)| Member {
            mark: StateMark::of(c),
            at: c.networks.iter().find(|at| at.is_on(n, is_podman)).cloned().unwrap_or_default(),
            aliases,
            c,
        };
        Self {
            running: all.iter().filter(|c| c.state.is_up()).count(),
            members: all.into_iter().zip(aliases).map(member).collect(),
            is_scoped: !page.asker.who.scope.is_empty(),
            can: page.can(),
            command: echo::network_inspect(&[&n.name]),
            n,
        }
    }
}

/// That part when the network is gone.
#[derive(Template)]
#[template(
    source = r#"<div id="network"><section class="card"><h1>{{ name }}</h1><p class="say">This network is not there any more.</p><p class="why">It was removed, here or elsewhere.</p><div class="acts"><a class="btn primary" href="/networks">All networks</a></div></section></div>"#,
    ext = "html"
)]
struct Gone<'a> {
    name: &'a str,
}

#[derive(Template)]
#[template(path = "networks/detail.html")]
struct DetailPage<'a> {
    chrome: Chrome,
    n: &'a Network,
    network: String,
    options: Vec<(String, String)>,
    ipam: String,
    tree: String,
    may_reveal: bool,
    is_revealed: bool,
    now: Timestamp,
}

pub(super) fn gone() -> Error {
    Error::not_found("There is no such network.", "It may have been removed, here or elsewhere.")
        .next(Step::link("All networks", "/networks"))
}

/// A network of this page's picture.
pub(super) fn find(page: &Page, id: &NetworkId) -> Result<Arc<Network>, Error> {
    page.picture.networks.get(id).cloned().ok_or_else(gone)
}

/// Those on it, in the order of their names.
pub(super) fn members<'a>(page: &'a Page, network: &Network) -> Vec<&'a Arc<Container>> {
    let mut members = page.picture.members_of(network);
    members.sort_by(|a, b| natural(&a.name, &b.name));
    members
}

/// The further names of containers on a network, as the engine has told them: each container is asked about once, until
/// something of it changes.
#[derive(Default)]
struct Aliases(Mutex<HashMap<ContainerId, Told>>);

/// A container as it was when it was asked about, and what was told.
type Told = (Arc<Container>, Vec<String>);

impl Aliases {
    /// Of each of these, in their order: their own name and id are none.
    async fn of(&self, page: &Page, network: &Network, members: &[&Arc<Container>]) -> Vec<Vec<String>> {
        let is_podman = page.picture.is_podman();
        let mut known = self.0.lock().await;
        known.retain(|_, (was, _)| members.iter().any(|member| Arc::ptr_eq(member, was)));
        // What it is called by its container: podman has another name for its own.
        let called = |member: &&Arc<Container>| {
            let at = member.networks.iter().find(|at| at.is_on(network, is_podman));
            ((*member).clone(), at.map(|at| at.network.clone()).unwrap_or_default())
        };
        let news = members.iter().take(ASKED).filter(|member| !known.contains_key(&member.id));
        let asked: Vec<_> = news.map(called).collect();
        let of = |(member, name): (Arc<Container>, String)| {
            let engine = page.engine.clone();
            async move {
                let detail = engine.containers().get(&member.id).await.ok()?;
                let found = detail.endpoints.iter().find(|endpoint| endpoint.network == name)?;
                let is_further = |alias: &&String| **alias != member.name && **alias != member.id.short();
                let further = found.aliases.iter().filter(is_further).cloned().collect();
                Some((member.id.clone(), (member, further)))
            }
        };
        let told: Vec<_> = stream::iter(asked).map(of).buffered(AT_ONCE).collect().await;
        known.extend(told.into_iter().flatten());
        let further =
            |member: &&Arc<Container>| known.get(&member.id).map(|(_, names)| names.clone()).unwrap_or_default();
        members.iter().map(further).collect()
    }
}

/// `GET /networks/{id}`, with `?reveal=1` with its values.
pub async fn page(Id(id): Id<NetworkId>, page: Page) -> Result<Response, Error> {
    let page = page.revealed().await?;
    let network = find(&page, &id)?;
    let raw = page.engine.networks().inspect(&id).await?;
    // Who asks for JSON is not told the aliases: each is a question to the engine.
    let drawn = if page.wants_json {
        String::new()
    } else {
        html(&Members::new(&page, &network, &Aliases::default()).await)?.0
    };
    let data = || {
        let network = json::Network::new(&network, &members(&page, &network), &page.picture);
        json::NetworkDetail { network, inspect: raw.clone() }
    };
    page.show(data, || {
        let stream = format!("/networks/{id}/stream{}", if page.is_revealed() { "?reveal=1" } else { "" });
        html(&DetailPage {
            chrome: Chrome::new(&page, network.name.clone()).live(&page, &stream),
            network: drawn,
            options: texts(&raw, "/Options"),
            ipam: raw.pointer("/IPAM/Driver").and_then(Value::as_str).unwrap_or_default().to_owned(),
            tree: tree(&raw),
            may_reveal: page.may_reveal(),
            is_revealed: page.is_revealed(),
            now: page.picture.now(),
            n: &network,
        })
    })
}

/// `GET /networks/{id}/stream`
pub async fn stream(Id(id): Id<NetworkId>, live: Live) -> Result<Response, Error> {
    let live = live.revealed().await?;
    let name =
        live.page().picture.networks.get(&id).map_or_else(|| id.short().to_owned(), |network| network.name.clone());
    let known = Arc::new(Aliases::default());
    Ok(live.follow(move |page| {
        let (id, name, known) = (id.clone(), name.clone(), known.clone());
        async move {
            let part = match page.picture.networks.get(&id) {
                None => html(&Gone { name: &name })?,
                Some(network) => html(&Members::new(&page, network, &known).await)?,
            };
            Ok(Fragments { rest: vec![Part { id: "network".into(), html: part.0 }], ..Fragments::default() })
        }
    }))
}

/// The names and texts of a part of the engine's answer.
fn texts(raw: &Value, part: &str) -> Vec<(String, String)> {
    let pair = |(key, value): (&String, &Value)| (key.clone(), value.as_str().unwrap_or_default().to_owned());
    raw.pointer(part).and_then(Value::as_object).into_iter().flatten().map(pair).collect()
}

/// `GET /networks/{id}/inspect.json`
pub async fn raw(Id(id): Id<NetworkId>, page: Page) -> Result<Response, Error> {
    let page = page.revealed().await?;
    let raw = page.engine.networks().inspect(&id).await?;
    let json = serde_json::to_string_pretty(&raw).unwrap_or_default();
    Ok(attachment("application/json", &format!("network-{}.json", id.short()), None, json))
}
