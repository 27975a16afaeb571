//! Logs: of one container, or of several by their time. A page that works by itself, a window for its script, what
//! comes, what is searched for, and all of it as a file.

mod asked;
mod docs;
mod download;
mod draw;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod json;
mod lines;
mod page;
mod search;
mod stream;

use super::Routes;
use crate::team::Right;

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/containers/{id}/logs", Right::Look, page::one)
        .doc(docs::one())
        .get("/logs", Right::Look, page::several)
        .doc(docs::several())
        .get("/logs/lines", Right::Look, lines::window)
        .doc(docs::lines())
        .get("/logs/stream", Right::Look, stream::follow)
        .get("/logs/search", Right::Look, search::search)
        .get("/logs/download", Right::Look, download::download)
}
