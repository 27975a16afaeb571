//! What a route says of itself to scripts: what it does, which fields it takes, what it answers. The page `/api` and
//! the description `/openapi.json` are drawn from it.

use std::{borrow::Cow, collections::BTreeMap};

use utoipa::{
    ToSchema,
    openapi::{RefOr, schema::Schema},
};

use super::answer::{List, Newest};

/// What a route does, for scripts.
pub struct Doc {
    /// The path, where it is one of several that a route stands for.
    pub path: Option<String>,
    /// What it does, in a line.
    pub summary: &'static str,
    /// What else there is to say.
    pub about: &'static str,
    /// What stands in its path.
    pub place: Option<Field>,
    /// What its query takes.
    pub query: Vec<Field>,
    /// What its body takes; none for what has no body.
    pub body: Option<Vec<Field>>,
    /// What it answers when all is well.
    pub answers: Vec<Answer>,
    /// Statuses that it also fails with, besides those of its kind.
    pub fails: Vec<u16>,
    /// The schemas that its answers are made of.
    pub schemas: Vec<(String, RefOr<Schema>)>,
}

/// An answer.
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// What it means.
    pub says: &'static str,
    /// What is in it; none for an empty one.
    pub schema: Option<RefOr<Schema>>,
}

/// Something that is sent.
#[derive(Clone)]
pub struct Field {
    /// Its name.
    pub name: Cow<'static, str>,
    /// What it is for.
    pub about: Cow<'static, str>,
    /// What it takes.
    pub kind: Kind,
    /// Whether nothing goes without it.
    pub is_required: bool,
}

/// What a field takes.
#[derive(Clone)]
pub enum Kind {
    /// Any text; an example of one.
    Text(&'static str),
    /// A text of this form, as a regular expression.
    Like(&'static str),
    /// A whole number, from the one to the other.
    Number(i64, i64),
    /// Yes or no.
    Switch,
    /// One of these.
    OneOf(Vec<&'static str>),
    /// One of these to sort by, with a - before it the other way round.
    Sort(&'static [&'static str]),
    /// Texts, any number of them; an example of one.
    List(&'static str),
    /// Texts of this form, any number of them.
    ListLike(&'static str),
}

impl Kind {
    /// What it takes, in words.
    pub fn words(&self) -> String {
        match self {
            Self::Text("") => "text".to_owned(),
            Self::Text(example) => format!("text, as {example}"),
            Self::Like(pattern) => format!("text like {pattern}"),
            Self::Number(least, i64::MAX) => format!("number from {least}"),
            Self::Number(least, most) => format!("number from {least} to {most}"),
            Self::Switch => "true or false".to_owned(),
            Self::OneOf(words) => words.join(", "),
            Self::Sort(words) => format!("{}, with a - before it the other way round", words.join(", ")),
            Self::ListLike(pattern) => format!("texts like {pattern}"),
            Self::List("") => "texts".to_owned(),
            Self::List(example) => format!("texts, as {example}"),
        }
    }

    /// A value for an example.
    pub fn example(&self) -> &str {
        match self {
            Self::Text(example) | Self::List(example) => example,
            Self::Like(_) | Self::ListLike(_) => "…",
            Self::Number(..) => "10",
            Self::Switch => "true",
            Self::OneOf(words) => words.first().unwrap_or(&""),
            Self::Sort(words) => words.first().unwrap_or(&""),
        }
    }
}

impl Field {
    fn new(name: impl Into<Cow<'static, str>>, about: impl Into<Cow<'static, str>>, kind: Kind) -> Self {
        Self { name: name.into(), about: about.into(), kind, is_required: false }
    }

    /// Any text.
    pub fn text(name: &'static str, about: impl Into<Cow<'static, str>>, example: &'static str) -> Self {
        Self::new(name, about, Kind::Text(example))
    }

    /// A text of this form.
    pub fn like(name: &'static str, about: &'static str, pattern: &'static str) -> Self {
        Self::new(name, about, Kind::Like(pattern))
    }

    /// A whole number.
    pub fn number(name: &'static str, about: &'static str, least: i64, most: i64) -> Self {
        Self::new(name, about, Kind::Number(least, most))
    }

    /// Of a prune: that what it lists is all, even if it lists nothing.
    pub fn listed() -> Self {
        Self::switch(
            "listed",
            "That this is the whole list, even if nothing is on it; without, an empty one is refused.",
        )
    }

    /// Yes or no.
    pub fn switch(name: &'static str, about: impl Into<Cow<'static, str>>) -> Self {
        Self::new(name, about, Kind::Switch)
    }

    /// One of these.
    pub fn one_of(name: &'static str, about: &'static str, words: impl IntoIterator<Item = &'static str>) -> Self {
        Self::new(name, about, Kind::OneOf(words.into_iter().collect()))
    }

    /// Texts, any number of them.
    pub fn list(name: &'static str, about: impl Into<Cow<'static, str>>, example: &'static str) -> Self {
        Self::new(name, about, Kind::List(example))
    }

    /// Texts of this form, any number of them.
    pub fn list_like(name: &'static str, about: &'static str, pattern: &'static str) -> Self {
        Self::new(name, about, Kind::ListLike(pattern))
    }

    /// By what a list is sorted.
    pub fn sort(words: &'static [&'static str]) -> Self {
        Self::new("sort", "By what.", Kind::Sort(words))
    }

    /// The page of a list.
    pub fn page() -> Self {
        Self::number("page", "The page of the list, from 1.", 1, 1_000_000)
    }

    /// The same where nothing is done with it: whatever is typed may be asked about.
    #[must_use]
    pub fn loose(self) -> Self {
        let kind = match self.kind {
            Kind::Like(_) => Kind::Text(""),
            kind => kind,
        };
        Self { kind, is_required: false, ..self }
    }

    /// The same, and nothing goes without it.
    #[must_use]
    pub fn required(self) -> Self {
        Self { is_required: true, ..self }
    }
}

impl Doc {
    /// That it does this.
    pub fn new(summary: &'static str) -> Self {
        Self {
            path: None,
            summary,
            about: "",
            place: None,
            query: Vec::new(),
            body: None,
            answers: Vec::new(),
            fails: Vec::new(),
            schemas: Vec::new(),
        }
    }

    /// For this one of the paths that its route stands for.
    #[must_use]
    pub fn at(self, path: String) -> Self {
        Self { path: Some(path), ..self }
    }

    /// With more to say.
    #[must_use]
    pub fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    /// With this in its path.
    #[must_use]
    pub fn place(self, field: Field) -> Self {
        Self { place: Some(field.required()), ..self }
    }

    /// Its query takes these.
    #[must_use]
    pub fn query(mut self, fields: impl IntoIterator<Item = Field>) -> Self {
        self.query.extend(fields);
        self
    }

    /// Its body takes these.
    #[must_use]
    pub fn body(self, fields: impl IntoIterator<Item = Field>) -> Self {
        Self { body: Some(fields.into_iter().collect()), ..self }
    }

    /// It answers this.
    #[must_use]
    pub fn gives<T: ToSchema>(mut self, status: u16, says: &'static str) -> Self {
        T::schemas(&mut self.schemas);
        self.answers.push(Answer { status, says, schema: Some(T::schema()) });
        self
    }

    /// It answers a page of a list.
    #[must_use]
    pub fn lists<T: ToSchema>(mut self, says: &'static str) -> Self {
        self.schemas.push((T::name().into_owned(), T::schema()));
        self.gives::<List<T>>(200, says)
    }

    /// It answers the newest of what grows.
    #[must_use]
    pub fn lists_newest<T: ToSchema>(mut self, says: &'static str) -> Self {
        self.schemas.push((T::name().into_owned(), T::schema()));
        self.gives::<Newest<T>>(200, says)
    }

    /// It answers with nothing: it is so now.
    #[must_use]
    pub fn gives_nothing(mut self) -> Self {
        self.answers.push(Answer { status: 204, says: "It is so now.", schema: None });
        self
    }

    /// It may fail with this, too.
    #[must_use]
    pub fn fails(mut self, status: u16) -> Self {
        self.fails.push(status);
        self
    }

    /// The statuses that it may fail with, each with what it means: those of its kind, and its own.
    pub fn failures(&self, method: &str, has_right: bool) -> BTreeMap<u16, &'static str> {
        let is_write = method == "POST";
        let asks_engine = is_write || self.place.is_some();
        let here = |status: u16| match status {
            401 | 421 | 500 => true,
            403 => has_right,
            404 => self.place.is_some(),
            422 => is_write || !self.query.is_empty(),
            400 | 409 | 413 | 415 | 501 => is_write,
            502 | 504 | 507 => asks_engine,
            _ => false,
        };
        FAILURES.into_iter().filter(|(status, _)| here(*status) || self.fails.contains(status)).collect()
    }
}

/// What each status means here.
const FAILURES: [(u16, &str); 15] = [
    (400, "The request cannot be read, or the engine does not take it."),
    (401, "No token, or one that is not good any more."),
    (403, "The token's role does not allow it, or it came from another page."),
    (404, "There is no such thing, or none that the token sees."),
    (409, "Its state, or somebody who uses it, is in the way."),
    (413, "More than a megabyte, or more than 4,000 fields."),
    (415, "The body is neither a form nor JSON."),
    (421, "The name in Host is none of this server's."),
    (422, "A field is wrong: `fields` says which, and why."),
    (429, "Too many tries."),
    (500, "Something went wrong inside the console or the engine."),
    (501, "This engine cannot do that."),
    (502, "The engine cannot be reached, or failed."),
    (504, "The engine did not answer in time; it may still do it."),
    (507, "It could not be written down in the audit, so it was not done."),
];

/// What a path is about: its first word.
pub fn topic(path: &str) -> &str {
    path.split('/').nth(1).filter(|word| !word.is_empty()).unwrap_or("overview")
}
