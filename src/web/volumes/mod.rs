//! Volumes: the list, one of them, making one, removing, pruning.

mod actions;
pub mod json;
mod list;

use super::Routes;
use crate::team::Right;

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/volumes", Right::Look, list::page)
        .post("/volumes", Right::Create, actions::create)
        .get("/volumes/stream", Right::Look, list::stream)
        .get("/volumes/new", Right::Create, actions::new)
        .post("/volumes/measure", Right::Operate, actions::measure)
        .get("/volumes/prune", Right::Remove, actions::confirm_prune)
        .post("/volumes/prune", Right::Remove, actions::prune)
        .get("/volumes/{name}", Right::Look, list::detail)
        .get("/volumes/{name}/inspect.json", Right::Look, list::raw)
        .get("/volumes/{name}/remove", Right::Remove, actions::confirm_remove)
        .post("/volumes/{name}/remove", Right::Remove, actions::remove)
}
