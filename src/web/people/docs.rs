//! What scripts are told of the routes of people.

use super::json::{Account, Person};
use crate::{
    team::Role,
    web::doc::{Doc, Field},
};

fn id() -> Field {
    Field::number("id", "The account's number.", 1, i64::MAX)
}

pub fn role(about: &'static str) -> Field {
    Field::one_of("role", about, Role::EACH.map(Role::word))
}

pub fn scope() -> Field {
    Field::list("scope", "What they are limited to; without, nothing limits them.", "label:team=red")
}

pub fn list() -> Doc {
    Doc::new("List accounts").lists::<Account>("Everybody.")
}

pub fn detail() -> Doc {
    Doc::new("Show an account").place(id()).gives::<Person>(200, "The account, its sessions and tokens.")
}

pub fn create() -> Doc {
    Doc::new("Make an account")
        .about("Without a password, the answer has a one-time link with which its owner chooses one.")
        .body([
            Field::like("name", "The name to sign in with.", "^[a-zA-Z0-9._@+-]{1,64}$").required(),
            role("How much they may do.").required(),
            scope(),
            Field::text("password", "Their password.", ""),
        ])
        .gives::<Person>(201, "It was made.")
}

pub fn update() -> Doc {
    Doc::new("Change an account")
        .about("What is not sent stays as it is.")
        .place(id())
        .body([
            role("How much they may do."),
            Field::list("scope", "What they are limited to; a blank one takes the limit away.", "label:team=red"),
            Field::switch("enabled", "Whether they may sign in."),
        ])
        .gives_nothing()
}

pub fn invite() -> Doc {
    Doc::new("Make a one-time link for an account")
        .about("Its owner chooses a new password with it.")
        .place(id())
        .gives::<Person>(200, "The account, with the link: it is shown this once.")
}

/// What takes nothing and answers nothing.
fn quiet(summary: &'static str) -> Doc {
    Doc::new(summary).place(id()).gives_nothing()
}

pub fn drop_second_factor() -> Doc {
    quiet("Remove an account's second factor")
}

pub fn end_sessions() -> Doc {
    quiet("End all sessions of an account")
}

pub fn remove() -> Doc {
    quiet("Remove an account, with its sessions and tokens")
}
