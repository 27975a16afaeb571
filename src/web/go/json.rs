//! The same for scripts.

use serde::Serialize;
use utoipa::ToSchema;

use crate::web::doc::{Doc, Field};

pub(super) fn doc() -> Doc {
    Doc::new("Find things, or where a docker command leads")
        .about("Nothing is done: of `docker stop web` the answer names the page that would ask, and the path is also that of the action.")
        .query([Field::text("q", "What to look for, or a docker command, with or without `docker`.", "stop web")])
        .gives::<Answer>(200, "What was found, the likeliest first.")
}

/// What came of a text.
#[derive(Serialize, ToSchema)]
#[schema(as = GoAnswer)]
pub struct Answer {
    /// Whether it was read as a docker command.
    is_command: bool,
    /// The one place that was meant, if that is clear.
    path: Option<String>,
    /// What of a command was left out, or is not there.
    notes: Vec<String>,
    /// Why a command may not be given.
    refused: Option<String>,
    /// What was found, the likeliest first; of each kind a few.
    items: Vec<Item>,
}

/// Something that was found.
#[derive(Serialize, ToSchema)]
#[schema(as = GoItem)]
pub struct Item {
    /// command, containers, images, volumes, networks, pages or jobs.
    kind: &'static str,
    /// Its name; of a command, what it does.
    name: String,
    /// Where it is on this console.
    path: String,
    /// More of it: of a command, how docker is told the same.
    about: String,
    /// Of a container, its state.
    state: Option<String>,
}

impl Item {
    fn new(kind: &'static str, hit: &super::Hit) -> Self {
        let state = hit.mark.as_ref().map(|mark| mark.text.clone());
        Self { kind, name: hit.name.clone(), path: hit.path.clone(), about: hit.about.clone(), state }
    }
}

impl Answer {
    pub(super) fn new(answer: &super::Answer<'_>) -> Self {
        let landing = answer.landing.as_ref();
        let commands = |landing: Option<&'_ super::Landing>| {
            let hits = landing.into_iter().flat_map(|landing| &landing.hits);
            hits.map(|hit| Item::new("command", hit)).collect::<Vec<_>>()
        };
        let kinds = answer.kinds.iter().flat_map(|kind| kind.hits.iter().map(|hit| Item::new(kind.word, hit)));
        Self {
            is_command: landing.is_some(),
            path: answer.sure().map(str::to_owned),
            notes: landing.map(|landing| landing.notes.clone()).unwrap_or_default(),
            refused: landing.and_then(|landing| landing.refusal.clone()),
            items: commands(answer.landing_first())
                .into_iter()
                .chain(kinds)
                .chain(commands(answer.landing_last()))
                .collect(),
        }
    }
}
