//! TLS by itself: the console's own certificate and a given one, both protocols, and what comes to its port without.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{
    RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::ring,
    pki_types::{ServerName, UnixTime},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::support::{
    console::Start,
    tls::{certificate, dial, fingerprint, write_certificate},
    *,
};

/// What the log says of a write that was refused.
const REFUSED: &str = "a write from a page that is not ours was refused";

fn start() -> Start {
    Console::start(&RealEngine::docker28().socket).arg("--tls=on")
}

/// The fingerprint that it has printed.
async fn told(console: &Console) -> String {
    const WORDS: &str = "SHA-256 fingerprint ";
    until("it prints the fingerprint", async || {
        console.log().lines().find_map(|line| Some(line.split_once(WORDS)?.1.to_owned()))
    })
    .await
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

#[tokio::test]
async fn its_own_certificate_is_kept_and_told() {
    let console = start().ready().await;
    let first = told(&console).await;
    assert_eq!(fingerprint(console.port).await, first);
    let folder = console.data().join("tls");
    assert_eq!((mode(&folder), mode(&folder.join("key.pem"))), (0o700, 0o600));
    let console = console.end().await.ready().await;
    assert_eq!(told(&console).await, first);
    assert_eq!(fingerprint(console.port).await, first);
    // A name that it did not have makes it a new one.
    let console = console.end().await.arg("--hosts=box.lan").ready().await;
    let second = told(&console).await;
    assert_ne!(second, first);
    // So does a damaged file.
    fs::write(console.data().join("tls/key.pem"), "rubbish").expect("written");
    let console = console.end().await.ready().await;
    console.expect_log("the console's own certificate is made anew");
    assert_ne!(told(&console).await, second);
    assert_eq!(mode(&console.data().join("tls/key.pem")), 0o600);
    // A day's worth of seconds is not kept in the headers of a certificate that nobody has to trust.
    assert_eq!(console.get("/containers").await.expect(200).header("strict-transport-security"), "");
}

#[tokio::test]
async fn its_own_certificate_has_every_name() {
    let console =
        start().arg("--hosts=box.lan:9000,10.9.8.7").arg("--public-url=https://docker.example/").ready().await;
    let cert = certificate(&dial(console.port, &[]).await);
    let mut roots = RootCertStore::empty();
    roots.add(cert.clone()).expect("a root");
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().expect("a verifier");
    let good = |name: &str, at: UnixTime| {
        verifier.verify_server_cert(&cert, &[], &ServerName::try_from(name).expect("a name"), &[], at).is_ok()
    };
    let host = rustix::system::uname().nodename().to_string_lossy().to_ascii_lowercase();
    let days = |days: u64| UnixTime::since_unix_epoch(Duration::from_secs(UnixTime::now().as_secs() + days * 86_400));
    for name in ["localhost", "127.0.0.1", "::1", "box.lan", "10.9.8.7", "docker.example", &host] {
        assert!(good(name, UnixTime::now()), "{name}");
    }
    assert!(!good("evil.test", UnixTime::now()));
    assert!(good("localhost", days(800)));
    assert!(!good("localhost", days(826)), "systems of Apple take none that lasts longer");
}

/// A request over HTTP/2, which has no Host but an authority: the status, a header, the body.
async fn ask_http2(
    console: &Console,
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
) -> (u16, hyper::HeaderMap, String) {
    let stream = dial(console.port, &["h2", "http/1.1"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("it speaks HTTP/2");
    tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = sender.send_request(request.body(Full::<Bytes>::default()).expect("a request")).await;
    let (parts, body) = answer.expect("an answer").into_parts();
    let body = body.collect().await.expect("a whole answer").to_bytes();
    (parts.status.as_u16(), parts.headers, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn both_protocols_are_spoken() {
    let console = start().ready().await;
    let stream = dial(console.port, &["http/1.1"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    console.get("/containers").await.expect(200);
    let (status, _, body) = ask_http2(&console, "GET", &format!("{}/containers", console.origin()), &[]).await;
    assert!(status == 200 && body.contains("</html>"), "{status}: {body}");
    let (status, _, _) = ask_http2(&console, "GET", "https://evil.test/containers", &[]).await;
    assert_eq!(status, 421, "S018 holds for an authority as well");
}

#[tokio::test]
async fn a_page_lives_over_http2() {
    let engine = RealEngine::docker28();
    let console = start().ready().await;
    let stream = dial(console.port, &["h2"]).await;
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("it speaks HTTP/2");
    tokio::spawn(connection);
    let url = format!("{}/containers/stream", console.origin());
    // More than browsers allow themselves on HTTP/1.1, on one connection.
    let mut streams = Vec::new();
    for _ in 0..20 {
        let request = Request::get(&url).body(Full::<Bytes>::default()).expect("a request");
        streams.push(sender.send_request(request).await.expect("an answer").into_body());
    }
    let web = engine.run("web", "busybox sleep 1000").await;
    for stream in &mut streams {
        let wait = async {
            while let Some(Ok(frame)) = stream.frame().await {
                if frame.data_ref().is_some_and(|data| String::from_utf8_lossy(data).contains(&web.id)) {
                    return true;
                }
            }
            false
        };
        assert!(timeout(Duration::from_secs(10), wait).await.expect("in time"));
    }
}

#[tokio::test]
async fn s016_our_own_pages_can_write_over_tls() {
    let console = start().arg("--hosts=box.lan").ready().await;
    console.expect_log(REFUSED);
    let port = console.port;
    for (host, origin, status) in [
        (format!("127.0.0.1:{port}"), format!("https://127.0.0.1:{port}"), 303),
        (format!("localhost:{port}"), format!("https://localhost:{port}"), 303),
        (format!("[::1]:{port}"), format!("https://[::1]:{port}"), 303),
        ("192.168.1.5".to_owned(), "https://192.168.1.5".to_owned(), 303),
        ("192.168.1.5:443".to_owned(), "https://192.168.1.5".to_owned(), 303),
        ("box.lan".to_owned(), "https://box.lan".to_owned(), 303),
        ("BOX.lan:443".to_owned(), "https://box.lan".to_owned(), 303),
        ("box.lan".to_owned(), "http://box.lan".to_owned(), 403),
        ("box.lan:80".to_owned(), "https://box.lan".to_owned(), 403),
        (format!("127.0.0.1:{port}"), format!("http://127.0.0.1:{port}"), 403),
    ] {
        let ask = console.ask("POST", "/theme").header("host", &host).header("origin", &origin);
        let answer = ask.form(&[("theme", "dark")]).send().await;
        assert_eq!(answer.status, status, "{origin} on {host}:\n{}", answer.body);
        let url = format!("https://{host}/theme");
        let (over_http2, ..) = ask_http2(&console, "POST", &url, &[("origin", &origin)]).await;
        assert_eq!(over_http2, status, "{origin} on {host} over HTTP/2");
    }
}

/// Two files that are there to be given.
fn files(folder: &tempfile::TempDir) -> (PathBuf, PathBuf) {
    let (cert, key) = (folder.path().join("fullchain.pem"), folder.path().join("privkey.pem"));
    write_certificate(&cert, &key);
    (cert, key)
}

fn given(cert: &Path, key: &Path) -> Start {
    let start = Console::start(&RealEngine::docker28().socket);
    start.arg(&format!("--tls-cert={}", cert.display())).arg(&format!("--tls-key={}", key.display()))
}

#[tokio::test]
async fn a_given_certificate_is_followed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (cert, key) = files(&folder);
    let console = given(&cert, &key).ready().await;
    console.expect_log("the new certificate cannot be shown");
    let first = told(&console).await;
    assert_eq!(fingerprint(console.port).await, first);
    let page = console.get("/containers").await.expect(200);
    assert_eq!(page.header("strict-transport-security"), "max-age=31536000");
    assert!(!console.data().join("tls").exists(), "it made one of its own although it has one");
    fs::write(&cert, "rubbish").expect("written");
    until("it says that it cannot take it", async || console.log().contains("cannot be shown").then_some(())).await;
    assert_eq!(fingerprint(console.port).await, first);
    write_certificate(&cert, &key);
    let second = until("it shows the new one", async || {
        let now = fingerprint(console.port).await;
        (now != first).then_some(now)
    })
    .await;
    until("it says so", async || console.log().contains(&second).then_some(())).await;
}

/// What it says when it does not start.
async fn refusal(args: &[String]) -> String {
    let data = tempfile::tempdir().expect("a folder");
    let mut command = Console::command();
    command.args(["--listen=127.0.0.1:0", "--engine=unix:///nowhere"]).arg("--data").arg(data.path()).args(args);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
    let end = Instant::now() + Duration::from_secs(10);
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
        if Instant::now() > end {
            child.kill().expect("it ends");
            panic!("it starts with {args:?}");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(!status.success());
    std::io::read_to_string(child.stderr.take().expect("its words")).expect("a text")
}

#[tokio::test]
async fn bad_files_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let (cert, key) = files(&folder);
    let at = |name: &str| folder.path().join(name);
    fs::write(at("empty.pem"), "").expect("written");
    fs::write(at("broken.pem"), "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n").expect("written");
    let locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    fs::write(at("locked.pem"), locked).expect("written");
    write_certificate(&at("other-cert.pem"), &at("other-key.pem"));
    for (cert, key, blamed, why) in [
        (&at("missing.pem"), &key, "missing.pem", "No such file"),
        (&cert, &at("missing.pem"), "missing.pem", "No such file"),
        (&cert, &folder.path().to_owned(), folder.path().to_str().expect("a path"), "Is a directory"),
        (&at("empty.pem"), &key, "empty.pem", "no certificate"),
        (&at("broken.pem"), &key, "broken.pem", "not PEM"),
        (&key, &key, "privkey.pem", "no certificate"),
        (&cert, &cert, "fullchain.pem", "no private key"),
        (&cert, &at("locked.pem"), "locked.pem", "without a password"),
        (&cert, &at("other-key.pem"), "other-key.pem", "do not work together"),
    ] {
        let said = refusal(&[format!("--tls-cert={}", cert.display()), format!("--tls-key={}", key.display())]).await;
        contains_all(&said, &[blamed, why]);
        assert!(!said.contains("PRIVATE KEY-----\n"), "{said}");
    }
    contains_all(&refusal(&[format!("--tls-cert={}", cert.display())]).await, &["--tls-key"]);
    // A folder that cannot be made, for its own.
    let data = tempfile::tempdir().expect("a folder");
    fs::write(data.path().join("tls"), "").expect("written");
    let mut command = Console::command();
    command.args(["--listen=127.0.0.1:0", "--engine=unix:///nowhere", "--tls=on", "--data"]).arg(data.path());
    let said = String::from_utf8_lossy(&command.output().expect("it starts").stderr).into_owned();
    contains_all(&said, &["/tls", "--data"]);
}

#[tokio::test]
async fn plain_requests_are_sent_over() {
    let console = start().arg("--hosts=box.lan").ready().await;
    let port = console.port;
    for (host, method, path) in [
        (format!("127.0.0.1:{port}"), "GET", "/containers?q=a%22b"),
        (format!("localhost:{port}"), "HEAD", "/"),
        ("box.lan".to_owned(), "GET", "/healthz/"),
        ("box.lan".to_owned(), "POST", "/theme"),
        ("box.lan".to_owned(), "POST", "/healthz"),
        (format!("[::1]:{port}"), "GET", "/readyz"),
    ] {
        let answer = console.ask(method, path).plain().header("host", &host).send().await.expect(308);
        assert_eq!(answer.header("location"), format!("https://{host}{path}"));
        assert_eq!(answer.header("strict-transport-security"), "");
    }
    let answer = console.ask("GET", "/").plain().header("host", "evil.test").send().await.expect(421);
    assert_eq!(answer.header("location"), "");
    // What proxies say counts from proxies only.
    let forged = console.ask("GET", "/containers").plain().header("x-forwarded-proto", "https");
    forged.send().await.expect(308);
    assert_eq!(console.ask("GET", "/healthz").plain().send().await.expect(200).body, "ok\n");
    let mut healthcheck = Console::command();
    healthcheck.args(["healthcheck", "--listen", &format!("127.0.0.1:{port}")]);
    assert!(healthcheck.status().expect("it runs").success());
}

#[tokio::test]
async fn others_get_https_by_default() {
    let engine = format!("--engine=unix://{}", RealEngine::docker28().socket.display());
    // What a stranger sees; the pages inside are those of the next test.
    let said = async |tls: &str| {
        let console = Console::bare().arg("--listen=0.0.0.0:0").arg(&engine).arg(tls).ready().await;
        let door = console.get("/login").await;
        (console.origin(), door.body.contains("Not encrypted"))
    };
    let (origin, warns) = said("--tls=auto").await;
    assert!(origin.starts_with("https://") && !warns, "{origin}");
    let (origin, warns) = said("--tls=off").await;
    assert!(origin.starts_with("http://") && warns, "{origin}");
}

#[tokio::test]
async fn s011_what_is_not_encrypted_says_so() {
    let engine = RealEngine::docker28();
    // Nobody is on the way.
    assert!(!Console::on(&engine).await.get("/containers").await.has(".unencrypted"));
    assert!(!start().ready().await.get("/containers").await.has(".unencrypted"));
    // It was said that a proxy is there; whether that encrypts is known only if it is believed.
    let console = Console::start(&engine.socket).arg("--tls=off").ready().await;
    for path in ["/", "/containers", "/no-such-page"] {
        let page = console.get(path).await;
        assert_eq!(page.text(".unencrypted"), "not encrypted");
        let help = page.attribute(".unencrypted", "popovertarget").expect("a help");
        contains_all(&page.text(&format!("#{help}")), &["--tls", "--trusted-proxies", "plain HTTP"]);
    }
    let forged = console.ask("GET", "/containers").header("x-forwarded-proto", "https").send().await;
    assert!(forged.has(".unencrypted"));
    let console = Console::start(&engine.socket).arg("--tls=off").arg("--trusted-proxies=127.0.0.0/8").ready().await;
    let secure = console.ask("GET", "/containers").header("x-forwarded-proto", "https").send().await;
    assert!(!secure.has(".unencrypted"));
    let plain = console.ask("GET", "/containers").header("x-forwarded-proto", "http").send().await;
    assert!(plain.has(".unencrypted"));
}

/// How long it takes until the other side ends it.
async fn ended(mut stream: impl AsyncReadExt + Unpin, what: &str) {
    let mut rest = Vec::new();
    let read = timeout(Duration::from_secs(40), stream.read_to_end(&mut rest)).await;
    assert!(read.is_ok(), "{what}: still open");
}

#[tokio::test]
async fn s054_who_is_silent_is_ended_over_tls_too() {
    let console = start().ready().await;
    let tcp = async || TcpStream::connect(("127.0.0.1", console.port)).await.expect("it listens");
    let silent = tcp().await;
    let mut begun = tcp().await;
    begun.write_all(&[22, 3, 1, 2, 0, 1]).await.expect("written");
    let shaken = dial(console.port, &["http/1.1"]).await;
    let mut slow = dial(console.port, &["http/1.1"]).await;
    slow.write_all(b"GET / HTTP/1.1\r\nHost: 127.0").await.expect("written");
    let quiet = dial(console.port, &["h2"]).await;
    let mut settled = dial(console.port, &["h2"]).await;
    settled.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.expect("written");
    tokio::join!(
        ended(silent, "no byte"),
        ended(begun, "half a handshake"),
        ended(shaken, "a handshake and nothing"),
        ended(slow, "half of the headers"),
        ended(quiet, "HTTP/2, not begun"),
        ended(settled, "HTTP/2, no request and no answer to pings"),
    );
    console.get("/healthz").await.expect(200);
}
