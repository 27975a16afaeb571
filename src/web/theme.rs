//! Light, dark or as the system says: kept in a cookie, so that the server draws the right one at once.

use axum::{
    http::{
        HeaderMap,
        header::{COOKIE, SET_COOKIE},
    },
    response::{IntoResponse, Response},
};

use super::{
    Error,
    extract::{Fields, see_other},
};

const NAME: &str = "theme";

/// The theme that the browser asked for; empty for the system's.
pub(super) fn of(headers: &HeaderMap) -> &'static str {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let chosen =
        cookies.flat_map(|all| all.split(';')).find_map(|pair| pair.trim().strip_prefix(NAME)?.strip_prefix('='));
    known(chosen)
}

fn known(theme: Option<&str>) -> &'static str {
    match theme {
        Some("light") => "light",
        Some("dark") => "dark",
        _ => "",
    }
}

/// Keeps a choice.
pub(super) async fn set(fields: Fields) -> Result<Response, Error> {
    let theme = known(fields.get("theme"));
    let cookie = format!("{NAME}={theme}; Path=/; Max-Age=31536000; SameSite=Strict; HttpOnly");
    let mut response = see_other(fields.back("/")).into_response();
    if let Ok(cookie) = cookie.parse() {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_theme_is_kept() {
        for (sent, kept) in [("dark", "theme=dark;"), ("x; Domain=evil.test", "theme=;")] {
            let response = set(Fields(vec![("theme".into(), sent.into())])).await.unwrap();
            let cookie = response.headers().get(SET_COOKIE).unwrap().to_str().unwrap();
            assert!(cookie.starts_with(kept) && !cookie.contains("Domain"), "{cookie}");
        }
    }
}
