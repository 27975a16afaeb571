//! All ports of the host that containers have, or want when they start, with those that more than one wants.

use std::{collections::BTreeSet, sync::Arc};

use askama::Template;
use axum::response::Response;
use futures_util::{StreamExt, stream};
use serde_json::Value;

use super::json;
use crate::{
    command::echo,
    engine::{Container, Port},
    web::{
        Error,
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

/// Stopped containers that are asked what they want: their list tells only what runs.
const ASKED: usize = 500;
/// How many are asked for at a time.
const AT_ONCE: usize = 8;

/// A port of the host that a container has or wants.
struct Wish {
    c: Arc<Container>,
    at: Place,
    private: u16,
    /// The names of others that want the same.
    conflicts: Vec<String>,
}

/// A place on the host that can be had once.
#[derive(Debug, Clone, Default)]
struct Place {
    /// The address of the host; empty for all of them.
    address: String,
    /// From the first to the last; none for any free one.
    ports: Option<(u16, u16)>,
    protocol: String,
}

impl Place {
    /// Whether both cannot be had at once.
    fn clashes(&self, other: &Self) -> bool {
        let (Some((a, b)), Some((c, d))) = (self.ports, other.ports) else { return false };
        // Of a range any one is taken: two ranges do well together.
        let is_one = a == b || c == d;
        let same_address = self.address.is_empty() || other.address.is_empty() || self.address == other.address;
        is_one && a <= d && c <= b && self.protocol == other.protocol && same_address
    }
}

impl Wish {
    fn of_port(c: &Arc<Container>, port: &Port) -> Option<Self> {
        let public = port.public?;
        Some(Self {
            c: c.clone(),
            at: Place {
                address: if port.is_open_to_all() { String::new() } else { port.address.clone() },
                ports: Some((public, public)),
                protocol: port.protocol.clone(),
            },
            private: port.private,
            conflicts: Vec::new(),
        })
    }

    /// Out of `HostConfig.PortBindings`: `{"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}`.
    fn of_bindings(c: &Arc<Container>, raw: &Value) -> Vec<Self> {
        let bindings = raw.pointer("/HostConfig/PortBindings").and_then(Value::as_object);
        let of_one = |(inside, hosts): (&String, &Value)| {
            let (private, protocol) = inside.split_once('/').unwrap_or((inside, "tcp"));
            let (private, protocol) = (private.parse().unwrap_or_default(), protocol.to_owned());
            let text = |host: &Value, key: &str| host.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            let wish = move |host: &Value| {
                let port = text(host, "HostPort");
                let (first, last) = port.split_once('-').unwrap_or((&port, &port));
                let ports = first.parse().ok().zip(last.parse().ok()).filter(|(first, _): &(u16, u16)| *first != 0);
                let address = text(host, "HostIp");
                let is_any = matches!(address.as_str(), "0.0.0.0" | "::");
                let address = if is_any { String::new() } else { address };
                let at = Place { address, ports, protocol: protocol.clone() };
                Self { c: c.clone(), at, private, conflicts: Vec::new() }
            };
            hosts.as_array().into_iter().flatten().map(wish).collect::<Vec<_>>()
        };
        bindings.into_iter().flatten().flat_map(of_one).collect()
    }

    fn clashes(&self, other: &Self) -> bool {
        self.c.id != other.c.id && self.at.clashes(&other.at)
    }

    fn port(&self) -> String {
        match self.at.ports {
            Some((first, last)) if first == last => first.to_string(),
            Some((first, last)) => format!("{first}-{last}"),
            None => String::new(),
        }
    }
}

/// Each port of each container, conflicts marked, in their order.
async fn wishes(page: &Page) -> Vec<Wish> {
    let containers = || page.picture.containers.values();
    let mut all: Vec<Wish> = containers()
        .filter(|c| c.state.is_up())
        .flat_map(|c| c.ports.iter().filter_map(|port| Wish::of_port(c, port)))
        .collect();
    let stopped: Vec<_> = containers().filter(|c| !c.state.is_up()).take(ASKED).cloned().collect();
    let of_one = |c: Arc<Container>| {
        let engine = page.engine.clone();
        async move {
            let detail = engine.containers().get(&c.id).await.ok();
            detail.map(|detail| Wish::of_bindings(&c, &detail.raw)).unwrap_or_default()
        }
    };
    let asked: Vec<Vec<Wish>> = stream::iter(stopped).map(of_one).buffered(AT_ONCE).collect().await;
    all.extend(asked.into_iter().flatten());
    all.sort_by(|a, b| {
        let key =
            |wish: &Wish| (wish.at.ports.is_none(), wish.at.ports, wish.at.protocol.clone(), wish.at.address.clone());
        key(a).cmp(&key(b)).then_with(|| natural(&a.c.name, &b.c.name))
    });
    let clashing = |wish: &Wish| {
        // Sorted by port: what is far off is not asked about twice, but ranges may reach anywhere.
        let others = all.iter().filter(|other| wish.clashes(other)).map(|other| other.c.name.clone());
        others.collect::<BTreeSet<_>>().into_iter().collect()
    };
    let conflicts: Vec<Vec<String>> = all.iter().map(clashing).collect();
    for (wish, conflicts) in all.iter_mut().zip(conflicts) {
        wish.conflicts = conflicts;
    }
    all
}

struct Row<'a> {
    w: &'a Wish,
    mark: StateMark,
    link: Option<PortLink>,
}

#[derive(Template)]
#[template(path = "networks/_ports.html")]
struct Ports<'a> {
    rows: Vec<Row<'a>>,
    total: usize,
    clashes: usize,
    only: bool,
    /// Those on the host's own network: what they listen on is not told.
    on_host: Vec<&'a Arc<Container>>,
    is_known: bool,
    unasked: usize,
}

impl<'a> Ports<'a> {
    fn new(page: &'a Page, all: &'a [Wish], only: bool) -> Self {
        let is_shown = |wish: &&Wish| !only || !wish.conflicts.is_empty();
        let row = |w: &'a Wish| {
            // What does not run, does not answer.
            let port = w.at.ports.filter(|_| w.c.state.is_up()).map(|(public, _)| Port {
                public: Some(public),
                private: w.private,
                protocol: w.at.protocol.clone(),
                address: w.at.address.clone(),
            });
            Row { w, mark: StateMark::of(&w.c), link: port.and_then(|port| PortLink::of(&port, &page.host)) }
        };
        let is_on_host = |c: &&Arc<Container>| c.state.is_up() && c.networks.iter().any(|at| at.network == "host");
        let stopped = page.picture.containers.values().filter(|c| !c.state.is_up()).count();
        Self {
            rows: all.iter().filter(is_shown).map(row).collect(),
            total: all.len(),
            clashes: all.iter().filter(|wish| !wish.conflicts.is_empty()).count(),
            on_host: page.picture.containers.values().filter(is_on_host).collect(),
            is_known: page.picture.info.is_some(),
            unasked: stopped.saturating_sub(ASKED),
            only,
        }
    }
}

#[derive(Template)]
#[template(path = "networks/ports.html")]
struct PortsPage<'a> {
    chrome: Chrome,
    command: String,
    ports: Ports<'a>,
}

fn is_only(query: &Fields) -> bool {
    query.is_set("conflicts")
}

/// `GET /networks/ports`
pub async fn page(page: Page, Query(query): Query) -> Result<Response, Error> {
    let only = is_only(&query);
    let all = wishes(&page).await;
    let data = || {
        let shown = all.iter().filter(|wish| !only || !wish.conflicts.is_empty());
        let port = |wish: &Wish| json::HostPort {
            address: wish.at.address.clone(),
            port: wish.port(),
            protocol: wish.at.protocol.clone(),
            private: wish.private,
            container: wish.c.id.to_string(),
            name: wish.c.name.clone(),
            state: wish.c.state.to_string(),
            conflicts: wish.conflicts.clone(),
        };
        List::from(shown.map(port).collect::<Vec<_>>())
    };
    page.show(data, || {
        let stream = if only { "/networks/ports/stream?conflicts=1" } else { "/networks/ports/stream" };
        html(&PortsPage {
            chrome: Chrome::new(&page, "Host ports").live(&page, stream),
            command: echo::ps(true, &[]),
            ports: Ports::new(&page, &all, only),
        })
    })
}

/// `GET /networks/ports/stream`
pub async fn stream(live: Live, Query(query): Query) -> Response {
    let only = is_only(&query);
    live.follow(move |page| async move {
        let all = wishes(&page).await;
        let html = html(&Ports::new(&page, &all, only))?.0;
        Ok(Fragments { rest: vec![Part { id: "ports".into(), html }], ..Fragments::default() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_want_the_same() {
        let place =
            |address: &str, ports, protocol: &str| Place { address: address.into(), ports, protocol: protocol.into() };
        let one = Some((80, 80));
        for (a, b, is_same) in [
            (place("", one, "tcp"), place("", one, "tcp"), true),
            (place("", one, "tcp"), place("127.0.0.1", one, "tcp"), true),
            (place("10.0.0.1", one, "tcp"), place("127.0.0.1", one, "tcp"), false),
            (place("", one, "tcp"), place("", one, "udp"), false),
            (place("", None, "tcp"), place("", None, "tcp"), false),
            (place("", Some((80, 90)), "tcp"), place("", Some((85, 85)), "tcp"), true),
            (place("", Some((80, 90)), "tcp"), place("", Some((80, 90)), "tcp"), false),
        ] {
            assert_eq!(a.clashes(&b), is_same, "{a:?} {b:?}");
        }
    }
}
