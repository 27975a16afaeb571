//! The docker command line, both ways; pure, without input or output.
//!
//! [`RunLine`] stands between a line, a form and a request: [`RunLine::parse`] reads a line,
//! [`RunLine::to_spec`] makes the request, [`RunLine::to_command`] writes the line. [`FLAGS`] says what there
//! is. [`intent`] reads every other command, [`echo`] writes the docker command of every other thing that the console does.

mod check;
pub mod echo;
pub mod flags;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
pub mod image;
pub mod intent;
mod read;
pub mod run;
mod unknown;
pub mod words;

pub use check::container_name;
pub use flags::{FLAGS, Flag, Group, Kind};
pub use run::{LineError, OptionError, RunLine, Verb};
pub use unknown::{Unknown, complete, unknowns};
