//! Putting a container into a network, and taking it out.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, Response},
};

use super::{
    create::{Wrong, by_field, wrong_with},
    json,
    one::{find, gone},
};
use crate::{
    command::echo,
    engine::{Container, ContainerId, Error as EngineError, Joining, Network, NetworkId},
    web::{
        Error,
        chrome::Chrome,
        deed::Deed,
        error::Step,
        extract::{Fields, Page, Query},
        filters,
        html::html,
        order::natural,
    },
};

#[derive(Template)]
#[template(path = "networks/connect.html")]
struct ConnectPage<'a> {
    chrome: Chrome,
    fields: &'a Fields,
    network: Option<Arc<Network>>,
    container: Option<Arc<Container>>,
    /// Those that can be chosen.
    networks: Vec<&'a Arc<Network>>,
    containers: Vec<&'a Arc<Container>>,
    command: String,
    errors: Vec<Wrong>,
    back: &'a str,
}

impl ConnectPage<'_> {
    fn value(&self, field: &str) -> &str {
        self.fields.get(field).unwrap_or_default()
    }

    fn is_network(&self, one: &Network) -> bool {
        self.network.as_ref().is_some_and(|chosen| chosen.id == one.id)
    }

    fn is_container(&self, one: &Container) -> bool {
        self.container.as_ref().is_some_and(|chosen| chosen.id == one.id)
    }

    fn aliases(&self) -> String {
        self.fields.all("alias").collect::<Vec<_>>().join(", ")
    }

    fn wrong(&self, field: &str) -> Option<&Wrong> {
        wrong_with(&self.errors, field)
    }
}

/// What a form asks for, and what is wrong with it.
struct Asked {
    network: Option<Arc<Network>>,
    container: Option<Arc<Container>>,
    joining: Joining,
    errors: Vec<Wrong>,
}

impl Asked {
    fn command(&self) -> String {
        let name = self.network.as_ref().map_or("NETWORK", |network| &network.name);
        let container = self.container.as_ref().map_or("CONTAINER", |container| &container.name);
        let aliases: Vec<&str> = self.joining.aliases.iter().map(String::as_str).collect();
        let text = |address: Option<IpAddr>| address.map(|address| address.to_string());
        let (ipv4, ipv6) = (text(self.joining.ipv4), text(self.joining.ipv6));
        echo::network_connect(name, container, &aliases, ipv4.as_deref(), ipv6.as_deref())
    }
}

fn read(page: &Page, fields: &Fields) -> Asked {
    let picture = &page.picture;
    let mut errors = Vec::new();
    let network = fields.text("network").and_then(|id| picture.networks.get(&id.parse::<NetworkId>().ok()?).cloned());
    let container =
        fields.text("container").and_then(|id| picture.containers.get(&id.parse::<ContainerId>().ok()?).cloned());
    if network.is_none() {
        errors.push(Wrong::new("network", "Say which network: there is none of that id."));
    }
    if container.is_none() {
        errors.push(Wrong::new("container", "Say which container: there is none of that id."));
    }
    let words = fields.all("alias").flat_map(|text| text.split([',', ' '])).map(str::trim);
    let aliases: Vec<String> = words.filter(|word| !word.is_empty()).map(str::to_owned).collect();
    let mut address = |field: &'static str, is_v6: bool| {
        let text = fields.text(field)?;
        match text.parse::<IpAddr>() {
            Ok(address) if address.is_ipv6() == is_v6 => Some(address),
            _ => {
                let kind = if is_v6 { "IPv6, as fd00:1::5" } else { "IPv4, as 10.1.0.5" };
                errors.push(Wrong::new(field, format!("“{text}” is no address of {kind}.")));
                None
            }
        }
    };
    let joining = Joining { aliases, ipv4: address("ip", false), ipv6: address("ip6", true) };
    if let Some(network) = &network {
        errors.extend(wrong_network(page, network, container.as_deref(), &joining));
    }
    if let Some(other) = container.as_ref().and_then(|container| shared(container)) {
        errors.push(Wrong::new("container", other));
    }
    Asked { network, container, joining, errors }
}

/// Why a container joins no network at all: it is not in one of its own.
fn shared(container: &Container) -> Option<String> {
    if container.network_of.is_some() {
        return Some(format!("{} uses the network of another container: connect that one.", container.name));
    }
    let at = |name: &str| container.networks.iter().any(|at| at.network == name);
    if at("host") {
        return Some(format!("{} uses the network of the host itself, and joins no other.", container.name));
    }
    at("none").then(|| format!("{} was made without a network (none): disconnect it from that first.", container.name))
}

/// What is wrong with joining this network in that way.
fn wrong_network(page: &Page, network: &Network, container: Option<&Container>, joining: &Joining) -> Vec<Wrong> {
    let mut errors = Vec::new();
    let is_podman = page.picture.is_podman();
    if !network.is_joinable() {
        errors
            .push(Wrong::new("network", format!("No container is put into {}: it is not one to join.", network.name)));
    }
    if let Some(container) = container
        && container.networks.iter().any(|at| at.is_on(network, is_podman))
    {
        errors.push(Wrong::new("container", format!("{} is on {} already.", container.name, network.name)));
    }
    if network.is_predefined() && !is_podman {
        let only = "only on networks that somebody made";
        if !joining.aliases.is_empty() {
            errors.push(Wrong::new("alias", format!("Aliases are {only}: on {} there are no names.", network.name)));
        }
        if joining.ipv4.is_some() || joining.ipv6.is_some() {
            errors.push(Wrong::new("ip", format!("Addresses are chosen {only}.")));
        }
        return errors;
    }
    for (field, address) in [("ip", joining.ipv4), ("ip6", joining.ipv6)] {
        let Some(address) = address else { continue };
        if !network.subnets().any(|subnet| subnet.has(address)) {
            let ranges: Vec<_> = network.subnets().map(|subnet| subnet.to_string()).collect();
            errors.push(Wrong::new(field, format!("{address} is not in {} ({}).", network.name, ranges.join(", "))));
            continue;
        }
        let has = |other: &&&Arc<Container>| {
            let is_it = |text: &str| text.parse() == Ok(address);
            other.networks.iter().any(|at| at.is_on(network, is_podman) && (is_it(&at.ipv4) || is_it(&at.ipv6)))
        };
        if let Some(other) = page.picture.members_of(network).iter().find(has) {
            let link = Some((other.name.clone(), format!("/containers/{}", other.id)));
            errors.push(Wrong { link, ..Wrong::new(field, format!("{address} is the address of {}.", other.name)) });
        }
    }
    errors
}

fn draw(page: &Page, fields: &Fields, asked: &Asked, errors: Vec<Wrong>) -> Result<Html<String>, Error> {
    let picture = &page.picture;
    let mut networks: Vec<_> = picture.networks.values().filter(|network| network.is_joinable()).collect();
    networks.sort_by(|a, b| natural(&a.name, &b.name));
    let mut containers: Vec<_> = picture.containers.values().filter(|container| shared(container).is_none()).collect();
    containers.sort_by(|a, b| natural(&a.name, &b.name));
    if let Some(network) = &asked.network {
        containers.retain(|c| !c.networks.iter().any(|at| at.is_on(network, picture.is_podman())));
    }
    let back = match (&asked.container, &asked.network) {
        _ if fields.get("back").is_some() => fields.back("/networks").to_owned(),
        (_, Some(network)) => format!("/networks/{}", network.id),
        (Some(container), None) => format!("/containers/{}", container.id),
        (None, None) => "/networks".to_owned(),
    };
    html(&ConnectPage {
        chrome: Chrome::new(page, "Connect"),
        network: asked.network.clone(),
        container: asked.container.clone(),
        networks,
        containers,
        command: asked.command(),
        back: &back,
        fields,
        errors,
    })
}

/// `GET /networks/connect`; with fields in the address it is the form as it stands, with its command.
pub async fn form(page: Page, Query(query): Query) -> Result<Response, Error> {
    let asked = read(&page, &query);
    // An id that nobody has is told at once.
    let is_gone = query.text("network").is_some() && asked.network.is_none();
    if is_gone {
        return Err(gone());
    }
    page.show(
        || json::Sketch { command: asked.command(), fields: by_field(&asked.errors).collect() },
        || draw(&page, &query, &asked, Vec::new()),
    )
}

/// `POST /networks/connect`
pub async fn connect(page: Page, fields: Fields) -> Result<Response, Error> {
    let mut asked = read(&page, &fields);
    let errors = std::mem::take(&mut asked.errors);
    let (Some(network), Some(container), true) = (&asked.network, &asked.container, errors.is_empty()) else {
        return wrong(&page, &fields, &asked, StatusCode::UNPROCESSABLE_ENTITY, errors);
    };
    let command = asked.command();
    let deed = Deed::new("network.connect", "network", network.id.to_string(), network.name.clone(), &command);
    let (engine, id, of, joining) =
        (page.engine.clone(), network.id.clone(), container.id.clone(), asked.joining.clone());
    match page.does(deed, async move { engine.networks().connect(&id, &of, &joining).await }).await? {
        Ok(()) => {
            let says = format!("{} is on {} now.", container.name, network.name);
            page.done(&says, &command, fields.back(&format!("/networks/{}", network.id)))
        }
        Err(
            error @ (EngineError::Invalid(_)
            | EngineError::Denied(_)
            | EngineError::Conflict(_)
            | EngineError::Engine { .. }),
        ) => {
            let told = Error::from(error);
            let words = told.reason();
            let field = if words.contains("ddress") {
                "ip"
            } else if words.contains("alias") {
                "alias"
            } else {
                "container"
            };
            let errors = vec![Wrong::new(field, format!("The engine does not take this: {words}"))];
            wrong(&page, &fields, &asked, told.status(), errors)
        }
        Err(EngineError::NotFound(_)) => Err(gone()),
        Err(error) => Err(error.into()),
    }
}

/// The form again, with what is wrong at its fields.
fn wrong(
    page: &Page,
    fields: &Fields,
    asked: &Asked,
    status: StatusCode,
    errors: Vec<Wrong>,
) -> Result<Response, Error> {
    let told: Vec<_> = by_field(&errors).collect();
    page.wrong(status, "Nothing was connected.", told, || draw(page, fields, asked, errors))
}

#[derive(Template)]
#[template(path = "networks/disconnect.html")]
struct DisconnectPage<'a> {
    chrome: Chrome,
    n: &'a Network,
    c: &'a Container,
    /// Others there, whom it reaches no more.
    others: Vec<String>,
    more: usize,
    is_last: bool,
    command: String,
    back: &'a str,
}

/// Others that are named.
const NAMED: usize = 12;

/// The network and the container that are meant.
fn pair(page: &Page, fields: &Fields) -> Result<(Arc<Network>, Arc<Container>), Error> {
    let network: NetworkId = fields.text("network").and_then(|id| id.parse().ok()).ok_or_else(gone)?;
    let network = find(page, &network)?;
    let container =
        fields.text("container").and_then(|id| page.picture.containers.get(&id.parse::<ContainerId>().ok()?));
    let container = container.cloned().ok_or_else(|| {
        Error::not_found("There is no such container.", "It may have been removed, here or elsewhere.")
            .next(Step::link("Open the network", format!("/networks/{}", network.id)))
    })?;
    Ok((network, container))
}

/// `GET /networks/disconnect`
pub async fn confirm_disconnect(page: Page, Query(query): Query) -> Result<Response, Error> {
    let (network, container) = pair(&page, &query)?;
    let command = echo::network_disconnect(&network.name, &container.name, false);
    let others: Vec<String> = page
        .picture
        .members_of(&network)
        .into_iter()
        .filter(|other| other.id != container.id && other.state.is_up() && network.connects())
        .map(|other| other.name.clone())
        .collect();
    page.show(
        || json::Sketch { command: command.clone(), fields: BTreeMap::new() },
        || {
            html(&DisconnectPage {
                chrome: Chrome::new(&page, format!("Disconnect {}", container.name)),
                more: others.len().saturating_sub(NAMED),
                others: others.iter().take(NAMED).cloned().collect(),
                is_last: container.networks.len() == 1,
                command: command.clone(),
                back: query.back("/networks"),
                n: &network,
                c: &container,
            })
        },
    )
}

/// `POST /networks/disconnect`
pub async fn disconnect(page: Page, fields: Fields) -> Result<Response, Error> {
    let (network, container) = pair(&page, &fields)?;
    let force = fields.is_set("force");
    let command = echo::network_disconnect(&network.name, &container.name, force);
    let deed = Deed::new("network.disconnect", "network", network.id.to_string(), network.name.clone(), &command);
    let (engine, id, of) = (page.engine.clone(), network.id.clone(), container.id.clone());
    match page.does(deed, async move { engine.networks().disconnect(&id, &of, force).await }).await? {
        Ok(()) => {
            let says = format!("{} is not on {} any more.", container.name, network.name);
            page.done(&says, &command, fields.back(&format!("/networks/{}", network.id)))
        }
        Err(error) => {
            let what = format!("{} was not disconnected from {}.", container.name, network.name);
            Err(Error::from(error).what(what).next(Step::link("Open the network", format!("/networks/{}", network.id))))
        }
    }
}
