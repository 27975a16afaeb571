//! The activity as scripts see it.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::Line;
use crate::web::doc::{Doc, Field};

/// Something that somebody did.
#[derive(Serialize, ToSchema)]
pub struct Deed {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who.
    who: String,
    /// The docker command that does the same.
    command: String,
    /// begun, done, failed or refused.
    outcome: &'static str,
    /// Why it failed.
    why: String,
    /// What it was done to, by its name then.
    name: String,
    /// Where that is, if it is still there.
    location: Option<String>,
}

impl Deed {
    /// As the page shows it.
    pub(super) fn new(line: &Line) -> Self {
        Self {
            at: line.at,
            who: line.who.clone(),
            command: line.command.clone(),
            outcome: line.mark.2,
            why: line.why.clone(),
            name: line.name.clone(),
            location: line.path.clone(),
        }
    }
}

/// What scripts are told of `GET /activity`.
pub fn doc() -> Doc {
    Doc::new("List what people did, as docker commands, newest first")
        .query([Field::number("before", "Only what came before this entry: `older` has it.", 1, i64::MAX)])
        .lists_newest::<Deed>("What was done.")
}
