//! The picture of who reaches whom: networks to the left, containers beside them, the host's ports to the right. A line
//! joins a container to each of its networks; who is joined to the same network reaches each other.

use std::{collections::HashMap, fmt::Write as _};

use askama::Template;

use super::map::{Ground, Stop};
use crate::engine::{Network, NetworkId};

/// The height of a box and of what it takes with the space below it.
const BOX: usize = 44;
const STEP: usize = 54;
/// Space above the first box.
const TOP: usize = 34;
/// Where the networks' boxes end, and where those of containers begin and end.
const NETWORKS_END: usize = 260;
const CONTAINERS: usize = 420;
const CONTAINERS_END: usize = 680;
/// Where the world outside is.
const OUTSIDE: usize = 790;

/// A box of a network.
struct Hub<'a> {
    n: &'a Network,
    y: usize,
    says: String,
}

/// A box of a container.
struct Node<'a> {
    s: &'a Stop<'a>,
    y: usize,
    says: String,
    ports: String,
}

#[derive(Template)]
#[template(path = "networks/_drawing.html")]
pub(super) struct Drawing<'a> {
    hubs: Vec<Hub<'a>>,
    nodes: Vec<Node<'a>>,
    /// The ways of the lines, of running and of stopped containers.
    lines: Vec<(String, &'static str)>,
    height: usize,
}

impl<'a> Drawing<'a> {
    pub fn new(ground: &'a Ground<'a>) -> Self {
        let place = |row: usize| TOP + row * STEP;
        let nodes: Vec<Node> = ground.stops.iter().enumerate().map(|(row, s)| Node::new(s, place(row))).collect();
        let hubs = hubs(ground, &nodes);
        let at: HashMap<&NetworkId, usize> = hubs.iter().map(|hub| (&hub.n.id, hub.y)).collect();
        let mut lines = Vec::new();
        for node in &nodes {
            for (network, _) in &node.s.networks {
                let Some(from) = at.get(&network.id) else { continue };
                let (from, to, middle) = (from + BOX / 2, node.y + BOX / 2, usize::midpoint(NETWORKS_END, CONTAINERS));
                let mut way = String::new();
                // Writing to a String cannot fail.
                let _ = write!(way, "M{NETWORKS_END} {from}C{middle} {from} {middle} {to} {CONTAINERS} {to}");
                lines.push((way, kind(node.s, network)));
            }
            if !node.ports.is_empty() {
                let y = node.y + BOX / 2;
                lines.push((format!("M{OUTSIDE} {y}H{CONTAINERS_END}"), "in"));
            }
        }
        let lowest = hubs.iter().map(|hub| hub.y).chain(nodes.iter().map(|node| node.y)).max().unwrap_or(TOP);
        Self { hubs, nodes, lines, height: lowest + STEP }
    }
}

fn kind(stop: &Stop<'_>, network: &Network) -> &'static str {
    match (stop.c.state.is_up(), network.connects()) {
        (false, _) => "off",
        (true, false) => "own",
        (true, true) => "on",
    }
}

/// Each network beside the middle of its members, none over another.
fn hubs<'a>(ground: &'a Ground<'a>, nodes: &[Node<'_>]) -> Vec<Hub<'a>> {
    let middle = |network: &Network| {
        let of = nodes.iter().filter(|node| node.s.networks.iter().any(|(on, _)| on.id == network.id));
        let (sum, number) = of.fold((0, 0), |(sum, number), node| (sum + node.y, number + 1));
        sum / usize::max(number, 1)
    };
    let mut wanted: Vec<_> = ground.networks.iter().map(|network| (middle(network), *network)).collect();
    wanted.sort_by_key(|(y, network)| (*y, network.id.clone()));
    // From below: what does not fit there moves up, so that the picture is no higher than it has to be.
    let mut floor = nodes.last().map_or(TOP, |node| node.y).max(TOP + wanted.len().saturating_sub(1) * STEP);
    for (y, _) in wanted.iter_mut().rev() {
        *y = (*y).min(floor);
        floor = y.saturating_sub(STEP);
    }
    let mut free = TOP;
    let hub = |(wanted, network): (usize, &'a std::sync::Arc<Network>)| {
        let y = wanted.max(free);
        free = y + STEP;
        let mut says = vec![network.driver.clone()];
        says.extend(network.ranges.first().map(|range| range.subnet.clone()).filter(|subnet| !subnet.is_empty()));
        says.extend(network.internal.then(|| "internal".to_owned()));
        Hub { n: network, y, says: says.join(" · ") }
    };
    wanted.into_iter().map(hub).collect()
}

impl<'a> Node<'a> {
    fn new(s: &'a Stop<'a>, y: usize) -> Self {
        let ports = s.ports.iter().map(|port| port.text.clone()).collect::<Vec<_>>().join(", ");
        let says = match s.of {
            Some(of) => format!("beside {}", of.name),
            None if s.networks.is_empty() => "on no network".to_owned(),
            None => s
                .networks
                .iter()
                .map(|(_, address)| address.as_str())
                .filter(|a| !a.is_empty())
                .collect::<Vec<_>>()
                .join(", "),
        };
        Self { s, y, says, ports }
    }
}

/// How wide a letter is, in tenths of one of middling width.
fn width(letter: char) -> usize {
    match letter {
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 16,
        'A'..='Z' => 13,
        'i' | 'j' | 'l' | 't' | 'f' | 'r' | '.' | ',' | ':' | '-' | '|' | ' ' | '(' | ')' => 7,
        letter if letter.is_ascii() => 10,
        _ => 18,
    }
}

/// As much of a text as fits where `most` letters of middling width do: its beginning and, as names often differ there,
/// its end. All of it is its title.
fn cut(text: &str, most: usize) -> String {
    let most = most * 10;
    if text.chars().map(width).sum::<usize>() <= most {
        return text.to_owned();
    }
    let within = |most: usize| {
        move |sum: &mut usize, letter: char| {
            *sum += width(letter);
            (*sum <= most).then_some(letter)
        }
    };
    let head = most * 6 / 10;
    let tail: Vec<char> = text.chars().rev().scan(0, within(most - head - width('…'))).collect();
    text.chars().scan(0, within(head)).chain(['…']).chain(tail.into_iter().rev()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_keeps_its_end_and_fits() {
        assert_eq!(cut("web", 24), "web");
        assert_eq!(cut("shop-backend-service-for-orders-12", 20), "shop-backend…ers-12");
        for text in ["M".repeat(80), "名".repeat(80), "i".repeat(80)] {
            let cut = cut(&text, 24);
            assert!(cut.chars().map(width).sum::<usize>() <= 240 && cut.contains('…'), "{cut}");
        }
    }
}
