//! Live connections both ways: the one place that asks where an upgrade comes from. A page of another site can open a
//! socket to us, and the browser sends the cookie along: nothing but the Origin tells (S015).

use std::sync::Arc;

use axum::{
    Extension,
    extract::{FromRequestParts, Request, State, WebSocketUpgrade, ws::WebSocket},
    http::{StatusCode, request::Parts},
    middleware::Next,
    response::Response,
};

use super::{
    AppState, Asker, Error,
    asker::Lease,
    extract::Page,
    security::{Stranger, host},
    stream::Place,
};

/// The largest message that is read, in bytes; the handler decides what is too large for it.
const READ: usize = (1 << 20) + (64 << 10);
/// What waits to be sent, in bytes.
const WRITE: usize = 64 << 10;

/// A request for a live connection both ways, from a page of ours, which has a place.
pub struct Socket {
    /// Who asks, and what they see.
    pub page: Page,
    upgrade: WebSocketUpgrade,
    place: Place,
    lease: Lease,
}

/// A live connection both ways.
pub struct Connected {
    /// The connection.
    pub socket: WebSocket,
    /// The right to it.
    pub lease: Lease,
    /// Held for its drop.
    _place: Place,
}

impl FromRequestParts<AppState> for Socket {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Error> {
        let Ok(page) = Page::from_request_parts(parts, state).await;
        let upgrade = WebSocketUpgrade::from_request_parts(parts, state).await.map_err(|_| {
            Error::new(
                StatusCode::UPGRADE_REQUIRED,
                "This is the live connection of a page.",
                "It takes a WebSocket. If a proxy stands in between, let it pass on Upgrade and Connection: see the README.",
            )
        })?;
        let place = Place::take(&state.streams, &page.asker).ok_or_else(Error::too_many_streams)?;
        let lease = page.asker.lease();
        Ok(Self { page, upgrade, place, lease })
    }
}

impl Socket {
    /// Opens it, and has `work` with it.
    pub fn open<F>(self, work: impl FnOnce(Connected) -> F + Send + 'static) -> Response
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Self { upgrade, place, lease, .. } = self;
        let upgrade = upgrade
            .max_message_size(READ)
            .max_frame_size(READ)
            .read_buffer_size(16 << 10)
            .write_buffer_size(0)
            .max_write_buffer_size(WRITE + READ);
        upgrade.on_upgrade(move |socket| work(Connected { socket, lease, _place: place }))
    }
}

/// Lets in what comes from a page of ours, or from what is no browser; before anything of it is looked at.
pub(super) async fn from_us(
    State(state): State<AppState>,
    Extension(asker): Extension<Arc<Asker>>,
    request: Request,
    next: Next,
) -> Result<Response, Error> {
    let host = host(request.uri(), request.headers()).unwrap_or_default();
    let own = format!("{}://{host}", if asker.client.is_secure { "https" } else { "http" });
    if let Err(Stranger { origin, wanted }) = state.guards.is_own_socket(request.headers(), own, asker.has_cookie()) {
        tracing::warn!(origin, wanted, "a socket from a page that is not ours was refused; see --public-url");
        if asker.is_known() {
            asker.refused(request.uri().path(), format!("a socket came from {origin}")).await;
        }
        return Err(Error::foreign_write(&origin, &wanted));
    }
    Ok(next.run(request).await)
}
