//! Making a container: one form, two buttons, and the docker command under it while it is filled in.
//!
//! The form is drawn from the table of `docker run`'s flags: a field is a row of that table, its name the flag's. Four
//! flags have rows of several inputs instead of their own little language: variables, labels, ports and mounts.

use std::{collections::HashMap, sync::Arc};

use crate::web::filters;
use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};

use super::{
    draft::{Draft, ROWS, WORDS, env_lines},
    json,
    paste::{Paste, pasted},
    words,
};
use crate::{
    command::{FLAGS, Flag, Group, Kind, RunLine, Verb},
    engine::{Container, ContainerId, Engine, Error as EngineError, ImageId, Picture, spec::Spec},
    web::{
        Error,
        answer::Made,
        chrome::Chrome,
        deed::{Asked, Came, Deed},
        error::{Step, Toast},
        extract::{Fields, Page, Query, is_on},
        html::html,
        images::DeclaredFacts,
    },
};

/// The flags that the form shows at once; the others stand folded at the end of their part.
const FIRST: [&str; 21] = [
    "name",
    "entrypoint",
    "interactive",
    "tty",
    "rm",
    "workdir",
    "user",
    "hostname",
    "network",
    "network-alias",
    "restart",
    "memory",
    "cpus",
    "privileged",
    "cap-add",
    "cap-drop",
    "init",
    "read-only",
    "publish-all",
    "pids-limit",
    "security-opt",
];

/// A field of the form: a row of the table of flags.
struct Field {
    flag: &'static Flag,
    value: String,
    error: Option<String>,
    is_first: bool,
}

impl Field {
    fn is_switch(&self) -> bool {
        self.flag.kind == Kind::Switch
    }

    fn is_list(&self) -> bool {
        self.flag.kind == Kind::List && !WORDS.contains(&self.flag.long)
    }

    fn is_set(&self) -> bool {
        is_on(&self.value)
    }

    /// How it stands on the command line.
    fn shown(&self) -> String {
        match self.flag.short {
            Some(letter) => format!("-{letter}, --{}", self.flag.long),
            None => format!("--{}", self.flag.long),
        }
    }
}

/// A row of several inputs.
#[derive(Default)]
struct Cells {
    row: usize,
    cells: Vec<String>,
    error: Option<String>,
}

impl Cells {
    fn cell(&self, at: usize) -> &str {
        self.cells.get(at).map_or("", String::as_str)
    }

    /// The rows that were sent, and an empty one to fill in.
    fn all(fields: &Fields, columns: &[&str], place: &str, errors: &HashMap<String, String>) -> Vec<Self> {
        let columns: Vec<Vec<&str>> = columns.iter().map(|name| fields.all(name).collect()).collect();
        let sent = columns.iter().map(Vec::len).max().unwrap_or_default();
        let mut rows: Vec<Self> = Vec::new();
        for at in 0..sent {
            let cells: Vec<String> =
                columns.iter().map(|column| column.get(at).copied().unwrap_or_default().to_owned()).collect();
            rows.push(Self { row: at, cells, error: errors.get(&format!("{place}-{at}")).cloned() });
        }
        // A select sends its value in an empty row too; inputs alone say whether a row is in use.
        let is_empty = |row: &Self| {
            row.error.is_none() && row.cells.iter().all(|cell| matches!(cell.trim(), "" | "tcp" | "volume" | "rw"))
        };
        if !rows.last().is_some_and(is_empty) {
            rows.push(Self { row: rows.len(), ..Self::default() });
        }
        rows
    }
}

/// A part of the form.
struct Part {
    group: Group,
    fields: Vec<Field>,
}

impl Part {
    fn more(&self) -> bool {
        self.fields.iter().any(|field| !field.is_first)
    }

    /// Whether the folded fields have to be seen: one is filled in, or wrong.
    fn more_open(&self) -> bool {
        self.fields.iter().any(|field| !field.is_first && (!field.value.is_empty() || field.error.is_some()))
    }
}

#[derive(Template)]
#[template(path = "containers/create.html")]
struct CreatePage<'a> {
    chrome: Chrome,
    image: &'a str,
    command: &'a str,
    parts: Vec<Part>,
    env: Vec<Cells>,
    labels: Vec<Cells>,
    ports: Vec<Cells>,
    mounts: Vec<Cells>,
    env_file: String,
    line: String,
    dangers: Vec<String>,
    errors: Vec<(String, String, String)>,
    owners: &'a [Arc<Container>],
    by_place: &'a HashMap<String, String>,
    volumes: Vec<&'a str>,
    networks: Vec<&'a str>,
    /// What the image declares, where the engine has it.
    declared: Option<(ImageId, DeclaredFacts)>,
    paste: Paste,
    /// What rows cannot say, as docker writes it.
    whole: Vec<Field>,
}

impl CreatePage<'_> {
    fn error_of(&self, place: &str) -> Option<&str> {
        self.by_place.get(place).map(String::as_str)
    }

    /// A field for values of this flag as docker writes them.
    fn whole(&self, flag: &str) -> impl Iterator<Item = &Field> {
        self.whole.iter().filter(move |field| field.flag.long == flag)
    }

    /// Whether a field of these flags has to be seen: it is filled in, or wrong.
    fn is_whole(&self, flags: &[&str]) -> bool {
        let holds = |field: &Field| !field.value.is_empty() || field.error.is_some();
        self.whole.iter().any(|field| flags.contains(&field.flag.long) && holds(field))
    }

    fn options(&self, field: &Field) -> Vec<String> {
        let mut options: Vec<String> = field.flag.choices.iter().map(|choice| (*choice).to_owned()).collect();
        if field.flag.long == "network" {
            options.extend(self.networks.iter().map(|network| (*network).to_owned()));
            options.sort();
            options.dedup();
        }
        options
    }
}

/// Draws the form as it was sent, with the line that it makes. Errors are shown where they are to be told.
pub(super) fn form(
    page: &Page,
    fields: &Fields,
    line: &RunLine,
    errors: &HashMap<String, String>,
    tell: Option<&[Arc<Container>]>,
    declared: Option<(ImageId, DeclaredFacts)>,
    paste: Paste,
) -> Result<Html<String>, Error> {
    let none = HashMap::new();
    let by_place = if tell.is_some() { errors } else { &none };
    let field = |flag: &'static Flag| {
        let value = fields.all(flag.long).collect::<Vec<_>>().join("\n");
        Field { flag, value, error: by_place.get(flag.long).cloned(), is_first: FIRST.contains(&flag.long) }
    };
    let groups = [
        Group::Basics,
        Group::Environment,
        Group::Ports,
        Group::Mounts,
        Group::Network,
        Group::Resources,
        Group::Security,
        Group::Advanced,
    ];
    let parts = groups.into_iter().map(|group| {
        let flags = FLAGS.iter().filter(|flag| flag.group == group && !flag.client && !ROWS.contains(&flag.long));
        let mut fields: Vec<Field> = flags.map(field).collect();
        fields.sort_by_key(|field| (!field.is_first, field.is_switch()));
        Part { group, fields }
    });
    let rows = FLAGS.iter().filter(|flag| ROWS.contains(&flag.long));
    let whole = rows.flat_map(|flag| {
        let error = by_place.get(flag.long).cloned();
        let field = |value: String| Field { flag, value, error: error.clone(), is_first: false };
        // A variable and a label may go over several lines: each has a field of its own, and one is there for another.
        match flag.long {
            "env" | "label" => {
                let said = fields.all(flag.long).filter(|value| !value.trim().is_empty());
                said.map(str::to_owned).chain([String::new()]).map(field).collect()
            }
            _ => vec![field(fields.all(flag.long).collect::<Vec<_>>().join("\n"))],
        }
    });
    let mut told: Vec<_> = by_place.iter().map(|(place, why)| (place.clone(), label(place), why.clone())).collect();
    told.sort();
    let networks =
        page.picture.containers.values().flat_map(|container| container.networks.iter().map(|at| at.network.as_str()));
    let mut networks: Vec<&str> = networks.collect();
    networks.sort_unstable();
    networks.dedup();
    html(&CreatePage {
        chrome: Chrome::new(page, "New container"),
        image: fields.get("image").unwrap_or_default(),
        command: fields.get("command").unwrap_or_default(),
        parts: parts.collect(),
        env: Cells::all(fields, &["env-name", "env-value"], "env", by_place),
        labels: Cells::all(fields, &["label-name", "label-value"], "label", by_place),
        ports: Cells::all(fields, &["port-address", "port-host", "port-container", "port-protocol"], "port", by_place),
        mounts: Cells::all(fields, &["mount-type", "mount-source", "mount-target", "mount-mode"], "mount", by_place),
        env_file: fields.get("env-file").unwrap_or_default().to_owned(),
        line: shown(line),
        dangers: dangers(line),
        errors: told,
        owners: tell.unwrap_or_default(),
        by_place,
        volumes: page
            .picture
            .volumes
            .values()
            .filter(|volume| !volume.is_anonymous())
            .map(|volume| volume.name.as_str())
            .collect(),
        networks,
        declared,
        paste,
        whole: whole.collect(),
    })
}

/// What the image of the form declares: it is the image's own, and stays there.
pub(super) async fn declared(page: &Page, line: &RunLine) -> Option<(ImageId, DeclaredFacts)> {
    if page.wants_json || line.image.is_empty() {
        return None;
    }
    let (id, declared) = page.engine.images().declared(&line.image).await.ok()??;
    Some((id, DeclaredFacts::new(&declared)))
}

/// The same for a script.
pub(super) fn sketch(line: &RunLine, errors: HashMap<String, String>) -> json::Sketch {
    json::Sketch { command: shown(line), dangers: dangers(line), fields: errors }
}

fn dangers(line: &RunLine) -> Vec<String> {
    line.dangers().into_iter().map(|danger| format!("--{}: {}", danger.flag, danger.message)).collect()
}

/// The line for the panel; a placeholder where there is no image yet.
fn shown(line: &RunLine) -> String {
    if line.image.is_empty() {
        return RunLine { image: "IMAGE".to_owned(), ..line.clone() }.to_command_multiline(Verb::Run);
    }
    line.to_command_multiline(Verb::Run)
}

/// What a place in the form is called.
fn label(place: &str) -> String {
    let flag = |name: &str| FLAGS.iter().find(|flag| flag.long == name).map(|flag| flag.label.to_owned());
    let row = |name: &str, row: &str| {
        let number = row.parse::<usize>().map_or(0, |row| row + 1);
        let what = match name {
            "env" => "Variable",
            "label" => "Label",
            "port" => "Port",
            _ => "Mount",
        };
        format!("{what} {number}")
    };
    match place.rsplit_once('-') {
        _ if place == "image" => "Image".to_owned(),
        _ if place == "command" => "Command".to_owned(),
        Some((name @ ("env" | "label" | "port" | "mount"), at)) if at.parse::<usize>().is_ok() => row(name, at),
        _ => flag(place).unwrap_or_else(|| place.to_owned()),
    }
}

/// `GET /containers/new`: the form, filled in from the address as far as that says something.
pub async fn page(page: Page, Query(query): Query) -> Result<Response, Error> {
    if query.text("line").is_some() {
        return pasted(&page, &query).await;
    }
    let (line, checked) = Draft::read(&query).check();
    let errors = checked.err().unwrap_or_default();
    let declared = declared(&page, &line).await;
    page.show(
        || sketch(&line, errors.clone()),
        || form(&page, &query, &line, &errors, None, declared, Paste::default()),
    )
}

/// `POST /containers/draft`: the form as it stands, with the line that it makes. Changes nothing.
pub async fn draft(page: Page, fields: Fields) -> Result<Response, Error> {
    let mut fields = fields;
    if fields.get("then") == Some("env-file") {
        // The pasted lines become rows.
        let lines: Vec<String> = fields.all("env-file").flat_map(env_lines).collect();
        fields.0.retain(|(name, _)| name != "env-file");
        for line in lines {
            let (name, value) = line.split_once('=').unwrap_or((&line, ""));
            fields.0.push(("env-name".into(), name.to_owned()));
            fields.0.push(("env-value".into(), value.to_owned()));
        }
    }
    let (line, checked) = Draft::read(&fields).check();
    let (errors, tell) = (checked.err().unwrap_or_default(), !page.is_htmx && fields.get("then").is_none());
    let declared = declared(&page, &line).await;
    page.show(
        || sketch(&line, errors.clone()),
        || form(&page, &fields, &line, &errors, tell.then_some(&[]), declared, Paste::default()),
    )
}

/// `POST /containers`: creates, and with `start=1` runs. A missing image is pulled by a job, whose page then shows it.
pub async fn submit(page: Page, fields: Fields) -> Result<Response, Error> {
    let (line, checked) = Draft::read(&fields).check();
    let spec = match checked {
        Ok(spec) => spec,
        Err(errors) => {
            return wrong(&page, &fields, &line, &errors, StatusCode::UNPROCESSABLE_ENTITY, &[]);
        }
    };
    let (errors, owners) = taken(&page, &fields, &spec);
    if !errors.is_empty() {
        return wrong(&page, &fields, &line, &errors, StatusCode::CONFLICT, &owners);
    }
    let spec = match page.engine.containers().admit(&spec).await {
        Ok(spec) => spec,
        Err(error) => return refused(&page, &fields, &line, error),
    };
    let start = fields.is_set("start");
    let verb = if start { Verb::Run } else { Verb::Create };
    let echo = line.to_command(verb);
    let name = spec.name.clone().unwrap_or_default();
    let deed = Deed {
        public: Some(line.outline().to_command(verb)),
        ..Deed::new(format!("container.{verb}"), "container", "", name, &line.without_values().to_command(verb))
    };
    let has_image = page.engine.images().has(&spec.image).await?;
    let asked = page.asks(deed).await?;
    if !has_image {
        let job = match page.engine.jobs().run(spec, start, echo).await {
            Ok(job) => job,
            Err(error) => {
                asked.ended(Came { made: None, why: Some(error.to_string()) }).await;
                return refused(&page, &fields, &line, error);
            }
        };
        asked.follow(job.clone());
        return Ok(page.begun(&job));
    }
    // To its end, even if who asked does not wait for it.
    let (engine, of) = (page.engine.clone(), spec.clone());
    let made = tokio::spawn(async move { make(&engine, &of, start, asked).await });
    let (id, started) = match made.await.map_err(|_| Error::ours())? {
        Ok(made) => made,
        Err(error) => return refused(&page, &fields, &line, error),
    };
    // Not the command: it may hold secrets.
    tracing::info!(container = id.short(), name = spec.name, image = spec.image, "created");
    match started {
        Ok(()) => {
            let location = format!("/containers/{id}");
            Ok(page.made(&location, || Made { id: id.to_string(), location: location.clone() }))
        }
        Err(error) => Err(not_started(error, &id, spec.name.as_deref(), &page.fresh().picture)),
    }
}

/// Creates it and, if that is asked for, starts it; the audit is told what came of both.
async fn make(
    engine: &Engine,
    spec: &Spec,
    start: bool,
    asked: Asked,
) -> Result<(ContainerId, Result<(), EngineError>), EngineError> {
    let name = spec.name.as_deref().unwrap_or_default();
    let created = match engine.containers().create(spec).await {
        Ok(created) => created,
        Err(error) => {
            asked.ended(Came { made: None, why: Some(error.to_string()) }).await;
            return Err(error);
        }
    };
    let started = if start { engine.containers().start_new(&created.id).await } else { Ok(()) };
    let why = started.as_ref().err().map(|error| format!("it was created, but did not start: {error}"));
    asked.ended(Came::container(&created.id, name, why)).await;
    Ok((created.id, started))
}

/// What came of a container that exists but did not start: it is kept, and its page shows why.
fn not_started(error: EngineError, id: &ContainerId, name: Option<&str>, picture: &Picture) -> Error {
    let name = name.unwrap_or_else(|| id.short());
    words::told(error, picture)
        .what(format!("{name} was created, but did not start."))
        .next(Step::link(format!("Open {name}"), format!("/containers/{id}")))
        .next(Step::press("Start it again", format!("/containers/{id}/start")))
        .next(Step::remove("Remove…", format!("/containers/{id}/remove")))
}

/// The containers that are in the way.
type Owners = Vec<Arc<Container>>;

/// Names and ports that another container holds already: said before the engine is asked, with who it is.
fn taken(page: &Page, fields: &Fields, spec: &Spec) -> (HashMap<String, String>, Owners) {
    let (mut errors, mut owners): (_, Owners) = (HashMap::new(), Vec::new());
    let containers = || page.picture.containers.values();
    if let Some(name) = &spec.name
        && let Some(owner) = containers().find(|container| container.name == *name)
    {
        owners.push(owner.clone());
        errors.insert(
            "name".to_owned(),
            format!("{} has that name already ({}). Names are given once.", owner.name, owner.state),
        );
    }
    if fields.is_set("start") {
        let hosts: Vec<&str> = fields.all("port-host").collect();
        for (row, host) in hosts.iter().enumerate() {
            let protocol = fields.all("port-protocol").nth(row).unwrap_or("tcp");
            let Ok(port) = host.trim().parse::<u16>() else {
                continue;
            };
            let address = fields.all("port-address").nth(row).unwrap_or_default().trim();
            let clash = |p: &&crate::engine::Port| {
                p.public == Some(port)
                    && p.protocol == protocol
                    && (p.is_open_to_all() || address.is_empty() || p.address == address)
            };
            if let Some(owner) =
                containers().find(|container| container.state.is_up() && container.ports.iter().any(|p| clash(&p)))
            {
                owners.push(owner.clone());
                errors.insert(format!("port-{row}"), format!("Port {port} of this host is taken by {}.", owner.name));
            }
        }
    }
    owners.dedup_by(|a, b| a.id == b.id);
    (errors, owners)
}

/// The form again, with what is wrong at its fields.
fn wrong(
    page: &Page,
    fields: &Fields,
    line: &RunLine,
    errors: &HashMap<String, String>,
    status: StatusCode,
    owners: &[Arc<Container>],
) -> Result<Response, Error> {
    if page.is_htmx && !page.wants_json {
        let why = errors.values().cloned().collect::<Vec<_>>().join(" ");
        let toast =
            html(&Toast { ok: false, what: "Nothing was created.", why: &why, command: "", next: &[], words: None })?;
        return Ok((status, toast).into_response());
    }
    page.wrong(status, "Nothing was created.", errors.clone(), || {
        form(page, fields, line, errors, Some(owners), None, Paste::default())
    })
}

/// The field of the first flag that a role's refusal names.
fn forbidden_place(words: &str) -> String {
    let named = words.split(|c: char| c.is_whitespace() || c == ',').filter_map(|word| word.strip_prefix("--"));
    let of_a_field = |name: &&str| FLAGS.iter().any(|flag| flag.long == *name && !ROWS.contains(&flag.long));
    let field = named.map(|name| name.trim_end_matches(':')).find(of_a_field);
    field.unwrap_or(if words.contains("-v ") || words.contains("--mount") { "mount-0" } else { "image" }).to_owned()
}

/// What was not taken, at the field that it speaks of where one can tell.
fn refused(page: &Page, fields: &Fields, line: &RunLine, error: EngineError) -> Result<Response, Error> {
    let words = error.to_string();
    let place = match &error {
        EngineError::Forbidden(_) => {
            let errors = HashMap::from([(forbidden_place(&words), format!("Your role does not allow that. {words}"))]);
            return wrong(page, fields, line, &errors, StatusCode::FORBIDDEN, &[]);
        }
        EngineError::Conflict(_) if words.contains("name") => "name",
        EngineError::Invalid(_) | EngineError::NotFound(_) | EngineError::Conflict(_) => "image",
        _ => return Err(error.into()),
    };
    let told = Error::from(error);
    let errors = HashMap::from([(place.to_owned(), format!("The engine does not take this: {}", told.reason()))]);
    wrong(page, fields, line, &errors, told.status(), &[])
}
