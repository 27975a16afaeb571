//! What stands around every page: navigation, the engine's state, the theme.

use askama::Template;
use jiff::Timestamp;

use super::{
    SECTIONS,
    asker::Can,
    extract::Page,
    html::{bytes, clock, datetime},
    stream::{Part, stamp},
};
use crate::engine::{Link, Outage, Picture};

/// Everything that `base.html` prints besides the page itself.
pub struct Chrome {
    /// The page's title.
    pub title: String,
    /// `light`, `dark` or empty.
    pub theme: &'static str,
    /// The navigation.
    pub nav: Vec<NavItem>,
    /// What the engine is, in two lines.
    pub foot: Foot,
    /// Whether the engine answers, small.
    pub status: Status,
    /// How many jobs work.
    pub working: Working,
    /// Whether the engine answers, large where it does not.
    pub banner: Banner,
    /// Now, by the engine's clock: what scripts count ages from.
    pub now: String,
    /// Path and query of this page, for forms to come back to.
    pub here: String,
    /// Whether others on the way can read it: not encrypted.
    pub is_open: bool,
    /// Where this page's live connection is, if it lives.
    pub stream: Option<String>,
    /// Who has signed in, and as what; none where nobody signs in.
    pub who: Option<(String, String)>,
    /// Whether this is their own page.
    pub is_me: bool,
    /// What they may do to the engine.
    pub can: Can,
    /// Whether nobody may change anything here.
    pub is_read_only: bool,
}

/// A line of the navigation.
pub struct NavItem {
    /// Where it leads.
    pub path: &'static str,
    /// What it says.
    pub label: &'static str,
    /// A heading to print before it.
    pub heading: Option<&'static str>,
    /// A number beside it.
    pub count: Option<Count>,
    /// Whether it is where we are.
    pub current: bool,
}

/// A number in the navigation.
#[derive(Template)]
#[template(source = r#"<span class="count" id="count-{{ id }}">{{ count }}</span>"#, ext = "html")]
pub struct Count {
    id: &'static str,
    count: usize,
}

/// The engine's facts at the foot of the navigation.
#[derive(Template)]
#[template(
    source = r#"<div class="foot" id="foot">{% match facts %}{% when Some((one, two)) %}{{ one }}<br>{{ two }}{% when None %}no engine yet{% endmatch %}</div>"#,
    ext = "html"
)]
pub struct Foot {
    facts: Option<(String, String)>,
}

/// The small sign in the page's head.
#[derive(Template)]
#[template(
    source = r#"<span class="live{% if !live %} stale{% endif %}" id="live" role="status" data-live="{% if live %}yes{% else %}no{% endif %}"><span class="dot" aria-hidden="true"></span><span data-live-text>{% if live %}live{% else %}no engine{% endif %}</span></span>"#,
    ext = "html"
)]
pub struct Status {
    live: bool,
}

/// How many jobs work, in the page's head.
#[derive(Template)]
#[template(
    source = r#"<span id="working">{% if count > 0 %}<a class="chip" href="/jobs?show=running" title="Jobs that have not ended">{{ count }} job{% if count != 1 %}s{% endif %}<span class="vh"> at work</span></a>{% endif %}</span>"#,
    ext = "html"
)]
pub struct Working {
    count: usize,
}

/// What went wrong with the engine, and what to type.
#[derive(Template, Default)]
#[template(path = "_banner.html")]
pub struct Banner {
    down: Option<Down>,
}

/// Why there is no engine.
pub struct Down {
    /// What is so.
    what: String,
    /// What to do, a paragraph each.
    advice: Vec<&'static str>,
    /// What to type.
    command: Option<String>,
    /// Until when the page is true: for machines, for people.
    seen: Option<(String, String)>,
}

impl Down {
    fn new(why: &Outage, seen: Option<Timestamp>) -> Self {
        let (what, advice, command) = explain(why);
        Self { what, advice, command, seen: seen.map(|at| (datetime(at), clock(at))) }
    }
}

/// What an outage is, what to do and what to type (S067).
fn explain(why: &Outage) -> (String, Vec<&'static str>, Option<String>) {
    let sentence = {
        let text = why.to_string();
        let mut letters = text.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default() + "."
    };
    match why {
        Outage::Connecting => ("Connecting to the engine…".to_owned(), vec![], None),
        Outage::NoSocket(_) => (
            sentence,
            vec![
                "Is Docker installed and running on this host? If this console runs in a container, the socket has to be mounted into it.",
                "It will connect by itself as soon as the socket is there.",
            ],
            Some("systemctl start docker".to_owned()),
        ),
        Outage::Directory(path) => (
            sentence,
            vec![
                "When a container is started with a mount of a file that does not exist, Docker makes a directory of that name. \
                 Remove the container and that directory, start Docker, then start the container again.",
            ],
            Some(format!("rmdir {}", path.display())),
        ),
        Outage::NotASocket(_) => (
            sentence,
            vec!["Something else lies where the engine's socket should be. Check --engine (DOCKER_HOST)."],
            None,
        ),
        Outage::NoPermission { gid, .. } => (
            sentence,
            vec![
                "Let this process into the socket's group. In a container that is --group-add (group_add in compose); the socket's mode :ro does not matter.",
            ],
            Some(format!("docker run --group-add {gid} …")),
        ),
        Outage::Refused(_) => (
            sentence,
            vec![
                "The socket is there, but no engine listens. Start Docker.",
                "If Docker runs and this console is a container that mounts the socket as a file: the file is the one of an engine \
                 that has ended. Restart the container, or mount the directory /var/run instead.",
            ],
            Some("systemctl start docker".to_owned()),
        ),
        Outage::Silent => (
            "Docker does not answer.".to_owned(),
            vec!["It accepts connections and stays silent: it is frozen, or very busy. This console goes on asking."],
            Some("systemctl status docker".to_owned()),
        ),
        Outage::Broken => (
            "The connection to the engine broke.".to_owned(),
            vec!["The engine may be restarting. This console connects again by itself."],
            None,
        ),
        Outage::Version { .. } => (
            sentence,
            vec!["Take a version of this console that fits the engine, or another engine."],
            Some("docker version".to_owned()),
        ),
        Outage::Other(_) => (sentence, vec!["Check --engine (DOCKER_HOST)."], None),
    }
}

impl Chrome {
    /// What stands around a page of this title.
    pub fn new(page: &Page, title: impl Into<String>) -> Self {
        let path = page.uri.path();
        let mut heading = None;
        let nav = SECTIONS.iter().filter(|section| page.may(section.right)).map(|section| NavItem {
            path: section.path,
            label: section.label,
            heading: (section.group != heading)
                .then(|| {
                    heading = section.group;
                    section.group
                })
                .flatten(),
            count: section
                .count
                .map(|count| Count { id: section.path.trim_start_matches('/'), count: count(&page.picture) }),
            current: path == section.path || (section.path != "/" && path.starts_with(&format!("{}/", section.path))),
        });
        Self {
            title: title.into(),
            theme: page.theme,
            nav: nav.collect(),
            foot: Foot::new(&page.picture),
            status: Status::new(&page.picture),
            working: Working { count: page.picture.working.len() },
            banner: Banner::new(&page.picture),
            now: datetime(page.picture.now()),
            here: page.visit().to_owned(),
            is_open: page.is_open,
            who: page.asker.label(),
            is_me: path.starts_with("/me"),
            can: page.can(),
            is_read_only: page.asker.rules.is_read_only,
            stream: None,
        }
    }

    /// Makes the page live: `path` is where its parts come from, with or without a query.
    #[must_use]
    pub fn live(self, page: &Page, path: &str) -> Self {
        let joint = if path.contains('?') { '&' } else { '?' };
        Self { stream: Some(format!("{path}{joint}drawn={}", stamp(page.picture.version, page))), ..self }
    }
}

impl Foot {
    fn new(picture: &Picture) -> Self {
        let facts = picture.info.as_ref().map(|info| {
            (
                format!("{} · {}", info.name, info.version.title()),
                format!("{} CPU{} · {}", info.cpus, if info.cpus == 1 { "" } else { "s" }, bytes(info.mem_total)),
            )
        });
        Self { facts }
    }
}

impl Status {
    fn new(picture: &Picture) -> Self {
        Self { live: picture.link.is_live() }
    }
}

impl Banner {
    fn new(picture: &Picture) -> Self {
        match &picture.link {
            Link::Live => Self::default(),
            Link::Down { why, seen, .. } => Self { down: Some(Down::new(why, *seen)) },
        }
    }
}

/// The parts of every page that live.
pub(super) fn parts(page: &Page) -> Vec<Part> {
    let picture = &page.picture;
    let counts = SECTIONS.iter().filter_map(|section| {
        let id = section.path.trim_start_matches('/');
        let html = Count { id, count: section.count?(picture) }.render().ok()?;
        Some(Part { id: format!("count-{id}"), html })
    });
    let own = [
        ("foot", Foot::new(picture).render()),
        ("banner", Banner::new(picture).render()),
        ("live", Status::new(picture).render()),
        ("working", Working { count: picture.working.len() }.render()),
    ];
    let own = own.into_iter().filter_map(|(id, html)| Some(Part { id: id.to_owned(), html: html.ok()? }));
    counts.chain(own).collect()
}
