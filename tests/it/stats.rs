//! What containers use: the figures against `docker stats`, live, over time, and what they cost the engine.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::sleep;

use crate::support::{Console, Made, RealEngine, contains_all, proxy::FaultProxy, until};

/// A container that burns CPU and holds memory: as much as its limit allows of the one, 24 MiB of the other, with a page
/// cache beside it that `docker stats` does not count.
const BURNS: &str = "--memory 96m --cpus 0.3 --pids-limit 40 busybox sh -c \
    'dd if=/dev/zero of=/tmp/cache bs=1M count=20 2>/dev/null; x=$(head -c 12000000 /dev/zero | tr \"\\0\" x); while :; do :; done'";

async fn figures(console: &Console, of: &Made) -> Value {
    console.ask("GET", &of.path("stats")).header("accept", "application/json").send().await.expect(200).json()
}

/// `1.102MiB` as `docker stats` writes it, in bytes.
fn bytes(text: &str) -> f64 {
    let text = text.trim();
    let end = text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let scale = match unit {
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        "GiB" => 1024.0 * 1024.0 * 1024.0,
        "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        _ => 1.0,
    };
    number.parse::<f64>().unwrap_or_else(|_| panic!("{text}")) * scale
}

/// What `docker stats` says of it.
async fn docker_stats(engine: &RealEngine, of: &Made) -> Value {
    let line = engine.docker(&["stats", "--no-stream", "--format", "{{json .}}", &of.name]).await;
    serde_json::from_str(&line).expect("JSON")
}

/// Within a tenth of each other, or so close that it is rounding.
fn near(ours: f64, theirs: f64, least: f64) -> bool {
    (ours - theirs).abs() <= (theirs.abs() / 10.0).max(least)
}

async fn agrees(engine: &RealEngine, counts_cpu_alike: bool) {
    let console = Console::on(engine).await;
    let burns = engine.run("burns", BURNS).await;
    console.sees_state(&burns.id, "running").await;
    let mut stream = console.stream(&burns.path("stats/stream")).await;
    stream.until("a reading", |data| data.contains("\"values\":[")).await;
    // It settles; and a moment in which the engine or this machine was busy is no disagreement.
    let mut last = String::new();
    for _ in 0..8 {
        sleep(Duration::from_secs(3)).await;
        let (theirs, ours) = tokio::join!(docker_stats(engine, &burns), figures(&console, &burns));
        let after = figures(&console, &burns).await;
        last = format!("docker stats: {theirs}\nours: {}, then {}", ours["now"], after["now"]);
        let text = |key: &str| theirs[key].as_str().unwrap_or_default().to_owned();
        let of = |now: &Value, key: &str| now["now"][key].as_f64();
        let pair = |key: &str, at: usize| bytes(text(key).split(" / ").nth(at).unwrap_or_default());
        let alike = |theirs: f64, key: &str, least: f64| {
            [&ours, &after].iter().any(|now| of(now, key).is_some_and(|ours| near(ours, theirs, least)))
        };
        let cpu: f64 = text("CPUPerc").trim_end_matches('%').parse().expect("a number");
        let memory = alike(pair("MemUsage", 0), "memory", 600e3) && alike(pair("MemUsage", 1), "memory_limit", 1e3);
        let network = alike(pair("NetIO", 0), "received", 2e3) && alike(pair("NetIO", 1), "sent", 2e3);
        let pids = alike(text("PIDs").parse().expect("a number"), "pids", 1.0);
        // What docker sums up over its second and we over our two is of another time: a few per cent of a CPU.
        let burnt = if counts_cpu_alike { alike(cpu, "cpu_percent", 8.0) } else { alike(30.0, "cpu_percent", 8.0) };
        if memory && network && pids && burnt && cpu.is_finite() {
            assert_eq!(ours["limits"]["memory"].as_u64(), Some(96 << 20), "{last}");
            assert!((ours["limits"]["cpu_percent"].as_f64().expect("a limit") - 30.0).abs() < 0.01, "{last}");
            return;
        }
    }
    panic!("they never agreed:\n{last}");
}

#[tokio::test]
async fn figures_are_those_of_docker_stats() {
    agrees(&RealEngine::docker28(), true).await;
}

#[tokio::test]
async fn figures_are_those_of_docker_stats_on_the_oldest_engine() {
    agrees(&RealEngine::docker20(), true).await;
}

#[tokio::test]
async fn what_podman_does_not_tell_is_a_gap_and_no_zero() {
    let engine = RealEngine::podman4();
    let console = Console::on(&engine).await;
    let burns = engine.run("burns", BURNS).await;
    console.sees_state(&burns.id, "running").await;
    let mut stream = console.stream(&burns.path("stats/stream")).await;
    // `docker stats` of podman 4.3 says 0.01 %: its processor's time is none. The clock tells better.
    stream.until("a reading", |data| data.contains("\"values\":[")).await;
    until("it burns what it may", async || {
        let now = figures(&console, &burns).await["now"].clone();
        let cpu = now["cpu_percent"].as_f64()?;
        ((10.0..60.0).contains(&cpu) && now["memory"].as_u64()? > 10 << 20).then_some(())
    })
    .await;
    let page = console.get(&burns.path("stats")).await.expect(200);
    let now = figures(&console, &burns).await;
    if now["now"]["read"].is_null() {
        assert!(page.text("[data-chart=disk] [data-now]").contains("not told"), "{}", page.said());
    }
}

#[tokio::test]
async fn the_page_has_it_all_without_scripts() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let burns = engine.run("burns", BURNS).await;
    let stopped = engine.create("stopped", "busybox true").await;
    console.sees_state(&burns.id, "running").await;
    until("there is something to draw", async || {
        let page = console.get(&burns.path("stats")).await.expect(200);
        let line = page.attribute("[data-chart=memory] .plot-line", "d")?;
        let cpu = page.text("[data-chart=cpu] [data-now]");
        (line.contains('L') && cpu.contains('%')).then_some(())
    })
    .await;
    let page = console.get(&burns.path("stats")).await.expect(200);
    assert_eq!(page.commands()[0], format!("docker stats {}", burns.name));
    assert_eq!(page.texts("[data-chart] h2"), ["CPU", "Memory", "Network", "Disk", "Processes"]);
    assert_eq!(page.attributes(".plot-limit", "d").len(), 3);
    contains_all(&page.said(), &["limit 30.0 %", "limit 96.0 MiB", "limit 40", "peak", "p95", "Change limits"]);
    assert!(page.attributes("[data-drawn]", "aria-label").iter().all(|says| says.contains("now")), "{}", page.said());
    assert!(!page.texts("#stats-table tbody tr").is_empty());
    for range in ["day", "month", "nonsense"] {
        console.get(&burns.path(&format!("stats?range={range}"))).await.expect(200);
    }
    console.sees(&stopped.id).await;
    let page = console.get(&stopped.path("stats")).await.expect(200);
    contains_all(&page.text("#stats-none"), &["has never run"]);
    assert!(figures(&console, &stopped).await["now"].is_null());
}

#[tokio::test]
async fn a_container_that_stops_keeps_its_lines_and_gets_a_gap() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let web = engine.run("web", "busybox sleep 1000").await;
    console.sees_state(&web.id, "running").await;
    let mut stream = console.stream(&web.path("stats/stream")).await;
    stream
        .until("a reading with CPU", |data| data.contains("\"values\":[") && !data.contains("\"values\":[null"))
        .await;
    engine.docker(&["kill", &web.id]).await;
    stream.until("the end of the line", |data| data.contains("\"values\":[null,null,null,null,null,null,null]")).await;
    let kept = figures(&console, &web).await;
    assert!(kept["now"].is_null());
    let memory = kept["points"]["memory"].as_array().expect("a list");
    assert!(memory.iter().any(Value::is_number) && memory.last() == Some(&Value::Null), "{kept}");
    contains_all(&console.get(&web.path("stats")).await.expect(200).text("#stats-none"), &["does not run", "exited"]);
}

fn stats_calls(proxy: &FaultProxy) -> usize {
    proxy.seen().iter().filter(|(_, path)| path.contains("/stats")).count()
}

#[tokio::test]
async fn s064_stats_are_shared_and_on_demand() {
    let engine = RealEngine::docker28();
    let proxy = FaultProxy::before(&engine.socket);
    let one = engine.run("one", "--network none busybox sleep 1000").await;
    let listed = engine.inspect(&one.id).await;
    // A hundred containers, of which one answers: what counts is how they are asked.
    let list: Vec<Value> = (0..100)
        .map(|at| {
            let id = if at == 0 { one.id.clone() } else { format!("{at:064x}") };
            serde_json::json!({"Id": id, "Names": [format!("/many-{at:03}")], "Image": "busybox", "ImageID": listed["Image"], "State": "running",
                "Status": "Up 2 hours", "Created": 1_700_000_000, "Command": "sleep 1000", "Labels": {}})
        })
        .collect();
    proxy.answer("/containers/json", 200, Value::from(list).to_string());
    let console = Console::start(proxy.socket()).ready().await;
    console.sees(&one.id).await;
    let mut tabs = Vec::new();
    for tab in 0..20 {
        let path = match tab % 4 {
            0 => "/containers/stream?sort=memory".to_owned(),
            1 => "/containers/stream?group=none&page=2".to_owned(),
            2 => "/containers/stream".to_owned(),
            _ => one.path("stats/stream"),
        };
        tabs.push(console.stream(&path).await);
    }
    sleep(Duration::from_secs(6)).await;
    let (before, begun) = (stats_calls(&proxy), Instant::now());
    sleep(Duration::from_secs(10)).await;
    let rate =
        f64::from(u32::try_from(stats_calls(&proxy) - before).expect("not so many")) / begun.elapsed().as_secs_f64();
    // A hundred every five seconds and the one every two, whoever looks: not twenty times that.
    assert!(rate > 1.0 && rate < 30.0, "{rate} calls a second");
    assert!(proxy.most_connections() <= 100, "{} connections", proxy.most_connections());
    drop(tabs);
    sleep(Duration::from_secs(10)).await;
    let quiet = stats_calls(&proxy);
    sleep(Duration::from_secs(6)).await;
    assert_eq!(stats_calls(&proxy), quiet, "nobody looks any more");
}

#[tokio::test]
async fn the_list_tells_what_its_rows_use_and_sorts_by_it() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let idle = engine.run("a-idle", "--network none busybox sleep 1000").await;
    let burns = engine.run("b-burns", BURNS).await;
    console.sees_state(&burns.id, "running").await;
    let list = format!("/containers?q={}&group=none", engine.name(""));
    let mut stream = console.stream(&list.replacen("/containers", "/containers/stream", 1)).await;
    let told = stream
        .until("what both use", |data| data.contains("\"cpu\":\"") && data.contains(&burns.id) && data.contains(" %\""))
        .await;
    assert_eq!(told.event, "use");
    // It takes a moment until its memory is full.
    until("it uses what it holds", async || {
        let json = console.ask("GET", &list).header("accept", "application/json").send().await.json();
        (json["items"][1]["uses"]["memory"].as_u64()? > 10 << 20).then_some(())
    })
    .await;
    let page = console.get(&format!("{list}&sort=memory")).await.expect(200);
    assert_eq!(page.attributes("tr[data-state]", "data-name"), [burns.name.clone(), idle.name.clone()]);
    let page = console.get(&format!("{list}&sort=-memory")).await.expect(200);
    assert_eq!(page.attributes("tr[data-state]", "data-name"), [idle.name.clone(), burns.name.clone()]);
    assert!(page.text(&format!("{} [data-use=memory]", burns.row())).contains("iB"), "{}", page.said());
    assert_eq!(page.attribute("th[aria-sort=descending]", "class").as_deref(), Some("use"));
}

#[tokio::test]
async fn s041_s010_stats_of_others_are_nobodys_and_viewers_see_their_own() {
    let engine = RealEngine::docker28();
    let console = Console::administered(&engine.socket).await;
    let admin = console.admin().await;
    let (red, blue) = (
        engine.run("red", "--network none --label team=red busybox sleep 1000").await,
        engine.run("blue", "--network none --label team=blue busybox sleep 1000").await,
    );
    console.sees_as(&admin, &blue.id).await;
    let vera = console.hire(&admin, "vera", "viewer", "label:team=red").await;
    let page = console.by(&vera, "GET", &red.path("stats")).send().await.expect(200);
    assert!(!page.said().contains("Change limits"));
    for path in [blue.path("stats"), blue.path("stats/stream")] {
        console.by(&vera, "GET", &path).send().await.expect(404);
    }
    console.by(&vera, "GET", &red.path("update")).send().await.expect(403);
    console.by(&vera, "POST", &red.path("update")).form(&[("memory", "64m")]).send().await.expect(403);
    let mut stream = console.by(&vera, "GET", &red.path("stats/stream")).open().await.expect("a stream");
    stream.until("a reading", |data| data.contains("\"values\":[")).await;
    console.by(&vera, "POST", "/logout").send().await;
    let begun = Instant::now();
    stream.ended().await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn history_is_read_while_nobody_looks_and_survives_a_restart() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "--network none busybox sleep 1000").await;
    let proxy = FaultProxy::before(&engine.socket);
    // Only this one: a round over all that the engine has takes a minute.
    let listed = serde_json::json!([{"Id": web.id, "Names": [format!("/{}", web.name)], "Image": "busybox", "State": "running",
        "Status": "Up 2 hours", "Created": 1_700_000_000, "Command": "sleep 1000", "Labels": {}}]);
    proxy.answer("/containers/json", 200, listed.to_string());
    let console = Console::start(proxy.socket()).env("WHEELHOUSE_STATS_HISTORY", "true").ready().await;
    until("it is read by itself", async || (stats_calls(&proxy) > 0).then_some(())).await;
    until("it is known", async || {
        let ask = console.ask("GET", &web.path("stats")).header("accept", "application/json");
        let told = ask.send().await.expect(200).json();
        told["points"]["memory"].as_array().is_some_and(|points| points.iter().any(Value::is_number)).then_some(())
    })
    .await;
    let start = console.end().await;
    let file = start.data().join("stats").join(format!("{}.ring", web.id));
    let there: Vec<_> = std::fs::read_dir(start.data()).into_iter().flatten().flatten().map(|it| it.path()).collect();
    let kept = std::fs::metadata(&file).map(|about| about.len());
    assert!(matches!(kept, Ok(78_720)), "{}: {kept:?} {there:?}", file.display());
    std::fs::write(start.data().join("stats").join(format!("{}.ring", "0".repeat(64))), "nonsense").expect("a file");
    let console = start.ready().await;
    let day = || async {
        let ask = console.ask("GET", &web.path("stats?range=day")).header("accept", "application/json");
        ask.send().await.expect(200).json()
    };
    let kept = day().await;
    assert!(kept["points"]["memory"].as_array().is_some_and(|points| points.iter().any(Value::is_number)), "{kept}");
    let page = console.get(&web.path("stats?range=month")).await.expect(200);
    assert!(page.has("[data-chart=memory] .plot-line[d^=M]"), "{}", page.said());
}

#[tokio::test]
async fn a_disk_that_takes_nothing_is_said_once_and_ends_nothing() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "--network none busybox sleep 1000").await;
    let start = Console::start(&engine.socket).env("WHEELHOUSE_STATS_HISTORY", "true");
    std::fs::write(start.data().join("stats"), "in the way").expect("a file");
    let mut console = start.ready().await;
    console.expect_log("the history of stats goes on in memory only");
    console.sees_state(&web.id, "running").await;
    until("it is read", async || figures(&console, &web).await["now"]["memory"].as_u64()).await;
    let day = console.ask("GET", &web.path("stats?range=day")).header("accept", "application/json").send().await.json();
    assert!(day["points"]["memory"][0].is_number(), "{day}");
    assert!(console.terminate().await);
    assert_eq!(console.log().matches("goes on in memory only").count(), 1, "{}", console.log());
}
