//! Containers as scripts see them: the same picture that the pages are drawn from, so the same scope and secrets.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    remarks::Remark,
    row::{Way, ways},
    stats::json::InList,
    view::{Line, Listing, View},
    words,
};
use crate::{
    engine::{self, Detail, Health, Mount as EngineMount, root_on_host},
    web::{answer::List, events::json::Event, extract::Page},
};

/// A container.
#[derive(Serialize, ToSchema)]
pub struct Container {
    /// The full id, which paths take.
    id: String,
    /// Its name.
    name: String,
    /// The image as it was asked for.
    image: String,
    /// The command line that runs.
    command: String,
    /// created, running, paused, restarting, removing, exited or dead.
    state: String,
    /// starting, healthy or unhealthy, where it has a health check.
    health: Option<&'static str>,
    /// The exit code of its last run.
    exit_code: Option<i64>,
    /// Since when it is in this state.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// The compose project that it belongs to.
    stack: Option<String>,
    /// Why it needs attention.
    attention: Option<&'static str>,
    /// What is being done to it now.
    pending: Option<&'static str>,
    /// Its ports.
    ports: Vec<Port>,
    /// The names of its networks.
    networks: Vec<String>,
    /// What is mounted in it.
    mounts: Vec<Mount>,
    /// Its labels.
    labels: BTreeMap<String, String>,
    /// Whether it is this console itself.
    own: bool,
    /// What it uses, as it was last read: while somebody looks every few seconds, else once a minute. Null where it does
    /// not run, or was not read yet.
    uses: Option<InList>,
    /// What can be done to it now, each with the docker command that does the same: `POST /containers/{id}/{verb}`.
    actions: BTreeMap<&'static str, String>,
}

/// A port of a container.
#[derive(Serialize, ToSchema)]
#[schema(as = ContainerPort)]
struct Port {
    /// The port on the host, if it is published.
    public: Option<u16>,
    /// The port inside.
    private: u16,
    /// tcp, udp or sctp.
    protocol: String,
    /// The host's address that it is bound to.
    address: String,
}

/// Something mounted into a container.
#[derive(Serialize, ToSchema)]
struct Mount {
    /// bind, volume, tmpfs, ...
    kind: String,
    /// A volume's name, or a path on the host.
    source: String,
    /// The path inside.
    target: String,
    /// Whether the container may write there.
    writable: bool,
}

impl Container {
    /// As of this page.
    pub fn new(c: &engine::Container, page: &Page) -> Self {
        let (first, more) = ways(c, page);
        let port = |port: &engine::Port| Port {
            public: port.public,
            private: port.private,
            protocol: port.protocol.clone(),
            address: port.address.clone(),
        };
        let mount = |mount: &EngineMount| Mount {
            kind: mount.kind.clone(),
            source: mount.source.clone(),
            target: mount.target.clone(),
            writable: mount.writable,
        };
        Self {
            id: c.id.to_string(),
            name: c.name.clone(),
            image: c.image.clone(),
            command: c.command.clone(),
            state: c.state.to_string(),
            health: c.health.map(Health::word),
            exit_code: c.exit_code,
            since: c.since,
            created: c.created,
            stack: c.stack().map(str::to_owned),
            attention: c.attention().map(engine::Attention::word),
            pending: c.pending.as_ref().map(|pending| pending.verb.word()),
            ports: c.ports.iter().map(port).collect(),
            networks: c.networks.iter().map(|at| at.network.clone()).collect(),
            mounts: c.mounts.iter().map(mount).collect(),
            labels: c.labels.clone(),
            own: page.picture.is_own(c),
            uses: page.engine.figures(&c.id).map(|figures| InList::from(figures.as_ref())),
            actions: first.into_iter().chain(more).map(|Way { verb, command }| (verb.word(), command)).collect(),
        }
    }
}

/// What a view shows.
pub fn list(view: &View, listing: &Listing<'_>, page: &Page) -> List<Container> {
    let container = |line: &Line<'_>| match line {
        Line::Container(container) => Some(Container::new(container, page)),
        Line::Stack(_) => None,
    };
    List {
        items: listing.lines.iter().filter_map(container).collect(),
        total: listing.open,
        page: view.page,
        pages: listing.pages,
    }
}

/// A container, and everything about it.
#[derive(Serialize, ToSchema)]
pub struct ContainerDetail {
    #[serde(flatten)]
    container: Container,
    /// How it stands, in a sentence.
    says: String,
    /// Why it is so.
    why: Vec<String>,
    /// Why whoever is inside is root on the host.
    on_host: Vec<&'static str>,
    /// When its last run began.
    #[schema(value_type = Option<String>, format = DateTime)]
    started: Option<Timestamp>,
    /// When its last run ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    finished: Option<Timestamp>,
    /// Whether the kernel ended it for want of memory.
    out_of_memory: bool,
    /// Why it could not be started, in the engine's words.
    error: Option<String>,
    /// How often its restart policy started it again.
    restarts: u64,
    /// What runs, word by word.
    words: Vec<String>,
    /// Its environment. Values that hold secrets as a rule are hidden; administrators see them with `?reveal=1`, which
    /// the audit notes.
    env: Vec<Variable>,
    /// Who it runs as; empty for the image's user.
    user: String,
    /// Where it runs.
    workdir: String,
    /// Its name for itself.
    hostname: String,
    /// Whether it has a terminal.
    tty: bool,
    /// The signal that asks it to end.
    stop_signal: Option<String>,
    /// When it is started again by itself.
    restart_policy: String,
    /// Whether it is removed when it ends.
    auto_remove: bool,
    /// Whether it may do everything on the host.
    privileged: bool,
    /// Whether its own file system is read-only.
    read_only: bool,
    /// Capabilities added.
    cap_add: Vec<String>,
    /// Capabilities taken.
    cap_drop: Vec<String>,
    /// How its networks see it.
    endpoints: Vec<Endpoint>,
    /// Memory that it may use, in bytes; none for no limit.
    memory_limit: Option<u64>,
    /// CPUs that it may use, in billionths; none for no limit.
    nano_cpus: Option<u64>,
    /// Processes that it may have; none for no limit.
    pids_limit: Option<u64>,
    /// The last health checks, newest last.
    checks: Vec<Check>,
    /// Its links of the default bridge.
    links: Vec<String>,
    /// Where its log goes.
    log_driver: String,
    /// The last events, newest first.
    events: Vec<Event>,
}

/// A variable of the environment.
#[derive(Serialize, ToSchema)]
struct Variable {
    name: String,
    value: String,
}

/// A container's place in a network.
#[derive(Serialize, ToSchema)]
struct Endpoint {
    network: String,
    address: String,
    aliases: Vec<String>,
    mac: String,
}

/// One health check.
#[derive(Serialize, ToSchema)]
struct Check {
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
    /// 0 is healthy.
    exit_code: i64,
    output: String,
}

impl ContainerDetail {
    /// As of this page.
    pub fn new(page: &Page, c: &engine::Container, d: &Detail) -> Self {
        let picture = &page.picture;
        let endpoint = |e: &engine::Endpoint| Endpoint {
            network: e.network.clone(),
            address: e.address.clone(),
            aliases: e.aliases.clone(),
            mac: e.mac.clone(),
        };
        let check =
            |check: &engine::Check| Check { at: check.at, exit_code: check.exit_code, output: check.output.clone() };
        let variable = |var: &engine::EnvVar| Variable { name: var.name.clone(), value: var.value.clone() };
        Self {
            container: Container::new(c, page),
            says: words::say(c, d, picture.now()),
            why: words::why(c, d, picture),
            on_host: root_on_host(c, picture, Some(d)),
            started: d.started,
            finished: d.finished,
            out_of_memory: d.out_of_memory,
            error: d.error.clone(),
            restarts: d.restarts,
            words: d.command.clone(),
            env: d.env.iter().map(variable).collect(),
            user: d.user.clone(),
            workdir: d.workdir.clone(),
            hostname: d.hostname.clone(),
            tty: d.tty,
            stop_signal: d.stop_signal.clone(),
            restart_policy: words::restart_policy(&d.restart_policy).0,
            auto_remove: d.auto_remove,
            privileged: d.privileged,
            read_only: d.read_only,
            cap_add: d.capabilities.0.clone(),
            cap_drop: d.capabilities.1.clone(),
            endpoints: d.endpoints.iter().map(endpoint).collect(),
            memory_limit: d.limits.memory,
            nano_cpus: d.limits.nano_cpus,
            pids_limit: d.limits.pids,
            checks: d.checks.iter().map(check).collect(),
            links: d.links.clone(),
            log_driver: d.log_driver.clone(),
            events: page.engine.history(&c.id).iter().map(|event| Event::new(event, picture)).collect(),
        }
    }
}

/// What would be done, before it is done.
#[derive(Serialize, ToSchema)]
#[schema(as = ContainerPlan)]
pub struct Plan {
    /// The verb.
    pub verb: &'static str,
    /// What it does.
    pub help: &'static str,
    /// The docker command that does the same.
    pub command: String,
    /// What happens to each.
    pub containers: Vec<Affected>,
}

/// A container that something would be done to.
#[derive(Serialize, ToSchema)]
#[schema(as = AffectedContainer)]
pub struct Affected {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: String,
    /// Its anonymous volumes, which go with `volumes=1`.
    pub goes: Vec<String>,
    /// Its named volumes, which stay.
    pub stays: Vec<String>,
    /// Why this console would refuse.
    pub refused: Option<String>,
}

/// A pasted line, as the form that makes the same container: nothing was made.
#[derive(Serialize, ToSchema)]
#[schema(as = PastedLine)]
pub struct Pasted {
    /// What it makes.
    #[serde(flatten)]
    pub sketch: Sketch,
    /// The fields of `POST /containers`, in their order; a name may come more than once.
    pub form: Vec<Filled>,
    /// Flags that say nothing about a container, each with the reason.
    pub left_out: Vec<String>,
    /// Whether it was `docker run`.
    pub start: bool,
}

/// A field that is filled in.
#[derive(Serialize, ToSchema)]
#[schema(as = FormField)]
pub struct Filled {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub value: String,
}

/// A form that makes a container, read: nothing was made.
#[derive(Serialize, ToSchema)]
#[schema(as = ContainerDraft)]
pub struct Sketch {
    /// The docker command that does the same, on several lines.
    pub command: String,
    /// What is wrong with which field. With none, it can be sent.
    pub fields: HashMap<String, String>,
    /// What can go wrong on the host.
    pub dangers: Vec<String>,
    /// What is said beside the fields: none of it stops anybody.
    pub remarks: Vec<Remarked>,
}

/// Something said beside a field.
#[derive(Serialize, ToSchema)]
#[schema(as = FormRemark)]
pub struct Remarked {
    /// The field, or the row of fields: `port-0` is the first of the ports.
    field: String,
    /// danger, doubt or hint.
    kind: &'static str,
    /// What is said.
    text: String,
}

impl Remarked {
    pub(super) fn new(field: &str, remark: &Remark) -> Self {
        Self { field: field.to_owned(), kind: remark.tone.class(), text: remark.text.clone() }
    }
}
