//! A terminal in a container: any command, or the best shell that it has. And, apart from it and marked as such, the
//! container's own process.

mod asked;
mod page;
mod talk;

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;

use self::asked::Wanted;
use super::frame::find;
use crate::{
    command::echo,
    engine::{Command, Container, ContainerId, Detail, Error as EngineError, State as Is},
    team::Right,
    web::{
        Error, Routes, Shells,
        deed::Deed,
        error::Step,
        extract::{Fields, Id, Page},
        shell::{Kind, Opening, Shell},
        socket::Socket,
    },
};

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/containers/{id}/terminal", Right::Enter, page::terminal)
        .post("/containers/{id}/terminal", Right::Enter, open)
        .get("/containers/{id}/attach", Right::Enter, page::attach)
        .post("/containers/{id}/attach", Right::Enter, attach)
        .socket("/containers/{id}/terminal/socket", Right::Enter, socket)
}

/// A terminal that is open, for its owner's page.
#[derive(Serialize)]
struct Opened {
    token: String,
    number: u64,
    command: String,
    has_tty: bool,
    is_read_only: bool,
}

impl Opened {
    fn of(shell: &Shell) -> Self {
        Self {
            token: shell.token.clone(),
            number: shell.number,
            command: shell.command.clone(),
            has_tty: shell.has_tty,
            is_read_only: matches!(shell.kind, Kind::Attach { is_read_only: true }),
        }
    }
}

/// Why nothing can be run in it now, and what can be done about that (S077).
fn obstacle(container: &Container, state: &Is) -> Option<Error> {
    let press = |label: &str, verb: &str| Step::press(label, format!("/containers/{}/{verb}", container.id));
    let logs = || Step::link("Its log", format!("/containers/{}/logs", container.id));
    let not =
        |why: &str| Error::new(StatusCode::CONFLICT, format!("Nothing can be run in {} now.", container.name), why);
    let error = match state {
        Is::Running | Is::Unknown(_) => return None,
        Is::Paused => {
            not("It is paused: all its processes stand still, and a shell in it would, too.").next(press("Unpause it", "unpause"))
        }
        Is::Restarting => not(
            "It is restarting: its process ends again and again, and there is nothing to be in between. Its log says why. To look \
             around in its image, run another container of it with a shell as its command.",
        )
        .next(press("Stop it", "stop"))
        .next(logs()),
        Is::Created | Is::Exited => not("It does not run: a command needs a running container to be in.").next(press("Start it", "start")),
        Is::Removing | Is::Dead => not("It is being removed, or could not be."),
    };
    Some(error)
}

fn too_many() -> Error {
    Error::new(
        StatusCode::TOO_MANY_REQUESTS,
        "Too many terminals are open.",
        "One person may have 16, and there may be 128 in all. Close some: the list of all has a button for each.",
    )
    .next(Step::link("All open terminals", "/terminals"))
}

/// That another can be opened in this container now.
async fn has_place(shells: &Shells, page: &Page, container: &Container) -> Result<(), Error> {
    let mut obstacle = obstacle(container, &container.state);
    if obstacle.is_some() {
        // What was started a moment ago may not have come into the picture yet.
        let now = page.engine.execs().admits(&container.id).await?;
        obstacle = self::obstacle(container, &now.state);
    }
    match obstacle {
        Some(error) => Err(error),
        None if shells.has_room(&page.asker.who) => Ok(()),
        None => Err(too_many()),
    }
}

fn no_shell(container: &Container) -> Error {
    Error::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        format!("{} has no shell.", container.name),
        "There is no /bin/sh in it, as in images that hold a program and nothing else (distroless, scratch). Name a command that \
         it does have; or look at it from beside it, with a container of another image that shares its processes: \
         docker run -it --rm --pid container:NAME --network container:NAME busybox.",
    )
}

/// `POST /containers/{id}/terminal`: has the command run; its owner's page then connects to it.
async fn open(
    State(shells): State<Arc<Shells>>,
    Id(id): Id<ContainerId>,
    page: Page,
    fields: Fields,
) -> Result<Response, Error> {
    let container = find(&page, &id)?;
    let wanted = Wanted::read(&fields)?;
    has_place(&shells, &page, &container).await?;
    let (line, public) = (wanted.line(&container.name, None), wanted.public(&container.name));
    let deed = Deed {
        public: Some(public.clone()),
        ..Deed::new("terminal.open", "container", id.as_str(), &container.name, &line)
    };
    let (engine, of, size) = (page.engine.clone(), id.clone(), wanted.size);
    let (words, user, workdir) = (wanted.words.clone(), wanted.user.clone(), wanted.workdir.clone());
    let opened = page.does(deed, async move {
        let execs = engine.execs();
        let words = match words {
            words if !words.is_empty() => words,
            _ => match execs.shell(&of, user.as_deref()).await? {
                Some(shell) => vec![shell],
                None => return Ok(None),
            },
        };
        let command = Command { words, user, workdir };
        let line = execs.open(&of, &command, size).await?;
        Ok::<_, EngineError>(Some(Handed::new((line, command))))
    });
    let Some(opened) = opened.await?? else { return Err(no_shell(&container)) };
    let (opened, command) = opened.taken();
    shells.remember(&page.asker.who, &id, wanted.asked());
    let command = wanted.line(&container.name, command.words.first().map(String::as_str));
    begin(&shells, &page, &container, Kind::Exec, (command, public), opened)
}

/// `POST /containers/{id}/attach`: takes part in the container's own process.
async fn attach(
    State(shells): State<Arc<Shells>>,
    Id(id): Id<ContainerId>,
    page: Page,
    fields: Fields,
) -> Result<Response, Error> {
    let container = find(&page, &id)?;
    let is_read_only = !fields.is_set("write");
    has_place(&shells, &page, &container).await?;
    let command = echo::attach(&container.name, is_read_only);
    let deed = Deed::new("attach.open", "container", id.as_str(), &container.name, &command);
    let engine = page.engine.clone();
    let opened = page.does(deed, async move { engine.execs().attach(&id).await.map(Handed::new) }).await??;
    begin(&shells, &page, &container, Kind::Attach { is_read_only }, (command.clone(), command), opened.taken())
}

/// Something that only one may have at a time, on its way through who only looks whether it is there.
struct Handed<T>(Mutex<T>);

impl<T> Handed<T> {
    fn new(it: T) -> Self {
        Self(Mutex::new(it))
    }

    fn taken(self) -> T {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

fn begin(
    shells: &Arc<Shells>,
    page: &Page,
    container: &Container,
    kind: Kind,
    (command, public): (String, String),
    line: crate::engine::Line,
) -> Result<Response, Error> {
    let asker = &page.asker;
    let opening = Opening {
        kind,
        container: container.id.clone(),
        name: container.name.clone(),
        command,
        public,
        who: asker.who.clone(),
        lease: asker.lease(),
        team: asker.team.clone(),
        idle: shells.idle,
    };
    let shell = shells.begin(opening, line).ok_or_else(Error::ours)?;
    Ok((StatusCode::CREATED, axum::Json(Opened::of(&shell))).into_response())
}

/// `GET /containers/{id}/terminal/socket`: the live connection to a terminal that is open.
async fn socket(State(shells): State<Arc<Shells>>, Id(id): Id<ContainerId>, socket: Socket) -> Result<Response, Error> {
    find(&socket.page, &id)?;
    let who = socket.page.asker.who.clone();
    Ok(socket.open(move |connected| talk::talk(connected, shells, who, id)))
}

/// Whether there is a process to take part in: one that was made with -i or -t.
fn is_attachable(detail: &Detail) -> bool {
    detail.tty || detail.takes_input()
}
