//! Images: the list, one of them, getting and sending them, and everything that is done to them.

mod change;
mod detail;
mod docs;
mod form;
pub mod json;
mod list;
mod prune;
mod pull;
mod transfer;
mod view;

pub use self::view::finds;
use super::Routes;
use crate::team::Right;

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/images", Right::Look, list::page)
        .doc(docs::list())
        .get("/images/stream", Right::Look, list::stream)
        .post("/images/measure", Right::Operate, list::measure)
        .doc(docs::measure())
        .get("/images/pull", Right::Create, pull::new)
        .doc(docs::form())
        .post("/images/pull", Right::Create, pull::pull)
        .doc(docs::pull())
        .get("/images/search", Right::Create, pull::search)
        .doc(docs::search())
        .post("/images/check", Right::Operate, pull::check)
        .doc(docs::check())
        .get("/images/prune", Right::Remove, prune::confirm)
        .doc(docs::confirm_prune())
        .post("/images/prune", Right::Remove, prune::prune)
        .doc(docs::prune())
        .get("/images/save", Right::Read, transfer::choose)
        .get("/images/save.tar", Right::Read, transfer::save)
        .get("/images/load", Right::Root, transfer::new_load)
        .post("/images/load", Right::Root, transfer::load)
        .takes(usize::MAX)
        .get("/images/import", Right::Create, transfer::new_import)
        .post("/images/import", Right::Create, transfer::import)
        .takes(usize::MAX)
        .get("/images/{id}", Right::Look, detail::detail)
        .doc(docs::detail())
        .get("/images/{id}/inspect.json", Right::Look, detail::raw)
        .doc(docs::raw())
        .get("/images/{id}/tag", Right::Create, change::new_tag)
        .doc(docs::new_tag())
        .post("/images/{id}/tag", Right::Create, change::tag)
        .doc(docs::tag())
        .get("/images/{id}/push", Right::Create, change::new_push)
        .doc(docs::new_push())
        .post("/images/{id}/push", Right::Create, change::push)
        .doc(docs::push())
        .get("/images/{id}/remove", Right::Remove, change::confirm_remove)
        .doc(docs::confirm_remove())
        .post("/images/{id}/remove", Right::Remove, change::remove)
        .doc(docs::remove())
}
