//! What scripts are told of the routes of stats.

use super::{RANGES, json::Use};
use crate::web::{
    containers::docs::id,
    doc::{Doc, Field},
};

pub fn stats() -> Doc {
    Doc::new("Show what a container uses, now and over time")
        .about("The figures of `docker stats`. The first answer for a container that nobody has looked at for a while has no CPU.")
        .place(id())
        .query([Field::one_of("range", "How far back; 15m, if nothing is said.", RANGES.map(|(_, word, _)| word))])
        .gives::<Use>(200, "What it uses.")
}
