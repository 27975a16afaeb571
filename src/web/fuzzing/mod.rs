//! What has to hold for whatever browsers and scripts send, and for what is foreign on a page: see [`crate::fuzzing`].
#![expect(clippy::missing_panics_doc, reason = "what does not hold panics: that is what they are for")]

mod asked;
mod shown;

pub use self::{asked::*, shown::*};
pub use super::logs::fuzzing::line;
