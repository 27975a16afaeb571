//! What may be a secret, taken out of what is told (S044). Names of things, keys and states stay: people have to see
//! what there is.

use std::{collections::BTreeMap, sync::Arc};

use super::{Reach, Scope, Secrets, raw};
use crate::engine::{
    Check, Container, ContainerId, Detail, Engine, EnvVar, Error, Event, Image, Info, Network, Outage, Part, Progress,
    Stage, Volume,
    containers::{SERVICE, STACK},
};

/// What stands in the place of a value that is not shown.
pub const HIDDEN: &str = "‹hidden›";

/// Labels whose values say where something belongs, and no more.
pub(super) const OPEN_LABELS: [&str; 2] = [STACK, SERVICE];
/// Words of a docker command that say what it does.
const VERBS: [&str; 26] = [
    "docker",
    "container",
    "volume",
    "network",
    "connect",
    "disconnect",
    "run",
    "create",
    "start",
    "stop",
    "restart",
    "kill",
    "pause",
    "unpause",
    "rm",
    "prune",
    "commit",
    "export",
    "image",
    "pull",
    "push",
    "rmi",
    "tag",
    "load",
    "import",
    "system",
];
/// Flags of `docker run` whose values hold `name=secret`.
const SETTINGS: [&str; 3] = ["-e", "--env", "--log-opt"];

fn hidden() -> String {
    HIDDEN.to_owned()
}

impl Reach {
    /// Whether only what is known to be harmless is told.
    pub(in crate::engine) fn hides(&self) -> bool {
        self.secrets == Secrets::Hidden
    }

    /// A container of the list.
    pub(super) fn container(&self, found: &Arc<Container>) -> Arc<Container> {
        if !self.hides() {
            return found.clone();
        }
        Arc::new(Container { command: hidden(), labels: self.labels(&found.labels), ..Container::clone(found) })
    }

    /// An image of the list.
    pub(super) fn image(&self, found: &Arc<Image>) -> Arc<Image> {
        if !self.hides() {
            return found.clone();
        }
        Arc::new(Image { labels: self.labels(&found.labels), ..Image::clone(found) })
    }

    /// A volume of the list. Its options are masked already, for everybody.
    pub(super) fn volume(&self, found: &Arc<Volume>) -> Arc<Volume> {
        if !self.hides() {
            return found.clone();
        }
        Arc::new(Volume { labels: self.labels(&found.labels), ..Volume::clone(found) })
    }

    /// A network of the list. Its options are masked already, for everybody.
    pub(super) fn network(&self, found: &Arc<Network>) -> Arc<Network> {
        if !self.hides() {
            return found.clone();
        }
        Arc::new(Network { labels: self.labels(&found.labels), ..Network::clone(found) })
    }

    pub(in crate::engine) fn labels(&self, labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        labels.iter().map(|(key, value)| (key.clone(), self.label(key, value))).collect()
    }

    /// A label's value: of those that may be known, and of what the reader's own scope says, which they know.
    pub(super) fn label(&self, key: &str, value: &str) -> String {
        let is_own = self
            .scope
            .iter()
            .any(|part| matches!(part, Scope::Label { .. }) && part.key() == key && part.takes_value(value));
        if is_own || OPEN_LABELS.contains(&key) { value.to_owned() } else { hidden() }
    }

    /// What the engine says of itself. Its labels may say anything; where it goes out through is for who may change that.
    pub(in crate::engine) fn info(&self, found: &Arc<Info>) -> Arc<Info> {
        let proxy = |proxy: &str| if proxy.is_empty() { String::new() } else { hidden() };
        let label = |label: &String| format!("{}={HIDDEN}", label.split('=').next().unwrap_or_default());
        let mut info = Info::clone(found);
        if self.is_scoped() {
            // How much others have.
            (info.containers, info.containers_running) = (0, 0);
        }
        if self.hides() {
            info.labels = info.labels.iter().map(label).collect();
            (info.http_proxy, info.https_proxy) = (proxy(&info.http_proxy), proxy(&info.https_proxy));
        }
        Arc::new(info)
    }

    /// Something that happened. A container's labels are among the attributes.
    pub(in crate::engine) fn event(&self, found: &Arc<Event>) -> Arc<Event> {
        if !self.hides() {
            return found.clone();
        }
        let attribute = |(key, value): (&String, &String)| {
            let value = if found.is_harmless(key, value) { value.clone() } else { self.label(key, value) };
            (key.clone(), value)
        };
        let is_known = |detail: &String| matches!(detail.as_str(), "healthy" | "unhealthy" | "starting" | "running");
        Arc::new(Event {
            detail: found.detail.as_ref().map(|detail| if is_known(detail) { detail.clone() } else { hidden() }),
            attributes: found.attributes.iter().map(attribute).collect(),
            ..Event::clone(found)
        })
    }

    /// Everything about a container.
    pub(in crate::engine) fn detail(&self, found: &Arc<Detail>) -> Arc<Detail> {
        if self.secrets == Secrets::Shown {
            return found.clone();
        }
        let mut detail = Detail::clone(found);
        detail.env.iter_mut().for_each(|EnvVar { value, .. }| *value = hidden());
        detail.raw = raw::container(self, detail.raw);
        if self.hides() {
            detail.error = detail.error.map(|_| hidden());
            if !detail.command.is_empty() {
                detail.command = vec![hidden()];
            }
            detail.checks.iter_mut().for_each(|Check { output, .. }| *output = hidden());
            if let Some(check) = &mut detail.healthcheck {
                check.test = vec![hidden()];
            }
        }
        Arc::new(detail)
    }

    /// Why something failed: the engine repeats what it was asked, command lines among it.
    fn error(&self, error: Error) -> Error {
        if !self.hides() {
            return error;
        }
        match error {
            Error::NotFound(_) => Error::NotFound(hidden()),
            Error::Conflict(_) => Error::Conflict(hidden()),
            Error::Invalid(_) => Error::Invalid(hidden()),
            Error::Denied(_) => Error::Denied(hidden()),
            Error::Unsupported(_) => Error::Unsupported(hidden()),
            Error::Unreadable { driver, .. } => Error::Unreadable { driver, words: hidden() },
            Error::Engine { status, .. } => Error::Engine { status, message: hidden() },
            Error::Unreachable(Outage::Other(_)) => Error::Unreachable(Outage::Other(hidden())),
            // Ours: they hold no text of the engine's.
            error @ (Error::Forbidden(_) | Error::OwnContainer(_) | Error::Unreachable(_) | Error::TimedOut { .. }) => {
                error
            }
        }
    }

    /// How far a job is.
    pub(in crate::engine) fn progress(&self, mut job: Progress) -> Progress {
        if self.secrets < Secrets::Shown {
            job.command = if self.hides() { verbs_of(&job.command) } else { without_settings(&job.command) };
        }
        if !self.hides() {
            return job;
        }
        if let Stage::Failed { error, container } = job.stage {
            job.stage = Stage::Failed { error: self.error(error), container };
        }
        for Part { result, .. } in &mut job.parts {
            *result = result.take().map(|result| result.map_err(|error| self.error(error)));
        }
        job.lines.iter_mut().for_each(|line| *line = hidden());
        for step in &mut job.steps {
            step.name = hidden();
            step.lines.iter_mut().for_each(|line| *line = hidden());
        }
        job
    }
}

impl Engine {
    /// Why something failed, as far as this reach goes: without the command lines that the engine repeats, and without
    /// the ids of others that it names.
    pub(in crate::engine) fn told(&self, error: Error) -> Error {
        if !self.reach.is_scoped() {
            return self.reach.error(error);
        }
        let picture = self.live.picture();
        let is_ours =
            |id: &ContainerId| picture.containers.get(id).is_some_and(|found| self.reach.takes(&found.labels));
        let words = |text: String| {
            let ids: Vec<ContainerId> =
                text.split(|c: char| !c.is_ascii_hexdigit()).filter_map(|word| word.parse().ok()).collect();
            ids.iter().filter(|id| !is_ours(id)).fold(text, |text, id| text.replace(id.as_str(), HIDDEN))
        };
        self.reach.error(match error {
            Error::Conflict(text) => Error::Conflict(words(text)),
            Error::Engine { status, message } => Error::Engine { status, message: words(message) },
            other => other,
        })
    }
}

/// `docker run …`: what a command does, without with what.
fn verbs_of(command: &str) -> String {
    let words: Vec<&str> = command.split(' ').collect();
    let known = words.iter().take(3).take_while(|word| VERBS.contains(word)).count();
    let (verbs, rest) = words.split_at(known);
    let rest = if rest.is_empty() { None } else { Some(HIDDEN) };
    verbs.iter().copied().chain(rest).collect::<Vec<_>>().join(" ")
}

/// The command without the values of variables and of drivers' options.
fn without_settings(command: &str) -> String {
    let Ok(words) = shell_words::split(command) else { return verbs_of(command) };
    let mut flag = String::new();
    let shown = words.iter().map(|word| {
        let setting = word.split_once('=').filter(|_| SETTINGS.contains(&flag.as_str()));
        let shown = match setting {
            Some((name, _)) => format!("{name}={HIDDEN}"),
            None if word.contains("volume-opt") => hidden(),
            None => word.clone(),
        };
        flag.clone_from(word);
        shown
    });
    let shown: Vec<_> = shown.collect();
    if shown == words {
        // With its quotes as they were.
        return command.to_owned();
    }
    // The marker needs no quotes for a reader.
    shell_words::join(shown).replace(&format!("'{HIDDEN}'"), HIDDEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s044_a_command_is_told_without_its_secrets() {
        let line = "docker run -d --name web -e A=hunter2 -e 'B=x hunter2' --mount type=volume,dst=/x,volume-opt=o=hunter2 nginx sh -c ls";
        let masked = without_settings(line);
        assert!(
            !masked.contains("hunter2") && masked.ends_with(" nginx sh -c ls") && masked.contains(" 'A=‹hidden›' "),
            "{masked}"
        );
        assert_eq!(verbs_of(line), "docker run ‹hidden›");
        assert_eq!(verbs_of("docker stop"), "docker stop");
        assert_eq!(verbs_of("docker volume rm hunter2"), "docker volume rm ‹hidden›");
        assert_eq!(verbs_of("hunter2"), "‹hidden›");
    }

    #[test]
    fn s044_a_label_is_told_to_who_knows_it() {
        let reach = Reach::viewer(vec!["label:team=red".parse().unwrap(), "label:tier".parse().unwrap()]);
        for (key, value, shown) in [
            ("team", "red", "red"),
            ("team", "blue", HIDDEN),
            ("tier", "web", "web"),
            ("token", "hunter2", HIDDEN),
            (STACK, "shop", "shop"),
        ] {
            assert_eq!(reach.label(key, value), shown, "{key}={value}");
        }
    }
}
