//! The whole life of a container: every state, every verb, every flag, on every engine. What the page offers and says is
//! compared with what the engine then did.

use std::{fmt::Write as _, time::Duration};

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use crate::support::{Answer, Console, Made, RealEngine, proxy::ask_engine, until};

/// Its name in the table, its verb, its fields.
type Try = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// What is tried: its name in the table, the verb of the path, the fields of the form. `@` is a free name.
const VERBS: [Try; 12] = [
    ("start", "start", &[]),
    ("stop", "stop", &[("timeout", "3")]),
    ("restart", "restart", &[("timeout", "3")]),
    ("kill TERM", "kill", &[("signal", "TERM")]),
    ("kill KILL", "kill", &[("signal", "KILL")]),
    ("pause", "pause", &[]),
    ("unpause", "unpause", &[]),
    ("rename", "rename", &[("name", "@")]),
    ("remove", "remove", &[]),
    ("remove -f", "remove", &[("force", "1")]),
    ("remove -v", "remove", &[("volumes", "1")]),
    ("remove -fv", "remove", &[("force", "1"), ("volumes", "1")]),
];

/// Ends at once when it is asked to.
const LIVES: &str = "trap 'exit 0' TERM; sleep 1000 & wait";
/// How many cells are tried at once.
const AT_ONCE: usize = 4;

/// What comes of a verb.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Wanted {
    /// It is done; afterwards the container is in one of these states. `gone` is one, too.
    Done(&'static [&'static str]),
    /// It is refused, the container stays as it was, and the page says this.
    Refused(&'static str),
    /// Either, as the engine's own timing has it.
    Either(&'static [&'static str], &'static str),
}

use Wanted::{Done, Either, Refused};

/// What Docker does. Its documentation says little of this; it was tried by hand first.
fn docker(state: &str, verb: &str) -> Wanted {
    match (state, verb) {
        // What is so already is no error (S075).
        ("running", "start" | "unpause") => Done(&["running"]),
        ("created", "stop" | "unpause") => Done(&["created"]),
        ("exited", "stop" | "unpause") => Done(&["exited"]),
        ("paused", "pause") => Done(&["paused"]),
        ("restarting", "start" | "unpause") => Done(&["restarting", "running"]),

        ("created" | "exited", "start" | "restart") => Done(&["running"]),
        ("running" | "paused", "restart") => Done(&["running"]),
        ("restarting", "restart") => Done(&["running", "restarting"]),
        ("running" | "paused" | "restarting", "stop" | "kill TERM" | "kill KILL") => Done(&["exited"]),
        ("running", "pause") => Done(&["paused"]),
        ("paused", "unpause") => Done(&["running"]),
        (_, "rename") => Done(&["created", "running", "paused", "restarting", "exited"]),
        (_, "remove -f" | "remove -fv") => Done(&["gone"]),
        ("created" | "exited", "remove" | "remove -v") => Done(&["gone"]),

        ("created" | "exited", "kill TERM" | "kill KILL" | "pause") => Refused("It is not running."),
        ("paused", "start") => Refused("It is paused"),
        ("running" | "paused" | "restarting", "remove" | "remove -v") => Refused("remove it by force"),
        // It may just run when this comes: then it is frozen between two restarts, or its process is gone already.
        ("restarting", "pause") => Either(&["paused"], "It is waiting to be started again."),
        (state, verb) => panic!("the table lacks {verb} of {state}"),
    }
}

/// Docker 20.10, where it differs.
fn docker20(state: &str, verb: &str) -> Wanted {
    match (state, verb) {
        // Its network code has taken the sandbox away between two runs and then does not find it: "Sandbox ... not found".
        ("restarting", "rename") => Either(&["restarting", "running"], "Sandbox"),
        _ => docker(state, verb),
    }
}

/// Podman, where it differs. It has no state `restarting`: it starts again at once.
fn podman(state: &str, verb: &str) -> Wanted {
    match (state, verb) {
        // It refuses both for what is frozen, where Docker thaws it.
        ("paused", "stop" | "restart") => Refused("It is paused"),
        // The signal waits until the process is thawed.
        ("paused", "kill TERM") => Done(&["paused"]),
        _ => docker(state, verb),
    }
}

/// One field of the table, and what came of it.
struct Cell {
    state: &'static str,
    name: &'static str,
    container: Made,
    outcome: String,
    complaints: Vec<String>,
}

#[tokio::test]
async fn the_matrix_of_docker28() {
    matrix(RealEngine::docker28(), &["created", "running", "paused", "restarting", "exited"], docker).await;
}

#[tokio::test]
async fn the_matrix_of_docker20() {
    matrix(RealEngine::docker20(), &["created", "running", "paused", "restarting", "exited"], docker20).await;
}

#[tokio::test]
async fn the_matrix_of_podman4() {
    matrix(RealEngine::podman4(), &["created", "running", "paused", "exited"], podman).await;
}

async fn matrix(engine: RealEngine, states: &[&'static str], wanted: fn(&str, &str) -> Wanted) {
    println!("dead and removing cannot be made on purpose; S077 shows them with a list of our own");
    let console = Console::on(&engine).await;
    let cells = states.iter().flat_map(|state| VERBS.map(|verb| (*state, verb)));
    let made: Vec<_> = stream::iter(cells)
        .map(|(state, verb)| {
            let engine = &engine;
            async move { (state, verb, make(engine, state, verb.0).await) }
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let cells: Vec<Cell> = stream::iter(made)
        .map(|(state, verb, container)| {
            let (engine, console) = (&engine, &console);
            async move {
                settle(engine, &container, state).await;
                console.sees_state(&container.id, state).await;
                tried(engine, console, state, verb, container, wanted(state, verb.0)).await
            }
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    print(&cells, states);
    let complaints: Vec<&String> = cells.iter().flat_map(|cell| &cell.complaints).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
}

/// A container on its way into this state.
async fn make(engine: &RealEngine, state: &str, verb: &str) -> Made {
    let name = engine.name(&format!("{state}-{}", verb.replace(' ', "")));
    let (words, restart) = match state {
        "restarting" => ("exit 3", "always"),
        _ => (LIVES, "no"),
    };
    let body = json!({
        "Image": "busybox", "Cmd": ["sh", "-c", words], "Volumes": {"/anonymous": {}},
        "HostConfig": {"NetworkMode": "none", "RestartPolicy": {"Name": restart}},
    });
    let path = format!("/v1.41/containers/create?name={name}");
    let (status, answer) = ask_engine(&engine.socket, "POST", &path, Some(body)).await;
    assert_eq!(status, 201, "{answer}");
    let container = Made { id: answer["Id"].as_str().expect("an id").to_owned(), name };
    let act = async |verb: &str, fine: &[u16]| {
        let path = format!("/v1.41/containers/{}/{verb}", container.id);
        let (status, answer) = ask_engine(&engine.socket, "POST", &path, None).await;
        assert!(fine.contains(&status), "{verb}: {status} {answer}");
    };
    match state {
        "created" => {}
        "exited" => {
            act("start", &[204]).await;
            act("kill", &[204]).await;
        }
        // The kernel does not always freeze at the first try.
        "paused" => {
            act("start", &[204]).await;
            until("it is paused", async || {
                act("pause", &[204, 409, 500]).await;
                (truth(engine, &container).await == "paused").then_some(())
            })
            .await;
        }
        _ => act("start", &[204]).await,
    }
    container
}

/// Waits until it is in this state, and stays there for a while.
async fn settle(engine: &RealEngine, container: &Made, state: &str) {
    until(&format!("{} is {state}", container.name), async || {
        let (_, told) = inspect(engine, container).await;
        // The engine waits twice as long before each further start: after six, there are seconds.
        let rests = state != "restarting" || told["RestartCount"].as_u64() >= Some(6);
        (rests && told["State"]["Status"] == state).then_some(())
    })
    .await;
}

async fn inspect(engine: &RealEngine, container: &Made) -> (u16, Value) {
    ask_engine(&engine.socket, "GET", &format!("/v1.41/containers/{}/json", container.id), None).await
}

/// What the engine says of it now.
async fn truth(engine: &RealEngine, container: &Made) -> String {
    match inspect(engine, container).await {
        (404, _) => "gone".to_owned(),
        (_, told) => told["State"]["Status"].as_str().expect("a state").to_owned(),
    }
}

async fn row(console: &Console, container: &Made) -> Option<Answer> {
    let page = console.get(&format!("/containers?q={}", container.id)).await.expect(200);
    page.has(&container.row()).then_some(page)
}

async fn tried(
    engine: &RealEngine,
    console: &Console,
    state: &'static str,
    (name, verb, fields): Try,
    container: Made,
    wanted: Wanted,
) -> Cell {
    let before = row(console, &container).await.expect("the row is there");
    let target = container.path(verb);
    let offers = |attribute| before.attributes(&format!("{} [{attribute}]", container.row()), attribute);
    let offered = [offers("formaction"), offers("href")].concat();
    let is_offered = offered.iter().any(|path| path.split('?').next() == Some(&target));
    let volumes: Vec<String> = engine.mounts(&container.id).await.into_iter().map(|(name, _)| name).collect();
    let free = format!("{}-x", container.name);
    let fields: Vec<_> =
        fields.iter().map(|(name, value)| (*name, if *value == "@" { &free } else { *value })).collect();

    let answer = console.post(&target, &fields).await;
    let said = if answer.has("h1#what") { answer.text("main section") } else { String::new() };

    let mut complaints = Vec::new();
    let mut complain = |what: String| complaints.push(format!("{name} of {state}: {what} (it said {said:?})"));
    let done = answer.status == 303;
    let (states, words) = match wanted {
        Done(states) => (Some(states), None),
        Refused(words) => (None, Some(words)),
        Either(states, words) => (Some(states), Some(words)),
    };
    match (done, states, words) {
        (true, Some(_), _) => {}
        (true, None, _) => complain("it should have been refused".to_owned()),
        (false, _, Some(words)) => {
            if answer.status != 409 && !matches!(wanted, Either(..)) {
                complain(format!("a refusal for the state is 409, not {}", answer.status));
            }
            if !said.contains(words) {
                complain(format!("it should say {words:?}"));
            }
        }
        (false, ..) => complain(format!("it should have worked, and is {}", answer.status)),
    }
    // What is offered works, or says which flag it needs.
    if is_offered && !done && !said.contains("(-f)") && !matches!(wanted, Either(..)) {
        complain("it is offered, and refused".to_owned());
    }

    // The page agrees with the engine, both now: a restart loop goes on by itself, and a signal takes its time.
    let is_right = |state: &str| !done || states.is_none_or(|states| states.contains(&state));
    let mut last;
    let end = tokio::time::Instant::now() + Duration::from_secs(8);
    let agreed = loop {
        let told = truth(engine, &container).await;
        let page = row(console, &container).await;
        let shown = page.and_then(|page| page.attribute(&container.row(), "data-state"));
        last = (told, shown.unwrap_or_else(|| "gone".to_owned()));
        let agreed = last.0 == last.1;
        if agreed && is_right(&last.0) || tokio::time::Instant::now() > end {
            break agreed;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    if !agreed {
        complain(format!("the engine says {}, the page {}", last.0, last.1));
    }
    match (done, states) {
        (true, Some(states)) if !is_right(&last.0) => complain(format!("it is {} afterwards, not {states:?}", last.0)),
        (false, _) if last.0 != state && state != "restarting" => {
            complain(format!("refused, and yet it is {}", last.0));
        }
        _ => {}
    }
    if done && verb == "rename" && inspect(engine, &container).await.1["Name"] != format!("/{free}") {
        complain("it has not the new name".to_owned());
    }
    if done && verb == "remove" {
        for volume in &volumes {
            let goes = name.ends_with('v');
            if engine.inspect_volume(volume).await.is_some() == goes {
                complain(format!("its anonymous volume should {}", if goes { "go" } else { "stay" }));
            }
            engine.goes_too("volume", volume);
        }
    }
    let outcome = format!("{}{} {}", if is_offered { "" } else { "(" }, if done { "→" } else { "refused" }, last.0)
        + if is_offered { "" } else { ")" };
    Cell { state, name, container, outcome, complaints }
}

/// The matrix, to be read by people. In brackets: the page does not offer it.
fn print(cells: &[Cell], states: &[&str]) {
    let mut table = format!("\n{:12}", "");
    for state in states {
        let _ = write!(table, "{state:22}");
    }
    for (name, ..) in VERBS {
        let _ = write!(table, "\n{name:12}");
        for state in states {
            let cell = cells.iter().find(|cell| cell.name == name && cell.state == *state);
            let _ = write!(table, "{:22}", cell.map_or("?", |cell| &cell.outcome));
        }
    }
    println!("{table}\n({} containers of {}…)", cells.len(), cells[0].container.name);
}
