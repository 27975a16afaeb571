//! What the engine says of itself: `GET /events`, line by line.

mod files;
mod kept;

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use jiff::Timestamp;
use serde::Deserialize;

pub(super) use self::kept::Keeping;
pub use self::{
    files::{EventCursor, Kept as KeptEvent},
    kept::{EventFilter, FoundEvents, KeepEvents},
};
use super::{Error, Outage, containers::or_default, ids::is_hex64};

/// The longest line that is taken for an event; a longer one ends the stream and so causes a fresh list.
const LINE: usize = 1 << 20;

/// What the engine writes into the events of containers. Source: moby, `daemon/events.go` and its callers.
const OWN_WORDS: [&str; 9] =
    ["name", "image", "exitCode", "signal", "oldName", "comment", "execID", "execDuration", "size"];

/// Something that happened at the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// container, image, volume, network, ...
    pub kind: String,
    /// create, start, die, ... without what follows a colon: `exec_start: sh -c ...` holds a command line, which
    /// may hold secrets (S044).
    pub action: String,
    /// What followed the colon, for `health_status` only.
    pub detail: Option<String>,
    /// The full id of whom it happened to; a volume's name.
    pub id: String,
    /// The name of whom it happened to, where the engine tells.
    pub name: String,
    /// What else the engine tells.
    pub attributes: BTreeMap<String, String>,
    /// When, by the engine's clock.
    pub at: Timestamp,
}

#[derive(Deserialize)]
struct Line {
    #[serde(default, rename = "Type", deserialize_with = "or_default")]
    kind: String,
    #[serde(default, rename = "Action", deserialize_with = "or_default")]
    action: String,
    #[serde(default, rename = "Actor", deserialize_with = "or_default")]
    actor: Actor,
    #[serde(default)]
    time: i64,
    #[serde(default, rename = "timeNano")]
    nanos: i64,
}

#[derive(Default, Deserialize)]
struct Actor {
    #[serde(default, rename = "ID", deserialize_with = "or_default")]
    id: String,
    #[serde(default, rename = "Attributes", deserialize_with = "or_default")]
    attributes: BTreeMap<String, String>,
}

impl Event {
    fn parse(line: &[u8]) -> Option<Self> {
        let line: Line = serde_json::from_slice(line).ok()?;
        let (action, detail) = match line.action.split_once(':') {
            Some((action, detail)) if action == "health_status" => (action, Some(detail.trim().to_owned())),
            Some((action, _)) => (action, None),
            None => (line.action.as_str(), None),
        };
        // Podman's own words for two of them.
        let action = match action {
            "died" => "die",
            "remove" if line.kind == "container" => "destroy",
            other => other,
        };
        let at = if line.nanos > 0 {
            Timestamp::from_nanosecond(i128::from(line.nanos))
        } else {
            Timestamp::from_second(line.time)
        };
        let name = line.actor.attributes.get("name").cloned();
        Some(Self {
            action: action.to_owned(),
            detail,
            name: name.unwrap_or_else(|| line.actor.id.clone()),
            kind: line.kind,
            id: line.actor.id,
            attributes: line.actor.attributes,
            at: at.ok()?,
        })
    }

    /// What its container ended with, where the event tells. Podman has a word of its own for it.
    pub fn exit_code(&self) -> Option<i64> {
        let is_end = self.action == "die";
        self.number("exitCode").or_else(|| self.number("containerExitCode")).filter(|_| is_end)
    }

    /// A number among its attributes: `exitCode`, `signal`.
    pub fn number(&self, attribute: &str) -> Option<i64> {
        self.attributes.get(attribute)?.parse().ok()
    }

    /// Whether the engine itself writes this attribute into the events of containers, over a label of that name.
    pub(super) fn is_own_word(&self, attribute: &str) -> bool {
        OWN_WORDS.contains(&attribute)
    }

    /// Whether a value among its attributes is known to be no secret. A container's labels are among them, under any
    /// name.
    pub(super) fn is_harmless(&self, attribute: &str, value: &str) -> bool {
        let is_number = || value.bytes().all(|byte| byte.is_ascii_digit());
        match (self.kind.as_str(), attribute) {
            ("container", "name" | "image") => true,
            ("container", "oldName") => self.action == "rename",
            ("container", "exitCode" | "containerExitCode" | "signal" | "execDuration") => is_number(),
            ("container", _) => false,
            (_, "container") => is_hex64(value),
            ("network", "name" | "type") => true,
            ("volume", "driver" | "destination" | "propagation" | "read/write") => true,
            ("image", "name") => matches!(self.action.as_str(), "pull" | "push" | "tag" | "untag"),
            _ => false,
        }
    }

    /// Whether somebody only looked, or ran a command inside: nothing of what is shown changes, and health checks make
    /// several of these a minute.
    pub fn is_noise(&self) -> bool {
        let looked = matches!(self.action.as_str(), "attach" | "detach" | "resize" | "top" | "export" | "archive-path");
        self.action.starts_with("exec_") || looked
    }
}

/// All events of an answer that has ended.
pub(super) fn all(answer: &[u8]) -> Vec<Event> {
    answer.split(|byte| *byte == b'\n').filter_map(Event::parse).collect()
}

/// Takes the stream apart into its lines, wherever it is cut.
#[derive(Default)]
pub(super) struct Decoder {
    rest: BytesMut,
}

impl Decoder {
    pub(super) fn push(&mut self, chunk: &[u8]) {
        self.rest.extend_from_slice(chunk);
    }

    /// The next event that is there whole.
    pub(super) fn next(&mut self) -> Result<Option<Event>, Error> {
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line = self.rest.split_to(end + 1);
            if let Some(event) = Event::parse(&line) {
                return Ok(Some(event));
            }
        }
        if self.rest.len() > LINE {
            return Err(Error::Unreachable(Outage::Other("an event longer than a megabyte".to_owned())));
        }
        Ok(None)
    }
}

/// The open stream. It must be read without pause: an engine whose reader stalls slows down and drops events (S058).
pub(super) struct Events {
    body: Incoming,
    decoder: Decoder,
}

impl Events {
    pub(super) fn new(body: Incoming) -> Self {
        Self { body, decoder: Decoder::default() }
    }

    /// Waits for the next event. Any end is an error: this stream has none of its own.
    pub(super) async fn next(&mut self) -> Result<Event, Error> {
        loop {
            if let Some(event) = self.decoder.next()? {
                return Ok(event);
            }
            let chunk: Bytes = match self.body.frame().await {
                Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
                Some(Err(_)) | None => return Err(Error::Unreachable(Outage::Broken)),
            };
            self.decoder.push(&chunk);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_in_an_event_is_not_kept() {
        let line = br#"{"Type":"container","Action":"exec_start: sh -c echo hunter2","Actor":{"ID":"x","Attributes":{"name":"web"}},"time":5}"#;
        let event = Event::parse(line).map(|event| (event.action, event.detail, event.name, event.at.as_second()));
        assert_eq!(event, Some(("exec_start".to_owned(), None, "web".to_owned(), 5)));
        let line =
            br#"{"Type":"container","Action":"health_status: unhealthy","Actor":{"ID":"x"},"timeNano":7000000000}"#;
        let event = Event::parse(line).map(|event| (event.detail, event.name, event.at.as_second()));
        assert_eq!(event, Some((Some("unhealthy".to_owned()), "x".to_owned(), 7)));
        assert_eq!(Event::parse(b"{\"truncated"), None);
    }
}
