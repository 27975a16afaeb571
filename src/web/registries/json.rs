//! Registries as scripts see them.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::Row;

/// A registry. What was saved as its password is never told.
#[derive(Serialize, ToSchema)]
pub struct Registry {
    /// Its host, and port where there is one; docker.io is Docker Hub.
    host: String,
    /// Whether the engine may speak to it without encryption, or without knowing who answers.
    plain: bool,
    /// Who is signed in there; none where nobody is.
    user: Option<String>,
    /// Whether operators pull from it.
    shared: bool,
    /// When it was saved.
    #[schema(value_type = Option<String>, format = DateTime)]
    saved: Option<Timestamp>,
    /// By whom.
    saved_by: Option<String>,
    /// Whether what was saved cannot be read any more.
    lost: bool,
}

impl From<Row> for Registry {
    fn from(row: Row) -> Self {
        let Row { host, is_plain, login, is_lost, shared, .. } = row;
        Self {
            host,
            plain: is_plain,
            shared,
            lost: is_lost,
            user: login.as_ref().map(|login| login.user.clone()),
            saved: login.as_ref().map(|login| login.saved),
            saved_by: login.map(|login| login.saved_by),
        }
    }
}

/// What signing out would do.
#[derive(Serialize, ToSchema)]
#[schema(as = SignOut)]
pub struct Plan {
    /// The docker command that does the same.
    pub command: String,
}
