//! The pages: the form, and the place where scripts put terminals.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{Opened, Wanted, is_attachable, obstacle};
use crate::{
    command::echo,
    engine::{Container, ContainerId},
    web::{
        Error, Shells,
        chrome::Chrome,
        containers::frame::{Frame, Tab, find},
        extract::{Id, Page, Query},
        filters,
        html::html,
        shell::{Kind, Shell},
        shells::{Asked, is_same},
    },
};

#[derive(Template)]
#[template(path = "containers/terminal.html")]
struct TerminalPage<'a> {
    chrome: Chrome,
    frame: Frame<'a>,
    c: &'a Container,
    asked: Asked,
    /// Who a command runs as, where nobody is named.
    own_user: &'a str,
    own_folder: &'a str,
    is_admin: bool,
    /// Why nothing can be run now.
    obstacle: Option<Error>,
    /// Whether there is a process to take part in.
    is_attachable: bool,
    /// The terminals that this page takes up again, as JSON.
    open: String,
    /// How many more this person looks at here: on other pages, or on this one before it was loaded anew.
    watched: usize,
}

#[derive(Template)]
#[template(path = "containers/attach.html")]
struct AttachPage<'a> {
    chrome: Chrome,
    frame: Frame<'a>,
    c: &'a Container,
    obstacle: Option<Error>,
    is_attachable: bool,
    has_tty: bool,
    process: String,
    open: String,
}

/// This person's terminals of this kind here that nobody looks at, and how many others there are, which are looked at.
fn mine(shells: &Shells, page: &Page, id: &ContainerId, is: impl Fn(Kind) -> bool) -> (String, usize) {
    let who = &page.asker.who;
    let of_page = |shell: &&Arc<Shell>| shell.container == *id && is_same(&shell.who, who) && is(shell.kind);
    let all = shells.all();
    let (watched, free): (Vec<_>, Vec<_>) = all.iter().filter(of_page).partition(|shell| shell.is_watched());
    let free: Vec<Opened> = free.into_iter().map(|shell| Opened::of(shell)).collect();
    (serde_json::to_string(&free).unwrap_or_default(), watched.len())
}

/// `GET /containers/{id}/terminal`: the form; with its fields in the address, the command that they make.
pub async fn terminal(
    State(shells): State<Arc<Shells>>,
    Id(id): Id<ContainerId>,
    Query(fields): Query,
    page: Page,
) -> Result<Response, Error> {
    let container = find(&page, &id)?;
    let detail = page.engine.execs().admits(&id).await?;
    let wanted = Wanted::read(&fields)?;
    let command = wanted.line(&container.name, None);
    let (open, watched) = mine(&shells, &page, &id, |kind| kind == Kind::Exec);
    let obstacle = obstacle(&container, &detail.state);
    if page.wants_json {
        let says = json!({ "command": command, "open": open, "watched": watched, "blocked": obstacle.is_some() });
        return Ok(axum::Json(says).into_response());
    }
    let frame = Frame::new(&page, &container, Tab::Terminal, command);
    let asked = if fields.0.is_empty() { shells.remembered(&page.asker.who, &id) } else { wanted.asked() };
    let drawn = html(&TerminalPage {
        chrome: frame.chrome(&page),
        frame,
        asked,
        own_user: if detail.user.is_empty() { "root" } else { &detail.user },
        own_folder: if detail.workdir.is_empty() { "/" } else { &detail.workdir },
        is_admin: page.engine.reach().root,
        obstacle,
        is_attachable: is_attachable(&detail),
        open,
        watched,
        c: &container,
    })?;
    Ok(drawn.into_response())
}

/// `GET /containers/{id}/attach`: what taking part in the container's own process means, and the button for it.
pub async fn attach(State(shells): State<Arc<Shells>>, Id(id): Id<ContainerId>, page: Page) -> Result<Response, Error> {
    let container = find(&page, &id)?;
    let detail = page.engine.execs().admits(&id).await?;
    let frame = Frame::new(&page, &container, Tab::Terminal, echo::attach(&container.name, true));
    let (open, _) = mine(&shells, &page, &id, |kind| kind != Kind::Exec);
    let drawn = html(&AttachPage {
        chrome: frame.chrome(&page),
        frame,
        obstacle: obstacle(&container, &detail.state),
        is_attachable: is_attachable(&detail),
        has_tty: detail.tty,
        process: crate::command::words::join(detail.command.clone()),
        open,
        c: &container,
    })?;
    Ok(drawn.into_response())
}
