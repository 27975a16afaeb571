//! Commands on images, volumes, networks and the engine.

use super::{Hit, Query, Way};
use crate::{
    command::intent::Ask,
    engine::{Image, Network, Volume, encoded},
    web::address::address,
};

/// The ages that a prune of images knows: see its page.
const AGES: [&str; 3] = ["24h", "168h", "720h"];

/// `NAME=value` as the rows of a form have it.
fn rows(query: &mut Query, (name, value): (&'static str, &'static str), pairs: impl Iterator<Item = String>) {
    for pair in pairs {
        let (key, said) = pair.split_once('=').unwrap_or((&pair, ""));
        query.extend([(name, key.to_owned()), (value, said.to_owned())]);
    }
}

impl Way<'_> {
    /// A page of an image.
    pub(super) fn image(&self, does: &str, it: &Image, page: &str, query: Query) -> Hit {
        let after = self.intent.words.iter().skip(1).map(String::as_str);
        let about = self.intent.echo([it.name()].into_iter().chain(after));
        Hit::new(format!("{does} {}", it.name()), address(&format!("/images/{}{page}", it.id), query), about)
    }

    /// A page of a volume.
    pub(super) fn volume(&self, does: &str, it: &Volume, page: &str) -> Hit {
        let name = it.name.as_str();
        Hit::new(format!("{does} {name}"), format!("/volumes/{name}{page}"), self.intent.echo([name]))
    }

    /// A page of a network.
    pub(super) fn network(&self, does: &str, it: &Network, page: &str) -> Hit {
        Hit::new(format!("{does} {}", it.name), format!("/networks/{}{page}", it.id), self.intent.echo([&it.name]))
    }

    /// The tags of an image that were named, and not its id.
    fn tags(&self, it: &Image) -> Query {
        let is_named =
            |tag: &&String| self.intent.words.iter().any(|word| *word == **tag || format!("{word}:latest") == **tag);
        it.tags.iter().filter(is_named).map(|tag| ("tag", tag.clone())).collect()
    }

    /// All values of a flag.
    fn values(&self, long: &str) -> Vec<String> {
        self.intent.all(long).map(str::to_owned).collect()
    }

    /// The filters of a list that has only a few: what each of them is there. The others are told of.
    fn filters(&mut self, known: impl Fn(&str, &str) -> Option<(&'static str, String)>) -> Query {
        let mut query = Query::new();
        for filter in self.values("filter") {
            let (name, value) = filter.split_once('=').unwrap_or((&filter, ""));
            if let Some(part) = known(name, value) {
                query.push(part);
            } else {
                let filter: String = filter.chars().take(60).collect();
                self.note(format!("This page has no filter “{filter}”: it is left out."));
            }
        }
        query
    }

    pub(super) fn of_images(&mut self) {
        let picture = self.page.picture.clone();
        let all = &*picture.images;
        let first = self.word(0).map(str::to_owned);
        let word = first.clone().unwrap_or_default();
        let first = first.as_deref();
        match self.intent.command.ask {
            Ask::Pull => {
                let query =
                    vec![("reference", word), ("all", self.switch("all-tags")), ("platform", self.flag("platform"))];
                self.at_most(1);
                self.place("Pull an image", "/images/pull", query);
            }
            Ask::Push => self.each(all, first, |way, it| way.image("Push", it, "/push", way.tags(it))),
            Ask::History => self.each(all, first, |way, it| way.image("Layers of", it, "", Query::new())),
            Ask::Tag => {
                let query = vec![("reference", self.word(1).unwrap_or_default().to_owned())];
                self.each(all, first, |way, it| way.image("Tag", it, "/tag", query.clone()));
                self.at_most(2);
            }
            Ask::Rmi => {
                let force = self.switch("force");
                self.each_of_all(all, |way, it| {
                    let query = [("force", force.clone())].into_iter().chain(way.tags(it)).collect();
                    Hit { about: way.intent.echo([it.name()]), ..way.image("Remove", it, "/remove", query) }
                });
            }
            Ask::Save => {
                let mut query = Query::new();
                for word in self.intent.words.clone() {
                    let found = self.meant(all, Some(&word));
                    query.extend(found.all.first().filter(|_| found.is_sure).map(|it| ("id", it.id.to_string())));
                }
                self.place("Save images", "/images/save", query);
            }
            Ask::Images => {
                let mut query = self.filters(|name, value| match (name, value) {
                    ("dangling", "true" | "1") => Some(("show", "dangling".to_owned())),
                    ("reference" | "label", value) => Some(("q", value.trim_matches('*').to_owned())),
                    _ => None,
                });
                query.push(("q", word));
                self.at_most(1);
                self.place("Images", "/images", query);
            }
            Ask::Build => self.build(),
            Ask::Load => self.place("Load images", "/images/load", Query::new()),
            Ask::Import => self.place("Import an image", "/images/import", Query::new()),
            Ask::Search => {
                self.at_most(1);
                self.place("Search for images", "/images/search", vec![("term", word)]);
            }
            _ => {
                let mut query = self.filters(|name, value| {
                    (name == "until" && AGES.contains(&value)).then(|| ("older", value.to_owned()))
                });
                query.push(("all", self.switch("all")));
                self.place("Prune images", "/images/prune", query);
            }
        }
    }

    fn build(&mut self) {
        let context = self.word(0).unwrap_or_default().to_owned();
        let is_address = ["http://", "https://", "git://", "git@", "ssh://", "github.com/"]
            .iter()
            .any(|start| context.starts_with(start));
        let mut query: Query = self.values("tag").into_iter().map(|tag| ("tag", tag)).collect();
        query.extend(self.values("build-arg").into_iter().map(|arg| ("arg", arg)));
        query.extend([
            ("dockerfile", self.flag("file")),
            ("target", self.flag("target")),
            ("platform", self.flag("platform")),
            ("nocache", self.switch("no-cache")),
            ("pull", self.switch("pull")),
            ("address", if is_address { context } else { String::new() }),
        ]);
        self.at_most(1);
        self.place("Build an image", "/build", query);
    }

    pub(super) fn of_volumes(&mut self) {
        let picture = self.page.picture.clone();
        match self.intent.command.ask {
            Ask::Volumes => {
                let query = self.filters(|name, value| match (name, value) {
                    ("dangling", "true" | "1") => Some(("show", "unused".to_owned())),
                    ("dangling", "false" | "0") => Some(("show", "used".to_owned())),
                    ("name" | "driver" | "label", value) => Some(("q", value.to_owned())),
                    _ => None,
                });
                self.place("Volumes", "/volumes", query);
            }
            Ask::VolumeCreate => {
                let mut query =
                    vec![("name", self.word(0).unwrap_or_default().to_owned()), ("driver", self.flag("driver"))];
                rows(&mut query, ("option-name", "option-value"), self.values("opt").into_iter());
                rows(&mut query, ("label-name", "label-value"), self.values("label").into_iter());
                self.at_most(1);
                self.place("New volume", "/volumes/new", query);
            }
            Ask::VolumeRemove => self.each_of_all(&picture.volumes, |way, it| way.volume("Remove", it, "/remove")),
            _ => self.place("Prune volumes", "/volumes/prune", vec![("all", self.switch("all"))]),
        }
    }

    pub(super) fn of_networks(&mut self) {
        let picture = self.page.picture.clone();
        match self.intent.command.ask {
            Ask::Networks => {
                let query = self.filters(|name, value| match (name, value) {
                    ("driver", value) => Some(("driver", value.to_owned())),
                    ("dangling", "true" | "1") => Some(("show", "unused".to_owned())),
                    ("name" | "label" | "id", value) => Some(("q", value.to_owned())),
                    _ => None,
                });
                self.place("Networks", "/networks", query);
            }
            Ask::NetworkCreate => {
                let mut query =
                    vec![("name", self.word(0).unwrap_or_default().to_owned()), ("driver", self.flag("driver"))];
                for flag in ["subnet", "gateway", "ip-range"] {
                    query.extend(self.values(flag).into_iter().map(|value| (flag, value)));
                }
                query.extend(["ipv6", "internal", "attachable"].map(|flag| (flag, self.switch(flag))));
                rows(&mut query, ("option-name", "option-value"), self.values("opt").into_iter());
                rows(&mut query, ("label-name", "label-value"), self.values("label").into_iter());
                self.at_most(1);
                self.place("New network", "/networks/new", query);
            }
            Ask::NetworkRemove => self.each_of_all(&picture.networks, |way, it| way.network("Remove", it, "/remove")),
            Ask::NetworkPrune => self.place("Prune networks", "/networks/prune", Query::new()),
            ask => self.join(ask == Ask::Connect),
        }
    }

    /// To a network, or from it: each network that is meant, with the container where that is clear.
    fn join(&mut self, is_connect: bool) {
        let picture = self.page.picture.clone();
        let [network, container] = [0, 1].map(|at| self.word(at).map(str::to_owned));
        let who = container.as_deref().map(|word| self.meant(&picture.containers, Some(word)));
        let who = who.filter(|who| who.is_sure).and_then(|who| who.all.into_iter().next());
        if !is_connect && who.is_none() {
            return self.each(&picture.networks, network.as_deref(), |way, it| {
                let lead = "Choose who leaves";
                way.network(lead, it, "")
            });
        }
        let mut query = vec![("container", who.as_ref().map(|who| who.id.to_string()).unwrap_or_default())];
        query.extend(self.values("alias").into_iter().map(|alias| ("alias", alias)));
        query.extend([("ip", self.flag("ip")), ("ip6", self.flag("ip6"))]);
        let name = who.as_ref().map_or("a container", |who| &who.name).to_owned();
        let (does, base) =
            if is_connect { ("Connect", "/networks/connect") } else { ("Disconnect", "/networks/disconnect") };
        let after = who.as_ref().map(|who| who.name.clone());
        self.each(&picture.networks, network.as_deref(), |way, it| {
            let parts = [("network", it.id.to_string())].into_iter().chain(query.clone());
            let about = way.intent.echo([it.name.clone()].into_iter().chain(after.clone()));
            let to = if is_connect { "to" } else { "from" };
            Hit::new(format!("{does} {name} {to} {}", it.name), address(base, parts), about)
        });
        self.at_most(2);
    }

    pub(super) fn of_engine(&mut self) {
        let word = self.word(0).unwrap_or_default().to_owned();
        match self.intent.command.ask {
            Ask::Disk => self.place("Disk use", "/engine/disk", Query::new()),
            Ask::Engine => self.place("Engine", "/engine", Query::new()),
            Ask::Events => {
                let mut query = self.filters(|name, value| match name {
                    "type" => Some(("type", value.to_owned())),
                    "event" => Some(("action", value.to_owned())),
                    "container" | "image" | "volume" | "network" => Some(("of", value.to_owned())),
                    "label" => Some(("q", value.to_owned())),
                    _ => None,
                });
                query.extend([("since", self.flag("since")), ("until", self.flag("until"))]);
                let asks = query.iter().any(|(_, value)| !value.is_empty());
                self.place("Events", if asks { "/events/search" } else { "/events" }, query);
            }
            Ask::SystemPrune => {
                let mut query = self.filters(|name, value| match name {
                    "until" => Some(("until", value.to_owned())),
                    "label" => Some(("label", value.to_owned())),
                    "label!" => Some(("label", value.replacen('=', "!=", 1))),
                    _ => None,
                });
                query.extend([("all", self.switch("all")), ("volumes", self.switch("volumes"))]);
                self.place("Prune", "/engine/prune", query);
            }
            Ask::Login => {
                self.at_most(1);
                self.place(
                    "Sign in to a registry",
                    "/registries",
                    vec![("host", word), ("user", self.flag("username"))],
                );
            }
            _ => {
                let host = if word.is_empty() { "docker.io".to_owned() } else { word };
                self.place("Sign out of a registry", &format!("/registries/{}/remove", encoded(&host)), Query::new());
            }
        }
    }
}
