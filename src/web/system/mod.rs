//! The engine itself: what it is and what that means, what it warns of, what is known against it, what the disk is used
//! for, and how to be rid of what nothing uses.

mod disk;
mod docs;
mod facts;
pub mod json;
mod notices;
mod prune;
mod warnings;

pub use self::notices::Notices;
use super::Routes;
use crate::team::Right;

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/engine", Right::Look, facts::page)
        .doc(docs::engine())
        .post("/engine/notices", Right::Audit, notices::dismiss)
        .get("/engine/disk", Right::Look, disk::page)
        .doc(docs::disk())
        .get("/engine/disk/stream", Right::Look, disk::stream)
        .post("/engine/disk/measure", Right::Operate, disk::measure)
        .doc(docs::measure())
        .get("/engine/prune", Right::Remove, prune::confirm)
        .doc(docs::confirm_prune())
        .post("/engine/prune", Right::Remove, prune::prune)
        .doc(docs::prune())
}

/// The tabs of the engine's pages.
const TABS: [(&str, &str); 2] = [("/engine", "About"), ("/engine/disk", "Disk use")];
