//! Names of images: given, sent to registries, and taken away; with the last one, the image goes.

use std::sync::Arc;

use crate::web::filters;
use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, Response},
};

use super::{
    detail::{find, gone},
    form::{Errors, deed, error_of, reference},
    json,
};
use crate::{
    command::echo,
    engine::{Container, Error as EngineError, Image, ImageId, Picture},
    web::{
        Error,
        chrome::Chrome,
        deed::Came,
        error::{Step, sentence},
        extract::{Fields, Id, Page, Query},
        html::{bytes, html},
    },
};

#[derive(Template)]
#[template(path = "images/tag.html")]
struct TagPage<'a> {
    chrome: Chrome,
    i: &'a Image,
    reference: &'a str,
    replace: bool,
    may_replace: bool,
    command: String,
    errors: Errors,
}

impl TagPage<'_> {
    fn error_of(&self, field: &str) -> Option<&str> {
        error_of(&self.errors, field)
    }
}

fn tag_command(image: &Image, reference: &str) -> String {
    echo::tag(image.reference(), if reference.is_empty() { "NAME:TAG" } else { reference })
}

fn tag_form(page: &Page, image: &Image, fields: &Fields, errors: Errors) -> Result<Html<String>, Error> {
    let reference = fields.text("reference").unwrap_or_default();
    html(&TagPage {
        chrome: Chrome::new(page, format!("Tag {}", image.name())),
        command: tag_command(image, reference),
        reference,
        replace: fields.is_set("replace"),
        may_replace: page.engine.reach().root,
        errors,
        i: image,
    })
}

/// `GET /images/{id}/tag`
pub async fn new_tag(Id(id): Id<ImageId>, page: Page, Query(query): Query) -> Result<Response, Error> {
    let image = find(&page, &id)?;
    let mut errors = Errors::new();
    let name = reference(&query, &mut errors);
    page.show(
        || json::Sketch { command: tag_command(&image, &name), fields: errors.into_iter().collect() },
        || tag_form(&page, &image, &query, Vec::new()),
    )
}

/// `POST /images/{id}/tag`
pub async fn tag(Id(id): Id<ImageId>, page: Page, fields: Fields) -> Result<Response, Error> {
    let image = find(&page, &id)?;
    let mut errors = Errors::new();
    let name = reference(&fields, &mut errors);
    if name.contains('@') {
        errors.push(("reference", "A digest is not given: a registry makes it.".to_owned()));
    }
    let wrong = |status, errors: Errors| {
        page.wrong(status, "It was not tagged.", errors.clone(), || tag_form(&page, &image, &fields, errors))
    };
    if !errors.is_empty() {
        return wrong(StatusCode::UNPROCESSABLE_ENTITY, errors);
    }
    let command = tag_command(&image, &name);
    let (engine, of, to, replace) = (page.engine.clone(), id.clone(), name.clone(), fields.is_set("replace"));
    let work = async move { engine.images().tag(&of, &to, replace).await };
    match page.does(deed("tag", id.as_str(), &name, &command), work).await? {
        Ok(()) => page.done(&format!("It is called {name} now, too."), &command, &format!("/images/{id}")),
        Err(EngineError::Conflict(why)) => wrong(StatusCode::CONFLICT, vec![("reference", sentence(&why))]),
        Err(EngineError::Invalid(why)) => wrong(StatusCode::BAD_REQUEST, vec![("reference", sentence(&why))]),
        Err(error) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "images/push.html")]
struct PushPage<'a> {
    chrome: Chrome,
    i: &'a Image,
    /// The name that is ticked.
    chosen: &'a str,
    command: String,
}

/// Of an image's tags those that an address names.
fn named<'a>(image: &'a Image, query: &'a Fields) -> impl Iterator<Item = &'a String> {
    image.tags.iter().filter(|tag| query.all("tag").any(|said| said == **tag))
}

/// `GET /images/{id}/push`
pub async fn new_push(Id(id): Id<ImageId>, page: Page, Query(query): Query) -> Result<Response, Error> {
    let image = find(&page, &id)?;
    let chosen = named(&image, &query).next().map_or(image.reference(), String::as_str);
    let command = echo::push(chosen);
    page.show(
        || json::Sketch { command: command.clone(), fields: std::collections::BTreeMap::new() },
        || {
            let chrome = Chrome::new(&page, format!("Push {}", image.name()));
            html(&PushPage { chrome, chosen, command: command.clone(), i: &image })
        },
    )
}

/// `POST /images/{id}/push`: one of its tags, to the registry that the tag names.
pub async fn push(Id(id): Id<ImageId>, page: Page, fields: Fields) -> Result<Response, Error> {
    let image = find(&page, &id)?;
    let Some(tag) = fields.text("tag").filter(|tag| image.tags.iter().any(|has| has == tag)) else {
        let why = "Choose one of its tags.";
        return Err(Error::of_fields(StatusCode::UNPROCESSABLE_ENTITY, "Nothing was pushed.", [("tag", why)]));
    };
    let command = echo::push(tag);
    let asked = page.asks(deed("push", id.as_str(), tag, &command)).await?;
    match page.engine.jobs().push(&id, tag, command).await {
        Ok((job, _)) => {
            asked.follow(job.clone());
            Ok(page.begun(&job))
        }
        Err(error) => {
            asked.ended(Came::to_nothing(&error)).await;
            Err(Error::from(error).what(format!("{tag} was not pushed.")))
        }
    }
}

#[derive(Template)]
#[template(path = "images/remove.html")]
struct RemovePage<'a> {
    chrome: Chrome,
    i: &'a Image,
    /// What is to go: the image, or some of its names.
    what: &'a str,
    is_untag: bool,
    users: Vec<Arc<Container>>,
    size: String,
    shared: Option<String>,
    may_force: bool,
    is_podman: bool,
    /// The names that are ticked, and whether force is.
    chosen: Vec<String>,
    force: bool,
    command: String,
    back: &'a str,
}

fn users(picture: &Picture, id: &ImageId) -> Vec<Arc<Container>> {
    picture.users_of_images().remove(id).unwrap_or_default().into_iter().cloned().collect()
}

fn rmi(image: &Image, tags: &[String], force: bool) -> String {
    let names: Vec<&str> =
        if tags.is_empty() { vec![image.id.short()] } else { tags.iter().map(String::as_str).collect() };
    echo::rmi(&names, force)
}

/// What would go and what stay, where these of its names are to go.
fn plan(page: &Page, image: &Image, chosen: &[String], force: bool, users: &[Arc<Container>]) -> json::Plan {
    let item = || json::Item::new(image, &page.picture);
    let stay: Vec<String> = image.tags.iter().filter(|tag| !chosen.contains(tag)).cloned().collect();
    let (goes, stays, in_the_way): (_, _, &[Arc<Container>]) = if stay.is_empty() {
        (item(), Vec::new(), users)
    } else {
        // Names only: the layers stay under the others, and nobody is in the way of that.
        (item().part(chosen.to_vec(), 0), vec![item().part(stay, image.size)], &[])
    };
    json::Plan {
        command: rmi(image, chosen, force),
        goes: vec![goes],
        stays,
        used_by: in_the_way.iter().map(|user| json::User::new(user)).collect(),
    }
}

/// Whether force would do what one expects: the engine lets go of an image whose containers are all stopped, and they keep
/// their layers. podman removes the containers, which nobody who removes an image asks for.
fn may_force(picture: &Picture, users: &[Arc<Container>]) -> bool {
    !users.is_empty() && !picture.is_podman() && users.iter().all(|user| !user.state.is_up())
}

/// `GET /images/{id}/remove`
pub async fn confirm_remove(Id(id): Id<ImageId>, page: Page, Query(query): Query) -> Result<Response, Error> {
    let image = find(&page, &id)?;
    let users = users(&page.picture, &id);
    let mut chosen: Vec<String> = named(&image, &query).cloned().collect();
    if chosen.is_empty() {
        chosen.clone_from(&image.tags);
    }
    let force = query.is_set("force") && may_force(&page.picture, &users);
    let is_untag = chosen.len() < image.tags.len();
    let what = if is_untag { chosen.join(", ") } else { image.name().to_owned() };
    page.show(
        || plan(&page, &image, &chosen, force, &users),
        || {
            html(&RemovePage {
                chrome: Chrome::new(&page, format!("Remove {what}")),
                what: &what,
                is_untag,
                size: bytes(image.size),
                shared: page.picture.shared.bytes.get(id.as_str()).map(|shared| bytes(*shared)),
                may_force: may_force(&page.picture, &users),
                is_podman: page.picture.is_podman(),
                users: users.clone(),
                command: rmi(&image, &chosen, force),
                chosen: chosen.clone(),
                force,
                back: query.back("/images"),
                i: &image,
            })
        },
    )
}

/// `POST /images/{id}/remove`: these of its tags; with the last one, the image.
pub async fn remove(Id(id): Id<ImageId>, page: Page, fields: Fields) -> Result<Response, Error> {
    let image = find(&page, &id)?;
    let mut tags: Vec<String> = fields.all("tag").map(str::to_owned).collect();
    let is_wrong = tags.iter().any(|tag| !image.tags.contains(tag));
    if is_wrong || (tags.is_empty() && fields.is_set("listed") && !image.is_dangling()) {
        let why = if is_wrong { "It has no such tag by now." } else { "Tick the tags that are to go." };
        return Err(Error::of_fields(StatusCode::UNPROCESSABLE_ENTITY, "Nothing was removed.", [("tag", why)]));
    }
    if tags.is_empty() {
        tags.clone_from(&image.tags);
    }
    let is_last = tags.len() >= image.tags.len();
    let force = fields.is_set("force") && may_force(&page.picture, &users(&page.picture, &id));
    let command = rmi(&image, &tags, force);
    let (engine, of, names) = (page.engine.clone(), id.clone(), tags.clone());
    let work = async move { engine.images().remove(&of, &names, force).await };
    let deed = if is_last {
        deed("remove", id.as_str(), image.name(), &command)
    } else {
        deed("untag", id.as_str(), &tags.join(", "), &command)
    };
    match page.does(deed, work).await? {
        Ok(done) => {
            let back = fields.back("/images");
            let says = match (is_last, tags.as_slice()) {
                (false, names) => format!("{} gone; the image stays under its other tags.", names.join(", ")),
                (true, _) => format!("{} was {}.", image.name(), done.says()),
            };
            let to = if is_last && back.starts_with(&format!("/images/{id}")) { "/images" } else { back };
            page.done(&says, &command, to)
        }
        Err(EngineError::NotFound(_)) => Err(gone(&id)),
        Err(error) => Err(in_use(error, &image, &users(&page.fresh().picture, &id))),
    }
}

/// A refusal, with the containers that block it: stopped ones hold their image too (S079).
fn in_use(error: EngineError, image: &Image, users: &[Arc<Container>]) -> Error {
    let told = Error::from(error).what(format!("{} was not removed.", image.name()));
    if users.is_empty() {
        return told;
    }
    let names: Vec<String> =
        users.iter().map(|container| format!("{} ({})", container.name, container.state)).collect();
    let why = format!(
        "It is used by {}. A stopped container keeps its image too: remove the container first.",
        names.join(", ")
    );
    users.iter().take(5).fold(told.why(why), |told, container| {
        told.next(Step::link(format!("Open {}", container.name), format!("/containers/{}", container.id)))
            .next(Step::remove(format!("Remove {}…", container.name), format!("/containers/{}/remove", container.id)))
    })
}
