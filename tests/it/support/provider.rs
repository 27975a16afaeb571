//! An organisation's sign-in: a real OpenID Connect provider (`tests/browser/provider.mjs`) in a process of its own, and
//! somebody who fills in its form.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use url::Url;

use super::{Answer, Ask};

/// Where it sends people back to. Nobody listens there: who walks through a sign-in stops before.
pub const REDIRECT: &str = "http://127.0.0.1:9/login/oidc/callback";

/// A provider that runs. It ends with the test.
pub struct Provider {
    child: Child,
    /// Its address, as it names itself.
    pub url: Url,
}

impl Provider {
    /// The console's name and secret there.
    pub const CLIENT: (&str, &str) = ("wheelhouse", "a-secret-of-the-tests-0123456789");

    /// As it is by default.
    pub async fn start() -> Self {
        Self::with(json!({})).await
    }

    /// With these options of `provider.mjs` besides.
    pub async fn with(mut options: Value) -> Self {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser");
        assert!(
            Path::new(folder).join("node_modules/oidc-provider").exists(),
            "the tests of sign-in need a provider: npm ci --prefix tests/browser (make test-it does it)"
        );
        if options.get("redirects").is_none() {
            options["redirects"] = json!([REDIRECT]);
        }
        let mut command = Command::new("node");
        command.arg(format!("{folder}/provider.mjs")).arg(options.to_string());
        // It ends when this end of the pipe closes, however the test ends.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("node, 18 or newer, is on the PATH");
        let stdout = child.stdout.take().expect("it has an output");
        let first = tokio::task::spawn_blocking(|| BufReader::new(stdout).lines().next()).await.expect("a thread");
        let line = first.and_then(Result::ok).expect("the provider says where it listens");
        let url = line.strip_prefix("listening ").and_then(|url| Url::parse(url).ok());
        Self { child, url: url.unwrap_or_else(|| panic!("the provider said {line}")) }
    }

    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.url.port().expect("it has one")
    }

    /// Gives it a new signing key.
    pub async fn rotate(&self) {
        Ask::to(self.port(), "POST", "/test/rotate").send().await.expect(204);
    }

    /// Makes it misbehave from now on; what there is, is said in `provider.mjs`.
    pub async fn trouble(&self, what: Value) {
        Ask::to(self.port(), "POST", "/test/trouble").body(what.to_string()).send().await.expect(204);
    }

    /// How many came to where its redirects lead.
    pub async fn visitors(&self) -> usize {
        Ask::to(self.port(), "GET", "/test/visitors").send().await.body.parse().expect("a number")
    }

    /// Goes where `begin` sends the browser, fills in the form with these fields, and answers with what the browser
    /// brings back.
    pub async fn walk(&self, start: &Url, fields: &[(&str, &str)]) -> Vec<(String, String)> {
        let (mut at, mut cookies) = (start.clone(), BTreeMap::new());
        for _ in 0..10 {
            let mut answer = self.visit("GET", &at, &mut cookies, &[]).await;
            if answer.status == 200 {
                assert!(answer.has("input[name=login]"), "not the form:\n{}", answer.body);
                answer = self.visit("POST", &at, &mut cookies, fields).await;
            }
            assert!((301..=308).contains(&answer.status), "{at} answered with {}:\n{}", answer.status, answer.body);
            at = at.join(answer.header("location")).expect("a URL");
            if at.as_str().starts_with(REDIRECT) {
                return at.query_pairs().into_owned().collect();
            }
        }
        panic!("the sign-in does not come to an end: {at}");
    }

    /// [`Self::walk`] as this person.
    pub async fn sign_in(&self, start: &Url, person: &str) -> Vec<(String, String)> {
        self.walk(start, &[("login", person)]).await
    }

    async fn visit(
        &self,
        method: &str,
        url: &Url,
        cookies: &mut BTreeMap<String, String>,
        fields: &[(&str, &str)],
    ) -> Answer {
        let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let sent = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        let answer = Ask::to(self.port(), method, &path).header("cookie", &sent).form(fields).send().await;
        for cookie in answer.headers.get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok()) {
            if let Some((name, value)) = cookie.split(';').next().and_then(|pair| pair.split_once('=')) {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
