//! What is shown as the docker command asks the engine for the same as what is done: both are recorded, and compared.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{
    Console, RealEngine,
    proxy::{FaultProxy, without_version},
};

/// Something that the console does, to things that are made anew for it and for the command that it shows.
struct Deed {
    /// What is there before: docker commands, in which `SELF` is a name of our own.
    before: &'static [&'static str],
    /// Where it is asked for; `ID` is the id of the container, image or network `SELF`.
    path: &'static str,
    /// With what.
    fields: &'static [(&'static str, &'static str)],
}

const RUNS: &str = "run -d --stop-timeout 0 --name SELF busybox sleep 1000";
const MADE: &str = "create --name SELF busybox sleep 1000";

const fn deed(
    before: &'static [&'static str],
    path: &'static str,
    fields: &'static [(&'static str, &'static str)],
) -> Deed {
    Deed { before, path, fields }
}

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
    deed(&["tag busybox:latest SELF:1"], "/images/IMAGE/tag", &[("reference", "SELF:2")]),
    deed(&["tag busybox:latest SELF:1"], "/images/IMAGE/remove", &[("tag", "SELF:1")]),
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
const SO_ANYHOW: [(&str, &str); 8] = [
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

async fn before(engine: &RealEngine, deed: &Deed, name: &str) {
    for line in deed.before {
        engine.shell(&format!("docker {}", line.replace("SELF", name))).await;
    }
}

#[tokio::test]
async fn the_command_that_is_shown_asks_the_engine_for_the_same() {
    let engine = RealEngine::docker28();
    let proxy = FaultProxy::before(&engine.socket);
    let console = Console::start(proxy.socket()).ready().await;
    let other = FaultProxy::before(&engine.socket);
    other.faults(|faults| faults.one_each = true);
    let mut differ = Vec::new();
    for (at, deed) in DEEDS.iter().enumerate() {
        let (name, twin) = (engine.name(&format!("a{at}x")), engine.name(&format!("b{at}x")));
        for name in [&name, &twin] {
            before(&engine, deed, name).await;
            for (kind, of) in [
                ("network", name.clone()),
                ("volume", name.clone()),
                ("image", format!("{name}:1")),
                ("image", format!("{name}:2")),
            ] {
                engine.goes_too(kind, &of);
            }
        }
        let mine = ours(&engine, &name).await;
        let word =
            |word: &str| mine.iter().find(|(_, known)| **known == word).map_or("", |(id, _)| id.as_str()).to_owned();
        let fill = |text: &str| {
            text.replace("SELF", &name)
                .replace("ID", &word("ID"))
                .replace("NET", &word("NET"))
                .replace("IMAGE", &word("IMAGE"))
        };
        if !word("ID").is_empty() {
            console.sees(&word("ID")).await;
        }
        if !word("NET").is_empty() {
            crate::support::until("the network is seen", async || {
                console.get(&format!("/networks/{}", word("NET"))).await.status.lt(&300).then_some(())
            })
            .await;
        }
        let path = fill(deed.path);
        let fields: Vec<(String, String)> =
            deed.fields.iter().map(|(key, value)| ((*key).to_owned(), fill(value))).collect();
        let fields: Vec<(&str, &str)> = fields.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let from = proxy.seen().len();
        let answer = console.ask("POST", &path).header("accept", "application/json").form(&fields).send().await;
        if answer.status >= 300 {
            differ.push(format!("{path}: {}", answer.body));
            continue;
        }
        let mut mine = mine.clone();
        mine.extend(ours(&engine, &name).await);
        let done = writes(&proxy, from, &mine);
        // The command is in the answer; of what was made, in the form that made it.
        let said = answer.json();
        let command = match (said["command"].as_str(), deed.path) {
            (Some(command), _) => command.to_owned(),
            (None, "/containers") => {
                let draft = console.ask("POST", "/containers/draft").header("accept", "application/json");
                let draft = draft.form(&fields).send().await.json();
                draft["command"].as_str().unwrap_or_default().replacen("docker run -d", "docker create", 1)
            }
            (None, path) => console.get(&format!("{path}/new?name={name}")).await.text("#run-line"),
        };
        if !command.starts_with("docker ") {
            differ.push(format!("{path} shows no command: {}", answer.body));
            continue;
        }
        let mut theirs = ours(&engine, &twin).await;
        let from = other.seen().len();
        let line = command.replace(&name, &twin);
        let words = shell_words::split(&line).expect("words");
        let mut docker = tokio::process::Command::new("docker");
        docker.env("DOCKER_HOST", other.url()).args(&words[1..]).stdin(std::process::Stdio::null());
        let output = docker.output().await.expect("docker runs");
        if !output.status.success() {
            differ.push(format!("{line}: {}", String::from_utf8_lossy(&output.stderr)));
            continue;
        }
        theirs.extend(ours(&engine, &twin).await);
        let same = writes(&other, from, &theirs);
        let by_name = |all: Vec<String>| -> Vec<String> {
            all.into_iter()
                .map(|request| {
                    // By its id or by a name of it.
                    let pairs = [
                        ("/containers/ID", "/containers/SELF"),
                        ("/networks/NET", "/networks/SELF"),
                        (r#""Container":"ID""#, r#""Container":"SELF""#),
                        ("/images/IMAGE", "/images/SELF:1"),
                        ("/images/busybox:latest", "/images/SELF:1"),
                        ("repo=docker.io/library/", "repo="),
                        ("%3A", ":"),
                    ];
                    pairs.iter().fold(request, |request, (from, to)| request.replace(from, to))
                })
                .collect()
        };
        let (done, same) = (by_name(done), by_name(same));
        if done != same {
            differ.push(format!("{command}\n  done:    {done:?}\n  command: {same:?}"));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}
