//! What can go wrong between us and the engine, in our words. Errors from outside are mapped here, once.

use std::{io, path::PathBuf, time::Duration};

use bollard::errors::Error as BollardError;
use serde::{Deserialize, Serialize};

/// Why a call to the engine did not do what was asked.
#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error)]
pub enum Error {
    /// There is no such container, volume or image (404). The engine's own words.
    #[error("{0}")]
    NotFound(String),
    /// Its state, or somebody who uses it, is in the way (409). The engine's own words.
    #[error("{0}")]
    Conflict(String),
    /// The engine does not take what was asked (400). The engine's own words.
    #[error("{0}")]
    Invalid(String),
    /// The engine forbids it (401, 403). The engine's own words.
    #[error("{0}")]
    Denied(String),
    /// The role of who asks does not allow it: see [`Reach`](super::Reach). Our words, of which the role is the "it".
    #[error("{0}")]
    Forbidden(String),
    /// The console itself refuses: it would end itself or what it needs (S043). Our words.
    #[error("{0}")]
    OwnContainer(String),
    /// There is no working engine at the other end.
    #[error("{0}")]
    Unreachable(Outage),
    /// The engine did not answer within the deadline of this call. It may still be doing it.
    #[error("no answer to {what} within {} s", deadline.as_secs())]
    TimedOut {
        /// The call, as method and path.
        what: String,
        /// How long was waited.
        deadline: Duration,
    },
    /// This engine or its version cannot do that (501).
    #[error("{0}")]
    Unsupported(String),
    /// A log whose driver lets nobody read it.
    #[error("the log driver {driver} cannot be read: {words}")]
    Unreadable {
        /// The driver's name.
        driver: String,
        /// The engine's own words.
        words: String,
    },
    /// Any other failure inside the engine (5xx). The engine's own words.
    #[error("{message}")]
    Engine {
        /// The HTTP status that came back; 500 where none did.
        status: u16,
        /// The engine's own words.
        message: String,
    },
}

/// Why there is no engine to talk to, precisely enough to say what to type (S067).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Outage {
    /// Nothing has been tried yet.
    #[error("still connecting")]
    Connecting,
    /// No file at the socket's path.
    #[error("there is no socket at {}", .0.display())]
    NoSocket(PathBuf),
    /// A directory where the socket should be: the engine makes one when it mounts a file that is not there.
    #[error("{} is a directory, not a socket", .0.display())]
    Directory(PathBuf),
    /// A file that is no socket.
    #[error("{} is a file, not a socket", .0.display())]
    NotASocket(PathBuf),
    /// The socket belongs to another group.
    #[error("no permission to open {} (it belongs to group {gid}; this process is user {uid})", path.display())]
    NoPermission {
        /// The socket.
        path: PathBuf,
        /// The socket's group.
        gid: u32,
        /// Who we are.
        uid: u32,
    },
    /// Nobody listens there.
    #[error("nothing listens at {0}")]
    Refused(String),
    /// It accepts connections and stays silent.
    #[error("the engine does not answer")]
    Silent,
    /// The connection broke in the middle of an answer.
    #[error("the connection to the engine broke")]
    Broken,
    /// The API versions do not overlap (S073).
    #[error("the engine speaks API {engine_min} to {engine_max}; this console speaks {ours_min} to {ours_max}")]
    Version {
        /// Oldest that the engine takes.
        engine_min: String,
        /// Newest that the engine takes.
        engine_max: String,
        /// Oldest that we take.
        ours_min: String,
        /// Newest that we take.
        ours_max: String,
    },
    /// Whatever answers there is not an engine, or something else is in the way.
    #[error("{0}")]
    Other(String),
}

impl Error {
    /// From the engine's HTTP status and its own words.
    pub(super) fn from_status(status: u16, message: String) -> Self {
        match status {
            400 => Self::Invalid(message),
            401 | 403 => Self::Denied(message),
            404 => Self::NotFound(message),
            409 => Self::Conflict(message),
            501 => Self::Unsupported(message),
            _ => Self::Engine { status, message },
        }
    }

    /// Whether it means that the engine cannot be reached or relied on now, whatever was asked.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::TimedOut { .. })
    }
}

impl From<BollardError> for Error {
    fn from(error: BollardError) -> Self {
        match error {
            BollardError::DockerResponseServerError { status_code, message } => Self::from_status(status_code, message),
            // Podman answers 200 and tells of a failed pull inside the stream; the engine does so for a broken layer.
            BollardError::DockerStreamError { error } => Self::Engine { status: 500, message: error },
            BollardError::RequestTimeoutError => Self::Unreachable(Outage::Silent),
            BollardError::IOError { err } => Self::from(err),
            BollardError::HyperResponseError { .. } => Self::Unreachable(Outage::Broken),
            other => Self::Engine { status: 502, message: other.to_string() },
        }
    }
}

/// Carries an [`Error`] of ours through bollard, whose transports can only fail with its own error type.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Carried(Error);

impl From<Error> for BollardError {
    fn from(error: Error) -> Self {
        Self::IOError { err: io::Error::other(Carried(error)) }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.downcast::<Carried>() {
            Ok(carried) => carried.0,
            // Ours are carried; what is left comes out of the middle of a body.
            Err(_) => Self::Unreachable(Outage::Broken),
        }
    }
}
