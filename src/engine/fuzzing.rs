//! What has to hold for whatever the engine says, and for names of things: see [`crate::fuzzing`].
#![expect(clippy::missing_panics_doc, reason = "what does not hold panics: that is what they are for")]

use std::{collections::BTreeMap, sync::Arc};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    Address, ContainerId, Error, Event, HIDDEN, Info, Picture, Reach, Scope, Signal, Version, VolumeName,
    containers::{SERVICE, STACK},
    events::Decoder,
    images,
    notes::Notes,
    stats::Stats,
    system, volumes, wire,
};
pub use super::{
    logs::fuzzing::log,
    reach::fuzzing::{inspect, is_for_anybody, list},
};

/// Bytes in pieces, cut by whatever `next` says.
pub(crate) fn chunks(data: &[u8], mut next: impl FnMut() -> usize) -> Vec<&[u8]> {
    let (mut chunks, mut rest) = (Vec::new(), data);
    while !rest.is_empty() {
        let (chunk, left) = rest.split_at(next().clamp(1, rest.len()));
        chunks.push(chunk);
        rest = left;
    }
    chunks
}

/// The events in pieces.
fn decoded(data: &[u8], next: impl FnMut() -> usize) -> Vec<Event> {
    let (mut decoder, mut found) = (Decoder::default(), Vec::new());
    for chunk in chunks(data, next) {
        decoder.push(chunk);
        while let Ok(Some(event)) = decoder.next() {
            found.push(event);
        }
    }
    found
}

/// The events: the same wherever the stream is cut, and no command line or label of them is told.
pub fn events(data: &[u8]) {
    let whole = decoded(data, || usize::MAX);
    assert_eq!(decoded(data, || 1), whole);
    // Any numbers will do, as long as each input has its own.
    let mut state = data.iter().fold(1_u32, |state, byte| state.wrapping_mul(31).wrapping_add(u32::from(*byte)));
    let any = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        usize::try_from(state >> 27).unwrap_or_default()
    };
    assert_eq!(decoded(data, any), whole);
    let viewer = Reach::viewer(vec![]);
    let scoped = Reach::viewer(vec![Scope::Label { key: "team".to_owned(), value: Some("red".to_owned()) }]);
    let mut notes = Notes::default();
    for event in whole {
        assert!(!event.action.contains(':') && (event.detail.is_none() || event.action == "health_status"));
        let event = Arc::new(event);
        notes.hear(&event);
        let _ = (notes.is_recent(event.at), notes.recent_ends(event.at), event.is_noise());
        let told = viewer.event(&event);
        for (key, value) in told.attributes.iter().filter(|_| event.kind == "container") {
            let open = ["name", "image", "oldName", "exitCode", "signal", "execDuration", STACK, SERVICE];
            assert!(open.contains(&key.as_str()) || value == HIDDEN, "{key}={value}");
        }
        let is_red = event.attributes.get("team").is_some_and(|team| team == "red");
        assert!(!scoped.hears(&event, &Picture::default()) || (is_red && event.kind == "container"), "{event:?}");
    }
}

fn read<T: DeserializeOwned>(value: &Value) -> Option<T> {
    T::deserialize(value).ok()
}

/// The other answers of the engine, and its refusals.
pub fn answers(data: &[u8]) {
    let message = wire::message(data);
    let _ = Error::from_status(409, message);
    let Ok(value) = serde_json::from_slice::<Value>(data) else { return };
    if let Some(version) = read::<Version>(&value) {
        let _ = version.title();
        let spoken = version.negotiate().ok();
        let within = |spoken: &str| {
            system::Api::parse(spoken).is_some_and(|api| (system::OLDEST..=system::NEWEST).contains(&api))
        };
        assert!(spoken.as_deref().is_none_or(within), "{spoken:?}");
    }
    let _ = read::<Info>(&value).map(|info| info.skew());
    let _ = read::<Stats>(&value).map(|stats| stats.memory_stats.used());
    images::reads(&value);
    for volume in volumes::read(read(&value).unwrap_or_default()) {
        let _ = (volume.is_anonymous(), volume.host_path());
        let known = ["o", "device", "addr", "size", "uid", "gid", "mode", "file_mode", "dir_mode"];
        let known_too = ["nfsvers", "vers", "proto", "port", "type"];
        let is_open = |key: &str| known.contains(&key) || known_too.contains(&key);
        assert!(volume.options.iter().all(|(key, value)| is_open(key) || value == HIDDEN), "{:?}", volume.options);
        assert!(volume.options.get("device").is_none_or(|device| !device.contains('@')), "{:?}", volume.options);
    }
    let _ = volumes::sizes(&value);
}

/// Whether a text stays one whole segment of the path that is asked for.
fn is_segment(name: &str) -> bool {
    let asked = url::Url::parse(&format!("http://engine/things/{name}/json"));
    asked.is_ok_and(|url| url.path() == format!("/things/{name}/json") && url.query().is_none())
}

/// Names of things, a line each: what is one is written as it was read, and cannot leave its place in a path. Scopes:
/// what is put into them is in them.
pub fn names(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (mut scope, mut labels) = (Vec::new(), BTreeMap::new());
    for line in text.split('\n') {
        if let Ok(id) = line.parse::<ContainerId>() {
            assert!(id.to_string() == line && id.short().len() == 12 && is_segment(line), "{line}");
        }
        if let Ok(name) = line.parse::<VolumeName>() {
            assert!(name.to_string() == line && is_segment(line), "{line}");
        }
        if let Ok(signal) = line.parse::<Signal>() {
            assert_eq!(signal.as_str().parse(), Ok(signal.clone()));
            assert_eq!(
                signal.is_final(),
                ["KILL", "SIGKILL", "9", "SIG9"].contains(&line.trim().to_uppercase().as_str())
            );
            assert!(signal.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b"+-".contains(&b)), "{line}");
        }
        if let Ok(address) = line.parse::<Address>() {
            assert_eq!(address.to_string().parse(), Ok(address), "{line}");
        }
        let (name, tag) = images::split_reference(line);
        let whole = [format!("{name}@{tag}"), format!("{name}:{tag}")];
        assert!(whole.iter().any(|whole| *whole == line) || (name == line && tag == "latest"), "{line}");
        if let Ok(part) = line.parse::<Scope>() {
            assert_eq!(part.to_string().parse(), Ok(part.clone()), "{line}");
            scope.push(part);
        } else if let Some((key, value)) = line.split_once('=') {
            labels.insert(key.to_owned(), value.to_owned());
        }
    }
    let (reach, mut claimed) = (Reach::operator(scope), labels.clone());
    if reach.claim(&mut claimed).is_ok() {
        assert!(reach.takes(&claimed), "{claimed:?} is not in {:?}", reach.scope);
        assert!(labels.iter().all(|(key, value)| claimed.get(key) == Some(value)), "{labels:?} became {claimed:?}");
    }
}
