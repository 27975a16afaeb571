//! People as scripts see them. Secrets are not among it, but for those that are shown once.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::team;

/// Somebody who may sign in.
#[derive(Serialize, ToSchema)]
pub struct Account {
    /// Their number.
    id: i64,
    /// The name to sign in with.
    name: String,
    /// viewer, operator or admin.
    role: &'static str,
    /// What they are limited to; everything where it is empty.
    scope: Vec<String>,
    /// Whether they may sign in.
    enabled: bool,
    /// Whether they have chosen a password.
    has_password: bool,
    /// Whether they need a code to sign in.
    has_second_factor: bool,
    /// The provider that they sign in through.
    provider: Option<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When they last signed in.
    #[schema(value_type = Option<String>, format = DateTime)]
    signed_in: Option<Timestamp>,
}

/// Somebody, and what they have open.
#[derive(Serialize, ToSchema)]
pub struct Person {
    #[serde(flatten)]
    pub account: Account,
    /// Where they have signed in.
    pub sessions: Vec<Session>,
    /// Their tokens.
    pub tokens: Vec<Token>,
    /// A link by which they choose a password, where one was just made: it is shown this once.
    pub link: Option<Link>,
}

/// A one-time link.
#[derive(Serialize, ToSchema)]
pub struct Link {
    /// Its address.
    pub url: String,
    /// From when on it is not taken.
    #[schema(value_type = String, format = DateTime)]
    pub expires: Timestamp,
}

/// Somebody who has signed in.
#[derive(Serialize, ToSchema)]
pub struct Session {
    /// Its number.
    id: i64,
    /// When they signed in.
    #[schema(value_type = String, format = DateTime)]
    began: Timestamp,
    /// When it was last used.
    #[schema(value_type = String, format = DateTime)]
    seen: Timestamp,
    /// Where it was last used.
    address: String,
    /// What the browser said it is.
    agent: String,
}

/// A token; its secret is not kept.
#[derive(Serialize, ToSchema)]
pub struct Token {
    /// Its number.
    id: i64,
    /// What its owner calls it.
    name: String,
    /// How much it may do, at most.
    role: &'static str,
    /// What it is limited to.
    scope: Vec<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// From when on it is not taken.
    #[schema(value_type = String, format = DateTime)]
    expires: Timestamp,
    /// When it was last used.
    #[schema(value_type = Option<String>, format = DateTime)]
    used: Option<Timestamp>,
}

impl Account {
    /// This account.
    pub fn new(account: &team::Account) -> Self {
        Self {
            id: account.id,
            name: account.name.clone(),
            role: account.role.word(),
            scope: account.scope.clone(),
            enabled: account.enabled,
            has_password: account.has_password(),
            has_second_factor: account.has_second_factor(),
            provider: account.identity.as_ref().map(|(issuer, _)| issuer.clone()),
            created: account.created,
            signed_in: account.signed_in,
        }
    }
}

impl Person {
    /// This account, with what it has.
    pub fn new(team: &team::Team, account: &team::Account, link: Option<Link>) -> Self {
        Self {
            sessions: team.sessions(account.id).iter().map(Session::new).collect(),
            tokens: team.tokens(account.id).iter().map(Token::new).collect(),
            account: Account::new(account),
            link,
        }
    }
}

impl Session {
    fn new(session: &team::Session) -> Self {
        Self {
            id: session.id,
            began: session.began,
            seen: session.seen,
            address: session.address.clone(),
            agent: session.agent.clone(),
        }
    }
}

impl Token {
    fn new(token: &team::Token) -> Self {
        Self {
            id: token.id,
            name: token.name.clone(),
            role: token.role.word(),
            scope: token.scope.clone(),
            created: token.created,
            expires: token.expires,
            used: token.used,
        }
    }
}

/// A token that was just made.
#[derive(Serialize, ToSchema)]
pub struct NewToken {
    /// Its number.
    pub id: i64,
    /// The token itself: it is shown this once.
    pub token: String,
    /// From when on it is not taken.
    #[schema(value_type = String, format = DateTime)]
    pub expires: Timestamp,
}
