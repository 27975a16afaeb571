//! For orchestrators: does the process live, does the engine answer.

use axum::http::StatusCode;

use super::extract::Page;
use crate::engine::Link;

/// The process lives.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// The engine answers; else 503, and why not: to whom we know, since it tells of the host.
pub(super) async fn readyz(page: Page) -> (StatusCode, String) {
    match &page.picture.link {
        Link::Live => (StatusCode::OK, "ready\n".to_owned()),
        Link::Down { why, .. } if page.asker.is_known() => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n"))
        }
        Link::Down { .. } => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n".to_owned()),
    }
}
