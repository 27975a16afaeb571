//! Containers: the list, one of them, making one, and what can be done to them.

mod actions;
mod create;
mod detail;
mod draft;
mod list;
mod row;
mod view;
pub(super) mod words;

use axum::{
    Router,
    routing::{get, post},
};

pub use self::row::StateMark;
use super::AppState;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/containers", get(list::page).post(create::submit))
        .route("/containers/stream", get(list::stream))
        .route("/containers/new", get(create::page))
        .route("/containers/draft", post(create::draft))
        .route("/containers/confirm", get(actions::confirm_many))
        .route("/containers/bulk", post(actions::bulk))
        .route("/containers/{id}", get(detail::page))
        .route("/containers/{id}/stream", get(detail::stream))
        .route("/containers/{id}/inspect", get(detail::inspect))
        .route("/containers/{id}/inspect.json", get(detail::raw))
        .route("/containers/{id}/{verb}", get(actions::confirm).post(actions::act))
}
