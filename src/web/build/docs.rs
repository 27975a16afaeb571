//! What scripts are told of building.

use super::Sketch;
use crate::web::{
    answer::Begun,
    doc::{Doc, Field},
};

fn fields() -> [Field; 9] {
    [
        Field::list("tag", "What the image will be called; any number of names.", "shop/web:1"),
        Field::text("text", "The Dockerfile, where it comes alone.", "FROM busybox"),
        Field::text(
            "address",
            "A git repository or a tar that the engine fetches, in place of a Dockerfile; podman fetches none.",
            "",
        ),
        Field::text("dockerfile", "Where the Dockerfile is; Dockerfile, if nothing is said.", "Dockerfile"),
        Field::text("target", "The stage at which to stop.", ""),
        Field::text("platform", "Which platform it is for.", ""),
        Field::list("arg", "A value for an ARG line, as NAME=value.", "VERSION=2"),
        Field::switch("nocache", "Whether everything is done anew."),
        Field::switch("pull", "Whether base images are looked for in their registry even if they are here."),
    ]
}

pub fn form() -> Doc {
    Doc::new("Say what building would do").query(fields()).gives::<Sketch>(200, "Its command, and what is wrong.")
}

pub fn build() -> Doc {
    Doc::new("Build an image")
        .about("Its steps are in the job. A folder or a tar goes to `/build/upload`, as multipart/form-data.")
        .body(fields())
        .gives::<Begun>(202, "A job builds it.")
        .fails(501)
}
