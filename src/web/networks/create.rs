//! Making a network. What is wrong is said at its field, before the engine is asked.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, Response},
};

use super::json;
use crate::{
    command::echo,
    engine::{Error as EngineError, Network, NetworkRange, NewNetwork, Subnet, masked_network_options},
    web::{
        Error,
        answer::Made,
        chrome::Chrome,
        deed::Deed,
        extract::{Fields, Page, Query},
        fields::{pairs, rows},
        filters,
        html::html,
    },
};

/// What is wrong with a field, and where that can be seen.
#[derive(Debug, Clone)]
pub(super) struct Wrong {
    /// The field.
    pub field: String,
    /// Why.
    pub why: String,
    /// What is in the way: its name, and where it is.
    pub link: Option<(String, String)>,
}

impl Wrong {
    pub fn new(field: impl Into<String>, why: impl Into<String>) -> Self {
        Self { field: field.into(), why: why.into(), link: None }
    }

    /// In the way is this network.
    fn is(self, network: &Network) -> Self {
        Self { link: Some((network.name.clone(), format!("/networks/{}", network.id))), ..self }
    }
}

/// What is wrong with one of the fields.
pub(super) fn wrong_with<'a>(errors: &'a [Wrong], field: &str) -> Option<&'a Wrong> {
    errors.iter().find(|wrong| wrong.field == field)
}

#[derive(Template)]
#[template(path = "networks/create.html")]
struct CreatePage<'a> {
    chrome: Chrome,
    fields: &'a Fields,
    ranges: Vec<(String, NetworkRange)>,
    options: Vec<(String, String)>,
    labels: Vec<(String, String)>,
    command: String,
    errors: Vec<Wrong>,
    is_root: bool,
    is_swarm: bool,
}

impl CreatePage<'_> {
    fn value(&self, field: &str) -> &str {
        self.fields.get(field).unwrap_or_default()
    }

    fn is_set(&self, field: &str) -> bool {
        self.fields.is_set(field)
    }

    fn wrong(&self, field: &str) -> Option<&Wrong> {
        wrong_with(&self.errors, field)
    }
}

/// The rows of ranges as they were sent, those without anything included.
fn ranges(fields: &Fields) -> Vec<NetworkRange> {
    let all = |name| fields.all(name).map(str::trim).collect::<Vec<_>>();
    let (subnets, gateways, parts) = (all("subnet"), all("gateway"), all("ip-range"));
    let at = |list: &[&str], row: usize| list.get(row).map(|text| (*text).to_owned()).unwrap_or_default();
    let range =
        |row| NetworkRange { subnet: at(&subnets, row), gateway: at(&gateways, row), ip_range: at(&parts, row) };
    (0..subnets.len().max(gateways.len()).max(parts.len())).map(range).collect()
}

/// A form, read: what it asks for and what is wrong with it.
fn read(page: &Page, fields: &Fields) -> (NewNetwork, Vec<Wrong>) {
    let mut errors = Vec::new();
    let mut told = Vec::new();
    let name = fields.text("name").unwrap_or_default().to_owned();
    if name.is_empty() {
        errors.push(Wrong::new("name", "A network needs a name: containers are put into it by that."));
    } else if !NewNetwork::is_name(&name) {
        errors.push(Wrong::new(
            "name",
            "A name starts with a letter or digit and goes on with letters, digits, _ . or -.",
        ));
    }
    let sent = ranges(fields);
    let ipv6 = fields.is_set("ipv6");
    for (row, range) in sent.iter().enumerate() {
        errors.extend(wrong_range(page, range, row, &sent, ipv6));
    }
    let new = NewNetwork {
        name,
        driver: fields.text("driver").map(str::to_owned),
        ranges: sent.into_iter().filter(|range| *range != NetworkRange::default()).collect(),
        ipv6,
        internal: fields.is_set("internal"),
        attachable: fields.is_set("attachable"),
        options: pairs(fields, "option", &mut told),
        labels: pairs(fields, "label", &mut told),
    };
    errors.extend(told.into_iter().map(|(field, why)| Wrong::new(field, why)));
    (new, errors)
}

/// What is wrong with a range of addresses: with itself, with the others of the form, with the networks that there are.
fn wrong_range(page: &Page, range: &NetworkRange, row: usize, all: &[NetworkRange], ipv6: bool) -> Option<Wrong> {
    let wrong = |why: String| Some(Wrong::new(format!("range-{row}"), why));
    if *range == NetworkRange::default() {
        return None;
    }
    if range.subnet.is_empty() {
        return wrong("A gateway and a range are within a subnet: say which.".to_owned());
    }
    let subnet: Subnet = match range.subnet.parse() {
        Ok(subnet) => subnet,
        Err(why) => return wrong(format!("{why}.")),
    };
    if subnet.is_v6() && !ipv6 {
        return wrong(format!("{subnet} is of IPv6: tick IPv6 below."));
    }
    if !range.gateway.is_empty() && !range.gateway.parse().is_ok_and(|gateway| subnet.has(gateway)) {
        return wrong(format!("The gateway “{}” is no address in {subnet}.", range.gateway));
    }
    if !range.ip_range.is_empty() && !range.ip_range.parse().is_ok_and(|part| subnet.holds(part)) {
        return wrong(format!("“{}” is no part of {subnet}.", range.ip_range));
    }
    let before = all.iter().take(row).filter_map(|other| other.subnet.parse::<Subnet>().ok());
    if let Some(other) = before.into_iter().find(|other| other.overlaps(subnet)) {
        return wrong(format!("{subnet} overlaps with {other} above."));
    }
    let has = |network: &&std::sync::Arc<Network>| network.subnets().any(|taken| taken.overlaps(subnet));
    let taken = page.picture.networks.values().find(has)?;
    let of = taken.subnets().find(|taken| taken.overlaps(subnet)).map(|taken| taken.to_string()).unwrap_or_default();
    let why = format!("{subnet} overlaps with {of} of the network {}. Take another range.", taken.name);
    wrong(why).map(|wrong| wrong.is(taken))
}

fn command(new: &NewNetwork) -> String {
    fn refs(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
        pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
    let ranges: Vec<_> = new.ranges.iter().map(|range| (&*range.subnet, &*range.gateway, &*range.ip_range)).collect();
    let name = if new.name.is_empty() { "NETWORK" } else { &new.name };
    echo::network_create(
        name,
        echo::NewNetwork {
            driver: new.driver.as_deref(),
            ranges: &ranges,
            ipv6: new.ipv6,
            internal: new.internal,
            attachable: new.attachable,
            options: &refs(&new.options),
            labels: &refs(&new.labels),
        },
    )
}

fn form(page: &Page, fields: &Fields, new: &NewNetwork, errors: Vec<Wrong>) -> Result<Html<String>, Error> {
    // As they were sent, with one more to fill in: what is wrong is not lost.
    let with_spare = |what| {
        let sent = rows(fields, what).into_iter().filter(|(name, value)| !(name.is_empty() && value.is_empty()));
        sent.chain([(String::new(), String::new())]).collect()
    };
    let mut sent = ranges(fields);
    if sent.last().is_none_or(|last| *last != NetworkRange::default()) {
        sent.push(NetworkRange::default());
    }
    html(&CreatePage {
        chrome: Chrome::new(page, "New network"),
        ranges: sent.into_iter().enumerate().map(|(row, range)| (format!("range-{row}"), range)).collect(),
        options: with_spare("option"),
        labels: with_spare("label"),
        command: command(new),
        is_root: page.engine.reach().root,
        is_swarm: page.picture.networks.values().any(|network| network.scope == "swarm"),
        fields,
        errors,
    })
}

pub(super) fn by_field(errors: &[Wrong]) -> impl Iterator<Item = (String, String)> {
    errors.iter().map(|wrong| (wrong.field.clone(), wrong.why.clone()))
}

/// `GET /networks/new`; with fields in the address it is the form as it stands, with its command.
pub async fn new(page: Page, Query(query): Query) -> Result<Response, Error> {
    let (new, errors) = read(&page, &query);
    page.show(
        || json::Sketch { command: command(&new), fields: by_field(&errors).collect() },
        || form(&page, &query, &new, Vec::new()),
    )
}

/// `POST /networks`
pub async fn create(page: Page, fields: Fields) -> Result<Response, Error> {
    let (new, mut errors) = read(&page, &fields);
    if let Some(taken) = page.picture.networks.values().find(|network| network.name == new.name) {
        errors.push(Wrong::new("name", format!("There is a network called {} already.", new.name)).is(taken));
        return wrong(&page, &fields, &new, StatusCode::CONFLICT, errors);
    }
    if !errors.is_empty() {
        return wrong(&page, &fields, &new, StatusCode::UNPROCESSABLE_ENTITY, errors);
    }
    let masked = masked_network_options(&new.options.iter().cloned().collect()).into_iter().collect();
    let masked = command(&NewNetwork { options: masked, ..new.clone() });
    let deed = Deed {
        public: Some(command(&NewNetwork { options: Vec::new(), labels: Vec::new(), ..new.clone() })),
        ..Deed::new("network.create", "network", new.name.clone(), new.name.clone(), &masked)
    };
    let (engine, made) = (page.engine.clone(), new.clone());
    match page.does(deed, async move { engine.networks().create(made).await }).await? {
        Ok(id) => {
            tracing::info!(network = %id, "created");
            let location = format!("/networks/{id}");
            Ok(page.made(&location, || Made { id: id.to_string(), location: location.clone() }))
        }
        Err(
            error @ (EngineError::Invalid(_)
            | EngineError::NotFound(_)
            | EngineError::Conflict(_)
            | EngineError::Engine { .. }),
        ) => {
            let told = Error::from(error);
            let errors =
                vec![Wrong::new(field_of(told.reason()), format!("The engine does not take this: {}", told.reason()))];
            wrong(&page, &fields, &new, told.status(), errors)
        }
        Err(error) => Err(error.into()),
    }
}

/// The field that the engine's words speak of.
fn field_of(words: &str) -> &'static str {
    let words = words.to_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
    if has(&["subnet", "pool overlaps", "gateway", "address", "ipv"]) {
        "range-0"
    } else if has(&["plugin", "driver", "parent"]) {
        "driver"
    } else if has(&["option"]) {
        "option"
    } else {
        "name"
    }
}

/// The form again, with what is wrong at its fields.
fn wrong(
    page: &Page,
    fields: &Fields,
    new: &NewNetwork,
    status: StatusCode,
    errors: Vec<Wrong>,
) -> Result<Response, Error> {
    let told: Vec<_> = by_field(&errors).collect();
    page.wrong(status, "Nothing was created.", told, || form(page, fields, new, errors))
}
