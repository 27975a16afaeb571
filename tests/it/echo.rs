//! What is shown as the docker command asks the engine for the same as what is done: both are recorded, and compared.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

use crate::support::{
    Answer, Console, RealEngine,
    proxy::{FaultProxy, without_version},
    until,
};

/// Something that the console does, to things that are made anew for it and for the command that it shows.
struct Deed {
    /// What is there before: docker commands, in which `SELF` is a name of our own, `REGISTRY` the registry of the tests,
    /// and the folder that they are run in is the one that the shown command is run in.
    before: &'static [&'static str],
    /// What the console is asked before, unrecorded.
    first: &'static str,
    /// Where it is asked for; `ID`, `NET` and `IMAGE` are the ids of the container, network and image `SELF`.
    path: &'static str,
    /// With what.
    fields: &'static [(&'static str, &'static str)],
    /// The file of that folder that is sent along.
    file: &'static str,
}

const RUNS: &str = "run -d --stop-timeout 0 --name SELF busybox sleep 1000";
const MADE: &str = "create --name SELF busybox sleep 1000";

const fn deed(
    before: &'static [&'static str],
    path: &'static str,
    fields: &'static [(&'static str, &'static str)],
) -> Deed {
    Deed { before, first: "", path, fields, file: "" }
}

impl Deed {
    /// After the console was asked for that.
    const fn after(self, first: &'static str) -> Self {
        Self { first, ..self }
    }

    /// With that file.
    const fn with(self, file: &'static str) -> Self {
        Self { file, ..self }
    }

    /// The same route as the description has it.
    fn is_of(&self, route: &str) -> bool {
        let path = self.path.split('?').next().unwrap_or_default();
        let (path, route) = (path.split('/'), route.split('/'));
        path.clone().count() == route.clone().count()
            && path.zip(route).all(|(part, of)| part == of || of.starts_with('{'))
    }
}

const TAGGED: &str = "tag busybox:latest SELF:1";
const FILE: &str = "run --rm -v $PWD:/here busybox sh -c 'echo hello > /here/SELF.txt'";

const DEEDS: &[Deed] = &[
    deed(&[MADE], "/containers/ID/start", &[]),
    deed(&[RUNS], "/containers/ID/stop", &[]),
    deed(&[RUNS], "/containers/ID/stop", &[("timeout", "0")]),
    deed(&[RUNS], "/containers/ID/restart", &[("timeout", "1")]),
    deed(&[RUNS], "/containers/ID/restart", &[]),
    deed(&[RUNS], "/containers/ID/kill", &[]),
    deed(&[RUNS], "/containers/ID/kill", &[("signal", "HUP")]),
    deed(&[RUNS], "/containers/ID/pause", &[]),
    deed(&[RUNS, "pause SELF"], "/containers/ID/unpause", &[]),
    deed(&[MADE], "/containers/ID/rename", &[("name", "SELF-new")]),
    deed(&[MADE], "/containers/ID/remove", &[]),
    deed(&[RUNS], "/containers/ID/remove", &[("force", "1")]),
    deed(&["create -v /data --name SELF busybox"], "/containers/ID/remove", &[("volumes", "1")]),
    deed(
        &[RUNS],
        "/containers/ID/update",
        &[("memory", "64m"), ("memory-swap", "128m"), ("restart", "unless-stopped"), ("pids-limit", "50")],
    ),
    deed(&[RUNS], "/containers/bulk", &[("action", "stop"), ("id", "ID")]),
    deed(
        &[],
        "/containers",
        &[
            ("image", "busybox"),
            ("name", "SELF"),
            ("command", "sleep 5"),
            ("env-name", "A"),
            ("env-value", "b c"),
            ("network", "none"),
        ],
    ),
    deed(&[], "/volumes", &[("name", "SELF")]),
    deed(&["volume create SELF"], "/volumes/SELF/remove", &[]),
    deed(&[], "/networks", &[("name", "SELF")]),
    deed(&["network create SELF"], "/networks/NET/remove", &[]),
    deed(
        &["network create SELF", MADE],
        "/networks/connect",
        &[("network", "NET"), ("container", "ID"), ("alias", "db")],
    ),
    deed(
        &["network create SELF", "create --network SELF --name SELF busybox"],
        "/networks/disconnect",
        &[("network", "NET"), ("container", "ID")],
    ),
    deed(&[TAGGED], "/images/IMAGE/tag", &[("reference", "SELF:2")]),
    deed(&[TAGGED], "/images/IMAGE/remove", &[("tag", "SELF:1")]),
    deed(&[RUNS], "/containers/bulk", &[("action", "remove"), ("id", "ID"), ("force", "1"), ("volumes", "1")]),
    deed(&[RUNS], "/containers/bulk", &[("action", "kill"), ("id", "ID"), ("signal", "USR1")]),
    deed(
        &["create -l 'x=y z' -w /srv -p 127.0.0.1::80 -m 32m --name SELF busybox sleep 5"],
        "/containers/removed/ID/restore",
        &[],
    )
    .after("/containers/ID/remove"),
    deed(
        &[RUNS],
        "/containers/ID/commit",
        &[
            ("reference", "SELF:2"),
            ("comment", "as it was"),
            ("author", "Ada <ada@example.com>"),
            ("change-instruction", "LABEL"),
            ("change-value", "mode=kept"),
            ("no-pause", "1"),
        ],
    ),
    deed(&[], "/images/pull", &[("reference", "REGISTRY/demo:1")]),
    deed(&[], "/images/pull", &[("reference", "REGISTRY/demo:1"), ("platform", "linux/amd64")]),
    deed(
        &["tag busybox:latest SELF:1", "tag SELF:1 REGISTRY/SELF:1"],
        "/images/IMAGE/push",
        &[("tag", "REGISTRY/SELF:1")],
    ),
    deed(&[TAGGED, "save -o SELF.tar SELF:1"], "/images/load", &[]).with("SELF.tar"),
    deed(
        &[MADE, "export -o SELF.tar SELF"],
        "/images/import",
        &[("reference", "SELF:1"), ("change", "CMD [\"sh\"]"), ("message", "by hand")],
    )
    .with("SELF.tar"),
    deed(&[RUNS, FILE], "/containers/ID/files/upload?path=/tmp", &[]).with("SELF.txt"),
    deed(&[RUNS, "exec SELF touch /tmp/a"], "/containers/ID/files/rename", &[("path", "/tmp/a"), ("name", "b")]),
    deed(&[RUNS, "exec SELF mkdir /tmp/a"], "/containers/ID/files/remove", &[("path", "/tmp/a")]),
];

/// What the console does that is not among the deeds, and why: each with the test that has it, where there is one.
const OTHERS: &[(&str, &str)] = &[
    ("/build", "docker build asks by a session of BuildKit's own: the images are compared, in build::"),
    ("/build/upload", "as /build"),
    ("/containers/draft", "changes nothing"),
    ("/containers/new/line", "changes nothing"),
    ("/containers/new/network", "as /networks"),
    ("/containers/{id}/edit", "changes nothing"),
    ("/containers/{id}/edit/draft", "changes nothing"),
    ("/containers/{id}/replace", "several commands, each a step of its job: edit::"),
    ("/containers/{id}/renew", "as /containers/{id}/replace"),
    ("/containers/removed/{id}/forget", "no docker command: the console's own"),
    ("/containers/{id}/terminal", "asks when its socket is opened: terminal::"),
    ("/containers/{id}/attach", "as /containers/{id}/terminal"),
    ("/terminals/{id}/end", "what the end of docker exec does: terminal::"),
    ("/containers/{id}/files/edit", "an upload of what was typed, as files/upload"),
    ("/containers/{id}/files/folder", "put there as docker cp does, so that it works in one that is stopped: files::"),
    ("/volumes/{name}/files/edit", "docker has none: a container that has the volume does it, as is shown: files::"),
    ("/volumes/{name}/files/folder", "as /volumes/{name}/files/edit"),
    ("/volumes/{name}/files/remove", "as /volumes/{name}/files/edit"),
    ("/volumes/{name}/files/rename", "as /volumes/{name}/files/edit"),
    ("/volumes/{name}/files/upload", "as /volumes/{name}/files/edit"),
    ("/volumes/{name}/restore", "as /volumes/{name}/files/edit"),
    ("/images/prune", "removes what it has listed, and not what has come since: images::"),
    ("/volumes/prune", "as /images/prune: volumes::"),
    ("/networks/prune", "as /images/prune: networks::"),
    ("/engine/prune", "as /images/prune: system::"),
    ("/images/check", "asks registries only: images::"),
    ("/engine/disk/measure", "reads only"),
    ("/images/measure", "reads only"),
    ("/volumes/measure", "reads only"),
    ("/registries", "docker login asks for the password: registries::"),
    ("/registries/{host}/check", "as /registries"),
    ("/registries/{host}/remove", "forgets what this console knows, as docker logout does"),
    ("/jobs/{id}/cancel", "what ^C is to a docker command"),
    ("/me/password", "no docker command: accounts"),
    ("/me/sessions/end-others", "no docker command: accounts"),
    ("/me/sessions/{id}/end", "no docker command: accounts"),
    ("/me/tokens", "no docker command: accounts"),
    ("/me/tokens/{id}/revoke", "no docker command: accounts"),
    ("/people", "no docker command: accounts"),
    ("/people/{id}", "no docker command: accounts"),
    ("/people/{id}/invite", "no docker command: accounts"),
    ("/people/{id}/remove", "no docker command: accounts"),
    ("/people/{id}/second-factor/remove", "no docker command: accounts"),
    ("/people/{id}/sessions/end", "no docker command: accounts"),
];

/// A request without what differs by itself.
fn plain(method: &str, path: &str, body: &str, ours: &BTreeMap<String, &'static str>) -> String {
    let words = |text: &str| {
        let mut text = text.to_owned();
        // Long ones first: a name may hold another.
        let mut names: Vec<_> = ours.iter().collect();
        names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        names.into_iter().for_each(|(name, word)| text = text.replace(name.as_str(), word));
        text
    };
    let path = words(without_version(path));
    let (path, query) = path.split_once('?').unwrap_or((&path, ""));
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    let said = pairs.filter(|(_, value)| !matches!(value.as_ref(), "" | "0" | "false"));
    let mut said: Vec<String> = said
        .map(|(name, value)| {
            let value = if value == "true" { "1" } else { value.trim_start_matches("SIG") };
            format!("{name}={value}")
        })
        // A signal that is KILL is what is so anyhow.
        .filter(|pair| pair != "signal=KILL")
        .collect();
    said.sort();
    let body = serde_json::from_str(body).map(said_of).unwrap_or_default();
    let body = if body.is_null() { String::new() } else { body.to_string() };
    format!("{method} {path}?{} {}", said.join("&"), words(&body))
}

/// What the docker command says although it is so anyhow.
const SO_ANYHOW: [(&str, &str); 9] = [
    ("NetworkMode", r#""default""#),
    ("AttachStdout", "true"),
    ("AttachStderr", "true"),
    ("ConsoleSize", "[null,null]"),
    ("MemorySwappiness", "-1"),
    ("RestartPolicy", r#"{"Name":"no"}"#),
    ("Driver", r#""local""#),
    ("CheckDuplicate", "true"),
    ("IPAM", r#"{"Driver":"default"}"#),
];

/// What a body says: what is empty, no or zero says nothing, and neither does what is so anyhow.
fn said_of(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let said = map.into_iter().map(|(key, value)| (key, said_of(value)));
            let is_so_anyhow = |key: &str, value: &Value| SO_ANYHOW.contains(&(key, value.to_string().as_str()));
            let said = said.filter(|(key, value)| !value.is_null() && !is_so_anyhow(key, value));
            let said: serde_json::Map<String, Value> = said.collect();
            if said.is_empty() { Value::Null } else { Value::Object(said) }
        }
        Value::Array(all) if all.is_empty() => Value::Null,
        Value::Array(all) => all.into_iter().map(said_of).collect(),
        Value::Bool(false) => Value::Null,
        Value::Number(number) if number.as_f64() == Some(0.0) => Value::Null,
        Value::String(text) if text.is_empty() => Value::Null,
        value => value,
    }
}

/// What a proxy has seen that may change something.
fn writes(proxy: &FaultProxy, from: usize, ours: &BTreeMap<String, &'static str>) -> Vec<String> {
    let seen = proxy.seen();
    let bodies = proxy.sent("/");
    let all = seen.iter().zip(bodies).skip(from).filter(|((method, _), _)| !matches!(method.as_str(), "GET" | "HEAD"));
    all.map(|((method, path), body)| plain(method, path, &body, ours)).collect()
}

/// What is there, by its ids and names; the words that stand for them.
async fn ours(engine: &RealEngine, name: &str) -> BTreeMap<String, &'static str> {
    let mut ours = BTreeMap::from([(name.to_owned(), "SELF")]);
    for (kind, word) in [("container", "ID"), ("network", "NET")] {
        if let Ok(id) = engine.try_docker(&[kind, "inspect", "-f", "{{.Id}}", name]).await {
            ours.insert(id, word);
        }
    }
    if let Ok(id) = engine.try_docker(&["image", "inspect", "-f", "{{.Id}}", &format!("{name}:1")]).await {
        ours.insert(id.trim_start_matches("sha256:").to_owned(), "IMAGE");
    }
    ours
}

async fn before(engine: &RealEngine, deed: &Deed, name: &str, folder: &Path) {
    for line in deed.before {
        let line = line.replace("SELF", name).replace("REGISTRY", &registry());
        engine.shell(&format!("cd '{}' && docker {line}", folder.display())).await;
    }
}

/// The registry of the tests.
fn registry() -> String {
    let image = std::env::var("WHEELHOUSE_TEST_REGISTRY").expect("the tests' registry");
    image.split('/').next().unwrap_or_default().to_owned()
}

/// Asks the console for it, as a script, until what it does has ended.
async fn done(console: &Console, path: &str, fields: &[(&str, &str)], file: Option<&Path>) -> Answer {
    let ask = console.ask("POST", path).header("accept", "application/json");
    let answer = match file {
        None => ask.form(fields).send().await,
        Some(file) => {
            let mut body = Vec::new();
            for (field, value) in fields {
                let head = format!("--B\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n");
                body.extend(head.bytes());
            }
            let name = file.file_name().and_then(|name| name.to_str()).expect("a name");
            let head = format!("--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n");
            body.extend(head.bytes());
            body.extend(std::fs::read(file).expect("the file"));
            body.extend(b"\r\n--B--\r\n");
            ask.header("content-type", "multipart/form-data; boundary=B").body(body).send().await
        }
    };
    if let Some(job) = answer.json()["location"].as_str().filter(|path| path.starts_with("/jobs/")) {
        until("the job ends", async || console.get(job).await.has("[data-job=ended]").then_some(())).await;
    }
    answer
}

/// The same words for what a request names by its id, its name or a tag of it, and for what is said in two ways.
fn by_name(all: Vec<String>) -> Vec<String> {
    const PAIRS: [(&str, &str); 11] = [
        ("/containers/ID", "/containers/SELF"),
        ("/networks/NET", "/networks/SELF"),
        (r#""Container":"ID""#, r#""Container":"SELF""#),
        ("/images/IMAGE", "/images/SELF:1"),
        ("/images/busybox:latest", "/images/SELF:1"),
        ("repo=docker.io/library/", "repo="),
        ("%3A", ":"),
        ("container=ID", "container=SELF"),
        // Whether it tells of its progress.
        ("/images/load?quiet=1", "/images/load?"),
        ("repo=SELF&tag=1", "repo=SELF:1"),
        // A folder is one with a slash behind it, too.
        ("path=/tmp/", "path=/tmp"),
    ];
    let plain = |request: String| {
        let request = match request.split_once("/exec/") {
            Some((before, after)) => format!("{before}/exec/EXEC{}", after.get(64..).unwrap_or_default()),
            None => request,
        };
        PAIRS.iter().fold(request, |request, (from, to)| request.replace(from, to))
    };
    all.into_iter().map(plain).collect()
}

/// What a deed is done to, and its twin, for the command.
struct Thing {
    name: String,
    /// What it is called by the engine, and the words that stand for that.
    words: BTreeMap<String, &'static str>,
}

impl Thing {
    async fn made(engine: &RealEngine, deed: &Deed, name: String, folder: &Path) -> Self {
        before(engine, deed, &name, folder).await;
        for (kind, of) in [
            ("network", name.clone()),
            ("volume", name.clone()),
            ("image", format!("{name}:1")),
            ("image", format!("{name}:2")),
            ("image", format!("{}/{name}:1", registry())),
        ] {
            engine.goes_too(kind, &of);
        }
        Self { words: ours(engine, &name).await, name }
    }

    fn id(&self, word: &str) -> &str {
        self.words.iter().find(|(_, known)| **known == word).map_or("", |(id, _)| id)
    }

    /// A path or a field, with its own names.
    fn fill(&self, text: &str) -> String {
        text.replace("SELF", &self.name)
            .replace("REGISTRY", &registry())
            .replace("ID", self.id("ID"))
            .replace("NET", self.id("NET"))
            .replace("IMAGE", self.id("IMAGE"))
    }

    /// Waits until the console knows it.
    async fn is_seen(&self, console: &Console, deed: &Deed) {
        if !self.id("ID").is_empty() {
            console.sees(self.id("ID")).await;
        }
        if !self.id("NET").is_empty() {
            console.sees_network(self.id("NET")).await;
        }
        if deed.path.contains("IMAGE") {
            let path = format!("/images/{}/remove", self.id("IMAGE"));
            let tag = deed.fields.first().map(|it| self.fill(it.1)).filter(|tag| tag.ends_with(":1"));
            until("the image is seen", async || {
                let page = console.get(&path).await;
                let tags = page.attributes("[name=tag]", "value");
                (page.status == 200 && tag.as_ref().is_none_or(|tag| tags.contains(tag))).then_some(())
            })
            .await;
        }
    }
}

/// What records the requests of a console, what records those of the docker command, and the console, which goes first.
async fn watched(engine: &RealEngine) -> (FaultProxy, FaultProxy, Console) {
    let (proxy, other) = (FaultProxy::before(&engine.socket), FaultProxy::before(&engine.socket));
    other.faults(|faults| faults.one_each = true);
    let console = Console::start(proxy.socket()).ready().await;
    (proxy, other, console)
}

/// Does it, and the command that is shown for it to its twin; where the two differ.
async fn differs(
    engine: &RealEngine,
    console: &Console,
    (ours_by, theirs_by): (&FaultProxy, &FaultProxy),
    deed: &Deed,
    at: usize,
) -> Result<(), String> {
    let folder = tempfile::tempdir().expect("a folder");
    let thing = Thing::made(engine, deed, engine.name(&format!("a{at}x")), folder.path()).await;
    let twin = Thing::made(engine, deed, engine.name(&format!("b{at}x")), folder.path()).await;
    for it in [&thing, &twin] {
        it.is_seen(console, deed).await;
        if !deed.first.is_empty() {
            done(console, &it.fill(deed.first), &[], None).await;
        }
    }
    // What was removed is shown as long as it is.
    let kept = format!("[data-removed='{}'] [data-command]", thing.id("ID"));
    let page = console.get("/containers/removed").await;
    let shown = page.has(&kept).then(|| page.lines_of(&kept));
    let path = thing.fill(deed.path);
    let fields: Vec<(&str, String)> = deed.fields.iter().map(|(key, value)| (*key, thing.fill(value))).collect();
    let fields: Vec<(&str, &str)> = fields.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let file = (!deed.file.is_empty()).then(|| folder.path().join(thing.fill(deed.file)));
    let from = ours_by.seen().len();
    let answer = done(console, &path, &fields, file.as_deref()).await;
    if answer.status >= 300 {
        return Err(format!("{path}: {}", answer.body));
    }
    let mut words = thing.words.clone();
    words.extend(ours(engine, &thing.name).await);
    let asked = by_name(writes(ours_by, from, &words));
    // The command is in the answer; of what was made, in the form that made it.
    let said = answer.json();
    let command = match (said["command"].as_str(), deed.path) {
        (Some(command), _) => command.to_owned(),
        (None, _) if shown.is_some() => shown.unwrap_or_default(),
        (None, "/containers") => {
            let draft = console.ask("POST", "/containers/draft").header("accept", "application/json");
            let draft = draft.form(&fields).send().await.json();
            draft["command"].as_str().unwrap_or_default().replacen("docker run -d", "docker create", 1)
        }
        (None, path) => console.get(&format!("{path}/new?name={}", thing.name)).await.text("#run-line"),
    };
    if !command.starts_with("docker ") {
        return Err(format!("{path} shows no command: {}", answer.body));
    }
    let from = theirs_by.seen().len();
    let line = command.replace(&thing.name, &twin.name);
    let mut docker = tokio::process::Command::new("sh");
    docker.env("DOCKER_HOST", theirs_by.url()).args(["-c", &line]).stdin(std::process::Stdio::null());
    let output = docker.current_dir(folder.path()).output().await.expect("a shell");
    if !output.status.success() {
        return Err(format!("{line}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let mut words = twin.words.clone();
    words.extend(ours(engine, &twin.name).await);
    let same = by_name(writes(theirs_by, from, &words));
    if asked == same { Ok(()) } else { Err(format!("{command}\n  done:    {asked:?}\n  command: {same:?}")) }
}

#[tokio::test]
async fn the_command_that_is_shown_asks_the_engine_for_the_same() {
    let engine = RealEngine::docker28();
    let (proxy, other, console) = watched(&engine).await;
    let mut differ = Vec::new();
    for (at, deed) in DEEDS.iter().enumerate() {
        differ.extend(differs(&engine, &console, (&proxy, &other), deed, at).await.err());
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[tokio::test]
async fn every_deed_is_compared_or_it_is_said_why_not() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let described = console.ask("GET", "/openapi.json").header("accept", "application/json").send().await.json();
    let all = described["paths"].as_object().expect("paths").iter();
    let mut routes: Vec<&str> =
        all.filter(|(_, operations)| operations.get("post").is_some()).map(|(path, _)| path.as_str()).collect();
    // What takes files is not described there.
    routes.extend(["/images/load", "/images/import", "/build/upload", "/containers/{id}/files/upload"]);
    routes.extend(["/volumes/{name}/files/upload", "/volumes/{name}/restore", "/containers/new/network"]);
    routes.extend(["/containers/{id}/terminal", "/containers/{id}/attach"]);
    assert!(routes.len() > 60, "{routes:?}");
    let is_told =
        |route: &&str| DEEDS.iter().any(|deed| deed.is_of(route)) || OTHERS.iter().any(|(path, _)| path == route);
    let silent: Vec<_> = routes.iter().filter(|route| !is_told(route)).collect();
    assert!(silent.is_empty(), "compare what they ask the engine for, or say why not: {silent:?}");
    let gone: Vec<_> = OTHERS.iter().filter(|(path, _)| !routes.contains(path)).collect();
    assert!(gone.is_empty(), "no such routes: {gone:?}");
}

#[tokio::test]
async fn every_page_shows_its_command_or_says_that_there_is_none() {
    let engine = RealEngine::docker28();
    let console = Console::administered(&engine.socket).await;
    let admin = console.admin().await;
    let web = engine.run("web", "--health-cmd true busybox sleep 1000").await;
    let (volume, network) = (engine.volume("data", "").await, engine.network(&engine.name("net")).await);
    let image = engine.docker(&["image", "inspect", "-f", "{{.Id}}", "busybox:latest"]).await.replace("sha256:", "");
    console.sees_as(&admin, &web.id).await;
    let get = async |path: &str| console.by(&admin, "GET", path).send().await;
    for path in [format!("/volumes/{volume}"), format!("/networks/{network}"), format!("/images/{image}")] {
        until("it is seen", async || (get(&path).await.status == 200).then_some(())).await;
    }
    let save = console.by(&admin, "POST", "/registries");
    save.form(&[("host", "localhost:1"), ("user", "ada"), ("password", "x"), ("unchecked", "1")]).send().await;
    let pulled = console.by(&admin, "POST", "/images/pull").form(&[("reference", "localhost:1/none:1")]).send().await;
    let job = pulled.leads_to();
    let described = console.by(&admin, "GET", "/openapi.json").header("accept", "application/json").send().await.json();
    let paths = described["paths"].as_object().expect("paths").iter();
    let paths = paths.filter(|(_, operations)| operations.get("get").is_some()).map(|(path, _)| path.as_str());
    // Pages that scripts have no use for.
    let more = [
        "/containers/{id}/terminal",
        "/containers/{id}/attach",
        "/containers/{id}/logs",
        "/containers/{id}/files/edit?path=/etc/passwd",
        "/containers/{id}/files/rename?path=/etc/passwd",
        "/containers/{id}/files/remove?path=/etc/passwd",
        "/volumes/{name}/restore",
        "/images/load",
        "/images/import",
        "/images/save",
        "/me/second-factor",
        "/logs?c={id}",
        "/go?q=stop+web",
        "/networks/connect",
    ];
    let (mut silent, mut count) = (Vec::new(), 0);
    for path in paths.chain(more) {
        let id = match path.split('/').nth(1) {
            Some("images") => image.as_str(),
            Some("networks") => &network,
            Some("jobs") => job.rsplit('/').next().unwrap_or_default(),
            Some("people") => "1",
            _ => &web.id,
        };
        let path = path.replace("{id}", id).replace("{name}", &volume).replace("{host}", "localhost:1");
        if path.contains('{') || path.contains("stream") {
            continue;
        }
        let page = get(&path).await;
        // Questions that need more are asked with it above.
        if page.status != 200 || !page.header("content-type").starts_with("text/html") {
            continue;
        }
        count += 1;
        if !page.has("main [data-command]") && !page.has("main [data-no-command]") {
            silent.push(path);
        }
    }
    assert!(count > 60, "{count} pages");
    assert!(silent.is_empty(), "{silent:#?}");
}

#[tokio::test]
async fn a_terminal_asks_for_what_docker_exec_does() {
    let engine = RealEngine::docker28();
    let (proxy, other, console) = watched(&engine).await;
    let web = engine.run("web", "busybox sleep 1000").await;
    console.sees_state(&web.id, "running").await;
    let execs = |proxy: &FaultProxy| -> Vec<Value> {
        let all = proxy.sent("/containers/").into_iter();
        let all = all.filter_map(|body| serde_json::from_str::<Value>(&body).ok()).map(said_of);
        // Not what ends the processes of one that is closed.
        all.filter(|body| body["Cmd"][0] == "sh")
            .map(|mut body| {
                // The terminal's type and size, which are told apart in what follows; that keys leave it.
                for key in ["ConsoleSize", "Env", "DetachKeys"] {
                    body.as_object_mut().expect("an exec").remove(key);
                }
                body
            })
            .collect()
    };
    for fields in [
        vec![("command", "sh")],
        vec![("command", "sh -c 'echo \"two  words\"; exit 0'"), ("user", "1000"), ("workdir", "/etc")],
    ] {
        let (mine, theirs) = (execs(&proxy).len(), execs(&other).len());
        let terminal = console.terminal(&web, &fields).await;
        until("it has asked", async || (execs(&proxy).len() > mine).then_some(())).await;
        // A terminal for the command, which ends with its input.
        let mut script = tokio::process::Command::new("script");
        script.args(["-qec", &terminal.command, "/dev/null"]).env("DOCKER_HOST", other.url());
        script.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null()).kill_on_drop(true);
        let mut child = script.spawn().expect("script runs");
        until("the command has asked", async || (execs(&other).len() > theirs).then_some(())).await;
        let _ = child.kill().await;
        let (done, same) = (execs(&proxy).pop().expect("one"), execs(&other).pop().expect("one"));
        assert_eq!(done, same, "{}", terminal.command);
    }
}

/// Pages that ask the engine for what they show: where, and whether the command's own question is among the console's.
const READS: &[&str] = &[
    "/containers/ID/processes",
    "/containers/ID/changes",
    "/containers/ID/inspect",
    "/containers/ID/logs",
    "/containers/ID/export.tar",
    "/engine/disk",
    "/containers",
    "/images",
    "/volumes",
    "/networks",
    "/images/IMAGE",
    "/volumes/SELF",
    "/networks/NET",
];

#[tokio::test]
async fn a_page_asks_the_engine_for_what_its_command_does() {
    let engine = RealEngine::docker28();
    let (proxy, other, console) = watched(&engine).await;
    let name = engine.name("web");
    let web = engine.run("web", "busybox sleep 1000").await;
    engine.docker(&["volume", "create", &name]).await;
    engine.goes_too("volume", &name);
    engine.docker(&["network", "create", &name]).await;
    engine.goes_too("network", &name);
    engine.docker(&["tag", "busybox:latest", &format!("{name}:1")]).await;
    engine.goes_too("image", &format!("{name}:1"));
    let ours = ours(&engine, &name).await;
    let word = |word: &str| ours.iter().find(|(_, known)| **known == word).map_or("", |(id, _)| id.as_str());
    console.sees_state(&web.id, "running").await;
    console.sees_network(word("NET")).await;
    let questions = |proxy: &FaultProxy, from: usize| -> Vec<String> {
        let asked = proxy.seen().into_iter().skip(from).filter(|(method, _)| method == "GET");
        let paths = asked.map(|(_, path)| without_version(&path).split('?').next().unwrap_or_default().to_owned());
        paths
            .filter(|path| !matches!(path.as_str(), "/_ping" | "/version" | "/info"))
            // By its id, its name, or a tag.
            .map(|path| path.replace(&format!("{name}:1"), "SELF").replace(&name, "SELF"))
            .map(|path| ours.iter().fold(path, |path, (id, _)| path.replace(id.as_str(), "SELF")))
            .map(|path| path.replace("sha256:SELF", "SELF").replace("docker.io/library/busybox:latest", "SELF"))
            .map(|path| path.replace("busybox:latest", "SELF"))
            .collect()
    };
    let mut differ = Vec::new();
    for page in READS {
        let path = page
            .replace("SELF", &name)
            .replace("ID", word("ID"))
            .replace("NET", word("NET"))
            .replace("IMAGE", word("IMAGE"));
        if *page == "/engine/disk" {
            console.post("/engine/disk/measure", &[]).await;
        }
        let answer = console.get(&path).await.expect(200);
        let command = match answer.header("content-type") {
            kind if kind.starts_with("text/html") => answer.commands().first().cloned().unwrap_or_default(),
            _ => format!("docker export -o {name}.tar {name}"),
        };
        let from = other.seen().len();
        let folder = tempfile::tempdir().expect("a folder");
        let mut docker = tokio::process::Command::new("sh");
        docker.env("DOCKER_HOST", other.url()).args(["-c", &command]).stdin(std::process::Stdio::null());
        let output = docker.current_dir(folder.path()).output().await.expect("a shell");
        if !output.status.success() {
            differ.push(format!("{path}: {command}: {}", String::from_utf8_lossy(&output.stderr)));
        }
        let mine = questions(&proxy, 0);
        let missing: Vec<_> = questions(&other, from).into_iter().filter(|path| !mine.contains(path)).collect();
        if !missing.is_empty() {
            differ.push(format!("{path}: {command} asks for {missing:?}, the console for\n    {mine:?}"));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}
