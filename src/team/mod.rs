//! People: accounts, roles, sessions, tokens, and the audit of what they did. The only place that names the database.
//!
//! Who is asking is answered from memory, so that each request costs a look into a map and a sign-out is felt at once;
//! what has to last is written to the database first. Sessions of our own where `tower-sessions` has a store: its
//! records are opaque to their owner, so that they could neither be listed with device and address nor ended one by
//! one, and its layer reads the store for each request.

mod accounts;
mod audit;
mod error;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod invites;
mod login;
pub mod oidc;
mod passwords;
mod people;
mod registries;
mod role;
mod secret;
mod sessions;
mod store;
mod throttle;
mod tokens;
mod totp;
mod vault;
mod who;

pub use self::{
    accounts::{Account, AccountId, NewAccount},
    audit::{Entry, Filter, Found, Outcome, Recorded, Seal, Subject, Verdict},
    error::Error,
    invites::Invite,
    login::{Signed, Step},
    people::{Limits, Team},
    registries::{Login, NewLogin},
    role::{Right, Role},
    sessions::{Device, Session, SessionId},
    tokens::{NewToken, Token, TokenId},
    totp::Enrolment,
    who::{Via, Who},
};
