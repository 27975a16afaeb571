//! What may not be told, whatever the engine says: see [`crate::fuzzing`].
#![expect(clippy::missing_panics_doc, reason = "what does not hold panics: that is what they are for")]

use std::{fmt::Debug, sync::Arc};

use serde_json::Value;

use super::{Reach, policy, raw, redact::OPEN_LABELS};
use crate::engine::{Container, Detail, Volume, containers::Listed, spec::Spec};

/// Stands where a secret may be.
const SECRET: &str = "hunter2-was-planted";
/// The same for numbers.
const NUMBER: u64 = 7_243_918_273_645;

/// What may stand in a place.
enum Place {
    /// What everybody may know.
    Open,
    /// A name that everybody may know, and a value.
    Pair,
    /// A secret.
    Secret,
}

/// Plants a secret in every place of a JSON where one may be.
fn plant(value: &mut Value, path: &mut Vec<String>, place: &dyn Fn(&[&str]) -> Place) {
    let words: Vec<&str> = path.iter().map(String::as_str).collect();
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                path.push(key.clone());
                plant(value, path, place);
                path.pop();
            }
        }
        Value::Array(list) => {
            path.push("*".to_owned());
            list.iter_mut().for_each(|value| plant(value, path, place));
            path.pop();
        }
        Value::String(text) => match place(&words) {
            Place::Open => {}
            Place::Pair => *text = format!("NAME={SECRET}"),
            Place::Secret => SECRET.clone_into(text),
        },
        Value::Number(_) => {
            if matches!(place(&words), Place::Secret) {
                *value = NUMBER.into();
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

fn planted(raw: &Value, place: &dyn Fn(&[&str]) -> Place) -> Value {
    let mut raw = raw.clone();
    plant(&mut raw, &mut Vec::new(), place);
    raw
}

/// An option of a driver: some are known to be no secrets.
fn of_option(key: &str) -> Place {
    match key {
        "o" => Place::Pair,
        key if super::options::SETTINGS.contains(&key) => Place::Open,
        _ => Place::Secret,
    }
}

/// What nobody is shown of a container who has not asked for it; none where that is not for this to say.
fn masked_of_container(path: &[&str]) -> Option<Place> {
    match path {
        ["Config", "Env", _] => Some(Place::Pair),
        ["HostConfig", "LogConfig", "Config", _] => Some(Place::Secret),
        ["HostConfig", "Mounts", _, "VolumeOptions", "DriverConfig", "Options", key] => Some(of_option(key)),
        _ => None,
    }
}

/// The same of a volume.
fn masked_of_volume(path: &[&str]) -> Option<Place> {
    match path {
        ["Options", key] => Some(of_option(key)),
        _ => None,
    }
}

/// To who only looks, all is a secret that is not known to be harmless.
fn hidden(harmless: &str, path: &[&str]) -> Place {
    let is_open_label = |key: &str| OPEN_LABELS.contains(&key);
    match path {
        ["Config", "Labels", key] | ["Labels", key] if is_open_label(key) => Place::Open,
        path if raw::is_among(harmless, path) => Place::Open,
        _ => Place::Secret,
    }
}

fn has_no_secret(told: &impl Debug) {
    let told = format!("{told:?}");
    assert!(!told.contains(SECRET) && !told.contains(&NUMBER.to_string()), "{told}");
}

/// Everything about a container or a volume: no secret in it is told to who may not know it.
pub fn inspect(data: &[u8]) {
    let Ok(whole) = serde_json::from_slice::<Value>(data) else { return };
    let text = whole.to_string();
    if text.contains(SECRET) || text.contains(&NUMBER.to_string()) {
        return;
    }
    assert_eq!(raw::container(&Reach::everything(), whole.clone()), whole);
    for reach in [Reach::viewer(vec![]), Reach::operator(vec![])] {
        let other = |harmless, path: &[&str]| if reach.hides() { hidden(harmless, path) } else { Place::Open };
        let of_container = |path: &[&str]| masked_of_container(path).unwrap_or_else(|| other(raw::CONTAINER, path));
        let of_volume = |path: &[&str]| masked_of_volume(path).unwrap_or_else(|| other(raw::VOLUME, path));
        let (container, volume) = (planted(&whole, &of_container), planted(&whole, &of_volume));
        has_no_secret(&raw::container(&reach, container.clone()));
        if let Ok(detail) = Detail::read(container) {
            has_no_secret(&reach.detail(&Arc::new(detail)));
        }
        has_no_secret(&raw::volume(&reach, volume.clone()));
        if let Ok(volume) = serde_json::from_value::<Volume>(volume) {
            let volume = Volume { options: super::masked_options(&volume.options), ..volume };
            has_no_secret(&reach.volume(&Arc::new(volume)));
        }
    }
}

/// The same without what is not there, in other words.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let there = map.iter().filter(|(_, value)| !value.is_null());
            Value::Object(there.map(|(key, value)| (key.clone(), without_nulls(value))).collect())
        }
        Value::Array(list) => Value::Array(list.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
}

/// The list of containers: what is `null` is what is not there, and who only looks is told no command and no labels.
pub fn list(data: &[u8]) {
    let read = |value: Value| serde_json::from_value::<Vec<Listed>>(value);
    let contained = |listed: Listed| -> Arc<Container> { Arc::new(listed.into_container(jiff::Timestamp::UNIX_EPOCH)) };
    let Ok(whole) = serde_json::from_slice::<Value>(data) else { return };
    let Ok(listed) = read(whole.clone()) else { return };
    let containers: Vec<_> = listed.into_iter().map(contained).collect();
    for container in &containers {
        let _ = (container.attention(), container.verbs(true), container.verbs(false), container.stack());
    }
    let again = read(without_nulls(&whole)).map(|listed| listed.into_iter().map(contained).collect::<Vec<_>>());
    assert_eq!(again.ok(), Some(containers));
    let secret = |path: &[&str]| match path {
        [_, "Command"] => Place::Secret,
        [_, "Labels", key] if !OPEN_LABELS.contains(key) => Place::Secret,
        _ => Place::Open,
    };
    if !whole.to_string().contains(SECRET) {
        let viewer = Reach::viewer(vec![]);
        for listed in read(planted(&whole, &secret)).into_iter().flatten() {
            has_no_secret(&viewer.container(&contained(listed)));
        }
    }
}

/// Whether anybody may make it who may make containers at all.
pub fn is_for_anybody(spec: &Spec) -> bool {
    policy::check(spec).is_ok()
}
