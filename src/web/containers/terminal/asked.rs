//! What somebody wants to run: the fields of the form, checked.

use axum::http::StatusCode;

use crate::{
    command::echo,
    web::{Error, extract::Fields, shells::Asked},
};

/// The longest value of a field.
const LONGEST: usize = 4_000;

/// What is to be run, and how large its terminal is.
pub struct Wanted {
    /// The command; none for the best shell.
    pub words: Vec<String>,
    /// As whom.
    pub user: Option<String>,
    /// Where.
    pub workdir: Option<String>,
    /// Columns, rows.
    pub size: (u16, u16),
    typed: Asked,
}

impl Wanted {
    /// Out of the form.
    pub fn read(fields: &Fields) -> Result<Self, Error> {
        let text = |name: &str| fields.text(name).unwrap_or_default().to_owned();
        let typed = Asked { command: text("command"), user: text("user"), workdir: text("workdir") };
        let wrong = |field: &str, why: &str| {
            Error::of_fields(StatusCode::UNPROCESSABLE_ENTITY, "That cannot be run like this.", [(field, why)])
        };
        for (name, value) in [("command", &typed.command), ("user", &typed.user), ("workdir", &typed.workdir)] {
            if value.len() > LONGEST || value.contains('\0') {
                return Err(wrong(name, "It is too long, or holds what no command can."));
            }
        }
        let words = shell_words::split(&typed.command)
            .map_err(|_| wrong("command", "A quotation mark is open: close it, or put \\ before it."))?;
        if typed.user.contains(char::is_whitespace) {
            return Err(wrong(
                "user",
                "A user is a name or a number, with a group after a colon if you like: www-data, 1000:1000.",
            ));
        }
        if !typed.workdir.is_empty() && !typed.workdir.starts_with('/') {
            return Err(wrong("workdir", "A folder is named from the root on: /srv/app."));
        }
        let side = |name: &str, otherwise: u16| {
            fields.text(name).and_then(|size| size.parse().ok()).unwrap_or(otherwise).clamp(1, 1_000)
        };
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Ok(Self {
            words,
            user: some(&typed.user),
            workdir: some(&typed.workdir),
            size: (side("columns", 80), side("rows", 24)),
            typed,
        })
    }

    /// As it was typed.
    pub fn asked(&self) -> Asked {
        self.typed.clone()
    }

    /// The docker command that does the same; where none was named, with this shell.
    pub fn line(&self, name: &str, shell: Option<&str>) -> String {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        let found = [shell.unwrap_or("sh")];
        let words = if words.is_empty() { &found[..] } else { &words };
        echo::exec(name, self.user.as_deref(), self.workdir.as_deref(), words)
    }

    /// The same for who sees no secrets: arguments may be some.
    pub fn public(&self, name: &str) -> String {
        let first = self.words.first().map_or("sh", String::as_str);
        let words = if self.words.len() > 1 { vec![first, "…"] } else { vec![first] };
        echo::exec(name, self.user.as_deref(), self.workdir.as_deref(), &words)
    }
}
