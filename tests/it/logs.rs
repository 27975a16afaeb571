//! Logs: windows on a log of any size, what comes, searches, files, and what outlives its container.

use std::{
    collections::BTreeSet,
    io::Read as _,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::support::{Console, Made, RealEngine, Stream, console::Message, contains_all, proxy::FaultProxy, until};

/// How long a story may take on a busy machine.
const STORY: Duration = Duration::from_mins(2);

/// What stands in the log's words, without tags.
fn words(line: &Value) -> String {
    let html = line["html"].as_str().expect("HTML");
    let text = html.split_once("class=\"tx\">").map_or(html, |(_, text)| text);
    let text = text.strip_suffix("</span></li>").expect("its end");
    let mut shown = String::new();
    for part in text.split('<') {
        let after = part.split_once('>').map_or(part, |(_, after)| after);
        shown.push_str(after);
    }
    shown.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

fn texts(answer: &Value) -> Vec<String> {
    answer["lines"].as_array().expect("lines").iter().map(words).collect()
}

fn keys(answer: &Value) -> Vec<String> {
    let lines = answer["lines"].as_array().expect("lines");
    lines.iter().map(|line| line["k"].as_str().expect("a place").to_owned()).collect()
}

async fn lines(console: &Console, container: &Made, query: &str) -> Value {
    let path = format!("/logs/lines?c={}{query}", container.id);
    console.ask("GET", &path).header("accept", "application/json").send().await.expect(200).json()
}

/// Waits until the log has a line like this.
async fn has_written(console: &Console, container: &Made, text: &str) {
    console.sees(&container.id).await;
    until("the log has it", async || {
        let path = format!("/logs/lines?c={}&n=50", container.id);
        let answer = console.ask("GET", &path).header("accept", "application/json").send().await;
        (answer.status == 200 && texts(&answer.json()).iter().any(|line| line.contains(text))).then_some(())
    })
    .await;
}

/// The lines of a stream until one of them says this; with whatever else it says, as `event: data`.
async fn read_until(stream: &mut Stream, last: &str) -> (Vec<String>, Vec<Message>) {
    let (mut lines, mut others) = (Vec::new(), Vec::new());
    let read = async {
        while let Some(message) = stream.next().await {
            if message.event == "lines" {
                let some: Value = serde_json::from_str(&message.data).expect("JSON");
                lines.extend(some.as_array().expect("lines").iter().map(words));
            }
            let is_last = lines.iter().any(|line| line.contains(last)) || message.data.contains(last);
            if message.event != "pulse" {
                others.push(message);
            }
            if is_last {
                return;
            }
        }
        panic!("the stream ended before {last}");
    };
    timeout(STORY, read).await.unwrap_or_else(|_| panic!("never {last}"));
    (lines, others)
}

fn events(others: &[Message], kind: &str) -> Vec<Value> {
    others.iter().filter(|it| it.event == kind).map(|it| serde_json::from_str(&it.data).expect("JSON")).collect()
}

#[tokio::test]
async fn s026_s029_s030_s062_foreign_bytes_are_one_row_a_line() {
    let script = r#"printf 'plain\n'
printf '\033[31mred\033[0m \033[2J\033]0;title\007\033]52;c;aGk=\007end\n'
printf '\001\002\007\010\013\014\016\037\177|\n'
printf 'bad \377\376 bytes\n'
printf 'x\rdata: FORGED\revent: close\r\r\n'
printf '<img src=x onerror=alert(1)>&amp;\n'
head -c 100000 /dev/zero | tr '\0' y; printf 'z\n'
printf '{"level":"warn","msg":"json"}\n' >&2
sleep 1; echo last; sleep 1000"#;
    for engine in [RealEngine::docker28(), RealEngine::docker20(), RealEngine::podman4()] {
        let console = Console::on(&engine).await;
        let is_podman = engine.is_podman();
        let made = engine.run("bytes", &format!("busybox sh -c {}", shell_words::quote(script))).await;
        has_written(&console, &made, "last").await;
        let answer = lines(&console, &made, "&n=50").await;
        let found = texts(&answer);
        let html = answer.to_string();
        contains_all(
            &found.join("\n"),
            &["plain", "red end", "␁␂␇␈␋␌␎␟␡|", "bad \u{fffd}\u{fffd} bytes", "data: FORGED", "&amp;"],
        );
        assert!(html.contains("f1\\\">red") && !html.contains("<img") && !html.contains("style="), "{html}");
        assert!(!html.contains("title") || !html.contains("]0;"), "{html}");
        // podman tells whole seconds: a long line that is written over the end of one cannot be told from two.
        let is_whole =
            |line: &String| line.len() >= 100_001 && line.ends_with("yz") || is_podman && line.contains("yyy");
        assert!(found.iter().any(is_whole), "{:?}", found.iter().map(String::len).collect::<Vec<_>>());
        let json =
            answer["lines"].as_array().expect("lines").iter().find(|line| words(line).contains("json")).expect("it");
        assert_eq!((json["s"].as_u64(), json["l"].as_str()), (Some(2), Some("warn")));
        // As many as were written; podman 4 puts a line without end before another.
        assert_eq!(found.len(), 9, "{found:?}");
        // The same on the page, and as text for scripts.
        let page = console.get(&made.path("logs")).await.expect(200);
        assert_eq!(page.texts("#log-lines > li").len(), found.len());
        let data = console.ask("GET", &made.path("logs")).header("accept", "application/json").send().await.expect(200);
        assert_eq!(data.json()["lines"].as_array().map(Vec::len), Some(found.len()));
        contains_all(&page.commands().join("\n"), &[&format!("docker logs -n 200 {}", made.name)]);
    }
}

#[tokio::test]
async fn s061_all_of_a_log_is_paged_through_and_nothing_is_missing() {
    for engine in [RealEngine::docker28(), RealEngine::docker20(), RealEngine::podman4()] {
        let console = Console::on(&engine).await;
        let is_podman = engine.is_podman();
        let many = if is_podman { 5_000 } else { 20_000 };
        let made = engine.run("long", &format!("busybox sh -c 'seq 1 {many}; echo last; sleep 1000'")).await;
        has_written(&console, &made, "last").await;
        let mut page = lines(&console, &made, "&n=2000").await;
        let mut all: Vec<(String, String)> = keys(&page).into_iter().zip(texts(&page)).collect();
        while page["older"] == true {
            page = lines(&console, &made, &format!("&n=2000&before={}", all[0].0)).await;
            assert!(!page["lines"].as_array().expect("lines").is_empty());
            all.splice(0..0, keys(&page).into_iter().zip(texts(&page)));
        }
        let numbers: Vec<String> = (1..=many).map(|n| n.to_string()).chain(["last".to_owned()]).collect();
        let found: Vec<&String> = all.iter().map(|(_, text)| text).collect();
        if is_podman {
            // It tells whole seconds: lines of one second have no order of their own over several pages.
            assert!(found.iter().collect::<BTreeSet<_>>().len() + 10 > numbers.len(), "{}", found.len());
            continue;
        }
        assert_eq!(found.len(), numbers.len());
        assert!(found.iter().zip(&numbers).all(|(a, b)| *a == b), "in another order");
        let places: BTreeSet<&String> = all.iter().map(|(key, _)| key).collect();
        assert_eq!(places.len(), all.len(), "two lines have one place");
        // Forwards, around, and by time.
        let page = lines(&console, &made, &format!("&n=500&after={}", all[2_499].0)).await;
        assert_eq!(keys(&page), all[2_500..3_000].iter().map(|(key, _)| key.clone()).collect::<Vec<_>>());
        assert!(page["older"] == true && page["newer"] == true);
        let page = lines(&console, &made, &format!("&n=10&around={}", all[1_000].0)).await;
        assert_eq!(texts(&page), (996..=1_005).map(|n| n.to_string()).collect::<Vec<_>>());
        let page = lines(&console, &made, "&n=3&at=1970-01-02T00:00:00Z").await;
        assert_eq!((texts(&page), &page["older"]), (vec!["1".into(), "2".into(), "3".into()], &false.into()));
        // What is asked of lines, and by whom they were written.
        let page = lines(&console, &made, "&n=5&out=stderr").await;
        assert_eq!(page["lines"].as_array().map(Vec::len), Some(0));
        engine.docker(&["rm", "-f", &made.id]).await;
    }
}

#[tokio::test]
async fn s063_what_is_asked_of_a_log_is_checked_first() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let made = engine.run("asked", "busybox sh -c 'echo one; sleep 1000'").await;
    has_written(&console, &made, "one").await;
    let of = format!("/logs/lines?c={}", made.id);
    for wrong in [
        "n=abc",
        "n=0",
        "n=1000000",
        "before=x",
        "around=1-2",
        "since=all",
        "until=soon",
        "at=x",
        "level=loud",
        "out=x",
    ] {
        for accept in ["application/json", "text/html"] {
            let answer = console.ask("GET", &format!("{of}&{wrong}")).header("accept", accept).send().await.expect(422);
            let field = wrong.split('=').next().expect("a field");
            assert!(answer.body.contains(field), "{wrong}: {}", answer.body);
        }
    }
    console.get("/logs/lines?c=../volumes").await.expect(422);
    console.get(&format!("/logs/lines?c={}", "0".repeat(64))).await.expect(404);
    console.get("/logs/lines").await.expect(404);
    console.get("/logs?stack=none").await.expect(404);
    let many: Vec<String> = (0..70).map(|n| format!("c={n:064x}")).collect();
    console.get(&format!("/logs/lines?{}", many.join("&"))).await.expect(422);
    // A search is refused where it is typed, and is linear.
    let search = async |query: &str| {
        let mut stream = console.stream(&format!("/logs/search?c={}&{query}", made.id)).await;
        let mut found = Vec::new();
        while let Some(message) = stream.next().await {
            found.push(message);
        }
        found
    };
    let bad = events(&search("q=a%28b&regex=1").await, "error");
    assert_eq!(bad[0]["at"], 1, "{bad:?}");
    let broad = events(&search("q=%5Cw%7B1000%7D%7B1000%7D&regex=1").await, "error");
    contains_all(broad[0]["what"].as_str().expect("words"), &["too broad"]);
    assert_eq!(events(&search("q=").await, "error").len(), 1);
    assert_eq!(events(&search("q=%28a%2B%29%2B%24&regex=1").await, "end").len(), 1);
}

#[tokio::test]
async fn what_is_searched_is_found_with_what_stands_around_it() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let script = r#"seq 1 3000; printf "a \033[1mNeedle\033[0m in <it>\n"; seq 3001 6000; sleep 0.5; echo "another needle" >&2; sleep 0.5; echo last; sleep 1000"#;
    let made = engine.run("hay", &format!("busybox sh -c {}", shell_words::quote(script))).await;
    has_written(&console, &made, "last").await;
    let search = async |query: &str| {
        let mut stream = console.stream(&format!("/logs/search?c={}&{query}", made.id)).await;
        let mut found = Vec::new();
        while let Some(message) = stream.next().await {
            found.push(message);
        }
        (events(&found, "hit"), events(&found, "end").remove(0))
    };
    let (hits, end) = search("q=needle&context=2").await;
    assert_eq!((hits.len(), &end["hits"], &end["scanned"]), (2, &2.into(), &6_003.into()));
    let around: Vec<String> = hits[0]["lines"].as_array().expect("lines").iter().map(words).collect();
    assert_eq!(around, ["2999", "3000", "a Needle in <it>", "3001", "3002"]);
    let html = hits[0]["lines"][2]["html"].as_str().expect("HTML");
    contains_all(html, &["<mark>Needle</mark>", "bo", "&lt;it&gt;"]);
    // The place that it names is where the log shows it.
    let there = lines(&console, &made, &format!("&n=3&around={}", hits[0]["k"].as_str().expect("a place"))).await;
    assert!(texts(&there).contains(&"a Needle in <it>".to_owned()), "{there}");
    assert_eq!(search("q=Needle&case=1").await.0.len(), 1);
    assert_eq!(search("q=needle&out=stderr").await.0.len(), 1);
    assert_eq!(search("q=%5E%5C%64%2B%24&regex=1").await.1["hits"], 6_000);
    assert_eq!(search("q=%5E%5C%64%2B%24&regex=1&not=1").await.1["hits"], 3);
    let (hits, end) = search("q=1&max=5").await;
    assert_eq!((hits.len(), &end["capped"]), (5, &true.into()));
    // Without scripts, on the page.
    let page = console.get(&format!("{}?q=needle", made.path("logs"))).await.expect(200);
    assert_eq!(page.texts("#log-lines .tx"), ["a Needle in <it>", "another needle"]);
    let command = |page: &crate::support::Answer| page.commands().join("\n");
    let logs = format!("docker logs {}", made.name);
    assert_eq!(command(&page), format!("{logs} 2>&1 | grep -i -F -- needle | tail -n 200"));
    // With what stands around it, for scripts as well.
    let around = ["2999", "3000", "a Needle in <it>", "3001", "3002", "5999", "6000", "another needle", "last"];
    let path = format!("{}?q=needle&context=2", made.path("logs"));
    let page = console.get(&path).await.expect(200);
    assert_eq!(page.texts("#log-lines .tx"), around);
    assert_eq!(command(&page), format!("{logs} 2>&1 | grep -i -C 2 -F -- needle | tail -n 200"));
    let data = console.ask("GET", &path).header("accept", "application/json").send().await.expect(200).json();
    let texts: Vec<&str> =
        data["lines"].as_array().expect("lines").iter().filter_map(|it| it["text"].as_str()).collect();
    assert_eq!(texts, around);
    // The command does what the page does: each word, one stream, and the last of that.
    for (query, rest) in [
        ("q=in+needle", "2>&1 | grep -i -F -- in | grep -i -F -- needle | tail -n 200"),
        ("q=%22a+needle%22&case=1", "2>&1 | grep -F -- 'a needle' | tail -n 200"),
        ("out=stderr&n=5", "2>&1 >/dev/null | tail -n 5"),
    ] {
        let page = console.get(&format!("{}?{query}", made.path("logs"))).await.expect(200);
        assert_eq!(command(&page), format!("{logs} {rest}"));
        assert!(page.has("#log-levels[hidden]"));
    }
    let page = console.get(&format!("{}?level=error", made.path("logs"))).await.expect(200);
    assert!(page.has("#log-levels:not([hidden])"), "docker knows no levels");
}

#[tokio::test]
async fn a_log_is_saved_as_a_file() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let made = engine
        .run("file", "busybox sh -c 'seq 1 5000; echo \"<script>alert(1)</script>\" >&2; echo last; sleep 1000'")
        .await;
    has_written(&console, &made, "last").await;
    let of = format!("/logs/download?c={}", made.id);
    let all = console.ask("GET", &of).header("accept-encoding", "br, gzip").send().await.expect(200);
    assert_eq!(all.body.lines().count(), 5_002);
    assert!(all.header("content-type").starts_with("text/plain") && all.header("x-content-type-options") == "nosniff");
    contains_all(all.header("content-disposition"), &["attachment", &format!("filename=\"{}.log\"", made.name)]);
    contains_all(all.header("content-security-policy"), &["sandbox"]);
    let some = console.get(&format!("{of}&q=499&timestamps=1")).await.expect(200);
    assert_eq!(some.body.lines().count(), 15, "{}", some.body);
    assert!(some.body.lines().all(|line| line.starts_with("20") && line.contains("Z ")), "{}", some.body);
    assert_eq!(console.get(&format!("{of}&out=stderr")).await.expect(200).body, "<script>alert(1)</script>\n");
    assert_eq!(console.get(&format!("{of}&until=2020-01-01T00:00:00Z")).await.expect(200).body, "");
    // Compressed: read by another program.
    let url = format!("http://127.0.0.1:{}{of}&gz=1", console.port);
    let output = std::process::Command::new("curl").args(["-sS", &url]).output().expect("curl is there").stdout;
    let mut text = String::new();
    flate2::read::GzDecoder::new(output.as_slice()).read_to_string(&mut text).expect("it is compressed");
    assert_eq!(text, all.body);
}

#[tokio::test]
async fn s062_a_long_line_is_searched_and_saved_whole() {
    let script = "echo first; head -c 2000000 /dev/zero | tr '\\0' y; echo ENDVERYLONG; echo last; sleep 1000";
    for engine in [RealEngine::docker28(), RealEngine::docker20()] {
        let console = Console::on(&engine).await;
        for terminal in ["", "-t "] {
            let line = format!("{terminal}busybox sh -c {}", shell_words::quote(script));
            let made = engine.run(if terminal.is_empty() { "wide" } else { "wide-tty" }, &line).await;
            has_written(&console, &made, "last").await;
            let file = console.get(&format!("/logs/download?c={}", made.id)).await.expect(200);
            let written = format!("first\n{}ENDVERYLONG\nlast\n", "y".repeat(2_000_000));
            assert!(file.body.replace('\r', "") == written, "{} bytes", file.body.len());
            let file = console.get(&format!("/logs/download?c={}&q=yy&timestamps=1", made.id)).await.expect(200);
            assert!(file.body.lines().count() == 1 && file.body.trim_end().ends_with("yENDVERYLONG"), "filtered");
            // Found behind what is held of it, and shown with how much is not.
            let mut stream = console.stream(&format!("/logs/search?c={}&q=endverylong&context=1", made.id)).await;
            let mut found = Vec::new();
            while let Some(message) = stream.next().await {
                found.push(message);
            }
            let hits = events(&found, "hit");
            assert_eq!((hits.len(), &events(&found, "end")[0]["scanned"]), (1, &3.into()));
            let around: Vec<String> = hits[0]["lines"].as_array().expect("lines").iter().map(words).collect();
            assert_eq!((around[0].as_str(), around[2].as_str()), ("first", "last"));
            contains_all(&around[1], &["yyy … 1.78 MiB more"]);
            // What is found is where the log has it.
            let there = format!("&n=1&around={}", hits[0]["k"].as_str().expect("a place"));
            contains_all(&texts(&lines(&console, &made, &there).await).join("\n"), &["yyy … 1.78 MiB more"]);
            let data = console.ask("GET", &made.path("logs")).header("accept", "application/json").send().await;
            let lacks = 2_000_011 + u64::from(!terminal.is_empty()) - (256 << 10);
            assert_eq!(data.expect(200).json()["lines"][1]["more"], lacks);
        }
    }
}

#[tokio::test]
async fn several_logs_are_one_by_time() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let stack = engine.name("shop");
    let run = async |name: &str, script: &str| {
        let line = format!("--label com.docker.compose.project={stack} busybox sh -c {}", shell_words::quote(script));
        engine.run(name, &line).await
    };
    let a = run("a", "for n in $(seq 1 40); do echo a$n; sleep 0.02; done; echo a-last; sleep 1000").await;
    let b = run("b", "for n in $(seq 1 40); do echo b$n; sleep 0.02; done; echo b-last; sleep 1000").await;
    has_written(&console, &a, "a-last").await;
    has_written(&console, &b, "b-last").await;
    let get = async |query: &str| {
        let path = format!("/logs/lines?stack={stack}{query}");
        console.ask("GET", &path).header("accept", "application/json").send().await.expect(200).json()
    };
    let mut page = get("&n=7").await;
    let mut all = page["lines"].as_array().expect("lines").clone();
    while page["older"] == true {
        page = get(&format!("&n=7&before={}", all[0]["k"].as_str().expect("a place"))).await;
        all.splice(0..0, page["lines"].as_array().expect("lines").clone());
    }
    assert_eq!(all.len(), 82);
    let times: Vec<&str> = all.iter().map(|line| line["t"].as_str().expect("a time")).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!(all.iter().filter(|line| line["c"] == 1).count(), 41);
    let page = console.get(&format!("/logs?stack={stack}")).await.expect(200);
    contains_all(&page.said(), &[&a.name, &b.name, "a-last", "b-last"]);
    contains_all(&page.commands().join("\n"), &[&format!("docker logs -n 200 {}", a.name)]);
    // What is ticked in the list.
    let ticked = console.get(&format!("/logs?back=%2Fcontainers&id={}&id={}", a.id, b.id)).await.expect(200);
    contains_all(&ticked.said(), &[&a.name, &b.name, "a-last", "b-last"]);
    let file = console.get(&format!("/logs/download?c={}&c={}", a.id, b.id)).await.expect(200);
    assert_eq!(file.body.lines().filter(|line| line.starts_with(&format!("{} | b", b.name))).count(), 41);
    // What comes, of both.
    let mut stream = console.stream(&format!("/logs/stream?c={}&c={}", a.id, b.id)).await;
    engine.docker(&["restart", "-t", "0", &b.id]).await;
    let (found, others) = read_until(&mut stream, "b-last").await;
    assert_eq!(found.iter().filter(|line| line.starts_with('b')).count(), 41, "{found:?}");
    assert!(events(&others, "mark").iter().any(|mark| mark["kind"] == "restarted" && mark["c"] == 1), "{others:?}");
    // Where one chooses.
    let choose = console.get("/logs").await.expect(200);
    contains_all(&choose.said(), &[&stack, &a.name]);
}

#[tokio::test]
async fn s078_what_comes_goes_on_over_a_restart_without_holes_and_doubles() {
    for engine in [RealEngine::docker28(), RealEngine::docker20(), RealEngine::podman4()] {
        let console = Console::on(&engine).await;
        let script = "n=0; [ -f /n ] && n=$(cat /n); while true; do n=$((n+1)); echo $n > /new; mv /new /n; echo line-$n; sleep 0.05; done";
        let made = engine.run("ticks", &format!("busybox sh -c {}", shell_words::quote(script))).await;
        has_written(&console, &made, "line-5").await;
        let page = lines(&console, &made, "&n=2000").await;
        let mut seen = texts(&page);
        let path = format!("/logs/stream?c={}&after={}", made.id, keys(&page).last().expect("a line"));
        let mut stream = console.stream(&path).await;
        let next = |seen: &[String], more: usize| format!("line-{}", seen.len() + more);
        let (found, others) = read_until(&mut stream, &next(&seen, 20)).await;
        seen.extend(found);
        // A browser that comes again says where it was.
        let last = others.iter().rev().find(|it| !it.id.is_empty()).expect("a place").id.clone();
        drop(stream);
        sleep(Duration::from_millis(300)).await;
        let mut stream = console.ask("GET", &path).header("last-event-id", &last).open().await.expect("a stream");
        let (found, _) = read_until(&mut stream, &next(&seen, 20)).await;
        seen.extend(found);
        engine.docker(&["restart", "-t", "0", &made.id]).await;
        let (found, others) = read_until(&mut stream, &next(&seen, 40)).await;
        seen.extend(found);
        assert!(events(&others, "mark").iter().any(|mark| mark["kind"] == "restarted"), "{others:?}");
        // Killed between the file and the echo, a number may be left out by the script itself.
        let holes = seen.windows(2).filter(|two| {
            let number = |text: &String| text["line-".len()..].parse::<u64>().expect("a number");
            let step = number(&two[1]) - number(&two[0]);
            assert!(step == 1 || step == 2, "{two:?}");
            step == 2
        });
        assert!(holes.count() <= 1, "{seen:?}");
        engine.docker(&["rm", "-f", &made.id]).await;
        let told = read_until(&mut stream, "removed").await.1;
        assert!(!events(&told, "mark").is_empty());
    }
}

#[tokio::test]
async fn s078_a_driver_that_cannot_be_read_is_named() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    // What goes elsewhere is read from the engine's own copy, unless there is none.
    let away = "--log-opt syslog-address=udp://127.0.0.1:5514";
    let away_alone = format!("{away} --log-opt cache-disabled=true");
    for (driver, options) in [("local", ""), ("json-file", ""), ("none", ""), ("syslog", away), ("syslog", &away_alone)]
    {
        let script = "printf '\\377 text\\n'; printf '10%%\\r20%%\\r\\n'; echo last; sleep 1000";
        let line = format!("-t --log-driver {driver} {options} busybox sh -c {}", shell_words::quote(script));
        let made = engine.run(&format!("{driver}{}", options.len()), &line).await;
        if driver == "none" || options == away_alone {
            console.sees(&made.id).await;
            let page = console.get(&made.path("logs")).await.expect(501);
            contains_all(&page.said(), &[driver, "log driver"]);
            continue;
        }
        has_written(&console, &made, "last").await;
        let found = texts(&lines(&console, &made, "&n=10").await);
        assert!(
            found.len() == 3 && found[0].contains("\u{fffd} text") && found[1].contains("20%"),
            "{driver}: {found:?}"
        );
        assert!(!found[1].contains("10%"), "{found:?}");
    }
}

#[tokio::test]
async fn s068_an_engine_that_goes_away_is_no_end_of_a_log() {
    let engine = RealEngine::docker28();
    let proxy = FaultProxy::before(&engine.socket);
    let console = Console::start(proxy.socket()).ready().await;
    console.expect_log("no engine");
    let made =
        engine.run("away", "busybox sh -c 'n=0; while true; do n=$((n+1)); echo line-$n; sleep 0.05; done'").await;
    has_written(&console, &made, "line-3").await;
    let mut stream = console.stream(&format!("/logs/stream?c={}", made.id)).await;
    let (mut seen, _) = read_until(&mut stream, "line-").await;
    proxy.refuse();
    proxy.cut();
    let (found, others) = read_until(&mut stream, "engine-away").await;
    seen.extend(found);
    assert!(!events(&others, "mark").iter().any(|mark| mark["kind"] == "stopped"), "{others:?}");
    proxy.open();
    let (found, others) = read_until(&mut stream, "engine-back").await;
    seen.extend(found);
    let _ = others;
    let first: usize = seen[0]["line-".len()..].parse().expect("a number");
    let (found, _) = read_until(&mut stream, &format!("line-{}", first + seen.len() + 60)).await;
    seen.extend(found);
    let numbers: Vec<usize> = seen.iter().map(|line| line["line-".len()..].parse().expect("a number")).collect();
    assert!(numbers.windows(2).all(|two| two[1] == two[0] + 1), "{numbers:?}");
    assert!(proxy.seen().iter().all(|(_, path)| !path.contains("/attach")), "S060: nobody attaches for output");
}

#[tokio::test]
async fn s057_s060_who_does_not_read_costs_nobody_anything() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let made = engine.run("flood", "busybox sh -c 'yes \"a line of some length, as they come\"'").await;
    console.sees(&made.id).await;
    let mut stalled = Vec::new();
    for _ in 0..20 {
        stalled.push(console.stream(&format!("/logs/stream?c={}", made.id)).await);
    }
    sleep(Duration::from_secs(4)).await;
    let before = console.memory();
    sleep(Duration::from_secs(12)).await;
    let after = console.memory();
    println!("20 stalled viewers of a flood: {before} KiB, then {after} KiB");
    assert!(after < before + (32 << 10), "{before} KiB, then {after} KiB");
    // The container is not held up: its log goes on, while nobody reads.
    let newest = async || lines(&console, &made, "&n=1").await["lines"][0]["t"].as_str().expect("a time").to_owned();
    let then = newest().await;
    until("its log goes on", async || (newest().await > then).then_some(())).await;
    // Who reads again is told, and goes on with what is newest.
    let (_, others) = read_until(&mut stalled[0], "\"n\":").await;
    assert!(events(&others, "skipped").iter().any(|it| it["n"].as_u64() > Some(0)));
    engine.docker(&["kill", &made.id]).await;
}

#[tokio::test]
async fn s010_s041_a_log_is_for_who_may_read_it_as_long_as_they_may() {
    let engine = RealEngine::docker28();
    let console = Console::administered(&engine.socket).await;
    let admin = console.admin().await;
    let team = engine.name("red");
    let red = engine.run("red", &format!("--label team={team} busybox sh -c 'echo hello-red; sleep 1000'")).await;
    let blue = engine.run("blue", "busybox sh -c 'echo hello-blue; sleep 1000'").await;
    let rob = console.hire(&admin, "rob", "viewer", &format!("label:team={team}")).await;
    console.sees_as(&rob, &red.id).await;
    console.sees_as(&admin, &blue.id).await;
    for what in ["lines", "stream", "search", "download"] {
        for ids in [format!("c={}", blue.id), format!("c={}&c={}", red.id, blue.id)] {
            let path = format!("/logs/{what}?{ids}&q=hello");
            let answer = console.by(&rob, "GET", &path).send().await.expect(404);
            assert!(!answer.body.contains("hello-blue"), "{what}");
        }
    }
    console.by(&rob, "GET", &blue.path("logs")).send().await.expect(404);
    let own = console.by(&rob, "GET", &red.path("logs")).send().await.expect(200);
    contains_all(&own.said(), &["hello-red"]);
    assert!(!console.by(&rob, "GET", "/logs").send().await.expect(200).said().contains(&blue.name));
    let mut stream = console.by(&rob, "GET", &format!("/logs/stream?c={}", red.id)).open().await.expect("a stream");
    stream.next().await.expect("a message");
    let people =
        console.by(&admin, "GET", "/people").header("accept", "application/json").send().await.expect(200).json();
    let account =
        people["items"].as_array().expect("people").iter().find(|one| one["name"] == "rob").expect("rob").clone();
    let begun = Instant::now();
    let path = format!("/people/{}", account["id"]);
    console.by(&admin, "POST", &path).form(&[("role", "viewer"), ("scope", "stack:none")]).send().await.expect(303);
    stream.ended().await;
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn the_end_of_a_log_outlives_its_container() {
    for engine in [RealEngine::docker28(), RealEngine::docker20(), RealEngine::podman4()] {
        let console = Console::administered(&engine.socket).await;
        let admin = console.admin().await;
        let team = engine.name("red");
        let rob = console.hire(&admin, "rob", "viewer", &format!("label:team={team}")).await;
        let run = async |name: &str, line: &str, label: &str| {
            engine
                .run(
                    name,
                    &format!("{line} {label} busybox sh -c 'trap exit TERM; echo {name}-says; sleep 1000 & wait'"),
                )
                .await
        };
        let red = run("red", "", &format!("--label team={team}")).await;
        let blue = run("blue", "", "").await;
        for made in [&red, &blue] {
            console.sees_as(&admin, &made.id).await;
            until("it has said it", async || {
                let answer = console.by(&admin, "GET", &made.path("logs")).send().await;
                answer.body.contains("-says").then_some(())
            })
            .await;
        }
        // By others, by this console, and by itself.
        engine.docker(&["stop", &red.id]).await;
        sleep(Duration::from_secs(1)).await;
        engine.docker(&["rm", &red.id]).await;
        console.by(&admin, "POST", &blue.path("remove")).form(&[("force", "1")]).send().await.expect(303);
        for (made, says) in [(&red, "red-says"), (&blue, "blue-says")] {
            until(says, async || {
                let page = console.by(&admin, "GET", &made.path("logs")).send().await;
                (page.status == 200 && page.said().contains("was removed") && page.said().contains(says)).then_some(())
            })
            .await;
            let path = format!("/logs/download?c={}", made.id);
            assert_eq!(console.by(&admin, "GET", &path).send().await.expect(200).body, format!("{says}\n"));
        }
        contains_all(&console.by(&admin, "GET", "/logs").send().await.said(), &[&red.name, &blue.name]);
        // An engine removes what goes by itself (--rm) a moment after it has ended: on a busy one that moment is missed now
        // and then. podman is always faster.
        let mut is_kept = engine.is_podman();
        for n in 0..8 {
            if is_kept {
                break;
            }
            let gone = run(&format!("gone{n}"), "--rm", "").await;
            console.sees_as(&admin, &gone.id).await;
            engine.docker(&["stop", &gone.id]).await;
            for _ in 0..10 {
                let page = console.by(&admin, "GET", &gone.path("logs")).send().await;
                is_kept = is_kept || page.status == 200 && page.said().contains("was removed");
                sleep(Duration::from_millis(200)).await;
            }
        }
        assert!(is_kept, "none of eight that went by themselves");
        // By the labels that it had.
        console.by(&rob, "GET", &red.path("logs")).send().await.expect(200);
        console.by(&rob, "GET", &blue.path("logs")).send().await.expect(404);
        let list = console.by(&rob, "GET", "/logs").send().await.expect(200).said();
        assert!(list.contains(&red.name) && !list.contains(&blue.name), "{list}");
    }
}
