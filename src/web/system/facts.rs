//! `/engine`: what the engine is, each fact with a word of what it means.

use crate::web::filters;
use askama::Template;
use axum::response::Response;

use super::{
    TABS, json,
    notices::Notices,
    warnings::{Warning, explained},
};
use crate::{
    command::echo,
    engine::{Info, KnownRegistry, Picture},
    web::{
        Error,
        asker::Can,
        chrome::Chrome,
        extract::Page,
        html::{bytes, count, html},
    },
};

/// Facts that belong together.
struct Group {
    title: &'static str,
    facts: Vec<Fact>,
}

/// A fact about the engine.
struct Fact {
    term: &'static str,
    values: Vec<String>,
    /// What it means.
    says: &'static str,
}

fn fact(term: &'static str, value: impl Into<String>, says: &'static str) -> Fact {
    facts(term, vec![value.into()], says)
}

fn facts(term: &'static str, values: Vec<String>, says: &'static str) -> Fact {
    Fact { term, values: values.into_iter().filter(|value| !value.is_empty()).collect(), says }
}

impl Group {
    /// What the engine does not tell is left out.
    fn new(title: &'static str, facts: Vec<Fact>) -> Self {
        Self { title, facts: facts.into_iter().filter(|fact| !fact.values.is_empty()).collect() }
    }

    /// All of them.
    fn all(page: &Page, info: &Info) -> Vec<Self> {
        vec![
            versions(page, info),
            host(info),
            holds(&page.picture, info),
            running(info),
            security(info),
            network(info),
            registries(info),
            plugins(info),
        ]
    }
}

fn versions(page: &Page, info: &Info) -> Group {
    let version = &info.version;
    let range = match version.oldest_api() {
        "" => version.api().to_owned(),
        oldest => format!("{oldest} to {}", version.api()),
    };
    let parts = version.components.iter().filter(|part| !part.name.contains("Engine"));
    Group::new(
        "Version",
        vec![
            fact(
                "Engine",
                version.title(),
                "The daemon. It runs the containers; the docker command, and this console, ask it to.",
            ),
            fact("API", range, "What a client may say to it, from the oldest version to the newest."),
            fact("Spoken here", version.spoken_api(), "The newest that this console and the engine both know."),
            facts(
                "Made of",
                parts.map(|part| format!("{} {}", part.name, part.version())).collect(),
                "containerd keeps and starts containers for the engine, runc makes each out of a process.",
            ),
            fact("Built with", version.go_version.clone(), "The language that the engine is written in."),
            fact(
                "Reached at",
                page.engine.address().to_string(),
                "Whoever may write there is root on the engine's host.",
            ),
        ],
    )
}

fn host(info: &Info) -> Group {
    Group::new(
        "Host",
        vec![
            fact("Name", info.name.clone(), "The machine that the engine runs on."),
            fact(
                "System",
                info.operating_system.clone(),
                "Containers bring their own programs and libraries; only the kernel is the host's.",
            ),
            fact(
                "Kernel",
                format!("{}, {}", info.kernel_version, info.architecture),
                "All containers share it. Images have to be made for its processor.",
            ),
            fact(
                "Has",
                format!("{}, {}", count(info.cpus, "CPU"), bytes(info.mem_total)),
                "Together for all containers that have no limits of their own.",
            ),
        ],
    )
}

fn holds(picture: &Picture, info: &Info) -> Group {
    let up = picture.containers.values().filter(|container| container.state.is_up()).count();
    let containers = format!("{}, {up} running", count(picture.containers.len(), "container"));
    Group::new(
        "Holds",
        vec![
            fact("Containers", containers, "Those that you see."),
            fact("Images", info.images.to_string(), "Blueprints: each container is a running copy of one."),
            fact("Volumes", picture.volumes.len().to_string(), "They keep data outside of containers."),
            fact(
                "Data in",
                info.docker_root_dir.clone(),
                "The folder of the host with all images, containers and local volumes. A full disk there stops everything.",
            ),
            facts(
                "Storage",
                storage(info),
                "How the layers of images are put together into a file system for each container.",
            ),
        ],
    )
}

fn storage(info: &Info) -> Vec<String> {
    let told = info.driver_status.iter().find(|(name, _)| name == "Backing Filesystem");
    let below = told.map(|(_, system)| format!("on {system}")).unwrap_or_default();
    vec![info.driver.clone(), below]
}

fn running(info: &Info) -> Group {
    let runtimes = info.runtimes.iter().map(|(name, runtime)| match runtime.path.as_str() {
        "" => name.clone(),
        path if path == name => name.clone(),
        path => format!("{name} ({path})"),
    });
    let cgroup =
        if info.cgroup_version.is_empty() { String::new() } else { format!("version {}", info.cgroup_version) };
    Group::new(
        "Running containers",
        vec![
            facts(
                "Cgroups",
                vec![info.cgroup_driver.clone(), cgroup],
                "What the kernel limits and counts memory and processor of containers with, and who makes them: the engine itself (cgroupfs), or systemd.",
            ),
            fact(
                "Runtime",
                info.default_runtime.clone(),
                "What runs a container that asks for nothing else (--runtime).",
            ),
            facts("Runtimes", runtimes.collect(), "What else can run one, as far as it is installed."),
            fact(
                "Live restore",
                if info.live_restore { "on" } else { "off" },
                "Whether containers go on while the engine is restarted or updated.",
            ),
            fact(
                "Logs",
                info.logging_driver.clone(),
                "Where the output of a container goes that asks for nothing else (--log-driver). json-file grows without end unless max-size is set.",
            ),
            fact("Swarm", info.swarm().to_owned(), "Whether it runs services together with other engines."),
        ],
    )
}

fn security(info: &Info) -> Group {
    let option = |name: &str| info.has_option(name);
    let on = |name: &str| if option(name) { "on" } else { "off" };
    let seccomp = info.security_options.iter().find(|option| option.contains("name=seccomp"));
    let profile = seccomp.and_then(|option| option.split("profile=").nth(1)).unwrap_or("off");
    Group::new(
        "Security",
        vec![
            fact(
                "Seccomp",
                profile,
                "Which calls to the kernel containers may make. The engine's own list (builtin, default) forbids some 40 of them.",
            ),
            fact(
                "AppArmor",
                on("apparmor"),
                "Confines programs by the files and powers that they need. Not every host has it.",
            ),
            fact("SELinux", on("selinux"), "The same in Red Hat's family."),
            fact("User namespaces", on("userns"), "Whether root in a container is somebody without power on the host."),
            fact("Rootless", on("rootless"), "Whether the engine itself is no root on the host."),
            fact("Cgroup namespaces", on("cgroupns"), "Whether a container sees its own cgroups alone."),
        ],
    )
}

fn network(info: &Info) -> Group {
    Group::new(
        "Network",
        vec![
            fact(
                "Packets",
                info.firewall().to_owned(),
                "Who filters them: published ports are rules of this, ahead of those of the host.",
            ),
            fact("HTTP proxy", info.http_proxy.clone(), "What the engine pulls images through."),
            fact("HTTPS proxy", info.https_proxy.clone(), "What the engine pulls images through."),
            facts("Labels", info.labels.clone(), "What somebody wrote on this engine, for a swarm to choose by."),
        ],
    )
}

fn registries(info: &Info) -> Group {
    let registry = |(name, registry): (&String, &KnownRegistry)| {
        let mirrors = registry.mirrors.join(", ");
        let mirrors = if mirrors.is_empty() { mirrors } else { format!(", by way of {mirrors}") };
        format!("{name}{}{mirrors}", if registry.secure { "" } else { ", without encryption" })
    };
    Group::new(
        "Registries",
        vec![
            facts(
                "Known",
                info.registries.known.iter().map(registry).collect(),
                "Those with settings. Any other can be named in front of an image, and has to speak HTTPS.",
            ),
            facts(
                "Insecure",
                info.registries.insecure.clone(),
                "Networks whose registries may speak plain HTTP, or have a certificate that nobody vouches for: who is on the way can change what is pulled.",
            ),
        ],
    )
}

fn plugins(info: &Info) -> Group {
    Group::new(
        "Plugins",
        vec![
            facts("Volumes", info.plugins.volume.clone(), "Who can keep volumes (docker volume create -d)."),
            facts(
                "Networks",
                info.plugins.network.clone(),
                "What kinds of network it can make (docker network create -d).",
            ),
            facts("Logs", info.plugins.log.clone(), "Where it can send output to (--log-driver)."),
            facts("Authorization", info.plugins.authorization.clone(), "Who is asked whether a call may be made."),
        ],
    )
}

#[derive(Template)]
#[template(path = "system/engine.html")]
struct EnginePage<'a> {
    chrome: Chrome,
    tabs: [(&'static str, &'static str); 2],
    info: &'a Info,
    commands: [String; 2],
    groups: Vec<Group>,
    warnings: Vec<Warning<'a>>,
    notices: Notices,
    can: Can,
}

#[derive(Template)]
#[template(path = "system/unknown.html")]
struct UnknownPage {
    chrome: Chrome,
}

/// `GET /engine`
pub async fn page(page: Page) -> Result<Response, Error> {
    let info = match page.engine.info().await {
        Ok(info) => info,
        // There has never been an engine to ask: the banner says why.
        Err(_) if !page.wants_json => {
            return page.show(|| (), || html(&UnknownPage { chrome: Chrome::new(&page, "Engine") }));
        }
        Err(error) => return Err(error.into()),
    };
    let notices = Notices::of(&page, Some(&info));
    let warnings = explained(&info.warnings);
    page.show(
        || json::Engine::new(&page, &info, &notices, &warnings),
        || {
            html(&EnginePage {
                chrome: Chrome::new(&page, "Engine"),
                tabs: TABS,
                commands: [echo::version(), echo::info()],
                groups: Group::all(&page, &info),
                warnings: explained(&info.warnings),
                notices: Notices::of(&page, Some(&info)),
                can: page.can(),
                info: &info,
            })
        },
    )
}
