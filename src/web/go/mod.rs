//! To go somewhere by typing: what is called so, of all that is here, and where a docker command leads. The palette of
//! every page, and a page of its own. Nothing is ever done here: what can be done is done where it leads (S019).

mod find;
mod json;
mod landing;
mod rights;
mod target;

use crate::web::filters;
use askama::Template;
use axum::{http::StatusCode, response::Response};

use self::{find::Kind, landing::Landing};
use super::{
    Error, Routes,
    chrome::Chrome,
    containers::StateMark,
    extract::{Page, Query, see_other},
    html::html,
};
use crate::{
    command::intent::{self, Command, Reading},
    engine::Verb,
    team::Right,
};

/// The longest text, in bytes: a long line of `docker run`, and less than what a browser puts in an address.
const LONGEST: usize = 16 << 10;

pub(super) fn routes() -> Routes {
    Routes::new().get("/go", Right::Look, page).doc(json::doc()).get("/go/found", Right::Look, found)
}

/// Somewhere to go.
struct Hit {
    name: String,
    path: String,
    about: String,
    mark: Option<StateMark>,
}

impl Hit {
    fn new(name: String, path: String, about: String) -> Self {
        Self { name, path, about, mark: None }
    }

    /// Whether it asks before it does something: a question that can stand over the page that one is on.
    fn asks(&self) -> bool {
        let last = self.path.split('?').next().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
        ["confirm", "disconnect", "prune"].contains(&last) || Verb::ALL.iter().any(|verb| verb.word() == last)
    }
}

/// What came of a text.
struct Answer<'a> {
    text: &'a str,
    landing: Option<Landing>,
    /// Commands that the text is the beginning of.
    beginning: Vec<&'static Command>,
    kinds: Vec<Kind>,
}

impl<'a> Answer<'a> {
    fn new(page: &Page, text: &'a str) -> Result<Self, Error> {
        if text.len() > LONGEST {
            let why =
                format!("{LONGEST} bytes at most. A long line of docker run goes into the form of a new container.");
            return Err(Error::of_fields(
                StatusCode::UNPROCESSABLE_ENTITY,
                "That is too long to look for.",
                [("q", why)],
            ));
        }
        let (landing, beginning) = match intent::read(text) {
            Reading::Text => (None, Vec::new()),
            Reading::Intent(intent) => (Some(Landing::new(page, &intent)), Vec::new()),
            Reading::Beginning(beginning) => (None, beginning),
            Reading::Nowhere(why) => (Some(Landing::nowhere(why)), Vec::new()),
        };
        let is_all = landing.as_ref().is_some_and(|landing| landing.is_plain || (landing.is_sure && !landing.is_bare));
        let kinds = if is_all { Vec::new() } else { find::all(page, text) };
        Ok(Self { text, landing, beginning, kinds })
    }

    /// The one place that was meant, if that is clear: that of a command, or the list of the only kind of thing.
    fn sure(&self) -> Option<&str> {
        match (&self.landing, self.kinds.as_slice()) {
            (Some(landing), []) if landing.is_sure => landing.hits.first().map(|hit| hit.path.as_str()),
            (None, [only]) if self.beginning.is_empty() && !self.text.is_empty() => {
                let first = || only.hits.first().filter(|_| only.total == 1).map(|hit| hit.path.as_str());
                only.list.as_deref().or_else(first)
            }
            _ => None,
        }
    }

    /// Of a single word, what is called so comes before what it would be as a command.
    fn landing_last(&self) -> Option<&Landing> {
        self.landing.as_ref().filter(|landing| landing.is_bare && !landing.is_plain)
    }

    fn landing_first(&self) -> Option<&Landing> {
        self.landing.as_ref().filter(|_| self.landing_last().is_none())
    }

    fn is_empty(&self) -> bool {
        self.landing.is_none() && self.beginning.is_empty() && self.kinds.is_empty()
    }

    /// How much was found, for who does not see it.
    fn says(&self) -> String {
        let commands = self.landing.as_ref().map_or(0, |landing| landing.hits.len()) + self.beginning.len();
        let all = commands + self.kinds.iter().map(|kind| kind.total).sum::<usize>();
        super::html::count(all, "result")
    }
}

#[derive(Template)]
#[template(path = "go/_found.html")]
struct Found<'a> {
    answer: &'a Answer<'a>,
    is_live: bool,
}

#[derive(Template)]
#[template(path = "go/page.html")]
struct GoPage<'a> {
    chrome: Chrome,
    text: &'a str,
    found: Found<'a>,
}

/// `GET /go?q=`: where the text leads, or what it may mean.
async fn page(page: Page, Query(query): Query) -> Result<Response, Error> {
    let text = query.text("q").unwrap_or_default();
    let answer = Answer::new(&page, text)?;
    if let Some(path) = answer.sure().filter(|_| !page.wants_json) {
        return Ok(see_other(path));
    }
    let is_live = page.picture.link.is_live();
    let title = if text.is_empty() {
        "Go to".to_owned()
    } else {
        format!("Go to {}", text.chars().take(60).collect::<String>())
    };
    page.show(
        || json::Answer::new(&answer),
        || html(&GoPage { chrome: Chrome::new(&page, title), text, found: Found { answer: &answer, is_live } }),
    )
}

/// `GET /go/found?q=`: the same as a part of a page, for the palette.
async fn found(page: Page, Query(query): Query) -> Result<Response, Error> {
    let answer = Answer::new(&page, query.text("q").unwrap_or_default())?;
    let is_live = page.picture.link.is_live();
    Ok(axum::response::IntoResponse::into_response(html(&Found { answer: &answer, is_live })?))
}
