//! Files of containers and of volumes: one browser for both.

mod browse;
mod change;
mod docs;
mod download;
mod head;
pub mod json;
mod restore;
pub mod upload;

pub use self::upload::{parts, patient};

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};

use super::{Error, Routes, extract::Page};
use crate::{
    engine::{ContainerId, FilePath, FilePlace, encoded},
    team::{Right, Subject},
};

/// The largest form with a text in it: each byte may be three.
const TEXT: usize = 4 << 20;

macro_rules! routes_of {
    ($base:literal, $place:expr) => {
        Routes::new()
            .get(concat!($base, "/files"), Right::Read, browse::page)
            .doc(docs::browse($place))
            .get(concat!($base, "/files/download"), Right::Read, download::send)
            .get(concat!($base, "/files/edit"), Right::Enter, change::edit)
            .post(concat!($base, "/files/edit"), Right::Enter, change::save)
            .takes(TEXT)
            .doc(docs::save($place))
            .post(concat!($base, "/files/upload"), Right::Enter, upload::take)
            .takes(usize::MAX)
            .post(concat!($base, "/files/folder"), Right::Enter, change::make_folder)
            .doc(docs::make_folder($place))
            .get(concat!($base, "/files/rename"), Right::Enter, change::ask_rename)
            .post(concat!($base, "/files/rename"), Right::Enter, change::rename)
            .doc(docs::rename($place))
            .get(concat!($base, "/files/remove"), Right::Enter, change::ask_remove)
            .doc(docs::ask_remove($place))
            .post(concat!($base, "/files/remove"), Right::Enter, change::remove)
            .doc(docs::remove($place))
    };
}

/// What the pages of a container have of files.
pub(super) fn of_containers() -> Routes {
    routes_of!("/containers/{id}", docs::container())
}

/// What the pages of a volume have of files.
pub(super) fn of_volumes() -> Routes {
    routes_of!("/volumes/{name}", docs::volume())
        .get("/volumes/{name}/backup", Right::Read, download::backup)
        .get("/volumes/{name}/restore", Right::Enter, restore::form)
        .post("/volumes/{name}/restore", Right::Enter, restore::take)
        .takes(usize::MAX)
}

/// Whose files, out of the path.
pub struct Target(pub FilePlace);

impl<S: Send + Sync> FromRequestParts<S> for Target {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| Error::bad_id())?;
        let is_volume = parts.uri.path().starts_with("/volumes/");
        let place =
            if is_volume { text.parse().map(FilePlace::Volume) } else { text.parse().map(FilePlace::Container) };
        place.map(Self).map_err(|_| Error::bad_id())
    }
}

/// The address of a path below that of its place's files.
fn href(base: &str, what: &str, path: &str) -> String {
    let slash = if what.is_empty() { "" } else { "/" };
    // A slash may stand in a query as it is, and reads better.
    format!("{base}{slash}{what}?path={}", encoded(path).replace("%2F", "/"))
}

/// Where a container's file or folder is looked at.
pub fn in_container(id: &ContainerId, path: &str) -> String {
    href(&format!("/containers/{id}/files"), "", path)
}

/// A place as pages speak of it.
pub struct Spot {
    pub place: FilePlace,
    /// Its name.
    pub name: String,
    /// Where its files are on this console.
    pub base: String,
}

impl Spot {
    fn new(page: &Page, place: FilePlace) -> Result<Self, Error> {
        let (name, of) = match &place {
            FilePlace::Container(id) => (super::containers::find(page, id)?.name.clone(), format!("/containers/{id}")),
            FilePlace::Volume(name) => {
                super::volumes::find(page, name)?;
                (name.to_string(), format!("/volumes/{name}"))
            }
        };
        Ok(Self { place, name, base: format!("{of}/files") })
    }

    /// The address of a path, `what` being nothing for looking at it.
    pub fn href(&self, what: &str, path: &FilePath) -> String {
        href(&self.base, what, path.as_str())
    }

    fn subject(&self) -> Subject {
        match &self.place {
            FilePlace::Container(id) => Subject { kind: "container", id: id.to_string(), name: self.name.clone() },
            FilePlace::Volume(name) => Subject { kind: "volume", id: name.to_string(), name: name.to_string() },
        }
    }

    /// A deed on these files.
    fn deed(&self, action: &str, command: &str, what: &str) -> super::deed::Deed {
        super::deed::Deed {
            action: action.to_owned(),
            subject: self.subject(),
            command: command.to_owned(),
            public: None,
            why: what.to_owned(),
        }
    }
}

/// The path that is asked for; the root where none is.
fn path_of(text: Option<&str>) -> Result<FilePath, Error> {
    text.filter(|text| !text.is_empty()).unwrap_or("/").parse().map_err(|why: crate::engine::InvalidPath| {
        Error::of_fields(
            axum::http::StatusCode::UNPROCESSABLE_ENTITY,
            "That is not a path.",
            [("path", format!("{why}."))],
        )
    })
}
