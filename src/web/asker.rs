//! Who is asking, and may they: found out once, outermost; each route then asks for its right before its handler
//! exists. A route that nobody is let into touches nothing.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, header::AUTHORIZATION},
    middleware::Next,
    response::Response,
};
use tokio::{sync::watch, time::Interval};
use url::Url;

use super::{AppState, Client, Error, accept, cookie};
use crate::{
    engine::{Reach, Scope, Verb},
    team::{Entry, Outcome, Right, Role, Subject, Team, Via, Who, oidc::Oidc},
};

/// What the settings say about people.
#[derive(Clone, Default)]
pub struct Rules {
    /// Whether people sign in; else whoever reaches the loopback address is the one person.
    pub has_accounts: bool,
    /// Whether nobody may change anything of the engine.
    pub is_read_only: bool,
    /// Whether one can sign in with a password.
    pub takes_passwords: bool,
    /// The address under which browsers reach this console, if it is behind a proxy.
    pub public_url: Option<Url>,
    /// The registries that operators pull from.
    pub registries: Vec<String>,
    /// The organisation's own provider.
    pub oidc: Option<Arc<Oidc>>,
}

/// Who is asking.
#[derive(Clone)]
pub struct Asker {
    /// Who they are.
    pub who: Who,
    /// Where they are.
    pub client: Client,
    /// What the settings say.
    pub rules: Arc<Rules>,
    /// Everybody.
    pub team: Team,
}

/// What somebody may do to the engine: a button for anything else is not drawn. That it is refused as well is not this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Can {
    /// To run the life cycle.
    pub operate: bool,
    /// To read what is inside containers and volumes.
    pub read: bool,
    /// To go inside containers and change what is there.
    pub enter: bool,
    /// To make containers and volumes.
    pub create: bool,
    /// To remove, prune and cancel.
    pub remove: bool,
}

impl Can {
    /// Whether they may do this to a container.
    pub fn act(self, verb: Verb) -> bool {
        if verb == Verb::Remove { self.remove } else { self.operate }
    }
}

impl Asker {
    /// What they may do to the engine.
    pub fn can(&self) -> Can {
        Can {
            operate: self.may(Right::Operate),
            read: self.may(Right::Read),
            enter: self.may(Right::Enter),
            create: self.may(Right::Create),
            remove: self.may(Right::Remove),
        }
    }

    /// Whether they may: their role has the right, and the installation leaves it to anybody.
    pub fn may(&self, right: Right) -> bool {
        // Without accounts there is nobody to manage.
        let is_about_people = matches!(right, Right::Own | Right::People);
        self.who.may(right)
            && !(self.rules.is_read_only && right.changes_engine())
            && !(self.who.via == Via::Alone && is_about_people)
    }

    /// How far their hand goes.
    pub fn reach(&self) -> Reach {
        // Nobody is shown nothing, even by a page that forgot to ask; nor must a limit that cannot be read become none.
        let nobodys = || Scope::Stack("\0nobody".to_owned());
        let scope = self.who.scope.iter().map(|part| part.parse().unwrap_or_else(|_| nobodys())).collect();
        let reach = match self.who.role {
            Some(Role::Admin) => Reach::admin(),
            Some(Role::Operator) => {
                let shared = self.team.logins().into_iter().filter(|login| login.shared).map(|login| login.host);
                let registries = self.rules.registries.iter().cloned().chain(shared).collect();
                Reach { registries, ..Reach::operator(scope) }
            }
            Some(Role::Viewer) => Reach::viewer(scope),
            None => Reach::viewer(vec![nobodys()]),
        };
        Reach { operate: reach.operate && !self.rules.is_read_only, ..reach }
    }

    /// Writes down that they were not let do something there.
    pub(super) async fn refused(&self, path: &str, why: String) {
        let entry = Entry::new(&self.who, "refused", Subject::page(path), Outcome::Refused);
        self.team.note(entry.why(why)).await;
    }

    /// Whether we know them.
    pub fn is_known(&self) -> bool {
        self.who.is_known()
    }

    /// Whether they are known by what a browser sends by itself, whichever page makes it: forgeable.
    pub fn has_cookie(&self) -> bool {
        matches!(self.who.via, Via::Session(..))
    }

    /// What they are called on the page, and what they are; none where nobody signs in.
    pub fn label(&self) -> Option<(String, String)> {
        let role = self.who.role.filter(|_| self.who.via != Via::Alone)?;
        let limits = match self.who.scope.as_slice() {
            [] => String::new(),
            [one] => format!(", {one} only"),
            more => format!(", {} limits", more.len()),
        };
        Some((self.who.name.clone(), format!("{role}{limits}")))
    }

    /// How much they may do.
    pub fn role(&self) -> Role {
        self.who.role.unwrap_or(Role::Viewer)
    }

    /// What ends when they lose the right to it.
    pub fn lease(&self) -> Lease {
        let mut again = tokio::time::interval(AGAIN);
        again.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        Lease { team: self.team.clone(), who: self.who.clone(), changed: self.team.watch(), again }
    }
}

/// How often a live connection looks whether its session has run out; other changes it is told (S010).
const AGAIN: std::time::Duration = std::time::Duration::from_secs(4);

/// The right to a live connection, for as long as it lasts.
pub struct Lease {
    team: Team,
    who: Who,
    changed: watch::Receiver<u64>,
    again: Interval,
}

impl Lease {
    /// The same right, for another who has to wait for its end.
    pub fn renewed(&self) -> Self {
        let mut again = tokio::time::interval(AGAIN);
        again.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        Self { team: self.team.clone(), who: self.who.clone(), changed: self.team.watch(), again }
    }

    /// Waits until the right is gone. May be dropped and asked anew.
    pub async fn lost(&mut self) {
        loop {
            tokio::select! {
                changed = self.changed.changed() => if changed.is_err() { return },
                _ = self.again.tick() => {}
            }
            if !self.team.still(&self.who) {
                return;
            }
        }
    }
}

pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// Finds out who is asking, for everything inside.
pub(super) async fn identify(
    State(state): State<AppState>,
    client: Client,
    mut request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let who = if state.rules.has_accounts {
        let cookie = cookie::read(headers, cookie::session(client));
        state.team.identify(cookie.as_deref(), bearer(headers), client.address)
    } else {
        Who::alone(client.address)
    };
    let asker = Asker { who, client, rules: state.rules.clone(), team: state.team.clone() };
    request.extensions_mut().insert(Arc::new(asker));
    next.run(request).await
}

/// The one place that lets somebody in to a route, or not (S003 to S006).
pub(super) async fn gate(right: Right, request: Request, next: Next) -> Result<Response, Error> {
    let Some(asker) = request.extensions().get::<Arc<Asker>>().cloned() else { return Err(Error::ours()) };
    if !asker.is_known() {
        return Err(Error::sign_in(is_visit(&request).then(|| request.uri())));
    }
    // A token that leaked must not make itself a longer life, nor lock its owner out.
    if right == Right::Own && matches!(asker.who.via, Via::Token(..)) && *request.method() != Method::GET {
        return Err(Error::needs_session());
    }
    if !asker.may(right) {
        let why = format!("{} needs the right to: {}", request.method(), right.about());
        asker.refused(request.uri().path(), why).await;
        let is_for_all = asker.rules.is_read_only && right.changes_engine();
        return Err(Error::not_allowed(right, asker.role(), is_for_all));
    }
    Ok(next.run(request).await)
}

/// Whether a person opens a page: they are shown where to sign in. A script is told.
fn is_visit(request: &Request) -> bool {
    let headers = request.headers();
    let takes = headers.get("accept").and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let takes_html = takes.contains("text/html") || takes.is_empty() || takes == "*/*";
    let takes_html = takes_html && !accept::wants_json(headers);
    // Nobody visits a live connection.
    let is_live = ["/stream", "/socket"].iter().any(|end| request.uri().path().ends_with(end));
    let is_page = !is_live && !headers.contains_key("hx-request");
    *request.method() == Method::GET && takes_html && is_page && bearer(headers).is_none()
}
