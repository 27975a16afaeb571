//! Tokens: made, shown once, revoked.

use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};

use super::me::{draw, own, wrong};
use crate::{
    team::{self, NewToken, Role, Subject, TokenId},
    web::{
        Error,
        extract::{Fields, Id, Page, scope},
        people::json,
    },
};

/// How long tokens are offered to last, in days.
pub const LIFETIMES: [(u32, &str); 4] = [(7, "a week"), (30, "30 days"), (90, "90 days"), (365, "a year")];
/// The longest.
const LONGEST: i64 = 730;

/// The form as it was sent.
#[derive(Default)]
pub struct Form<'a> {
    pub name: &'a str,
    pub role: &'a str,
    pub scope: &'a str,
    pub days: &'a str,
}

impl<'a> Form<'a> {
    fn read(fields: &'a Fields) -> Self {
        let text = |name| fields.text(name).unwrap_or_default();
        Self { name: text("name"), role: text("role"), scope: text("scope"), days: text("days") }
    }

    fn new_token(&self) -> Result<NewToken, team::Error> {
        let invalid = |field, why: String| team::Error::Invalid { field, why };
        let role = if self.role.is_empty() { "viewer" } else { self.role };
        let role: Role = role.parse().map_err(|why| invalid("role", why))?;
        let days = if self.days.is_empty() { "30" } else { self.days };
        let days = days.parse::<i64>().ok().filter(|days| (1..=LONGEST).contains(days));
        let days = days.ok_or_else(|| invalid("days", format!("Whole days, from 1 to {LONGEST}.")))?;
        Ok(NewToken {
            name: self.name.to_owned(),
            role,
            scope: scope(self.scope).map_err(|why| invalid("scope", why))?,
            expires: Timestamp::now() + SignedDuration::from_hours(24 * days),
        })
    }
}

/// `POST /me/tokens`: the page shows the token, this once.
pub async fn create(page: Page, fields: Fields) -> Result<Response, Error> {
    let form = Form::read(&fields);
    let team = &page.asker.team;
    let made = match form.new_token() {
        Ok(new) => {
            let says = format!("{}, until {}", new.role, new.expires.strftime("%Y-%m-%d"));
            let expires = new.expires;
            team.create_token(&page.asker.who, new).await.map(|made| (made, says, expires))
        }
        Err(error) => Err(error),
    };
    match made {
        Ok(((id, given), says, expires)) => {
            let subject = Subject { kind: "token", id: id.to_string(), name: form.name.to_owned() };
            page.notes("token.create", subject, &says).await;
            if page.wants_json {
                return Ok(page.made("/me", || json::NewToken { id, token: given, expires }));
            }
            draw(&page, Form::default(), Some(&given), None).map(IntoResponse::into_response)
        }
        Err(error) => wrong(&page, form, error),
    }
}

/// `POST /me/tokens/{id}/revoke`
pub async fn revoke(Id(id): Id<TokenId>, page: Page) -> Result<Response, Error> {
    let token = page.asker.team.revoke(own(&page)?.id, id).await?;
    page.notes("token.revoke", Subject { kind: "token", id: id.to_string(), name: token.name }, "").await;
    Ok(page.quiet("/me#tokens"))
}
