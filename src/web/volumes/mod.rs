//! Volumes: the list, one of them, making one, removing, pruning.

mod actions;
mod list;

use axum::{
    Router,
    routing::{get, post},
};

use super::AppState;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/volumes", get(list::page).post(actions::create))
        .route("/volumes/stream", get(list::stream))
        .route("/volumes/new", get(actions::new))
        .route("/volumes/measure", post(actions::measure))
        .route("/volumes/prune", get(actions::confirm_prune).post(actions::prune))
        .route("/volumes/{name}", get(list::detail))
        .route("/volumes/{name}/inspect.json", get(list::raw))
        .route("/volumes/{name}/remove", get(actions::confirm_remove).post(actions::remove))
}
