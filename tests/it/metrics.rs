//! The numbers for Prometheus: who may read them, that they are right, that they stay few and tell no names.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use tokio::{io::AsyncReadExt, net::TcpStream, time::timeout};

use crate::support::{
    Answer, Ask, Console, Person, RealEngine, contains_all,
    proxy::{FaultProxy, without_version},
    until,
    words::Route,
};

/// What Prometheus itself sends.
const ACCEPT: &str = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";

type Labels = BTreeMap<String, String>;

/// Everything of one scrape, read as strictly as the format is written.
struct Numbers {
    text: String,
    samples: BTreeMap<(String, Labels), f64>,
}

impl Numbers {
    /// Source: <https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md>
    fn parse(text: &str) -> Self {
        let lines = text.strip_suffix("# EOF\n").expect("it ends with its end");
        let (mut samples, mut kinds) = (BTreeMap::new(), BTreeMap::new());
        let (mut family, mut helped, mut unit) = (String::new(), BTreeSet::new(), BTreeMap::new());
        for line in lines.lines() {
            if let Some(rest) = line.strip_prefix("# ") {
                let [word, name, rest] = rest.splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
                assert!(word == "HELP" || name == family, "{line} stands below {family}");
                match word {
                    "HELP" => {
                        assert!(helped.insert(name.to_owned()), "{name} comes twice");
                        assert!(rest.len() > 10 && rest.ends_with('.') && !rest.ends_with(".."), "{line}");
                        name.clone_into(&mut family);
                    }
                    "TYPE" => assert!(kinds.insert(family.clone(), rest.to_owned()).is_none(), "{line}"),
                    "UNIT" => {
                        assert!(name.ends_with(&format!("_{rest}")), "{line}");
                        unit.insert(family.clone(), rest.to_owned());
                    }
                    _ => panic!("{line}"),
                }
                continue;
            }
            let (name, labels, value) = sample(line);
            let kind = kinds.get(&family).unwrap_or_else(|| panic!("{line} has no type"));
            let suffixes: &[&str] = match kind.as_str() {
                "counter" => &["_total"],
                "gauge" => &[""],
                "info" => &["_info"],
                "histogram" => &["_bucket", "_sum", "_count"],
                _ => panic!("{family} is a {kind}"),
            };
            assert!(suffixes.iter().any(|suffix| name == format!("{family}{suffix}")), "{line} is none of {family}");
            assert!(value >= 0.0, "{line}");
            assert!(samples.insert((name, labels), value).is_none(), "{line} comes twice");
        }
        for family in kinds.iter().filter(|(_, kind)| *kind == "histogram").map(|(family, _)| family) {
            buckets(family, &samples);
        }
        Self { text: text.to_owned(), samples }
    }

    /// The sum of all that have this name and these labels.
    fn get(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let found = self.samples.iter().filter(|((of, has), _)| {
            of == name && labels.iter().all(|(label, value)| has.get(*label).is_some_and(|has| has == value))
        });
        // Not `sum`: that of nothing is -0.
        found.fold(0.0, |sum, (_, value)| sum + value)
    }

    /// The same, where it is a whole number.
    fn count(&self, name: &str, labels: &[(&str, &str)]) -> usize {
        self.get(name, labels).to_string().parse().expect("a whole number")
    }

    fn has(&self, name: &str) -> bool {
        self.samples.keys().any(|(of, _)| of == name)
    }

    /// Each value that this label of that name has, with its number.
    fn by(&self, name: &str, label: &str) -> BTreeMap<&str, f64> {
        let of = self.samples.iter().filter(|((of, _), _)| of == name);
        of.map(|((_, labels), value)| (labels[label].as_str(), *value)).collect()
    }

    fn series(&self) -> BTreeSet<&(String, Labels)> {
        self.samples.keys().collect()
    }
}

/// `name{label="value",...} 1.5`
fn sample(line: &str) -> (String, Labels, f64) {
    let (mut labels, end) = (Labels::new(), line.find(['{', ' ']).unwrap_or_else(|| panic!("{line}")));
    let (name, mut rest) = line.split_at(end);
    assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'), "{line}");
    if let Some(mut inside) = rest.strip_prefix('{') {
        loop {
            let (label, quoted) = inside.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
            assert!(label.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{line}");
            let (mut value, mut chars) = (String::new(), quoted.chars());
            loop {
                match chars.next() {
                    Some('"') => break,
                    Some('\\') => value.push(match chars.next() {
                        Some('n') => '\n',
                        Some(c @ ('\\' | '"')) => c,
                        _ => panic!("{line}"),
                    }),
                    Some(c) => value.push(c),
                    None => panic!("{line}"),
                }
            }
            assert!(labels.insert(label.to_owned(), value).is_none(), "{line}");
            inside = chars.as_str();
            if let Some(after) = inside.strip_prefix('}') {
                rest = after;
                break;
            }
            inside = inside.strip_prefix(',').unwrap_or_else(|| panic!("{line}"));
        }
    }
    let value = rest.strip_prefix(' ').and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{line}"));
    (name.to_owned(), labels, value)
}

/// The buckets of a histogram grow, and the last has all.
fn buckets(family: &str, samples: &BTreeMap<(String, Labels), f64>) {
    let mut all: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
    for ((_, labels), count) in samples.iter().filter(|((name, _), _)| *name == format!("{family}_bucket")) {
        let mut labels = labels.clone();
        let bound = labels.remove("le").expect("a bound");
        let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().expect("a number") };
        all.entry(labels).or_default().push((bound, *count));
    }
    for (labels, mut buckets) in all {
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert!(buckets.is_sorted_by(|a, b| a.1 <= b.1), "{family} {labels:?}");
        let (bound, all) = buckets.last().copied().expect("a bucket");
        assert!(bound.is_infinite(), "{family} {labels:?}");
        let count = samples.get(&(format!("{family}_count"), labels.clone())).copied();
        assert_eq!(count, Some(all), "{family} {labels:?}");
    }
}

fn read(answer: Answer) -> Numbers {
    let answer = answer.expect(200);
    assert_eq!(answer.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    Numbers::parse(&answer.body)
}

async fn scrape(console: &Console) -> Numbers {
    read(console.ask("GET", "/metrics").header("accept", ACCEPT).send().await)
}

/// The port of the metrics' own address, as the console says it.
async fn own_port(console: &Console) -> u16 {
    until("it says where its metrics are", async || {
        let log = console.log();
        let port = log.split("Its metrics are at http://127.0.0.1:").nth(1)?.split('/').next()?.to_owned();
        port.parse().ok()
    })
    .await
}

#[tokio::test]
async fn who_sees_everything_may_read_the_numbers() {
    let engine = RealEngine::docker28();
    let console = Console::administered(&engine.socket).await;
    let admin = console.admin().await;
    let as_scraper =
        async |person: &Person| console.by(person, "GET", "/metrics").header("accept", ACCEPT).send().await;
    // Strangers: a script is told, a person is shown where to sign in.
    let stranger = console.ask("GET", "/metrics").header("accept", ACCEPT).send().await.expect(401);
    assert!(!stranger.body.contains("wheelhouse_"), "{}", stranger.body);
    let visitor = console.ask("GET", "/metrics").header("accept", "text/html").send().await;
    assert_eq!(visitor.leads_to(), "/login?next=%2Fmetrics");
    let forged = console.ask("GET", "/metrics").header("authorization", "Bearer wheelhouse_x").send().await;
    forged.expect(401);
    // A viewer is enough, signed in or by a token.
    let vic = console.hire(&admin, "vic", "viewer", "").await;
    let token = console.token(&vic, &[("name", "prometheus"), ("role", "viewer"), ("days", "365")]).await;
    for person in [&admin, &vic, &token] {
        read(as_scraper(person).await);
    }
    // Who sees a part only is told why not: an account, and a token of somebody who sees all.
    let sam = console.hire(&admin, "sam", "operator", "label:team=red").await;
    let narrow = [("name", "narrow"), ("role", "viewer"), ("scope", "stack:shop"), ("days", "7")];
    for person in [&sam, &console.token(&admin, &narrow).await] {
        let refused = as_scraper(person).await.expect(403);
        contains_all(&refused.said(), &["limited to a part"]);
        assert!(!refused.body.contains("wheelhouse_"), "{}", refused.body);
    }
    let refused = console.by(&sam, "GET", "/metrics").header("accept", "application/json").send().await.expect(403);
    assert!(refused.header("content-type").starts_with("application/json"), "{}", refused.body);
    console.by(&token, "POST", "/metrics").send().await.expect(405);
    assert_eq!(console.by(&token, "HEAD", "/metrics").send().await.expect(200).body, "");
    // A token that was taken back is nobody's.
    let me = console.by(&vic, "GET", "/me").send().await.expect(200);
    let revoke = me
        .attribute("form[action$='/revoke']", "action")
        .or_else(|| me.attribute("button[formaction$='/revoke']", "formaction"));
    console.by(&vic, "POST", &revoke.expect("a button that takes the token back")).send().await;
    as_scraper(&token).await.expect(401);
    // Nothing but the default is off: no second address.
    assert!(!console.log().contains("Its metrics are at"));
}

#[tokio::test]
async fn an_address_of_their_own_serves_nothing_else() {
    let engine = RealEngine::docker28();
    let start = Console::with_people(&engine.socket).administered().arg("--metrics-listen").arg("127.0.0.1:0");
    let console = start.ready().await;
    let port = own_port(&console).await;
    assert_ne!(port, console.port);
    let ask = |method: &str, path: &str| Ask::to(port, method, path);
    let silent = (TcpStream::connect(("127.0.0.1", port)).await.expect("it listens"), Instant::now());
    let numbers = read(ask("GET", "/metrics").header("accept", ACCEPT).send().await);
    assert!(numbers.count("wheelhouse_engine_up", &[]) > 0);
    assert_eq!(ask("GET", "/healthz").send().await.expect(200).body, "ok\n");
    // Whoever the scraper takes it for: there is nothing to be lured to.
    read(ask("GET", "/metrics").header("host", "wheelhouse.monitoring:9001").send().await);
    // The older format, for who asks for that.
    let older = ask("GET", "/metrics").header("accept", "text/plain;version=0.0.4").send().await.expect(200);
    assert_eq!(older.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    contains_all(&older.body, &["# TYPE wheelhouse_http_requests_total counter\n", "\nwheelhouse_engine_up 1\n"]);
    let packed = ask("GET", "/metrics").header("accept-encoding", "gzip").send().await.expect(200);
    assert_eq!(packed.header("content-encoding"), "gzip");
    // No other route is there, not even for the administrator.
    let admin = console.admin().await;
    let (name, value) = admin.header();
    let id = "f".repeat(64);
    let mut asked = 0;
    for route in Route::all().iter().filter(|route| !matches!(route.path.as_str(), "/metrics" | "/healthz")) {
        for path in route.paths(&id, "data", "1") {
            for method in ["GET", "POST"] {
                let answer = ask(method, &path).header(name, value).send().await.expect(404);
                assert_eq!(answer.body, "", "{method} {path}");
                asked += 1;
            }
        }
    }
    assert!(asked > 50, "{asked}");
    ask("POST", "/metrics").send().await.expect(405);
    // On the main address they still take a token.
    console.ask("GET", "/metrics").header("accept", ACCEPT).send().await.expect(401);
    // Who says nothing is not kept.
    let (mut socket, since) = silent;
    let closed = timeout(Duration::from_secs(20), socket.read(&mut [0; 16])).await.expect("it is closed");
    assert!(matches!(closed, Ok(0) | Err(_)));
    assert!(since.elapsed() > Duration::from_secs(5), "{:?}", since.elapsed());
}

#[tokio::test]
async fn an_address_that_cannot_be_had_ends_the_start() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("a port").to_string();
    let mut command = Console::command();
    let folder = tempfile::tempdir().expect("a folder");
    command.args(["--listen", "127.0.0.1:0", "--accounts", "off", "--metrics-listen", &address]);
    let output = tokio::task::spawn_blocking(move || command.current_dir(folder.path()).output());
    let output = timeout(Duration::from_secs(10), output).await.expect("it ends").expect("a thread").expect("it runs");
    assert!(!output.status.success());
    contains_all(&String::from_utf8_lossy(&output.stderr), &["cannot listen on", &address]);
}

#[tokio::test]
async fn counts_grow_by_exactly_what_was_done() {
    let engine = RealEngine::docker28();
    let spy = FaultProxy::before(&engine.socket);
    let one = engine.run("one", "busybox sleep 1000").await;
    let two = engine.run("two", "busybox sleep 1000").await;
    let console = Console::start(spy.socket()).ready().await;
    console.sees(&one.id).await;
    console.sees(&two.id).await;
    let began = engine.docker(&["info", "-f", "{{.SystemTime}}"]).await;
    let first = scrape(&console).await;
    assert_eq!(first.count("wheelhouse_build_info", &[("version", env!("CARGO_PKG_VERSION"))]), 1);
    assert_eq!(first.count("wheelhouse_streams", &[]), 0);

    for _ in 0..3 {
        console.get("/containers").await.expect(200);
    }
    console.get(&one.path("")).await.expect(200);
    console.get(&format!("/containers/{}", "0".repeat(64))).await.expect(404);
    console.get("/no/such/page").await.expect(404);
    console.post(&one.path("pause"), &[]).await.leads_to();
    console.post(&one.path("unpause"), &[]).await.leads_to();
    // It is not paused: the engine refuses, and it is as wished.
    console.post(&one.path("unpause"), &[]).await;
    let fields = [("action", "pause"), ("id", one.id.as_str()), ("id", two.id.as_str())];
    let bulk = console.post("/containers/bulk", &fields).await;
    until("both are paused", async || {
        let both = [engine.state(&one.id).await, engine.state(&two.id).await];
        both.iter().all(|state| state == "paused").then_some(())
    })
    .await;
    engine.docker(&["unpause", &two.id]).await;
    engine.docker(&["exec", &two.id, "sh", "-c", "echo hunter2"]).await;
    let streams = [console.stream("/containers/stream").await, console.stream("/events/stream").await];

    let grown =
        |now: &Numbers, name: &str, labels: &[(&str, &str)]| now.count(name, labels) - first.count(name, labels);
    let now = until("the job and the events are counted", async || {
        let now = scrape(&console).await;
        let jobs = grown(&now, "wheelhouse_jobs_total", &[]) > 0 && now.count("wheelhouse_jobs_running", &[]) == 0;
        let event = grown(&now, "wheelhouse_engine_events_total", &[("action", "exec_die")]) > 0;
        (jobs && event).then_some(now)
    })
    .await;
    let ended = engine.docker(&["info", "-f", "{{.SystemTime}}"]).await;
    let requests = |labels: &[(&str, &str)]| grown(&now, "wheelhouse_http_requests_total", labels);
    assert_eq!(requests(&[("method", "GET"), ("route", "/containers"), ("status", "200")]), 3);
    assert_eq!(requests(&[("route", "/containers")]), 3);
    assert_eq!(requests(&[("method", "GET"), ("route", "/containers/{id}"), ("status", "200")]), 1);
    assert_eq!(requests(&[("method", "GET"), ("route", "/containers/{id}"), ("status", "404")]), 1);
    assert_eq!(requests(&[("route", "other"), ("status", "404")]), 1);
    assert_eq!(requests(&[("method", "POST"), ("route", "/containers/{id}/{verb}")]), 3);
    assert_eq!(requests(&[("method", "POST"), ("route", "/containers/bulk"), ("status", &bulk.status.to_string())]), 1);
    assert_eq!(requests(&[("route", "/containers/stream"), ("status", "200")]), 1);
    let timed = [("route", "/containers")];
    assert_eq!(grown(&now, "wheelhouse_http_request_duration_seconds_count", &timed), 3);
    assert_eq!(now.count("wheelhouse_streams", &[]), 2);
    assert_eq!(grown(&now, "wheelhouse_jobs_total", &[("kind", "pause"), ("outcome", "done")]), 1);
    assert_eq!(grown(&now, "wheelhouse_jobs_total", &[]), 1);
    // What the engine was asked to do: as often as the spy at its socket saw it.
    let calls = |labels: &[(&str, &str)]| grown(&now, "wheelhouse_engine_requests_total", labels);
    let pauses = [("method", "POST"), ("endpoint", "/containers/{id}/pause"), ("outcome", "ok")];
    assert_eq!(calls(&pauses), 3);
    assert_eq!(calls(&[("endpoint", "/containers/{id}/unpause")]), 2);
    assert_eq!(calls(&[("endpoint", "/containers/{id}/unpause"), ("outcome", "ok")]), 1);
    assert_eq!(calls(&[("method", "POST")]), 5);
    assert_eq!(spy.writes().len(), 5);
    assert_eq!(now.count("wheelhouse_engine_requests_total", &[("endpoint", "other")]), 0, "{}", now.text);
    // Of the events that the engine told in this time, which others have their part in, those of one kind.
    for (action, least) in [("pause", 3), ("unpause", 2), ("exec_create", 1), ("exec_start", 1)] {
        let filter = format!("event={action}");
        let told = engine.docker(&["events", "--since", &began, "--until", &ended, "--filter", &filter]).await;
        let told = told.lines().count();
        let counted = grown(&now, "wheelhouse_engine_events_total", &[("type", "container"), ("action", action)]);
        assert!((least..=told).contains(&counted), "{action}: {counted} of {told}, and {least} are ours");
    }
    drop(streams);
    until("no stream is open", async || (scrape(&console).await.count("wheelhouse_streams", &[]) == 0).then_some(()))
        .await;
    assert!(!now.text.contains("hunter2"));
}

#[tokio::test]
async fn every_call_to_the_engine_is_counted_once() {
    let engine = RealEngine::docker28();
    let spy = FaultProxy::before(&engine.socket);
    let console = Console::start(spy.socket()).ready().await;
    console.get("/").await.expect(200);
    console.get("/containers").await.expect(200);
    // It asks by itself, too: so until both say the same of the same moment.
    until("both have seen as many", async || {
        let before = spy.seen().len();
        let now = scrape(&console).await;
        let counted = now.count("wheelhouse_engine_requests_total", &[]);
        let seen = spy.seen();
        (seen.len() == before && counted == before).then_some(())
    })
    .await;
    let now = scrape(&console).await;
    let asked: BTreeSet<String> =
        spy.seen().iter().filter_map(|(_, path)| Some(without_version(path).split('?').next()?.to_owned())).collect();
    for path in asked.iter().filter(|path| path.matches('/').count() == 1) {
        assert!(now.count("wheelhouse_engine_requests_total", &[("endpoint", path)]) > 0, "{path}\n{}", now.text);
    }
}

#[tokio::test]
async fn an_engine_that_is_away_is_told_as_that() {
    let engine = RealEngine::docker28();
    let proxy = FaultProxy::before(&engine.socket);
    let container = engine.run("late", "busybox sleep 1000").await;
    let console = Console::start(proxy.socket()).ready().await;
    console.expect_log("no engine");
    console.expect_log("not read back");
    console.sees(&container.id).await;
    let before = scrape(&console).await;
    assert_eq!(before.count("wheelhouse_engine_up", &[]), 1);
    assert!(before.has("wheelhouse_containers") && before.has("wheelhouse_volumes"));
    // Answers that break off count as what came of them, not as what they began as.
    proxy.faults(|faults| (faults.only, faults.cut_after) = (Some("/containers/json"), Some(400)));
    engine.docker(&["pause", &container.id]).await;
    let unreachable = [("endpoint", "/containers/json"), ("outcome", "unreachable")];
    until("half an answer is counted", async || {
        (scrape(&console).await.count("wheelhouse_engine_requests_total", &unreachable) > 0).then_some(())
    })
    .await;
    proxy.heal();
    proxy.refuse();
    let gone = until("it is down", async || {
        let now = scrape(&console).await;
        (now.count("wheelhouse_engine_up", &[]) == 0).then_some(now)
    })
    .await;
    assert!(!gone.has("wheelhouse_containers") && !gone.has("wheelhouse_volumes"), "{}", gone.text);
    until("calls in vain are counted", async || {
        let labels = [("endpoint", "/version"), ("outcome", "unreachable")];
        (scrape(&console).await.count("wheelhouse_engine_requests_total", &labels) > 0).then_some(())
    })
    .await;
    // What happens meanwhile is counted once it is told, and what was told before is not counted again.
    let counted = |numbers: &Numbers, action: &str| {
        numbers.count("wheelhouse_engine_events_total", &[("type", "container"), ("action", action)])
    };
    let pauses = counted(&scrape(&console).await, "pause");
    engine.docker(&["unpause", &container.id]).await;
    proxy.open();
    let back = until("it is up, and the event is counted", async || {
        let now = scrape(&console).await;
        (now.count("wheelhouse_engine_up", &[]) > 0 && counted(&now, "unpause") > counted(&gone, "unpause"))
            .then_some(now)
    })
    .await;
    // Others pause theirs, too, but hardly in the same moment as often as all that was told again.
    assert!(counted(&back, "pause") - pauses <= 5, "{pauses}, then {}", counted(&back, "pause"));
}

#[tokio::test]
async fn states_are_those_of_docker_ps() {
    let engine = RealEngine::docker28();
    engine.create("made", "busybox true").await;
    engine.run("runs", "busybox sleep 1000").await;
    let stilled = engine.run("still", "busybox sleep 1000").await;
    engine.docker(&["pause", &stilled.id]).await;
    let failed = engine.run("fails", "busybox sh -c 'exit 3'").await;
    engine.docker(&["wait", &failed.id]).await;
    let volume = engine.volume("data", "").await;
    let console = Console::on(&engine).await;
    console.sees_state(&failed.id, "exited").await;
    console.sees_volume(&volume).await;
    let listed = async || {
        let mut states = BTreeMap::<String, usize>::new();
        for state in engine.docker(&["ps", "-a", "--format", "{{.State}}"]).await.lines() {
            *states.entry(state.to_owned()).or_default() += 1;
        }
        (states, engine.docker(&["volume", "ls", "-q"]).await.lines().count())
    };
    // Others use the engine, too: what is the same before and after was so in between.
    let numbers = until("it counts as docker does", async || {
        let before = listed().await;
        let now = scrape(&console).await;
        let same =
            before.0.iter().all(|(state, count)| now.count("wheelhouse_containers", &[("state", state)]) == *count)
                && now.count("wheelhouse_containers", &[]) == before.0.values().sum::<usize>()
                && now.count("wheelhouse_volumes", &[]) == before.1;
        (same && listed().await == before).then_some(now)
    })
    .await;
    let states: Vec<&str> = numbers.by("wheelhouse_containers", "state").into_keys().collect();
    assert_eq!(
        states,
        ["created", "dead", "exited", "paused", "removing", "restarting", "running", "unknown"],
        "each state has its line, empty ones too"
    );
    let reasons = numbers.by("wheelhouse_containers_attention", "reason");
    assert_eq!(
        reasons.keys().copied().collect::<Vec<_>>(),
        ["dead", "failed", "out_of_memory", "restart_loop", "unhealthy"]
    );
    assert!(reasons["failed"] >= 1.0, "{reasons:?}");
    // What the process takes, as the system tells it.
    let memory = numbers.get("process_resident_memory_bytes", &[]) / 1024.0;
    let truth = f64::from(u32::try_from(console.memory()).expect("not so much"));
    assert!((memory - truth).abs() < truth / 2.0, "{memory} KiB, and it has {truth}");
    assert!(numbers.get("process_open_fds", &[]) >= 5.0);
    assert!(numbers.get("process_open_fds", &[]) < numbers.get("process_max_fds", &[]));
    assert!(numbers.has("process_cpu_seconds_total") && numbers.get("process_threads", &[]) >= 2.0);
    let age = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("now").as_secs_f64()
        - numbers.get("process_start_time_seconds", &[]);
    assert!((-2.0..300.0).contains(&age), "{age} s old");
}

#[tokio::test]
async fn whatever_is_asked_makes_no_label() {
    let engine = RealEngine::docker28();
    let secret = engine.run("hidden", "-e PASSWORD=hunter2 busybox sleep 1000").await;
    let volume = engine.volume("vault", "").await;
    let console = Console::on(&engine).await;
    console.expect_log("");
    console.sees(&secret.id).await;
    let odd = async |round: usize| {
        for n in 0..100 {
            let id = format!("{:064x}", round * 1_000 + n);
            let (method, path) = match n % 10 {
                0 => ("GET", format!("/odd{round}/{n}")),
                1 => ("GET", format!("/containers/{id}")),
                2 => ("POST", format!("/containers/{id}/stop")),
                3 => ("GET", format!("/containers?q={id}")),
                4 => ("GET", format!("/assets/{id}.css")),
                5 => ("BREW", format!("/containers/{id}")),
                6 => ("GET", format!("/volumes/v{n}x{round}")),
                7 => ("GET", format!("/jobs/{}", 100_000 + round * 100 + n)),
                8 => ("DELETE", format!("/%22%0a{n}\\{round}")),
                _ => (["PROPFIND", "TRACE", "X-ODD"][n % 3], format!("/x{n}/{round}")),
            };
            console.ask(method, &path).header("origin", &console.origin()).send().await;
        }
    };
    // What this console does, so that it has its lines already.
    console.get(&secret.path("")).await.expect(200);
    console.get(&format!("/volumes/{volume}")).await.expect(200);
    odd(1).await;
    let before = scrape(&console).await;
    odd(2).await;
    odd(3).await;
    let after = scrape(&console).await;
    // What others do at the engine may bring events that nobody has seen before; nothing else is new.
    let own = |numbers: &Numbers| {
        let series = numbers.series().into_iter().filter(|(name, _)| {
            !name.starts_with("wheelhouse_engine_events") && !name.starts_with("wheelhouse_engine_request")
        });
        series.cloned().collect::<BTreeSet<_>>()
    };
    let new: Vec<_> = own(&after).difference(&own(&before)).cloned().collect();
    assert!(new.iter().all(|(_, labels)| labels.get("route").is_some_and(|route| route == "/metrics")), "{new:?}");
    assert!(after.count("wheelhouse_http_requests_total", &[]) >= 300);
    assert!(after.count("wheelhouse_http_requests_total", &[("method", "other")]) > 0);
    assert!(after.samples.len() < 1_500, "{}", after.samples.len());
    // Routes and endpoints are templates; events and the rest are words out of lists.
    let routes: BTreeSet<String> = Route::all().into_iter().map(|route| route.path).collect();
    for (name, labels) in after.samples.keys() {
        for (label, value) in labels {
            let is_fine = match label.as_str() {
                "route" => value == "other" || routes.contains(value),
                "endpoint" => {
                    value == "other" || value.starts_with('/') && !value.contains(|c: char| c.is_ascii_digit())
                }
                "le" | "version" | "status" => value.len() <= 12,
                "method" => value == "other" || value.bytes().all(|b| b.is_ascii_uppercase()) && value != "BREW",
                _ => value.bytes().all(|b| b.is_ascii_lowercase() || b"_-".contains(&b)) && value.len() <= 20,
            };
            assert!(is_fine, "{name}: {label}={value}");
        }
    }
    for told in [&secret.id, &secret.id[..12].to_owned(), &secret.name, &volume, &"hunter2".to_owned()] {
        assert!(!after.text.contains(told.as_str()), "{told} is told");
    }
}
