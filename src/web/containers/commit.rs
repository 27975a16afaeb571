//! A container kept as an image: the form, its command, the job.

use std::collections::HashMap;

use crate::web::filters;
use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, Response},
};

use super::{
    docs,
    frame::{Frame, Tab, find},
    json::Sketch,
};
use crate::{
    command::{echo, image},
    engine::{Commit, Container, ContainerId, Detail, Error as EngineError, HIDDEN, INSTRUCTIONS, Mount, State},
    team::Right,
    web::{
        Error, Routes,
        answer::Begun,
        chrome::Chrome,
        deed::{Came, Deed},
        doc::{Doc, Field},
        error::sentence,
        extract::{Fields, Id, Page, Query},
        html::html,
    },
};

/// The longest text of a field.
const LONGEST: usize = 4_000;
/// Instructions at most.
const MOST: usize = 50;

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/containers/{id}/commit", Right::Enter, page)
        .doc(form_doc())
        .post("/containers/{id}/commit", Right::Enter, submit)
        .doc(doc())
}

/// A row of an instruction.
struct Row {
    row: usize,
    word: String,
    value: String,
    error: Option<String>,
}

/// What was typed, and what is wrong with it.
struct Draft {
    commit: Commit,
    rows: Vec<Row>,
    errors: HashMap<String, String>,
}

impl Draft {
    fn read(fields: &Fields) -> Self {
        let text = |name: &str| fields.text(name).unwrap_or_default().to_owned();
        let mut errors = HashMap::new();
        let commit = Commit {
            reference: text("reference"),
            comment: text("comment"),
            author: text("author"),
            pause: !fields.is_set("no-pause"),
            replace: fields.is_set("replace"),
            changes: Vec::new(),
        };
        if let Err(why) = reference(&commit.reference) {
            errors.insert("reference".to_owned(), why);
        }
        for (name, value) in [("comment", &commit.comment), ("author", &commit.author)] {
            if value.len() > LONGEST || value.contains('\n') {
                errors.insert(name.to_owned(), format!("One line, of {LONGEST} letters at most."));
            }
        }
        let mut rows: Vec<Row> = Vec::new();
        let mut changes = Vec::new();
        let pairs = fields.all("change-instruction").zip(fields.all("change-value")).take(MOST);
        for (row, (word, value)) in pairs.enumerate() {
            let value = value.trim();
            let known = INSTRUCTIONS.into_iter().find(|known| *known == word.trim());
            let error = match (known, value) {
                (_, "") => None,
                (None, _) => Some(format!("“{word}” is none of {}.", INSTRUCTIONS.join(", "))),
                (Some(_), value) if value.contains(['\n', '\r']) || value.len() > LONGEST => {
                    Some("One line each.".to_owned())
                }
                (Some(word), value) => {
                    changes.push((word, value.to_owned()));
                    None
                }
            };
            if let Some(why) = &error {
                errors.insert(format!("change-{row}"), why.clone());
            }
            rows.push(Row { row, word: word.to_owned(), value: value.to_owned(), error });
        }
        if rows.last().is_none_or(|row| !row.value.is_empty()) {
            rows.push(Row { row: rows.len(), word: String::new(), value: String::new(), error: None });
        }
        Self { commit: Commit { changes, ..commit }, rows, errors }
    }

    /// The docker command: as it is typed, or without the values of variables, for who reads it later.
    fn command(&self, container: &Container, is_kept: bool) -> String {
        let change = |(word, value): &(&'static str, String)| match (*word, is_kept) {
            ("ENV" | "ONBUILD", true) => {
                let name = value.split(['=', ' ']).next().unwrap_or_default();
                format!("{word} {name}={HIDDEN}")
            }
            _ => format!("{word} {value}"),
        };
        let changes: Vec<String> = self.commit.changes.iter().map(change).collect();
        let some = |text: &'_ str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let (message, author) = (some(&self.commit.comment), some(&self.commit.author));
        let what = echo::Commit {
            message: message.as_deref(),
            author: author.as_deref(),
            changes: &changes,
            no_pause: !self.commit.pause,
        };
        let reference = if self.commit.reference.is_empty() { "NAME:TAG" } else { &self.commit.reference };
        echo::commit(&container.name, reference, what)
    }
}

/// A name for a new image: a reference, but none that says what is in it.
fn reference(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("The image needs a name, such as shop/web:kept.".to_owned());
    }
    image::check(text).map_err(|why| sentence(&why))?;
    if text.contains('@') || text.starts_with("sha256:") || crate::engine::is_id(text) {
        return Err("A digest or an id is made by the engine: give a name, and a tag after a colon.".to_owned());
    }
    Ok(())
}

#[derive(Template)]
#[template(path = "containers/commit.html")]
struct CommitPage<'a> {
    chrome: Chrome,
    c: &'a Container,
    frame: Frame<'a>,
    draft: &'a Draft,
    command: String,
    /// What is told to be wrong, field by field; nothing while it is typed.
    told: Vec<(String, String)>,
    secrets: Vec<&'a str>,
    mounts: Vec<&'a Mount>,
    is_running: bool,
    may_replace: bool,
}

impl CommitPage<'_> {
    fn error_of(&self, field: &str) -> Option<&str> {
        self.told.iter().find(|(name, _)| name == field).map(|(_, why)| why.as_str())
    }

    fn words(&self) -> [&'static str; 9] {
        INSTRUCTIONS
    }
}

fn form(page: &Page, c: &Container, d: &Detail, draft: &Draft, tell: bool) -> Result<Html<String>, Error> {
    let command = draft.command(c, false);
    let frame = Frame::new(page, c, Tab::Commit, command.clone()).without_command();
    let mut told: Vec<(String, String)> = draft.errors.clone().into_iter().filter(|_| tell).collect();
    told.sort();
    html(&CommitPage {
        chrome: frame.chrome(page),
        frame,
        command,
        told,
        secrets: d.env.iter().filter(|var| var.looks_secret()).map(|var| var.name.as_str()).collect(),
        mounts: c.mounts.iter().collect(),
        is_running: c.state == State::Running,
        may_replace: page.may(Right::Root),
        draft,
        c,
    })
}

/// `GET /containers/{id}/commit`: the form, with what the address says in it.
async fn page(Id(id): Id<ContainerId>, page: Page, Query(query): Query) -> Result<Response, Error> {
    let container = find(&page, &id)?;
    let detail = page.engine.containers().get(&id).await?;
    let draft = Draft::read(&query);
    page.show(
        || Sketch {
            command: draft.command(&container, false),
            dangers: Vec::new(),
            remarks: Vec::new(),
            fields: draft.errors.clone(),
        },
        || form(&page, &container, &detail, &draft, false),
    )
}

/// `POST /containers/{id}/commit`
async fn submit(Id(id): Id<ContainerId>, page: Page, fields: Fields) -> Result<Response, Error> {
    let container = find(&page, &id)?;
    let mut draft = Draft::read(&fields);
    if draft.errors.is_empty() {
        // What is kept says nothing of the values of variables.
        let command = draft.command(&container, true);
        let deed = Deed {
            public: Some(echo::commit(&container.name, &draft.commit.reference, echo::Commit::default())),
            ..Deed::new("container.commit", "container", id.as_str(), container.name.clone(), &command)
        };
        let asked = page.asks(deed).await?;
        match page.engine.jobs().commit(&id, draft.commit.clone(), command).await {
            Ok(job) => {
                let begun = page.begun(&job);
                asked.follow(job);
                return Ok(begun);
            }
            Err(error) => {
                asked.ended(Came::to_nothing(&error)).await;
                let EngineError::Conflict(why) = error else { return Err(error.into()) };
                draft.errors.insert("reference".to_owned(), format!("{}.", why.trim_end_matches('.')));
            }
        }
    }
    let detail = page.engine.containers().get(&id).await?;
    page.wrong(StatusCode::UNPROCESSABLE_ENTITY, "No image was made.", draft.errors.clone(), || {
        form(&page, &container, &detail, &draft, true)
    })
}

fn fields() -> Vec<Field> {
    vec![
        Field::text("reference", "What the image is called.", "shop/web:kept").required(),
        Field::text("comment", "What is said about it (-m).", "before the update"),
        Field::text("author", "Who made it (-a).", "Ada <ada@example.com>"),
        Field::switch("no-pause", "Does not freeze the container meanwhile (--pause=false)."),
        Field::switch("replace", "Takes the name of an image that is there. For administrators."),
        Field::list(
            "change-instruction",
            "A column of rows of instructions (-c): one of CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, USER, VOLUME, WORKDIR.",
            "CMD",
        ),
        Field::list("change-value", "What the n-th instruction says.", "[\"nginx\"]"),
    ]
}

fn form_doc() -> Doc {
    Doc::new("Check an image to be made of a container")
        .about("Answers with the docker command and with what is wrong. Nothing is made.")
        .place(docs::id())
        .query(fields().into_iter().map(Field::loose))
        .gives::<Sketch>(200, "The line that it makes.")
}

fn doc() -> Doc {
    Doc::new("Make an image of a container")
        .about("The same as `docker commit`. What is mounted in the container is not in it; its variables are. It goes on as a job, whose `lines` say which image it became.")
        .place(docs::id())
        .body(fields())
        .gives::<Begun>(202, "It goes on as a job.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_at_its_field() {
        let wrong = |query: &str| {
            let mut names: Vec<String> = Draft::read(&Fields::parse(query.as_bytes())).errors.into_keys().collect();
            names.sort();
            names.join(" ")
        };
        assert_eq!(wrong("reference=shop/web:1&comment=x&change-instruction=CMD&change-value=[\"ls\"]"), "");
        assert_eq!(wrong(""), "reference");
        for bad in ["A", "a:b:c d", "a@sha256:00", &"a".repeat(64), "-x", "a%0Ab"] {
            assert_eq!(wrong(&format!("reference={bad}")), "reference", "{bad}");
        }
        assert_eq!(wrong("reference=a&change-instruction=RUN&change-value=id"), "change-0");
        assert_eq!(wrong("reference=a&change-instruction=RUN&change-value="), "");
        assert_eq!(
            wrong("reference=a&change-instruction=CMD&change-value=a%0AUSER+root&comment=a%0Ab"),
            "change-0 comment"
        );
    }
}
