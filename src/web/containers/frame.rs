//! What stands around each page of one container: where we are, its name and state, the docker command for what the
//! page shows, the tabs.

use std::sync::Arc;

use askama::Template;
use axum::response::Response;

use super::StateMark;
use crate::{
    engine::{Container, ContainerId},
    team::Right,
    web::{
        Error,
        asker::Can,
        chrome::Chrome,
        error::Step,
        extract::{Id, Page},
        html::html,
        stream::{Fragments, Live, Part},
    },
};

/// The pages of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// What it is, why, and what can be done.
    Summary,
    /// What it writes.
    Logs,
    /// A command of one's own in it.
    Terminal,
    /// What it uses, now and over time.
    Stats,
    /// Who runs inside.
    Processes,
    /// What is in its file system.
    Files,
    /// What is another than in the image.
    Changes,
    /// Its health checks.
    Health,
    /// What happened to it.
    History,
    /// What makes it again.
    Recipe,
    /// Everything that the engine knows.
    Inspect,
    /// Making an image of it: no tab, but a page within its frame.
    Commit,
    /// Taking its files: likewise.
    Export,
}

impl Tab {
    /// All that are drawn, in their order.
    const EACH: &[Self] = &[
        Self::Summary,
        Self::Logs,
        Self::Terminal,
        Self::Stats,
        Self::Processes,
        Self::Files,
        Self::Changes,
        Self::Health,
        Self::History,
        Self::Recipe,
        Self::Inspect,
    ];

    /// Its word in the address, none for the summary; what it is called; and what it asks for: a tab that somebody may
    /// not open is not drawn.
    fn about(self) -> (&'static str, &'static str, Right) {
        match self {
            Self::Summary => ("", "Summary", Right::Look),
            Self::Logs => ("logs", "Logs", Right::Look),
            Self::Terminal => ("terminal", "Terminal", Right::Enter),
            Self::Stats => ("stats", "Stats", Right::Look),
            Self::Processes => ("processes", "Processes", Right::Look),
            Self::Files => ("files", "Files", Right::Read),
            Self::Changes => ("changes", "Changes", Right::Look),
            Self::Health => ("health", "Health", Right::Look),
            Self::History => ("history", "History", Right::Look),
            Self::Recipe => ("recipe", "Recipe", Right::Operate),
            Self::Inspect => ("inspect", "Inspect", Right::Look),
            Self::Commit => ("commit", "Commit", Right::Enter),
            Self::Export => ("export", "Export", Right::Read),
        }
    }

    /// Its word in the address; none for the summary.
    pub fn word(self) -> &'static str {
        self.about().0
    }

    fn label(self) -> &'static str {
        self.about().1
    }

    fn right(self) -> Right {
        self.about().2
    }
}

/// What this reader may do to a container: not go in nor read, where whoever is inside is root on the host and they
/// must not be.
pub fn can(page: &Page, container: &Container) -> Can {
    let can = page.can();
    if page.engine.shut(container).is_empty() { can } else { Can { enter: false, read: false, ..can } }
}

/// The tabs of a container's pages.
#[derive(Template)]
#[template(
    source = r#"<nav class="tabs" aria-label="Parts of {{ name }}"><ul>{% for (path, label, is_here) in tabs %}<li><a href="{{ path }}"{% if is_here %} aria-current="page"{% endif %}>{{ label }}</a></li>{% endfor %}</ul></nav>"#,
    ext = "html"
)]
pub struct Tabs<'a> {
    name: &'a str,
    tabs: Vec<(String, &'static str, bool)>,
}

impl<'a> Tabs<'a> {
    /// Those that this reader may open.
    pub fn new(page: &Page, container: &'a Container, here: Tab) -> Self {
        let path = |tab: Tab| {
            let word = tab.word();
            format!("/containers/{}{}{word}", container.id, if word.is_empty() { "" } else { "/" })
        };
        let can = can(page, container);
        let may = |tab: &Tab| match tab.right() {
            Right::Enter => can.enter,
            Right::Read => can.read,
            right => page.may(right),
        };
        let tabs = Tab::EACH.iter().copied().filter(may).map(|tab| (path(tab), tab.label(), tab == here)).collect();
        Self { name: &container.name, tabs }
    }
}

/// The head of a container's page: it lives, by its own stream.
#[derive(Template)]
#[template(path = "containers/_frame.html")]
pub struct Frame<'a> {
    c: &'a Container,
    head: Head<'a>,
    label: &'static str,
    command: String,
    tabs: Tabs<'a>,
}

impl<'a> Frame<'a> {
    /// Around this tab, which shows what `command` would.
    pub fn new(page: &Page, container: &'a Container, here: Tab, command: String) -> Self {
        let tabs = Tabs::new(page, container, here);
        Self { c: container, head: Head::of(container), label: here.label(), command, tabs }
    }

    /// The same for a page that has its command elsewhere.
    #[must_use]
    pub fn without_command(self) -> Self {
        Self { command: String::new(), ..self }
    }

    /// What stands around the whole page, which lives as far as its head goes. A page with a live connection of its own
    /// takes [`Chrome::new`] and sends [`head`].
    pub fn chrome(&self, page: &Page) -> Chrome {
        let path = format!("/containers/{}/head/stream", self.c.id);
        Chrome::new(page, format!("{}: {}", self.c.name, self.label.to_lowercase())).live(page, &path)
    }
}

/// The part of the head that changes.
#[derive(Template)]
#[template(
    source = r#"<span id="head" data-state="{{ c.state }}"><span class="state {{ mark.class }}"><svg class="icon" aria-hidden="true"><use href="/assets/{{ crate::web::asset("icons.svg") }}#i-{{ mark.icon }}"></use></svg>{{ mark.text }}</span></span>"#,
    ext = "html"
)]
struct Head<'a> {
    c: &'a Container,
    mark: StateMark,
}

impl<'a> Head<'a> {
    fn of(c: &'a Container) -> Self {
        Self { c, mark: StateMark::of(c) }
    }
}

/// The part of the head that changes, for a live connection.
pub fn head(container: Option<&Container>) -> Result<Part, Error> {
    let html = match container {
        Some(c) => html(&Head::of(c))?.0,
        None => r#"<span id="head" data-state="gone"><span class="state">removed</span></span>"#.to_owned(),
    };
    Ok(Part { id: "head".to_owned(), html })
}

/// A container of this page's picture.
pub fn find(page: &Page, id: &ContainerId) -> Result<Arc<Container>, Error> {
    page.picture.containers.get(id).cloned().ok_or_else(|| gone(id))
}

pub(super) fn gone(id: &ContainerId) -> Error {
    Error::not_found(
        "This container is not there any more.",
        &format!("Nothing has the id {}. It was removed, here or elsewhere.", id.short()),
    )
    .next(Step::link("All containers", "/containers"))
}

/// `GET /containers/{id}/head/stream`
pub async fn stream(Id(id): Id<ContainerId>, live: Live) -> Result<Response, Error> {
    Ok(live.follow(move |page| {
        let id = id.clone();
        async move {
            let part = head(page.picture.containers.get(&id).map(Arc::as_ref))?;
            Ok(Fragments { rest: vec![part], ..Fragments::default() })
        }
    }))
}
