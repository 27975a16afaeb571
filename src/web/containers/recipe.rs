//! A container as what makes it again: the shortest `docker run` line, a compose file, the engine's JSON.

use askama::Template;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    docs,
    frame::{Frame, Tab, find},
};
use crate::{
    command::{ComposeFile, Verb, Written},
    engine::{Container, ContainerId, Recipe},
    team::Right,
    web::{
        Error, Routes,
        attachment::attachment,
        chrome::Chrome,
        doc::Doc,
        extract::{Id, Page},
        filters,
        html::html,
    },
};

pub(super) fn routes() -> Routes {
    Routes::new().get("/containers/{id}/recipe", Right::Operate, page).doc(doc()).get(
        "/containers/{id}/compose.yaml",
        Right::Operate,
        file,
    )
}

#[derive(Template)]
#[template(path = "containers/recipe.html")]
struct RecipePage<'a> {
    chrome: Chrome,
    c: &'a Container,
    frame: Frame<'a>,
    shown: Shown,
    json: String,
    may_reveal: bool,
    is_revealed: bool,
    can_create: bool,
}

/// A container as what makes it again. What its image says by itself, and what the engine would choose, is not said.
#[derive(Serialize, ToSchema)]
#[schema(as = ContainerRecipe)]
struct Shown {
    /// The shortest docker command that makes it again and starts it.
    command: String,
    /// The same as a compose file.
    compose: String,
    /// Where the command says something otherwise, or not at all.
    unsaid: Vec<String>,
    /// Where the compose file does.
    unsaid_by_compose: Vec<String>,
    /// What to know before it is made again.
    remarks: Vec<String>,
    /// How many values are hidden; administrators see them with `?reveal=1`, which the audit notes.
    hidden: usize,
}

impl Shown {
    fn new(page: &Page, container: &Container, recipe: &Recipe) -> Self {
        let Written { line, unsaid } = Written::of(&recipe.spec);
        let ComposeFile { text: compose, unsaid: unsaid_by_compose } = ComposeFile::of(&recipe.spec);
        let command = line.to_command_multiline(Verb::Run);
        Self {
            hidden: command.matches(crate::engine::HIDDEN).count(),
            command,
            compose,
            unsaid,
            unsaid_by_compose,
            remarks: remarks(page, container, recipe),
        }
    }
}

fn remarks(page: &Page, container: &Container, recipe: &Recipe) -> Vec<String> {
    let mut remarks = Vec::new();
    let reference = &recipe.spec.image;
    match page.picture.image_of(reference) {
        _ if !recipe.is_whole => remarks.push(
            "Its image is not here any more: what that said by itself cannot be told apart, so everything is said here."
                .to_owned(),
        ),
        Some(image) if image.id.as_str() != recipe.image => remarks.push(format!(
            "{} was made of an older {reference}: since then, that name has gone to another image.",
            container.name
        )),
        _ => {}
    }
    if !recipe.anonymous.is_empty() {
        let count = recipe.anonymous.len();
        let (what, one) = if count == 1 { ("volume without a name", "it") } else { ("volumes without a name", "them") };
        remarks.push(format!("It has {count} {what}: the command makes new ones, which are empty. Edit keeps {one}."));
    }
    remarks
}

/// `GET /containers/{id}/recipe`, with `?reveal=1` with its values.
async fn page(Id(id): Id<ContainerId>, page: Page) -> Result<Response, Error> {
    let page = page.revealed().await?;
    let container = find(&page, &id)?;
    let recipe = page.engine.containers().recipe(&id).await?;
    let shown = || Shown::new(&page, &container, &recipe);
    page.show(shown, || {
        let frame = Frame::new(&page, &container, Tab::Recipe, String::new());
        html(&RecipePage {
            chrome: frame.chrome(&page),
            frame,
            json: serde_json::to_string_pretty(&recipe.spec).unwrap_or_default(),
            shown: shown(),
            may_reveal: page.may_reveal(),
            is_revealed: page.is_revealed(),
            can_create: page.may(Right::Create),
            c: &container,
        })
    })
}

/// `GET /containers/{id}/compose.yaml`: as a file.
async fn file(Id(id): Id<ContainerId>, page: Page) -> Result<Response, Error> {
    let page = page.revealed().await?;
    let recipe = page.engine.containers().recipe(&id).await?;
    Ok(attachment("application/yaml", "compose.yaml", None, ComposeFile::of(&recipe.spec).text))
}

fn doc() -> Doc {
    Doc::new("Show a container as what makes it again")
        .about("The shortest `docker run` line, and a compose file. What the image says by itself and what the engine would choose is left out.")
        .place(docs::id())
        .query([docs::reveal()])
        .gives::<Shown>(200, "What makes it again.")
}
