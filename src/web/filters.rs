//! Filters of our templates; askama looks for them by this name in the scope of each template's struct.
#![expect(clippy::inline_always, reason = "askama's macro writes it")]
#![expect(clippy::unnecessary_wraps, reason = "askama asks for a Result")]

use std::fmt::Display;

use askama::{
    Values,
    filters::{Escaper as _, Html, Safe},
};

/// For the value of a form's field and for addresses: escaped, but otherwise exactly what it is. What is shown goes
/// through `html::Visible` instead, which a field that is sent back must not.
#[askama::filter_fn]
pub fn typed(text: impl Display, _: &dyn Values) -> askama::Result<Safe<String>> {
    let mut escaped = String::new();
    Html.write_escaped_str(&mut escaped, &text.to_string())?;
    Ok(Safe(escaped))
}

/// An id as docker shows it: its first twelve digits; what is no id stays as it is.
#[askama::filter_fn]
pub fn short(text: impl Display, _: &dyn Values) -> askama::Result<String> {
    let text = text.to_string();
    let digits = text.strip_prefix("sha256:").unwrap_or(&text);
    let is_id = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    Ok(if is_id { digits.chars().take(12).collect() } else { text })
}
