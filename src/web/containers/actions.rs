//! What can be done to containers: the forms that ask first, and the doing, to one or to many.

use std::sync::Arc;

use crate::web::filters;
use askama::Template;
use axum::{
    extract::{FromRequestParts, Path},
    http::{StatusCode, request::Parts},
    response::Response,
};

use super::{StateMark, frame::gone, json, row::Way, words};
use crate::{
    command::{self, echo},
    engine::{
        Action, Container, ContainerId, Done, Error as EngineError, Mount, Picture, SIGNALS, Signal, Stage, State, Verb,
    },
    team::Right,
    web::{
        Error,
        chrome::Chrome,
        deed::Deed,
        error::Step,
        extract::{Fields, Page, Query},
        html::{bytes, count, html},
    },
};

/// How long a bulk action is waited for before its page is shown instead.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(3);
/// How long the sizes of volumes are waited for in a form that can do without.
const SIZES: std::time::Duration = std::time::Duration::from_secs(2);

/// `{id}/{verb}` of the path, both parsed.
pub struct Target(ContainerId, Verb);

impl<S: Send + Sync> FromRequestParts<S> for Target {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let Path((id, verb)) =
            Path::<(String, String)>::from_request_parts(parts, state).await.map_err(|_| Error::bad_id())?;
        match (id.parse(), verb.parse()) {
            (Ok(id), Ok(verb)) => Ok(Self(id, verb)),
            _ => Err(Error::bad_id()),
        }
    }
}

/// Reads from a form what `verb` needs; answers with the field that is wrong and why.
fn read_action(verb: Verb, fields: &Fields) -> Result<Action, (&'static str, String)> {
    let timeout = || match fields.text("timeout") {
        None => Ok(None),
        Some(text) => match text.parse::<u32>() {
            Ok(seconds) if seconds <= 3_600 => Ok(Some(seconds)),
            _ => Err(("timeout", format!("“{text}” is no time to wait: whole seconds from 0 to 3600."))),
        },
    };
    Ok(match verb {
        Verb::Start => Action::Start,
        Verb::Stop => Action::Stop { timeout: timeout()? },
        Verb::Restart => Action::Restart { timeout: timeout()? },
        Verb::Pause => Action::Pause,
        Verb::Unpause => Action::Unpause,
        Verb::Kill => {
            // A signal typed by hand wins over the list.
            let said = fields.text("other").or_else(|| fields.text("signal"));
            Action::Kill { signal: said.map_or_else(|| Ok(Signal::kill()), str::parse).map_err(|why| ("signal", why))? }
        }
        Verb::Rename => {
            let name = fields.text("name").unwrap_or_default();
            command::container_name(name).map_err(|why| ("name", why))?;
            Action::Rename { name: name.to_owned() }
        }
        Verb::Remove => Action::Remove {
            force: fields.is_set("force"),
            volumes: fields.is_set("volumes"),
            link: fields.is_set("link"),
        },
    })
}

/// The docker command of an action.
fn echo_of(action: &Action, names: &[&str]) -> String {
    let wait = |timeout: &Option<u32>| timeout.map(i64::from);
    match action {
        Action::Start => echo::start(names),
        Action::Stop { timeout } => echo::stop(names, wait(timeout)),
        Action::Restart { timeout } => echo::restart(names, wait(timeout)),
        Action::Kill { signal } => echo::kill(names, (*signal != Signal::kill()).then(|| signal.as_str())),
        Action::Pause => echo::pause(names),
        Action::Unpause => echo::unpause(names),
        Action::Rename { name } => echo::rename(names.first().unwrap_or(&""), name),
        Action::Remove { link: true, .. } => echo::rm(names, false, false, true),
        Action::Remove { force, volumes, .. } => echo::rm(names, *force, *volumes, false),
    }
}

/// `POST /containers/{id}/{verb}`
pub async fn act(Target(id, verb): Target, page: Page, fields: Fields) -> Result<Response, Error> {
    let before = page.picture.containers.get(&id).cloned();
    let name = before.as_ref().map_or_else(|| id.short().to_owned(), |container| container.name.clone());
    let action = match read_action(verb, &fields) {
        Ok(action) => action,
        Err((field, why)) => return refused(&page, &id, verb, &fields, (field, why)).await,
    };
    let links = match &action {
        Action::Remove { link: true, .. } => {
            page.engine.containers().get(&id).await.map(|detail| detail.links.clone()).unwrap_or_default()
        }
        _ => Vec::new(),
    };
    let bound = match &action {
        Action::Remove { volumes: true, link: false, .. } => page.engine.containers().bound_by_name(&id).await,
        _ => Vec::new(),
    };
    let names = if links.is_empty() { vec![name.as_str()] } else { links.iter().map(String::as_str).collect() };
    let mut echo = echo_of(&action, &names);
    if !bound.is_empty() {
        let bound: Vec<&str> = bound.iter().map(crate::engine::VolumeName::as_str).collect();
        echo = format!("{echo} && {}", echo::volume_rm(&bound, false));
    }
    let deed = Deed::new(format!("container.{}", verb.word()), "container", id.as_str(), name.clone(), &echo);
    let (engine, of) = (page.engine.clone(), id.clone());
    match page.does(deed, async move { engine.containers().act(&of, action).await }).await? {
        Ok(done) => {
            tracing::info!(container = id.short(), name, command = echo, "done");
            let is_kept = matches!(verb, Verb::Remove | Verb::Stop | Verb::Kill)
                && page.engine.containers().removed().iter().any(|it| it.id == id);
            let says = if !links.is_empty() {
                format!("The link of {name} was removed. The container stays.")
            } else if is_kept && verb != Verb::Remove {
                format!("{name} ended and is gone: it was made with --rm. What it was made of is kept.")
            } else {
                done_words(verb, done, &name, fields.text("name"))
            };
            let undo =
                Step { right: Right::Create, ..Step::press("Undo", format!("/containers/removed/{id}/restore")) };
            let more = Step { right: Right::Create, ..Step::link("What comes back", "/containers/removed") };
            let next = if is_kept { vec![undo, more] } else { Vec::new() };
            page.done_with(&says, &echo, after(&page, &id, verb, &fields), &next)
        }
        Err(error) => {
            tracing::info!(container = id.short(), name, command = echo, error = error.to_string(), "not done");
            Err(explain(error, verb, &id, &name, &page.fresh().picture))
        }
    }
}

/// Where a plain form goes after an action: back, unless that was the page of what is gone.
fn after<'a>(page: &Page, id: &ContainerId, verb: Verb, fields: &'a Fields) -> &'a str {
    let back = fields.back("/containers");
    let own = format!("/containers/{id}");
    let is_gone =
        matches!(verb, Verb::Remove | Verb::Stop | Verb::Kill) && !page.fresh().picture.containers.contains_key(id);
    if back.starts_with(&own) && is_gone { "/containers" } else { back }
}

fn done_words(verb: Verb, done: Done, name: &str, new: Option<&str>) -> String {
    match (done, verb) {
        (Done::Now, Verb::Rename) => format!("{name} is now called {}.", new.unwrap_or_default()),
        (Done::Now, Verb::Kill) => format!("{name} was sent the signal."),
        (Done::Now, _) => format!("{name} was {}.", verb.done()),
        (Done::Already, Verb::Start) => format!("{name} was already running."),
        (Done::Already, Verb::Stop) => format!("{name} was already stopped."),
        (Done::Already, Verb::Unpause) => format!("{name} was not paused."),
        (Done::Already, _) => format!("{name} was already {}.", verb.done()),
        (Done::UnderWay, _) => format!("{name} is being removed already."),
    }
}

/// What the engine's refusal of an action means, and what to do instead (S075, S079).
fn explain(error: EngineError, verb: Verb, id: &ContainerId, name: &str, picture: &Picture) -> Error {
    let path = |verb: Verb| format!("/containers/{id}/{}", verb.word());
    let container = picture.containers.get(id);
    let state = container.map(|container| &container.state);
    let not = format!("{name} was not {}.", verb.done());
    match (&error, verb, state) {
        (EngineError::NotFound(_), _, None) => gone(id),
        (EngineError::Conflict(_), Verb::Rename, Some(_)) => {
            let words = error.to_string();
            let holder =
                words.split(|c: char| !c.is_ascii_hexdigit()).find_map(|word| word.parse::<ContainerId>().ok());
            let told = Error::from(error).what(not);
            match holder.and_then(|holder| picture.containers.get(&holder)) {
                Some(holder) => told
                    .why(format!("Another container has that name already: {}.", holder.name))
                    .next(Step::link(format!("Open {}", holder.name), format!("/containers/{}", holder.id))),
                None => told.why("Another container has that name already."),
            }
        }
        (EngineError::Conflict(_) | EngineError::Engine { .. }, Verb::Remove, Some(state)) if state.is_up() => {
            let why = format!("It is {state}. Stop it first, or remove it by force (-f), which kills it.");
            let stop = container.is_some_and(|container| container.verbs(picture.is_podman()).contains(&Verb::Stop));
            let told = Error::from(error).conflict().what(not).why(why);
            let told = if stop { told.next(Step::press("Stop", path(Verb::Stop))) } else { told };
            told.next(Step::remove("Remove by force…", format!("{}?force=1", path(Verb::Remove))))
        }
        (EngineError::Conflict(_) | EngineError::Engine { .. }, _, Some(State::Paused)) => Error::from(error)
            .conflict()
            .what(not)
            .why("It is paused: a frozen process cannot answer. Unpause it first.")
            .next(Step::press("Unpause", path(Verb::Unpause))),
        (
            EngineError::Conflict(_) | EngineError::Engine { .. },
            Verb::Kill | Verb::Pause,
            Some(State::Exited | State::Created),
        ) => {
            let start = Step::press("Start", path(Verb::Start));
            Error::from(error).conflict().what(not).why("It is not running.").next(start)
        }
        (EngineError::Conflict(_) | EngineError::Engine { .. }, Verb::Pause | Verb::Kill, Some(State::Restarting)) => {
            let why = "It is waiting to be started again. Stop ends that.";
            Error::from(error).conflict().what(not).why(why).next(Step::press("Stop", path(Verb::Stop)))
        }
        (_, Verb::Start, Some(_)) => {
            words::told(error, picture).what(not).next(Step::link(format!("Open {name}"), format!("/containers/{id}")))
        }
        _ => Error::from(error).what(not),
    }
}

/// A field of a form that asks.
#[derive(Default)]
struct Ask {
    verb: &'static str,
    label: &'static str,
    is_kill: bool,
    is_remove: bool,
    is_rename: bool,
    waits: bool,
    force: bool,
    volumes: bool,
    link: bool,
    signal: String,
    other: String,
    name: String,
    timeout: String,
}

/// One container in a form that asks.
struct Subject {
    container: Arc<Container>,
    mark: StateMark,
    goes: Vec<(String, String)>,
    stays: Vec<String>,
    refusal: Option<String>,
}

#[derive(Template)]
#[template(path = "containers/confirm.html")]
struct ConfirmPage {
    chrome: Chrome,
    ask: Ask,
    title: String,
    help: &'static str,
    /// Whether it is removed when it ends.
    is_passing: bool,
    action: String,
    back: String,
    subjects: Vec<Subject>,
    many: bool,
    up: usize,
    links: Vec<String>,
    command: String,
    error: Option<(&'static str, String)>,
    button: String,
}

impl ConfirmPage {
    fn error_of(&self, field: &str) -> Option<&str> {
        self.error.as_ref().filter(|(name, _)| *name == field).map(|(_, why)| why.as_str())
    }

    /// The same for a script.
    fn plan(&self) -> json::Plan {
        let affected = |subject: &Subject| json::Affected {
            id: subject.container.id.to_string(),
            name: subject.container.name.clone(),
            state: subject.container.state.to_string(),
            goes: subject.goes.iter().map(|(volume, _)| volume.clone()).collect(),
            stays: subject.stays.clone(),
            refused: subject.refusal.clone(),
        };
        json::Plan {
            verb: self.ask.verb,
            help: self.help,
            command: self.command.clone(),
            containers: self.subjects.iter().map(affected).collect(),
        }
    }
}

/// `GET /containers/{id}/{verb}`: what has to be said before it is done. As a page, or the part of it in a dialog.
pub async fn confirm(Target(id, verb): Target, page: Page, Query(query): Query) -> Result<Response, Error> {
    let container = page.picture.containers.get(&id).cloned().ok_or_else(|| gone(&id))?;
    let form = form(&page, verb, vec![container], &query, None).await?;
    page.show(|| form.plan(), || html(&form))
}

/// `GET /containers/confirm?action=remove&id=...`: the same for many.
pub async fn confirm_many(page: Page, Query(query): Query) -> Result<Response, Error> {
    let (verb, ids) = many(&query)?;
    let containers: Vec<_> = ids.iter().filter_map(|id| page.picture.containers.get(id).cloned()).collect();
    if containers.is_empty() {
        return Err(Error::not_found(
            "Those containers are not there any more.",
            "They were removed, here or elsewhere.",
        ));
    }
    let form = form(&page, verb, containers, &query, None).await?;
    page.show(|| form.plan(), || html(&form))
}

/// The form again, with what is wrong at its field; nothing that was typed is lost.
async fn refused(
    page: &Page,
    id: &ContainerId,
    verb: Verb,
    fields: &Fields,
    error: (&'static str, String),
) -> Result<Response, Error> {
    let (status, what) = (StatusCode::UNPROCESSABLE_ENTITY, "That cannot be done like this.");
    if page.is_htmx {
        return Err(Error::new(status, what, error.1));
    }
    let container = page.picture.containers.get(id).cloned().ok_or_else(|| gone(id))?;
    let form = form(page, verb, vec![container], fields, Some(error.clone())).await?;
    page.wrong(status, what, [error], || html(&form))
}

async fn form(
    page: &Page,
    verb: Verb,
    containers: Vec<Arc<Container>>,
    said: &Fields,
    error: Option<(&'static str, String)>,
) -> Result<ConfirmPage, Error> {
    let Some(one) = containers.first().cloned() else { return Err(Error::ours()) };
    let up = containers.iter().filter(|container| container.state.is_up()).count();
    let many = containers.len() != 1;
    let names: Vec<&str> = containers.iter().map(|container| container.name.as_str()).collect();
    let what = if many { count(containers.len(), "container") } else { names.join("") };
    let ask = Ask {
        verb: verb.word(),
        label: verb.label(),
        is_kill: verb == Verb::Kill,
        is_remove: verb == Verb::Remove,
        is_rename: verb == Verb::Rename,
        waits: verb.waits(),
        force: said.is_set("force"),
        volumes: said.is_set("volumes"),
        link: said.is_set("link"),
        signal: said.text("signal").unwrap_or("KILL").trim_start_matches("SIG").to_owned(),
        other: said.get("other").unwrap_or_default().to_owned(),
        name: said.get("name").map_or_else(|| if many { String::new() } else { what.clone() }, str::to_owned),
        timeout: said.get("timeout").unwrap_or_default().to_owned(),
    };
    let links = match (verb, containers.as_slice()) {
        (Verb::Remove, [one]) => {
            page.engine.containers().get(&one.id).await.map(|detail| detail.links.clone()).unwrap_or_default()
        }
        _ => Vec::new(),
    };
    let sizes = match verb {
        Verb::Remove if containers.iter().any(|c| c.mounts.iter().any(Mount::is_anonymous)) => {
            page.engine.volumes().sizes(SIZES).await.unwrap_or_default()
        }
        _ => (*page.picture.sizes.bytes).clone(),
    };
    let size = |mount: &Mount| sizes.get(&mount.source).map(|size| bytes(*size)).unwrap_or_default();
    let command =
        read_action(verb, said).map_or_else(|_| Way::new(verb, &one).command, |action| echo_of(&action, &names));
    let action = if many { "/containers/bulk".to_owned() } else { format!("/containers/{}/{}", one.id, verb.word()) };
    let back = said.back(if many { "/containers" } else { "" }).to_owned();
    let back = if back.is_empty() { format!("/containers/{}", one.id) } else { back };
    let subjects = containers
        .into_iter()
        .map(|container| Subject {
            mark: StateMark::of(&container),
            goes: container
                .mounts
                .iter()
                .filter(|m| m.is_anonymous())
                .map(|m| (m.source.chars().take(12).collect(), size(m)))
                .collect(),
            stays: container.mounts.iter().filter(|m| m.is_named()).map(|m| m.source.clone()).collect(),
            refusal: page.picture.guard_container(&container.id, verb).err().map(|error| error.to_string()),
            container,
        })
        .collect();
    let title = format!("{} {what}", verb.label());
    let is_passing = !many
        && matches!(verb, Verb::Stop | Verb::Kill)
        && page.engine.containers().get(&one.id).await.is_ok_and(|detail| detail.auto_remove);
    Ok(ConfirmPage {
        chrome: Chrome::new(page, title.clone()),
        ask,
        help: verb.help(),
        is_passing,
        action,
        back,
        subjects,
        many,
        up,
        links,
        command,
        error,
        button: title.clone(),
        title: format!("{title}?"),
    })
}

/// The verb and the ids of a form over many containers.
fn many(fields: &Fields) -> Result<(Verb, Vec<ContainerId>), Error> {
    let unknown = || {
        let why = "One of start, stop, restart, kill, pause, unpause, remove.";
        Error::of_fields(StatusCode::UNPROCESSABLE_ENTITY, "That is not an action.", [("action", why)])
    };
    let verb: Verb = fields
        .text("action")
        .and_then(|word| word.parse().ok())
        .filter(|verb: &Verb| verb.in_bulk())
        .ok_or_else(unknown)?;
    let mut ids: Vec<ContainerId> = Vec::new();
    for text in fields.all("id") {
        let id = text.parse().map_err(|why: crate::engine::InvalidName| {
            let why = format!("“{text}”: {why}.");
            Error::of_fields(StatusCode::UNPROCESSABLE_ENTITY, "That is not a container.", [("id", why)])
        })?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    if ids.is_empty() {
        let why = "Tick the containers first, then say what to do with them.";
        return Err(Error::of_fields(StatusCode::UNPROCESSABLE_ENTITY, "Nothing is selected.", [("id", why)]));
    }
    Ok((verb, ids))
}

/// `POST /containers/bulk`: the same to many. Done quickly and well, it goes back; else its page shows how each ended.
pub async fn bulk(page: Page, fields: Fields) -> Result<Response, Error> {
    let (verb, ids) = many(&fields)?;
    let action = read_action(verb, &fields).map_err(|error| {
        Error::of_fields(StatusCode::UNPROCESSABLE_ENTITY, "That cannot be done like this.", [error])
    })?;
    let name = |id: &ContainerId| {
        page.picture.containers.get(id).map_or_else(|| id.short().to_owned(), |container| container.name.clone())
    };
    let names: Vec<String> = ids.iter().map(name).collect();
    let echo = echo_of(&action, &names.iter().map(String::as_str).collect::<Vec<_>>());
    let total = ids.len();
    // Each its own deed: what came of one is not what came of another.
    let deed = |(id, name): (&ContainerId, &String)| {
        let echo = echo_of(&action, &[name.as_str()]);
        Deed::new(format!("container.{}", verb.word()), "container", id.as_str(), name.clone(), &echo)
    };
    let asked = page.asks_all(ids.iter().zip(&names).map(deed).collect()).await?;
    let job = page.engine.jobs().act_on_many(ids, action, echo.clone())?;
    asked.follow(job.clone());
    let path = format!("/jobs/{}", job.id);
    let Ok(progress) = tokio::time::timeout(PATIENCE, job.ended()).await else {
        if page.is_htmx {
            let says = format!("{} {}: under way.", verb.label(), count(total, "container"));
            return page.done(&says, &echo, &path);
        }
        return Ok(page.begun(&job));
    };
    if let Stage::Failed { error, .. } = &progress.stage {
        let failed = progress.failures();
        let lines = progress.parts.iter().filter_map(|part| match &part.result {
            Some(Err(error)) => Some(format!("{}: {}", part.name, Error::from(error.clone()).reason())),
            _ => None,
        });
        let why = lines.take(20).collect::<Vec<_>>().join(" ");
        let were = if failed == 1 { "was" } else { "were" };
        let what = format!("{failed} of {} {were} not {}.", count(total, "container"), verb.done());
        return Err(Error::from(error.clone()).what(what).why(why).next(Step::link("How each ended", path)));
    }
    let kept = page.engine.containers().removed();
    let mut gone = progress.parts.iter().filter_map(|part| part.container.as_ref());
    let is_kept = verb == Verb::Remove && gone.any(|id| kept.iter().any(|it| it.id == *id));
    let undo = Step { right: Right::Create, ..Step::link("Undo…", "/containers/removed") };
    let next = if is_kept { vec![undo] } else { Vec::new() };
    let says = format!("{}: {}.", count(total, "container"), verb.done());
    page.done_with(&says, &echo, fields.back("/containers"), &next)
}
