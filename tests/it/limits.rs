//! How much one client may take: sockets, bodies, live connections. S054, S055, S056.

use std::time::{Duration, Instant};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::{sleep, timeout},
};

use crate::support::{words::open_many_files, *};

/// The middle of five answers to a good client.
async fn a_good_client_waits(console: &Console) -> Duration {
    let mut times = Vec::new();
    for _ in 0..5 {
        let begin = Instant::now();
        console.get("/containers").await.expect(200);
        times.push(begin.elapsed());
    }
    times.sort();
    times[2]
}

#[tokio::test]
async fn s054_silent_and_slow_sockets_take_nothing_from_others() {
    open_many_files();
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let before = console.open_files();
    let calm = a_good_client_waits(&console).await;
    // A few hundred at a time, as many as wait at a door: who asks after them is let in after them.
    let (mut silent, mut slow) = (Vec::new(), Vec::new());
    for _ in 0..10 {
        for _ in 0..250 {
            let socket = std::net::TcpStream::connect(("127.0.0.1", console.port)).expect("a place");
            socket.set_nonblocking(true).expect("it can wait");
            silent.push(TcpStream::from_std(socket).expect("a socket"));
        }
        console.get("/healthz").await.expect(200);
    }
    for mut socket in silent.split_off(2_000) {
        slow.push(tokio::spawn(async move {
            let begin = Instant::now();
            if socket.write_all(b"GET / HTTP/1.1\r\nHost: ").await.is_err() {
                return true;
            }
            // A byte a second, until the other side has had enough.
            while begin.elapsed() < Duration::from_secs(45) {
                let end = timeout(Duration::from_secs(1), socket.read(&mut [0; 512])).await;
                if matches!(end, Ok(Ok(0) | Err(_))) || socket.write_all(b"a").await.is_err() {
                    return true;
                }
            }
            false
        }));
    }
    let waits = a_good_client_waits(&console).await;
    // On a machine that is busy with other things it waited before, too.
    assert!(waits < Duration::from_secs(5).max(calm * 5), "a good client waits {waits:?}, and {calm:?} before");
    let closed = async {
        for mut socket in silent {
            assert!(matches!(socket.read(&mut [0; 512]).await, Ok(0) | Err(_)), "a silent one got an answer");
        }
        for socket in slow {
            assert!(socket.await.expect("no panic"), "a slow one is still there after 45 s");
        }
    };
    timeout(Duration::from_secs(40), closed).await.expect("all are closed within 40 s");
    until("its sockets are free", async || (console.open_files() < before + 50).then_some(())).await;
}

/// Sends raw bytes, as many as are taken, and reads what comes back.
async fn raw(console: &Console, head: &str, chunk: &[u8], times: usize) -> (String, Duration) {
    let begin = Instant::now();
    let (mut read, mut write) = TcpStream::connect(("127.0.0.1", console.port)).await.expect("it listens").into_split();
    let (head, chunk) = (head.to_owned(), chunk.to_vec());
    let writer = tokio::spawn(async move {
        write.write_all(head.as_bytes()).await?;
        for _ in 0..times {
            write.write_all(&chunk).await?;
        }
        // Held open: it is the other side that has to end this.
        sleep(Duration::from_secs(30)).await;
        std::io::Result::Ok(())
    });
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(Ok(count @ 1..)) = timeout(Duration::from_secs(15), read.read(&mut buffer)).await {
        answer.extend_from_slice(&buffer[..count]);
        if answer.windows(4).any(|four| four == b"\r\n\r\n") {
            break;
        }
    }
    writer.abort();
    (String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned(), begin.elapsed())
}

const FORM: &str = "Host: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n";

#[tokio::test]
async fn s055_bodies_have_a_bound() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let field = |bytes: usize| format!("image={}", "X".repeat(bytes - 6));
    let at_limit = console.ask("POST", "/containers/draft").form(&[]).body(field(1 << 20)).send().await;
    at_limit.expect(200);
    let before = console.memory();
    let over = console.ask("POST", "/containers/draft").form(&[]).body(field((1 << 20) + 1)).send().await.expect(413);
    contains_all(&over.text("main"), &["too large"]);
    let over = console.ask("POST", "/containers/draft").htmx().form(&[]).body(field((1 << 20) + 1)).send().await;
    contains_all(&over.expect(413).body, &["<hx-partial"]);
    for path in ["/containers", "/containers/bulk", "/volumes", "/volumes/prune", "/theme", "/no/such/page"] {
        // A length that says at once that it is too much; nothing of it is read.
        let head = format!("POST {path} HTTP/1.1\r\n{FORM}Content-Length: 104857600\r\n\r\n");
        let (status, took) = raw(&console, &head, b"a=b&", 1).await;
        assert!(status.contains(" 413 ") || path == "/no/such/page" && status.contains(" 404 "), "{path}: {status}");
        assert!(took < Duration::from_secs(2), "{path}: {took:?}");
    }
    // No length at all, and no end.
    let chunk = [b"10000\r\n".as_slice(), &vec![b'a'; 0x10000], b"\r\n"].concat();
    let head = format!("POST /containers HTTP/1.1\r\n{FORM}Transfer-Encoding: chunked\r\n\r\n");
    let (status, took) = raw(&console, &head, &chunk, 1_600).await;
    assert!(status.contains(" 413 "), "{status}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    // A length that is too small: what is too much is no form of ours.
    let head = format!("POST /theme HTTP/1.1\r\n{FORM}Content-Length: 3\r\n\r\n");
    let (status, _) = raw(&console, &head, b"theme=dark", 1).await;
    assert!(status.contains(" 303 "), "{status}");
    // A body that breaks off.
    let head = format!("POST /theme HTTP/1.1\r\n{FORM}Content-Length: 100\r\n\r\n");
    let mut broken = TcpStream::connect(("127.0.0.1", console.port)).await.expect("it listens");
    broken.write_all(head.as_bytes()).await.expect("it reads");
    drop(broken);
    // Addresses and headers have a bound, too.
    let long = "x".repeat(2 << 20);
    let (status, _) =
        raw(&console, &format!("GET /containers?q={long} HTTP/1.1\r\nHost: localhost\r\n\r\n"), b"", 0).await;
    assert!(status.contains(" 414 ") || status.contains(" 431 ") || status.is_empty(), "{status}");
    let (status, _) = raw(&console, &format!("GET / HTTP/1.1\r\nHost: localhost\r\nx: {long}\r\n\r\n"), b"", 0).await;
    assert!(status.contains(" 431 ") || status.is_empty(), "{status}");
    let grown = console.memory().saturating_sub(before);
    assert!(grown < 10 * 1024, "it grew by {grown} KiB");
    console.get("/containers").await.expect(200);
}

#[tokio::test]
async fn s055_forms_have_a_bound() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let fields = |count: usize| vec!["id=x"; count].join("&");
    for path in ["/containers", "/containers/draft", "/containers/bulk", "/volumes", "/volumes/prune"] {
        console.ask("POST", path).form(&[]).body(fields(4_001)).send().await.expect(413);
        console.ask("POST", path).form(&[]).body("&".repeat(1_000_000)).send().await.expect(413);
    }
    // Not too many: then what is said counts.
    console.ask("POST", "/containers/bulk").form(&[]).body(fields(4_000)).send().await.expect(422);
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let json = console.ask("POST", "/containers").header("content-type", "application/json").body(deep);
    json.send().await.expect(422);
    let multipart = console.ask("POST", "/containers").header("content-type", "multipart/form-data; boundary=x");
    multipart.body("--x--").send().await.expect(415);
    // Many rows of everything: drawn in good time.
    let rows = "env-name=A&env-value=b&".repeat(1_000);
    let begin = Instant::now();
    console.ask("POST", "/containers/draft").form(&[]).body(format!("image=busybox&{rows}")).send().await.expect(200);
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    let query = "label=x&".repeat(3_000);
    console.get(&format!("/containers?{query}")).await.expect(200);
}

/// The status of a stream asked for from another address of this machine.
async fn stream_from(console: &Console, address: &str) -> String {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(format!("{address}:0").parse().expect("an address")).expect("it is ours");
    let mut stream =
        socket.connect(format!("127.0.0.1:{}", console.port).parse().expect("an address")).await.expect("it listens");
    stream.write_all(b"GET /containers/stream HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("it reads");
    let mut answer = [0; 64];
    let count = stream.read(&mut answer).await.expect("it answers");
    String::from_utf8_lossy(&answer[..count]).lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn s056_one_client_has_so_many_streams_and_gives_them_back() {
    let engine = RealEngine::docker28();
    let console = Console::start(&engine.socket).arg("--max-streams-per-client=5").ready().await;
    let before = console.open_files();
    let paths = ["/stream", "/containers/stream", "/volumes/stream", "/events/stream", "/containers/stream?q=x"];
    let mut streams = Vec::new();
    for path in paths {
        streams.push(console.stream(path).await);
    }
    for path in paths {
        let refused = console.get(path).await.expect(429);
        contains_all(&refused.body, &["--max-streams-per-client"]);
        assert_eq!(console.ask("GET", path).htmx().open().await.err(), Some(429));
    }
    console.get("/containers").await.expect(200);
    assert!(stream_from(&console, "127.0.0.2").await.contains(" 200 "), "other clients are fine");
    drop(streams.pop());
    until("a place is given back", async || console.ask("GET", "/stream").open().await.ok()).await;
    drop(streams);
    until("all are given back", async || (console.open_files() <= before + 2).then_some(())).await;
    let mut again = Vec::new();
    for path in paths {
        again.push(until("there is place again", async || console.ask("GET", path).open().await.ok()).await);
    }
}

#[tokio::test]
async fn s056_there_are_so_many_streams_in_all() {
    let engine = RealEngine::docker28();
    let console = Console::start(&engine.socket).arg("--max-streams=3").ready().await;
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(console.stream("/containers/stream").await);
    }
    assert!(stream_from(&console, "127.0.0.2").await.contains(" 429 "), "another client cannot pass the cap");
    console.get("/containers").await.expect(200);
    // A stream that is refused for another reason keeps no place either.
    streams.clear();
    until("they are free", async || console.ask("GET", "/stream").open().await.ok()).await;
    for _ in 0..10 {
        assert_eq!(console.ask("GET", "/jobs/999/stream").open().await.err(), Some(404));
    }
    for _ in 0..3 {
        streams.push(until("there is place", async || console.ask("GET", "/stream").open().await.ok()).await);
    }
}
