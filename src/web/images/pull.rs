//! Getting images: from a registry by name, and looking for them there.

use crate::web::filters;
use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, Response},
};

use super::{
    form::{Errors, deed, error_of, reference},
    json,
};
use crate::{
    command::echo,
    engine::{Error as EngineError, FoundImage, Wanted},
    web::{
        Error,
        answer::List,
        chrome::Chrome,
        error::sentence,
        extract::{Fields, Page, Query},
        html::html,
    },
};

/// Machines that images are often made for.
const PLATFORMS: [&str; 5] = ["linux/amd64", "linux/arm64", "linux/arm/v7", "linux/riscv64", "windows/amd64"];

#[derive(Template)]
#[template(path = "images/pull.html")]
struct PullPage<'a> {
    chrome: Chrome,
    wanted: &'a Wanted,
    command: String,
    errors: Errors,
    platforms: [&'static str; 5],
    is_podman: bool,
    registries: Vec<String>,
}

impl PullPage<'_> {
    fn error_of(&self, field: &str) -> Option<&str> {
        error_of(&self.errors, field)
    }
}

/// A form, read: what it asks for and what is wrong with it.
fn read(fields: &Fields) -> (Wanted, Errors) {
    let mut errors = Errors::new();
    let platform = fields.text("platform").map(str::to_owned);
    let is_platform = |text: &str| {
        let mut parts = text.split('/');
        let word =
            |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
        (1..=3).contains(&text.split('/').count()) && parts.all(word)
    };
    if let Some(text) = platform.as_deref().filter(|text| !is_platform(text)) {
        errors.push(("platform", format!("“{text}” is no platform: linux/arm64, or linux/arm/v7.")));
    }
    let reference = reference(fields, &mut errors);
    let wanted = Wanted { reference, all_tags: fields.is_set("all"), platform };
    (wanted, errors)
}

fn command(wanted: &Wanted) -> String {
    let reference = if wanted.reference.is_empty() { "IMAGE" } else { &wanted.reference };
    echo::pull(reference, wanted.platform.as_deref(), wanted.all_tags)
}

fn form(page: &Page, wanted: &Wanted, errors: Errors) -> Result<Html<String>, Error> {
    let reach = page.engine.reach();
    html(&PullPage {
        chrome: Chrome::new(page, "Pull an image"),
        command: command(wanted),
        wanted,
        errors,
        platforms: PLATFORMS,
        is_podman: page.picture.is_podman(),
        registries: if reach.root { Vec::new() } else { reach.registries.clone() },
    })
}

/// `GET /images/pull`; with fields in the address it is the form as it stands, with its command.
pub async fn new(page: Page, Query(query): Query) -> Result<Response, Error> {
    let (wanted, errors) = read(&query);
    page.show(
        || json::Sketch { command: command(&wanted), fields: errors.iter().cloned().collect() },
        || form(&page, &wanted, Vec::new()),
    )
}

/// `POST /images/pull`: a job, or the one that pulls the same already.
pub async fn pull(page: Page, fields: Fields) -> Result<Response, Error> {
    let (wanted, errors) = read(&fields);
    let wrong = |status, errors: Errors| {
        page.wrong(status, "Nothing was pulled.", errors.clone(), || form(&page, &wanted, errors))
    };
    if !errors.is_empty() {
        return wrong(StatusCode::UNPROCESSABLE_ENTITY, errors);
    }
    let command = command(&wanted);
    let asked = page.asks(deed("pull", "", &wanted.reference, &command)).await?;
    match page.engine.jobs().pull(wanted.clone(), command) {
        Ok((job, _)) => {
            asked.follow(job.clone());
            Ok(page.begun(&job))
        }
        Err(error) => {
            asked.ended(crate::web::deed::Came::to_nothing(&error)).await;
            match error {
                EngineError::Forbidden(why) => {
                    wrong(StatusCode::FORBIDDEN, vec![("reference", format!("Your role does not allow that. {why}"))])
                }
                EngineError::Unsupported(why) => wrong(StatusCode::NOT_IMPLEMENTED, vec![("all", sentence(&why))]),
                error => Err(error.into()),
            }
        }
    }
}

#[derive(Template)]
#[template(path = "images/search.html")]
struct SearchPage<'a> {
    chrome: Chrome,
    words: &'a str,
    command: String,
    found: Option<&'a [FoundImage]>,
    failed: Option<&'a Error>,
}

/// `GET /images/search?q=nginx`
pub async fn search(page: Page, Query(query): Query) -> Result<Response, Error> {
    let words = query.text("term").unwrap_or_default();
    let asked = if words.is_empty() { None } else { Some(page.engine.images().search(words).await) };
    let (found, failed) = match asked {
        None => (None, None),
        Some(Ok(found)) => (Some(found), None),
        Some(Err(error @ EngineError::Forbidden(_))) => return Err(error.into()),
        Some(Err(error)) => {
            let why = Error::from(error).reason().to_owned();
            let why = format!(
                "{why} The engine asks Docker Hub for it, or the registry whose name stands before the words, and both the engine \
                 and that have to answer. Pulling by name goes without a search."
            );
            (None, Some(Error::new(StatusCode::BAD_GATEWAY, "The registry could not be searched.", why)))
        }
    };
    if page.wants_json
        && let Some(error) = failed
    {
        return Err(error);
    }
    page.show(
        || List::from(found.iter().flatten().map(json::Found::new).collect::<Vec<_>>()),
        || {
            html(&SearchPage {
                chrome: Chrome::new(&page, "Search for images"),
                words,
                command: echo::search(if words.is_empty() { "WORDS" } else { words }),
                found: found.as_deref(),
                failed: failed.as_ref(),
            })
        },
    )
}

/// `POST /images/check`: asks registries whether they have newer images, of these tags or of all.
pub async fn check(page: Page, fields: Fields) -> Result<Response, Error> {
    let tags: Vec<String> = fields.all("tag").map(str::to_owned).collect();
    let names: Vec<&str> = tags.iter().map(String::as_str).collect();
    let (job, _) = page.engine.jobs().check_images(&tags, echo::manifests(&names))?;
    Ok(page.begun(&job))
}
