//! Passwords: what is taken as one, and how it is kept.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier},
};

use super::{Error, secret};

/// The fewest characters. Source: OWASP ASVS 5.0, 6.2.1.
const LEAST: usize = 8;
/// The most bytes: far above the 64 characters that ASVS 6.2.9 asks for, and below what a body may hold.
const MOST: usize = 1_024;

/// What is checked where there is no password: it fits none that anybody knows, and takes as long as any other (S007).
/// Salt and hash are random bytes.
pub const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$I9uhjf1/EzrUythdz49lZA$zDvE0WA0zYINkgXMtLibms2MP8wrXoX1W9kUlAF7pz4";

/// Argon2id with the parameters that OWASP's Password Storage Cheat Sheet recommends: 19 MiB, two passes, one lane.
/// They are the crate's defaults.
fn hasher() -> Argon2<'static> {
    Argon2::default()
}

/// Whether it can be somebody's password: long enough, and not among those that are guessed first (ASVS 6.2.4).
/// `known` are words that a guesser would try for this person.
pub fn check(password: &str, known: &[&str]) -> Result<(), Error> {
    let refuse = |why: &str| Err(Error::invalid("password", why));
    if password.chars().count() < LEAST {
        return refuse("A password has 8 characters or more. A few words make a good one.");
    }
    if password.len() > MOST {
        return refuse("A password has 1,024 bytes at most.");
    }
    // The estimator is slow on long texts, and no long text is easily guessed.
    let head: String = password.chars().take(72).collect();
    if zxcvbn::zxcvbn(&head, known).score() < zxcvbn::Score::Two {
        return refuse(
            "That is among the first that somebody would guess. A few words that do not belong together make a good one.",
        );
    }
    Ok(())
}

/// What is kept of a password, as a PHC text that begins with `$argon2id$`. Takes tens of milliseconds and 19 MiB.
pub fn hash(password: &str) -> Result<String, Error> {
    let salt = secret::bytes::<16>();
    let hash = hasher().hash_password_with_salt(password.as_bytes(), &salt);
    hash.map(|hash| hash.to_string()).map_err(|_| Error::Wrong)
}

/// Whether it is the one that was kept. Takes as long for a wrong one, and for who has none: `kept` is then the
/// hash of nothing that anybody knows.
pub fn verify(password: &str, kept: &str) -> bool {
    password.len() <= MOST && hasher().verify_password(password.as_bytes(), kept).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s007_kept_as_argon2id_without_cutting() {
        let long = "x".repeat(90) + "a" + &"y".repeat(9);
        let other = "x".repeat(90) + "b" + &"y".repeat(9);
        let kept = hash(&long).unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(verify(&long, &kept));
        assert!(!verify(&other, &kept));
        let odd = "Ein längerer Satz, mit Leerzeichen und 🐳🐳 ".repeat(3);
        assert!(verify(&odd, &hash(&odd).unwrap()));
        assert!(!verify("x", "not a hash"));
    }

    #[test]
    fn s007_nobodys_password_takes_the_work_of_one() {
        let kept = argon2::password_hash::phc::PasswordHash::new(NOBODYS).unwrap();
        assert!(kept.hash.is_some() && kept.salt.is_some());
        assert!(!verify("", NOBODYS));
    }

    #[test]
    fn what_is_guessed_first_is_refused() {
        for weak in ["short", "password", "12345678", "qwertyuiop", "password1", "wheelhouse", "alice.smith"] {
            assert!(check(weak, &["alice.smith", "wheelhouse"]).is_err(), "{weak}");
        }
        for good in ["correct horse battery staple", "tW9#kq0zLp", &"🐳 emoji and spaces ".repeat(6)] {
            assert!(check(good, &[]).is_ok(), "{good}");
        }
        assert!(check(&"x y z ".repeat(300), &[]).is_err());
    }
}
