//! Signing in with the organisation's provider: the protocol, against a real one that also lies.

use std::{path::Path, process::Command, time::Duration};

use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;
use wheelhouse::team::oidc::{Error, Identity, Oidc, Pending, Secret, Settings};

use crate::support::{Provider, provider::REDIRECT};

fn settings(issuer: &Url) -> Settings {
    let (id, secret) = Provider::CLIENT;
    let owned = |words: &[&str]| words.iter().map(ToString::to_string).collect();
    let role = |group: &str, role: &str| (group.to_owned(), role.to_owned());
    Settings {
        issuer: issuer.clone(),
        client_id: id.to_owned(),
        client_secret: Some(Secret::new(secret.to_owned())),
        scopes: owned(&["openid", "profile", "email", "groups"]),
        groups_claim: "groups".to_owned(),
        name_claim: "preferred_username".to_owned(),
        roles: vec![role("wheelhouse-viewers", "viewer"), role("wheelhouse-admins", "admin")],
        ca: None,
        label: "Sign in".to_owned(),
    }
}

fn console(settings: Settings) -> Oidc {
    Oidc::new(settings).expect("the settings are good")
}

/// Begins, and signs in at the provider.
async fn come_back(oidc: &Oidc, provider: &Provider, person: &str) -> (Pending, Vec<(String, String)>) {
    let (url, pending) = on_any_thread(oidc.begin(REDIRECT)).await.expect("it begins");
    let query = provider.sign_in(&url, person).await;
    (pending, query)
}

/// A web server may answer on any thread.
fn on_any_thread<T: Send>(future: T) -> T {
    future
}

/// From the button to who it is.
async fn sign_in(oidc: &Oidc, provider: &Provider, person: &str) -> Result<Identity, Error> {
    let (pending, query) = come_back(oidc, provider, person).await;
    on_any_thread(oidc.finish(pending, &query)).await
}

/// The same query with this value for `name`; without it where there is no value.
fn with(query: &[(String, String)], name: &str, value: Option<&str>) -> Vec<(String, String)> {
    let rest = query.iter().filter(|(key, _)| key != name).cloned();
    rest.chain(value.map(|value| (name.to_owned(), value.to_owned()))).collect()
}

/// What was kept, with another value for `field`.
fn bent(pending: &Pending, field: &str) -> Pending {
    let mut kept = serde_json::to_value(pending).expect("it can be kept");
    assert!(kept[field].is_string(), "{kept}");
    kept[field] = json!("another-one-that-is-as-long-as-it-has-to-be-43");
    serde_json::from_value(kept).expect("it can be read again")
}

#[tokio::test]
async fn a_person_signs_in_by_userinfo_or_by_token() {
    for in_token in [false, true] {
        let provider = Provider::with(json!({ "inToken": in_token })).await;
        let oidc = console(settings(&provider.url));
        let alice = sign_in(&oidc, &provider, "alice").await.expect("she signs in");
        assert_eq!(alice.issuer, provider.url.as_str().trim_end_matches('/'));
        assert_eq!((alice.subject.as_str(), alice.name.as_str()), ("alice", "alice"));
        assert_eq!(alice.groups, ["wheelhouse-admins", "everybody"]);
        assert_eq!(oidc.roles_of(&alice), Ok(vec!["admin"]));
        let bob = sign_in(&oidc, &provider, "bob").await.expect("he signs in");
        assert_eq!(oidc.roles_of(&bob), Ok(vec!["viewer"]));
    }
}

#[tokio::test]
async fn what_is_sent_is_fresh_each_time_and_carries_no_secret() {
    let provider = Provider::start().await;
    let oidc = console(settings(&provider.url));
    let (first, one) = oidc.begin(REDIRECT).await.expect("it begins");
    let (second, two) = oidc.begin(REDIRECT).await.expect("it begins");
    let value =
        |url: &Url, name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    for name in ["state", "nonce", "code_challenge"] {
        let (first, second) = (value(&first, name).expect("it is sent"), value(&second, name).expect("it is sent"));
        assert!(first != second && first.len() >= 43, "{name}: {first} {second}");
    }
    assert_eq!(value(&first, "state").as_deref(), Some(one.state()));
    assert_eq!(value(&first, "code_challenge_method").as_deref(), Some("S256"));
    assert_eq!(value(&first, "response_type").as_deref(), Some("code"));
    assert_eq!(value(&first, "redirect_uri").as_deref(), Some(REDIRECT));
    assert_eq!(value(&first, "scope").as_deref(), Some("openid profile email groups"));
    let kept = serde_json::to_value(&two).expect("it can be kept");
    let shown = format!("{oidc:?} {two:?}");
    for secret in [Provider::CLIENT.1, kept["verifier"].as_str().expect("a text"), two.state()] {
        assert!(!second.as_str().contains(secret) || secret == two.state());
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[tokio::test]
async fn an_answer_belongs_to_one_question_of_one_browser() {
    let provider = Provider::start().await;
    let oidc = console(settings(&provider.url));
    let (pending, query) = come_back(&oidc, &provider, "alice").await;
    let twice = [&query[..], &query[..]].concat();
    for wrong in [
        with(&query, "state", Some("")),
        with(&query, "state", Some(&"x".repeat(43))),
        with(&query, "state", None),
        with(&query, "code", None),
        with(&query, "iss", None),
        with(&query, "iss", Some("https://evil.example")),
        with(&with(&query, "error", Some("access_denied")), "state", None),
        twice,
        Vec::new(),
    ] {
        let error = oidc.finish(pending.clone(), &wrong).await.expect_err("it is refused");
        assert!(matches!(error, Error::Foreign(_)), "{error} for {wrong:?}");
    }
    let (other, _) = come_back(&oidc, &provider, "bob").await;
    assert!(matches!(oidc.finish(other, &query).await, Err(Error::Foreign(_))));
    // None of these has used the code up.
    assert!(oidc.finish(pending.clone(), &query).await.is_ok());
    assert!(matches!(oidc.finish(pending, &query).await, Err(Error::Code(_))), "a code works once");

    let (pending, query) = come_back(&oidc, &provider, "alice").await;
    assert!(matches!(oidc.finish(bent(&pending, "nonce"), &query).await, Err(Error::Token(_))));
    let (pending, query) = come_back(&oidc, &provider, "alice").await;
    assert!(matches!(oidc.finish(bent(&pending, "verifier"), &query).await, Err(Error::Code(_))));
}

#[tokio::test]
async fn a_token_that_is_not_for_us_now_from_there_is_nothing() {
    let provider = Provider::start().await;
    let oidc = console(settings(&provider.url));
    for (trouble, is_clock) in [
        (json!({"claims": {"aud": "another-client"}}), false),
        (json!({"claims": {"aud": ["wheelhouse", "another-client"]}}), false),
        (json!({"claims": {"azp": "another-client"}}), false),
        (json!({"claims": {"iss": "https://evil.example"}}), false),
        (json!({"claims": {"nonce": "another"}}), false),
        (json!({"claims": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}}), false),
        (json!({"claims": {"sub": ""}}), false),
        // Userinfo speaks of somebody else then.
        (json!({"claims": {"sub": "bob"}}), false),
        (json!({"claims": {"exp": 1_700_000_000}}), true),
        (json!({"alg": "none"}), false),
        (json!({"alg": "HS256"}), false),
    ] {
        provider.trouble(trouble.clone()).await;
        let error = sign_in(&oidc, &provider, "alice").await.expect_err("it is refused");
        let is_told =
            matches!(&error, Error::Clock(_)) == is_clock && matches!(&error, Error::Clock(_) | Error::Token(_));
        assert!(is_told, "{error} for {trouble}");
        told(&error);
    }
    provider.trouble(json!({})).await;
    assert!(sign_in(&oidc, &provider, "alice").await.is_ok(), "and all is well again");
}

#[tokio::test]
async fn keys_may_change_at_any_time() {
    let provider = Provider::start().await;
    let oidc = console(settings(&provider.url));
    assert!(sign_in(&oidc, &provider, "alice").await.is_ok());
    provider.rotate().await;
    assert!(sign_in(&oidc, &provider, "alice").await.is_ok());
    let (pending, query) = come_back(&oidc, &provider, "bob").await;
    provider.rotate().await;
    assert!(oidc.finish(pending, &query).await.is_ok(), "in the middle of a sign-in too");
}

#[tokio::test]
async fn a_provider_may_be_down_and_come_again() {
    let provider = Provider::start().await;
    let (url, port) = (provider.url.clone(), provider.port());
    drop(provider);
    let oidc = console(settings(&url));
    let error = oidc.begin(REDIRECT).await.expect_err("nobody is there");
    assert!(matches!(error, Error::Unreachable(_)), "{error}");
    assert!(error.why().to_lowercase().contains("connection refused"), "{error}");
    let provider = Provider::with(json!({ "port": port })).await;
    assert!(sign_in(&oidc, &provider, "alice").await.is_ok());
    // It forgets its sessions and codes when it restarts, and has other keys.
    let (pending, query) = come_back(&oidc, &provider, "alice").await;
    drop(provider);
    assert!(matches!(oidc.finish(pending.clone(), &query).await, Err(Error::Unreachable(_))));
    let provider = Provider::with(json!({ "port": port })).await;
    assert!(matches!(oidc.finish(pending, &query).await, Err(Error::Code(_))));
    assert!(sign_in(&oidc, &provider, "alice").await.is_ok());
}

#[tokio::test]
async fn a_provider_may_move_its_addresses() {
    let provider = Provider::start().await;
    let (port, oidc) = (provider.port(), console(settings(&provider.url)));
    assert!(sign_in(&oidc, &provider, "alice").await.is_ok());
    drop(provider);
    let provider = Provider::with(json!({"port": port, "routes": {"token": "/tokens"}})).await;
    assert!(matches!(sign_in(&oidc, &provider, "alice").await, Err(Error::Provider(_))), "it is not where it was");
    assert!(sign_in(&oidc, &provider, "alice").await.is_ok(), "and is found again");
}

#[tokio::test]
async fn a_provider_that_says_nothing_is_not_waited_for() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", silent.local_addr().expect("an address"));
    let oidc = console(settings(&url.parse().expect("a URL")));
    let many = futures_util::future::join_all((0..20).map(|_| oidc.begin(REDIRECT)));
    let all = tokio::time::timeout(Duration::from_secs(20), many).await.expect("they do not wait in a queue");
    for one in all {
        assert!(matches!(one, Err(Error::Unreachable(_))));
    }
}

#[tokio::test]
async fn wrong_secrets_are_told_apart_and_not_repeated() {
    let provider = Provider::start().await;
    for secret in [Some("hunter2-hunter2"), None] {
        let mut settings = settings(&provider.url);
        settings.client_secret = secret.map(|secret| Secret::new(secret.to_owned()));
        let oidc = console(settings);
        let error = sign_in(&oidc, &provider, "alice").await.expect_err("it is refused");
        assert!(matches!(error, Error::Client(_)), "{error}");
        assert!(!format!("{error} {error:?} {oidc:?}").contains("hunter2"));
        told(&error);
    }
}

#[tokio::test]
async fn who_is_in_no_group_is_somebody_without_a_role() {
    let provider = Provider::start().await;
    let oidc = console(settings(&provider.url));
    let carol = sign_in(&oidc, &provider, "carol").await.expect("she is who she is");
    assert_eq!(carol.groups, Vec::<String>::new());
    let error = oidc.roles_of(&carol).expect_err("she has no role");
    assert!(matches!(&error, Error::NoRole { name, groups } if name == "carol" && groups.is_empty()));
    told(&error);

    let scopes = vec!["profile".to_owned()];
    let oidc = console(Settings { scopes, ..settings(&provider.url) });
    let alice = sign_in(&oidc, &provider, "alice").await.expect("she signs in");
    assert_eq!(alice.groups, Vec::<String>::new(), "nobody asked for them");

    let roles = vec![("*".to_owned(), "viewer".to_owned())];
    let (groups_claim, name_claim) = ("realm_access.roles".to_owned(), "name".to_owned());
    let oidc = console(Settings { roles, groups_claim, name_claim, ..settings(&provider.url) });
    let carol = sign_in(&oidc, &provider, "carol").await.expect("she signs in");
    assert_eq!((carol.name.as_str(), oidc.roles_of(&carol)), ("Carol Clark", Ok(vec!["viewer"])));
    let alice = sign_in(&oidc, &provider, "alice").await.expect("she signs in");
    assert_eq!(alice.groups, ["wheelhouse-admins", "everybody"]);

    provider.trouble(json!({"people": {"name": "\u{1b}[2J\r\nroot\u{0}", "realm_access": {"roles": "one"}}})).await;
    let hostile = sign_in(&oidc, &provider, "alice").await.expect("she signs in");
    assert_eq!((hostile.name.as_str(), hostile.groups), ("[2J  root", vec!["one".to_owned()]));
}

#[tokio::test]
async fn a_no_is_told_in_its_words() {
    let provider = Provider::start().await;
    let oidc = console(settings(&provider.url));
    let (url, pending) = oidc.begin(REDIRECT).await.expect("it begins");
    let query = provider.walk(&url, &[("cancel", "1")]).await;
    let error = oidc.finish(pending, &query).await.expect_err("it is refused");
    let Error::Denied { code, words } = &error else { panic!("{error}") };
    assert_eq!((code.as_str(), words.as_str()), ("access_denied", "the person said no"));
    told(&error);
}

#[tokio::test]
async fn nothing_is_followed_and_nothing_is_endless() {
    let provider = Provider::start().await;
    for path in ["/.well-known/openid-configuration", "/jwks", "/token", "/me"] {
        for kind in ["redirect", "endless"] {
            let oidc = console(settings(&provider.url));
            provider.trouble(json!({})).await;
            let is_early = !matches!(path, "/token" | "/me");
            let trouble: Value = json!({ kind: path });
            let error = if is_early {
                provider.trouble(trouble).await;
                oidc.begin(REDIRECT).await.map(|_| ())
            } else {
                let (pending, query) = come_back(&oidc, &provider, "alice").await;
                provider.trouble(trouble).await;
                oidc.finish(pending, &query).await.map(|_| ())
            };
            let error = error.expect_err("it is refused");
            assert!(matches!(error, Error::Provider(_)), "{kind} {path}: {error}");
            assert!(!error.to_string().contains("secret=1"), "{error}");
            told(&error);
        }
    }
    assert_eq!(provider.visitors().await, 0);
}

#[tokio::test]
async fn a_provider_on_the_lan_is_trusted_by_its_own_authority() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    authority(folder.path());
    let provider = Provider::with(json!({"tls": {"cert": at("provider.pem"), "key": at("provider.key")}})).await;
    let oidc = console(settings(&provider.url));
    let error = oidc.begin(REDIRECT).await.expect_err("nobody knows that authority");
    assert!(matches!(error, Error::Certificate(_)), "{error}");
    told(&error);

    let with_ca = |name: &str| Settings { ca: Some(folder.path().join(name)), ..settings(&provider.url) };
    let (url, _) = console(with_ca("ca.pem")).begin(REDIRECT).await.expect("it is trusted");
    assert_eq!(url.scheme(), "https");
    for wrong in ["no-such-file", "provider.key"] {
        let error = Oidc::new(with_ca(wrong)).expect_err("it cannot be read");
        assert!(matches!(&error, Error::Settings(why) if why.contains("--oidc-ca")), "{error}");
    }
}

/// An authority of our own, and a certificate that it has signed for 127.0.0.1.
fn authority(folder: &Path) {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    std::fs::write(folder.join("for"), "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
        .expect("it is written");
    for line in [
        format!("req -x509 {key} -subj /CN=authority -keyout ca.key -out ca.pem"),
        format!("req {key} -subj /CN=provider -keyout provider.key -out provider.csr"),
        "x509 -req -in provider.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile for -out provider.pem"
            .to_owned(),
    ] {
        let made =
            Command::new("openssl").args(line.split(' ')).current_dir(folder).output().expect("openssl is there");
        assert!(made.status.success(), "{line}:\n{}", String::from_utf8_lossy(&made.stderr));
    }
}

/// Each error is three sentences, none empty, on one line.
#[track_caller]
fn told(error: &Error) {
    for words in [error.what(), &error.why(), error.next()] {
        assert!(words.ends_with('.') && words.len() > 10, "“{words}” of {error:?}");
        assert!(!words.contains(char::is_control), "{words}");
    }
}
