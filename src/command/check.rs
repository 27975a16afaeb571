//! What no single flag can see: flags that contradict each other, and what is left of those that said nothing.

use super::flags::{is_long_form, is_made_by_user};
use super::run::{OptionError, RunLine};
use crate::engine::spec::{Endpoint, Healthcheck, Spec};

/// A flag, and the field of a network in the long form that says the same.
const SAID_TWICE: [(&str, &str); 5] = [
    ("network-alias", "alias="),
    ("ip", "ip="),
    ("ip6", "ip6="),
    ("mac-address", "mac-address="),
    ("link-local-ip", "link-local-ip="),
];

/// Finds flags that contradict each other, as the docker command does.
pub(super) fn contradictions(line: &RunLine, spec: &Spec, errors: &mut Vec<OptionError>) {
    let mut refuse = |flag: &str, index: usize, message: String| {
        errors.push(OptionError { flag: flag.to_owned(), index, message });
    };
    if spec.host_config.auto_remove && !spec.host_config.restart_policy.name.is_empty() {
        refuse("rm", 0, "a container that is removed when it ends cannot have a restart policy".to_owned());
    }
    let made = |network: &String| is_made_by_user(network);
    let networks = spec.networking_config.endpoints_config.keys();
    if networks.clone().any(made) && !networks.clone().all(made) {
        let last = line.values("network").count().saturating_sub(1);
        refuse("network", last, "host, none, bridge and container:name do not go with other networks".to_owned());
    }
    let Some(first) = line.values("network").next().filter(|network| is_long_form(network)) else {
        return;
    };
    let says = |field| first.split(',').any(|part| part.trim_start_matches('"').starts_with(field));
    for (flag, field) in SAID_TWICE {
        if line.value(flag).is_some() && says(field) {
            refuse(flag, 0, format!("--network says {field} already"));
        }
    }
}

/// Takes out what flags with empty or zero values have left behind, so that nothing said is nothing sent.
pub(super) fn tidy(spec: &mut Spec) {
    spec.healthcheck = spec.healthcheck.take().filter(|check| *check != Healthcheck::default());
    let endpoints = &mut spec.networking_config.endpoints_config;
    // A single network follows from the mode; naming it again is an error for some of the engine's modes.
    if endpoints.len() == 1 && endpoints.values().all(|endpoint| *endpoint == Endpoint::default()) {
        endpoints.clear();
    }
}

/// A container's name: two letters or more, of `[a-zA-Z0-9][a-zA-Z0-9_.-]+`.
/// Source: moby, `daemon/names/names.go`, `RestrictedNameChars`.
pub fn container_name(name: &str) -> Result<(), String> {
    let first = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    let strange = name.chars().find(|c| !c.is_ascii_alphanumeric() && !"_.-".contains(*c));
    match strange {
        Some(c) => Err(format!("a container's name has letters, digits, _ . and -, but no {c:?}")),
        None if !first => Err("a container's name begins with a letter or digit".to_owned()),
        None if name.len() < 2 => Err("a container's name has at least two letters".to_owned()),
        None => Ok(()),
    }
}
