//! Limits of a container that exists, changed in place: a form, with the docker command that does the same.

mod docs;

use crate::web::filters;
use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, Response},
};
use serde::{Deserialize as _, Serialize};
use utoipa::ToSchema;

use super::{frame::find, json::Sketch};
use crate::{
    command::{FLAGS, Flag, echo, processors, size},
    engine::{
        Container, ContainerId, Error as EngineError, Update,
        spec::{HostConfig, Spec},
    },
    team::Right,
    web::{
        Error, Routes,
        chrome::Chrome,
        deed::Deed,
        extract::{Fields, Id, Page, Query, see_other},
        html::html,
    },
};

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/containers/{id}/update", Right::Enter, page)
        .doc(docs::form())
        .post("/containers/{id}/update", Right::Enter, submit)
        .doc(docs::update())
}

/// The flags that `docker update` takes, of those that a form asks for; in its order.
const ASKED: [&str; 8] =
    ["memory", "memory-swap", "memory-reservation", "cpus", "cpu-shares", "cpuset-cpus", "pids-limit", "restart"];

/// Whether the engine can give a flag this value in place; none takes it away.
pub(super) fn is_in_place(flag: &str, value: Option<&str>) -> bool {
    ASKED.contains(&flag) && (value.is_some() || matches!(flag, "restart" | "pids-limit"))
}

fn flags() -> impl Iterator<Item = &'static Flag> {
    ASKED.iter().filter_map(|name| FLAGS.iter().find(|flag| flag.long == *name))
}

/// Limits were changed.
#[derive(Serialize, ToSchema)]
pub struct Updated {
    /// What was done, in a sentence.
    done: String,
    /// The docker command that does the same.
    command: String,
    /// What the engine warns of.
    warnings: Vec<String>,
}

/// A field of the form.
struct Asking {
    flag: &'static Flag,
    value: String,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "containers/update.html")]
struct UpdatePage<'a> {
    chrome: Chrome,
    c: &'a Container,
    fields: Vec<Asking>,
    errors: Vec<(&'static str, String)>,
    warnings: Vec<String>,
    command: String,
    on_podman: bool,
}

/// What a flag says of a container as it is; nothing, where it says nothing.
fn present(flag: &str, host: &HostConfig) -> String {
    let bytes = |bytes: i64| if bytes > 0 { size(bytes) } else { String::new() };
    let number = |number: i64| if number > 0 { number.to_string() } else { String::new() };
    match flag {
        "memory" => bytes(host.memory),
        "memory-swap" if host.memory_swap == -1 => "-1".to_owned(),
        "memory-swap" => bytes(host.memory_swap),
        "memory-reservation" => bytes(host.memory_reservation),
        "cpus" => {
            let period = if host.cpu_period > 0 { host.cpu_period } else { 100_000 };
            let nano = if host.nano_cpus > 0 { host.nano_cpus } else { host.cpu_quota.max(0) * 1_000_000_000 / period };
            if nano > 0 { processors(nano) } else { String::new() }
        }
        "cpu-shares" => number(host.cpu_shares),
        "cpuset-cpus" => host.cpuset_cpus.clone(),
        "pids-limit" => number(host.pids_limit),
        "restart" => match (host.restart_policy.name.as_str(), host.restart_policy.maximum_retry_count) {
            ("", _) => "no".to_owned(),
            (name, tries) if tries > 0 => format!("{name}:{tries}"),
            (name, _) => name.to_owned(),
        },
        _ => String::new(),
    }
}

/// A form, read against what is so: what is to be otherwise.
#[derive(Default)]
struct Read {
    update: Update,
    /// The same as flags.
    words: Vec<(&'static str, String)>,
    errors: Vec<(&'static str, String)>,
}

impl Read {
    fn new(fields: &Fields, host: &HostConfig) -> Self {
        let mut read = Self::default();
        for flag in flags() {
            let is = present(flag.long, host);
            let Some(said) = fields.get(flag.long).map(str::trim).filter(|said| *said != is) else { continue };
            let said = match (flag.long, said) {
                ("pids-limit", "" | "0") => "-1",
                ("restart", "") => "no",
                // The first CPU has the number 0.
                ("cpuset-cpus", said) if !said.is_empty() => said,
                (_, "" | "0") => {
                    let why = "An engine cannot take this limit away in place. Raise it as far as you need, or make the \
                               container anew without it.";
                    read.errors.push((flag.long, why.to_owned()));
                    continue;
                }
                (_, said) => said,
            };
            let mut spec = Spec::default();
            if let Err(why) = (flag.apply)(&mut spec, said) {
                let mut why = why;
                why.get_mut(..1).map(str::make_ascii_uppercase);
                read.errors.push((flag.long, format!("{why}.")));
                continue;
            }
            let new = spec.host_config;
            match flag.long {
                "memory" => read.update.memory = Some(new.memory),
                "memory-swap" => read.update.memory_swap = Some(new.memory_swap),
                "memory-reservation" => read.update.memory_reservation = Some(new.memory_reservation),
                "cpus" => read.update.nano_cpus = Some(new.nano_cpus),
                "cpu-shares" => read.update.cpu_shares = Some(new.cpu_shares),
                "cpuset-cpus" => read.update.cpuset_cpus = Some(new.cpuset_cpus),
                "pids-limit" => read.update.pids_limit = Some(new.pids_limit),
                _ => read.update.restart_policy = Some(new.restart_policy),
            }
            read.words.push((flag.long, said.to_owned()));
        }
        read
    }

    fn command(&self, name: &str) -> String {
        let words: Vec<(&str, &str)> = self.words.iter().map(|(flag, value)| (*flag, value.as_str())).collect();
        echo::update(&words, name)
    }
}

/// A container as it is: what may be asked of it.
async fn host_of(page: &Page, id: &ContainerId) -> Result<HostConfig, Error> {
    let detail = page.engine.containers().get(id).await?;
    let host = detail.raw.get("HostConfig").cloned().unwrap_or_default();
    Ok(HostConfig::deserialize(&host).unwrap_or_default())
}

fn form(
    page: &Page,
    c: &Container,
    fields: &Fields,
    host: &HostConfig,
    errors: Vec<(&'static str, String)>,
    warnings: Vec<String>,
) -> Result<Html<String>, Error> {
    let command = Read::new(fields, host).command(&c.name);
    let error_of = |name: &str| errors.iter().find(|(field, _)| *field == name).map(|(_, why)| why.clone());
    let asking = |flag: &'static Flag| Asking {
        value: fields.get(flag.long).map_or_else(|| present(flag.long, host), str::to_owned),
        error: error_of(flag.long),
        flag,
    };
    html(&UpdatePage {
        chrome: Chrome::new(page, format!("{}: limits", c.name)),
        fields: flags().map(asking).collect(),
        command,
        on_podman: page.picture.is_podman(),
        errors,
        warnings,
        c,
    })
}

/// `GET /containers/{id}/update`; with fields in the address it is the form as it stands, with its command.
async fn page(Id(id): Id<ContainerId>, page: Page, Query(query): Query) -> Result<Response, Error> {
    let container = find(&page, &id)?;
    let host = host_of(&page, &id).await?;
    page.show(
        || {
            let read = Read::new(&query, &host);
            let fields = read.errors.iter().map(|(field, why)| ((*field).to_owned(), why.clone())).collect();
            Sketch { command: read.command(&container.name), fields, dangers: Vec::new(), remarks: Vec::new() }
        },
        || form(&page, &container, &query, &host, Vec::new(), Vec::new()),
    )
}

/// `POST /containers/{id}/update`
async fn submit(Id(id): Id<ContainerId>, page: Page, fields: Fields) -> Result<Response, Error> {
    let container = find(&page, &id)?;
    let host = host_of(&page, &id).await?;
    let mut read = Read::new(&fields, &host);
    if read.errors.is_empty() && read.words.is_empty() {
        read.errors.push(("memory", "Nothing here differs from what it has already.".to_owned()));
    }
    let wrong = |status, errors: Vec<(&'static str, String)>| {
        let what = "Nothing was changed.";
        page.wrong(status, what, errors.clone(), || form(&page, &container, &fields, &host, errors, Vec::new()))
    };
    if !read.errors.is_empty() {
        return wrong(StatusCode::UNPROCESSABLE_ENTITY, read.errors);
    }
    let command = read.command(&container.name);
    let deed = Deed::new("container.update", "container", id.as_str(), container.name.clone(), &command);
    let (engine, of, update) = (page.engine.clone(), id.clone(), read.update.clone());
    match page.does(deed, async move { engine.containers().update(&of, &update).await }).await? {
        Ok(warnings) => {
            tracing::info!(container = id.short(), name = container.name, command, "done");
            let done = format!("The limits of {} were changed.", container.name);
            if page.wants_json {
                return page.show(|| Updated { done, command, warnings }, || Err(Error::ours()));
            }
            if warnings.is_empty() {
                return Ok(see_other(&format!("/containers/{id}/stats")));
            }
            let host = host_of(&page, &id).await?;
            page.show(|| (), || form(&page, &container, &Fields::default(), &host, Vec::new(), warnings))
        }
        Err(
            error @ (EngineError::Invalid(_)
            | EngineError::Conflict(_)
            | EngineError::Engine { .. }
            | EngineError::Unsupported(_)),
        ) => {
            let told = Error::from(error.clone());
            let field = field_of(&error.to_string(), &read.words);
            let status = if told.status().is_server_error() && told.status() != StatusCode::NOT_IMPLEMENTED {
                StatusCode::UNPROCESSABLE_ENTITY
            } else {
                told.status()
            };
            wrong(status, vec![(field, format!("The engine does not take this: {error}"))])
        }
        Err(error) => Err(error.into()),
    }
}

/// Which field the engine means.
fn field_of(words: &str, said: &[(&'static str, String)]) -> &'static str {
    let words = words.to_lowercase().replace("memory swap", "memoryswap");
    let means = [
        ("restart", ["restart policy", "autoremove"].as_slice()),
        ("cpuset-cpus", &["cpuset", "requested cpus are not available"]),
        ("pids-limit", &["pids"]),
        ("memory-reservation", &["reservation"]),
        ("memory-swap", &["memoryswap should", "swap limit should"]),
        ("memory", &["memory"]),
        ("cpu-shares", &["shares"]),
        ("cpus", &["nanocpus", "cpus", "cpu quota", "cpu.cfs_quota", "range of cpus"]),
    ];
    let is_said = |field: &str| said.iter().any(|(name, _)| *name == field);
    let found = means.iter().find(|(field, parts)| is_said(field) && parts.iter().any(|part| words.contains(part)));
    found.map(|(field, _)| *field).or_else(|| said.first().map(|(field, _)| *field)).unwrap_or("memory")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        Fields(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    fn host() -> HostConfig {
        HostConfig { memory: 64 << 20, nano_cpus: 500_000_000, pids_limit: 50, ..HostConfig::default() }
    }

    #[test]
    fn only_what_differs_is_asked_for() {
        let read = Read::new(
            &fields(&[
                ("memory", "64m"),
                ("cpus", "0.5"),
                ("pids-limit", ""),
                ("restart", "no"),
                ("cpu-shares", " 512 "),
            ]),
            &host(),
        );
        assert!(read.errors.is_empty(), "{:?}", read.errors);
        assert_eq!(read.update, Update { pids_limit: Some(-1), cpu_shares: Some(512), ..Update::default() });
        assert_eq!(read.command("web"), "docker update --cpu-shares 512 --pids-limit -1 web");
        assert_eq!(Read::new(&fields(&[]), &host()).command("web"), "docker update web");
    }

    #[test]
    fn what_is_wrong_stands_at_its_field() {
        let read = Read::new(
            &fields(&[("memory", "much"), ("cpus", ""), ("restart", "sometimes"), ("memory-swap", "-1")]),
            &host(),
        );
        let wrong: Vec<_> = read.errors.iter().map(|(field, _)| *field).collect();
        assert_eq!(wrong, ["memory", "cpus", "restart"]);
        assert_eq!(read.update.memory_swap, Some(-1));
        let said = [("memory", String::new()), ("cpus", String::new())];
        assert_eq!(field_of("Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available", &said), "cpus");
        assert_eq!(field_of("Memory limit should be smaller than already set memoryswap limit", &said), "memory");
    }

    #[test]
    fn what_is_so_is_written_as_docker_takes_it() {
        assert_eq!([1_i64 << 30, 1536 << 20, 1000].map(size), ["1g", "1536m", "1000b"]);
        assert_eq!(present("cpus", &HostConfig { cpu_quota: 150_000, ..HostConfig::default() }), "1.5");
        assert_eq!(present("restart", &HostConfig::default()), "no");
    }
}
