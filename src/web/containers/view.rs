//! What the list shows: the address, parsed; the containers that fit it; and the docker command of exactly that.

use std::{cmp::Ordering, collections::BTreeMap, sync::Arc};

use crate::{
    command::echo,
    engine::{Container, ContainerId, Figures, Health, Picture, encoded},
    web::{address, extract::Fields, html::count, order::natural},
};

/// Rows on a page.
const ROWS: usize = 50;

/// Which containers, by what they are about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Show {
    #[default]
    All,
    Running,
    Stopped,
    Attention,
}

impl Show {
    pub const EACH: [(Self, &'static str, &'static str); 4] = [
        (Self::All, "all", "All"),
        (Self::Running, "running", "Running"),
        (Self::Stopped, "stopped", "Stopped"),
        (Self::Attention, "attention", "Needs attention"),
    ];

    pub fn takes(self, container: &Container) -> bool {
        match self {
            Self::All => true,
            Self::Running => container.state.is_up(),
            Self::Stopped => !container.state.is_up(),
            Self::Attention => container.attention().is_some(),
        }
    }

    pub fn word(self) -> &'static str {
        Self::EACH.into_iter().find(|(show, ..)| *show == self).map_or("all", |(_, word, _)| word)
    }
}

/// The filters that take a text, by their names in the address and in `docker ps --filter`.
pub const FILTERS: [(&str, &str); 6] = [
    ("state", "status"),
    ("health", "health"),
    ("label", "label"),
    ("image", "ancestor"),
    ("network", "network"),
    ("volume", "volume"),
];

/// What to show: the address, parsed.
#[derive(Debug, Clone, Default)]
pub struct View {
    pub show: Show,
    pub search: String,
    pub filters: Vec<(&'static str, String)>,
    pub sort: String,
    pub descending: bool,
    pub grouped: bool,
    pub shut: Vec<String>,
    pub page: usize,
}

impl View {
    pub fn parse(query: &Fields) -> Self {
        let (sort, descending) = address::sort(query, &SORTS.map(|(name, _)| name), "name");
        Self {
            show: address::choice(query, "show", &Show::EACH),
            search: query.text("q").unwrap_or_default().to_lowercase(),
            filters: FILTERS
                .into_iter()
                .flat_map(|(name, _)| query.all(name).map(move |value| (name, value.trim().to_owned())))
                .filter(|(_, value)| !value.is_empty() && value != "any")
                .collect(),
            sort: sort.to_owned(),
            descending,
            grouped: query.get("group") != Some("none"),
            shut: query.all("shut").map(str::to_owned).collect(),
            page: query.page(),
        }
    }

    /// The address of this view.
    pub fn path(&self) -> String {
        let sort = address::sort_word((&self.sort, self.descending), "name");
        let page = address::page(self.page);
        let parts = [("show", address::word(self.show, &Show::EACH)), ("q", &self.search)]
            .into_iter()
            .chain(self.filters.iter().map(|(name, value)| (*name, value.as_str())))
            .chain([("sort", sort.as_str()), ("group", if self.grouped { "" } else { "none" })])
            .chain(self.shut.iter().map(|stack| ("shut", stack.as_str())))
            .chain([("page", page.as_str())]);
        address::address("/containers", parts)
    }

    /// The address, to be put into the query of another.
    pub fn back(&self) -> String {
        encoded(&self.path())
    }

    pub fn with(&self, change: impl FnOnce(&mut Self)) -> String {
        let mut other = Self { page: 1, ..self.clone() };
        change(&mut other);
        other.path()
    }

    pub fn filter(&self, name: &str) -> &str {
        self.filters.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    /// Whether it is sorted by what containers use.
    pub fn is_by_use(&self) -> bool {
        matches!(self.sort.as_str(), "cpu" | "memory")
    }

    pub fn is_filtered(&self) -> bool {
        !self.search.is_empty() || !self.filters.is_empty()
    }

    fn takes(&self, container: &Container) -> bool {
        self.show.takes(container)
            && self.filters.iter().all(|(name, value)| fits(container, name, value))
            && finds(container, &self.search)
    }

    /// The docker command that lists the same, and what to say where there is none.
    pub fn command(&self) -> (String, Option<&'static str>) {
        let mut filters: Vec<(&str, &str)> = Vec::new();
        for (name, value) in &self.filters {
            let docker = FILTERS.into_iter().find(|(ours, _)| ours == name).map_or(*name, |(_, docker)| docker);
            filters.push((docker, value));
        }
        let says_state = !self.filter("state").is_empty();
        if self.show == Show::Stopped && !says_state {
            filters.extend(["created", "exited", "dead", "removing"].map(|state| ("status", state)));
        }
        let command = echo::ps(self.show != Show::Running || says_state, &filters);
        let piped = if self.search.is_empty() {
            command
        } else {
            format!(
                "{command} | {}",
                crate::command::words::join(["grep".to_owned(), "-i".to_owned(), "--".to_owned(), self.search.clone()])
            )
        };
        let note = match self.show {
            Show::Attention => Some("docker has no filter for “needs attention”"),
            _ if !self.search.is_empty() => Some("this console also searches ids, labels and ports"),
            _ => None,
        };
        (piped, note)
    }
}

/// Text search over name, id, image, label and port; `text` is in lower case.
pub fn finds(container: &Container, text: &str) -> bool {
    let has = |field: &str| field.to_lowercase().contains(text);
    text.is_empty()
        || has(&container.name)
        || container.id.as_str().starts_with(text)
        || has(&container.image)
        || container.labels.iter().any(|(key, value)| has(key) || has(value) || has(&format!("{key}={value}")))
        || text
            .trim_start_matches(':')
            .parse::<u16>()
            .is_ok_and(|port| container.ports.iter().any(|p| p.private == port || p.public == Some(port)))
}

/// Whether a container passes one filter, by the rules of `docker ps --filter`; an image may be a part of its name.
fn fits(container: &Container, name: &str, value: &str) -> bool {
    match name {
        "state" => container.state.word() == value,
        "health" => container.health.map_or("none", Health::word) == value,
        "label" => match value.split_once('=') {
            Some((key, value)) => container.labels.get(key).is_some_and(|has| has == value),
            None => container.labels.contains_key(value),
        },
        "image" => container.image.contains(value),
        "network" => container.networks.iter().any(|at| at.network == value),
        "volume" => container.mounts.iter().any(|mount| mount.source == value || mount.target == value),
        _ => true,
    }
}

/// What each container uses, as far as that is known.
pub type Uses = BTreeMap<ContainerId, Arc<Figures>>;

type Order = fn(&Container, &Container, &Uses) -> Ordering;

/// Those first that use most of it, then those of whom it is not known.
fn by_use(a: &Container, b: &Container, uses: &Uses, of: fn(&Figures) -> Option<f64>) -> Ordering {
    let used = |container: &Container| uses.get(&container.id).and_then(|figures| of(figures)).unwrap_or(-1.0);
    used(b).total_cmp(&used(a)).then_with(|| natural(&a.name, &b.name))
}

/// What can be sorted by.
const SORTS: [(&str, Order); 7] = [
    ("name", |a, b, _| natural(&a.name, &b.name)),
    ("state", |a, b, _| a.state.cmp(&b.state).then_with(|| natural(&a.name, &b.name))),
    ("image", |a, b, _| a.image.cmp(&b.image).then_with(|| natural(&a.name, &b.name))),
    ("since", |a, b, _| b.since.cmp(&a.since).then_with(|| natural(&a.name, &b.name))),
    ("created", |a, b, _| b.created.cmp(&a.created).then_with(|| natural(&a.name, &b.name))),
    ("cpu", |a, b, uses| by_use(a, b, uses, |figures| figures.cpu)),
    ("memory", |a, b, uses| {
        by_use(a, b, uses, |figures| figures.memory.and_then(|bytes| u32::try_from(bytes >> 10).ok()).map(f64::from))
    }),
];

/// A line of the table: a stack's heading or a container.
pub enum Line<'a> {
    Stack(Stack),
    Container(&'a Container),
}

/// The heading of a stack.
pub struct Stack {
    pub key: String,
    pub name: String,
    pub is_stack: bool,
    pub says: String,
    pub attention: usize,
    pub shut: bool,
    pub toggle: String,
}

/// What a view shows of a picture.
pub struct Listing<'a> {
    pub lines: Vec<Line<'a>>,
    /// How many containers pass the filters, shut stacks included.
    pub matching: usize,
    /// How many of the lines' containers there are over all pages.
    pub open: usize,
    pub first: usize,
    pub last: usize,
    pub pages: usize,
}

impl View {
    pub fn list<'a>(&self, picture: &'a Picture, uses: &Uses) -> Listing<'a> {
        let mut found: Vec<&Arc<Container>> =
            picture.containers.values().filter(|container| self.takes(container)).collect();
        let order = SORTS.into_iter().find(|(name, _)| *name == self.sort).map_or(SORTS[0].1, |(_, order)| order);
        found.sort_by(|a, b| {
            let stack = |container: &Container| container.stack().map(str::to_owned);
            // Stacks first, by name; what stands on its own last.
            let by_stack = || match (stack(a), stack(b)) {
                (None, Some(_)) => Ordering::Greater,
                (Some(_), None) => Ordering::Less,
                (a, b) => a.cmp(&b),
            };
            let grouping = if self.grouped { by_stack() } else { Ordering::Equal };
            grouping.then_with(|| if self.descending { order(b, a, uses) } else { order(a, b, uses) })
        });
        let matching = found.len();
        let has_stacks = self.grouped && found.iter().any(|container| container.stack().is_some());
        let key = |container: &Container| container.stack().unwrap_or("-").to_owned();
        let mut lines: Vec<Line<'a>> = Vec::new();
        let (mut open, mut current) = (0, None);
        let first = (self.page - 1).saturating_mul(ROWS);
        for container in &found {
            let group = has_stacks.then(|| key(container));
            let shut = group.as_ref().is_some_and(|group| self.shut.contains(group));
            let on_page =
                if shut { open >= first && open <= first + ROWS } else { (first..first + ROWS).contains(&open) };
            if on_page && group.is_some() && group != current {
                let members = found.iter().filter(|other| group.as_deref() == Some(&key(other)));
                let members: Vec<&Container> = members.map(AsRef::as_ref).collect();
                lines.push(Line::Stack(self.stack(group.clone().unwrap_or_default(), &members, shut)));
                current.clone_from(&group);
            }
            if !shut {
                if on_page {
                    lines.push(Line::Container(container));
                }
                open += 1;
            }
        }
        let pages = open.div_ceil(ROWS).max(1);
        Listing { lines, matching, open, first: (first + 1).min(open), last: (first + ROWS).min(open), pages }
    }

    fn stack(&self, key: String, members: &[&Container], shut: bool) -> Stack {
        let running = members.iter().filter(|container| container.state.is_up()).count();
        let attention = members.iter().filter(|container| container.attention().is_some()).count();
        let is_stack = key != "-";
        let state = match running {
            0 => "none running".to_owned(),
            all if all == members.len() => "all running".to_owned(),
            some => format!("{some} running"),
        };
        let toggle = self.with(|view| {
            view.page = self.page;
            if shut {
                view.shut.retain(|stack| *stack != key);
            } else {
                view.shut.push(key.clone());
            }
        });
        Stack {
            name: if is_stack { key.clone() } else { "on their own".to_owned() },
            says: format!("{}, {state}", count(members.len(), "container")),
            key,
            is_stack,
            attention,
            shut,
            toggle,
        }
    }
}

impl Stack {
    /// Its element's id: names of stacks are free text, so their bytes are written in hex.
    pub fn id(&self) -> String {
        use std::fmt::Write as _;
        self.key.bytes().fold("stack-".to_owned(), |mut id, byte| {
            let _ = write!(id, "{byte:02x}");
            id
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::State;

    fn command(query: &str) -> String {
        View::parse(&Fields::parse(query.as_bytes())).command().0
    }

    #[test]
    fn the_title_is_the_docker_command_of_the_view() {
        assert_eq!(command(""), "docker ps -a");
        assert_eq!(command("show=running"), "docker ps");
        assert_eq!(command("state=exited"), "docker ps -a --filter status=exited");
        assert_eq!(command("show=running&label=a b&network=x"), "docker ps --filter 'label=a b' --filter network=x");
        assert_eq!(command("q=it's"), r#"docker ps -a | grep -i -- "it's""#);
    }

    #[test]
    fn addresses_come_back_as_they_were() {
        for path in ["/containers", "/containers?show=running&q=a+b&state=exited&sort=-since&group=none&shut=x&page=3"]
        {
            let query = path.split_once('?').map_or("", |(_, query)| query);
            assert_eq!(View::parse(&Fields::parse(query.as_bytes())).path(), path);
        }
    }

    #[test]
    fn every_state_of_the_engine_has_a_place() {
        assert!(State::ALL.iter().all(|state| !state.word().is_empty() && !state.meaning().is_empty()));
    }
}
