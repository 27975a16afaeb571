//! One-time links: who has one chooses the password of an account. Set-up, invitations and the way back in are this.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    Account, AccountId, Entry, Error, NewAccount, Outcome, Role, Subject, Team, Who, accounts, audit, passwords,
    people::lock, secret,
};

/// How long an invitation is good.
pub(super) const GOOD: SignedDuration = SignedDuration::from_hours(24 * 7);
/// How long the way back in is.
const RESET: SignedDuration = SignedDuration::from_hours(1);

/// A link's secret, shown once.
#[derive(Debug, Clone)]
pub struct Invite {
    /// The secret.
    pub secret: String,
    /// From when on it is not taken.
    pub expires: Timestamp,
}

pub(super) fn insert(connection: &Connection, account: AccountId, good: SignedDuration) -> rusqlite::Result<Invite> {
    // The newest link of an account is the only one.
    connection.execute("DELETE FROM invite WHERE account = ?", [account])?;
    let invite = Invite { secret: secret::fresh(), expires: Timestamp::now() + good };
    connection.execute(
        "INSERT INTO invite (hash, account, expires) VALUES (?, ?, ?)",
        params![secret::hash(&invite.secret), account, invite.expires.as_second()],
    )?;
    Ok(invite)
}

fn take(connection: &Connection, given: &str) -> rusqlite::Result<Option<Account>> {
    let id: Option<AccountId> = connection
        .query_row(
            "DELETE FROM invite WHERE hash = ? AND expires > ? RETURNING account",
            params![secret::hash(given), Timestamp::now().as_second()],
            |row| row.get(0),
        )
        .optional()?;
    id.map_or(Ok(None), |id| accounts::one(connection, id))
}

/// Says for ever that somebody was set up here; whether this was the first to say so.
pub(super) fn initialise(connection: &Connection) -> rusqlite::Result<bool> {
    let said = connection.execute("INSERT OR IGNORE INTO fact (name, value) VALUES ('initialised', '1')", [])?;
    Ok(said == 1)
}

/// Makes the first account, and says for ever that there was one.
fn begin(connection: &Connection, name: &str) -> rusqlite::Result<Option<AccountId>> {
    if !initialise(connection)? {
        return Ok(None);
    }
    let new = NewAccount { name: name.to_owned(), role: Role::Admin, scope: Vec::new() };
    accounts::insert(connection, &new).map(Some)
}

impl Team {
    /// The secret of the one-time link, where there is no first administrator yet. A new one for each start; only its
    /// hash is kept.
    pub fn first_link(&self) -> Option<String> {
        if self.is_initialised() {
            return None;
        }
        let given = secret::fresh();
        *lock(&self.inner().first) = Some(secret::hash(&given));
        Some(given)
    }

    /// Makes the first administrator from settings, once: later changes of the settings change nothing.
    pub async fn first_admin(&self, name: &str, password: &str) -> Result<bool, Error> {
        accounts::check_name(name)?;
        passwords::check(password, &[name])?;
        if self.is_initialised() {
            return Ok(false);
        }
        let kept = self.hashed(password).await?;
        let name = name.to_owned();
        let made = self.store().write(move |c| {
            let Some(id) = begin(c, &name)? else { return Ok(false) };
            if let Some(account) = accounts::one(c, id)? {
                accounts::update(c, &Account { password: Some(kept), ..account })?;
            }
            audit::add(
                c,
                &Entry::new(&Who::nobody([127, 0, 0, 1].into()), "account.create", of_name(id, &name), Outcome::Done)
                    .why("the first administrator, from the settings"),
            )?;
            Ok(true)
        });
        let made = made.await?;
        self.reload().await?;
        Ok(made)
    }

    /// Whether a link leads anywhere: to the first account (no name yet) or to this one's.
    pub async fn invited(&self, given: &str) -> Result<Option<String>, Error> {
        if self.is_first(given) {
            return Ok(Some(String::new()));
        }
        let hash = secret::hash(given);
        let found = self.store().read(move |c| {
            let sql = "SELECT account.name FROM invite JOIN account ON account.id = invite.account WHERE hash = ? AND expires > ?";
            c.query_row(sql, params![hash, Timestamp::now().as_second()], |row| row.get(0)).optional()
        });
        found.await
    }

    fn is_first(&self, given: &str) -> bool {
        let hash = secret::hash(given);
        !self.is_initialised() && lock(&self.inner().first).is_some_and(|first| secret::same(&first, &hash))
    }

    /// Uses up a link: its account gets this password, and loses its sessions and its second factor. The very first
    /// makes the first administrator, of this name. Of many who come with the same link at once, one gets in (S001).
    pub async fn accept(&self, given: &str, name: &str, password: &str, who: &Who) -> Result<Account, Error> {
        let invited = self.invited(given).await?.ok_or(Error::Wrong)?;
        let is_first = invited.is_empty();
        let name = if is_first { name.trim().to_owned() } else { invited };
        accounts::check_name(&name)?;
        passwords::check(password, &[&name])?;
        let kept = self.hashed(password).await?;
        let (given, who) = (given.to_owned(), who.clone());
        let accepted = self.store().write(move |c| {
            let account = if is_first {
                let begun = begin(c, &name)?;
                begun.map_or(Ok(None), |id| accounts::one(c, id))?
            } else {
                take(c, &given)?
            };
            let Some(account) = account else { return Ok(None) };
            let account = Account { password: Some(kept), totp: None, totp_used: 0, enabled: true, ..account };
            accounts::update(c, &account)?;
            c.execute("DELETE FROM recovery WHERE account = ?", [account.id])?;
            let action = if is_first { "account.create" } else { "account.password" };
            let who = Who { name: account.name.clone(), ..who };
            let how = if is_first { "the first administrator, by a one-time link" } else { "by a one-time link" };
            audit::add(c, &Entry::new(&who, action, of_name(account.id, &account.name), Outcome::Done).why(how))?;
            Ok(Some(account))
        });
        let accepted = accepted.await?;
        self.reload().await?;
        let account = accepted.ok_or(Error::Wrong)?;
        self.end_sessions(account.id, None).await;
        Ok(account)
    }

    /// A link for this account: an invitation, or a new start for who has forgotten the password.
    pub async fn invite(&self, id: AccountId) -> Result<Invite, Error> {
        self.store()
            .write(move |c| match accounts::one(c, id)? {
                Some(_) => insert(c, id, GOOD).map(Some),
                None => Ok(None),
            })
            .await?
            .ok_or(Error::Missing("account"))
    }

    /// The way back in, for who has the host: a link for this administrator, who is made, or made one again.
    pub async fn reset(&self, name: &str) -> Result<Invite, Error> {
        accounts::check_name(name)?;
        let name = name.to_owned();
        self.store()
            .write(move |c| {
                initialise(c)?;
                let known = accounts::all(c)?.into_iter().find(|account| account.name.eq_ignore_ascii_case(&name));
                let id = match known {
                    Some(account) => {
                        accounts::update(
                            c,
                            &Account { role: Role::Admin, scope: Vec::new(), enabled: true, ..account.clone() },
                        )?;
                        account.id
                    }
                    None => {
                        accounts::insert(c, &NewAccount { name: name.clone(), role: Role::Admin, scope: Vec::new() })?
                    }
                };
                audit::add(
                    c,
                    &Entry::new(
                        &Who::nobody([127, 0, 0, 1].into()),
                        "account.reset",
                        of_name(id, &name),
                        Outcome::Done,
                    )
                    .why("on the host"),
                )?;
                insert(c, id, RESET)
            })
            .await
    }
}

pub(super) fn of_name(id: AccountId, name: &str) -> Subject {
    Subject { kind: "account", id: id.to_string(), name: name.to_owned() }
}
