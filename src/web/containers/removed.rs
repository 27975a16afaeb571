//! What was removed here in the last month, and can be made again.

use askama::Template;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{docs, words};
use crate::{
    command::{Verb, Written},
    engine::{Container, ContainerId, KEPT_DAYS, Removed, Restored},
    team::Right,
    web::{
        Error, Routes,
        answer::{Begun, Done, Made},
        chrome::Chrome,
        deed::{Came, Deed},
        doc::Doc,
        error::Step,
        extract::{Id, Page},
        filters,
        html::html,
    },
};

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/containers/removed", Right::Create, page)
        .doc(doc())
        .post("/containers/removed/{id}/restore", Right::Create, restore)
        .doc(doc_restore())
        .post("/containers/removed/{id}/forget", Right::Remove, forget)
        .doc(doc_forget())
}

/// What is said of one.
#[derive(Serialize, ToSchema)]
#[schema(as = RemovedContainer)]
struct Row {
    /// The id that it had.
    id: String,
    /// Its name.
    name: String,
    /// Its image.
    image: String,
    /// When it was removed.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who removed it, where people sign in.
    by: Option<String>,
    /// The docker command that makes it again; what may be a secret is hidden, and yet will be as it was.
    command: String,
    /// What does not come back.
    lost: Vec<String>,
    /// Who has its name by now.
    taken: Option<String>,
}

impl Row {
    fn new(page: &Page, removed: &Removed) -> Self {
        let holder = page.picture.containers.values().find(|other| other.name == removed.name);
        Self {
            id: removed.id.to_string(),
            name: removed.name.clone(),
            image: removed.spec().image,
            at: removed.at,
            by: removed.by.clone(),
            command: Written::of(&removed.spec()).line.to_command_multiline(Verb::Create),
            lost: lost(page, removed),
            taken: holder.map(|holder: &std::sync::Arc<Container>| holder.id.to_string()),
        }
    }
}

fn lost(page: &Page, removed: &Removed) -> Vec<String> {
    let mut lost = vec!["what it had written outside of its volumes".to_owned()];
    let is_there = |volume: &str| page.picture.volumes.keys().any(|name| name.as_str() == volume);
    for (target, volume) in &removed.anonymous {
        if !is_there(volume) {
            lost.push(format!("the files at {target}: its volume without a name was removed too"));
        }
    }
    let spec = removed.spec();
    for bind in &spec.host_config.binds {
        let source = bind.split(':').next().unwrap_or_default();
        if !source.starts_with('/') && !is_there(source) {
            lost.push(format!("the files of the volume {source}, which is gone: an empty one is made"));
        }
    }
    for network in spec.networking_config.endpoints_config.keys().chain([&spec.host_config.network_mode]) {
        let is_name =
            !matches!(network.as_str(), "" | "default" | "bridge" | "host" | "none") && !network.contains(':');
        if is_name
            && !page.picture.networks.values().any(|other| other.name == *network || other.id.as_str() == network)
        {
            lost.push(format!("the network {network}, which is gone: make it first"));
        }
    }
    if page.picture.image_of(&spec.image).is_none() && page.picture.image_of(&removed.image).is_none() {
        lost.push(format!("its very image: {} is pulled, and may be another by now", spec.image));
    }
    if removed.was_up {
        lost.push("that it ran: start it when you are ready".to_owned());
    }
    lost.dedup();
    lost
}

#[derive(Template)]
#[template(path = "containers/removed.html")]
struct RemovedPage {
    chrome: Chrome,
    rows: Vec<Row>,
    now: Timestamp,
    can_forget: bool,
}

/// `GET /containers/removed`
async fn page(page: Page) -> Result<Response, Error> {
    let rows = || page.engine.containers().removed().iter().map(|removed| Row::new(&page, removed)).collect::<Vec<_>>();
    page.show(rows, || {
        html(&RemovedPage {
            chrome: Chrome::new(&page, "Recently removed"),
            rows: rows(),
            now: Timestamp::now(),
            can_forget: page.may(Right::Remove),
        })
    })
}

/// `POST /containers/removed/{id}/restore`
async fn restore(Id(id): Id<ContainerId>, page: Page) -> Result<Response, Error> {
    let all = page.engine.containers().removed();
    let Some(removed) = all.iter().find(|removed| removed.id == id) else { return Err(gone()) };
    let line = Written::of(&removed.spec()).line;
    let command = line.to_outline(Verb::Create);
    let deed = Deed {
        public: Some(command.clone()),
        ..Deed::new(
            "container.restore",
            "container",
            "",
            removed.name.clone(),
            &line.without_values().to_command(Verb::Create),
        )
    };
    let asked = page.asks(deed).await?;
    match page.engine.containers().restore(&id, command.clone()).await {
        Ok(Restored::Made(made)) => {
            asked.ended(Came::default().container(&made.id, &removed.name)).await;
            let location = format!("/containers/{}", made.id);
            if page.is_htmx {
                let next = [
                    Step::press("Start", format!("{location}/start")),
                    Step::link(format!("Open {}", removed.name), location),
                ];
                let says = format!("{} is there again, as created.", removed.name);
                return page.done_with(&says, &command, "/containers", &next);
            }
            Ok(page.made(&location, || Made { id: made.id.to_string(), location: location.clone() }))
        }
        Ok(Restored::Pulls(job)) => {
            asked.follow(job.clone());
            Ok(page.begun(&job))
        }
        Err(error) => {
            asked.ended(Came::to_nothing(&error)).await;
            let holder = page.picture.containers.values().find(|other| other.name == removed.name);
            let told = words::told(error, &page.picture).what(format!("{} was not made again.", removed.name));
            Err(match holder {
                Some(holder) => told
                    .why("Another container has its name by now: rename that, or remove it.")
                    .next(Step::link(format!("Open {}", holder.name), format!("/containers/{}", holder.id))),
                None => told.next(Step::link("Recently removed", "/containers/removed")),
            })
        }
    }
}

fn gone() -> Error {
    Error::new(
        axum::http::StatusCode::NOT_FOUND,
        "Nothing is kept of that container.",
        format!("What is removed here is kept for {KEPT_DAYS} days, until it is made again or forgotten."),
    )
    .next(Step::link("Recently removed", "/containers/removed"))
}

/// `POST /containers/removed/{id}/forget`
async fn forget(Id(id): Id<ContainerId>, page: Page) -> Result<Response, Error> {
    let all = page.engine.containers().removed();
    let Some(removed) = all.iter().find(|removed| removed.id == id) else { return Err(gone()) };
    let name = removed.name.clone();
    let (engine, of) = (page.engine.clone(), id.clone());
    let deed = Deed::new("container.forget", "container", id.as_str(), name.clone(), "");
    match page.does(deed, async move { engine.containers().forget_removed(&of) }).await? {
        Ok(()) => page.done(&format!("Nothing is kept of {name} any more."), "", "/containers/removed"),
        Err(error) => Err(error.into()),
    }
}

fn doc() -> Doc {
    Doc::new("List what was removed here in the last 30 days")
        .about("Newest first. Each can be made again, as created.")
        .gives::<Vec<Row>>(200, "What is kept.")
}

fn doc_restore() -> Doc {
    Doc::new("Make a removed container again")
        .about("As created, not started; with the volumes that are still there.")
        .place(docs::id())
        .gives::<Made>(201, "It is there.")
        .gives::<Begun>(202, "Its image has to be pulled: it goes on as a job.")
}

fn doc_forget() -> Doc {
    Doc::new("Keep nothing of a removed container any more").place(docs::id()).gives::<Done>(200, "It is forgotten.")
}
