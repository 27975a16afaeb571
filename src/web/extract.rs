//! What handlers ask of a request, checked before any call to the engine.

use std::{convert::Infallible, str::FromStr, sync::Arc};

use axum::{
    body::Bytes,
    extract::{FromRef, FromRequest, FromRequestParts, Path, Request},
    http::{
        Method, StatusCode, Uri,
        header::{CONTENT_TYPE, LOCATION},
        request::Parts,
    },
    response::{IntoResponse, Response},
};
use url::{Position, Url};

use super::{AppState, Asker, Client, Error, accept, asker::Can, check, cookie, doc::Doc, fields, security, theme};
use crate::{
    engine::{Engine, Picture, Scope, Secrets},
    team::{Entry, Outcome, Right, Subject, Who},
};

/// The most fields that a form may have.
const FIELDS: usize = 4_000;

/// An id or a name out of the path; what cannot be one is no page of ours (S033).
pub struct Id<T>(pub T);

impl<T: FromStr, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| Error::bad_id())?;
        text.parse().map(Self).map_err(|_| Error::bad_id())
    }
}

/// The fields of a form, or of a query, in their order.
#[derive(Debug, Clone, Default)]
pub struct Fields(pub Vec<(String, String)>);

impl Fields {
    /// From `a=b&c=d`.
    pub fn parse(text: &[u8]) -> Self {
        Self(
            url::form_urlencoded::parse(text)
                .take(FIELDS)
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
        )
    }

    /// The first value of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first value of this name that is not blank, trimmed.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).map(str::trim).filter(|value| !value.is_empty())
    }

    /// The page of a list that is asked for, from 1.
    pub fn page(&self) -> usize {
        const LAST: usize = 1_000_000;
        self.text("page").and_then(|page| page.parse().ok()).unwrap_or(1).clamp(1, LAST)
    }

    /// All values of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether a box of this name is ticked.
    pub fn is_set(&self, name: &str) -> bool {
        self.get(name).is_some_and(is_on)
    }

    /// Where to go after a write: the page that the form says it is on, if that is one of ours.
    pub fn back<'a>(&'a self, otherwise: &'a str) -> &'a str {
        self.get("back").filter(|path| is_local(path)).unwrap_or(otherwise)
    }
}

/// Limits as people type them, a line or a comma each; each has to be one.
pub fn scope(text: &str) -> Result<Vec<String>, String> {
    let parts = text.split(['\n', ',']).map(str::trim).filter(|part| !part.is_empty());
    let wrong = |part| format!("“{part}” is no limit: expected stack:NAME, label:KEY=VALUE or label:KEY.");
    parts.map(|part| part.parse::<Scope>().map(|scope| scope.to_string()).map_err(|_| wrong(part))).collect()
}

/// Whether the value of a box says that it is ticked. Scripts have words of their own for no.
pub fn is_on(value: &str) -> bool {
    !["", "0", "false", "off", "no"].iter().any(|off| value.eq_ignore_ascii_case(off))
}

/// Whether it is a path on this console, whatever a browser may make of it: `//host` and `/\host` lead elsewhere.
pub fn is_local(path: &str) -> bool {
    path.starts_with('/') && !path.starts_with("//") && path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let doc = request.extensions().get::<Arc<Doc>>().cloned();
        let body = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Error::too_large(),
            _ => Error::unreadable(),
        })?;
        let (fields, sent) = match kind.as_str() {
            _ if body.is_empty() => return Ok(Self::default()),
            "application/x-www-form-urlencoded" => (Self::parse(&body), body.split(|byte| *byte == b'&').count()),
            "application/json" => {
                let fields = fields::of_json(&body)?;
                let sent = fields.len();
                (Self(fields), sent)
            }
            _ => return Err(Error::not_a_form()),
        };
        if sent > FIELDS {
            return Err(Error::too_large());
        }
        if let Some(known) = doc.as_ref().and_then(|doc| doc.body.as_deref()) {
            if kind == "application/json" {
                check::fields(known, &Self(fields::blank_of_json(&body)))?;
            }
            check::fields(known, &fields)?;
        }
        Ok(fields)
    }
}

/// The query, as fields.
pub struct Query(pub Fields);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(Fields::parse(parts.uri.query().unwrap_or_default().as_bytes())))
    }
}

/// What a page is drawn from: the engine as of now, and how the browser sees us.
#[derive(Clone)]
pub struct Page {
    /// The engine.
    pub engine: Engine,
    /// The picture that this page, all of it, is drawn from.
    pub picture: Arc<Picture>,
    /// The host by which the browser reached us, without port: published ports are links to it.
    pub host: String,
    /// `light`, `dark` or empty for the system's.
    pub theme: &'static str,
    /// Path and query of this page.
    pub uri: Uri,
    /// Whether htmx asks.
    pub is_htmx: bool,
    /// Whether it is asked for as JSON.
    pub wants_json: bool,
    /// Whether others on the way can read it.
    pub is_open: bool,
    /// Who asks.
    pub asker: Arc<Asker>,
    /// What the browser says it is.
    pub agent: String,
    /// Whether a page of another site led here.
    pub is_from_elsewhere: bool,
    /// The page that a form was on, for a page that answers it: its own address may take no visits.
    pub form_on: Option<String>,
    /// The notices about the engine that this browser has put away.
    pub read_notices: Option<String>,
    /// Scheme, host and port by which the browser reached us.
    pub origin: String,
}

impl Page {
    /// Whether who asks may do that.
    pub fn may(&self, right: Right) -> bool {
        self.asker.may(right)
    }

    /// What who asks may do to the engine.
    pub fn can(&self) -> Can {
        self.asker.can()
    }

    /// Path and query of this page.
    pub fn here(&self) -> &str {
        self.uri.path_and_query().map_or("/", |here| here.as_str())
    }

    /// Where to come back to this page: it can be visited.
    pub fn visit(&self) -> &str {
        self.form_on.as_deref().unwrap_or_else(|| self.here())
    }

    /// The whole address of a path here, for who stands outside.
    pub fn whole(&self, path: &str) -> String {
        let base = self.asker.rules.public_url.as_ref().map_or(self.origin.as_str(), |url| url.as_str());
        format!("{}{path}", base.trim_end_matches('/'))
    }

    /// The same page with values shown that are masked otherwise, where its address asks for it and the role may. It is
    /// written down first: what cannot be is not shown.
    pub async fn revealed(self) -> Result<Self, Error> {
        let reach = self.engine.reach();
        let asks = Fields::parse(self.uri.query().unwrap_or_default().as_bytes()).is_set("reveal");
        if !(asks && self.may_reveal()) {
            return Ok(self);
        }
        let subject = Subject::page(self.uri.path());
        self.asker.team.record(Entry::new(&self.asker.who, "reveal", subject, Outcome::Done)).await?;
        let engine = self.engine.within(Arc::new(reach.revealed()));
        Ok(Self { picture: engine.picture(), engine, ..self })
    }

    /// Whether there are values that the role may ask for.
    pub fn may_reveal(&self) -> bool {
        let reach = self.engine.reach();
        reach.root && reach.secrets >= Secrets::Masked
    }

    /// Whether nothing is masked on it.
    pub fn is_revealed(&self) -> bool {
        self.engine.reach().secrets == Secrets::Shown
    }

    /// The same page as of the newest picture.
    pub fn fresh(&self) -> Self {
        Self { picture: self.engine.picture(), ..self.clone() }
    }
}

impl<S> FromRequestParts<S> for Page
where
    AppState: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let AppState { engine, wire, rules, team, .. } = AppState::from_ref(state);
        let client = Client::of(&parts.extensions);
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let asker = parts.extensions.get::<Arc<Asker>>().cloned();
        let asker = asker.unwrap_or_else(|| Arc::new(Asker { who: Who::nobody(client.address), client, rules, team }));
        let engine = engine.within(Arc::new(asker.reach())).on_behalf_of(&asker.who.name);
        let form_on = (parts.method == Method::POST)
            .then(|| path_of(header("referer").unwrap_or_default(), asker.rules.public_url.as_ref()));
        Ok(Self {
            picture: engine.picture(),
            engine,
            host: security::host_of(parts).map(|host| security::without_port(&host).to_owned()).unwrap_or_default(),
            theme: theme::of(&parts.headers),
            uri: parts.uri.clone(),
            is_htmx: parts.headers.contains_key("hx-request"),
            wants_json: accept::wants_json(&parts.headers),
            is_open: wire.is_open(client),
            asker,
            agent: header("user-agent").unwrap_or_default().to_owned(),
            is_from_elsewhere: matches!(header("sec-fetch-site"), Some("cross-site" | "same-site")),
            form_on,
            read_notices: cookie::read(&parts.headers, cookie::NOTICES),
            origin: format!(
                "{}://{}",
                if client.is_secure { "https" } else { "http" },
                security::host_of(parts).unwrap_or_default()
            ),
        })
    }
}

/// The path and query of a page of ours, out of its whole address; the first page where that is none.
fn path_of(page: &str, public_url: Option<&Url>) -> String {
    let prefix = public_url.map_or("", |url| url.path().trim_end_matches('/'));
    let path = Url::parse(page).ok().map(|url| url[Position::BeforePath..Position::AfterQuery].to_owned());
    let path = path.and_then(|path| path.strip_prefix(prefix).map(str::to_owned));
    path.filter(|path| is_local(path)).unwrap_or_else(|| "/".to_owned())
}

/// 303: the answer to a plain form.
pub fn see_other(path: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    match path.parse() {
        Ok(path) => {
            response.headers_mut().insert(LOCATION, path);
            response
        }
        Err(_) => Error::ours().into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_on_a_page_of_ours() {
        let prefix = Url::parse("https://box.lan/docker/").ok();
        assert_eq!(path_of("http://box.lan/me?x=1#tokens", None), "/me?x=1");
        assert_eq!(path_of("https://box.lan/docker/me", prefix.as_ref()), "/me");
        for none in ["", "about:blank", "https://box.lan//evil.test", "data:text/html,x"] {
            assert_eq!(path_of(none, None), "/", "{none}");
        }
    }

    #[test]
    fn back_stays_here() {
        let back = |path: &str| Fields(vec![("back".into(), path.into())]).back("/x").to_owned();
        assert_eq!(back("/containers?q=a"), "/containers?q=a");
        for foreign in ["//evil.test", "/\\evil.test", "https://evil.test", "", "/a\r\nSet-Cookie: x", "javascript:x"] {
            assert_eq!(back(foreign), "/x", "{foreign}");
        }
    }
}
