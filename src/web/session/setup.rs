//! One-time links: the first administrator, an invitation, the way back in. Whoever has one chooses a password.

use crate::web::filters;
use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};

use super::door::{Door, device, enter, status};
use crate::{
    team::{self, Step},
    web::{
        Error,
        extract::{Fields, Page, Query},
        html::html,
    },
};

#[derive(Template)]
#[template(path = "session/setup.html")]
struct SetupPage<'a> {
    door: Door,
    given: &'a str,
    /// Whose password it is; none for the first administrator, who chooses a name.
    invited: Option<&'a str>,
    name: &'a str,
    error: Option<(&'static str, String)>,
}

impl SetupPage<'_> {
    fn error_of(&self, field: &str) -> Option<&str> {
        self.error.as_ref().filter(|(name, _)| *name == field).map(|(_, why)| why.as_str())
    }
}

fn used_up() -> Error {
    Error::new(
        StatusCode::FORBIDDEN,
        "This link does not lead anywhere.",
        "It was used, has expired, or is not complete. A new one is printed at the start of a console that has no administrator yet; \
         an administrator can make one for you; and on the host there is: wheelhouse admin reset.",
    )
}

/// The name that the link is for; empty for the first administrator's.
async fn invited(page: &Page, given: &str) -> Result<String, Error> {
    page.asker.team.invited(given).await?.ok_or_else(used_up)
}

fn form(
    page: &Page,
    given: &str,
    invited: &str,
    name: &str,
    error: Option<(&'static str, String)>,
) -> Result<Html<String>, Error> {
    let invited = Some(invited).filter(|name| !name.is_empty());
    html(&SetupPage { door: Door::new(page), given, invited, name, error })
}

/// `GET /setup?token=...`
pub async fn page(page: Page, Query(query): Query) -> Result<Html<String>, Error> {
    let given = query.text("token").unwrap_or_default();
    let invited = invited(&page, given).await?;
    form(&page, given, &invited, "admin", None)
}

/// `POST /setup`
pub async fn submit(page: Page, Query(query): Query, fields: Fields) -> Result<Response, Error> {
    let given = fields.text("token").or_else(|| query.text("token")).unwrap_or_default();
    let invited = invited(&page, given).await?;
    let (name, password) = (fields.text("name").unwrap_or("admin"), fields.get("password").unwrap_or_default());
    let wrong = |error| {
        let drawn = form(&page, given, &invited, name, Some(error))?;
        Ok(status(StatusCode::UNPROCESSABLE_ENTITY, drawn).into_response())
    };
    if fields.get("again").is_some_and(|again| again != password) {
        return wrong(("again", "The two are not the same.".to_owned()));
    }
    let account = match page.asker.team.accept(given, name, password, &page.asker.who).await {
        Ok(account) => account,
        Err(team::Error::Invalid { field, why }) => return wrong((field, why)),
        Err(team::Error::Wrong) => return Err(used_up()),
        Err(error) => return Err(error.into()),
    };
    // As if they had signed in: their password is fresh, and there is no second factor yet.
    match page.asker.team.sign_in(&account.name, password, &device(&page)).await? {
        Step::In(signed) => Ok(enter(page.asker.client, &signed, "/")),
        Step::Code(_) => Err(Error::ours()),
    }
}
