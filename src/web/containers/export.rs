//! All files of a container as one tar, handed on as it comes.

use crate::web::filters;
use askama::Template;
use axum::{body::Body, response::Response};
use futures_util::stream;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    docs,
    frame::{Frame, Tab, can, find},
};
use crate::{
    command::echo,
    engine::{Container, ContainerId, Mount},
    team::Right,
    web::{
        Error, Routes,
        attachment::attachment,
        chrome::Chrome,
        deed::{Came, Deed},
        doc::Doc,
        error::Step,
        extract::{Id, Page},
        html::html,
    },
};

pub(super) fn routes() -> Routes {
    Routes::new().get("/containers/{id}/export", Right::Read, page).doc(doc()).get(
        "/containers/{id}/export.tar",
        Right::Read,
        tar,
    )
}

#[derive(Template)]
#[template(path = "containers/export.html")]
struct ExportPage<'a> {
    chrome: Chrome,
    c: &'a Container,
    frame: Frame<'a>,
    file: String,
    mounts: Vec<&'a Mount>,
    can_commit: bool,
    /// Why this reader must not have them.
    shut: Vec<&'static str>,
}

/// The file's name. A container's name holds nothing that a header or a disk would stumble over.
fn file(container: &Container) -> String {
    let clean = |c: char| if c.is_ascii_alphanumeric() || "_.-".contains(c) { c } else { '_' };
    format!("{}.tar", container.name.chars().map(clean).collect::<String>())
}

/// `GET /containers/{id}/export`: what would be in it.
async fn page(Id(id): Id<ContainerId>, page: Page) -> Result<Response, Error> {
    let container = find(&page, &id)?;
    let file = file(&container);
    let command = echo::export(&container.name, &file, false);
    let location = format!("/containers/{id}/export.tar");
    // So that it is known whether they may; where the engine is away, taking them will tell.
    let _ = page.engine.containers().get(&id).await;
    page.show(
        || Plan { file: file.clone(), location, command: command.clone() },
        || {
            let frame = Frame::new(&page, &container, Tab::Export, command.clone());
            html(&ExportPage {
                chrome: frame.chrome(&page),
                frame,
                file: file.clone(),
                mounts: container.mounts.iter().collect(),
                can_commit: can(&page, &container).enter,
                shut: page.engine.shut(&container),
                c: &container,
            })
        },
    )
}

/// `GET /containers/{id}/export.tar`
async fn tar(Id(id): Id<ContainerId>, page: Page) -> Result<Response, Error> {
    let container = find(&page, &id)?;
    let file = file(&container);
    let command = echo::export(&container.name, &file, false);
    let deed = Deed::new("container.export", "container", id.as_str(), container.name.clone(), &command);
    let asked = page.asks(deed).await?;
    let export = match page.engine.containers().export(&id, command).await {
        Ok(export) => export,
        Err(error) => {
            asked.ended(Came::to_nothing(&error)).await;
            return Err(Error::from(error).next(Step::link("Jobs", "/jobs")));
        }
    };
    asked.follow(export.job.clone());
    let lease = page.asker.lease();
    let body = stream::unfold((export, lease), |(mut export, mut lease)| async move {
        let piece = tokio::select! {
            piece = export.next() => piece?,
            // Whoever has lost the right to it gets no more of it (S010).
            () = lease.lost() => Err(std::io::Error::other("the right to it was lost")),
        };
        Some((piece, (export, lease)))
    });
    Ok(attachment("application/x-tar", &file, None, Body::from_stream(body)))
}

/// What would be exported.
#[derive(Serialize, ToSchema)]
#[schema(as = ExportPlan)]
struct Plan {
    /// What the file would be called.
    file: String,
    /// Where it is: a tar, which comes as the engine makes it.
    location: String,
    /// The docker command that does the same.
    command: String,
}

fn doc() -> Doc {
    Doc::new("Say where all files of a container are to be had")
        .about("The same as `docker export`: a tar of its whole file system, without what is mounted in it. `location` leads to it, and the audit notes who takes it.")
        .place(docs::id())
        .gives::<Plan>(200, "Where it is.")
}
