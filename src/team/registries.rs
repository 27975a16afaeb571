//! How this console signs in to registries: saved by an administrator, never told again (S045).

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{Error, Team, Who, accounts::seconds};

/// A registry that is signed in to. Its secret stays sealed until the engine is asked for an image of it.
#[derive(Clone)]
pub struct Login {
    /// Host, and port where there is one.
    pub host: String,
    /// The name there.
    pub user: String,
    /// Whether operators pull from it and push to it, too.
    pub shared: bool,
    /// When it was saved.
    pub saved: Timestamp,
    /// By whom; empty where nobody signs in.
    pub saved_by: String,
    secret: Vec<u8>,
}

/// A login to be.
pub struct NewLogin {
    /// Host, and port where there is one.
    pub host: String,
    /// The name there.
    pub user: String,
    /// Its password, or a token.
    pub secret: String,
    /// Whether operators pull from it and push to it, too.
    pub shared: bool,
}

pub(super) fn all(connection: &Connection) -> rusqlite::Result<BTreeMap<String, Login>> {
    let mut query = connection.prepare("SELECT * FROM registry")?;
    let rows = query.query_map([], |row| {
        let login = Login {
            host: row.get("host")?,
            user: row.get("user")?,
            shared: row.get("shared")?,
            saved: seconds(row.get("saved")?),
            saved_by: row.get("saved_by")?,
            secret: row.get("secret")?,
        };
        Ok((login.host.clone(), login))
    })?;
    rows.collect()
}

impl Team {
    /// The registries that are signed in to, by their hosts.
    pub fn logins(&self) -> Vec<Login> {
        self.known().logins.values().cloned().collect()
    }

    /// The one for this host.
    pub fn login(&self, host: &str) -> Option<Login> {
        self.known().logins.get(host).cloned()
    }

    /// The secret of a login, for the engine; none where its key is gone: it has to be saved anew.
    pub fn login_secret(&self, login: &Login) -> Option<String> {
        self.inner().vault.open(&login.host, &login.secret)
    }

    /// Saves a login; the one before it for this host is gone.
    pub async fn save_login(&self, new: NewLogin, who: &Who) -> Result<(), Error> {
        let secret = self.inner().vault.seal(&new.host, &new.secret);
        let secret = secret.map_err(|error| self.store().broken(&error))?;
        let by = who.name.clone();
        let NewLogin { host, user, shared, .. } = new;
        self.store()
            .write(move |c| {
                let saved = Timestamp::now().as_second();
                c.execute(
                    "INSERT OR REPLACE INTO registry (host, user, secret, shared, saved, saved_by) VALUES (?, ?, ?, ?, ?, ?)",
                    params![host, user, secret, shared, saved, by],
                )
            })
            .await?;
        self.reload().await
    }

    /// Forgets a login.
    pub async fn forget_login(&self, host: &str) -> Result<(), Error> {
        let host = host.to_owned();
        let gone = self.store().write(move |c| c.execute("DELETE FROM registry WHERE host = ?", [host])).await?;
        self.reload().await?;
        if gone == 0 { Err(Error::Missing("registry")) } else { Ok(()) }
    }
}
