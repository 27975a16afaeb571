//! People: who may sign in, as what, over what; and what each role may do.

pub mod docs;
pub mod json;

use std::sync::Arc;

use crate::web::filters;
use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use jiff::Timestamp;

use super::{
    Error, Routes,
    answer::List,
    chrome::Chrome,
    deed::{Came, Deed},
    extract::{Fields, Id, Page, is_on, scope},
    html::html,
};
use crate::team::{self, Account, AccountId, Invite, NewAccount, Right, Role, Session, Subject};

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/people", Right::People, page)
        .doc(docs::list())
        .post("/people", Right::People, create)
        .doc(docs::create())
        .get("/people/{id}", Right::People, detail)
        .doc(docs::detail())
        .post("/people/{id}", Right::People, update)
        .doc(docs::update())
        .post("/people/{id}/invite", Right::People, invite)
        .doc(docs::invite())
        .post("/people/{id}/second-factor/remove", Right::People, drop_second_factor)
        .doc(docs::drop_second_factor())
        .post("/people/{id}/sessions/end", Right::People, end_sessions)
        .doc(docs::end_sessions())
        .post("/people/{id}/remove", Right::People, remove)
        .doc(docs::remove())
}

/// The table of who may do what.
struct Table;

impl Table {
    fn rights(&self) -> &'static [Right] {
        &Right::EACH
    }

    fn roles(&self) -> [Role; 3] {
        Role::EACH
    }
}

/// A form as it was sent.
#[derive(Default)]
struct Form {
    name: String,
    role: String,
    scope: String,
    enabled: bool,
}

impl Form {
    /// What was sent, over what is so: a field that is not there changes nothing.
    fn over(self, fields: &Fields) -> Self {
        let text = |name| fields.text(name).map(str::to_owned);
        let sent = |name| fields.get(name).map(|_| fields.all(name));
        Self {
            name: text("name").unwrap_or(self.name),
            role: text("role").unwrap_or(self.role),
            scope: sent("scope").map_or(self.scope, |lines| lines.collect::<Vec<_>>().join("\n")),
            // A box that is not ticked is not sent: the form has a no before it.
            enabled: sent("enabled").map_or(self.enabled, |mut said| said.any(is_on)),
        }
    }

    fn of(account: &Account) -> Self {
        Self {
            name: account.name.clone(),
            role: account.role.to_string(),
            scope: account.scope.join("\n"),
            enabled: account.enabled,
        }
    }

    fn new() -> Self {
        Self { enabled: true, ..Self::default() }
    }

    fn checked(&self) -> Result<(Role, Vec<String>), team::Error> {
        let invalid = |field, why: String| team::Error::Invalid { field, why };
        let role: Role = self.role.parse().map_err(|why| invalid("role", why))?;
        Ok((role, scope(&self.scope).map_err(|why| invalid("scope", why))?))
    }
}

#[derive(Template)]
#[template(path = "people/list.html")]
struct ListPage {
    chrome: Chrome,
    people: Vec<(Arc<Account>, usize)>,
    table: Table,
    form: Form,
    takes_passwords: bool,
    error: Option<(&'static str, String)>,
    now: Timestamp,
}

impl ListPage {
    fn error_of(&self, field: &str) -> Option<&str> {
        self.error.as_ref().filter(|(name, _)| *name == field).map(|(_, why)| why.as_str())
    }
}

#[derive(Template)]
#[template(path = "people/detail.html")]
struct DetailPage<'a> {
    chrome: Chrome,
    account: &'a Account,
    sessions: Vec<Session>,
    tokens: Vec<team::Token>,
    form: Form,
    table: Table,
    /// A link that was just made: shown this once.
    link: Option<(String, Timestamp)>,
    is_self: bool,
    error: Option<(&'static str, String)>,
    now: Timestamp,
}

impl DetailPage<'_> {
    fn error_of(&self, field: &str) -> Option<&str> {
        self.error.as_ref().filter(|(name, _)| *name == field).map(|(_, why)| why.as_str())
    }
}

fn list(page: &Page, form: Form, error: Option<(&'static str, String)>) -> Result<Html<String>, Error> {
    let team = &page.asker.team;
    let people = team.accounts().into_iter().map(|account| (account.clone(), team.sessions(account.id).len()));
    html(&ListPage {
        chrome: Chrome::new(page, "People"),
        people: people.collect(),
        table: Table,
        form,
        takes_passwords: page.asker.rules.takes_passwords,
        error,
        now: Timestamp::now(),
    })
}

fn draw(
    page: &Page,
    account: &Account,
    form: Form,
    invite: Option<Invite>,
    error: Option<(&'static str, String)>,
) -> Result<Html<String>, Error> {
    let team = &page.asker.team;
    html(&DetailPage {
        chrome: Chrome::new(page, account.name.clone()),
        sessions: team.sessions(account.id),
        tokens: team.tokens(account.id),
        form,
        table: Table,
        link: invite.map(|invite| (address(page, &invite), invite.expires)),
        is_self: page.asker.who.account == Some(account.id),
        error,
        now: Timestamp::now(),
        account,
    })
}

/// `GET /people`
async fn page(page: Page) -> Result<Response, Error> {
    let accounts = || page.asker.team.accounts().iter().map(|account| json::Account::new(account)).collect::<Vec<_>>();
    page.show(|| List::from(accounts()), || list(&page, Form { role: "viewer".to_owned(), ..Form::new() }, None))
}

/// The whole address of a one-time link.
fn address(page: &Page, invite: &Invite) -> String {
    page.whole(&format!("/setup?token={}", invite.secret))
}

/// The same for a script.
fn person(page: &Page, account: &Account, invite: Option<Invite>) -> json::Person {
    let link = invite.map(|invite| json::Link { url: address(page, &invite), expires: invite.expires });
    json::Person::new(&page.asker.team, account, link)
}

fn find(page: &Page, id: AccountId) -> Result<Arc<Account>, Error> {
    Ok(page.asker.team.account(id)?)
}

/// Somebody, as the audit names them; without a number as long as there is none.
fn subject(id: Option<AccountId>, name: &str) -> Subject {
    Subject { kind: "account", id: id.map(|id| id.to_string()).unwrap_or_default(), name: name.to_owned() }
}

/// What is written down before it is done to somebody.
fn deed(action: &str, id: impl Into<Option<AccountId>>, name: &str) -> Deed {
    let Subject { kind, id, name } = subject(id.into(), name);
    Deed::new(action, kind, id, name, "")
}

/// What somebody may, in the audit's words.
fn may(role: Role, scope: &[String], enabled: bool) -> String {
    let limits = if scope.is_empty() { "no limit".to_owned() } else { format!("limited to {}", scope.join(", ")) };
    format!("{role}, {limits}{}", if enabled { "" } else { ", switched off" })
}

/// `POST /people`
async fn create(page: Page, fields: Fields) -> Result<Response, Error> {
    let form = Form::new().over(&fields);
    let password = fields.get("password").filter(|password| !password.is_empty()).map(str::to_owned);
    let (role, scope) = match form.checked() {
        Ok(checked) => checked,
        Err(error) => return wrong(&page, error, |error| list(&page, form, Some(error))),
    };
    let team = page.asker.team.clone();
    let deed = Deed { why: may(role, &scope, true), ..deed("account.create", None, &form.name) };
    let new = NewAccount { name: form.name.clone(), role, scope };
    let work = async move { team.create(new, password.as_deref()).await };
    let made = |(account, _): &(Arc<Account>, Option<Invite>)| Some(subject(Some(account.id), &account.name));
    match page.makes(deed, work, made).await? {
        Ok((account, invite)) => {
            if page.wants_json {
                return Ok(page.made(&format!("/people/{}", account.id), || person(&page, &account, invite)));
            }
            let drawn = draw(&page, &account, Form::of(&account), invite, None)?;
            Ok((StatusCode::CREATED, drawn).into_response())
        }
        Err(error) => wrong(&page, error, |error| list(&page, form, Some(error))),
    }
}

/// The form again, with what is wrong at its field.
fn wrong(
    page: &Page,
    error: team::Error,
    draw: impl FnOnce((&'static str, String)) -> Result<Html<String>, Error>,
) -> Result<Response, Error> {
    match error {
        team::Error::Invalid { field, why } if !page.wants_json => {
            Ok((StatusCode::UNPROCESSABLE_ENTITY, draw((field, why))?).into_response())
        }
        error => Err(error.into()),
    }
}

/// `GET /people/{id}`
async fn detail(Id(id): Id<AccountId>, page: Page) -> Result<Response, Error> {
    let account = find(&page, id)?;
    page.show(|| person(&page, &account, None), || draw(&page, &account, Form::of(&account), None, None))
}

/// `POST /people/{id}`
async fn update(Id(id): Id<AccountId>, page: Page, fields: Fields) -> Result<Response, Error> {
    let account = find(&page, id)?;
    let form = Form::of(&account).over(&fields);
    let (role, scope) = match form.checked() {
        Ok(checked) => checked,
        Err(error) => return wrong(&page, error, |error| draw(&page, &account, form, None, Some(error))),
    };
    let (team, enabled) = (page.asker.team.clone(), form.enabled);
    let before = may(account.role, &account.scope, account.enabled);
    let says = format!("from {before} to {}", may(role, &scope, enabled));
    let work = async move { team.update(id, role, scope, enabled).await };
    let deed = Deed { why: says, ..deed("account.update", id, &account.name) };
    match page.does(deed, work).await? {
        Ok(()) => Ok(page.quiet(&format!("/people/{id}"))),
        Err(error) => wrong(&page, error, |error| draw(&page, &account, form, None, Some(error))),
    }
}

/// `POST /people/{id}/invite`: a link with which they choose a password; it is shown this once.
async fn invite(Id(id): Id<AccountId>, page: Page) -> Result<Response, Error> {
    let (account, team) = (find(&page, id)?, page.asker.team.clone());
    let invite = page.does(deed("account.invite", id, &account.name), async move { team.invite(id).await }).await??;
    let invite = Some(invite);
    page.show(
        || person(&page, &account, invite.clone()),
        || draw(&page, &account, Form::of(&account), invite.clone(), None),
    )
}

/// `POST /people/{id}/second-factor/remove`
async fn drop_second_factor(Id(id): Id<AccountId>, page: Page) -> Result<Response, Error> {
    let (account, team) = (find(&page, id)?, page.asker.team.clone());
    let work = async move { team.drop_second_factor(id).await };
    page.does(deed("account.second-factor", id, &account.name), work).await??;
    Ok(page.quiet(&format!("/people/{id}")))
}

/// `POST /people/{id}/sessions/end`
async fn end_sessions(Id(id): Id<AccountId>, page: Page) -> Result<Response, Error> {
    let (account, asked) = (find(&page, id)?, page.asks(deed("session.end", id, &find(&page, id)?.name)).await?);
    page.asker.team.end_sessions(account.id, None).await;
    asked.ended(Came::default()).await;
    Ok(page.quiet(&format!("/people/{id}")))
}

/// `POST /people/{id}/remove`
async fn remove(Id(id): Id<AccountId>, page: Page) -> Result<Response, Error> {
    let (account, team) = (find(&page, id)?, page.asker.team.clone());
    page.does(deed("account.remove", id, &account.name), async move { team.remove(id).await }).await??;
    Ok(page.quiet("/people"))
}
