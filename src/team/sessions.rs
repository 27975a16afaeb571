//! Sessions: who has signed in, where, with what.

use std::{net::IpAddr, sync::Arc};

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{Account, AccountId, Error, Team, Via, accounts::seconds, people::Known, secret, secret::Hash};

/// Sessions that one account may have: the oldest end.
const SESSIONS: usize = 100;

/// A session's number.
pub type SessionId = i64;

/// Where somebody signs in from, and with what.
#[derive(Debug, Clone)]
pub struct Device {
    /// The client's address.
    pub address: IpAddr,
    /// What the browser says it is.
    pub agent: String,
}

/// Somebody who has signed in.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its number.
    pub id: SessionId,
    /// Whose it is.
    pub account: AccountId,
    /// When they signed in.
    pub began: Timestamp,
    /// When it was last used.
    pub seen: Timestamp,
    /// Where it was last used.
    pub address: String,
    /// What the browser said it is, shortened.
    pub agent: String,
}

impl Device {
    /// What is kept of the browser's word.
    pub(super) fn agent(&self) -> String {
        self.agent.chars().filter(|c| !c.is_control()).take(200).collect()
    }
}

pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<(Hash, Session)>> {
    let mut query = connection.prepare("SELECT * FROM session")?;
    let rows = query.query_map([], |row| {
        let session = Session {
            id: row.get("id")?,
            account: row.get("account")?,
            began: seconds(row.get("began")?),
            seen: seconds(row.get("seen")?),
            address: row.get("address")?,
            agent: row.get("agent")?,
        };
        Ok((row.get("hash")?, session))
    })?;
    rows.collect()
}

pub(super) fn save(connection: &Connection, hash: &Hash, session: &Session) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO session (id, hash, account, began, seen, address, agent) VALUES (?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (hash) DO UPDATE SET seen = excluded.seen, address = excluded.address",
        params![
            session.id,
            hash,
            session.account,
            session.began.as_second(),
            session.seen.as_second(),
            session.address,
            session.agent
        ],
    )?;
    Ok(())
}

pub(super) fn delete(connection: &Connection, hashes: &[Hash]) -> rusqlite::Result<()> {
    let mut delete = connection.prepare("DELETE FROM session WHERE hash = ?")?;
    hashes.iter().try_for_each(|hash| delete.execute([hash]).map(|_| ()))
}

impl Team {
    /// Begins a session; answers with the cookie's value. It is kept in memory first, so that a full disk keeps
    /// nobody out (S081).
    pub(super) async fn begin(&self, account: &Account, device: &Device) -> Result<String, Error> {
        let given = secret::fresh() + &secret::fresh();
        let (hash, now) = (secret::hash(&given), Timestamp::now());
        // No change of who may what: nobody who watches has to look again.
        let session = {
            let mut known = self.known_mut();
            known.last_session += 1;
            let session = Session {
                id: known.last_session,
                account: account.id,
                began: now,
                seen: now,
                address: device.address.to_string(),
                agent: device.agent(),
            };
            known.sessions.insert(hash, session.clone());
            session
        };
        let id = account.id;
        let saved = self.store().write(move |c| {
            save(c, &hash, &session)?;
            c.execute("UPDATE account SET signed_in = ? WHERE id = ?", params![now.as_second(), id]).map(|_| ())
        });
        if let Err(error) = saved.await {
            tracing::error!(error = error.to_string(), "a session could not be written: it ends with this console");
        }
        if let Some(account) = self.known_mut().accounts.get_mut(&id) {
            Arc::make_mut(account).signed_in = Some(now);
        }
        let mut old: Vec<_> =
            self.known().sessions.iter().filter(|(_, s)| s.account == id).map(|(h, s)| (s.seen, *h)).collect();
        old.sort();
        let surplus = old.len().saturating_sub(SESSIONS);
        let surplus: Vec<Hash> = old.into_iter().take(surplus).map(|(_, hash)| hash).collect();
        self.forget(surplus).await;
        Ok(given)
    }

    /// The sessions of an account, newest first.
    pub fn sessions(&self, id: AccountId) -> Vec<Session> {
        let mut all: Vec<_> = self.known().sessions.values().filter(|session| session.account == id).cloned().collect();
        all.sort_by_key(|session| std::cmp::Reverse(session.seen));
        all
    }

    /// Ends one session of an account.
    pub async fn end_session(&self, account: AccountId, id: SessionId) -> Result<(), Error> {
        let is = |session: &Session| session.account == account && session.id == id;
        let hash = self.known().sessions.iter().find(|(_, session)| is(session)).map(|(hash, _)| *hash);
        self.forget(vec![hash.ok_or(Error::Missing("session"))?]).await;
        Ok(())
    }

    /// Ends all sessions of an account, but the one that is given.
    pub async fn end_sessions(&self, account: AccountId, but: Option<&Via>) {
        let stays = |hash: &Hash| matches!(but, Some(Via::Session(_, mine)) if mine == hash);
        let gone = |known: &Known| {
            let mine = known.sessions.iter().filter(|(hash, session)| session.account == account && !stays(hash));
            mine.map(|(hash, _)| *hash).collect()
        };
        let gone = gone(&self.known());
        self.forget(gone).await;
    }

    async fn forget(&self, hashes: Vec<Hash>) {
        if hashes.is_empty() {
            return;
        }
        self.change(|known| known.sessions.retain(|hash, _| !hashes.contains(hash)));
        if let Err(error) = self.store().write(move |c| delete(c, &hashes)).await {
            tracing::error!(error = error.to_string(), "a session that was ended could not be written");
        }
    }
}
