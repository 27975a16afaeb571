//! What scripts are told of the routes of registries.

use super::json::{Plan, Registry};
use crate::web::{
    answer::{Done, Made},
    doc::{Doc, Field},
};

const HOST: &str = r"^[a-z0-9][a-z0-9.-]{0,99}(:[0-9]{1,5})?$";

fn host() -> Field {
    Field::like("host", "The registry’s host, and port where it has one; docker.io is Docker Hub.", HOST)
}

pub fn list() -> Doc {
    Doc::new("List registries").lists::<Registry>("Those that are signed in to, and those that operators pull from.")
}

pub fn save() -> Doc {
    Doc::new("Sign in to a registry")
        .about("The engine signs in first: where that does not work, nothing is saved.")
        .body([
            Field::text("host", "The registry’s host, and port where it has one; without, Docker Hub.", "ghcr.io"),
            Field::text("user", "The name there.", "ada").required(),
            Field::text("secret", "Its password, or a token. It is never told again.", "").required(),
            Field::switch("shared", "Whether operators pull from it and push to it, too."),
            Field::switch("untried", "Save it without signing in."),
        ])
        .gives::<Made>(201, "It is saved.")
}

pub fn check() -> Doc {
    Doc::new("Try whether a registry still takes what is saved")
        .place(host())
        .body([])
        .gives::<Done>(200, "It does.")
        .fails(404)
        .fails(409)
}

pub fn confirm_remove() -> Doc {
    Doc::new("Say what signing out would do").place(host()).gives::<Plan>(200, "The docker command for it.").fails(404)
}

pub fn remove() -> Doc {
    Doc::new("Sign out of a registry").place(host()).body([]).gives::<Done>(200, "What was saved is gone.").fails(404)
}
