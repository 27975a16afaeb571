//! Networks: the list, one of them, making, joining, leaving, removing, pruning; who reaches whom, and the host's ports.

mod create;
mod docs;
mod drawing;
mod join;
mod json;
mod list;
mod map;
mod one;
mod ports;
mod remove;

pub use self::list::finds;
use super::Routes;
use crate::team::Right;

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/networks", Right::Look, list::page)
        .doc(docs::list())
        .post("/networks", Right::Create, create::create)
        .doc(docs::create())
        .get("/networks/stream", Right::Look, list::stream)
        .get("/networks/new", Right::Create, create::new)
        .doc(docs::form())
        .get("/networks/map", Right::Look, map::page)
        .doc(docs::map())
        .get("/networks/map/stream", Right::Look, map::stream)
        .get("/networks/ports", Right::Look, ports::page)
        .doc(docs::ports())
        .get("/networks/ports/stream", Right::Look, ports::stream)
        .get("/networks/connect", Right::Operate, join::form)
        .doc(docs::joining())
        .post("/networks/connect", Right::Operate, join::connect)
        .doc(docs::connect())
        .get("/networks/disconnect", Right::Operate, join::confirm_disconnect)
        .doc(docs::leaving())
        .post("/networks/disconnect", Right::Operate, join::disconnect)
        .doc(docs::disconnect())
        .get("/networks/prune", Right::Remove, remove::confirm_prune)
        .doc(docs::confirm_prune())
        .post("/networks/prune", Right::Remove, remove::prune)
        .doc(docs::prune())
        .get("/networks/{id}", Right::Look, one::page)
        .doc(docs::detail())
        .get("/networks/{id}/stream", Right::Look, one::stream)
        .get("/networks/{id}/inspect.json", Right::Look, one::raw)
        .doc(docs::raw())
        .get("/networks/{id}/remove", Right::Remove, remove::confirm)
        .doc(docs::confirm_remove())
        .post("/networks/{id}/remove", Right::Remove, remove::remove)
        .doc(docs::remove())
}
