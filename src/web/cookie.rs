//! Cookies: what a browser keeps for us, and nothing else of ours (S011, S022).

use axum::http::{HeaderMap, HeaderValue, header::COOKIE};
pub use cookie::SameSite;
use cookie::{Cookie, time::Duration};

use super::Client;

/// The name of the session's cookie. Over TLS it carries the prefix with which browsers take it from this host alone,
/// and only encrypted; without TLS they would take no such name.
pub fn session(client: Client) -> &'static str {
    if client.is_secure { "__Host-wheelhouse" } else { "wheelhouse" }
}

/// The name of the cookie that binds a sign-in through the provider to the browser that began it.
pub fn journey(client: Client) -> &'static str {
    if client.is_secure { "__Host-wheelhouse-journey" } else { "wheelhouse-journey" }
}

/// The name of the cookie that keeps which notices about the engine somebody has put away.
pub const NOTICES: &str = "notices";

/// The value of a cookie.
pub fn read(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let found = lines.flat_map(Cookie::split_parse).filter_map(Result::ok).find(|cookie| cookie.name() == name);
    found.map(|cookie| cookie.value().to_owned())
}

/// A cookie to be kept: for this host alone, not to be read by scripts, not sent along from other sites.
/// The way back from the provider is a visit from another site: what has to be there then is `Lax`.
pub fn write(
    client: Client,
    name: &str,
    value: &str,
    seconds: Option<i64>,
    same_site: SameSite,
) -> Option<HeaderValue> {
    let mut cookie = Cookie::new(name.to_owned(), value.to_owned());
    cookie.set_path("/");
    cookie.set_http_only(true);
    cookie.set_same_site(same_site);
    cookie.set_secure(client.is_secure);
    if let Some(seconds) = seconds {
        cookie.set_max_age(Duration::seconds(seconds));
    }
    cookie.to_string().parse().ok()
}

/// Has the browser forget a cookie.
pub fn forget(client: Client, name: &str) -> Option<HeaderValue> {
    write(client, name, "", Some(0), SameSite::Strict)
}
