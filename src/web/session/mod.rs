//! Signing in and out, the one-time links, and what is one's own: password, second factor, sessions, tokens.

pub mod agent;
mod docs;
mod door;
mod login;
mod me;
mod provider;
mod setup;
mod tokens;

use super::Routes;
use crate::team::Right;

pub(super) fn routes() -> Routes {
    Routes::new()
        .open_get("/login", login::page)
        .open_post("/login", login::submit)
        .open_post("/login/code", login::code)
        .open_get("/login/oidc", provider::begin)
        .open_get("/login/oidc/callback", provider::finish)
        .open_post("/logout", login::out)
        .open_get("/setup", setup::page)
        .open_post("/setup", setup::submit)
        .get("/me", Right::Own, me::page)
        .doc(docs::me())
        .post("/me/password", Right::Own, me::password)
        .doc(docs::password())
        .get("/me/second-factor", Right::Own, me::enrolment)
        .post("/me/second-factor", Right::Own, me::enrol)
        .post("/me/second-factor/remove", Right::Own, me::unenrol)
        .post("/me/sessions/end-others", Right::Own, me::end_others)
        .doc(docs::end_others())
        .post("/me/sessions/{id}/end", Right::Own, me::end)
        .doc(docs::end())
        .post("/me/tokens", Right::Own, tokens::create)
        .doc(docs::create_token())
        .post("/me/tokens/{id}/revoke", Right::Own, tokens::revoke)
        .doc(docs::revoke_token())
}
