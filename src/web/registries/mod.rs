//! Registries: where images come from and go to, and how this console signs in there. What was saved is never told.

mod docs;
mod json;

use crate::web::filters;
use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, Response},
};
use jiff::Timestamp;

use super::{
    Error, Routes,
    answer::{List, Made},
    chrome::Chrome,
    deed::Deed,
    error::{Step, sentence},
    extract::{Fields, Id, Page, Query},
    html::html,
};
use crate::{
    command::echo,
    engine::{Credentials, Error as EngineError, HUB, Registry, RegistrySettings},
    team::{Login, NewLogin, Right},
};

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/registries", Right::Registries, page)
        .doc(docs::list())
        .post("/registries", Right::Registries, save)
        .doc(docs::save())
        .post("/registries/{host}/check", Right::Registries, check)
        .doc(docs::check())
        .get("/registries/{host}/remove", Right::Registries, confirm_remove)
        .doc(docs::confirm_remove())
        .post("/registries/{host}/remove", Right::Registries, remove)
        .doc(docs::remove())
}

/// A registry as it is listed.
struct Row {
    host: String,
    label: String,
    is_plain: bool,
    login: Option<Login>,
    /// Whether the key of what was saved is gone.
    is_lost: bool,
    /// Whether operators use it.
    shared: bool,
    command: String,
}

/// A form as it was sent. What was typed as a password is not shown again.
#[derive(Default)]
struct Form {
    host: String,
    user: String,
    shared: bool,
}

#[derive(Template)]
#[template(path = "registries/list.html")]
struct ListPage {
    chrome: Chrome,
    rows: Vec<Row>,
    mirrors: Vec<String>,
    is_known: bool,
    form: Form,
    errors: Vec<(&'static str, String)>,
    /// Whether saving without a sign-in is offered: it was tried, and nobody answered.
    may_skip: bool,
    command: String,
    now: Timestamp,
}

impl ListPage {
    fn error_of(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|(name, _)| *name == field).map(|(_, why)| why.as_str())
    }
}

/// All that are signed in to, and those that operators pull from all the same; Docker Hub first.
fn rows(page: &Page, settings: &RegistrySettings) -> Vec<Row> {
    let team = &page.asker.team;
    let mut hosts: Vec<String> = team.logins().into_iter().map(|login| login.host).collect();
    let named = &page.asker.rules.registries;
    hosts.extend(named.iter().cloned());
    hosts.push(HUB.to_owned());
    hosts.sort_by_key(|host| (host != HUB, host.clone()));
    hosts.dedup();
    let row = |host: String| {
        let registry: Registry = host.parse().ok()?;
        let login = team.login(&host);
        Some(Row {
            label: if registry.is_hub() { "Docker Hub".to_owned() } else { host.clone() },
            is_plain: settings.is_plain(&registry),
            is_lost: login.as_ref().is_some_and(|login| team.login_secret(login).is_none()),
            shared: named.contains(&host) || login.as_ref().is_some_and(|login| login.shared),
            command: login.as_ref().map_or_else(String::new, |login| echo::login(registry.named(), &login.user)),
            login,
            host,
        })
    };
    hosts.into_iter().filter_map(row).collect()
}

/// What the engine says of registries; none where it was never heard.
fn told(page: &Page) -> Option<&RegistrySettings> {
    page.picture.info.as_ref().map(|info| &info.registries)
}

fn draw(page: &Page, form: Form, errors: Vec<(&'static str, String)>, may_skip: bool) -> Result<Html<String>, Error> {
    let none = RegistrySettings::default();
    let settings = told(page).unwrap_or(&none);
    html(&ListPage {
        chrome: Chrome::new(page, "Registries"),
        rows: rows(page, settings),
        mirrors: settings.mirrors().to_vec(),
        is_known: told(page).is_some(),
        command: echo::login(form.host.parse::<Registry>().ok().as_ref().and_then(Registry::named), &form.user),
        form,
        errors,
        may_skip,
        now: Timestamp::now(),
    })
}

/// `GET /registries`
async fn page(page: Page, Query(query): Query) -> Result<Response, Error> {
    let text = |name| query.text(name).unwrap_or_default().to_owned();
    page.show(
        || {
            let items = rows(&page, told(&page).unwrap_or(&RegistrySettings::default())).into_iter();
            List::from(items.map(json::Registry::from).collect::<Vec<_>>())
        },
        || draw(&page, Form { host: text("host"), user: text("user"), shared: true }, Vec::new(), false),
    )
}

/// `POST /registries`: signs in, and saves it where that works; or saves it without, where that was asked for.
async fn save(page: Page, fields: Fields) -> Result<Response, Error> {
    let text = |name| fields.text(name).unwrap_or_default().to_owned();
    let form = Form { host: text("host"), user: text("user"), shared: fields.is_set("shared") };
    let mut errors = Vec::new();
    let typed = if form.host.is_empty() { HUB } else { &form.host };
    let registry: Option<Registry> =
        typed.parse().map_err(|why: crate::engine::InvalidName| errors.push(("host", sentence(&why.to_string())))).ok();
    if form.user.is_empty() || form.user.len() > 255 || form.user.chars().any(char::is_control) {
        errors.push(("user", "The name that you have there.".to_owned()));
    }
    // Not trimmed: whatever is typed is the password.
    let secret = fields.get("secret").unwrap_or_default().to_owned();
    if secret.is_empty() || secret.len() > 16_384 {
        errors.push(("secret", "Its password, or a token that it has given you.".to_owned()));
    }
    let Some(registry) = registry.filter(|_| errors.is_empty()) else {
        return wrong(&page, StatusCode::UNPROCESSABLE_ENTITY, form, errors, false);
    };
    let host = registry.to_string();
    let command = echo::login(registry.named(), &form.user);
    let credentials = Credentials { registry, user: form.user.clone(), secret: secret.clone() };
    let deed = Deed::new("registry.login", "registry", host.clone(), host.clone(), &command);
    let (engine, team, who) = (page.engine.clone(), page.asker.team.clone(), page.asker.who.clone());
    let new = NewLogin { host: host.clone(), user: form.user.clone(), secret, shared: form.shared };
    let is_tried = !fields.is_set("untried");
    let saved = page.does(deed, async move {
        if is_tried {
            engine.registries().check(&credentials).await?;
        }
        Ok::<_, EngineError>(team.save_login(new, &who).await)
    });
    match saved.await? {
        Ok(saved) => {
            saved?;
            tracing::info!(registry = host, "signed in");
            let location = "/registries".to_owned();
            Ok(page.made(&location, || Made { id: host, location: location.clone() }))
        }
        Err(error @ EngineError::Unreachable(_)) => Err(error.into()),
        Err(error) => {
            let told = Error::from(error);
            let (field, why) = refusal(&host, told.reason());
            wrong(&page, StatusCode::UNPROCESSABLE_ENTITY, form, vec![(field, why)], field == "host")
        }
    }
}

/// What a refusal means: which field it is about, and in words.
fn refusal(host: &str, reason: &str) -> (&'static str, String) {
    let low = reason.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| low.contains(word));
    if says(&["unauthorized", "401", "incorrect username", "access denied", "forbidden"]) {
        return ("secret", format!("{host} does not take this name with this password. It says: {reason}"));
    }
    if says(&["server gave http response to https", "http: server gave"]) {
        let why = format!(
            "{host} speaks plain HTTP, and the engine insists on HTTPS. Name it under insecure-registries in the engine’s daemon.json, or give it a certificate."
        );
        return ("host", why);
    }
    if says(&["x509", "certificate"]) {
        let why = format!(
            "The engine does not trust the certificate of {host}. Put its authority into /etc/docker/certs.d/{host}/ca.crt on the host."
        );
        return ("host", why);
    }
    ("host", format!("{host} could not be signed in to: {reason}"))
}

fn wrong(
    page: &Page,
    status: StatusCode,
    form: Form,
    errors: Vec<(&'static str, String)>,
    may_skip: bool,
) -> Result<Response, Error> {
    page.wrong(status, "Nothing was saved.", errors.clone(), || draw(page, form, errors, may_skip))
}

fn find(page: &Page, registry: &Registry) -> Result<Login, Error> {
    page.asker.team.login(registry.as_str()).ok_or_else(|| {
        Error::not_found("This registry is not signed in to.", &format!("Nothing is saved for {registry}."))
            .next(Step::link("Registries", "/registries"))
    })
}

/// `POST /registries/{host}/check`: whether what is saved still works.
async fn check(Id(registry): Id<Registry>, page: Page, _: Fields) -> Result<Response, Error> {
    let login = find(&page, &registry)?;
    let Some(secret) = page.asker.team.login_secret(&login) else {
        return Err(Error::new(
            StatusCode::CONFLICT,
            format!("What was saved for {registry} cannot be read."),
            "The key that it was sealed with, registries.key in the data folder, is gone or another one. Save it anew.",
        )
        .next(Step::link("Registries", "/registries")));
    };
    let credentials = Credentials { registry: registry.clone(), user: login.user.clone(), secret };
    match page.engine.registries().check(&credentials).await {
        Ok(()) => page.done(
            &format!("{registry} takes {}.", login.user),
            &echo::login(registry.named(), &login.user),
            "/registries",
        ),
        Err(error @ EngineError::Unreachable(_)) => Err(error.into()),
        Err(error) => {
            let told = Error::from(error);
            let (_, why) = refusal(registry.as_str(), told.reason());
            Err(Error::new(StatusCode::CONFLICT, format!("{registry} could not be signed in to."), why)
                .next(Step::link("Registries", "/registries")))
        }
    }
}

#[derive(Template)]
#[template(path = "registries/remove.html")]
struct RemovePage {
    chrome: Chrome,
    login: Login,
    command: String,
}

/// `GET /registries/{host}/remove`
async fn confirm_remove(Id(registry): Id<Registry>, page: Page) -> Result<Response, Error> {
    let login = find(&page, &registry)?;
    let command = echo::logout(registry.named());
    page.show(
        || json::Plan { command: command.clone() },
        || {
            let chrome = Chrome::new(&page, format!("Sign out of {registry}"));
            html(&RemovePage { chrome, command: command.clone(), login: login.clone() })
        },
    )
}

/// `POST /registries/{host}/remove`
async fn remove(Id(registry): Id<Registry>, page: Page, _: Fields) -> Result<Response, Error> {
    find(&page, &registry)?;
    let command = echo::logout(registry.named());
    let deed = Deed::new("registry.logout", "registry", registry.as_str(), registry.as_str(), &command);
    let (team, host) = (page.asker.team.clone(), registry.to_string());
    page.does(deed, async move { team.forget_login(&host).await }).await??;
    page.done(&format!("Signed out of {registry}: what was saved is gone."), &command, "/registries")
}
