//! Containers: the list, one of them, making one, and what can be done to them.

mod actions;
mod changes;
mod commit;
mod create;
mod detail;
mod docs;
pub(super) mod draft;
mod edit;
mod export;
mod fill;
mod form;
pub(super) mod frame;
mod health;
mod history;
pub mod json;
mod list;
mod paste;
mod processes;
mod quiet;
mod recipe;
mod remarks;
mod removed;
mod row;
mod seek;
mod stats;
mod terminal;
mod update;
pub(super) mod view;
pub(super) mod words;

pub use self::{
    frame::{Frame, Tab, find},
    row::{PortLink, StateMark},
    view::finds,
};
use super::Routes;
use crate::team::Right;

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/containers", Right::Look, list::page)
        .doc(docs::list())
        .post("/containers", Right::Create, create::submit)
        .doc(docs::create())
        .get("/containers/stream", Right::Look, list::stream)
        .get("/containers/new", Right::Create, create::page)
        .doc(docs::form())
        .post("/containers/new/line", Right::Create, paste::paste)
        .doc(docs::paste())
        .post("/containers/new/network", Right::Create, create::make_network)
        .post("/containers/draft", Right::Create, create::draft)
        .doc(docs::draft())
        .get("/containers/confirm", Right::Operate, actions::confirm_many)
        .doc(docs::confirm_many())
        .post("/containers/bulk", Right::Operate, actions::bulk)
        .doc(docs::bulk())
        .get("/containers/{id}", Right::Look, detail::page)
        .doc(docs::detail())
        .get("/containers/{id}/stream", Right::Look, detail::stream)
        .get("/containers/{id}/head/stream", Right::Look, frame::stream)
        .get("/containers/{id}/inspect", Right::Look, detail::inspect)
        .doc(docs::inspect())
        .get("/containers/{id}/inspect.json", Right::Look, detail::raw)
        .and(processes::routes())
        .and(changes::routes())
        .and(health::routes())
        .and(commit::routes())
        .and(export::routes())
        .and(history::routes())
        .and(recipe::routes())
        .and(edit::routes())
        .and(removed::routes())
        .get("/containers/{id}/{verb}", Right::Operate, actions::confirm)
        .docs(docs::confirm())
        .post("/containers/{id}/{verb}", Right::Operate, actions::act)
        .docs(docs::act())
        .and(terminal::routes())
        .and(stats::routes())
        .and(update::routes())
        .and(super::files::of_containers())
}
