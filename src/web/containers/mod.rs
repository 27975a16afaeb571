//! Containers: the list, one of them, making one, and what can be done to them.

mod actions;
mod create;
mod detail;
pub(super) mod draft;
pub mod json;
mod list;
mod row;
pub(super) mod view;
pub(super) mod words;

pub use self::row::StateMark;
use super::Routes;
use crate::team::Right;

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/containers", Right::Look, list::page)
        .post("/containers", Right::Create, create::submit)
        .get("/containers/stream", Right::Look, list::stream)
        .get("/containers/new", Right::Create, create::page)
        .post("/containers/draft", Right::Create, create::draft)
        .get("/containers/confirm", Right::Operate, actions::confirm_many)
        .post("/containers/bulk", Right::Operate, actions::bulk)
        .get("/containers/{id}", Right::Look, detail::page)
        .get("/containers/{id}/stream", Right::Look, detail::stream)
        .get("/containers/{id}/inspect", Right::Look, detail::inspect)
        .get("/containers/{id}/inspect.json", Right::Look, detail::raw)
        .get("/containers/{id}/{verb}", Right::Operate, actions::confirm)
        .post("/containers/{id}/{verb}", Right::Operate, actions::act)
}
