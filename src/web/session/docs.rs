//! What scripts are told of what is one's own. All but looking needs a session: a token does not manage tokens.

use crate::web::{
    doc::{Doc, Field},
    people::{
        docs::{role, scope},
        json::{NewToken, Person},
    },
};

pub fn me() -> Doc {
    Doc::new("Show one's own account").gives::<Person>(200, "Who asks, with their sessions and tokens.").fails(404)
}

/// What people do themselves.
const SIGNED_IN: &str = "Needs a session, not a token: a token that leaked must not make itself a longer life.";

fn id(about: &'static str) -> Field {
    Field::number("id", about, 1, i64::MAX)
}

pub fn password() -> Doc {
    Doc::new("Change one's own password")
        .about(SIGNED_IN)
        .body([
            Field::text("old", "The password until now.", "").required(),
            Field::text("password", "The new one.", "").required(),
            Field::text("again", "The new one, again.", ""),
        ])
        .gives_nothing()
        .fails(404)
        .fails(429)
}

pub fn create_token() -> Doc {
    Doc::new("Make a token")
        .about(SIGNED_IN)
        .body([
            Field::text("name", "What to call it.", "deploy").required(),
            role("How much it may do, at most as much as its owner."),
            scope(),
            Field::number("days", "How long it is good; 30, if nothing is said.", 1, 730),
        ])
        .gives::<NewToken>(201, "It was made: the token is shown this once.")
        .fails(404)
}

pub fn revoke_token() -> Doc {
    Doc::new("Revoke a token").about(SIGNED_IN).place(id("The token's number.")).gives_nothing()
}

pub fn end() -> Doc {
    Doc::new("End a session").about(SIGNED_IN).place(id("The session's number.")).gives_nothing()
}

pub fn end_others() -> Doc {
    Doc::new("End all other sessions").about(SIGNED_IN).gives_nothing().fails(404)
}
