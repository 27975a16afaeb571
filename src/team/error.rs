//! What can go wrong with people.

use std::{path::PathBuf, time::Duration};

/// Why it did not work.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The database has no room to write.
    #[error("the disk of {0} is full")]
    Full(PathBuf),
    /// The database cannot be used.
    #[error("the database in {folder} cannot be used: {why}")]
    Storage {
        /// Where it is.
        folder: PathBuf,
        /// What it says.
        why: String,
    },
    /// The database is not one that can be trusted; the console does not start with it.
    #[error("{0}")]
    Damaged(String),
    /// Name, password, code or link are not right. Which of them is not said.
    #[error("that is not right")]
    Wrong,
    /// Too many tries.
    #[error("too many tries")]
    Throttled(Duration),
    /// It is not there.
    #[error("there is no such {0}")]
    Missing(&'static str),
    /// A field that cannot be taken as it is.
    #[error("{field}: {why}")]
    Invalid {
        /// Its name in the form.
        field: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// It would leave nobody to administer.
    #[error("this is the last administrator who can sign in")]
    LastAdmin,
}

impl Error {
    /// A field that cannot be taken.
    pub(super) fn invalid(field: &'static str, why: impl Into<String>) -> Self {
        Self::Invalid { field, why: why.into() }
    }
}
