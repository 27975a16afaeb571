//! Ports: published on the host, or said to be listened on.

use std::net::IpAddr;

use super::values::{Parsed, ports, ports_and_protocol, shown, switch};
use super::{Applied, Flag, put};
use crate::engine::spec::{PortBinding, Spec};

/// Every port of TCP and of UDP. A short line could ask for any number of them, and each takes time and memory here.
pub(in crate::command) const MOST_PORTS: usize = 2 << 16;

pub(super) const FLAGS: &[Flag] = &[
    Flag::list("publish", "Published ports", "8080:80", publish).short('p').help(
        "Makes a port of the container reachable on the host, host:container. \
             With 127.0.0.1: in front, only from the host itself; with /udp behind, for UDP.",
    ),
    Flag::switch("publish-all", "Publish every port", |spec, value| {
        put(&mut spec.host_config.publish_all_ports, switch(value))
    })
    .short('P')
    .help("Publishes every port that the image or \"Exposed ports\" names, at free ports of the engine's choice."),
    Flag::list("expose", "Exposed ports", "80", expose)
        .help("Ports that the program listens on, as a note for others and for \"Publish every port\"."),
];

fn expose(spec: &mut Spec, value: &str) -> Applied {
    let (range, protocol) = ports_and_protocol(value)?;
    spec.exposed_ports.0.extend(range.map(|port| format!("{port}/{protocol}")));
    Ok(())
}

/// `[[host address:]host port:]container port[/protocol]`, either port a range, or `published=8080,target=80`.
fn publish(spec: &mut Spec, value: &str) -> Applied {
    let value = if value.contains('=') { &short_form(value)? } else { value };
    let (rest, container) = value.rsplit_once(':').unwrap_or(("", value));
    let (address, host) = rest.rsplit_once(':').unwrap_or(("", rest));
    if container.is_empty() || container.starts_with('/') {
        return Err("the container's port is missing: host:container, such as 8080:80".to_owned());
    }
    let host_ip = host_address(address)?;
    let (inside, protocol) = ports_and_protocol(container)?;
    let outside = if host.is_empty() { None } else { Some(ports(host)?) };
    let to_range = inside.len() == 1;
    if let Some(outside) = &outside
        && outside.len() != inside.len()
        && !to_range
    {
        return Err(format!("{host} and {container} are ranges of different lengths"));
    }
    for (nth, port) in inside.enumerate() {
        let host_port = match &outside {
            None => String::new(),
            // One port of the container and several of the host: the engine picks a free one of these.
            Some(outside) if to_range && outside.len() > 1 => {
                format!("{}-{}", outside.start(), outside.end())
            }
            Some(outside) => outside.clone().nth(nth).map(|port| port.to_string()).unwrap_or_default(),
        };
        let key = format!("{port}/{protocol}");
        spec.exposed_ports.0.insert(key.clone());
        spec.host_config
            .port_bindings
            .entry(key)
            .or_default()
            .push(PortBinding { host_ip: host_ip.clone(), host_port });
    }
    Ok(())
}

/// How many ports of the container a flag asks for.
pub(in crate::command) fn ports_in(flag: &str, value: &str) -> usize {
    let inside = match flag {
        "expose" => value.to_owned(),
        "publish" if value.contains('=') => short_form(value).unwrap_or_default(),
        "publish" => value.to_owned(),
        _ => return 0,
    };
    let container = inside.rsplit_once(':').map_or(inside.as_str(), |(_, container)| container);
    ports_and_protocol(container).map_or(0, |(range, _)| range.len())
}

/// The host's address, with or without the brackets of IPv6; a name is not one.
fn host_address(address: &str) -> Parsed<String> {
    let bare = address.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(address);
    if bare.is_empty() || bare.parse::<IpAddr>().is_ok() {
        Ok(bare.to_owned())
    } else {
        Err(format!("the host's address must be an IP address such as 127.0.0.1, not {address}"))
    }
}

/// `published=8080,target=80,protocol=tcp` as `8080:80/tcp`.
fn short_form(value: &str) -> Parsed<String> {
    let (mut published, mut target, mut protocol) = ("", "", "tcp");
    for field in value.split(',') {
        match field.split_once('=') {
            Some(("published", port)) => published = port,
            Some(("target", port)) => target = port,
            Some(("protocol", name)) => protocol = name,
            Some((name, _)) if !name.is_empty() => {}
            _ => {
                return Err(format!("name=value is needed between the commas, not {}", shown(field)));
            }
        }
    }
    Ok(format!("{published}:{target}/{protocol}"))
}
