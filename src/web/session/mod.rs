//! Signing in and out, the one-time links, and what is one's own: password, second factor, sessions, tokens.

pub mod agent;
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
        .post("/me/password", Right::Own, me::password)
        .get("/me/second-factor", Right::Own, me::enrolment)
        .post("/me/second-factor", Right::Own, me::enrol)
        .post("/me/second-factor/remove", Right::Own, me::unenrol)
        .post("/me/sessions/end-others", Right::Own, me::end_others)
        .post("/me/sessions/{id}/end", Right::Own, me::end)
        .post("/me/tokens", Right::Own, tokens::create)
        .post("/me/tokens/{id}/revoke", Right::Own, tokens::revoke)
}
