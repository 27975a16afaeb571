//! What scripts are told of the routes of images.

use serde_json::Value;

use super::{
    json::{Found, Image, ImageDetail, Plan, Sketch},
    prune::AGES,
    view::{SORTS, Show},
};
use crate::web::{
    answer::{Begun, Done},
    doc::{Doc, Field},
};

/// 64 hex digits.
const ID: &str = "^(sha256:)?[0-9a-f]{64}$";

fn id() -> Field {
    Field::like("id", "The image's id.", ID)
}

fn reveal() -> Field {
    Field::switch("reveal", "Shows values that are hidden otherwise. For administrators; the audit notes it.")
}

pub fn list() -> Doc {
    Doc::new("List images, 50 to a page")
        .query([
            Field::one_of("show", "Only those.", Show::EACH.into_iter().map(|(_, word, _)| word)),
            Field::text("q", "Only those whose names, digests, id or labels hold this.", "nginx"),
            Field::sort(&SORTS),
            Field::page(),
        ])
        .lists::<Image>("A page of the list.")
}

pub fn detail() -> Doc {
    Doc::new("Show an image").place(id()).query([reveal()]).gives::<ImageDetail>(200, "The image, and who uses it.")
}

pub fn raw() -> Doc {
    Doc::new("Show everything that the engine tells of an image")
        .place(id())
        .query([reveal()])
        .gives::<Value>(200, "The engine's own object.")
}

pub fn measure() -> Doc {
    Doc::new("Have the engine measure how much images share")
        .about("Images have their `shared` once it has ended.")
        .body([])
        .gives::<Done>(200, "It has begun.")
}

fn reference() -> Field {
    Field::text("reference", "The image, NAME:TAG; latest, if it says no tag.", "nginx:1.29")
}

fn pulled() -> [Field; 3] {
    [
        reference(),
        Field::switch("all", "Every tag of that repository. Not on podman."),
        Field::text("platform", "For which kind of machine; the engine's own, if nothing is said.", "linux/arm64"),
    ]
}

pub fn form() -> Doc {
    Doc::new("Check a pull before it begins")
        .about("Answers with the docker command and with what is wrong. Nothing is pulled.")
        .query(pulled())
        .gives::<Sketch>(200, "The line that it makes.")
}

pub fn pull() -> Doc {
    Doc::new("Pull an image")
        .about("Who asks for what is being pulled already gets that job.")
        .body(pulled())
        .gives::<Begun>(202, "A job does it.")
        .fails(501)
}

pub fn search() -> Doc {
    Doc::new("Search Docker Hub, or another registry")
        .query([Field::text("term", "What to look for; a registry may stand before it.", "nginx")])
        .lists::<Found>("What was found.")
        .fails(502)
}

pub fn check() -> Doc {
    Doc::new("Ask registries whether they have newer images")
        .about(
            "Images have their `newer_in_registry` once it has ended. A registry is not asked again for ten minutes.",
        )
        .body([Field::list("tag", "Just these; without, all that came from a registry.", "nginx:1.29")])
        .gives::<Begun>(202, "A job does it.")
        .fails(409)
        .fails(501)
}

fn prunes() -> [Field; 2] {
    [
        Field::switch("all", "Also those that have a tag."),
        Field::one_of("older", "Only those built longer ago.", AGES.into_iter().map(|(word, ..)| word)),
    ]
}

pub fn confirm_prune() -> Doc {
    Doc::new("Say what pruning would do").query(prunes()).gives::<Plan>(200, "What would go, and what would stay.")
}

pub fn prune() -> Doc {
    let [all, older] = prunes();
    Doc::new("Remove unused images")
        .about("Waits three seconds for the end. What somebody has come to use stays, and the job says so.")
        .body([
            all,
            older,
            Field::list(
                "image",
                "What goes, as `GET /images/prune` lists it: an id, and after blanks its tags. Nothing else does.",
                "",
            ),
            Field::listed(),
        ])
        .gives::<Begun>(202, "A job does it, or has done it by now.")
}

pub fn new_tag() -> Doc {
    Doc::new("Check a tag before it is given")
        .place(id())
        .query([reference(), replace()])
        .gives::<Sketch>(200, "The line that it makes.")
}

fn replace() -> Field {
    Field::switch("replace", "It may be another image's by now. For administrators.")
}

pub fn tag() -> Doc {
    Doc::new("Give an image another name")
        .place(id())
        .body([reference(), replace()])
        .gives::<Done>(200, "It was tagged.")
}

pub fn new_push() -> Doc {
    Doc::new("Say what pushing would do")
        .place(id())
        .query([Field::text("tag", "One of its tags; the first, if nothing is said.", "localhost:5000/web:1")])
        .gives::<Sketch>(200, "The line that it makes.")
}

pub fn push() -> Doc {
    Doc::new("Send one tag of an image to the registry that it names")
        .place(id())
        .body([Field::text("tag", "One of its tags.", "localhost:5000/web:1").required()])
        .gives::<Begun>(202, "A job does it.")
}

fn removes() -> [Field; 3] {
    [
        Field::list("tag", "Just these tags; without, all of them.", "nginx:1.29"),
        Field::switch(
            "force",
            "Also where stopped containers were made of it. Not on podman, which would remove them.",
        ),
        Field::switch("listed", "Nothing but what `tag` lists, even if that is nothing."),
    ]
}

pub fn confirm_remove() -> Doc {
    let [tag, force, _] = removes();
    Doc::new("Say what removing would do")
        .place(id())
        .query([tag, force])
        .gives::<Plan>(200, "What would go, and who is in the way.")
}

pub fn remove() -> Doc {
    Doc::new("Take names away from an image, or remove it")
        .about("With its last tag the image goes, and the layers that no other has.")
        .place(id())
        .body(removes())
        .gives::<Done>(200, "They are gone.")
}
