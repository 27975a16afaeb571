//! For orchestrators: does the process live, does the engine answer.

use axum::{extract::State, http::StatusCode};

use crate::engine::{Engine, Link};

/// The process lives.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// The engine answers; else 503 and why not.
pub(super) async fn readyz(State(engine): State<Engine>) -> (StatusCode, String) {
    match &engine.picture().link {
        Link::Live => (StatusCode::OK, "ready\n".to_owned()),
        Link::Down { why, .. } => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")),
    }
}
