//! What is one's own: the password, the second factor, the sessions.

use std::sync::Arc;

use crate::web::filters;
use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use jiff::Timestamp;
use qrcodegen::{QrCode, QrCodeEcc};

use super::{
    door::status,
    tokens::{Form, LIFETIMES},
};
use crate::{
    team::{self, Account, AccountId, Enrolment, Role, Session, SessionId, Subject, Token},
    web::{
        Error,
        chrome::Chrome,
        extract::{Fields, Id, Page},
        html::html,
        people::json::Person,
    },
};

#[derive(Template)]
#[template(path = "session/me.html")]
struct MePage<'a> {
    chrome: Chrome,
    account: &'a Account,
    sessions: Vec<(Session, bool)>,
    tokens: Vec<Token>,
    roles: Vec<Role>,
    lifetimes: [(u32, &'static str); 4],
    form: Form<'a>,
    /// A token that was just made: shown this once.
    fresh: Option<&'a str>,
    error: Option<(&'static str, String)>,
    now: Timestamp,
}

impl MePage<'_> {
    fn error_of(&self, field: &str) -> Option<&str> {
        self.error.as_ref().filter(|(name, _)| *name == field).map(|(_, why)| why.as_str())
    }
}

/// The account of who asks.
pub(super) fn own(page: &Page) -> Result<Arc<Account>, Error> {
    let id: AccountId = page.asker.who.account.ok_or_else(Error::ours)?;
    Ok(page.asker.team.account(id)?)
}

/// What the audit says it is about.
pub(super) fn subject(account: &Account) -> Subject {
    Subject { kind: "account", id: account.id.to_string(), name: account.name.clone() }
}

pub(super) fn draw(
    page: &Page,
    form: Form<'_>,
    fresh: Option<&str>,
    error: Option<(&'static str, String)>,
) -> Result<Html<String>, Error> {
    let (account, team) = (own(page)?, &page.asker.team);
    let mine = page.asker.who.session();
    let sessions = team.sessions(account.id).into_iter().map(|session| (session.clone(), Some(session.id) == mine));
    let mut sessions: Vec<_> = sessions.collect();
    // The one that looks comes first, the others as they were last used.
    sessions.sort_by_key(|(_, is_this)| !is_this);
    html(&MePage {
        chrome: Chrome::new(page, account.name.clone()),
        sessions,
        tokens: team.tokens(account.id),
        roles: Role::EACH.into_iter().filter(|role| *role <= account.role).collect(),
        lifetimes: LIFETIMES,
        form,
        fresh,
        error,
        now: Timestamp::now(),
        account: &account,
    })
}

/// `GET /me`
pub async fn page(page: Page) -> Result<Response, Error> {
    let account = own(&page)?;
    page.show(|| Person::new(&page.asker.team, &account, None), || draw(&page, Form::default(), None, None))
}

/// The page again, with what is wrong at its field.
pub(super) fn wrong(page: &Page, form: Form<'_>, error: team::Error) -> Result<Response, Error> {
    match error {
        team::Error::Invalid { field, why } if !page.wants_json => {
            Ok(status(StatusCode::UNPROCESSABLE_ENTITY, draw(page, form, None, Some((field, why)))?))
        }
        error => Err(error.into()),
    }
}

/// `POST /me/password`
pub async fn password(page: Page, fields: Fields) -> Result<Response, Error> {
    let (old, new) = (fields.get("old").unwrap_or_default(), fields.get("password").unwrap_or_default());
    let account = own(&page)?;
    if fields.get("again").is_some_and(|again| again != new) {
        let error = team::Error::Invalid { field: "again", why: "The two are not the same.".to_owned() };
        return wrong(&page, Form::default(), error);
    }
    match page.asker.team.set_password(&page.asker.who, old, new).await {
        Ok(()) => {
            page.notes("account.password", subject(&account), "all other sessions were ended").await;
            Ok(page.quiet("/me#password"))
        }
        Err(error) => wrong(&page, Form::default(), error),
    }
}

#[derive(Template)]
#[template(path = "session/second-factor.html")]
struct FactorPage<'a> {
    chrome: Chrome,
    enrolment: &'a Enrolment,
    side: i32,
    path: String,
    has_password: bool,
    error: Option<(&'static str, String)>,
}

impl FactorPage<'_> {
    fn error_of(&self, field: &str) -> Option<&str> {
        self.error.as_ref().filter(|(name, _)| *name == field).map(|(_, why)| why.as_str())
    }
}

#[derive(Template)]
#[template(path = "session/recovery.html")]
struct RecoveryPage<'a> {
    chrome: Chrome,
    codes: &'a [String],
}

/// The address as a picture: the dark squares as one path, with the quiet zone around it that readers need.
fn picture(text: &str) -> Result<(i32, String), Error> {
    use std::fmt::Write as _;
    const QUIET: i32 = 4;
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).map_err(|_| Error::ours())?;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            let _ = write!(path, "M{} {}h1v1h-1z", x + QUIET, y + QUIET);
        }
    }
    Ok((code.size() + 2 * QUIET, path))
}

fn factor(page: &Page, enrolment: &Enrolment, error: Option<(&'static str, String)>) -> Result<Html<String>, Error> {
    let (side, path) = picture(&enrolment.url)?;
    let has_password = own(page)?.has_password();
    html(&FactorPage { chrome: Chrome::new(page, "Second factor"), enrolment, side, path, has_password, error })
}

/// `GET /me/second-factor`
pub async fn enrolment(page: Page) -> Result<Html<String>, Error> {
    factor(&page, &Enrolment::fresh(&own(&page)?.name)?, None)
}

/// `POST /me/second-factor`
pub async fn enrol(page: Page, fields: Fields) -> Result<Response, Error> {
    let account = own(&page)?;
    // It was shown on the page of who sends it, and nowhere else.
    let enrolment = Enrolment::of(fields.text("secret").unwrap_or_default(), &account.name)?;
    let (code, password) = (fields.text("code").unwrap_or_default(), fields.get("old").unwrap_or_default());
    match page.asker.team.enrol(&page.asker.who, &enrolment, code, password).await {
        Ok(codes) => {
            page.notes("account.second-factor", subject(&account), "turned on").await;
            Ok(html(&RecoveryPage { chrome: Chrome::new(&page, "Recovery codes"), codes: &codes })?.into_response())
        }
        Err(team::Error::Invalid { field, why }) => {
            Ok(status(StatusCode::UNPROCESSABLE_ENTITY, factor(&page, &enrolment, Some((field, why)))?))
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /me/second-factor/remove`
pub async fn unenrol(page: Page, fields: Fields) -> Result<Response, Error> {
    let account = own(&page)?;
    match page.asker.team.unenrol(&page.asker.who, fields.get("old").unwrap_or_default()).await {
        Ok(()) => {
            page.notes("account.second-factor", subject(&account), "turned off").await;
            Ok(page.quiet("/me#second-factor"))
        }
        Err(error) => wrong(&page, Form::default(), error),
    }
}

/// `POST /me/sessions/{id}/end`
pub async fn end(Id(id): Id<SessionId>, page: Page) -> Result<Response, Error> {
    let account = own(&page)?;
    page.asker.team.end_session(account.id, id).await?;
    page.notes("session.end", Subject { kind: "session", id: id.to_string(), name: account.name.clone() }, "").await;
    Ok(page.quiet(if page.asker.who.session() == Some(id) { "/login" } else { "/me#sessions" }))
}

/// `POST /me/sessions/end-others`
pub async fn end_others(page: Page) -> Result<Response, Error> {
    let account = own(&page)?;
    page.asker.team.end_sessions(account.id, Some(&page.asker.who.via)).await;
    page.notes("session.end", subject(&account), "all but the one that this came from").await;
    Ok(page.quiet("/me#sessions"))
}
