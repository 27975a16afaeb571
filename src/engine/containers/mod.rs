//! Containers: what they are, listing them, making them, and what can be done to them.

mod act;
mod create;
mod detail;
mod recipe;
mod state;
mod summary;
mod update;

pub(super) use self::detail::Details;
pub(super) use self::summary::{Listed, SERVICE, STACK, or_default};
pub use self::{
    act::{Action, Done},
    create::Created,
    detail::{Check, Detail, Endpoint, EnvVar, Healthcheck, Limits},
    recipe::Recipe,
    state::{SIGNALS, Signal, State, Verb},
    summary::{Asked, Attention, Container, Ending, Health, Mount, Pending, Port},
    update::Update,
};
use super::Engine;

/// The containers of one engine.
pub struct Containers<'a>(pub(super) &'a Engine);
