//! Tokens: how scripts show who they are.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{
    AccountId, Error, Role, Team, Who,
    accounts::{check_scope, lines, role, seconds},
    secret,
    secret::Hash,
};

/// What each begins with, so that scanners and people know one when they see it.
const PREFIX: &str = "wheelhouse_";
/// Tokens that one account may have.
const TOKENS: usize = 100;

/// A token's number.
pub type TokenId = i64;

/// A token as it is listed: its secret is not kept.
#[derive(Debug, Clone)]
pub struct Token {
    /// Its number.
    pub id: TokenId,
    /// Whose it is.
    pub account: AccountId,
    /// What its owner calls it.
    pub name: String,
    /// How much it may do, at most: its owner's role counts too.
    pub role: Role,
    /// What it may do it to, within what its owner may.
    pub scope: Vec<String>,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it is not taken.
    pub expires: Timestamp,
    /// When it was last used.
    pub used: Option<Timestamp>,
}

/// A token to be.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What to call it.
    pub name: String,
    /// How much it may do.
    pub role: Role,
    /// What it may do it to.
    pub scope: Vec<String>,
    /// From when on it is not taken.
    pub expires: Timestamp,
}

pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<(Hash, Token)>> {
    let mut query = connection.prepare("SELECT * FROM token")?;
    let rows = query.query_map([], |row| {
        let token = Token {
            id: row.get("id")?,
            account: row.get("account")?,
            name: row.get("name")?,
            role: role(&row.get::<_, String>("role")?),
            scope: lines(&row.get::<_, String>("scope")?),
            created: seconds(row.get("created")?),
            expires: seconds(row.get("expires")?),
            used: row.get::<_, Option<i64>>("used")?.map(seconds),
        };
        Ok((row.get("hash")?, token))
    })?;
    rows.collect()
}

pub(super) fn insert(
    connection: &Connection,
    hash: &Hash,
    account: AccountId,
    new: &NewToken,
) -> rusqlite::Result<TokenId> {
    connection.execute(
        "INSERT INTO token (hash, account, name, role, scope, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?)",
        params![
            hash,
            account,
            new.name,
            new.role.word(),
            new.scope.join("\n"),
            Timestamp::now().as_second(),
            new.expires.as_second()
        ],
    )?;
    Ok(connection.last_insert_rowid())
}

pub(super) fn touch(connection: &Connection, id: TokenId, at: Timestamp) -> rusqlite::Result<()> {
    connection.execute("UPDATE token SET used = ? WHERE id = ?", params![at.as_second(), id])?;
    Ok(())
}

pub(super) fn delete(connection: &Connection, id: TokenId) -> rusqlite::Result<bool> {
    Ok(connection.execute("DELETE FROM token WHERE id = ?", [id])? > 0)
}

impl Team {
    /// Makes a token for somebody; answers with its secret, which is shown once.
    pub async fn create_token(&self, who: &Who, new: NewToken) -> Result<(TokenId, String), Error> {
        let account = self.own(who)?;
        if new.name.is_empty() || new.name.len() > 64 || new.name.chars().any(char::is_control) {
            return Err(Error::invalid("name", "A token has a name of up to 64 characters."));
        }
        if new.role > account.role {
            return Err(Error::invalid("role", format!("You are {}: a token cannot do more than you.", account.role)));
        }
        check_scope(new.role, &new.scope)?;
        if !account.scope.is_empty() && !new.scope.iter().all(|part| account.scope.contains(part)) {
            return Err(Error::invalid("scope", "A token cannot reach further than you do."));
        }
        if new.expires <= Timestamp::now() {
            return Err(Error::invalid("days", "A token has to expire in the future."));
        }
        if self.tokens(account.id).len() >= TOKENS {
            return Err(Error::invalid("name", "You have 100 tokens. Revoke some."));
        }
        let given = format!("{}{}", PREFIX, secret::fresh() + &secret::fresh());
        let (hash, id) = (secret::hash(&given), account.id);
        let id = self.store().write(move |c| insert(c, &hash, id, &new)).await?;
        self.reload().await?;
        Ok((id, given))
    }

    /// The tokens of an account, newest first.
    pub fn tokens(&self, account: AccountId) -> Vec<Token> {
        let mut all: Vec<_> = self.known().tokens.values().filter(|token| token.account == account).cloned().collect();
        all.sort_by_key(|token| std::cmp::Reverse(token.id));
        all
    }

    /// Ends a token of an account.
    pub async fn revoke(&self, account: AccountId, id: TokenId) -> Result<Token, Error> {
        let token = self.tokens(account).into_iter().find(|token| token.id == id).ok_or(Error::Missing("token"))?;
        self.store().write(move |c| delete(c, id)).await?;
        self.reload().await?;
        Ok(token)
    }
}
