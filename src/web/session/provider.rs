//! Signing in through the organisation's own provider: there and back again.

use axum::{
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use super::{
    door::{device, with},
    login::{Again, next},
};
use crate::{
    team::{
        self, Role,
        oidc::{self, Oidc, Pending},
    },
    web::{
        Error,
        cookie::{self, SameSite},
        error::Step,
        extract::{Page, Query, is_local, see_other},
        html::html,
    },
};

/// How long somebody may take at the provider, in seconds.
const JOURNEY: i64 = 600;

/// What the browser keeps meanwhile, in a cookie that scripts cannot read: it binds the answer to who asked.
/// Nothing is kept here, so that strangers cannot fill the memory.
#[derive(Serialize, Deserialize)]
struct Journey {
    pending: Pending,
    next: String,
    until: i64,
}

fn provider(page: &Page) -> Result<&Oidc, Error> {
    let why = "No provider is set: --oidc-issuer.";
    page.asker.rules.oidc.as_deref().ok_or_else(|| Error::not_found("There is no such page.", why))
}

impl From<oidc::Error> for Error {
    fn from(error: oidc::Error) -> Self {
        tracing::warn!(error = error.to_string(), "a sign-in through the provider did not work");
        let status = match &error {
            oidc::Error::Foreign(_) | oidc::Error::Code(_) => StatusCode::BAD_REQUEST,
            oidc::Error::Denied { .. } | oidc::Error::NoRole { .. } => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_GATEWAY,
        };
        let again = Step::link("Back to the sign-in", "/login");
        Self::new(status, error.what(), format!("{} {}", error.why(), error.next())).next(again)
    }
}

/// Where the provider sends the browser back to.
fn redirect_uri(page: &Page) -> String {
    page.whole("/login/oidc/callback")
}

/// `GET /login/oidc`: sends the browser there.
pub async fn begin(page: Page, Query(query): Query) -> Result<Response, Error> {
    let (there, pending) = provider(&page)?.begin(&redirect_uri(&page)).await?;
    let until = jiff::Timestamp::now().as_second() + JOURNEY;
    let journey = Journey { pending, next: next(&query).to_owned(), until };
    let kept = serde_json::to_vec(&journey).map_err(|_| Error::ours())?;
    let mut response = see_other(there.as_str());
    let client = page.asker.client;
    let value = BASE64URL_NOPAD.encode(&kept);
    with(&mut response, cookie::write(client, cookie::journey(client), &value, Some(JOURNEY), SameSite::Lax));
    Ok(response)
}

/// `GET /login/oidc/callback`: they are back.
pub async fn finish(page: Page, headers: HeaderMap, Query(query): Query) -> Result<Response, Error> {
    let oidc = provider(&page)?;
    let client = page.asker.client;
    let kept = cookie::read(&headers, cookie::journey(client));
    let journey = kept.and_then(|kept| BASE64URL_NOPAD.decode(kept.as_bytes()).ok());
    let journey: Option<Journey> = journey.and_then(|journey| serde_json::from_slice(&journey).ok());
    let Some(Journey { pending, next, until: _ }) =
        journey.filter(|journey| journey.until > jiff::Timestamp::now().as_second())
    else {
        return Err(oidc::Error::Foreign("this browser has not begun one, or too long ago").into());
    };
    let identity = oidc.finish(pending, &query.0).await?;
    let roles = oidc.roles_of(&identity)?;
    let role = roles.iter().filter_map(|role| role.parse::<Role>().ok()).max().ok_or_else(Error::ours)?;
    let name = plain(&identity.name);
    let team = &page.asker.team;
    let signed = match team.sign_in_as(&identity.issuer, &identity.subject, &name, role, &device(&page)).await {
        Ok(signed) => signed,
        Err(team::Error::Wrong) => {
            return Err(Error::new(
                StatusCode::FORBIDDEN,
                "You may not sign in.",
                "Your account here was switched off by an administrator.",
            ));
        }
        Err(team::Error::Invalid { why, .. }) => {
            return Err(Error::new(StatusCode::FORBIDDEN, "You could not be signed in.", why));
        }
        Err(error) => return Err(error.into()),
    };
    // A visit that comes from the provider carries no strict cookie: a page of ours asks again.
    // The cookie is the browser's: what it says is checked again.
    let next = if is_local(&next) { next.as_str() } else { "/" };
    let mut response = html(&Again { next })?.into_response();
    with(&mut response, cookie::write(client, cookie::session(client), &signed.cookie, None, SameSite::Strict));
    with(&mut response, cookie::forget(client, cookie::journey(client)));
    Ok(response)
}

/// A name as accounts here have it: what does not fit becomes a dash.
fn plain(name: &str) -> String {
    let fits = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | '+') { c } else { '-' };
    name.trim().chars().map(fits).take(64).collect()
}
