//! Making, removing and pruning volumes. What goes is shown before, that list is acted on, and the result after.

use std::sync::Arc;

use crate::web::filters;
use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, Response},
};

use super::{
    json,
    list::{gone, volumes},
};
use crate::{
    command::echo,
    engine::{Container, Error as EngineError, NewVolume, Picture, Stage, Volume, VolumeName, masked_options},
    web::{
        Error,
        answer::Made,
        chrome::Chrome,
        deed::Deed,
        error::Step,
        extract::{Fields, Id, Page, Query},
        fields::{pairs, rows},
        html::{bytes, html},
    },
};

/// How long a prune is waited for before its page is shown instead.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(3);

#[derive(Template)]
#[template(path = "volumes/create.html")]
struct CreatePage<'a> {
    chrome: Chrome,
    name: &'a str,
    driver: &'a str,
    options: Vec<(String, String)>,
    labels: Vec<(String, String)>,
    command: String,
    errors: Vec<(&'static str, String)>,
}

impl CreatePage<'_> {
    fn error_of(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|(name, _)| *name == field).map(|(_, why)| why.as_str())
    }
}

/// A form, read: what it asks for and what is wrong with it.
fn read(fields: &Fields) -> (NewVolume, Vec<(&'static str, String)>) {
    let mut errors = Vec::new();
    let name = fields.text("name").and_then(|name| match name.parse::<VolumeName>() {
        Ok(name) => Some(name),
        Err(why) => {
            let mut why = why.to_string();
            why.get_mut(..1).map(str::make_ascii_uppercase);
            errors.push(("name", format!("{why}.")));
            None
        }
    });
    let new = NewVolume {
        name,
        driver: fields.text("driver").filter(|driver| *driver != "local").map(str::to_owned),
        options: pairs(fields, "option", &mut errors),
        labels: pairs(fields, "label", &mut errors),
    };
    (new, errors)
}

fn command(new: &NewVolume) -> String {
    fn refs(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
        pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
    let name = new.name.as_ref().map(VolumeName::as_str);
    echo::volume_create(name, new.driver.as_deref(), &refs(&new.options), &refs(&new.labels))
}

fn form(
    page: &Page,
    fields: &Fields,
    new: &NewVolume,
    errors: Vec<(&'static str, String)>,
) -> Result<Html<String>, Error> {
    // As they were sent, with one more to fill in: what is wrong is not lost.
    let with_spare = |what| {
        let sent = rows(fields, what).into_iter().filter(|(name, value)| !(name.is_empty() && value.is_empty()));
        sent.chain([(String::new(), String::new())]).collect()
    };
    html(&CreatePage {
        chrome: Chrome::new(page, "New volume"),
        name: fields.get("name").unwrap_or_default(),
        driver: fields.get("driver").unwrap_or_default(),
        options: with_spare("option"),
        labels: with_spare("label"),
        command: command(new),
        errors,
    })
}

/// `GET /volumes/new`; with fields in the address it is the form as it stands, with its command.
pub async fn new(page: Page, Query(query): Query) -> Result<Response, Error> {
    let (new, errors) = read(&query);
    page.show(
        || json::Sketch { command: command(&new), fields: errors.into_iter().collect() },
        || form(&page, &query, &new, Vec::new()),
    )
}

/// `POST /volumes`
pub async fn create(page: Page, fields: Fields) -> Result<Response, Error> {
    let (new, mut errors) = read(&fields);
    if let Some(name) = new.name.as_ref().filter(|name| page.picture.volumes.contains_key(name)) {
        // The engine itself would say yes and change nothing.
        errors.push(("name", format!("There is a volume called {name} already.")));
        return wrong(&page, &fields, &new, StatusCode::CONFLICT, errors);
    }
    if !errors.is_empty() {
        return wrong(&page, &fields, &new, StatusCode::UNPROCESSABLE_ENTITY, errors);
    }
    let name = new.name.as_ref().map(ToString::to_string).unwrap_or_default();
    let masked = masked_options(&new.options.iter().cloned().collect());
    let deed = Deed {
        public: Some(command(&NewVolume { options: Vec::new(), labels: Vec::new(), ..new.clone() })),
        ..Deed::new(
            "volume.create",
            "volume",
            name.clone(),
            name,
            &command(&NewVolume { options: masked.into_iter().collect(), ..new.clone() }),
        )
    };
    let (engine, made) = (page.engine.clone(), new.clone());
    match page.does(deed, async move { engine.volumes().create(made).await }).await? {
        Ok(name) => {
            // Not the command: options of a driver may hold secrets.
            tracing::info!(volume = %name, "created");
            let location = format!("/volumes/{name}");
            Ok(page.made(&location, || Made { id: name.to_string(), location: location.clone() }))
        }
        Err(error @ (EngineError::Invalid(_) | EngineError::NotFound(_) | EngineError::Engine { .. })) => {
            let told = Error::from(error);
            let field =
                if told.reason().contains("name") && !told.reason().contains("plugin") { "name" } else { "driver" };
            let errors = vec![(field, format!("The engine does not take this: {}", told.reason()))];
            wrong(&page, &fields, &new, told.status(), errors)
        }
        Err(error) => Err(error.into()),
    }
}

/// The form again, with what is wrong at its fields.
fn wrong(
    page: &Page,
    fields: &Fields,
    new: &NewVolume,
    status: StatusCode,
    errors: Vec<(&'static str, String)>,
) -> Result<Response, Error> {
    page.wrong(status, "Nothing was created.", errors.clone(), || form(page, fields, new, errors))
}

/// `POST /volumes/measure`: has the engine measure, in the background.
pub async fn measure(page: Page, fields: Fields) -> Result<Response, Error> {
    page.engine.volumes().measure()?;
    let says = "Measuring… The engine walks through every file of every volume.";
    page.done(says, &echo::system_df(), fields.back("/volumes"))
}

#[derive(Template)]
#[template(path = "volumes/remove.html")]
struct RemovePage<'a> {
    chrome: Chrome,
    v: &'a Volume,
    users: Vec<Arc<Container>>,
    size: Option<String>,
    command: String,
    back: &'a str,
}

fn users(picture: &Picture, name: &VolumeName) -> Vec<Arc<Container>> {
    let users = picture.users_of_volumes().remove(name.as_str()).unwrap_or_default();
    users.into_iter().cloned().collect()
}

/// `GET /volumes/{name}/remove`
pub async fn confirm_remove(Id(name): Id<VolumeName>, page: Page, Query(query): Query) -> Result<Response, Error> {
    let volume = page.picture.volumes.get(&name).cloned().ok_or_else(|| gone(&name))?;
    let (command, users) = (echo::volume_rm(&[name.as_str()], false), users(&page.picture, &name));
    page.show(
        || json::Plan {
            command: command.clone(),
            goes: vec![json::Item::new(&volume, &page.picture)],
            stays: Vec::new(),
            used_by: users.iter().map(|user| json::User::new(user)).collect(),
        },
        || {
            html(&RemovePage {
                chrome: Chrome::new(&page, format!("Remove {name}")),
                users: users.clone(),
                size: page.picture.sizes.bytes.get(name.as_str()).map(|size| bytes(*size)),
                command: command.clone(),
                back: query.back("/volumes"),
                v: &volume,
            })
        },
    )
}

/// `POST /volumes/{name}/remove`
pub async fn remove(Id(name): Id<VolumeName>, page: Page, fields: Fields) -> Result<Response, Error> {
    let echo = echo::volume_rm(&[name.as_str()], false);
    let deed = Deed::new("volume.remove", "volume", name.as_str(), name.as_str(), &echo);
    let (engine, of) = (page.engine.clone(), name.clone());
    match page.does(deed, async move { engine.volumes().remove(&of).await }).await? {
        Ok(()) => {
            tracing::info!(volume = %name, command = echo, "removed");
            let back = fields.back("/volumes");
            let to = if back.starts_with(&format!("/volumes/{name}")) { "/volumes" } else { back };
            page.done(&format!("The volume {name} was removed."), &echo, to)
        }
        Err(EngineError::NotFound(_)) => Err(gone(&name)),
        Err(error) => Err(in_use(error, &name, &users(&page.fresh().picture, &name))),
    }
}

/// A refusal, with the containers that block it: stopped ones hold their volumes too (S079).
fn in_use(error: EngineError, name: &VolumeName, users: &[Arc<Container>]) -> Error {
    let told = Error::from(error).what(format!("The volume {name} was not removed."));
    if users.is_empty() {
        return told;
    }
    let names: Vec<String> =
        users.iter().map(|container| format!("{} ({})", container.name, container.state)).collect();
    let why = format!(
        "It is used by {}. A stopped container keeps its volumes too: remove the container first. -f does not change that.",
        names.join(", ")
    );
    users.iter().take(5).fold(told.why(why), |told, container| {
        told.next(Step::link(format!("Open {}", container.name), format!("/containers/{}", container.id)))
            .next(Step::remove(format!("Remove {}…", container.name), format!("/containers/{}/remove", container.id)))
    })
}

/// A volume in the list of what goes or stays.
struct Item {
    name: VolumeName,
    is_anonymous: bool,
    size: Option<String>,
}

#[derive(Template)]
#[template(path = "volumes/prune.html")]
struct PrunePage {
    chrome: Chrome,
    all: bool,
    anonymous: usize,
    unused: usize,
    goes: Vec<Item>,
    stays: Vec<Item>,
    in_use: usize,
    command: String,
    measured: bool,
}

fn item(picture: &Picture, volume: &Volume) -> Item {
    Item {
        name: volume.name.clone(),
        is_anonymous: volume.is_anonymous(),
        size: picture.sizes.bytes.get(volume.name.as_str()).map(|size| bytes(*size)),
    }
}

/// The volumes that nobody uses and that are not this console's own; split into what would go and what would stay.
fn unused(picture: &Picture, all: bool) -> (Vec<&Arc<Volume>>, Vec<&Arc<Volume>>) {
    let users = picture.users_of_volumes();
    let free =
        |volume: &&Arc<Volume>| !users.contains_key(volume.name.as_str()) && picture.guard_volume(&volume.name).is_ok();
    picture.volumes.values().filter(free).partition(|volume| all || volume.is_anonymous())
}

/// `GET /volumes/prune`: exactly what would go.
pub async fn confirm_prune(page: Page, Query(query): Query) -> Result<Response, Error> {
    let (picture, all) = (&page.picture, query.is_set("all"));
    let (goes, stays) = unused(picture, all);
    let total = goes.len() + stays.len();
    let items = |volumes: &[&Arc<Volume>]| volumes.iter().map(|volume| item(picture, volume)).collect();
    let data = |volumes: &[&Arc<Volume>]| volumes.iter().map(|volume| json::Item::new(volume, picture)).collect();
    page.show(
        || json::Plan { command: echo::volume_prune(all), goes: data(&goes), stays: data(&stays), used_by: Vec::new() },
        || {
            html(&PrunePage {
                chrome: Chrome::new(&page, "Prune volumes"),
                all,
                anonymous: goes.iter().chain(&stays).filter(|volume| volume.is_anonymous()).count(),
                unused: total,
                goes: items(&goes),
                stays: items(&stays),
                in_use: picture.volumes.len() - total,
                command: echo::volume_prune(all),
                measured: picture.sizes.measured.is_some(),
            })
        },
    )
}

/// `POST /volumes/prune`: removes the volumes of the list that was shown, `name` repeated, and no other. One that
/// somebody has come to use meanwhile stays, and the result, a job's page, says so.
pub async fn prune(page: Page, fields: Fields) -> Result<Response, Error> {
    let all = fields.is_set("all");
    let named: Result<Vec<VolumeName>, _> = fields.all("name").map(str::parse).collect();
    let names = named.map_err(|why| {
        Error::of_fields(StatusCode::UNPROCESSABLE_ENTITY, "That is not a volume.", [("name", format!("{why}."))])
    })?;
    if names.is_empty() && !fields.is_set("listed") {
        return Err(Error::blind("name", "/volumes/prune"));
    }
    let deed = |name: &VolumeName| {
        Deed::new("volume.remove", "volume", name.as_str(), name.as_str(), &echo::volume_rm(&[name.as_str()], false))
    };
    let asked = page.asks_all(names.iter().map(deed).collect()).await?;
    let job = page.engine.jobs().remove_volumes(names, echo::volume_prune(all))?;
    asked.follow(job.clone());
    let path = format!("/jobs/{}", job.id);
    let ended = tokio::time::timeout(PATIENCE, job.ended()).await;
    if let Ok(progress) = &ended
        && let Stage::Failed { error, .. } = &progress.stage
    {
        let (failed, total) = (progress.failures(), progress.parts.len());
        // Who has come to use them meanwhile, by name: the engine tells ids.
        let picture = page.fresh().picture;
        let users = picture.users_of_volumes();
        let stayed: Vec<_> = progress
            .parts
            .iter()
            .filter_map(|part| {
                let error = part.result.as_ref()?.as_ref().err()?;
                Some((&part.name, error, users.get(part.name.as_str()).map(Vec::as_slice).unwrap_or_default()))
            })
            .collect();
        let why = stayed.iter().take(20).map(|(name, error, users)| match users {
            [] => format!("{name}: {}", Error::from((*error).clone()).reason()),
            users => {
                let names: Vec<_> = users.iter().map(|user| user.name.as_str()).collect();
                format!("{name} is used by {}.", names.join(", "))
            }
        });
        let why = why.collect::<Vec<_>>().join(" ");
        let open =
            |user: &Arc<Container>| Step::link(format!("Open {}", user.name), format!("/containers/{}", user.id));
        let told = Error::from(error.clone()).what(format!("{failed} of {} stayed.", volumes(total))).why(why);
        let told =
            stayed.iter().flat_map(|(_, _, users)| *users).take(5).fold(told, |told, user| told.next(open(user)));
        return Err(told.next(Step::link("How each ended", path)));
    }
    Ok(page.begun(&job))
}
