//! What scripts are told of the engine's routes.

use super::json::{Disk, Engine, Plan};
use crate::web::{
    answer::{Begun, Done},
    doc::{Doc, Field},
};

pub fn engine() -> Doc {
    Doc::new("Show what the engine is, what it warns of, and what is known against it")
        .gives::<Engine>(200, "The engine.")
        .fails(502)
        .fails(504)
}

pub fn disk() -> Doc {
    Doc::new("Show what the disk is used for")
        .about("As of the last measuring, which `POST /engine/disk/measure` begins.")
        .query(super::disk::fields())
        .gives::<Disk>(200, "The disk use.")
}

pub fn measure() -> Doc {
    Doc::new("Have the engine measure what the disk is used for")
        .about("`measured` of `GET /engine/disk` changes once it has ended.")
        .body([])
        .gives::<Done>(200, "It has begun.")
}

/// What is wished for.
fn wish() -> [Field; 4] {
    [
        Field::switch("all", "All unused images and all of the build cache, not only what is dangling."),
        Field::switch("volumes", "Anonymous volumes, too. Not together with `until`."),
        Field::text("until", "Only what was made before: an age, or a moment.", "24h"),
        Field::list("label", "Only what carries this label: NAME, NAME=value or NAME!=value.", "team=red"),
    ]
}

pub fn confirm_prune() -> Doc {
    Doc::new("Say what pruning everything would do")
        .query(wish())
        .gives::<Plan>(200, "What would go, in its order.")
        .fails(502)
        .fails(504)
}

pub fn prune() -> Doc {
    Doc::new("Remove what nothing uses: containers, networks, volumes, images and the build cache")
        .body(wish().into_iter().chain([
            Field::list("thing", "What goes, as `GET /engine/prune` names it. Nothing else does.", "container:…"),
            Field::listed(),
        ]))
        .about("`GET /engine/prune` lists what would go; send of that list what shall. The job says how each ended.")
        .gives::<Begun>(202, "A job does it.")
}
