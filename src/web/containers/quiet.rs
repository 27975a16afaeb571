//! What a page of a container says where there is nothing to show, or something to know first.

use askama::Template;

use crate::web::{Error, html::html, stream::Part};

/// Words in the place of what a page shows, or above it.
#[derive(Template, Debug, Default)]
#[template(
    source = r#"<div id="quiet">{% if !what.is_empty() %}<section class="empty"><h2>{{ what }}</h2><p>{{ why }}</p></section>{% else if !why.is_empty() %}<p class="note">{{ why }}</p>{% endif %}</div>"#,
    ext = "html"
)]
pub struct Quiet {
    what: String,
    why: String,
}

impl Quiet {
    /// There is nothing to show: this, and why.
    pub fn new(what: &str, why: &str) -> Self {
        Self { what: what.to_owned(), why: why.to_owned() }
    }

    /// There is something to know first.
    pub fn note(why: &str) -> Self {
        Self::new("", why)
    }

    /// The same for a script.
    pub fn words(&self) -> String {
        [&*self.what, &*self.why].join(if self.what.is_empty() { "" } else { ". " })
    }

    /// The same for a live connection.
    pub fn part(&self) -> Result<Part, Error> {
        Ok(Part { id: "quiet".to_owned(), html: html(self)?.0 })
    }
}
