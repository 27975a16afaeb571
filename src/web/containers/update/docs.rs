//! What scripts are told of the routes of limits.

use super::{Updated, flags};
use crate::web::{
    containers::{docs::id, json::Sketch},
    doc::{Doc, Field},
};

fn fields() -> impl Iterator<Item = Field> {
    flags().map(|flag| Field::text(flag.long, flag.help, flag.placeholder))
}

pub fn form() -> Doc {
    Doc::new("Say what changing limits would do")
        .about("The docker command, and what is wrong with which field. Nothing is done.")
        .place(id())
        .query(fields())
        .gives::<Sketch>(200, "What would be done.")
}

pub fn update() -> Doc {
    Doc::new("Change limits in place")
        .about("As `docker update`: what is not sent stays as it is. podman changes only what runs now.")
        .place(id())
        .body(fields())
        .gives::<Updated>(200, "They were changed.")
}
