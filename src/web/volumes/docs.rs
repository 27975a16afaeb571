//! What scripts are told of the routes of volumes.

use serde_json::Value;

use super::{
    json::{Plan, Sketch, Volume, VolumeDetail},
    list::Show,
};
use crate::web::{
    answer::{Begun, Done, Made},
    doc::{Doc, Field},
};

/// The grammar of names: see `VolumeName`.
const NAME: &str = "^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$";

fn name() -> Field {
    Field::like("name", "The volume's name.", NAME)
}

fn reveal() -> Field {
    Field::switch("reveal", "Shows options that are hidden otherwise. For administrators; the audit notes it.")
}

fn new(name: Field) -> [Field; 8] {
    [
        name,
        Field::text("driver", "The driver that keeps it; local, if nothing is said.", "local"),
        Field::list("option", "What is said to the driver, NAME=value.", "type=tmpfs"),
        Field::list("label", "Its labels, NAME=value.", "team=red"),
        Field::list("option-name", "The form's rows of options: their names.", "type"),
        Field::list("option-value", "And their values.", "tmpfs"),
        Field::list("label-name", "The form's rows of labels: their names.", "team"),
        Field::list("label-value", "And their values.", "red"),
    ]
}

pub fn list() -> Doc {
    Doc::new("List volumes, 50 to a page")
        .query([
            Field::one_of("show", "Only those.", Show::EACH.into_iter().map(|(_, word, _)| word)),
            Field::text("q", "Only those whose name, driver or labels hold this.", "data"),
            Field::page(),
        ])
        .lists::<Volume>("A page of the list.")
}

pub fn detail() -> Doc {
    Doc::new("Show a volume").place(name()).query([reveal()]).gives::<VolumeDetail>(200, "The volume, and who has it.")
}

pub fn raw() -> Doc {
    Doc::new("Show everything that the engine tells of a volume")
        .place(name())
        .query([reveal()])
        .gives::<Value>(200, "The engine's own object.")
}

pub fn create() -> Doc {
    Doc::new("Create a volume")
        .body(new(Field::like("name", "Its name; the engine makes one up where there is none.", NAME)))
        .gives::<Made>(201, "It was made.")
        .fails(404)
}

pub fn form() -> Doc {
    Doc::new("Check a volume before it is made")
        .about("Answers with the docker command and with what is wrong. Nothing is made.")
        .query(new(Field::text("name", "Its name.", "data")))
        .gives::<Sketch>(200, "The line that it makes.")
}

pub fn measure() -> Doc {
    Doc::new("Have the engine measure how much the volumes hold")
        .about("Volumes have their `size` once it has ended.")
        .body([])
        .gives::<Done>(200, "It has begun.")
}

pub fn remove() -> Doc {
    Doc::new("Remove").place(name()).body([]).gives::<Done>(200, "It was removed.")
}

pub fn confirm_remove() -> Doc {
    Doc::new("Say what removing would do").place(name()).gives::<Plan>(200, "What would go, and who is in the way.")
}

fn all() -> Field {
    Field::switch("all", "Also those that somebody named.")
}

pub fn prune() -> Doc {
    Doc::new("Remove unused volumes")
        .about("Waits three seconds for the end. Where some stay, the error's `next` leads to the job that says why.")
        .body([
            all(),
            Field::list_like("name", "What goes, as `GET /volumes/prune` lists it. Nothing else does.", NAME),
            Field::listed(),
        ])
        .gives::<Begun>(202, "A job does it, or has done it by now.")
        .fails(404)
}

pub fn confirm_prune() -> Doc {
    Doc::new("Say what pruning would do").query([all()]).gives::<Plan>(200, "What would go, and what would stay.")
}
