//! Behind a proxy: S017 with a real nginx that ends TLS, below a path as well, and whose word about the client counts
//! (S008).

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use scraper::Html;
use tokio::net::TcpStream;

use crate::support::{
    console::{Ask, Start},
    tls::write_certificate,
    *,
};

/// What the console says in its log when it refuses a write.
const REFUSED: &str = "a write from a page that is not ours was refused";

/// A real nginx in front of a console: one port that ends TLS, one without.
struct Nginx {
    child: Child,
    tls: u16,
    plain: u16,
    _folder: tempfile::TempDir,
}

impl Nginx {
    /// With ports, before there is a console that it stands before.
    fn ports() -> (u16, u16) {
        (free_port(), free_port())
    }

    async fn start((tls, plain): (u16, u16), location: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path().display();
        write_certificate(&folder.path().join("cert.pem"), &folder.path().join("key.pem"));
        let config = format!(
            "daemon off; master_process off; pid {at}/pid; error_log {at}/error.log; events {{}}\n\
             http {{ access_log off; client_body_temp_path {at}/b; proxy_temp_path {at}/p; fastcgi_temp_path {at}/f;\n\
             uwsgi_temp_path {at}/u; scgi_temp_path {at}/s;\n\
             server {{ listen 127.0.0.1:{plain}; listen 127.0.0.1:{tls} ssl;\n\
             ssl_certificate {at}/cert.pem; ssl_certificate_key {at}/key.pem;\n\
             {location} }} }}"
        );
        std::fs::write(folder.path().join("conf"), config).expect("written");
        let mut command = Command::new("nginx");
        command.arg("-c").arg(folder.path().join("conf")).arg("-e").arg(folder.path().join("error.log"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let nginx = Self { child: child.expect("nginx is there: run `make test`"), tls, plain, _folder: folder };
        until("nginx listens", async || TcpStream::connect(("127.0.0.1", tls)).await.ok()).await;
        nginx
    }

    /// How a browser calls it.
    fn origin(&self) -> String {
        format!("https://localhost:{}", self.tls)
    }

    /// A request by way of it, as a browser makes it.
    fn ask(&self, console: &Console, method: &str, path: &str) -> Ask {
        let host = format!("localhost:{}", self.tls);
        console.ask(method, path).over_tls().through(self.tls).header("host", &host)
    }

    /// A write by way of it, by a browser that tells the origin only.
    fn write(&self, console: &Console, path: &str) -> Ask {
        self.ask(console, "POST", path).header("origin", &self.origin()).form(&[])
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("it has an address").port()
}

/// The lines of the README.
fn documented(upstream: u16) -> String {
    let readme = include_str!("../../README.md");
    let block = readme.split("```nginx\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a snippet");
    assert!(block.contains("127.0.0.1:9000"));
    let quick = "proxy_read_timeout 15s; proxy_send_timeout 15s;";
    block.replace("127.0.0.1:9000;", &format!("127.0.0.1:{upstream}; {quick}"))
}

fn only_proxy_pass(upstream: u16) -> String {
    format!("location / {{ proxy_pass http://127.0.0.1:{upstream}; }}")
}

/// A page, its assets, an action and a live connection by way of nginx, below this path.
async fn all_works(nginx: &Nginx, console: &Console, engine: &RealEngine, web: &Made, below: &str) {
    let page = nginx.ask(console, "GET", &format!("{below}/containers")).send().await.expect(200);
    let assets = [page.attributes("script", "src"), page.attributes("link", "href")].concat();
    assert!(assets.len() >= 4 && assets.iter().all(|path| path.starts_with(&format!("{below}/assets/"))), "{assets:?}");
    for path in &assets {
        nginx.ask(console, "GET", path).send().await.expect(200);
    }
    let begun = Instant::now();
    let mut stream = nginx.ask(console, "GET", &format!("{below}/containers/stream")).open().await.expect("a stream");
    stream.until("the row", |text| text.contains(&web.id)).await;
    let pause = nginx.write(console, &format!("{below}{}", web.path("pause"))).send().await;
    assert_eq!(pause.leads_to(), format!("{below}/containers"));
    assert_eq!(engine.state(&web.id).await, "paused");
    let row = stream.until("the row, paused", |text| text.contains(&web.id) && text.contains("\"paused\"")).await;
    assert!(row.data.contains(&format!("href=\"{below}/containers/{}\"", web.id)), "{}", row.data);
    let unpause = nginx.write(console, &format!("{below}{}", web.path("unpause")));
    unpause.header("sec-fetch-site", "same-origin").htmx().send().await.expect(200);
    stream.until("the row, running", |text| text.contains(&web.id) && text.contains("\"running\"")).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "nginx gathers it: {:?}", begun.elapsed());
}

/// A terminal by way of nginx, that lives longer than nginx waits for a line without a word.
async fn a_terminal_works(nginx: &Nginx, console: &Console, web: &Made) {
    let host = format!("localhost:{}", nginx.plain);
    let origin = format!("http://{host}");
    let form = console.ask("POST", &web.path("terminal")).through(nginx.plain).header("host", &host);
    let form = form.header("origin", &origin).header("accept", "application/json").form(&[]).send().await.expect(201);
    let token = form.json()["token"].as_str().expect("a token").to_owned();
    let socket = || Upgrade::of(console, &web.path("terminal/socket")).through(nginx.plain).header("host", &host);
    assert_eq!(socket().header("origin", "https://evil.test").open().await.err(), Some(403));
    let mut shell = Terminal::back(&token, 0, socket().header("origin", &origin).open().await.expect("a socket")).await;
    shell.line("echo $((40+2))", "42").await;
    // nginx gives up after 60 s: here after 15, of which ours are ten.
    let end = Instant::now() + Duration::from_secs(35);
    while Instant::now() < end {
        shell.reads(Duration::from_secs(1)).await;
    }
    shell.line("echo $((50+5))", "55").await;
}

#[tokio::test]
async fn s017_only_proxy_pass_works_or_the_refusal_says_why() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "busybox sleep 1000").await;
    let ports = Nginx::ports();
    {
        // nginx puts its own idea of a Host in.
        let console = Console::on(&engine).await;
        console.expect_log(REFUSED);
        let nginx = Nginx::start(ports, &only_proxy_pass(console.port)).await;
        nginx.ask(&console, "GET", "/containers").send().await.expect(200);
        let refusal = nginx.write(&console, &web.path("pause")).send().await.expect(403);
        contains_all(&refusal.body, &[&nginx.origin(), "--public-url"]);
        // A browser of today says on https itself that the page is ours.
        let pause = nginx.write(&console, &web.path("pause")).header("sec-fetch-site", "same-origin");
        pause.send().await.leads_to();
        nginx.write(&console, &web.path("unpause")).header("sec-fetch-site", "same-origin").send().await.leads_to();
    }
    let origin = format!("https://localhost:{}", ports.0);
    let console = Console::start(&engine.socket).arg("--public-url").arg(&origin).ready().await;
    let nginx = Nginx::start(ports, &only_proxy_pass(console.port)).await;
    all_works(&nginx, &console, &engine, &web, "").await;
}

#[tokio::test]
async fn s017_the_documented_lines_work() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "busybox sleep 1000").await;
    // No name has to be set: the proxy passes it on.
    let console = Console::start(&engine.socket).arg("--tls=off").arg("--trusted-proxies=127.0.0.1").ready().await;
    let nginx = Nginx::start(Nginx::ports(), &documented(console.port)).await;
    all_works(&nginx, &console, &engine, &web, "").await;
    assert!(!nginx.ask(&console, "GET", "/").send().await.has(".unencrypted"));
    console.expect_log("a socket from a page that is not ours was refused");
    a_terminal_works(&nginx, &console, &web).await;
    // Without TLS at the proxy it works as well, and says that it is not encrypted.
    let host = format!("localhost:{}", nginx.plain);
    let plain = |method: &str, path: &str| console.ask(method, path).through(nginx.plain).header("host", &host);
    assert!(plain("GET", "/").send().await.has(".unencrypted"));
    let pause = plain("POST", &web.path("pause")).header("origin", &format!("http://{host}")).form(&[]);
    pause.send().await.leads_to();
    console.expect_log(REFUSED);
    let unpause = plain("POST", &web.path("unpause")).header("origin", &format!("https://{host}")).form(&[]);
    unpause.send().await.expect(403);
    assert_eq!(engine.state(&web.id).await, "paused");
}

#[tokio::test]
async fn s017_a_proxy_may_speak_tls_to_us() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "busybox sleep 1000").await;
    let console = Console::start(&engine.socket).arg("--tls=on").arg("--trusted-proxies=127.0.0.1").ready().await;
    let lines = documented(console.port).replace("http://127", "https://127");
    let nginx = Nginx::start(Nginx::ports(), &lines).await;
    all_works(&nginx, &console, &engine, &web, "").await;
}

/// A console that lives below a path, of which nginx takes it off or not.
async fn below_docker(takes_off: bool) {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "busybox sleep 1000").await;
    let volume = engine.volume("data", "").await;
    let ports = Nginx::ports();
    let url = format!("https://localhost:{}/docker/", ports.0);
    let console = Console::start(&engine.socket).arg("--public-url").arg(&url).ready().await;
    console.sees(&web.id).await;
    console.sees_volume(&volume).await;
    let slash = if takes_off { "/" } else { "" };
    let lines = format!("location /docker/ {{ proxy_pass http://127.0.0.1:{}{slash}; }}", console.port);
    let nginx = Nginx::start(ports, &lines).await;
    all_works(&nginx, &console, &engine, &web, "/docker").await;
    for path in [
        "/",
        "/containers",
        "/containers?q=nothing-at-all",
        "/containers/new",
        &format!("/containers/{}", web.id),
        &format!("/containers/{}/inspect", web.id),
        &web.path("remove"),
        "/volumes",
        "/volumes/new",
        "/volumes/prune",
        &format!("/volumes/{volume}"),
        "/events",
        "/jobs",
        "/no-such-page",
    ] {
        let page = nginx.ask(&console, "GET", &format!("/docker{path}")).send().await;
        all_paths_are_below(&page, path);
    }
    // Inside, nothing knows of it: forms come back to where they were.
    let page = nginx.ask(&console, "GET", "/docker/containers?q=a").send().await;
    assert_eq!(page.attribute("#act input[name=back]", "value").as_deref(), Some("/containers?q=a"));
    let theme = nginx.ask(&console, "POST", "/docker/theme").header("origin", &nginx.origin());
    let theme = theme.form(&[("theme", "dark"), ("back", "/containers?q=a")]).send().await;
    assert_eq!(theme.leads_to(), "/docker/containers?q=a");
    assert!(theme.header("set-cookie").contains("; Path=/;"), "{}", theme.header("set-cookie"));
    let remove = nginx.write(&console, &web.path("remove").replacen('/', "/docker/", 1)).htmx();
    let remove = remove.form(&[("force", "1"), ("back", &format!("/containers/{}", web.id))]).send().await.expect(200);
    assert_eq!(remove.header("x-after"), "/docker/containers");
}

/// Attributes that say a path and lead nowhere: what forms come back to, and what somebody typed.
const WORDS: [&str; 3] = ["value", "title", "placeholder"];

/// Fails with every attribute that leads past the prefix, of whatever name.
fn all_paths_are_below(page: &Answer, path: &str) {
    let ours = ["containers", "volumes", "events", "jobs", "assets", "theme", "docker"];
    let html: Html = page.html();
    let elements = html.tree.nodes().filter_map(|node| node.value().as_element());
    let paths: Vec<_> =
        elements.flat_map(|element| element.attrs()).filter(|(name, _)| !WORDS.contains(name)).collect();
    let leads = |value: &str| {
        let first = value.strip_prefix('/').and_then(|rest| rest.split(['/', '?', '#']).next());
        first.is_some_and(|first| first.is_empty() || ours.contains(&first))
    };
    let (below, past): (Vec<_>, Vec<_>) =
        paths.into_iter().filter(|(_, value)| leads(value)).partition(|(_, value)| value.starts_with("/docker/"));
    assert!(past.is_empty(), "{path}: {past:?}");
    assert!(below.len() > 10, "{path}: {below:?}");
    assert!(!below.iter().any(|(_, value)| value.starts_with("/docker/docker")), "{path}: {below:?}");
}

#[tokio::test]
async fn s017_below_a_path_that_nginx_takes_off() {
    below_docker(true).await;
}

#[tokio::test]
async fn s017_below_a_path_that_nginx_leaves() {
    below_docker(false).await;
}

/// Whether a second live page of "another" client has a place where each client has one.
async fn has_a_place(start: Start, ask: impl Fn(&Console, &str) -> Ask) -> bool {
    let console = start.arg("--max-streams-per-client=1").ready().await;
    let _first = ask(&console, "198.51.100.1").open().await.expect("a stream");
    let second = ask(&console, "198.51.100.2").open().await;
    assert!(second.is_ok() || second.as_ref().err() == Some(&429));
    second.is_ok()
}

#[tokio::test]
async fn s008_nobody_chooses_his_own_address() {
    let engine = RealEngine::docker28();
    let start = || Console::start(&engine.socket);
    let trusting = || start().arg("--trusted-proxies=127.0.0.1,198.51.100.0/30");
    let forged =
        |console: &Console, address: &str| console.ask("GET", "/containers/stream").header("x-forwarded-for", address);
    assert!(!has_a_place(start(), forged).await, "a header of a stranger counts");
    // 127.0.0.2 is not the proxy.
    assert!(!has_a_place(trusting(), |console, address| forged(console, address).from([127, 0, 0, 2])).await);
    let genuine = |console: &Console, address: &str| {
        let list = format!("6.6.6.6, {}", address.replace("198.51", "203.0"));
        console.ask("GET", "/containers/stream").header("x-forwarded-for", &list)
    };
    assert!(has_a_place(trusting(), genuine).await, "everybody behind a proxy is one client");
    let left = |console: &Console, address: &str| {
        console.ask("GET", "/containers/stream").header("x-forwarded-for", &format!("{address}, 203.0.113.1"))
    };
    assert!(!has_a_place(trusting(), left).await, "what is left of the client's address counts");
}

#[tokio::test]
async fn s008_nginx_tells_who_asks() {
    let engine = RealEngine::docker28();
    let start = Console::start(&engine.socket).arg("--trusted-proxies=127.0.0.1").arg("--max-streams-per-client=1");
    let console = start.ready().await;
    let nginx = Nginx::start(Nginx::ports(), &documented(console.port)).await;
    let open = async |from: [u8; 4], forged: &str| {
        let ask = nginx.ask(&console, "GET", "/containers/stream").from(from).header("x-forwarded-for", forged);
        ask.open().await
    };
    let _first = open([127, 0, 0, 2], "6.6.6.6").await.expect("a stream");
    assert_eq!(open([127, 0, 0, 2], "7.7.7.7").await.err(), Some(429));
    open([127, 0, 0, 3], "6.6.6.6").await.expect("another client has a place of its own");
}
