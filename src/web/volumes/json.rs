//! Volumes as scripts see them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::engine::{self, Container, Picture};

/// A volume.
#[derive(Serialize, ToSchema)]
pub struct Volume {
    /// Its name.
    name: String,
    /// The driver that keeps it.
    driver: String,
    /// Where it is on the host.
    mountpoint: String,
    /// When it was created, where the driver tells.
    #[schema(value_type = Option<String>, format = DateTime)]
    created: Option<Timestamp>,
    /// Its labels.
    labels: BTreeMap<String, String>,
    /// Whether the engine named it itself.
    anonymous: bool,
    /// Bytes, where they were measured.
    size: Option<u64>,
    /// Who has it, running or not.
    used_by: Vec<User>,
    /// Whether this console stands on it.
    own: bool,
}

/// A container that has a volume.
#[derive(Serialize, ToSchema)]
#[schema(as = VolumeUser)]
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

impl Volume {
    /// As of this picture, with who has it.
    pub fn new<C: AsRef<Container>>(v: &engine::Volume, users: &[C], picture: &Picture) -> Self {
        Self {
            name: v.name.to_string(),
            driver: v.driver.clone(),
            mountpoint: v.mountpoint.clone(),
            created: v.created_at,
            labels: v.labels.clone(),
            anonymous: v.is_anonymous(),
            size: picture.sizes.bytes.get(v.name.as_str()).copied(),
            used_by: users.iter().map(|user| User::new(user.as_ref())).collect(),
            own: picture.own.volumes.contains(&v.name),
        }
    }
}

/// A volume, and everything about it.
#[derive(Serialize, ToSchema)]
pub struct VolumeDetail {
    #[serde(flatten)]
    pub volume: Volume,
    /// Everything as the engine tells it: `docker volume inspect`. Options that may hold a secret are hidden;
    /// administrators see them with `?reveal=1`, which the audit notes.
    #[schema(value_type = Object)]
    pub inspect: Value,
}

/// What would be removed, before it is.
#[derive(Serialize, ToSchema)]
#[schema(as = VolumePlan)]
pub struct Plan {
    /// The docker command that does the same.
    pub command: String,
    /// What would go.
    pub goes: Vec<Item>,
    /// What nobody uses, and would stay all the same.
    pub stays: Vec<Item>,
    /// Who has it, and so is in the way.
    pub used_by: Vec<User>,
}

/// A volume and how much it holds.
#[derive(Serialize, ToSchema)]
#[schema(as = SizedVolume)]
pub struct Item {
    name: String,
    /// Bytes, where they were measured.
    size: Option<u64>,
}

impl Item {
    /// As of this picture.
    pub fn new(volume: &engine::Volume, picture: &Picture) -> Self {
        Self { name: volume.name.to_string(), size: picture.sizes.bytes.get(volume.name.as_str()).copied() }
    }
}

/// A form that makes a volume, read: nothing was made.
#[derive(Serialize, ToSchema)]
#[schema(as = VolumeDraft)]
pub struct Sketch {
    /// The docker command that does the same.
    pub command: String,
    /// What is wrong with which field.
    pub fields: BTreeMap<&'static str, String>,
}
