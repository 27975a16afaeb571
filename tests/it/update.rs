//! Limits, changed in place: what the engine makes of it, and what the form says where it does not take it.

use serde_json::Value;

use crate::support::{Console, Made, RealEngine, contains_all};

const WEB: &str = "--network none --memory 64m --memory-swap 128m --cpus 0.5 --pids-limit 50 busybox sleep 1000";

async fn web(engine: &RealEngine, console: &Console) -> Made {
    let web = engine.run("web", WEB).await;
    console.sees_state(&web.id, "running").await;
    web
}

async fn changes(engine: &RealEngine) {
    let console = Console::on(engine).await;
    let web = web(engine, &console).await;
    let form = console.get(&web.path("update")).await.expect(200);
    let value = |name: &str| form.attribute(&format!("#update [name={name}]"), "value").unwrap_or_default();
    assert_eq!([value("memory"), value("cpus"), value("pids-limit"), value("restart")], ["64m", "0.5", "50", "no"]);
    // The command follows what is typed.
    let draft = console.get(&web.path("update?memory=100m&memory-swap=-1&cpus=0.5")).await.expect(200);
    assert_eq!(draft.text("#run-line"), format!("docker update --memory 100m --memory-swap -1 {}", web.name));
    let fields = [
        ("memory", "100m"),
        ("memory-swap", "-1"),
        ("cpus", "0.7"),
        ("cpu-shares", "512"),
        ("cpuset-cpus", "0"),
        ("pids-limit", "60"),
        ("restart", "on-failure:3"),
    ];
    let answer = console.post(&web.path("update"), &fields).await;
    if answer.status == 200 {
        // An engine without swap accounting says so.
        assert!(answer.has(".banner"), "{}", answer.said());
    } else {
        assert_eq!(answer.leads_to(), web.path("stats"));
    }
    let host = engine.inspect(&web.id).await["HostConfig"].clone();
    let number = |name: &str| host[name].as_i64();
    assert_eq!(number("Memory"), Some(100 << 20), "{host}");
    assert_eq!(
        (number("NanoCpus"), number("CpuShares"), number("PidsLimit")),
        (Some(700_000_000), Some(512), Some(60))
    );
    assert_eq!((host["CpusetCpus"].as_str(), number("MemorySwap")), (Some("0"), Some(-1)), "{host}");
    assert_eq!(host["RestartPolicy"], serde_json::json!({"Name": "on-failure", "MaximumRetryCount": 3}));
    let stats = console.get(&web.path("stats")).await.expect(200);
    contains_all(&stats.said(), &["limit 70.0 %"]);
    let audit = console.get("/audit").await.expect(200);
    contains_all(&audit.said(), &["docker update --memory 100m", &web.name]);
    // What is not sent stays.
    let scripted = console
        .ask("POST", &web.path("update"))
        .header("accept", "application/json")
        .header("content-type", "application/json");
    let answer = scripted.body(r#"{"pids-limit": "", "restart": "no"}"#).send().await.expect(200).json();
    assert_eq!(answer["command"], format!("docker update --pids-limit -1 --restart no {}", web.name));
    let host = engine.inspect(&web.id).await["HostConfig"].clone();
    assert!(host["PidsLimit"].as_i64().unwrap_or(-1) <= 0, "{host}");
    assert_eq!((host["RestartPolicy"]["Name"].as_str(), host["Memory"].as_i64()), (Some("no"), Some(100 << 20)));
}

#[tokio::test]
async fn limits_change_in_place() {
    changes(&RealEngine::docker28()).await;
}

#[tokio::test]
async fn limits_change_in_place_on_the_oldest_engine() {
    changes(&RealEngine::docker20()).await;
}

#[tokio::test]
async fn podman_changes_what_runs_and_says_what_it_cannot() {
    let engine = RealEngine::podman4();
    let console = Console::on(&engine).await;
    let web = web(&engine, &console).await;
    let answer = console.post(&web.path("update"), &[("memory", "100m"), ("pids-limit", "60")]).await.expect(200);
    contains_all(&answer.text(".banner"), &["were changed", "next start"]);
    // podman itself goes on to tell the limit that it was made with: what counts is the kernel's.
    let limit = engine.docker(&["exec", &web.id, "cat", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]).await;
    assert_eq!(limit, (100 << 20).to_string());
    let answer = console.post(&web.path("update"), &[("restart", "always")]).await.expect(501);
    contains_all(&answer.text("#f-restart-error"), &["podman"]);
}

/// Fields of a form, and what is typed there.
type Typed = &'static [(&'static str, &'static str)];

#[tokio::test]
async fn what_is_wrong_stands_at_its_field_and_nothing_is_changed() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let web = web(&engine, &console).await;
    let before = engine.inspect(&web.id).await["HostConfig"].clone();
    let cases: [(Typed, &str, &str); 6] = [
        (&[("memory", "much"), ("cpus", "0.7")], "memory", "number"),
        // The engine's own refusals.
        (&[("memory", "1m")], "memory", "6MB"),
        (&[("memory", "1g")], "memory", "memoryswap"),
        (&[("cpus", "999")], "cpus", "CPUs"),
        (&[("cpuset-cpus", "77")], "cpuset-cpus", "CPUs"),
        (&[("cpus", "")], "cpus", "cannot take this limit away"),
    ];
    for (fields, field, why) in cases {
        let answer = console.post(&web.path("update"), fields).await;
        assert!(matches!(answer.status, 400 | 409 | 422), "{fields:?}: {}", answer.status);
        contains_all(&answer.text(&format!("#f-{field}-error")), &[why]);
        for (name, value) in fields {
            assert_eq!(answer.attribute(&format!("#f-{name}"), "value").as_deref(), Some(*value));
        }
    }
    let nothing = console.post(&web.path("update"), &[("memory", "64m")]).await.expect(422);
    contains_all(&nothing.said(), &["Nothing was changed", "differs"]);
    let json = console.ask("POST", &web.path("update")).header("accept", "application/json").form(&[("cpus", "999")]);
    let told: Value = json.send().await.json();
    assert!(told["fields"]["cpus"].is_string(), "{told}");
    assert_eq!(engine.inspect(&web.id).await["HostConfig"], before);
}
