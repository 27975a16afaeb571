//! Images as files: saved, loaded, and made of the files in a tar. Nothing of it is ever held here.

use std::sync::{Arc, atomic::Ordering};

use crate::web::filters;
use askama::Template;
use axum::{
    body::Body,
    extract::{Multipart, Request, multipart::Field},
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use futures_util::stream;

use super::{
    detail::find,
    form::{Errors, deed, error_of},
};
use crate::{
    command::{echo, image},
    engine::{Image, ImageId, ImageSource},
    web::{
        Error,
        attachment::attachment,
        chrome::Chrome,
        deed::Came,
        error::{Step, sentence},
        extract::{Fields, Page, Query, is_on},
        files::{parts, patient},
        html::{bytes, html},
    },
};

/// Names of files, where nobody says others: of images, and of what becomes one.
const FILE: &str = "images.tar";
const ROOT: &str = "root.tar";
/// Images to choose from.
const CHOICE: usize = 500;
/// The longest field that is no file.
const TEXT: usize = 16 << 10;

#[derive(Template)]
#[template(path = "images/save.html")]
struct SavePage<'a> {
    chrome: Chrome,
    images: Vec<(&'a Arc<Image>, String, bool)>,
    command: String,
    is_one: bool,
}

/// The images that are asked for, by id, each with its first tag.
fn chosen(page: &Page, query: &Fields) -> Result<Vec<(ImageId, Option<String>)>, Error> {
    let id = |text: &str| {
        text.parse::<ImageId>().map_err(|_| {
            let why = "An image’s id is 64 hex digits.";
            Error::of_fields(StatusCode::UNPROCESSABLE_ENTITY, "That is not an image.", [("id", why)])
        })
    };
    let mut chosen = Vec::new();
    for text in query.all("id") {
        let image = find(page, &id(text)?)?;
        if image.is_dangling() {
            chosen.push((image.id.clone(), None));
        }
        chosen.extend(image.tags.iter().map(|tag| (image.id.clone(), Some(tag.clone()))));
    }
    Ok(chosen)
}

fn save_command(chosen: &[(ImageId, Option<String>)]) -> String {
    let names: Vec<&str> = chosen.iter().map(|(id, tag)| tag.as_deref().unwrap_or(id.short())).collect();
    if names.is_empty() { echo::save(&["IMAGE"], FILE) } else { echo::save(&names, FILE) }
}

/// `GET /images/save`: which ones.
pub async fn choose(page: Page, Query(query): Query) -> Result<Response, Error> {
    let chosen = chosen(&page, &query)?;
    let is_chosen = |image: &Image| chosen.iter().any(|(id, _)| *id == image.id);
    let mut images: Vec<_> = page
        .picture
        .images
        .values()
        .filter(|image| chosen.is_empty() || is_chosen(image))
        .map(|image| (image, bytes(image.size), is_chosen(image)))
        .collect();
    images.sort_by(|(a, ..), (b, ..)| (a.is_dangling(), a.name()).cmp(&(b.is_dangling(), b.name())));
    images.truncate(CHOICE);
    let command = save_command(&chosen);
    let draw = || {
        let chrome = Chrome::new(&page, "Save images");
        html(&SavePage { chrome, is_one: !chosen.is_empty(), images, command })
    };
    Ok(draw()?.into_response())
}

/// `GET /images/save.tar?id=…`: as the engine makes it.
pub async fn save(page: Page, Query(query): Query) -> Result<Response, Error> {
    let chosen = chosen(&page, &query)?;
    let Some((first, tag)) = chosen.first() else {
        let why = "Tick at least one.";
        return Err(Error::of_fields(StatusCode::UNPROCESSABLE_ENTITY, "Nothing was saved.", [("id", why)])
            .next(Step::link("Choose", "/images/save")));
    };
    let command = save_command(&chosen);
    let name = tag.clone().unwrap_or_else(|| first.short().to_owned());
    let asked = page.asks(deed("save", first.as_str(), &name, &command)).await?;
    let saved = match page.engine.images().save(&chosen, command).await {
        Ok(saved) => saved,
        Err(error) => {
            asked.ended(Came::to_nothing(&error)).await;
            return Err(Error::from(error).what("Nothing was saved.").next(Step::link("Jobs", "/jobs")));
        }
    };
    asked.follow(saved.job.clone());
    let lease = page.asker.lease();
    let body = stream::unfold((saved, lease), |(mut saved, mut lease)| async move {
        let piece = tokio::select! {
            piece = saved.next() => piece?,
            // Whoever has lost the right to it gets no more of it (S010).
            () = lease.lost() => Err(std::io::Error::other("the right to it was lost")),
        };
        Some((piece, (saved, lease)))
    });
    let clean = |c: char| if c.is_ascii_alphanumeric() || "_.-".contains(c) { c } else { '_' };
    let file = if chosen.len() == 1 {
        format!("{}.tar", name.chars().map(clean).collect::<String>())
    } else {
        FILE.to_owned()
    };
    Ok(attachment("application/x-tar", &file, None, Body::from_stream(body)))
}

#[derive(Template)]
#[template(path = "images/load.html")]
struct LoadPage {
    chrome: Chrome,
    is_podman: bool,
    command: String,
    errors: Errors,
}

/// `GET /images/load`
pub async fn new_load(page: Page) -> Result<Response, Error> {
    Ok(load_form(&page, Errors::new())?.into_response())
}

fn load_form(page: &Page, errors: Errors) -> Result<Html<String>, Error> {
    let is_podman = page.picture.is_podman();
    html(&LoadPage { chrome: Chrome::new(page, "Load images"), command: echo::load(FILE), is_podman, errors })
}

#[derive(Template)]
#[template(path = "images/import.html")]
struct ImportPage<'a> {
    chrome: Chrome,
    command: String,
    may_replace: bool,
    said: &'a Said,
    errors: Errors,
}

impl ImportPage<'_> {
    fn error_of(&self, field: &str) -> Option<&str> {
        error_of(&self.errors, field)
    }
}

/// `GET /images/import`
pub async fn new_import(page: Page) -> Result<Response, Error> {
    let said = Said { reference: Some("NAME:TAG".to_owned()), ..Said::default() };
    Ok(import_form(&page, &Said::default(), said.command(ROOT), Errors::new())?.into_response())
}

fn import_form(page: &Page, said: &Said, command: String, errors: Errors) -> Result<Html<String>, Error> {
    let may_replace = page.engine.reach().root;
    html(&ImportPage { chrome: Chrome::new(page, "Import an image"), command, may_replace, said, errors })
}

/// A field that is no file.
async fn text(mut field: Field<'_>) -> Result<String, Error> {
    let mut text = Vec::new();
    while let Some(chunk) = patient(field.chunk()).await? {
        text.extend_from_slice(&chunk);
        if text.len() > TEXT {
            return Err(Error::too_large());
        }
    }
    Ok(String::from_utf8_lossy(&text).trim().to_owned())
}

/// `POST /images/load`: a tar that was saved, as `multipart/form-data`.
pub async fn load(page: Page, request: Request) -> Result<Response, Error> {
    take(page, request, false).await
}

/// `POST /images/import`: a tar with the files of one image, as `multipart/form-data`, after the fields that say what
/// it is to be.
pub async fn import(page: Page, request: Request) -> Result<Response, Error> {
    take(page, request, true).await
}

/// What a form for an import says before its file.
#[derive(Default, Clone)]
struct Said {
    reference: Option<String>,
    message: Option<String>,
    changes: Vec<String>,
    replace: bool,
}

impl Said {
    fn errors(&self) -> Errors {
        let mut errors = Errors::new();
        if let Some(Err(why)) = self.reference.as_deref().map(image::check) {
            errors.push(("reference", sentence(&why)));
        } else if self.reference.as_deref().is_some_and(|name| name.contains('@')) {
            errors.push(("reference", "A digest is not given: a registry makes it.".to_owned()));
        }
        let is_one = |line: &&String| {
            let word = line.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
            crate::engine::INSTRUCTIONS.iter().any(|known| *known == word)
        };
        if let Some(line) = self.changes.iter().find(|line| !is_one(line)) {
            let known = crate::engine::INSTRUCTIONS.join(", ");
            errors.push(("change", format!("“{line}” begins with none of {known}.")));
        }
        errors
    }

    /// From a file of this name.
    fn command(&self, file: &str) -> String {
        echo::import(file, self.reference.as_deref(), &self.changes, self.message.as_deref())
    }

    fn source(self) -> ImageSource {
        let Self { reference, message, changes, replace } = self;
        ImageSource::Files { reference, changes, message, replace }
    }
}

/// A field that says something of a file that has come already.
async fn late(form: &mut Multipart, is_import: bool) -> Result<Option<&'static str>, Error> {
    let known: &[&str] = if is_import { &["file", "reference", "message", "change", "replace"] } else { &["file"] };
    while let Some(field) = patient(form.next_field()).await? {
        if let Some(name) = known.iter().find(|known| field.name() == Some(known)) {
            return Ok(Some(name));
        }
        text(field).await?;
    }
    Ok(None)
}

async fn take(page: Page, request: Request, is_import: bool) -> Result<Response, Error> {
    let (mut form, since) = parts(request).await?;
    let mut said = Said::default();
    let what = if is_import { "Nothing was imported." } else { "Nothing was loaded." };
    // The form again, with what was typed; a file has to be chosen anew.
    let wrong = |status: StatusCode, said: &Said, errors: Errors| {
        page.wrong(status, what, errors.clone(), || {
            if is_import { import_form(&page, said, said.command(ROOT), errors) } else { load_form(&page, errors) }
        })
    };
    while let Some(mut field) = patient(form.next_field()).await? {
        if field.name() != Some("file") {
            let name = field.name().unwrap_or_default().to_owned();
            let value = text(field).await?;
            match name.as_str() {
                "reference" => said.reference = Some(value).filter(|value| !value.is_empty()),
                "message" => said.message = Some(value).filter(|value| !value.is_empty()),
                "change" => {
                    said.changes
                        .extend(value.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
                }
                "replace" => said.replace = is_on(&value),
                _ => {}
            }
            continue;
        }
        let errors = said.errors();
        if !errors.is_empty() {
            return wrong(StatusCode::UNPROCESSABLE_ENTITY, &said, errors);
        }
        let file = field.file_name().filter(|name| !name.is_empty()).map(str::to_owned);
        let mut first = patient(field.chunk()).await?;
        while first.as_ref().is_some_and(axum::body::Bytes::is_empty) {
            first = patient(field.chunk()).await?;
        }
        let Some(first) = first else { break };
        let (action, command, name) = if is_import {
            let file = file.as_deref().unwrap_or(ROOT);
            ("import", said.command(file), said.reference.clone().unwrap_or_default())
        } else {
            ("load", echo::load(file.as_deref().unwrap_or(FILE)), String::new())
        };
        let source = if is_import { said.clone().source() } else { ImageSource::Saved };
        let asked = page.asks(deed(action, "", &name, &command)).await?;
        let incoming = match page.engine.images().take(source, command).await {
            Ok(incoming) => incoming,
            Err(error) => {
                asked.ended(Came::to_nothing(&error)).await;
                return match error {
                    crate::engine::Error::Conflict(why) => {
                        wrong(StatusCode::CONFLICT, &said, vec![("reference", sentence(&why))])
                    }
                    error => Err(Error::from(error).what(what)),
                };
            }
        };
        asked.follow(incoming.job.clone());
        let mut goes_on = incoming.add(first).await;
        while goes_on {
            since.store(0, Ordering::Relaxed);
            let Some(chunk) = patient(field.chunk()).await? else { break };
            goes_on = incoming.add(chunk).await;
        }
        drop(field);
        // What becomes of the file was told to the engine before it: what comes now would be lost. The end is
        // told when nothing does: the engine makes nothing of what is broken off.
        if goes_on && let Some(late) = late(&mut form, is_import).await? {
            let why =
                format!("“{late}” stands after the file, which goes on to the engine as it comes: send it before.");
            return wrong(StatusCode::UNPROCESSABLE_ENTITY, &said, vec![(late, why)]);
        }
        return Ok(page.begun(&incoming.end().await));
    }
    let mut errors = if is_import { said.errors() } else { Errors::new() };
    errors.push(("file", "Choose a tar; it may be compressed with gzip, bzip2, xz or zstd.".to_owned()));
    wrong(StatusCode::UNPROCESSABLE_ENTITY, &said, errors)
}
