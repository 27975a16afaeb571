//! The audit as scripts see it.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::mark;
use crate::{
    team::{Recorded, Verdict},
    web::doc::{Doc, Field},
};

/// An entry of the audit.
#[derive(Serialize, ToSchema)]
pub struct AuditEntry {
    /// Its number; 1 is the first.
    seq: i64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who; empty for nobody.
    who: String,
    /// By what: a session, a token.
    via: String,
    /// From where.
    address: String,
    /// What, as `container.stop`.
    action: String,
    /// What kind of thing it was done to.
    kind: String,
    /// Its full id.
    object: String,
    /// Its name.
    name: String,
    /// The docker command that does the same.
    command: String,
    /// done, failed, refused, or unknown where the console ended in the middle.
    outcome: &'static str,
    /// Why, or anything else to say.
    why: String,
    /// Its hash, over itself and all before it, in hex.
    hash: String,
}

impl AuditEntry {
    /// As the page shows it.
    pub fn new(recorded: &Recorded) -> Self {
        let entry = &recorded.entry;
        Self {
            seq: recorded.seq,
            at: entry.at,
            who: entry.who.clone(),
            via: entry.via.clone(),
            address: entry.address.clone(),
            action: entry.action.clone(),
            kind: entry.kind.clone(),
            object: entry.object.clone(),
            name: entry.name.clone(),
            command: entry.command.clone(),
            outcome: mark(recorded).2,
            why: entry.why.clone(),
            hash: data_encoding::HEXLOWER.encode(&recorded.hash),
        }
    }
}

/// What became of the audit's chain.
#[derive(Serialize, ToSchema)]
pub struct Chain {
    /// Whether each entry follows from the one before.
    whole: bool,
    /// How many entries there are; the first that does not fit, where one does not.
    seq: i64,
    /// The last one's hash, in hex: kept elsewhere, it shows that nobody made a new chain.
    hash: Option<String>,
    /// What is wrong.
    why: Option<&'static str>,
}

impl Chain {
    /// As it was found.
    pub fn new(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Whole(seal) => {
                Self { whole: true, seq: seal.count, hash: Some(data_encoding::HEXLOWER.encode(&seal.hash)), why: None }
            }
            Verdict::Broken { seq, why } => Self { whole: false, seq: *seq, hash: None, why: Some(why) },
        }
    }
}

/// What scripts are told of `GET /audit`.
pub fn doc() -> Doc {
    Doc::new("List the audit, newest first")
        .query([
            Field::text("who", "Only what they did.", "ann"),
            Field::text("action", "Only this, or all that begin with it and a dot.", "container.stop"),
            Field::text("object", "Only what was done to this id, or to names that hold this.", "web"),
            Field::one_of("outcome", "Only what ended so.", ["done", "failed", "refused", "unknown"]),
            Field::text("from", "From then on: a day, the beginning of a time, or an age.", "2026-11-24"),
            Field::text("to", "Up to then, included.", "2026-11-24"),
            Field::text("q", "Only entries that hold this.", ""),
            Field::number("before", "Only what came before this entry: `older` has it.", 1, i64::MAX),
        ])
        .lists_newest::<AuditEntry>("Entries.")
        .fails(507)
}

/// What scripts are told of `GET /audit/verify`.
pub fn verify_doc() -> Doc {
    Doc::new("Verify that the audit is whole").gives::<Chain>(200, "What was found.").fails(507)
}
