//! Images as scripts see them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::view::{Users, has_newer};
use crate::engine::{self, Container, Picture};

/// An image.
#[derive(Serialize, ToSchema)]
pub struct Image {
    /// Its id, 64 hex digits.
    id: String,
    /// Its names with a tag.
    tags: Vec<String>,
    /// Its names with a digest, as registries know it.
    digests: Vec<String>,
    /// When it was built, where that is told.
    #[schema(value_type = Option<String>, format = DateTime)]
    created: Option<Timestamp>,
    /// All its layers, in bytes.
    size: u64,
    /// How much of that others have too, where it was measured.
    shared: Option<u64>,
    /// Its labels.
    labels: BTreeMap<String, String>,
    /// Whether it has no tag.
    dangling: bool,
    /// Whether a registry has another under one of its tags, as far as somebody has asked.
    newer_in_registry: bool,
    /// Which containers were made of it, running or not.
    used_by: Vec<User>,
}

/// A container that was made of an image.
#[derive(Serialize, ToSchema)]
#[schema(as = ImageUser)]
pub struct User {
    id: String,
    name: String,
    state: String,
}

impl User {
    /// This container.
    pub fn new(container: &Container) -> Self {
        Self { id: container.id.to_string(), name: container.name.clone(), state: container.state.to_string() }
    }
}

impl Image {
    /// As of this picture.
    pub(super) fn new(i: &engine::Image, users: &Users<'_>, picture: &Picture) -> Self {
        Self {
            id: i.id.to_string(),
            tags: i.tags.clone(),
            digests: i.digests.clone(),
            created: i.created,
            size: i.size,
            shared: picture.shared.bytes.get(i.id.as_str()).copied(),
            labels: i.labels.clone(),
            dangling: i.is_dangling(),
            newer_in_registry: has_newer(i, picture),
            used_by: users.get(&i.id).into_iter().flatten().map(|user| User::new(user)).collect(),
        }
    }
}

/// An image, and everything about it.
#[derive(Serialize, ToSchema)]
pub struct ImageDetail {
    #[serde(flatten)]
    pub image: Image,
    /// For which kind of machine.
    pub platform: String,
    /// Its layers and the lines that made them, the newest first.
    pub layers: Vec<Layer>,
    /// Everything as the engine tells it: `docker image inspect`. Values that may be secrets are hidden; administrators
    /// see them with `?reveal=1`, which the audit notes.
    #[schema(value_type = Object)]
    pub inspect: Value,
}

/// A layer, or a line of the Dockerfile that made none.
#[derive(Serialize, ToSchema)]
#[schema(as = ImageLayer)]
pub struct Layer {
    /// The line of the Dockerfile.
    line: String,
    /// What it adds, in bytes.
    size: u64,
    /// When it was made.
    #[schema(value_type = Option<String>, format = DateTime)]
    created: Option<Timestamp>,
}

impl Layer {
    /// This one.
    pub fn new(layer: &engine::ImageLayer) -> Self {
        Self { line: layer.line.clone(), size: layer.size, created: layer.created }
    }
}

/// What would be removed, before it is.
#[derive(Serialize, ToSchema)]
#[schema(as = ImagePlan)]
pub struct Plan {
    /// The docker command that does the same.
    pub command: String,
    /// What would go.
    pub goes: Vec<Item>,
    /// What would stay all the same.
    pub stays: Vec<Item>,
    /// Who was made of it, and so is in the way.
    pub used_by: Vec<User>,
}

/// An image, its names and its size.
#[derive(Serialize, ToSchema)]
#[schema(as = SizedImage)]
pub struct Item {
    id: String,
    tags: Vec<String>,
    size: u64,
    shared: Option<u64>,
}

impl Item {
    /// As of this picture.
    pub fn new(image: &engine::Image, picture: &Picture) -> Self {
        Self {
            id: image.id.to_string(),
            tags: image.tags.clone(),
            size: image.size,
            shared: picture.shared.bytes.get(image.id.as_str()).copied(),
        }
    }

    /// Of it, these names only, and so many bytes.
    pub fn part(self, tags: Vec<String>, size: u64) -> Self {
        Self { tags, size, ..self }
    }
}

/// A form, read: nothing was done.
#[derive(Serialize, ToSchema)]
#[schema(as = ImageDraft)]
pub struct Sketch {
    /// The docker command that does the same.
    pub command: String,
    /// What is wrong with which field.
    pub fields: BTreeMap<&'static str, String>,
}

/// An image that a registry has.
#[derive(Serialize, ToSchema)]
#[schema(as = FoundImage)]
pub struct Found {
    /// What it is pulled as.
    name: String,
    /// What its owner says of it.
    description: String,
    /// How many people like it.
    stars: u64,
    /// Whether Docker looks after it.
    official: bool,
}

impl Found {
    /// This one.
    pub fn new(found: &engine::FoundImage) -> Self {
        Self {
            name: found.name.clone(),
            description: found.description.clone(),
            stars: found.stars,
            official: found.is_official,
        }
    }
}
