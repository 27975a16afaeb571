//! The docker command line, both ways; pure, without input or output.
//!
//! [`RunLine`] stands between a line, a form and a request: [`RunLine::parse`] reads a line,
//! [`RunLine::to_spec`] makes the request, [`RunLine::to_command`] writes the line. [`FLAGS`] says what there
//! is. [`intent`] reads every other command, [`echo`] writes the docker command of every other thing that the console does.

mod check;
mod compose;
pub mod echo;
pub mod flags;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
pub mod image;
pub mod intent;
mod prompt;
mod read;
mod remarks;
pub mod run;
mod unknown;
pub mod words;
mod write;

pub use check::container_name;
pub use compose::ComposeFile;
pub use flags::{FLAGS, Flag, Group, Kind};
pub use remarks::Weight;
pub use run::{LineError, OptionError, Read, RunLine, Verb};
pub use unknown::{Unknown, complete, unknowns};
pub use write::{Written, processors, size};
