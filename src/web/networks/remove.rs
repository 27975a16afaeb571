//! Removing and pruning networks. What goes is shown before, that list is acted on, and the result after.

use std::{sync::Arc, time::Duration};

use crate::web::filters;
use askama::Template;
use axum::{http::StatusCode, response::Response};

use super::{
    json,
    one::{find, gone, members},
};
use crate::{
    command::echo,
    engine::{Container, Error as EngineError, Network, NetworkId, Picture, Stage},
    web::{
        Error,
        chrome::Chrome,
        deed::Deed,
        error::Step,
        extract::{Fields, Id, Page, Query},
        html::{count, html},
    },
};

/// How long a prune is waited for before its page is shown instead.
const PATIENCE: Duration = Duration::from_secs(3);
/// Members that a refusal names with a link.
const NAMED: usize = 5;

#[derive(Template)]
#[template(path = "networks/remove.html")]
struct RemovePage<'a> {
    chrome: Chrome,
    n: &'a Network,
    running: Vec<&'a Arc<Container>>,
    stopped: Vec<&'a Arc<Container>>,
    command: String,
    back: &'a str,
}

/// Why nobody removes the networks that the engine made itself.
fn predefined(network: &Network) -> Error {
    Error::new(
        StatusCode::FORBIDDEN,
        format!("The network {} was not removed.", network.name),
        "It is a predefined network: the engine made it itself and cannot be without it. Containers that are not told otherwise are put into bridge; host and none are what their names say.",
    )
    .next(Step::link("All networks", "/networks"))
}

/// `GET /networks/{id}/remove`
pub async fn confirm(Id(id): Id<NetworkId>, page: Page, Query(query): Query) -> Result<Response, Error> {
    let network = find(&page, &id)?;
    if network.is_predefined() {
        return Err(predefined(&network));
    }
    let command = echo::network_rm(&[&network.name]);
    let all = members(&page, &network);
    page.show(
        || json::Plan {
            command: command.clone(),
            goes: vec![json::Network::new(&network, &all, &page.picture)],
            stays: Vec::new(),
        },
        || {
            let (running, stopped) = all.iter().partition(|member| member.state.is_up());
            html(&RemovePage {
                chrome: Chrome::new(&page, format!("Remove {}", network.name)),
                running,
                stopped,
                command: command.clone(),
                back: query.back("/networks"),
                n: &network,
            })
        },
    )
}

/// `POST /networks/{id}/remove`
pub async fn remove(Id(id): Id<NetworkId>, page: Page, fields: Fields) -> Result<Response, Error> {
    let network = find(&page, &id)?;
    if network.is_predefined() {
        return Err(predefined(&network));
    }
    let command = echo::network_rm(&[&network.name]);
    let deed = Deed::new("network.remove", "network", id.to_string(), network.name.clone(), &command);
    let (engine, of) = (page.engine.clone(), id.clone());
    match page.does(deed, async move { engine.networks().remove(&of).await }).await? {
        Ok(()) => {
            tracing::info!(network = %id, command, "removed");
            let back = fields.back("/networks");
            let to = if back.starts_with(&format!("/networks/{id}")) { "/networks" } else { back };
            page.done(&format!("The network {} was removed.", network.name), &command, to)
        }
        Err(EngineError::NotFound(_)) => Err(gone()),
        Err(error) => Err(in_use(error, &network, &page.fresh().picture)),
    }
}

/// A refusal, with the containers that block it (S079).
fn in_use(error: EngineError, network: &Network, picture: &Picture) -> Error {
    let is_conflict = matches!(error, EngineError::Conflict(_));
    let told = Error::from(error).what(format!("The network {} was not removed.", network.name));
    let is_podman = picture.is_podman();
    // Podman keeps it for stopped containers, too.
    let blocks = |member: &&Arc<Container>| is_podman || member.state.is_up();
    let members: Vec<_> = picture.members_of(network).into_iter().filter(blocks).collect();
    if !is_conflict {
        return told;
    }
    if members.is_empty() {
        return told.conflict().why("Something is on it that is not among what you look after, or on another host.");
    }
    let names: Vec<String> = members.iter().take(20).map(|c| format!("{} ({})", c.name, c.state)).collect();
    let why = format!("On it: {}. Disconnect them first, or stop them.", names.join(", "));
    members.iter().take(NAMED).fold(told.conflict().why(why), |told, member| {
        let leave = format!("/networks/disconnect?network={}&container={}", network.id, member.id);
        told.next(Step::link(format!("Open {}", member.name), format!("/containers/{}", member.id)))
            .next(Step::link(format!("Disconnect {}…", member.name), leave))
    })
}

/// A network in the list of what goes or stays.
struct Item {
    n: Arc<Network>,
    stopped: Vec<String>,
}

#[derive(Template)]
#[template(path = "networks/prune.html")]
struct PrunePage {
    chrome: Chrome,
    all: bool,
    unused: usize,
    idle: usize,
    goes: Vec<Item>,
    stays: Vec<Item>,
    in_use: usize,
    command: String,
}

/// The networks that no running container is on, split into what would go and what would stay: one that a stopped
/// container has goes only with `all`.
fn idle(page: &Page, all: bool) -> (Vec<&Arc<Network>>, Vec<&Arc<Network>>) {
    let members = page.picture.members_of_networks();
    let of = |network: &Network| members.get(&network.id).map(Vec::as_slice).unwrap_or_default();
    let is_podman = page.picture.is_podman();
    let is_idle = |network: &&Arc<Network>| {
        let is_ours = page.engine.reach().takes(&network.labels);
        let is_free = !of(network).iter().any(|member| member.state.is_up());
        is_ours && is_free && !network.is_predefined() && !network.config_only && !network.ingress
    };
    // Podman never removes one that a stopped container has.
    let goes = |network: &&Arc<Network>| of(network).is_empty() || all && !is_podman;
    page.picture.networks.values().filter(is_idle).partition(goes)
}

fn command(all: bool, goes: &[&Arc<Network>]) -> String {
    let names: Vec<&str> = goes.iter().map(|network| network.name.as_str()).collect();
    if all || names.is_empty() { echo::network_prune() } else { echo::network_rm(&names) }
}

/// `GET /networks/prune`: exactly what would go.
pub async fn confirm_prune(page: Page, Query(query): Query) -> Result<Response, Error> {
    let (picture, all) = (&page.picture, query.is_set("all"));
    let (goes, stays) = idle(&page, all);
    let of = |network: &Network| picture.members_of(network);
    let items = |networks: &[&Arc<Network>]| {
        let names = |network: &Network| of(network).iter().map(|member| member.name.clone()).collect();
        networks.iter().map(|&n| Item { n: n.clone(), stopped: names(n) }).collect()
    };
    let data = |networks: &[&Arc<Network>]| {
        networks.iter().map(|network| json::Network::new(network, &of(network), picture)).collect()
    };
    page.show(
        || json::Plan { command: command(all, &goes), goes: data(&goes), stays: data(&stays) },
        || {
            let total = goes.len() + stays.len();
            html(&PrunePage {
                chrome: Chrome::new(&page, "Prune networks"),
                all,
                unused: goes.iter().chain(&stays).filter(|network| of(network).is_empty()).count(),
                idle: total,
                goes: items(&goes),
                stays: items(&stays),
                in_use: picture.networks.len() - total,
                command: command(all, &goes),
            })
        },
    )
}

/// `POST /networks/prune`: removes the networks of the list that was shown, `id` repeated, and no other. One
/// that somebody has joined meanwhile stays, and the result, a job's page, says so.
pub async fn prune(page: Page, fields: Fields) -> Result<Response, Error> {
    let all = fields.is_set("all");
    let ids: Result<Vec<NetworkId>, _> = fields.all("id").map(str::parse).collect();
    let ids = ids.map_err(|why| {
        Error::of_fields(StatusCode::UNPROCESSABLE_ENTITY, "That is not a network.", [("id", format!("{why}."))])
    })?;
    if ids.is_empty() && !fields.is_set("listed") {
        return Err(Error::blind("id", "/networks/prune"));
    }
    let found: Vec<_> = ids.iter().filter_map(|id| page.picture.networks.get(id)).collect();
    let line = command(all, &found);
    let deed = |id: &NetworkId| {
        let name = page.picture.networks.get(id).map_or_else(|| id.short().to_owned(), |found| found.name.clone());
        Deed::new("network.remove", "network", id.to_string(), name.clone(), &echo::network_rm(&[&name]))
    };
    let asked = page.asks_all(ids.iter().map(deed).collect()).await?;
    let job = page.engine.jobs().remove_networks(ids, all, line)?;
    asked.follow(job.clone());
    let path = format!("/jobs/{}", job.id);
    let ended = tokio::time::timeout(PATIENCE, job.ended()).await;
    if let Ok(progress) = &ended
        && let Stage::Failed { error, .. } = &progress.stage
    {
        let (failed, total) = (progress.failures(), progress.parts.len());
        let why = progress.parts.iter().filter_map(|part| {
            let error = part.result.as_ref()?.as_ref().err()?;
            Some(format!("{}: {}", part.name, Error::from(error.clone()).reason()))
        });
        let why = why.take(20).collect::<Vec<_>>().join(" ");
        let told = Error::from(error.clone()).what(format!("{failed} of {} stayed.", count(total, "network"))).why(why);
        return Err(told.next(Step::link("How each ended", path)));
    }
    Ok(page.begun(&job))
}
