//! The second factor: codes of an authenticator app (RFC 6238), and codes on paper for when it is lost.

use data_encoding::BASE32_NOPAD;
use jiff::Timestamp;
use rusqlite::params;
use totp_rs::{Builder, Secret};

use super::{Account, AccountId, Error, Team, Who, accounts, secret, secret::Hash};

/// How many recovery codes somebody gets.
const CODES: usize = 10;

/// A second factor that is being set up: it counts from when a code of it has been given.
#[derive(Debug, Clone)]
pub struct Enrolment {
    /// The secret in base32, to be typed into an app.
    pub secret: String,
    /// The same as an address that apps read from a picture.
    pub url: String,
}

fn totp(secret: &str, name: &str) -> Result<totp_rs::Totp, Error> {
    let secret = Secret::try_from_base32(secret).map_err(|_| Error::Wrong)?;
    // Apps take no colon in either part.
    let name = name.replace(':', "_");
    let builder = Builder::new().with_secret(secret).with_account_name(name).with_issuer(Some("Wheelhouse"));
    builder.build().map_err(|_| Error::Wrong)
}

impl Enrolment {
    /// For the person of this name, with a fresh secret.
    pub fn fresh(name: &str) -> Result<Self, Error> {
        Self::of(&BASE32_NOPAD.encode(&secret::bytes::<20>()), name)
    }

    /// With a secret that was shown already.
    pub fn of(secret: &str, name: &str) -> Result<Self, Error> {
        let url = totp(secret, name)?.to_url().map_err(|_| Error::Wrong)?;
        Ok(Self { secret: secret.to_owned(), url })
    }
}

/// The time step that `code` is right for, at `now` in seconds since 1970; one step early or late is taken too.
/// A code is good once: steps up to `used` are not taken any more (RFC 6238, 5.2).
pub(super) fn check(kept: &str, code: &str, now: u64, used: u64) -> Option<u64> {
    let code: String = code.chars().filter(char::is_ascii_digit).collect();
    let totp = totp(kept, "x").ok()?;
    totp.check(&code, now).filter(|step| *step > used)
}

/// Fresh recovery codes, of 80 bits each: in groups, to be written down.
pub(super) fn recovery() -> Vec<String> {
    let code = || {
        let text = BASE32_NOPAD.encode(&secret::bytes::<10>()).to_ascii_lowercase();
        let (first, rest) = text.split_at(4);
        let (second, rest) = rest.split_at(4);
        let (third, fourth) = rest.split_at(4);
        format!("{first}-{second}-{third}-{fourth}")
    };
    (0..CODES).map(|_| code()).collect()
}

/// A recovery code as it is compared: without what people add when they type.
pub(super) fn plain(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

impl Team {
    /// Turns the second factor on, once a code shows that the app has the secret. Answers with codes for when the app
    /// is lost.
    pub async fn enrol(
        &self,
        who: &Who,
        enrolment: &Enrolment,
        code: &str,
        password: &str,
    ) -> Result<Vec<String>, Error> {
        let account = self.own(who)?;
        self.confirm(&account, password, who).await?;
        let now = u64::try_from(Timestamp::now().as_second()).unwrap_or_default();
        let Some(step) = check(&enrolment.secret, code, now, 0) else {
            return Err(Error::invalid(
                "code",
                "That is not the code of this minute. Is the clock of the phone right?",
            ));
        };
        let codes = recovery();
        let account = Account { totp: Some(enrolment.secret.clone()), totp_used: step, ..(*account).clone() };
        self.save_recovery(account, &codes).await?;
        Ok(codes)
    }

    async fn save_recovery(&self, account: Account, codes: &[String]) -> Result<(), Error> {
        let hashes: Vec<Hash> = codes.iter().map(|code| secret::hash(&plain(code))).collect();
        self.store()
            .write(move |c| {
                accounts::update(c, &account)?;
                c.execute("DELETE FROM recovery WHERE account = ?", [account.id])?;
                let mut insert = c.prepare("INSERT INTO recovery (hash, account) VALUES (?, ?)")?;
                hashes.iter().try_for_each(|hash| insert.execute(params![hash, account.id]).map(|_| ()))
            })
            .await?;
        self.reload().await
    }

    /// Turns one's own second factor off.
    pub async fn unenrol(&self, who: &Who, password: &str) -> Result<(), Error> {
        let account = self.own(who)?;
        self.confirm(&account, password, who).await?;
        self.drop_second_factor(account.id).await
    }

    /// Turns somebody's second factor off, for who has lost the phone and the paper.
    pub async fn drop_second_factor(&self, id: AccountId) -> Result<(), Error> {
        let account = self.account(id)?;
        self.save_recovery(Account { totp: None, totp_used: 0, ..(*account).clone() }, &[]).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_good_once() {
        let enrolment = Enrolment::fresh("a:b c").unwrap();
        assert!(enrolment.url.starts_with("otpauth://totp/"), "{}", enrolment.url);
        let totp = totp(&enrolment.secret, "x").unwrap();
        let now = 1_800_000_000;
        let code = totp.generate(now).to_string();
        let step = check(&enrolment.secret, &code, now, 0).unwrap();
        assert_eq!(step, now / 30);
        assert_eq!(check(&enrolment.secret, &code, now, step), None);
        assert!(check(&enrolment.secret, &code, now + 30, 0).is_some());
        assert_eq!(check(&enrolment.secret, &code, now + 120, 0), None);
        assert_eq!(check(&enrolment.secret, "", now, 0), None);
    }

    #[test]
    fn recovery_codes_can_be_typed() {
        let codes = recovery();
        assert_eq!(codes.len(), CODES);
        assert!(codes.iter().all(|code| code.len() == 19));
        assert_eq!(plain(" ABCD-efgh-ijkl-mnop\n"), "abcdefghijklmnop");
    }
}
