//! First run, signing in, sessions: S001 to S012, S022.

use std::{collections::BTreeMap, time::Instant};

use crate::support::{Answer, Console, PASSWORD, Person, Provider, RealEngine, contains_all, until};

/// The secret of the link that a console prints.
fn link(console: &Console) -> String {
    let log = console.log();
    let link = log.split("/setup?token=").nth(1).unwrap_or_else(|| panic!("no link in:\n{log}"));
    link.split_whitespace().next().unwrap_or_default().to_owned()
}

async fn set_up(console: &Console, token: &str, name: &str) -> Answer {
    let fields = [("token", token), ("name", name), ("password", PASSWORD), ("again", PASSWORD)];
    console.post("/setup", &fields).await
}

#[tokio::test]
async fn s001_the_link_makes_one_administrator_once() {
    let console = Console::with_people(&RealEngine::docker28().socket).ready().await;
    let token =
        until("it prints a link", async || console.log().contains("/setup?token=").then(|| link(&console))).await;
    // Base32: five bits a letter.
    assert!(token.len() * 5 >= 128, "{token}");
    console.get("/containers").await.expect(303);
    console.get("/setup").await.expect(403);
    for wrong in ["", "x", &token[1..], &format!("{token}x")] {
        set_up(&console, wrong, "admin").await.expect(403);
    }
    console.get(&format!("/setup?token={token}")).await.expect(200);
    // A bad password uses nothing up.
    let fields = [("token", token.as_str()), ("name", "admin"), ("password", "password"), ("again", "password")];
    console.post("/setup", &fields).await.expect(422);
    let tries = (0..20).map(|number| {
        let (console, token) = (&console, &token);
        async move { set_up(console, token, &format!("admin{number}")).await }
    });
    let answers = futures_util::future::join_all(tries).await;
    let in_it: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 303).collect();
    assert_eq!(in_it.len(), 1, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
    assert!(answers.iter().all(|answer| matches!(answer.status, 303 | 403 | 409)));
    let admin = Person::of(in_it[0]);
    let page = console.by(&admin, "GET", "/people").send().await.expect(200);
    assert_eq!(page.texts("tbody .name").len(), 1, "{}", page.said());
    set_up(&console, &token, "late").await.expect(403);
}

#[tokio::test]
async fn s002_set_up_never_opens_again() {
    let engine = RealEngine::docker28();
    let mut console = Console::administered(&engine.socket).await;
    assert!(!console.log().contains("/setup?token="), "{}", console.log());
    let data = console.data().to_owned();
    assert!(console.terminate().await);
    // As of somebody with an editor for SQLite.
    let sql = "DELETE FROM account";
    let python = format!(
        "import sqlite3; c = sqlite3.connect('{}/wheelhouse.db'); c.execute('PRAGMA foreign_keys=ON'); c.execute('{sql}'); c.commit()",
        data.display()
    );
    assert!(std::process::Command::new("python3").args(["-c", &python]).status().expect("python3").success());
    let again = |extra: &[&str]| {
        let mut command = Console::command();
        command.args(["--listen", "127.0.0.1:0", "--engine", "unix:///nowhere", "--data"]).arg(&data).args(extra);
        command
    };
    let mut child = again(&[])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("it starts");
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    child.kill().expect("it can be ended");
    let output = child.wait_with_output().expect("it ends");
    let log = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(!log.contains("/setup?token="), "{log}");
    contains_all(&log, &["wheelhouse admin reset"]);
    // A damaged store is no store.
    for bad in [&b""[..], b"garbage garbage garbage"] {
        for file in ["wheelhouse.db-wal", "wheelhouse.db-shm"] {
            let _ = std::fs::remove_file(data.join(file));
        }
        std::fs::write(data.join("wheelhouse.db"), bad).expect("a file");
        let output = again(&[]).output().expect("it runs");
        assert!(!output.status.success());
        contains_all(&String::from_utf8_lossy(&output.stderr), &["wheelhouse.db", "backup"]);
    }
}

#[tokio::test]
async fn the_way_back_in_is_on_the_host() {
    let engine = RealEngine::docker28();
    let console = Console::administered(&engine.socket).await;
    let admin = console.admin().await;
    let mut reset = Console::command();
    reset.args(["admin", "reset", "--data"]).arg(console.data());
    let output = reset.output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let token = said.split("token=").nth(1).expect("a link").trim().to_owned();
    let page = console.get(&format!("/setup?token={token}")).await.expect(200);
    contains_all(&page.said(), &["admin"]);
    let new = "quite another staple of words";
    let fields = [("token", token.as_str()), ("password", new), ("again", new)];
    let back = console.post("/setup", &fields).await.expect(303);
    console.by(&Person::of(&back), "GET", "/people").send().await.expect(200);
    // What was before is over: sessions, the password, the link.
    console.by(&admin, "GET", "/people").header("accept", "text/html").send().await.expect(303);
    console.expect_log("not signed in");
    console.sign_in("admin", PASSWORD).await.expect(401);
    console.post("/setup", &fields).await.expect(403);
}

#[tokio::test]
async fn s007_known_and_unknown_names_are_refused_alike() {
    let console = Console::administered(&RealEngine::docker28().socket).await;
    console.expect_log("not signed in");
    // From many addresses of this machine: the throttle is not what is measured.
    let mut times: BTreeMap<&str, Vec<u128>> = BTreeMap::new();
    let mut seen = BTreeMap::new();
    for round in 0..30_u8 {
        for name in ["admin", "nobody"] {
            let from = [127, 0, 7, round + 1];
            let ask =
                console.ask("POST", "/login").from(from).form(&[("name", name), ("password", "not the password")]);
            let begin = Instant::now();
            let answer = ask.send().await.expect(401);
            times.entry(name).or_default().push(begin.elapsed().as_micros());
            seen.insert(name, answer.body.len());
        }
    }
    assert_eq!(seen["admin"], seen["nobody"]);
    let median = |name: &str| {
        let mut times = times[name].clone();
        times.sort_unstable();
        times[times.len() / 2]
    };
    let (known, unknown) = (median("admin"), median("nobody"));
    let off = known.abs_diff(unknown) * 100 / known.max(unknown);
    // 10 % on a quiet machine; tests at the same time make noise.
    assert!(off <= 25, "known {known} µs, unknown {unknown} µs");
}

#[tokio::test]
async fn s008_tries_are_limited_without_locking_anybody_out() {
    let console = Console::administered(&RealEngine::docker28().socket).await;
    console.expect_log("not signed in");
    console.expect_log("too many tries");
    let wrong = |forwarded: String| {
        let ask = console.ask("POST", "/login").from([127, 0, 8, 1]).header("x-forwarded-for", &forwarded);
        ask.form(&[("name", "admin"), ("password", "not the password")]).send()
    };
    let mut last = 0;
    for number in 0..20 {
        let answer = wrong(format!("10.1.1.{number}")).await;
        assert!(matches!(answer.status, 401 | 429), "{}", answer.said());
        if answer.status == 429 {
            let wait: u64 = answer.header("retry-after").parse().expect("seconds");
            assert!((1..=30).contains(&wait), "{wait}");
        }
        last = answer.status;
    }
    assert_eq!(last, 429);
    // The right one from there has to wait, from elsewhere it does not.
    let begin = Instant::now();
    let right = console.ask("POST", "/login").from([127, 0, 8, 2]);
    right.form(&[("name", "admin"), ("password", PASSWORD)]).send().await.expect(303);
    assert!(begin.elapsed().as_secs() < 30);
}

#[tokio::test]
async fn s009_sessions_end_when_they_have_to() {
    let console = Console::administered(&RealEngine::docker28().socket).await;
    let admin = console.admin().await;
    // A value that was chosen before is no session.
    let chosen = Person::with_cookie("wheelhouse=chosenchosenchosenchosen");
    console.by(&chosen, "GET", "/containers").send().await.expect(303);
    let (first, second) = (console.hire(&admin, "ann", "operator", "").await, console.person("ann").await);
    assert_ne!(first.header(), second.header());
    let works = async |who: &Person| {
        console.by(who, "GET", "/containers").header("accept", "application/json").send().await.status
    };
    assert_eq!((works(&first).await, works(&second).await), (200, 200));
    // A new password ends the others.
    let new = "another staple of many words";
    let fields = [("old", PASSWORD), ("password", new), ("again", new)];
    console.by(&first, "POST", "/me/password").form(&fields).send().await.expect(303);
    assert_eq!((works(&first).await, works(&second).await), (200, 401));
    let wrong = [("old", "wrong wrong wrong"), ("password", PASSWORD)];
    console.by(&first, "POST", "/me/password").form(&wrong).send().await.expect(422);
    // Signing out ends it, whoever kept the cookie.
    let out = console.by(&first, "POST", "/logout").send().await.expect(303);
    contains_all(out.header("clear-site-data"), &["cache", "storage"]);
    assert_eq!(works(&first).await, 401);
    // Who is switched off is out at once, and their tokens with them.
    let again = Person::of(&console.sign_in("ann", new).await.expect(303));
    let token = console.token(&again, &[("name", "t"), ("role", "viewer"), ("days", "7")]).await;
    assert_eq!(works(&token).await, 200);
    let id = account(&console, &admin, "ann").await;
    let off = [("role", "operator"), ("enabled", "0")];
    console.by(&admin, "POST", &format!("/people/{id}")).form(&off).send().await.expect(303);
    assert_eq!((works(&again).await, works(&token).await), (401, 401));
    console.expect_log("not signed in");
    console.sign_in("ann", new).await.expect(401);
    // The last administrator stays.
    let me = account(&console, &admin, "admin").await;
    console.by(&admin, "POST", &format!("/people/{me}/remove")).send().await.expect(409);
    console.by(&admin, "POST", &format!("/people/{me}")).form(&[("role", "viewer")]).send().await.expect(409);
    console.by(&admin, "POST", &format!("/people/{id}/remove")).send().await.expect(303);
}

/// The number of somebody's account.
async fn account(console: &Console, admin: &Person, name: &str) -> String {
    let page = console.by(admin, "GET", "/people").send().await.expect(200);
    let html = page.html();
    let selector = scraper::Selector::parse("tbody a.name").expect("a selector");
    let link = html.select(&selector).find(|link| link.text().collect::<String>() == name);
    link.and_then(|link| link.attr("href")).and_then(|href| href.rsplit('/').next()).expect("an account").to_owned()
}

#[tokio::test]
async fn sessions_run_out() {
    let start = Console::with_people(&RealEngine::docker28().socket).administered();
    let console = start.arg("--session-idle=2s").arg("--session-lifetime=5s").ready().await;
    let admin = console.admin().await;
    let works = async || console.by(&admin, "GET", "/jobs").header("accept", "application/json").send().await.status;
    assert_eq!(works().await, 200);
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(works().await, 401);
}

#[tokio::test]
async fn s010_streams_end_with_the_right_to_them() {
    let console = Console::administered(&RealEngine::docker28().socket).await;
    let admin = console.admin().await;
    let ann = console.hire(&admin, "ann", "operator", "").await;
    let token = console.token(&ann, &[("name", "t"), ("role", "operator"), ("days", "7")]).await;
    let mut streams = Vec::new();
    for (who, path) in
        [(&ann, "/stream"), (&ann, "/containers/stream"), (&token, "/events/stream"), (&ann, "/volumes/stream")]
    {
        streams.push(console.by(who, "GET", path).open().await.expect("a stream"));
    }
    let mut own = console.by(&admin, "GET", "/stream").open().await.expect("a stream");
    let id = account(&console, &admin, "ann").await;
    let begin = Instant::now();
    console.by(&admin, "POST", &format!("/people/{id}")).form(&[("role", "viewer")]).send().await.expect(303);
    for stream in &mut streams {
        stream.ended().await;
    }
    assert!(begin.elapsed().as_secs_f32() < 5.0, "{:?}", begin.elapsed());
    // Others' go on.
    own.next().await.expect("a message");
}

#[tokio::test]
async fn s011_cookies_over_tls_and_without() {
    let engine = RealEngine::docker28();
    let set = |answer: &Answer| {
        let lines = answer.headers.get_all("set-cookie").iter().filter_map(|line| line.to_str().ok());
        lines.map(str::to_owned).find(|line| line.contains("wheelhouse")).expect("a cookie")
    };
    let plain = Console::administered(&engine.socket).await;
    let cookie = set(&plain.sign_in("admin", PASSWORD).await.expect(303));
    assert!(cookie.starts_with("wheelhouse="), "{cookie}");
    contains_all(&cookie, &["HttpOnly", "SameSite=Strict", "Path=/"]);
    assert!(!cookie.contains("Secure") && !cookie.contains("Domain"), "{cookie}");
    let secure = Console::with_people(&engine.socket).administered().arg("--tls=on").ready().await;
    let cookie = set(&secure.sign_in("admin", PASSWORD).await.expect(303));
    assert!(cookie.starts_with("__Host-wheelhouse="), "{cookie}");
    contains_all(&cookie, &["HttpOnly", "SameSite=Strict", "Path=/", "Secure"]);
    assert!(!cookie.contains("Domain"), "{cookie}");
    // Over TLS a cookie of the other name counts for nothing: somebody on the way could have set it.
    let value = cookie.split(['=', ';']).nth(1).unwrap_or_default().to_owned();
    let forged = Person::with_cookie(&format!("wheelhouse={value}"));
    secure.by(&forged, "GET", "/containers").send().await.expect(303);
}

#[tokio::test]
async fn s012_no_secret_is_taken_from_an_address() {
    let console = Console::administered(&RealEngine::docker28().socket).await;
    let admin = console.admin().await;
    let token = console.token(&admin, &[("name", "t"), ("role", "admin"), ("days", "7")]).await;
    let secret = token.header().1.trim_start_matches("Bearer ").to_owned();
    for name in ["token", "access_token", "bearer", "api_key"] {
        let asked = console.ask("GET", &format!("/containers?{name}={secret}")).header("accept", "application/json");
        asked.send().await.expect(401);
    }
    console.by(&token, "GET", "/containers").header("accept", "application/json").send().await.expect(200);
    // The whole of it, once around; its log has neither.
    for path in ["/", "/containers", "/volumes", "/events", "/jobs", "/activity", "/people", "/audit", "/me"] {
        let page = console.by(&admin, "GET", path).send().await.expect(200);
        assert!(!page.body.contains(&secret), "{path}");
        let cookie = admin.header().1.rsplit('=').next().unwrap_or_default();
        assert!(!page.body.contains(cookie), "{path}");
    }
    let log = console.log();
    assert!(!log.contains(&secret) && !log.contains(admin.header().1), "{log}");
}

#[tokio::test]
async fn s022_answers_are_not_kept() {
    let console = Console::administered(&RealEngine::docker28().socket).await;
    let admin = console.admin().await;
    for path in ["/", "/containers", "/people", "/me", "/login", "/setup?token=x", "/no-such-page"] {
        let answer = console.by(&admin, "GET", path).send().await;
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        contains_all(
            &answer
                .headers
                .get_all("vary")
                .iter()
                .map(|v| v.to_str().unwrap_or_default())
                .collect::<Vec<_>>()
                .join(","),
            &["hx-request"],
        );
    }
}

#[tokio::test]
async fn strangers_are_told_nothing() {
    let console = Console::administered(&RealEngine::docker28().socket).await;
    for path in ["/no-such-page", "/containers/zzz", "/login", "/containers.js", "/containers/style.css"] {
        let answer = console.get(path).await;
        let what = answer.body.to_lowercase();
        assert!(!what.contains("class=\"side\"") && !what.contains("docker 2"), "{path}:\n{}", answer.body);
    }
    assert_eq!(console.get("/containers?q=x").await.leads_to(), "/login?next=%2Fcontainers%3Fq%3Dx");
    for stream in ["/stream", "/containers/stream", "/events/stream"] {
        console.get(stream).await.expect(401);
        console.ask("GET", stream).header("accept", "text/event-stream").send().await.expect(401);
    }
    let answer = console.ask("GET", "/containers").htmx().send().await.expect(401);
    assert!(!answer.body.contains("container-"), "{}", answer.body);
}

#[tokio::test]
async fn people_sign_in_through_the_organisations_provider() {
    let provider = Provider::start().await;
    let (id, secret) = Provider::CLIENT;
    let start = Console::with_people(&RealEngine::docker28().socket).administered();
    let console = start
        .arg(&format!("--oidc-issuer={}", provider.url))
        .arg(&format!("--oidc-client-id={id}"))
        .env("WHEELHOUSE_OIDC_CLIENT_SECRET", secret)
        .arg("--oidc-scopes=profile,email,groups")
        .arg("--oidc-roles=wheelhouse-admins=admin,wheelhouse-viewers=viewer")
        .arg("--oidc-label=Sign in with Example")
        // Where the provider's answers go in these tests.
        .arg("--public-url=http://127.0.0.1:9/")
        .ready()
        .await;
    console.expect_log("a sign-in through the provider did not work");
    contains_all(&console.get("/login").await.said(), &["Sign in with Example"]);
    // There and back again: the browser keeps a cookie meanwhile, and brings what the provider gave it.
    let journey = async |next: &str| {
        let begun = console.get(&format!("/login/oidc?next={next}")).await.expect(303);
        let there: url::Url = begun.header("location").parse().expect("an address");
        assert_eq!(there.port(), Some(provider.port()));
        let cookie = begun.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
        contains_all(begun.header("set-cookie"), &["HttpOnly", "SameSite=Lax"]);
        (there, cookie)
    };
    let back = async |query: &[(String, String)], cookie: &str| {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        console.ask("GET", &format!("/login/oidc/callback?{query}")).header("cookie", cookie).send().await
    };
    let (there, cookie) = journey("%2Fvolumes").await;
    let query = provider.sign_in(&there, "bob").await;
    // Another browser, which has not begun it, is not let in with what this one got.
    back(&query, "x=y").await.expect(400);
    let (_, others) = journey("/").await;
    back(&query, &others).await.expect(400);
    let entered = back(&query, &cookie).await.expect(200);
    contains_all(&entered.body, &["url=/volumes"]);
    let bob = Person::of(&entered);
    let page = console.by(&bob, "GET", "/volumes").send().await.expect(200);
    contains_all(&page.text(".side"), &["bob", "viewer"]);
    console.by(&bob, "GET", "/people").send().await.expect(403);
    // Once only.
    back(&query, &cookie).await.expect(400);
    // Groups say the role, at each sign-in; who is in none does not get in; who is switched off neither.
    let (there, cookie) = journey("//evil.test").await;
    let query = provider.sign_in(&there, "alice").await;
    let entered = back(&query, &cookie).await.expect(200);
    contains_all(&entered.body, &["url=/\""]);
    let alice = Person::of(&entered);
    let people = console.by(&alice, "GET", "/people").send().await.expect(200);
    contains_all(&people.said(), &["alice", "bob", "the provider"]);
    let (there, cookie) = journey("/").await;
    let query = provider.sign_in(&there, "carol").await;
    let refused = back(&query, &cookie).await.expect(403);
    contains_all(&refused.said(), &["carol"]);
    let number = account(&console, &alice, "bob").await;
    let off = [("role", "viewer"), ("enabled", "0")];
    console.by(&alice, "POST", &format!("/people/{number}")).form(&off).send().await.expect(303);
    console.expect_log("not signed in");
    let (there, cookie) = journey("/").await;
    let query = provider.sign_in(&there, "bob").await;
    back(&query, &cookie).await.expect(403);
    // Who says no at the provider is back at the door.
    let (there, cookie) = journey("/").await;
    let query = provider.walk(&there, &[("cancel", "1")]).await;
    contains_all(&back(&query, &cookie).await.expect(403).said(), &["sign-in"]);
    // Somebody there who is called like somebody here is somebody else.
    console.hire(&console.admin().await, "erin", "viewer", "").await;
}

#[tokio::test]
async fn passwords_can_be_turned_off() {
    let provider = Provider::start().await;
    let start = Console::with_people(&RealEngine::docker28().socket).administered();
    let console = start
        .arg(&format!("--oidc-issuer={}", provider.url))
        .arg("--oidc-client-id=x")
        .arg("--oidc-roles=*=viewer")
        .arg("--password-login=off")
        .ready()
        .await;
    let door = console.get("/login").await.expect(200);
    assert!(!door.has("input[type=password]"), "{}", door.body);
    console.sign_in("admin", PASSWORD).await.expect(403);
}

#[tokio::test]
async fn a_second_factor_is_asked_for_and_good_once() {
    let console = Console::administered(&RealEngine::docker28().socket).await;
    console.expect_log("not signed in");
    let admin = console.admin().await;
    let page = console.by(&admin, "GET", "/me/second-factor").send().await.expect(200);
    assert!(page.has("svg.qr path"), "{}", page.said());
    let secret = page.attribute("input[name=secret]", "value").expect("a secret");
    let totp = totp_rs::Builder::new()
        .with_secret(totp_rs::Secret::try_from_base32(&secret).expect("base32"))
        .build()
        .expect("a second factor");
    let enrol = async |code: &str, password: &str| {
        let fields = [("secret", secret.as_str()), ("code", code), ("old", password)];
        console.by(&admin, "POST", "/me/second-factor").form(&fields).send().await
    };
    enrol("000000", PASSWORD).await.expect(422);
    let code = totp.generate_current().to_string();
    enrol(&code, "not the password").await.expect(422);
    let recovery = enrol(&code, PASSWORD).await.expect(200);
    let codes: Vec<String> =
        recovery.lines_of("main pre").lines().map(str::to_owned).filter(|line| !line.is_empty()).collect();
    assert_eq!(codes.len(), 10, "{}", recovery.said());
    // The password is half of it.
    let half = async || {
        let asked = console.sign_in("admin", PASSWORD).await.expect(200);
        assert!(asked.header("set-cookie").is_empty(), "{}", asked.said());
        asked.attribute("input[name=half]", "value").expect("the other half")
    };
    let with_code = async |half: &str, code: &str| console.post("/login/code", &[("half", half), ("code", code)]).await;
    let first = half().await;
    with_code(&first, "123").await.expect(401);
    // The code that turned it on is used up; a recovery code is not, and is good once.
    with_code(&first, &code).await.expect(401);
    with_code("x", &codes[0]).await.expect(401);
    let entered = with_code(&first, &codes[0].to_uppercase().replace('-', " ")).await.expect(303);
    console.by(&Person::of(&entered), "GET", "/people").send().await.expect(200);
    with_code(&half().await, &codes[0]).await.expect(401);
    // Turned off again, with the password.
    let off = async |password: &str| {
        console.by(&admin, "POST", "/me/second-factor/remove").form(&[("old", password)]).send().await
    };
    off("not the password").await.expect(422);
    off(PASSWORD).await.expect(303);
    console.sign_in("admin", PASSWORD).await.expect(303);
}
