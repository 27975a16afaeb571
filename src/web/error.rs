//! What a person is told when something does not work: what happened, why, what next; the engine's own words beside
//! it. Handlers return it; one layer draws it as a page, as a toast for htmx, or as JSON, with the true status.

use std::any::Any;

use crate::web::filters;
use askama::Template;
use axum::{
    extract::{FromRequestParts, Request, State},
    http::{
        HeaderValue, StatusCode,
        header::{ALLOW, WWW_AUTHENTICATE},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    AppState,
    answer::{Failure, NextStep},
    chrome::Chrome,
    extract::Page,
    html,
};
use crate::{
    engine,
    team::{self, Right, Role},
};

/// Something that did not work, in words.
#[derive(Debug, Clone)]
pub struct Error(Box<Told>);

#[derive(Debug, Clone)]
struct Told {
    status: StatusCode,
    what: String,
    why: String,
    next: Vec<Step>,
    words: Option<String>,
    /// What is wrong with which field.
    fields: Vec<(String, String)>,
    /// Whether it must tell nothing of what this is: the asker may be a stranger.
    bare: bool,
    /// Where a visitor is sent instead.
    goes: Option<String>,
}

/// Something to do next.
#[derive(Debug, Clone)]
pub struct Step {
    /// What it says.
    pub label: String,
    /// Where it leads.
    pub path: String,
    /// Whether it is done by a press, not by going there.
    pub is_post: bool,
    /// What it asks for: it is offered to nobody else.
    pub right: Right,
}

impl Step {
    /// A link.
    pub fn link(label: impl Into<String>, path: impl Into<String>) -> Self {
        Self { label: label.into(), path: path.into(), is_post: false, right: Right::Look }
    }

    /// A button that acts on a container.
    pub fn press(label: impl Into<String>, path: impl Into<String>) -> Self {
        Self { is_post: true, right: Right::Operate, ..Self::link(label, path) }
    }

    /// A link to the form that removes something.
    pub fn remove(label: impl Into<String>, path: impl Into<String>) -> Self {
        Self { right: Right::Remove, ..Self::link(label, path) }
    }
}

impl Error {
    /// With this status: what happened, and why.
    pub fn new(status: StatusCode, what: impl Into<String>, why: impl Into<String>) -> Self {
        Self(Box::new(Told {
            status,
            what: what.into(),
            why: why.into(),
            next: Vec::new(),
            words: None,
            fields: Vec::new(),
            bare: false,
            goes: None,
        }))
    }

    /// Something is wrong with these fields.
    pub fn of_fields<F: Into<String>, W: Into<String>>(
        status: StatusCode,
        what: &str,
        fields: impl IntoIterator<Item = (F, W)>,
    ) -> Self {
        let fields: Vec<(String, String)> = fields.into_iter().map(|(field, why)| (field.into(), why.into())).collect();
        let why: Vec<String> = fields.iter().map(|(field, why)| format!("{field}: {why}")).collect();
        let mut error = Self::new(status, what, why.join(" "));
        error.0.fields = fields;
        error
    }

    /// Nobody prunes blindly: a request that went astray must not empty an engine. `field` is what a prune lists,
    /// `page` the path of that list.
    pub fn blind(field: &str, page: &str) -> Self {
        let why = format!("Say what goes, one by one, as GET {page} lists it.");
        Self::of_fields(StatusCode::UNPROCESSABLE_ENTITY, "Nothing was removed.", [(field, why)])
            .next(Step::link("What would go", page))
    }

    /// Adds something to do.
    #[must_use]
    pub fn next(mut self, step: Step) -> Self {
        self.0.next.push(step);
        self
    }

    /// Says what happened in other words.
    #[must_use]
    pub fn what(mut self, what: impl Into<String>) -> Self {
        self.0.what = what.into();
        self
    }

    /// Goes out with 409: its state is in the way, whatever number the engine gave that.
    #[must_use]
    pub fn conflict(mut self) -> Self {
        self.0.status = StatusCode::CONFLICT;
        self
    }

    /// Says why in other words.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.0.why = why.into();
        self
    }

    /// The status that goes out with it.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// What happened and why, in one line.
    pub fn line(&self) -> String {
        format!("{} {}", self.0.what, self.0.why)
    }

    /// What happened.
    pub fn what_happened(&self) -> &str {
        &self.0.what
    }

    /// What can be done next.
    pub fn steps(&self) -> &[Step] {
        &self.0.next
    }

    /// Why it did not work.
    pub fn reason(&self) -> &str {
        &self.0.why
    }

    fn bare(mut self) -> Self {
        self.0.bare = true;
        self
    }

    /// A fault of ours.
    pub fn ours() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something went wrong inside this console.",
            "Its log says more. Whatever was asked may or may not have been done.",
        )
    }

    /// There is no such thing.
    pub fn not_found(what: &str, why: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, what, why)
    }

    /// Nobody whom we know: a visitor of `page` is shown where to sign in, and comes back to it.
    pub(super) fn sign_in(page: Option<&axum::http::Uri>) -> Self {
        let mut error = Self::new(
            StatusCode::UNAUTHORIZED,
            "Sign in first.",
            "This needs an account. Your session may have ended; scripts send a token: Authorization: Bearer.",
        )
        .bare();
        error.0.goes = page.map(|page| {
            let here = page.path_and_query().map_or("/", |here| here.as_str());
            let next = engine::encoded(here);
            if here == "/" { "/login".to_owned() } else { format!("/login?next={next}") }
        });
        error
    }

    /// Somebody who came by a token to what people do themselves.
    pub(super) fn needs_session() -> Self {
        let why =
            "Passwords, sessions and tokens are managed by their owner, signed in: a token does not manage tokens.";
        Self::new(StatusCode::FORBIDDEN, "Sign in to do that.", why)
    }

    /// Somebody who may not.
    pub(super) fn not_allowed(right: Right, role: Role, is_for_all: bool) -> Self {
        let why = if is_for_all {
            "This installation is read-only: nobody changes anything here.".to_owned()
        } else {
            let about = right.about();
            let least = right.least();
            format!(
                "You are {role}. It takes {least} to do this: {}{}.",
                about.get(..1).unwrap_or_default().to_lowercase(),
                about.get(1..).unwrap_or_default()
            )
        };
        Self::new(StatusCode::FORBIDDEN, "You may not do that.", why)
    }

    pub(super) fn bad_id() -> Self {
        Self::not_found(
            "There is no such page.",
            "The address holds something that is neither a full container id (64 hex digits) nor a volume's name.",
        )
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "That cannot be done here.",
            "This address does not take that kind of request.",
        )
    }

    pub(super) fn too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "That is too large.",
            "A form may be one megabyte and 4,000 fields at most.",
        )
    }

    pub(super) fn unreadable() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "The request could not be read.", "It broke off in the middle.")
    }

    pub(super) fn not_a_form() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "That cannot be read.",
            "Send fields as application/x-www-form-urlencoded or application/json.",
        )
    }

    pub(super) fn too_many_streams() -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many live pages are open.",
            "Close some tabs, or raise --max-streams, --max-streams-per-client and --max-streams-per-person. The page itself works without.",
        )
    }

    pub(super) fn unknown_host(host: &str) -> Self {
        let host: String = host.chars().take(100).collect();
        Self::new(
            StatusCode::MISDIRECTED_REQUEST,
            format!("“{host}” is not a name of this server."),
            "If it should be, start it with --hosts NAME (or WHEELHOUSE_HOSTS), or --public-url behind a proxy. IP addresses and localhost always work.",
        )
        .bare()
    }

    pub(super) fn foreign_read() -> Self {
        Self::new(StatusCode::FORBIDDEN, "Refused.", "Pages of other sites may link here, but may not load from here.")
            .bare()
    }

    pub(super) fn foreign_write(origin: &str, wanted: &str) -> Self {
        let (origin, wanted): (String, String) =
            (origin.chars().take(200).collect(), wanted.chars().take(200).collect());
        Self::new(
            StatusCode::FORBIDDEN,
            "Refused: this came from another page.",
            format!(
                "The request came from {} and this console expected {wanted}. If a proxy stands in between, set --public-url \
                 (WHEELHOUSE_PUBLIC_URL) to the address that the browser shows.",
                if origin.is_empty() { "an unknown page".to_owned() } else { origin }
            ),
        )
        .bare()
    }
}

impl From<engine::Error> for Error {
    fn from(error: engine::Error) -> Self {
        use engine::Error as E;
        let words = error.to_string();
        let told = match &error {
            E::NotFound(_) => Self::new(StatusCode::NOT_FOUND, "It is not there any more.", sentence(&words)),
            E::Conflict(_) => {
                Self::new(StatusCode::CONFLICT, "That does not work in its present state.", sentence(&words))
            }
            E::Invalid(_) => Self::new(StatusCode::BAD_REQUEST, "The engine does not take that.", sentence(&words)),
            E::Denied(_) => Self::new(StatusCode::FORBIDDEN, "The engine forbids that.", sentence(&words)),
            E::Forbidden(_) => {
                return Self::new(StatusCode::FORBIDDEN, "Your role does not allow that.", words);
            }
            E::OwnContainer(_) => {
                return Self::new(StatusCode::CONFLICT, "This console does not do that to itself.", words);
            }
            E::Unreachable(_) => Self::new(StatusCode::BAD_GATEWAY, "The engine cannot be reached.", sentence(&words))
                .next(Step::link("What is wrong with it", "/")),
            E::TimedOut { .. } => Self::new(
                StatusCode::GATEWAY_TIMEOUT,
                "Docker does not answer.",
                format!("There was {words}. It may still be doing what was asked; the page shows what comes of it."),
            ),
            E::Unreadable { driver, .. } => {
                let driver: String = driver.chars().take(60).collect();
                let why = format!(
                    "Its log driver is “{driver}”, and the engine cannot read back what that takes away. Look where the driver \
                     sends it, or make the container anew with --log-driver json-file, local or journald."
                );
                Self::new(StatusCode::NOT_IMPLEMENTED, "This log cannot be read here.", why)
            }
            E::Unsupported(_) => {
                Self::new(StatusCode::NOT_IMPLEMENTED, "This engine cannot do that.", sentence(&words))
            }
            E::Engine { status, .. } => Self::new(
                StatusCode::from_u16(*status)
                    .ok()
                    .filter(StatusCode::is_server_error)
                    .unwrap_or(StatusCode::BAD_GATEWAY),
                "The engine could not do that.",
                sentence(&words),
            ),
        };
        let mut told = told;
        told.0.words = Some(words);
        told
    }
}

impl From<team::Error> for Error {
    fn from(error: team::Error) -> Self {
        use team::Error as E;
        let storage = |what: &str, why: String| {
            tracing::error!(why, "the database");
            Self::new(StatusCode::INSUFFICIENT_STORAGE, what, why)
        };
        match error {
            E::Full(folder) => storage(
                "Nothing was done: it could not be written down.",
                format!(
                    "The disk of {} is full. What is not in the audit is not done: make room there, and try again.",
                    folder.display()
                ),
            ),
            E::Storage { folder, why } => storage(
                "Nothing was done: it could not be written down.",
                format!("The database in {} cannot be used: {why}.", folder.display()),
            ),
            E::Damaged(why) => storage("The database is damaged.", why),
            E::Wrong => Self::new(
                StatusCode::FORBIDDEN,
                "That is not right.",
                "Name, password, code or link do not fit, or were used up.",
            ),
            E::Throttled(wait) => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "Too many tries.",
                format!("Wait {} s, then try again.", wait.as_secs() + 1),
            ),
            E::Missing(what) => {
                Self::not_found(&format!("There is no such {what}."), "It may have been removed meanwhile.")
            }
            E::Invalid { field, why } => {
                Self::of_fields(StatusCode::UNPROCESSABLE_ENTITY, "That cannot be taken like this.", [(field, why)])
            }
            E::LastAdmin => Self::new(
                StatusCode::CONFLICT,
                "Somebody has to stay in charge.",
                "This is the last administrator who can sign in. Make another one first.",
            ),
        }
    }
}

/// The engine's words as a sentence: without its own address of who speaks.
pub(super) fn sentence(words: &str) -> String {
    let text = words.trim().trim_start_matches("Error response from daemon: ").trim_end_matches('.');
    let text: String = text.chars().take(600).collect();
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default() + "."
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = self.0.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// A panic of a handler: the log has it, the server lives on.
#[expect(clippy::needless_pass_by_value, reason = "tower-http calls it with a box")]
pub(super) fn caught(panic: Box<dyn Any + Send>) -> Response {
    let text =
        panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    tracing::error!(panic = text.unwrap_or_default(), "a handler panicked");
    Error::ours().into_response()
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    chrome: Chrome,
    what: &'a str,
    why: &'a str,
    next: &'a [Step],
    words: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "_bare.html")]
struct Bare<'a> {
    what: &'a str,
    why: &'a str,
    signs_in: bool,
}

/// A short message that stays until it is read.
#[derive(Template)]
#[template(path = "_toast.html")]
pub struct Toast<'a> {
    /// Whether it is good news.
    pub ok: bool,
    /// What happened.
    pub what: &'a str,
    /// Why, or nothing.
    pub why: &'a str,
    /// The docker command that did it, or nothing.
    pub command: &'a str,
    /// What to do next.
    pub next: &'a [Step],
    /// The engine's own words.
    pub words: Option<&'a str>,
}

/// Draws errors, in the form that suits who asked.
pub(super) async fn draw(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let Ok(page) = Page::from_request_parts(&mut parts, &state).await;
    let response = next.run(Request::from_parts(parts, body)).await;
    let bare_limit =
        response.status() == StatusCode::PAYLOAD_TOO_LARGE && response.extensions().get::<Error>().is_none();
    let error = if bare_limit { Some(Error::too_large()) } else { response.extensions().get::<Error>().cloned() };
    let Some(error) = error else { return response };
    let mut drawn = error.drawn(&page);
    // What a method that is not taken is answered with besides (RFC 9110, 15.5.6).
    if let Some(allow) = response.headers().get(ALLOW) {
        drawn.headers_mut().insert(ALLOW, allow.clone());
    }
    if drawn.status() == StatusCode::UNAUTHORIZED {
        drawn.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    drawn
}

impl Error {
    /// For who asked.
    fn drawn(&self, page: &Page) -> Response {
        let Told { status, what, why, next, words, bare, goes, .. } = &*self.0;
        let words = words.as_deref();
        let next: Vec<Step> = next.iter().filter(|step| page.may(step.right)).cloned().collect();
        let next = next.as_slice();
        if let Some(path) = goes {
            return super::extract::see_other(path);
        }
        if page.wants_json {
            return self.failure().answer(*status);
        }
        // Who is not known is told nothing of what is here.
        let is_stranger = !page.asker.is_known();
        let drawn = if (*bare || is_stranger) && !page.is_htmx {
            html::html(&Bare { what, why, signs_in: is_stranger && *status != StatusCode::MISDIRECTED_REQUEST })
        } else if page.is_htmx {
            html::html(&Toast { ok: false, what, why, command: "", next, words })
        } else {
            html::html(&ErrorPage { chrome: Chrome::new(page, what.clone()), what, why, next, words })
        };
        match drawn {
            Ok(html) => (*status, html).into_response(),
            Err(_) => (*status, what.clone()).into_response(),
        }
    }

    fn failure(&self) -> Failure {
        let Told { what, why, next, words, fields, .. } = &*self.0;
        let step = |step: &Step| NextStep {
            label: step.label.clone(),
            path: step.path.clone(),
            method: if step.is_post { "POST" } else { "GET" },
        };
        Failure {
            error: what.clone(),
            why: why.clone(),
            engine: words.clone(),
            fields: fields.iter().cloned().collect(),
            next: next.iter().map(step).collect(),
        }
    }
}
