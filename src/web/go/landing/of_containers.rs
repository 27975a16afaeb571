//! Commands on containers.

use super::{Hit, Query, Way};
use crate::{
    command::{intent::Ask, words::join},
    engine::{Container, SIGNALS, Verb},
    web::{address::address, containers::StateMark, files},
};

/// Lines of a log's page at most.
const MOST_LINES: u64 = 2_000;
/// The states of what is stopped, of which docker's filter takes one each.
const STOPPED: [&str; 4] = ["created", "exited", "dead", "removing"];

impl Way<'_> {
    /// A page of a container, with the command on it.
    pub(super) fn container(&self, does: &str, it: &Container, page: &str, query: Query) -> Hit {
        let after = self.intent.words.iter().skip(1).map(String::as_str);
        let about = self.intent.echo([it.name.as_str()].into_iter().chain(after));
        let path = address(&format!("/containers/{}{page}", it.id), query);
        Hit { mark: Some(StateMark::of(it)), ..Hit::new(format!("{does} {}", it.name), path, about) }
    }

    pub(super) fn of_containers(&mut self) {
        let picture = self.page.picture.clone();
        let all = &picture.containers;
        let first = self.word(0).map(str::to_owned);
        let first = first.as_deref();
        match self.intent.command.ask {
            Ask::Containers => self.list(),
            Ask::ContainerPrune => {
                self.place(
                    "Stopped containers: tick those that are to go",
                    "/containers",
                    vec![("show", "stopped".into())],
                );
            }
            Ask::Act => {
                // Docker's words are ours, but for one.
                let word = self.intent.command.name();
                let verb = if word == "rm" { Some(Verb::Remove) } else { word.parse().ok() };
                verb.into_iter().for_each(|verb| self.act(verb));
            }
            Ask::Logs => {
                let query = self.log();
                self.each(all, first, |way, it| way.container("Logs of", it, "/logs", query.clone()));
                self.at_most(1);
            }
            Ask::Exec => {
                let command = join(self.intent.words.iter().skip(1));
                let query = vec![("command", command), ("user", self.flag("user")), ("workdir", self.flag("workdir"))];
                self.each(all, first, |way, it| way.container("Terminal in", it, "/terminal", query.clone()));
            }
            Ask::Stats if first.is_none() => {
                let query = vec![("show", "running".to_owned()), ("sort", "cpu".to_owned())];
                self.place("Containers, by what they use", "/containers", query);
            }
            Ask::Update => {
                let query: Query = self.intent.flags.clone();
                self.each(all, first, |way, it| way.container("Limits of", it, "/update", query.clone()));
                self.at_most(1);
            }
            Ask::Files => self.files(),
            Ask::Commit => {
                let query = self.commit();
                self.each(all, first, |way, it| way.container("Image of", it, "/commit", query.clone()));
                self.at_most(2);
            }
            ask => {
                let (does, page) = match ask {
                    Ask::Attach => ("Attach to", "/attach"),
                    Ask::Top => ("Processes of", "/processes"),
                    Ask::Stats => ("Use of", "/stats"),
                    Ask::Diff => ("Changes of", "/changes"),
                    Ask::Export => ("Export", "/export"),
                    _ => ("Ports of", ""),
                };
                if ask == Ask::Stats {
                    return self.each_of_all(all, |way, it| way.container(does, it, page, Query::new()));
                }
                self.each(all, first, |way, it| way.container(does, it, page, Query::new()));
                if ask == Ask::Top {
                    if self.word(1).is_some() {
                        self.note("The options of ps are left out: the page has columns to choose from.");
                    }
                } else {
                    self.at_most(1);
                }
            }
        }
    }

    /// The form of a verb, for one or for many.
    fn act(&mut self, verb: Verb) {
        let (picture, intent) = (self.page.picture.clone(), self.intent);
        let on_podman = picture.is_podman();
        let query = self.of_verb(verb);
        let page = format!("/{}", verb.word());
        let words = if verb == Verb::Rename { intent.words.get(..1).unwrap_or_default() } else { &intent.words };
        let hit = |way: &Self, it: &Container| Hit {
            about: match verb {
                Verb::Rename => {
                    intent.echo([it.name.as_str()].into_iter().chain(intent.words.get(1).map(String::as_str)))
                }
                _ => intent.echo([it.name.as_str()]),
            },
            ..way.container(verb.label(), it, &page, query.clone())
        };
        let mut meant = Vec::new();
        let mut is_sure = !words.is_empty();
        for word in words {
            let found = self.meant(&picture.containers, Some(word));
            is_sure &= found.is_sure;
            meant.extend(found.all);
        }
        if words.is_empty() {
            meant.extend(picture.containers.values().filter(|it| it.verbs(on_podman).contains(&verb)).cloned());
        }
        meant.dedup_by(|a, b| a.id == b.id);
        if let (true, [_, _, ..]) = (is_sure, meant.as_slice()) {
            let ids = meant.iter().map(|it| ("id", it.id.to_string()));
            let parts = [("action", verb.word().to_owned())].into_iter().chain(ids).chain(query);
            let name = format!("{} {} containers", verb.label(), meant.len());
            let about = intent.echo(meant.iter().map(|it| it.name.as_str()));
            return self.sure(Hit::new(name, address("/containers/confirm", parts), about));
        }
        if !is_sure {
            // What can be done comes before what the engine would refuse.
            meant.sort_by_key(|it| !it.verbs(on_podman).contains(&verb));
        }
        let hits: Vec<Hit> = meant.iter().map(|it| hit(self, it)).collect();
        self.landing.hits.extend(hits);
        self.landing.is_sure = is_sure;
        if verb == Verb::Rename {
            self.at_most(2);
        }
    }

    /// What is said to a verb, as its form has it.
    fn of_verb(&self, verb: Verb) -> Query {
        match verb {
            Verb::Stop | Verb::Restart => {
                let timeout = self.intent.flag("timeout").or_else(|| self.intent.flag("time"));
                vec![("timeout", timeout.unwrap_or_default().to_owned())]
            }
            Verb::Kill => {
                let signal = self.flag("signal").to_ascii_uppercase();
                let signal = signal.strip_prefix("SIG").unwrap_or(&signal).to_owned();
                let is_listed = SIGNALS.iter().any(|(name, _)| *name == signal);
                vec![(if is_listed { "signal" } else { "other" }, signal)]
            }
            Verb::Rename => vec![("name", self.word(1).unwrap_or_default().to_owned())],
            Verb::Remove => ["force", "volumes", "link"].map(|flag| (flag, self.switch(flag))).into(),
            Verb::Start | Verb::Pause | Verb::Unpause => Query::new(),
        }
    }

    fn list(&mut self) {
        let is_set = self.intent.is_set("all");
        let mut query = Query::new();
        let mut states = Vec::new();
        for filter in self.intent.all("filter").map(str::to_owned).collect::<Vec<_>>() {
            let (name, value) = filter.split_once('=').unwrap_or((filter.as_str(), ""));
            match name {
                "status" => states.push(value.to_owned()),
                "health" | "label" | "network" | "volume" => {
                    let name = ["health", "label", "network", "volume"].into_iter().find(|known| *known == name);
                    query.extend(name.map(|name| (name, value.to_owned())));
                }
                "ancestor" => query.push(("image", value.to_owned())),
                "name" | "id" | "publish" | "expose" => query.push(("q", value.to_owned())),
                _ => self.note(format!(
                    "The list has no filter “{}”: it is left out.",
                    name.chars().take(60).collect::<String>()
                )),
            }
        }
        let show = match states.as_slice() {
            [] if is_set => "all",
            [] => "running",
            [one] => {
                query.push(("state", one.clone()));
                "all"
            }
            many if many.iter().all(|state| STOPPED.contains(&state.as_str())) => "stopped",
            _ => {
                self.note("The list shows one state at a time, or all.");
                "all"
            }
        };
        query.push(("show", if show == "all" { String::new() } else { show.to_owned() }));
        self.at_most(0);
        self.place("Containers", "/containers", query);
    }

    /// What is asked of a log, as its page has it.
    fn log(&mut self) -> Query {
        let tail = self.flag("tail");
        let lines = match tail.parse::<u64>() {
            Ok(lines) if lines > MOST_LINES => {
                self.note(format!("The page shows {MOST_LINES} lines at once, and more as one scrolls."));
                MOST_LINES.to_string()
            }
            Ok(lines) if lines > 0 => lines.to_string(),
            _ => String::new(),
        };
        vec![("n", lines), ("since", self.flag("since")), ("until", self.flag("until"))]
    }

    fn commit(&self) -> Query {
        let goes_on = self.intent.is_set("no-pause") || self.intent.flag("pause") == Some("false");
        let mut query = vec![
            ("reference", self.word(1).unwrap_or_default().to_owned()),
            ("comment", self.flag("message")),
            ("author", self.flag("author")),
            ("no-pause", crate::web::address::tick(goes_on).to_owned()),
        ];
        for change in self.intent.all("change") {
            let (word, value) = change.trim().split_once(char::is_whitespace).unwrap_or((change, ""));
            query.push(("change-instruction", word.to_ascii_uppercase()));
            query.push(("change-value", value.trim().to_owned()));
        }
        query
    }

    /// `docker cp`: to the folder, from which files are taken and into which they are put.
    fn files(&mut self) {
        let picture = self.page.picture.clone();
        let inside = self.intent.words.iter().find_map(|word| word.split_once(':'));
        let (word, path) = match inside {
            Some((word, path)) => (Some(word.to_owned()), path.to_owned()),
            None => (self.word(0).map(str::to_owned), String::new()),
        };
        let about = self.intent.echo(&self.intent.words);
        self.each(&picture.containers, word.as_deref(), |_, it| {
            let path = if path.starts_with('/') { path.clone() } else { format!("/{path}") };
            let hit =
                Hit::new(format!("Files of {}: {path}", it.name), files::in_container(&it.id, &path), about.clone());
            Hit { mark: Some(StateMark::of(it)), ..hit }
        });
    }
}
