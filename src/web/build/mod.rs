//! Building images: of a Dockerfile that is written here, of what lies at an address, of a folder or a tar.

mod docs;
mod upload;

use std::collections::BTreeMap;

use crate::web::filters;
use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Error, Routes,
    chrome::Chrome,
    deed::Deed,
    extract::{Fields, Page, Query},
    html::html,
};
use crate::{
    command::{echo, image},
    engine::{Build, BuildContext, DOCKERFILE, is_address},
    team::Right,
};

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/build", Right::Build, page)
        .doc(docs::form())
        .post("/build", Right::Build, build)
        .doc(docs::build())
        .post("/build/upload", Right::Build, upload::take)
        .takes(usize::MAX)
}

/// What the first Dockerfile may be.
const EXAMPLE: &str = "FROM busybox:latest\nRUN echo \"built with Wheelhouse\" > /hello\nCMD [\"cat\", \"/hello\"]\n";

/// A form, read.
#[derive(Default)]
struct Draft {
    build: Build,
    text: String,
    address: String,
    /// As they were typed, a line each.
    tags: String,
    args: String,
    /// Whether it came with files.
    is_upload: bool,
    errors: Vec<(&'static str, String)>,
}

impl Draft {
    fn read(fields: &Fields) -> Self {
        let text = |name: &str| fields.text(name).unwrap_or_default().to_owned();
        let lines = |name: &'static str| {
            let all = fields.all(name).flat_map(str::lines).map(str::trim).filter(|line| !line.is_empty());
            all.map(str::to_owned).collect::<Vec<_>>()
        };
        let mut errors = Vec::new();
        let tags = lines("tag");
        for tag in &tags {
            if let Err(why) = image::check(tag) {
                errors.push(("tag", format!("“{tag}” is no name for an image: {why}.")));
            } else if tag.contains('@') {
                errors.push(("tag", format!("“{tag}” says what is in it: give a name, and a tag after a colon.")));
            }
        }
        let mut args = BTreeMap::new();
        for line in lines("arg") {
            match line.split_once('=') {
                Some((name, value)) if is_name(name) => {
                    args.insert(name.to_owned(), value.to_owned());
                }
                _ => errors.push(("arg", format!("“{line}” is no NAME=value."))),
            }
        }
        let dockerfile = text("dockerfile");
        if dockerfile.split('/').any(|part| part == "..")
            || dockerfile.starts_with('/')
            || dockerfile.chars().any(char::is_control)
        {
            errors.push(("dockerfile", "A path within what is built, such as docker/Dockerfile.".to_owned()));
        }
        let platform = text("platform");
        if !platform.is_empty() && !platform.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_-.".contains(&b)) {
            errors.push(("platform", "Such as linux/arm64.".to_owned()));
        }
        Self {
            tags: tags.join("\n"),
            args: lines("arg").join("\n"),
            text: fields.get("text").unwrap_or_default().replace("\r\n", "\n"),
            address: text("address"),
            build: Build {
                tags,
                dockerfile,
                target: text("target"),
                platform,
                args,
                no_cache: fields.is_set("nocache"),
                pull: fields.is_set("pull"),
            },
            is_upload: false,
            errors,
        }
    }

    /// What it is built of, as a command names it.
    fn from(&self) -> &str {
        if self.address.is_empty() { "-" } else { &self.address }
    }

    fn command(&self) -> String {
        said(&self.build, self.from(), true)
    }
}

/// The docker command that does the same, with the values of its arguments or without.
fn said(what: &Build, from: &str, has_values: bool) -> String {
    let value = |value: &'_ String| if has_values { value.clone() } else { "…".to_owned() };
    let args: Vec<(&str, String)> = what.args.iter().map(|(name, text)| (name.as_str(), value(text))).collect();
    let args: Vec<(&str, &str)> = args.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let Build { tags, dockerfile, target, platform, no_cache, pull, .. } = what;
    let (no_cache, pull) = (*no_cache, *pull);
    echo::build(echo::Build { tags, args: &args, dockerfile, target, platform, no_cache, pull }, from)
}

/// The name of a build argument.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[derive(Template)]
#[template(path = "build/page.html")]
struct BuildPage<'a> {
    chrome: Chrome,
    draft: &'a Draft,
    command: String,
    is_podman: bool,
    largest: String,
}

impl BuildPage<'_> {
    /// Whether something is wrong with this form: `f` is the one of a Dockerfile, `u` the one of files.
    fn is_wrong(&self, form: &str) -> bool {
        !self.draft.errors.is_empty() && self.draft.is_upload == (form == "u")
    }

    /// What is wrong with this field of this form.
    fn error_of(&self, form: &str, field: &str) -> Option<&str> {
        if !self.is_wrong(form) {
            return None;
        }
        self.draft.errors.iter().find(|(name, _)| *name == field).map(|(_, why)| why.as_str())
    }
}

fn draw(page: &Page, draft: &Draft) -> Result<Html<String>, Error> {
    html(&BuildPage {
        chrome: Chrome::new(page, "Build"),
        command: draft.command(),
        is_podman: page.picture.is_podman(),
        largest: super::html::bytes(page.engine.largest_upload()),
        draft,
    })
}

/// A form that builds, read: nothing was built.
#[derive(Serialize, ToSchema)]
#[schema(as = BuildDraft)]
struct Sketch {
    /// The docker command that does the same.
    command: String,
    /// What is wrong with which field.
    fields: BTreeMap<&'static str, String>,
}

/// `GET /build`; with fields in the address it is the form as it stands, with its command.
async fn page(page: Page, Query(query): Query) -> Result<Response, Error> {
    let mut draft = Draft::read(&query);
    if query.0.is_empty() {
        EXAMPLE.clone_into(&mut draft.text);
    }
    page.show(
        || Sketch { command: draft.command(), fields: draft.errors.iter().cloned().collect() },
        || draw(&page, &Draft { errors: Vec::new(), text: draft.text.clone(), ..Draft::read(&query) }),
    )
}

/// `POST /build`: of a Dockerfile, or of an address.
async fn build(page: Page, fields: Fields) -> Result<Response, Error> {
    let mut draft = Draft::read(&fields);
    if !draft.address.is_empty() && !is_address(&draft.address) {
        let why = "An address that the engine can fetch: https://host/project.git#branch:folder, or a tar.";
        draft.errors.push(("address", why.to_owned()));
    }
    if !draft.address.is_empty() && page.picture.is_podman() {
        let why = "podman fetches nothing to build by its API: upload the folder, or a tar of it.";
        draft.errors.push(("address", why.to_owned()));
        return wrong(&page, StatusCode::NOT_IMPLEMENTED, &draft);
    }
    if draft.address.is_empty() && draft.text.trim().is_empty() {
        draft.errors.push(("text", "A Dockerfile begins with FROM and an image.".to_owned()));
    }
    if draft.text.len() > DOCKERFILE {
        draft.errors.push(("text", "That is too long for a Dockerfile: 512 KiB at most.".to_owned()));
    }
    if !draft.errors.is_empty() {
        return wrong(&page, StatusCode::UNPROCESSABLE_ENTITY, &draft);
    }
    let context = match draft.address.as_str() {
        "" => BuildContext::Text(draft.text.clone()),
        address => BuildContext::Address(address.to_owned()),
    };
    begin(&page, draft.build.clone(), context, draft.from()).await
}

fn wrong(page: &Page, status: StatusCode, draft: &Draft) -> Result<Response, Error> {
    page.wrong(status, "Nothing was built.", draft.errors.clone(), || draw(page, draft))
}

/// Starts it, as a job that goes on when its page is left.
async fn begin(page: &Page, what: Build, context: BuildContext, from: &str) -> Result<Response, Error> {
    let command = said(&what, from, true);
    let name = what.tags.first().cloned().unwrap_or_default();
    // Values of arguments may be secrets: they are not written down.
    let public = said(&what, from, false);
    let asked = page.asks(Deed::new("image.build", "image", name.clone(), name, &public)).await?;
    match page.engine.jobs().build(what, context, command) {
        Ok(job) => {
            asked.follow(job.clone());
            Ok(page.begun(&job))
        }
        Err(error) => {
            asked.ended(super::deed::Came::to_nothing(&error)).await;
            Err(error.into())
        }
    }
}
