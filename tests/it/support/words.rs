//! Words that belong to neither side.

use std::{future::Future, path::Path, time::Duration};

use tokio::time::{Instant, sleep};

/// How long anything may take that has to happen at all: long, since a machine that is busy with everything else proves
/// nothing. What has to happen soon says how soon itself, and the bench measures it.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Everything that has ever got through somebody's escaping, in one text (S023).
pub const PAY: &str =
    "\"'><img src=x onerror=window.__pwn=1>{{7*7}}<b hx-get=/x hx-trigger=load>\u{1b}]52;c;aGk=\u{7}\u{202e}";

/// Asks again and again until there is an answer; the test fails, saying `what` it waited for, after [`PATIENCE`].
pub async fn until<T, F>(what: &str, mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < end, "waited {} s in vain: {what}", PATIENCE.as_secs());
        sleep(Duration::from_millis(25)).await;
    }
}

/// Fails with the whole text when one of `parts` is not in it.
#[track_caller]
pub fn contains_all(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "“{part}” is missing in:\n{text}");
    }
}

/// Lets this process open as many files as it is allowed to.
pub fn open_many_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("the limit on open files can be raised");
}

/// A route of the console.
#[derive(Debug, Clone)]
pub struct Route {
    /// Its path, with what varies in braces.
    pub path: String,
    /// Whether it can be read.
    pub get: bool,
    /// Whether it can be written.
    pub post: bool,
}

impl Route {
    /// Every route that the router has, so that a test of all of them cannot forget one.
    pub fn all() -> Vec<Self> {
        let mut routes: Vec<Self> = Vec::new();
        for route in wheelhouse::web::routes().list() {
            let (get, post) = (route.method == "GET", route.method == "POST");
            match routes.iter_mut().find(|known| known.path == route.path) {
                Some(known) => (known.get, known.post) = (known.get || get, known.post || post),
                None => routes.push(Self { path: route.path.to_owned(), get, post }),
            }
        }
        routes
    }

    /// Its paths with something real in them; one for each verb where it has verbs.
    pub fn paths(&self, container: &str, volume: &str, job: &str) -> Vec<String> {
        let id = match self.path.split('/').nth(1) {
            Some("jobs") => job,
            _ => container,
        };
        let path = self
            .path
            .replace("{id}", id)
            .replace("{name}", if self.path.starts_with("/volumes") { volume } else { "app.css" });
        let verbs = ["start", "stop", "restart", "kill", "pause", "unpause", "rename", "remove"];
        if path.contains("{verb}") {
            verbs.iter().map(|verb| path.replace("{verb}", verb)).collect()
        } else {
            vec![path]
        }
    }
}

/// All files of this kind below a folder of the repository: `(path, text)`.
pub fn sources(folder: &str, kind: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut found, mut folders) = (Vec::new(), vec![root.join(folder)]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == kind) {
                let name = path.strip_prefix(root).expect("it is below").display().to_string();
                found.push((name, std::fs::read_to_string(&path).expect("a text")));
            }
        }
    }
    found.sort();
    found
}
