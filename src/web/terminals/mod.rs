//! The terminals that are open, everybody's for an administrator, and one's own: who, in what, since when; and their end.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Error, Routes, Shells,
    answer::List,
    chrome::Chrome,
    doc::{Doc, Field},
    error::Step,
    extract::{Id, Page},
    filters,
    html::html,
    shell::{End, Kind, Shell},
    shells::is_same,
};
use crate::team::{Entry, Outcome, Right, Subject};

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/terminals", Right::Enter, page)
        .doc(
            Doc::new("List open terminals")
                .about("Your own; an administrator’s list has everybody’s.")
                .lists::<Terminal>("All of them."),
        )
        .post("/terminals/{id}/end", Right::Enter, end)
        .doc(
            Doc::new("End a terminal")
                .about("And all that was started in it. Your own, or anybody’s as an administrator.")
                .place(Field::like("id", "Its number.", "^[0-9]{1,18}$"))
                .body([])
                .gives_nothing(),
        )
}

/// A terminal that is open.
#[derive(Serialize, ToSchema)]
struct Terminal {
    /// Its number.
    number: u64,
    /// exec, or attach for a container's own process.
    kind: &'static str,
    /// The container's id.
    container: String,
    /// The container's name.
    name: String,
    /// The docker command that does the same.
    command: String,
    /// Who opened it; empty where nobody signs in.
    who: String,
    /// Their address.
    address: String,
    /// When it was opened.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// Seconds since somebody typed.
    idle: u64,
    /// Whether somebody looks at it.
    watched: bool,
}

impl Terminal {
    fn of(shell: &Shell) -> Self {
        Self {
            number: shell.number,
            kind: if shell.kind == Kind::Exec { "exec" } else { "attach" },
            container: shell.container.to_string(),
            name: shell.name.clone(),
            command: shell.command.clone(),
            who: shell.who.name.clone(),
            address: shell.who.address.to_string(),
            since: shell.since,
            idle: shell.typed().as_secs(),
            watched: shell.is_watched(),
        }
    }
}

#[derive(Template)]
#[template(path = "terminals/list.html")]
struct ListPage {
    chrome: Chrome,
    terminals: Vec<Terminal>,
    now: Timestamp,
}

/// Those that this person may know of.
fn seen(shells: &Shells, page: &Page) -> Vec<Arc<Shell>> {
    let all = shells.all();
    all.into_iter().filter(|shell| is_theirs(shell, page)).collect()
}

fn is_theirs(shell: &Shell, page: &Page) -> bool {
    page.may(Right::People) || page.engine.reach().root || is_same(&shell.who, &page.asker.who)
}

/// `GET /terminals`
async fn page(State(shells): State<Arc<Shells>>, page: Page) -> Result<Response, Error> {
    let terminals: Vec<Terminal> = seen(&shells, &page).iter().map(|shell| Terminal::of(shell)).collect();
    if page.wants_json {
        return page.show(|| List::from(terminals), || Err(Error::ours()));
    }
    let drawn =
        html(&ListPage { chrome: Chrome::new(&page, "Terminals".to_owned()), terminals, now: Timestamp::now() })?;
    page.show(|| (), || Ok(drawn))
}

/// `POST /terminals/{id}/end`
async fn end(State(shells): State<Arc<Shells>>, Id(number): Id<u64>, page: Page) -> Result<Response, Error> {
    let shell = shells.of_number(number).filter(|shell| is_theirs(shell, &page)).ok_or_else(|| {
        Error::not_found("There is no such terminal.", "It may have ended meanwhile.")
            .next(Step::link("All open terminals", "/terminals"))
    })?;
    let who = &page.asker.who;
    let subject = Subject { kind: "container", id: shell.container.to_string(), name: shell.name.clone() };
    let why = format!("the terminal of {}", if shell.who.name.is_empty() { "this console" } else { &shell.who.name });
    page.asker.team.record(Entry::new(who, "terminal.close", subject, Outcome::Done).why(why)).await?;
    shell.end(if is_same(&shell.who, who) { End::Closed } else { End::Ended(who.name.clone()) });
    let _ = tokio::time::timeout(std::time::Duration::from_secs(10), shell.gone()).await;
    Ok(page.quiet("/terminals"))
}
