//! Making a container: one form, two buttons, and the docker command under it while it is filled in.

use std::collections::HashMap;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

pub(super) use super::form::{Form, Purpose, form};
use super::{
    draft::{Checked, Draft, env_lines},
    fill::fill,
    form::shown,
    json,
    paste::pasted,
    remarks::{InTheWay, Remark, Stops, Tone, in_the_way, remarks},
    words,
};
use crate::{
    command::{Verb, Written, echo},
    engine::{ContainerId, Engine, Error as EngineError, Job, NewNetwork, Picture, spec::Spec},
    web::{
        Error,
        answer::Made,
        deed::{Asked, Came, Deed},
        error::{Step, Toast},
        extract::{Fields, Page, Query},
        html::html,
    },
};

/// What a script is told of a form: what it makes, what is wrong with it, and what is said beside its fields; `of` is the
/// container that it is the form of already.
pub(super) fn sketch(page: &Page, checked: &Checked, of: Option<&ContainerId>) -> json::Sketch {
    let dangers = checked.line.dangers().into_iter();
    let said = remarks(page, checked, of);
    let told = said.of(|tone| matches!(tone, Tone::Said(_))).into_iter();
    json::Sketch {
        command: shown(&checked.line),
        dangers: dangers.map(|danger| format!("--{}: {}", danger.flag, danger.message)).collect(),
        fields: checked.errors(),
        remarks: told.map(|(place, remark)| json::Remarked::new(place, remark)).collect(),
    }
}

/// What a button of the form asks for beside sending it: `then` says what.
pub(super) fn prepared(mut fields: Fields) -> Fields {
    let then = fields.get("then").unwrap_or_default().to_owned();
    let words: Vec<&str> = then.splitn(4, ' ').collect();
    match words.as_slice() {
        // The pasted lines become rows.
        ["env-file"] => {
            let lines: Vec<String> = fields.all("env-file").flat_map(env_lines).collect();
            fields.0.retain(|(name, _)| name != "env-file");
            for line in lines {
                let (name, value) = line.split_once('=').unwrap_or((&line, ""));
                fields.0.push(("env-name".into(), name.to_owned()));
                fields.0.push(("env-value".into(), value.to_owned()));
            }
        }
        ["clear"] => fields.0.retain(|(name, _)| name != "field"),
        // What a remark has offered.
        ["set", field, nth, value] => {
            let nth = nth.parse().unwrap_or_default();
            if let Some((_, old)) = fields.0.iter_mut().filter(|(name, _)| name == field).nth(nth) {
                (*value).clone_into(old);
            }
        }
        _ => {}
    }
    fields
}

/// Whether somebody without scripts has pressed Enter where a field is looked for: that looks, and makes nothing.
pub(super) fn is_seeking(fields: &Fields) -> bool {
    fields.get("then") == Some("enter") && fields.text("field").is_some()
}

/// `GET /containers/new`: the form, filled in from the address as far as that says something.
pub async fn page(page: Page, Query(query): Query) -> Result<Response, Error> {
    if query.text("line").is_some() {
        return pasted(&page, &query).await;
    }
    let query = match source(&query) {
        Some(from) => duplicate(&page, &from?).await?,
        None => query,
    };
    let checked = Draft::read(&query).check();
    let drawn = Form::new(&page, &query, &checked).await;
    page.show(|| sketch(&page, &checked, None), || form(&page, &drawn))
}

/// The container that the form was filled in from: what is hidden of it is put back when the form is sent.
fn source(fields: &Fields) -> Option<Result<ContainerId, Error>> {
    fields.text("from").map(|id| id.parse().map_err(|_| Error::bad_id()))
}

/// The form that makes another one like it; its name is taken.
async fn duplicate(page: &Page, from: &ContainerId) -> Result<Fields, Error> {
    let recipe = page.engine.containers().recipe(from).await?;
    let mut fields = fill(&Written::of(&recipe.spec).line);
    fields.0.retain(|(name, _)| name != "name");
    fields.0.push(("from".to_owned(), from.to_string()));
    Ok(fields)
}

/// `POST /containers/draft`: the form as it stands, with the line that it makes. Changes nothing.
pub async fn draft(page: Page, fields: Fields) -> Result<Response, Error> {
    let tells = !page.is_htmx && fields.get("then").is_none();
    let fields = prepared(fields);
    let checked = Draft::read(&fields).check();
    let drawn = Form { wrong: tells.then(Vec::new), ..Form::new(&page, &fields, &checked).await };
    page.show(|| sketch(&page, &checked, None), || form(&page, &drawn))
}

/// `POST /containers/new/network`: makes the network of the field `make`, and goes on with the form.
pub async fn make_network(page: Page, fields: Fields) -> Result<Response, Error> {
    let name = fields.text("make").unwrap_or_default().to_owned();
    let checked = Draft::read(&fields).check();
    if !NewNetwork::is_name(&name) {
        let why = Remark::wrong("a network's name has letters, digits, _ . and -");
        return wrong(
            &page,
            Purpose::default(),
            &fields,
            &checked,
            vec![("network".to_owned(), why)],
            StatusCode::UNPROCESSABLE_ENTITY,
        )
        .await;
    }
    let command = echo::network_create(&name, echo::NewNetwork::default());
    let deed = Deed::new("network.create", "network", name.clone(), name.clone(), &command);
    let (engine, new) = (page.engine.clone(), NewNetwork { name: name.clone(), ..NewNetwork::default() });
    match page.does(deed, async move { engine.networks().create(new).await }).await? {
        Ok(id) => {
            tracing::info!(network = %id, "created");
            let page = page.fresh();
            let done = Some(format!("The network {name} is there now."));
            let drawn = Form { done, ..Form::new(&page, &fields, &checked).await };
            page.show(|| sketch(&page, &checked, None), || form(&page, &drawn))
        }
        Err(error) => {
            let told = Error::from(error);
            let why = Remark::wrong(&format!("The network {name} was not made: {}", told.reason()));
            wrong(&page, Purpose::default(), &fields, &checked, vec![("network".to_owned(), why)], told.status()).await
        }
    }
}

/// `POST /containers`: creates, and with `start=1` runs. A missing image is pulled by a job, whose page then shows it.
pub async fn submit(page: Page, fields: Fields) -> Result<Response, Error> {
    if is_seeking(&fields) {
        return draft(page, fields).await;
    }
    let checked = Draft::read(&fields).check();
    let start = fields.is_set("start");
    let Ok(spec) = &checked.spec else {
        return wrong(&page, Purpose::default(), &fields, &checked, Vec::new(), StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    let found = in_the_way(&page, &checked, None).into_iter();
    let stops = |found: &InTheWay| found.stops == Stops::Creating || start && found.stops == Stops::Starting;
    let found: Vec<_> = found.filter(stops).map(InTheWay::refused).collect();
    if !found.is_empty() {
        return wrong(&page, Purpose::default(), &fields, &checked, found, StatusCode::CONFLICT).await;
    }
    let line = &checked.line;
    let mut spec = spec.clone();
    if let Some(from) = source(&fields) {
        page.engine.containers().unmask(&from?, &mut spec).await?;
    }
    let verb = if start { Verb::Run } else { Verb::Create };
    let echo = line.to_command(verb);
    let name = spec.name.clone().unwrap_or_default();
    let deed = Deed {
        public: Some(line.to_outline(verb)),
        ..Deed::new(format!("container.{verb}"), "container", "", name, &line.without_values().to_command(verb))
    };
    let asked = page.asks(deed).await?;
    // To its end, even if who asked does not wait for it.
    let (engine, of) = (page.engine.clone(), spec.clone());
    let begun = tokio::spawn(async move { begin(&engine, of, start, echo, asked).await });
    let (id, started) = match begun.await.map_err(|_| Error::ours())? {
        Ok(Begun::Made(id, started)) => (id, started),
        Ok(Begun::Pulls(job)) => return Ok(page.begun(&job)),
        Err(error) => return refused(&page, &fields, &checked, error).await,
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

/// What comes of a form.
enum Begun {
    /// A container, and whether it started where it was to.
    Made(ContainerId, Result<(), EngineError>),
    /// The image is not there: a job pulls it first.
    Pulls(Job),
}

/// Does what the form says; the audit is told what came of it, be it a refusal.
async fn begin(engine: &Engine, spec: Spec, start: bool, echo: String, asked: Asked) -> Result<Begun, EngineError> {
    let name = spec.name.clone().unwrap_or_default();
    let begun = make(engine, spec, start, echo).await;
    match &begun {
        Ok(Begun::Pulls(job)) => asked.follow(job.clone()),
        Ok(Begun::Made(id, started)) => {
            let not_started = |error: &EngineError| Came::failed(format!("it was created, but did not start: {error}"));
            let came = started.as_ref().err().map_or_else(Came::default, not_started);
            asked.ended(came.container(id, &name)).await;
        }
        Err(error) => asked.ended(Came::to_nothing(error)).await,
    }
    begun
}

async fn make(engine: &Engine, spec: Spec, start: bool, echo: String) -> Result<Begun, EngineError> {
    if !engine.images().has(&spec.image).await? {
        return engine.jobs().run(spec, start, echo).await.map(Begun::Pulls);
    }
    let created = engine.containers().create(&spec).await?;
    let started = if start { engine.containers().start_new(&created.id).await } else { Ok(()) };
    Ok(Begun::Made(created.id, started))
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

/// The form again, with what is wrong at its fields: these beside what is known already.
pub(super) async fn wrong(
    page: &Page,
    purpose: Purpose,
    fields: &Fields,
    checked: &Checked,
    found: Vec<(String, Remark)>,
    status: StatusCode,
) -> Result<Response, Error> {
    let what = format!("{}.", purpose.failed);
    let mut errors = checked.errors();
    errors.extend(found.iter().map(|(place, remark)| (place.clone(), remark.text.clone())));
    if page.is_htmx && !page.wants_json {
        let why = errors.values().cloned().collect::<Vec<_>>().join(" ");
        let toast = html(&Toast { ok: false, what: &what, why: &why, command: "", next: &[], words: None })?;
        return Ok((status, toast).into_response());
    }
    let drawn = Form { purpose, wrong: Some(found), ..Form::new(page, fields, checked).await };
    page.wrong(status, &what, errors, || form(page, &drawn))
}

/// The field that a role's refusal speaks of: of the flags that were used, the first that it names.
fn forbidden_place(words: &str, checked: &Checked) -> String {
    let says = |text: String| words.contains(&text);
    // A volume by its name, or a folder by its path.
    let source =
        |source: &str| !source.is_empty() && (says(format!("volume {source} ")) || says(format!("-v {source}:")));
    let names = |flag: &str, value: &str| match flag {
        "label" => {
            let (key, value) = value.split_once('=').unwrap_or((value, ""));
            says(format!("label {key}={value} "))
        }
        "volume" => source(value.split(':').next().unwrap_or_default()),
        "mount" => {
            let sources =
                value.split(',').filter_map(|part| part.strip_prefix("source=").or(part.strip_prefix("src=")));
            says("--mount".to_owned()) || sources.into_iter().any(source)
        }
        flag => words.split([' ', ',', ':']).any(|word| word.strip_prefix("--") == Some(flag)),
    };
    let mut uses: HashMap<&str, usize> = HashMap::new();
    let found = checked.line.options.iter().find_map(|(flag, value)| {
        let nth = uses.entry(flag).or_default();
        *nth += 1;
        names(flag, value).then(|| checked.place_of(flag, *nth - 1))
    });
    found.unwrap_or_else(|| "image".to_owned())
}

/// What was not taken, at the field that it speaks of where one can tell.
async fn refused(page: &Page, fields: &Fields, checked: &Checked, error: EngineError) -> Result<Response, Error> {
    let words = error.to_string();
    let place = match &error {
        EngineError::Forbidden(_) => {
            let why = Remark::wrong(&format!("Your role does not allow that. {words}"));
            return wrong(
                page,
                Purpose::default(),
                fields,
                checked,
                vec![(forbidden_place(&words, checked), why)],
                StatusCode::FORBIDDEN,
            )
            .await;
        }
        EngineError::Conflict(_) if words.contains("name") => "name",
        EngineError::Invalid(_) | EngineError::NotFound(_) | EngineError::Conflict(_) => "image",
        _ => return Err(error.into()),
    };
    let told = Error::from(error);
    let why = Remark::wrong(&format!("The engine does not take this: {}", told.reason()));
    wrong(page, Purpose::default(), fields, checked, vec![(place.to_owned(), why)], told.status()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_stands_at_the_field_that_it_speaks_of() {
        let form = "image=busybox&label-name=a&label-value=b&label-name=team&label-value=blue&mount-type=volume&mount-source=data\
                    &mount-target=/d&mount-mode=rw&volume=/:/host&volume=of-others:/x&cap-add=ALL&pid=host";
        let checked = Draft::read(&Fields::parse(form.as_bytes())).check();
        for (words, place) in [
            ("The label team=blue would put it outside of what you look after, which is label:team=red.", "label-1"),
            ("There is no volume data among what you look after: create the volume first.", "mount-0"),
            ("There is no volume of-others among what you look after: create the volume first.", "volume"),
            ("-v data: that volume is the host path /, and your role may not mount folders of the host.", "mount-0"),
            ("It does not let you make a container with -v /:/host, --privileged: who is inside", "volume"),
            ("It does not let you make a container with --cap-add ALL, --pid host: who is inside", "cap-add"),
            (
                "--network shop: it is not among what you look after, and none of the containers there is on it.",
                "image",
            ),
            ("It lets you pull from docker.io only.", "image"),
        ] {
            assert_eq!(forbidden_place(words, &checked), place, "{words}");
        }
    }
}
