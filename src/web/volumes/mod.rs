//! Volumes: the list, one of them, making one, removing, pruning.

mod actions;
mod docs;
mod frame;
pub mod json;
mod list;

pub use self::{
    frame::VolumeFrame,
    list::{find, finds},
};
use super::Routes;
use crate::team::Right;

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/volumes", Right::Look, list::page)
        .doc(docs::list())
        .post("/volumes", Right::Create, actions::create)
        .doc(docs::create())
        .get("/volumes/stream", Right::Look, list::stream)
        .get("/volumes/new", Right::Create, actions::new)
        .doc(docs::form())
        .post("/volumes/measure", Right::Operate, actions::measure)
        .doc(docs::measure())
        .get("/volumes/prune", Right::Remove, actions::confirm_prune)
        .doc(docs::confirm_prune())
        .post("/volumes/prune", Right::Remove, actions::prune)
        .doc(docs::prune())
        .get("/volumes/{name}", Right::Look, list::detail)
        .doc(docs::detail())
        .get("/volumes/{name}/inspect.json", Right::Look, list::raw)
        .doc(docs::raw())
        .get("/volumes/{name}/remove", Right::Remove, actions::confirm_remove)
        .doc(docs::confirm_remove())
        .post("/volumes/{name}/remove", Right::Remove, actions::remove)
        .doc(docs::remove())
        .and(super::files::of_volumes())
}
