//! Who is asking.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::{AccountId, Right, Role, SessionId, Team, TokenId, secret, secret::Hash, sessions, tokens};

/// How often a session in use is written to the database.
const TOUCH: SignedDuration = SignedDuration::from_mins(1);

/// Who a request comes from, as of the moment it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The account's name; empty for nobody.
    pub name: String,
    /// The account.
    pub account: Option<AccountId>,
    /// How much they may do: the account's role, or what a token of theirs is limited to. None for nobody.
    pub role: Option<Role>,
    /// What they may do it to, in the words of the engine's `Scope`; everything where it is empty.
    pub scope: Vec<String>,
    /// How they showed who they are.
    pub via: Via,
    /// From where.
    pub address: IpAddr,
}

/// How somebody showed who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// Not at all.
    Nothing,
    /// There are no accounts: whoever reaches the loopback address is the one person.
    Alone,
    /// By a session's cookie.
    Session(SessionId, Hash),
    /// By a token.
    Token(TokenId, Hash, String),
}

impl Who {
    /// Nobody that we know.
    pub fn nobody(address: IpAddr) -> Self {
        let (name, scope) = (String::new(), Vec::new());
        Self { name, account: None, role: None, scope, via: Via::Nothing, address }
    }

    /// The one person of a console without accounts.
    pub fn alone(address: IpAddr) -> Self {
        Self { role: Some(Role::Admin), via: Via::Alone, ..Self::nobody(address) }
    }

    /// Whether we know them.
    pub fn is_known(&self) -> bool {
        self.role.is_some()
    }

    /// Whether their role has this right.
    pub fn may(&self, right: Right) -> bool {
        self.role.is_some_and(|role| role.may(right))
    }

    /// Whether they have an account here, and came by its session: what is one's own is managed so.
    pub fn session(&self) -> Option<SessionId> {
        match self.via {
            Via::Session(id, _) => Some(id),
            _ => None,
        }
    }
}

impl Team {
    /// Who comes with this cookie or token, if either is good now. A token wins: who sends one means it.
    pub fn identify(&self, cookie: Option<&str>, bearer: Option<&str>, address: IpAddr) -> Who {
        let via = match (bearer, cookie) {
            (Some(given), _) => {
                let hash = secret::hash(given);
                self.known().tokens.get(&hash).map(|token| Via::Token(token.id, hash, token.name.clone()))
            }
            (None, Some(given)) => {
                let hash = secret::hash(given);
                self.known().sessions.get(&hash).map(|session| Via::Session(session.id, hash))
            }
            (None, None) => None,
        };
        let who = via.and_then(|via| self.as_of_now(&via, address));
        if let Some(who) = &who {
            self.touch(who);
        }
        who.unwrap_or_else(|| Who::nobody(address))
    }

    /// Whether they still are who they were, and may what they might: what they opened goes on (S010).
    pub fn still(&self, who: &Who) -> bool {
        let still = who.via == Via::Alone || self.as_of_now(&who.via, who.address).as_ref() == Some(who);
        if still {
            // A live page is a use.
            self.touch(who);
        }
        still
    }

    fn as_of_now(&self, via: &Via, address: IpAddr) -> Option<Who> {
        let (known, now) = (self.known(), Timestamp::now());
        let (account, limit) = match via {
            Via::Session(_, hash) => {
                let session = known.sessions.get(hash)?;
                let fresh = now.duration_since(session.seen) < self.inner().limits.idle
                    && now.duration_since(session.began) < self.inner().limits.whole;
                (session.account, fresh.then_some(None)?)
            }
            Via::Token(_, hash, _) => {
                let token = known.tokens.get(hash)?;
                (token.account, (token.expires > now).then_some(Some(token))?)
            }
            Via::Nothing | Via::Alone => return None,
        };
        let account = known.accounts.get(&account).filter(|account| account.enabled)?;
        let role = limit.map_or(account.role, |token| token.role.min(account.role));
        let scope = match limit {
            // The owner's limits may have changed since the token was made: what is left of it counts.
            Some(token) if !token.scope.is_empty() => {
                let within = |part: &&String| account.scope.is_empty() || account.scope.contains(part);
                let scope: Vec<String> = token.scope.iter().filter(within).cloned().collect();
                (!scope.is_empty()).then_some(scope)?
            }
            _ => account.scope.clone(),
        };
        Some(Who {
            name: account.name.clone(),
            account: Some(account.id),
            role: Some(role),
            scope,
            via: via.clone(),
            address,
        })
    }

    /// Says that a session or a token was used: in memory, and once a minute in the database.
    fn touch(&self, who: &Who) {
        let now = Timestamp::now();
        let stale = |seen: Timestamp| now.duration_since(seen) > TOUCH;
        match &who.via {
            Via::Session(_, hash) => {
                if !self.known().sessions.get(hash).is_some_and(|session| stale(session.seen)) {
                    return;
                }
                let mut known = self.known_mut();
                if let Some(session) = known.sessions.get_mut(hash) {
                    session.seen = now;
                    session.address = who.address.to_string();
                    let (store, hash, session) = (self.store().clone(), *hash, session.clone());
                    tokio::spawn(async move { store.write(move |c| sessions::save(c, &hash, &session)).await });
                }
            }
            Via::Token(id, hash, _) => {
                if !self.known().tokens.get(hash).is_some_and(|token| token.used.is_none_or(stale)) {
                    return;
                }
                let mut known = self.known_mut();
                if let Some(token) = known.tokens.get_mut(hash) {
                    token.used = Some(now);
                    let (store, id) = (self.store().clone(), *id);
                    tokio::spawn(async move { store.write(move |c| tokens::touch(c, id, now)).await });
                }
            }
            Via::Nothing | Via::Alone => {}
        }
    }
}
