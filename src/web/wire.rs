//! The wire to the browser: whether it is encrypted, and what follows from that.

use axum::{
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header::LOCATION},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{client::Client, security::host};

/// What the settings say about it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wire {
    /// We speak TLS ourselves: who comes without is sent over.
    pub is_tls: bool,
    /// The certificate is one that browsers take: they may insist on it. With our own, that would lock people out.
    pub is_trusted: bool,
    /// Others are on the way: a page that comes unencrypted says so.
    pub warns: bool,
}

impl Wire {
    /// Whether this client's page has to say that it is not encrypted.
    pub fn is_open(self, client: Client) -> bool {
        self.warns && !client.is_secure
    }

    /// What to tell the browser for its next visits.
    pub fn insists(self, client: Client) -> Option<HeaderValue> {
        (self.is_trusted && client.is_secure).then(|| HeaderValue::from_static("max-age=31536000"))
    }
}

/// Sends who speaks plain HTTP to a port with TLS over to HTTPS; but for the health check of this machine, which no
/// certificate should be able to break.
pub(super) async fn encrypted(State(wire): State<Wire>, client: Client, request: Request, next: Next) -> Response {
    let is_check =
        request.method() == Method::GET && request.uri().path() == "/healthz" && client.address.is_loopback();
    if !wire.is_tls || client.is_secure || is_check {
        return next.run(request).await;
    }
    let here = request.uri().path_and_query().map_or("/", |here| here.as_str());
    let there = host(request.uri(), request.headers()).map(|host| format!("https://{host}{here}"));
    match there.and_then(|there| HeaderValue::try_from(there).ok()) {
        Some(there) => (StatusCode::PERMANENT_REDIRECT, [(LOCATION, there)]).into_response(),
        None => StatusCode::BAD_REQUEST.into_response(),
    }
}
