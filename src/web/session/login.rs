//! Signing in: name and password, then a code where there is a second factor; and signing out.

use crate::web::filters;
use askama::Template;
use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{Html, IntoResponse, Response},
};

use super::door::{Door, device, enter, status, with};
use crate::{
    engine::encoded,
    team::{self, Step},
    web::{
        Error, cookie,
        extract::{Fields, Page, Query, is_local, see_other},
        html::html,
    },
};

/// Letters of the longest name that anybody has.
const EVEN: usize = 64;

#[derive(Template)]
#[template(path = "session/login.html")]
struct LoginPage<'a> {
    door: Door,
    name: &'a str,
    next: &'a str,
    takes_passwords: bool,
    provider: Option<&'a str>,
    error: Option<String>,
    is_empty: bool,
    /// Whether the browser still has the cookie of a session that is none any more.
    has_ended: bool,
    /// As much as makes the answer as long for every name: it tells nothing of who there is (S007).
    even: String,
}

#[derive(Template)]
#[template(path = "session/code.html")]
struct CodePage<'a> {
    door: Door,
    half: &'a str,
    next: &'a str,
    error: Option<String>,
}

/// A visit that came from another site carries no cookie of ours, which is `Strict`. The same address, asked for by a
/// page of ours, does.
#[derive(Template)]
#[template(path = "session/again.html")]
pub struct Again<'a> {
    /// Where to.
    pub next: &'a str,
}

fn login<'a>(
    page: &'a Page,
    name: &'a str,
    next: &'a str,
    error: Option<String>,
    has_ended: bool,
) -> Result<Html<String>, Error> {
    let rules = &page.asker.rules;
    html(&LoginPage {
        door: Door::new(page),
        name,
        next,
        takes_passwords: rules.takes_passwords,
        provider: rules.oidc.as_deref().map(|oidc| oidc.settings().label.as_str()),
        error,
        is_empty: !page.asker.team.is_initialised(),
        has_ended,
        even: ".".repeat(EVEN.saturating_sub(name.len())),
    })
}

/// Where to go when somebody is in: the page that they wanted, if it is one of ours.
pub(super) fn next(fields: &Fields) -> &str {
    fields.get("next").filter(|path| is_local(path)).unwrap_or("/")
}

/// `GET /login`
pub async fn page(page: Page, headers: HeaderMap, Query(query): Query) -> Result<Response, Error> {
    let next = next(&query);
    if page.asker.is_known() {
        return Ok(see_other(next));
    }
    if page.is_from_elsewhere && !query.is_set("again") {
        let next = encoded(next);
        return Ok(html(&Again { next: &format!("/login?again=1&next={next}") })?.into_response());
    }
    let has_ended = cookie::read(&headers, cookie::session(page.asker.client)).is_some();
    Ok(login(&page, "", next, None, has_ended)?.into_response())
}

/// What a person is told who is not let in: not whether it was the name or the password.
fn told(error: team::Error) -> Result<(StatusCode, String, Option<u64>), Error> {
    match error {
        team::Error::Wrong => Ok((StatusCode::UNAUTHORIZED, "The name or the password is wrong.".to_owned(), None)),
        team::Error::Throttled(wait) => {
            let seconds = wait.as_secs() + 1;
            Ok((
                StatusCode::TOO_MANY_REQUESTS,
                format!("Too many tries. Wait {seconds} s, then try again."),
                Some(seconds),
            ))
        }
        other => Err(other.into()),
    }
}

fn refused(drawn: impl IntoResponse, code: StatusCode, wait: Option<u64>) -> Response {
    let mut response = status(code, drawn);
    if let Some(wait) = wait {
        response.headers_mut().insert(RETRY_AFTER, wait.into());
    }
    response
}

/// `POST /login`
pub async fn submit(page: Page, fields: Fields) -> Result<Response, Error> {
    if !page.asker.rules.takes_passwords {
        return Err(Error::new(
            StatusCode::FORBIDDEN,
            "Passwords are not taken here.",
            "This console is signed in to through the organisation’s own provider.",
        ));
    }
    let (name, next) = (fields.text("name").unwrap_or_default(), next(&fields));
    let password = fields.get("password").unwrap_or_default();
    match page.asker.team.sign_in(name, password, &device(&page)).await {
        Ok(Step::In(signed)) => Ok(enter(page.asker.client, &signed, next)),
        Ok(Step::Code(half)) => {
            Ok(html(&CodePage { door: Door::new(&page), half: &half, next, error: None })?.into_response())
        }
        Err(error) => {
            let (code, why, wait) = told(error)?;
            Ok(refused(login(&page, name, next, Some(why), false)?, code, wait))
        }
    }
}

/// `POST /login/code`
pub async fn code(page: Page, fields: Fields) -> Result<Response, Error> {
    let (half, next) = (fields.get("half").unwrap_or_default(), next(&fields));
    match page.asker.team.sign_in_with_code(half, fields.text("code").unwrap_or_default(), &device(&page)).await {
        Ok(signed) => Ok(enter(page.asker.client, &signed, next)),
        Err(error) => {
            let (code, why, wait) = told(error)?;
            let why = if wait.is_some() { why } else { "That code is wrong, was used, or came too late.".to_owned() };
            let drawn = html(&CodePage { door: Door::new(&page), half, next, error: Some(why) })?;
            Ok(refused(drawn, code, wait))
        }
    }
}

/// `POST /logout`: the browser forgets what it kept of us, too (S022).
pub async fn out(page: Page) -> Response {
    page.asker.team.sign_out(&page.asker.who).await;
    let mut response = see_other("/login");
    with(&mut response, cookie::forget(page.asker.client, cookie::session(page.asker.client)));
    let clear = HeaderValue::from_static("\"cache\", \"storage\"");
    response.headers_mut().insert(HeaderName::from_static("clear-site-data"), clear);
    response
}
