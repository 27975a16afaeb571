//! What has to hold for whatever people and providers say of themselves: see [`crate::fuzzing`].
#![expect(clippy::missing_panics_doc, reason = "what does not hold panics: that is what they are for")]

use serde_json::Value;

use super::{Enrolment, Entry, Role, accounts, oidc::claims, totp};

/// What is kept of a list of limits, read again.
pub fn kept(scope: &[String]) -> Vec<String> {
    accounts::lines(&scope.join("\n"))
}

/// A second factor and names, a line each: secret, name, code, time.
pub fn totp(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    let (secret, name, code, now) = (line(), line(), line(), line());
    let now: u64 = now.parse().unwrap_or(1_800_000_000);
    if let Ok(enrolment) = Enrolment::of(secret, name) {
        let url = url::Url::parse(&enrolment.url).ok();
        let is_fine = url.is_some_and(|url| url.scheme() == "otpauth" && url.host_str() == Some("totp"));
        assert!(is_fine && enrolment.secret == secret, "{}", enrolment.url);
    }
    if let Some(step) = totp::check(secret, code, now, 0) {
        assert!(step.abs_diff(now / 30) <= 1, "{step} at {now}");
        assert_eq!(totp::check(secret, code, now, step), None, "a code is good once");
    }
    let plain = totp::plain(code);
    assert!(plain.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{plain}");
    let typed: String = plain.chars().flat_map(|c| [' ', c.to_ascii_uppercase(), '-']).collect();
    assert_eq!((totp::plain(&plain), totp::plain(&typed)), (plain.clone(), plain));
    if accounts::check_name(name).is_ok() {
        assert!((1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic()), "{name}");
        assert!(!name.contains(['<', '>', '"', '\'', '&', '/', '\\', ':']), "{name}");
    }
    if let Ok(role) = name.parse::<Role>() {
        assert_eq!(role.word(), name);
    }
}

/// An entry of the audit: written, it is one line, and read again the same.
pub fn read_entry(data: &[u8]) -> Option<Entry> {
    let entry: Entry = serde_json::from_slice(data).ok()?;
    let text = serde_json::to_string(&entry).unwrap_or_default();
    assert!(!text.contains(['\n', '\r']), "{text}");
    assert_eq!(serde_json::from_str(&text).ok(), Some(entry.clone()));
    let why: String = entry.why.repeat(2);
    assert!(entry.clone().why(why).why.chars().count() <= 1_000);
    Some(entry)
}

/// What a provider says of a person, after a line that says where to look.
pub fn claims(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (path, json) = text.split_once('\n').unwrap_or(("groups", &text));
    let is_line = |name: &str, most: usize| {
        name.chars().count() <= most && name.trim() == name && !name.chars().any(char::is_control)
    };
    let clean = claims::clean(&text, 100);
    assert!(is_line(&clean, 100), "{clean:?}");
    assert_eq!(claims::clean(&clean, 100), clean);
    let Ok(said) = serde_json::from_str::<Value>(json) else { return };
    assert!(claims::groups(&said, path).is_none_or(|groups| groups.len() <= 1_000));
    assert!(claims::name(&said, path).is_none_or(|name| !name.is_empty() && is_line(&name, 100)));
}
