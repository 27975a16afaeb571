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
use crate::team::{self, Account, AccountId, Invite, NewAccount, Right, Role, Session};

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
    fn read(fields: &Fields) -> Self {
        let text = |name| fields.text(name).unwrap_or_default().to_owned();
        // A script that says nothing of it does not switch anybody off.
        let enabled = fields.get("enabled").is_none_or(|_| fields.all("enabled").any(is_on));
        Self {
            name: text("name"),
            role: text("role"),
            scope: fields.all("scope").collect::<Vec<_>>().join("\n"),
            enabled,
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
    page.show(|| List::from(accounts()), || list(&page, Form { role: "viewer".to_owned(), ..Form::default() }, None))
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

/// What is written down before it is done to somebody.
fn deed(action: &str, id: AccountId, name: &str) -> Deed {
    Deed::new(action, "account", if id == 0 { String::new() } else { id.to_string() }, name, "")
}

/// `POST /people`
async fn create(page: Page, fields: Fields) -> Result<Response, Error> {
    let form = Form::read(&fields);
    let password = fields.get("password").filter(|password| !password.is_empty()).map(str::to_owned);
    let (role, scope) = match form.checked() {
        Ok(checked) => checked,
        Err(error) => return wrong(&page, error, |error| list(&page, form, Some(error))),
    };
    let team = page.asker.team.clone();
    let new = NewAccount { name: form.name.clone(), role, scope };
    let work = async move { team.create(new, password.as_deref()).await };
    match page.does(deed("account.create", 0, &form.name), work).await? {
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
    let (account, form) = (find(&page, id)?, Form::read(&fields));
    let (role, scope) = match form.checked() {
        Ok(checked) => checked,
        Err(error) => return wrong(&page, error, |error| draw(&page, &account, form, None, Some(error))),
    };
    let (team, enabled) = (page.asker.team.clone(), form.enabled);
    let says = format!(
        "{role}{}{}",
        if enabled { "" } else { ", switched off" },
        if scope.is_empty() { String::new() } else { format!(", limited to {}", scope.join(", ")) }
    );
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
