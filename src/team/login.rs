//! Signing in: a password, then a code where there is a second factor; or an identity that the organisation's
//! provider vouches for.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{
    Account, AccountId, Device, Entry, Error, NewAccount, Outcome, Role, Team, Who, accounts,
    invites::{initialise, of_name},
    passwords,
    people::lock,
    secret, totp,
};

/// How long the code may be waited for after the password.
const HALF: SignedDuration = SignedDuration::from_mins(5);
/// How many may be between the two at once.
const HALVES: usize = 10_000;

/// Who has given the password, and not yet the code.
#[derive(Debug, Clone)]
pub(super) struct Half {
    account: AccountId,
    until: Timestamp,
}

/// How far somebody is.
#[derive(Debug, Clone)]
pub enum Step {
    /// They are in.
    In(Signed),
    /// A code is asked for; this goes along with it.
    Code(String),
}

/// Somebody who has signed in.
#[derive(Debug, Clone)]
pub struct Signed {
    /// Who.
    pub name: String,
    /// The value of the session's cookie.
    pub cookie: String,
}

impl Team {
    /// Signs in with a password. Takes as long, and says the same, whether the name or the password is wrong (S007).
    pub async fn sign_in(&self, name: &str, password: &str, device: &Device) -> Result<Step, Error> {
        self.wait(name, device).await?;
        let account = self.named(name);
        let kept = account.as_ref().and_then(|account| account.password.as_deref()).unwrap_or(passwords::NOBODYS);
        let fits = self.fits(password, kept).await;
        match account.filter(|account| fits && account.enabled) {
            None => self.turned_away(name, device, "name or password is wrong").await,
            Some(account) if account.has_second_factor() => Ok(Step::Code(self.half(account.id))),
            Some(account) => self.let_in(&account, device, "with a password").await.map(Step::In),
        }
    }

    /// Signs in the rest of the way: with a code of the app, or one of those on paper.
    pub async fn sign_in_with_code(&self, half: &str, code: &str, device: &Device) -> Result<Signed, Error> {
        let (key, now) = (secret::hash(half), Timestamp::now());
        let id = lock(&self.inner().halves).get(&key).filter(|half| half.until > now).map(|half| half.account);
        let account = self.account(id.ok_or(Error::Wrong)?)?;
        // Of the account, not of the half: who starts over has not more tries.
        self.wait(&format!("{}\ncode", account.name), device).await?;
        let Some(kept) = account.totp.clone().filter(|_| account.enabled) else { return Err(Error::Wrong) };
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        let how = if let Some(step) = totp::check(&kept, code, seconds, account.totp_used) {
            // Checked again where it is written: two who come with the same code at once are not both let in.
            let id = account.id;
            let used = self.store().write(move |c| {
                let sql = "UPDATE account SET totp_used = ?1 WHERE id = ?2 AND totp_used < ?1";
                c.execute(sql, [i64::try_from(step).unwrap_or(i64::MAX), id])
            });
            match used.await {
                Ok(0) => return self.turned_away(&account.name, device, "the code was used before").await,
                Ok(_) => self.reload().await?,
                // A full disk keeps nobody out.
                Err(Error::Full(_)) => {}
                Err(error) => return Err(error),
            }
            "with a password and a code"
        } else {
            let (hash, id) = (secret::hash(&totp::plain(code)), account.id);
            let sql = "DELETE FROM recovery WHERE hash = ? AND account = ?";
            let used = self.store().write(move |c| c.execute(sql, rusqlite::params![hash, id])).await?;
            if used == 0 {
                return self.turned_away(&account.name, device, "the code is wrong").await;
            }
            "with a password and a recovery code"
        };
        lock(&self.inner().halves).remove(&key);
        self.let_in(&account, device, how).await
    }

    /// Signs in whom the organisation's provider vouches for: `issuer` and `subject` say who they are for ever, `name`
    /// what they are called, `role` what their groups make of them. The account is made at the first time.
    pub async fn sign_in_as(
        &self,
        issuer: &str,
        subject: &str,
        name: &str,
        role: Role,
        device: &Device,
    ) -> Result<Signed, Error> {
        let identity = (issuer.to_owned(), subject.to_owned());
        let known = self.accounts().into_iter().find(|account| account.identity.as_ref() == Some(&identity));
        let account = if let Some(account) = known {
            account
        } else {
            accounts::check_name(name)?;
            // Somebody who has that name already is somebody else: names are not proof.
            if self.named(name).is_some() {
                return Err(Error::invalid(
                    "name",
                    format!("There is an account called {name} already, which does not belong to this identity."),
                ));
            }
            let new = NewAccount { name: name.to_owned(), role, scope: Vec::new() };
            let (who, identity) = (Who::nobody(device.address), identity.clone());
            let id = self.store().write(move |c| {
                let id = accounts::insert(c, &new)?;
                c.execute(
                    "UPDATE account SET issuer = ?, subject = ? WHERE id = ?",
                    rusqlite::params![identity.0, identity.1, id],
                )?;
                initialise(c)?;
                super::audit::add(
                    c,
                    &Entry::new(&who, "account.create", of_name(id, &new.name), Outcome::Done)
                        .why(format!("{role}, by the provider")),
                )?;
                Ok(id)
            });
            let id = id.await?;
            self.reload().await?;
            self.account(id)?
        };
        if !account.enabled {
            return self.turned_away(&account.name, device, "the account is switched off").await;
        }
        // What the provider says counts at each sign-in; an admin's limits to a part stay as far as they fit.
        if account.role != role {
            let scope = if role == Role::Admin { Vec::new() } else { account.scope.clone() };
            self.save(Account { role, scope, ..(*account).clone() }).await?;
        }
        let account = self.account(account.id)?;
        self.let_in(&account, device, "through the provider").await
    }

    /// Ends the session that somebody came by.
    pub async fn sign_out(&self, who: &Who) {
        if let (Some(account), Some(session)) = (who.account, who.session()) {
            let _ = self.end_session(account, session).await;
            self.note(Entry::new(who, "sign-out", of_name(account, &who.name), Outcome::Done)).await;
        }
    }

    /// Counts a try, and waits where there were many.
    async fn wait(&self, name: &str, device: &Device) -> Result<(), Error> {
        match self.inner().throttle.count(name, device.address) {
            Ok(wait) if wait == Duration::ZERO => Ok(()),
            Ok(wait) => {
                tokio::time::sleep(wait).await;
                Ok(())
            }
            Err(error) => {
                // Not into the audit: an attacker must not fill it.
                tracing::warn!(name, address = %device.address, "too many tries to sign in");
                Err(error)
            }
        }
    }

    fn half(&self, account: AccountId) -> String {
        let (given, now) = (secret::fresh(), Timestamp::now());
        let mut halves = lock(&self.inner().halves);
        halves.retain(|_, half| half.until > now);
        if halves.len() < HALVES {
            halves.insert(secret::hash(&given), Half { account, until: now + HALF });
        }
        given
    }

    async fn let_in(&self, account: &Account, device: &Device, how: &str) -> Result<Signed, Error> {
        let cookie = self.begin(account, device).await?;
        let who = Who { name: account.name.clone(), ..Who::nobody(device.address) };
        self.note(Entry::new(&who, "sign-in", of_name(account.id, &account.name), Outcome::Done).why(how)).await;
        tracing::info!(name = account.name, address = %device.address, how, "signed in");
        Ok(Signed { name: account.name.clone(), cookie })
    }

    async fn turned_away<T>(&self, name: &str, device: &Device, why: &str) -> Result<T, Error> {
        let name: String = name.chars().take(64).collect();
        tracing::warn!(name, address = %device.address, why, "not signed in");
        let who = Who { name: name.clone(), ..Who::nobody(device.address) };
        let subject = super::Subject { kind: "account", name, ..Default::default() };
        self.note(Entry::new(&who, "sign-in", subject, Outcome::Refused).why(why)).await;
        Err(Error::Wrong)
    }
}
