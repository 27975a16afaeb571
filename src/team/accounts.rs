//! Accounts: who there is.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Error, Invite, Role, Team, Who, invites, passwords};

/// An account's number.
pub type AccountId = i64;

/// Somebody who may sign in.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// Its number; never given twice.
    pub id: AccountId,
    /// The name to sign in with.
    pub name: String,
    /// How much they may do.
    pub role: Role,
    /// What they may do it to; everything where it is empty.
    pub scope: Vec<String>,
    /// Whether they may sign in.
    pub enabled: bool,
    /// The provider that they sign in through, and their name there.
    pub identity: Option<(String, String)>,
    /// When it was made.
    pub created: Timestamp,
    /// When they last signed in.
    pub signed_in: Option<Timestamp>,
    /// The password's hash; none until they have chosen one.
    pub(super) password: Option<String>,
    /// The second factor's secret, in base32.
    pub(super) totp: Option<String>,
    /// The last step of it that was used.
    pub(super) totp_used: u64,
}

impl std::fmt::Debug for Account {
    /// Without secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// An account to be.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// The name to sign in with.
    pub name: String,
    /// How much they may do.
    pub role: Role,
    /// What they may do it to.
    pub scope: Vec<String>,
}

impl Account {
    /// Whether they have chosen a password.
    pub fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// Whether they need a code to sign in.
    pub fn has_second_factor(&self) -> bool {
        self.totp.is_some()
    }

    /// Whether they could sign in and administer.
    pub(super) fn administers(&self) -> bool {
        self.enabled && self.role == Role::Admin && (self.password.is_some() || self.identity.is_some())
    }
}

/// Whether it can be a name: what people type, nothing that looks like another's or breaks a line.
pub(super) fn check_name(name: &str) -> Result<(), Error> {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | '+');
    match name.len() {
        0 => Err(Error::invalid("name", "Say a name to sign in with.")),
        1..=64 if name.chars().all(fine) => Ok(()),
        _ => Err(Error::invalid("name", "A name has up to 64 letters, digits and . _ - @ +, no spaces.")),
    }
}

/// A role over everything and one over a part are different things: an administrator is root on the host, where no
/// limit would hold.
pub(super) fn check_scope(role: Role, scope: &[String]) -> Result<(), Error> {
    if role == Role::Admin && !scope.is_empty() {
        return Err(Error::invalid(
            "scope",
            "An administrator can become root on the host, where a limit would not hold. Take operator, or no limit.",
        ));
    }
    if scope.iter().any(|part| part.contains('\n') || part.len() > 500) || scope.len() > 50 {
        return Err(Error::invalid("scope", "Up to 50 limits, a line each."));
    }
    Ok(())
}

pub(super) fn seconds(at: i64) -> Timestamp {
    Timestamp::from_second(at).unwrap_or_default()
}

pub(super) fn lines(text: &str) -> Vec<String> {
    text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

pub(super) fn role(word: &str) -> Role {
    // A word that this version does not know gives the least.
    word.parse().unwrap_or(Role::Viewer)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Account> {
    let (issuer, subject) = (row.get::<_, Option<String>>("issuer")?, row.get::<_, Option<String>>("subject")?);
    Ok(Account {
        id: row.get("id")?,
        name: row.get("name")?,
        role: role(&row.get::<_, String>("role")?),
        scope: lines(&row.get::<_, String>("scope")?),
        enabled: row.get("enabled")?,
        identity: issuer.zip(subject),
        created: seconds(row.get("created")?),
        signed_in: row.get::<_, Option<i64>>("signed_in")?.map(seconds),
        password: row.get("password")?,
        totp: row.get("totp")?,
        totp_used: u64::try_from(row.get::<_, i64>("totp_used")?).unwrap_or_default(),
    })
}

pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<Account>> {
    connection.prepare("SELECT * FROM account ORDER BY name")?.query_map([], read)?.collect()
}

pub(super) fn one(connection: &Connection, id: AccountId) -> rusqlite::Result<Option<Account>> {
    connection.query_row("SELECT * FROM account WHERE id = ?", [id], read).optional()
}

pub(super) fn insert(connection: &Connection, new: &NewAccount) -> rusqlite::Result<AccountId> {
    connection.execute(
        "INSERT INTO account (name, role, scope, created) VALUES (?, ?, ?, ?)",
        params![new.name, new.role.word(), new.scope.join("\n"), Timestamp::now().as_second()],
    )?;
    Ok(connection.last_insert_rowid())
}

/// Writes everything of an account but its number and its beginning.
pub(super) fn update(connection: &Connection, account: &Account) -> rusqlite::Result<()> {
    let (issuer, subject) = account.identity.clone().unzip();
    connection.execute(
        "UPDATE account SET name = ?2, role = ?3, scope = ?4, enabled = ?5, password = ?6, totp = ?7, totp_used = ?8, \
         issuer = ?9, subject = ?10, signed_in = ?11 WHERE id = ?1",
        params![
            account.id,
            account.name,
            account.role.word(),
            account.scope.join("\n"),
            account.enabled,
            account.password,
            account.totp,
            i64::try_from(account.totp_used).unwrap_or(i64::MAX),
            issuer,
            subject,
            account.signed_in.map(Timestamp::as_second),
        ],
    )?;
    Ok(())
}

pub(super) fn delete(connection: &Connection, id: AccountId) -> rusqlite::Result<bool> {
    Ok(connection.execute("DELETE FROM account WHERE id = ?", [id])? > 0)
}

impl Team {
    /// Everybody, by name.
    pub fn accounts(&self) -> Vec<Arc<Account>> {
        let mut all: Vec<_> = self.known().accounts.values().cloned().collect();
        all.sort_by_key(|account| account.name.to_lowercase());
        all
    }

    /// Somebody.
    pub fn account(&self, id: AccountId) -> Result<Arc<Account>, Error> {
        self.known().accounts.get(&id).cloned().ok_or(Error::Missing("account"))
    }

    pub(super) fn named(&self, name: &str) -> Option<Arc<Account>> {
        self.known().accounts.values().find(|account| account.name.eq_ignore_ascii_case(name)).cloned()
    }

    /// Makes an account: with a password, or a link by which its owner chooses one.
    pub async fn create(
        &self,
        new: NewAccount,
        password: Option<&str>,
    ) -> Result<(Arc<Account>, Option<Invite>), Error> {
        check_name(&new.name)?;
        check_scope(new.role, &new.scope)?;
        if self.named(&new.name).is_some() {
            return Err(Error::invalid("name", format!("There is somebody called {} already.", new.name)));
        }
        let kept = match password {
            Some(password) => {
                passwords::check(password, &[&new.name])?;
                Some(self.hashed(password).await?)
            }
            None => None,
        };
        let (id, invite) = self
            .store()
            .write(move |c| {
                let id = insert(c, &new)?;
                let account = one(c, id)?;
                match (kept, account) {
                    (Some(kept), Some(account)) => {
                        update(c, &Account { password: Some(kept), ..account })?;
                        Ok((id, None))
                    }
                    _ => Ok((id, Some(invites::insert(c, id, invites::GOOD)?))),
                }
            })
            .await?;
        self.reload().await?;
        Ok((self.account(id)?, invite))
    }

    /// Changes an account. Whoever loses a right loses at once what it had opened: streams look again at each change,
    /// and who is switched off loses all sessions.
    pub async fn update(&self, id: AccountId, role: Role, scope: Vec<String>, enabled: bool) -> Result<(), Error> {
        check_scope(role, &scope)?;
        let before = self.account(id)?;
        let after = Account { role, scope, enabled, ..(*before).clone() };
        self.keeps_an_admin(&after)?;
        self.save(after).await?;
        if !enabled {
            self.end_sessions(id, None).await;
        }
        Ok(())
    }

    /// Removes an account, with its sessions and tokens. The audit keeps its name.
    pub async fn remove(&self, id: AccountId) -> Result<(), Error> {
        let account = self.account(id)?;
        self.keeps_an_admin(&Account { enabled: false, ..(*account).clone() })?;
        self.store().write(move |c| delete(c, id)).await?;
        self.reload().await
    }

    fn keeps_an_admin(&self, after: &Account) -> Result<(), Error> {
        let known = self.known();
        let others = known.accounts.values().any(|other| other.id != after.id && other.administers());
        let was = known.accounts.get(&after.id).is_some_and(|account| account.administers());
        if was && !after.administers() && !others { Err(Error::LastAdmin) } else { Ok(()) }
    }

    pub(super) async fn save(&self, account: Account) -> Result<(), Error> {
        self.store().write(move |c| update(c, &account)).await?;
        self.reload().await
    }

    /// Changes one's own password; all other sessions end (S009).
    pub async fn set_password(&self, who: &Who, old: &str, new: &str) -> Result<(), Error> {
        let account = self.own(who)?;
        self.confirm(&account, old, who).await?;
        passwords::check(new, &[&account.name])?;
        let kept = self.hashed(new).await?;
        let (id, keep) = (account.id, who.via.clone());
        self.save(Account { password: Some(kept), ..(*account).clone() }).await?;
        self.end_sessions(id, Some(&keep)).await;
        Ok(())
    }

    pub(super) fn own(&self, who: &Who) -> Result<Arc<Account>, Error> {
        self.account(who.account.ok_or(Error::Missing("account"))?)
    }

    /// That it is really them: the password, again.
    pub(super) async fn confirm(&self, account: &Account, password: &str, who: &Who) -> Result<(), Error> {
        let wait = self.inner().throttle.count(&account.name, who.address)?;
        tokio::time::sleep(wait).await;
        // Who came by the organisation's provider has no password to give.
        let Some(kept) = account.password.as_deref() else { return Ok(()) };
        if self.fits(password, kept).await { Ok(()) } else { Err(Error::invalid("old", "That is not your password.")) }
    }
}
