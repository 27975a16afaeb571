//! Networks, addresses and names.

use super::values::{Parsed, address, fields, mac, number, shown};
use super::{Applied, Flag, add, push, text};
use crate::engine::spec::{Endpoint, IpamConfig, Spec};

pub(super) const FLAGS: &[Flag] = &[
    // First: the flags below belong to the first network.
    Flag::list("network", "Networks", "shop", network)
        .also(&["net"])
        .choices(&["bridge", "host", "none"])
        .danger_if(
            |value| value == "host",
            "On the host's network, the container can reach every service that listens on the host only.",
        )
        .help(
            "The networks to join. On a network that you made, containers find each other by name. \
             \"none\" cuts the container off; container:name shares another's network.",
        ),
    Flag::list("network-alias", "Names on the network", "db", alias)
        .also(&["net-alias"])
        .help("More names under which others find this container, on the first of its networks."),
    Flag::list("link", "Links", "db:database", link)
        .help("An older way to find another container by name, container:alias. A network does the same, better."),
    Flag::value("ip", "IPv4 address", "172.30.100.104", |spec, value| text(&mut ipam(spec).ipv4_address, value))
        .help("A fixed address on the first network, which must have been made with a subnet."),
    Flag::value("ip6", "IPv6 address", "2001:db8::33", |spec, value| text(&mut ipam(spec).ipv6_address, value))
        .help("A fixed IPv6 address on the first network, which must have been made with a subnet."),
    Flag::list("link-local-ip", "Link-local addresses", "169.254.34.22", |spec, value| {
        add(&mut ipam(spec).link_local_ips, value)
    })
    .help("Link-local addresses beside the others; rarely needed."),
    Flag::value("mac-address", "MAC address", "92:d0:c6:0a:29:33", mac_address)
        .help("The hardware address on the first network. Without one, it follows from the IP address."),
    Flag::list("dns", "Name servers", "9.9.9.9", |spec, value| push(&mut spec.host_config.dns, address(value)))
        .help("Servers that turn names into addresses, instead of the host's."),
    Flag::list("dns-option", "Resolver options", "ndots:1", |spec, value| {
        add(&mut spec.host_config.dns_options, value)
    })
    .also(&["dns-opt"])
    .help("Options of the resolver, as in resolv.conf."),
    Flag::list("dns-search", "Search domains", "example.com", |spec, value| {
        push(&mut spec.host_config.dns_search, domain(value))
    })
    .help("Domains that are tried behind a short name."),
    Flag::list("add-host", "Lines of /etc/hosts", "router:192.168.1.1", |spec, value| {
        push(&mut spec.host_config.extra_hosts, extra_host(value))
    })
    .help("A name and the address that it means inside the container. The address host-gateway is the host."),
];

const NO_ALIASES: &str = "only a network that you made knows aliases; choose one with --network";

/// Whether a network is one that somebody made, not one of the engine's modes.
pub(in crate::command) fn is_made_by_user(network: &str) -> bool {
    !matches!(network, "" | "default" | "bridge" | "host" | "none") && !network.starts_with("container:")
}

/// `shop`, or `name=shop,alias=db,ip=172.30.0.5`.
fn network(spec: &mut Spec, value: &str) -> Applied {
    let (name, endpoint) =
        if is_long_form(value) { long_form(value)? } else { (value.trim().to_owned(), Endpoint::default()) };
    if name.is_empty() {
        return Err("a network has a name".to_owned());
    }
    if !endpoint.aliases.is_empty() && !is_made_by_user(&name) {
        return Err(NO_ALIASES.to_owned());
    }
    if spec.host_config.network_mode.is_empty() {
        spec.host_config.network_mode.clone_from(&name);
    }
    match spec.networking_config.endpoints_config.insert(name.clone(), endpoint) {
        Some(_) => Err(format!("the network {name} is there twice")),
        None => Ok(()),
    }
}

/// Whether there is `word=word` in it.
pub(in crate::command) fn is_long_form(value: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let sides = || value.match_indices('=').map(|(at, _)| value.split_at(at));
    sides().any(|(before, after)| before.ends_with(word) && after.chars().nth(1).is_some_and(word))
}

fn long_form(value: &str) -> Parsed<(String, Endpoint)> {
    let (mut name, mut endpoint) = (String::new(), Endpoint::default());
    for field in fields(value)? {
        let (key, value) =
            field.split_once('=').ok_or_else(|| format!("name=value is needed, not {}", shown(&field)))?;
        let value = value.trim();
        match key.trim() {
            "name" => text(&mut name, value)?,
            "alias" => add(&mut endpoint.aliases, value)?,
            "ip" => text(&mut addresses(&mut endpoint).ipv4_address, value)?,
            "ip6" => text(&mut addresses(&mut endpoint).ipv6_address, value)?,
            "link-local-ip" => add(&mut addresses(&mut endpoint).link_local_ips, value)?,
            "mac-address" => endpoint.mac_address = mac(value)?,
            "gw-priority" => endpoint.gw_priority = number(value, i64::MIN..=i64::MAX)?,
            "driver-opt" => {
                // In lower case, as the docker command sends it.
                let (key, value) = value.split_once('=').ok_or("driver-opt needs name=value")?;
                endpoint.driver_opts.insert(key.trim().to_lowercase(), value.trim().to_lowercase());
            }
            other => {
                return Err(format!(
                    "a network has name, alias, ip, ip6, mac-address, link-local-ip, driver-opt and gw-priority, not {}",
                    shown(other)
                ));
            }
        }
    }
    if name.is_empty() { Err("name= is missing".to_owned()) } else { Ok((name, endpoint)) }
}

/// How the container is on its first network.
fn first(spec: &mut Spec) -> &mut Endpoint {
    if spec.host_config.network_mode.is_empty() {
        "default".clone_into(&mut spec.host_config.network_mode);
    }
    let name = spec.host_config.network_mode.clone();
    spec.networking_config.endpoints_config.entry(name).or_default()
}

fn addresses(endpoint: &mut Endpoint) -> &mut IpamConfig {
    endpoint.ipam_config.get_or_insert_default()
}

fn ipam(spec: &mut Spec) -> &mut IpamConfig {
    addresses(first(spec))
}

fn alias(spec: &mut Spec, value: &str) -> Applied {
    if is_made_by_user(&spec.host_config.network_mode) {
        add(&mut first(spec).aliases, value)
    } else {
        Err(NO_ALIASES.to_owned())
    }
}

/// On a network that somebody made, a link is an alias there; on the default network it is a thing of its own.
fn link(spec: &mut Spec, value: &str) -> Applied {
    if value.is_empty() || value.matches(':').count() > 1 {
        return Err(format!("a link is container:alias, not {}", shown(value)));
    }
    if is_made_by_user(&spec.host_config.network_mode) {
        add(&mut first(spec).links, value)?;
    }
    add(&mut spec.host_config.links, value)
}

fn mac_address(spec: &mut Spec, value: &str) -> Applied {
    first(spec).mac_address = mac(value)?;
    Ok(())
}

/// A domain of names of letters, digits and inner hyphens, with a letter somewhere; `.` alone switches
/// searching off.
fn domain(value: &str) -> Parsed<String> {
    let domain = value.trim();
    let domain = domain.strip_suffix('.').filter(|rest| !rest.is_empty()).unwrap_or(domain);
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let name =
        |name: &str| !name.is_empty() && name.chars().all(inner) && !name.starts_with('-') && !name.ends_with('-');
    if domain == "." || (domain.split('.').all(name) && domain.contains(|c: char| c.is_ascii_alphabetic())) {
        Ok(domain.to_owned())
    } else {
        Err(format!("a domain such as example.com is needed, not {}", shown(value)))
    }
}

/// `name:address` or `name=address`, IPv6 with or without brackets.
fn extra_host(value: &str) -> Parsed<String> {
    let wrong = || format!("name:address is needed, such as router:192.168.1.1, not {}", shown(value));
    let (name, target) = value.split_once('=').or_else(|| value.split_once(':')).ok_or_else(wrong)?;
    let target = target.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(target);
    if name.is_empty() {
        return Err(wrong());
    }
    let target = if target == "host-gateway" { target.to_owned() } else { address(target)? };
    Ok(format!("{name}:{target}"))
}
