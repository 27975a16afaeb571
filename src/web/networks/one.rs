//! One network: who is on it, at which address and by which names.

use std::sync::Arc;

use askama::Template;
use axum::response::Response;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use serde_json::Value;

use super::json;
use crate::{
    command::echo,
    engine::{Attachment, Container, Network, NetworkId},
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

#[derive(Template)]
#[template(path = "networks/detail.html")]
struct DetailPage<'a> {
    chrome: Chrome,
    n: &'a Network,
    members: Vec<Member<'a>>,
    running: usize,
    is_scoped: bool,
    can: Can,
    command: String,
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

/// The further names of each of these, as the engine tells them: their own name and id are none.
async fn aliases(page: &Page, network: &Network, members: &[&Arc<Container>]) -> Vec<Vec<String>> {
    let is_podman = page.picture.is_podman();
    // What it is called by its container: podman has another name for its own.
    let called = |member: &&Arc<Container>| {
        let at = member.networks.iter().find(|at| at.is_on(network, is_podman));
        ((*member).clone(), at.map(|at| at.network.clone()).unwrap_or_default())
    };
    let asked: Vec<_> = members.iter().take(ASKED).map(called).collect();
    let of = |(member, name): (Arc<Container>, String)| {
        let engine = page.engine.clone();
        async move {
            let detail = engine.containers().get(&member.id).await.ok()?;
            let found = detail.endpoints.iter().find(|endpoint| endpoint.network == name)?;
            let is_further = |alias: &&String| **alias != member.name && **alias != member.id.short();
            Some(found.aliases.iter().filter(is_further).cloned().collect())
        }
    };
    stream::iter(asked).map(of).buffered(AT_ONCE).map(Option::unwrap_or_default).collect().await
}

/// `GET /networks/{id}`, with `?reveal=1` with its values.
pub async fn page(Id(id): Id<NetworkId>, page: Page) -> Result<Response, Error> {
    let page = page.revealed().await?;
    let network = find(&page, &id)?;
    let raw = page.engine.networks().inspect(&id).await?;
    let all = members(&page, &network);
    let aliases = if page.wants_json { Vec::new() } else { aliases(&page, &network, &all).await };
    let is_podman = page.picture.is_podman();
    page.show(
        || json::NetworkDetail { network: json::Network::new(&network, &all, &page.picture), inspect: raw.clone() },
        || {
            let mut aliases = aliases.into_iter();
            let members: Vec<_> = all
                .iter()
                .map(|&c| Member {
                    mark: StateMark::of(c),
                    at: c.networks.iter().find(|at| at.is_on(&network, is_podman)).cloned().unwrap_or_default(),
                    aliases: aliases.next().unwrap_or_default(),
                    c,
                })
                .collect();
            html(&DetailPage {
                chrome: Chrome::new(&page, network.name.clone()),
                running: members.iter().filter(|member| member.c.state.is_up()).count(),
                members,
                is_scoped: !page.asker.who.scope.is_empty(),
                can: page.can(),
                command: echo::network_inspect(&[&network.name]),
                options: texts(&raw, "/Options"),
                ipam: raw.pointer("/IPAM/Driver").and_then(Value::as_str).unwrap_or_default().to_owned(),
                tree: tree(&raw),
                may_reveal: page.may_reveal(),
                is_revealed: page.is_revealed(),
                now: page.picture.now(),
                n: &network,
            })
        },
    )
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
