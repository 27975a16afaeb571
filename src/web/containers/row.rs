//! One row of the list, made once for the loop and for the live update.

use askama::Template;
use jiff::Timestamp;

use super::{stats::json::Cells, view::Uses};
use crate::{
    command::echo,
    engine::{Attention, Container, Health, Port, State, Verb, root_on_host},
    web::{asker::Can, extract::Page, html::Moment},
};

/// A container's state as it is shown everywhere: shape, word and colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateMark {
    /// The class that colours it.
    pub class: &'static str,
    /// The shape, as a name in `icons.svg`.
    pub icon: &'static str,
    /// The word, with the exit code where there is one.
    pub text: String,
}

impl StateMark {
    /// Of this container.
    pub fn of(container: &Container) -> Self {
        let code = container.exit_code;
        let unhealthy = container.health == Some(Health::Unhealthy) && container.state.is_up();
        let (class, icon) = match &container.state {
            State::Running if unhealthy => ("unhealthy", "unhealthy"),
            State::Running => ("running", "running"),
            State::Created => ("created", "created"),
            State::Paused => ("paused", "paused"),
            State::Restarting => ("restarting", "restarting"),
            State::Removing => ("removing", "removing"),
            State::Exited if container.attention().is_some() => ("failed", "failed"),
            State::Exited => ("exited", "exited"),
            State::Dead => ("dead", "dead"),
            State::Unknown(_) => ("unknown", "unknown"),
        };
        let text = match (&container.state, code) {
            (State::Exited | State::Restarting, Some(code)) => {
                format!("{}, {code}", container.state)
            }
            (State::Running, _) if unhealthy => "unhealthy".to_owned(),
            (state, _) => state.to_string(),
        };
        Self { class, icon, text }
    }
}

/// A published port, as a link to the host that the browser used.
#[derive(Debug, Clone)]
pub struct PortLink {
    /// `8080 → 80`.
    pub text: String,
    /// Where it leads; none for what is no TCP port that a browser could open.
    pub href: Option<String>,
}

impl PortLink {
    /// Of this port, for a browser that reached us at `host`. A port that is bound to one address of the host leads
    /// there, not to where the browser is.
    pub fn of(port: &Port, host: &str) -> Option<Self> {
        let public = port.public?;
        let suffix = if port.protocol == "tcp" { String::new() } else { format!("/{}", port.protocol) };
        let bound = if port.is_open_to_all() { String::new() } else { format!("{}:", port.address) };
        let text = if public == port.private {
            format!("{bound}{public}{suffix}")
        } else {
            format!("{bound}{public} → {}{suffix}", port.private)
        };
        let target = if port.is_open_to_all() { host.to_owned() } else { port.address.clone() };
        let target = if target.contains(':') && !target.starts_with('[') { format!("[{target}]") } else { target };
        let scheme = if matches!(port.private, 443 | 8443 | 9443) { "https" } else { "http" };
        let href = (port.protocol == "tcp" && !target.is_empty()).then(|| format!("{scheme}://{target}:{public}/"));
        Some(Self { text, href })
    }

    /// Of all published ports.
    pub fn all(container: &Container, host: &str) -> Vec<Self> {
        container.ports.iter().filter_map(|port| Self::of(port, host)).collect()
    }
}

/// A way to do something: a button or a link to the form that asks for more.
#[derive(Debug, Clone)]
pub struct Way {
    /// What.
    pub verb: Verb,
    /// The docker command.
    pub command: String,
}

impl Way {
    /// Doing `verb` to the container of this name.
    pub fn new(verb: Verb, container: &Container) -> Self {
        let name = container.name.as_str();
        let command = match verb {
            Verb::Start => echo::start(&[name]),
            Verb::Stop => echo::stop(&[name], None),
            Verb::Restart => echo::restart(&[name], None),
            Verb::Kill => echo::kill(&[name], None),
            Verb::Pause => echo::pause(&[name]),
            Verb::Unpause => echo::unpause(&[name]),
            Verb::Rename => echo::rename(name, "NEW"),
            Verb::Remove => echo::rm(&[name], false, false, false),
        };
        Self { verb, command }
    }
}

/// A row of the list.
#[derive(Template)]
#[template(path = "containers/_row.html")]
pub struct Row<'a> {
    /// The container.
    pub c: &'a Container,
    /// Its state.
    pub mark: StateMark,
    /// Its published ports.
    pub ports: Vec<PortLink>,
    /// What is offered at once.
    pub first: Vec<Way>,
    /// What is offered in the menu.
    pub more: Vec<Way>,
    /// Why whoever is inside is root on the host, as far as a list tells.
    pub on_host: Vec<&'static str>,
    /// Whether it is this console itself.
    pub is_own: bool,
    /// What the reader may do.
    pub can: Can,
    /// Why it needs attention.
    pub attention: Option<Attention>,
    /// Now, by the engine's clock.
    pub now: Timestamp,
    /// The list that it stands in, for the forms that it leads to: escaped for a query.
    pub back: &'a str,
    /// What it uses. A live update leaves that out: it has a way of its own, or each row would change all the time.
    pub uses: Option<Cells>,
}

impl<'a> Row<'a> {
    /// Of this container, for this page.
    pub fn new(container: &'a Container, page: &Page, now: Timestamp, back: &'a str) -> Self {
        let is_own = page.picture.is_own(container);
        let (first, more) = ways(container, page);
        Self {
            c: container,
            mark: StateMark::of(container),
            ports: PortLink::all(container, &page.host),
            first,
            more,
            on_host: root_on_host(container, &page.picture, None),
            is_own,
            can: page.can(),
            attention: container.attention(),
            now,
            back,
            uses: None,
        }
    }

    /// With what it uses.
    pub fn using(self, uses: &Uses) -> Self {
        Self { uses: uses.get(&self.c.id).map(|figures| Cells::from(figures.as_ref())), ..self }
    }

    /// How long something has been going on.
    pub fn seconds(&self, since: impl Moment) -> i64 {
        self.now.duration_since(since.moment()).as_secs().max(0)
    }
}

/// What can be done to it: the two likeliest, and the rest. Nothing that would be refused.
pub fn ways(container: &Container, page: &Page) -> (Vec<Way>, Vec<Way>) {
    let (picture, can) = (&page.picture, page.can());
    let allowed = |verb: &&Verb| can.act(**verb) && picture.guard_container(&container.id, **verb).is_ok();
    let mut verbs: Vec<Verb> = container.verbs(picture.is_podman()).iter().filter(allowed).copied().collect();
    // Start and Remove are the pair for what has ended.
    if let (Some(Verb::Start), Some(at)) = (verbs.first(), verbs.iter().position(|verb| *verb == Verb::Remove)) {
        let remove = verbs.remove(at);
        verbs.insert(1.min(verbs.len()), remove);
    }
    let rest = verbs.split_off(2.min(verbs.len()));
    let make = |verbs: Vec<Verb>| verbs.into_iter().map(|verb| Way::new(verb, container)).collect();
    (make(verbs), make(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_lead_to_the_host_that_the_browser_used() {
        let port = |address: &str, public, private, protocol: &str| Port {
            public,
            private,
            protocol: protocol.into(),
            address: address.into(),
        };
        let link = |port: Port| PortLink::of(&port, "box.lan").map(|link| (link.text, link.href));
        assert_eq!(
            link(port("0.0.0.0", Some(8080), 80, "tcp")),
            Some(("8080 → 80".into(), Some("http://box.lan:8080/".into())))
        );
        assert_eq!(link(port("127.0.0.1", Some(53), 53, "udp")), Some(("127.0.0.1:53/udp".into(), None)));
        assert_eq!(
            link(port("::1", Some(443), 443, "tcp")),
            Some(("::1:443".into(), Some("https://[::1]:443/".into())))
        );
        assert_eq!(link(port("", None, 80, "tcp")), None);
    }
}
