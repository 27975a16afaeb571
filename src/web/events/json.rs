//! Events as scripts see them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    engine::{self, Picture},
    web::{containers::words, doc::Doc},
};

/// Something that happened at the engine.
#[derive(Serialize, ToSchema)]
pub struct Event {
    /// When, by the engine's clock.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// container, volume, image, network, ...
    kind: String,
    /// create, start, die, ...
    action: String,
    /// The full id of whom it happened to; a volume's name.
    id: String,
    /// Its name.
    name: String,
    /// What else the engine tells.
    attributes: BTreeMap<String, String>,
    /// What happened, in words.
    says: String,
}

impl Event {
    /// As this picture knows it.
    pub fn new(event: &engine::Event, picture: &Picture) -> Self {
        Self {
            at: event.at,
            kind: event.kind.clone(),
            action: event.action.clone(),
            id: event.id.clone(),
            name: words::subject(event, picture),
            attributes: event.attributes.clone(),
            says: words::event(event),
        }
    }
}

/// What scripts are told of `GET /events`.
pub fn doc() -> Doc {
    Doc::new("List what the engine said lately, newest first").lists::<Event>("The last 200 events.")
}

/// What scripts are told of `GET /events/search`.
pub fn search_doc() -> Doc {
    Doc::new("Search the events of the last month, newest first, 100 to a page")
        .about("`/events.jsonl` takes the same fields and has all of them, an event a line.")
        .query(super::search::fields())
        .lists_newest::<Event>("Those that fit.")
        .fails(501)
}
