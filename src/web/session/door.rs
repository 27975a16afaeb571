//! What stands around the pages that are shown to strangers: nothing of what is inside.

use axum::{
    http::{HeaderValue, StatusCode, header::SET_COOKIE},
    response::{IntoResponse, Response},
};

use crate::{
    team::{Device, Signed},
    web::{
        Client,
        cookie::{self, SameSite},
        extract::{Page, see_other},
    },
};

/// Everything that `door.html` prints besides the page itself.
pub struct Door {
    /// `light`, `dark` or empty.
    pub theme: &'static str,
    /// Whether others on the way can read it.
    pub is_open: bool,
}

impl Door {
    /// Around this page.
    pub fn new(page: &Page) -> Self {
        Self { theme: page.theme, is_open: page.is_open }
    }
}

/// Where somebody signs in from.
pub fn device(page: &Page) -> Device {
    Device { address: page.asker.client.address, agent: page.agent.clone() }
}

/// Somebody is in: 303 to `next`, with the session's cookie.
pub fn enter(client: Client, signed: &Signed, next: &str) -> Response {
    let mut response = see_other(next);
    with(&mut response, cookie::write(client, cookie::session(client), &signed.cookie, None, SameSite::Strict));
    response
}

/// Adds a cookie to an answer.
pub fn with(response: &mut Response, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}

/// The same page with a status of its own.
pub fn status(status: StatusCode, page: impl IntoResponse) -> Response {
    (status, page).into_response()
}
