//! A real engine, and the words of a test about it. Others use the same engine: everything that a test makes carries the
//! test's own prefix in its name, and goes when the test ends.

use std::{
    ffi::OsStr,
    path::PathBuf,
    process::{Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use serde_json::Value;
use tokio::{process::Command as Running, time::timeout};

/// How long one docker command may take.
const COMMAND: Duration = Duration::from_mins(3);

/// An engine that `make test` has started.
pub struct RealEngine {
    /// Where it listens.
    pub socket: PathBuf,
    prefix: String,
    more: Mutex<Vec<(&'static str, String)>>,
}

/// A container that a test made.
#[derive(Debug, Clone)]
pub struct Made {
    /// Its full id.
    pub id: String,
    /// Its name.
    pub name: String,
}

impl Made {
    /// The path of its page, or below it.
    pub fn path(&self, below: &str) -> String {
        if below.is_empty() { format!("/containers/{}", self.id) } else { format!("/containers/{}/{below}", self.id) }
    }

    /// The selector of its row.
    pub fn row(&self) -> String {
        format!("[id='container-{}']", self.id)
    }
}

impl RealEngine {
    /// The newest Docker that we have.
    pub fn docker28() -> Self {
        Self::of("WHEELHOUSE_TEST_DOCKER28")
    }

    /// The oldest Docker that we promise to work with.
    pub fn docker20() -> Self {
        Self::of("WHEELHOUSE_TEST_DOCKER20")
    }

    /// Podman, which speaks Docker's language.
    pub fn podman4() -> Self {
        Self::of("WHEELHOUSE_TEST_PODMAN4")
    }

    fn of(variable: &str) -> Self {
        let socket = std::env::var_os(variable).unwrap_or_else(|| {
            panic!("{variable} is not set: run `make test`, which starts the engines that these tests need")
        });
        Self::at(std::path::Path::new(&socket))
    }

    /// Whatever listens at this socket.
    pub fn at(socket: &std::path::Path) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let prefix = format!("it{:x}x{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self { socket: socket.to_owned(), prefix, more: Mutex::default() }
    }

    /// Whether it is podman.
    pub fn is_podman(&self) -> bool {
        self.socket.to_string_lossy().contains("podman")
    }

    /// A name that is this test's own.
    pub fn name(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }

    /// A docker command; what it prints, or what it complains.
    pub async fn try_docker<S: AsRef<OsStr>>(&self, args: &[S]) -> Result<String, String> {
        let mut command = Running::new("docker");
        command.env("DOCKER_HOST", self.host()).args(args).stdin(Stdio::null()).kill_on_drop(true);
        let output = timeout(COMMAND, command.output()).await.map_err(|_| "it takes too long".to_owned())?;
        let output = output.map_err(|why| why.to_string())?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// A docker command that has to work.
    pub async fn docker<S: AsRef<OsStr>>(&self, args: &[S]) -> String {
        let words: Vec<_> = args.iter().map(|arg| arg.as_ref().to_string_lossy()).collect();
        self.try_docker(args).await.unwrap_or_else(|why| panic!("docker {}: {why}", words.join(" ")))
    }

    /// A line typed into a shell, as a person would.
    pub async fn shell(&self, line: &str) -> String {
        let mut command = Running::new("sh");
        command.env("DOCKER_HOST", self.host()).args(["-c", line]).stdin(Stdio::null()).kill_on_drop(true);
        let output = timeout(COMMAND, command.output()).await.expect("in time").expect("a shell");
        assert!(output.status.success(), "{line}\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// `docker run -d --name <ours> LINE`, the line as one would type it.
    pub async fn run(&self, name: &str, line: &str) -> Made {
        self.make(&["run", "-d"], name, line).await
    }

    /// `docker create --name <ours> LINE`
    pub async fn create(&self, name: &str, line: &str) -> Made {
        self.make(&["create"], name, line).await
    }

    async fn make(&self, verb: &[&str], name: &str, line: &str) -> Made {
        let name = self.name(name);
        let mut args: Vec<String> = verb.iter().map(|word| (*word).to_owned()).collect();
        args.extend(["--name".to_owned(), name.clone()]);
        args.extend(shell_words::split(line).expect("a line"));
        let id = self.docker(&args).await;
        Made { id: id.lines().last().unwrap_or_default().to_owned(), name }
    }

    /// A container out of a request to the engine itself, for what the docker command would not let through.
    pub async fn create_by_api(&self, name: &str, request: &Value) -> Made {
        let name = self.name(name);
        let socket = self.socket.display().to_string();
        let url = format!("http://engine/v1.41/containers/create?name={name}");
        let mut command = Running::new("curl");
        command.args([
            "-sS",
            "--unix-socket",
            &socket,
            "-H",
            "Content-Type: application/json",
            "-d",
            &request.to_string(),
            &url,
        ]);
        let output = timeout(COMMAND, command.output()).await.expect("in time").expect("curl is there");
        let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let id = answer["Id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        Made { id, name }
    }

    /// A container that a form of ours made, found by its name.
    pub async fn made(&self, name: &str) -> Made {
        let name = self.name(name);
        let id = self.docker(&["inspect", "--type", "container", "-f", "{{.Id}}", &name]).await;
        Made { id, name }
    }

    /// A volume of ours; its whole name.
    pub async fn volume(&self, name: &str, line: &str) -> String {
        let mut args: Vec<String> = ["volume", "create"].map(str::to_owned).to_vec();
        args.extend(shell_words::split(line).expect("a line"));
        args.push(self.name(name));
        self.docker(&args).await
    }

    /// A network, whatever its name; it goes by its id when the test ends.
    pub async fn network(&self, name: &str) -> String {
        let id = self.docker(&["network", "create", name]).await;
        self.goes_too("network", &id);
        id
    }

    /// Something without our prefix that has to go when the test ends: a `volume`, a `network`, a
    /// `container`.
    pub fn goes_too(&self, kind: &'static str, name: &str) {
        self.more.lock().expect("nobody panics with it").push((kind, name.to_owned()));
    }

    /// All that the engine tells of a container.
    pub async fn inspect(&self, container: &str) -> Value {
        self.try_inspect("container", container).await.unwrap_or_else(|| panic!("there is no {container}"))
    }

    /// All that the engine tells of a volume, if it is there.
    pub async fn inspect_volume(&self, volume: &str) -> Option<Value> {
        self.try_inspect("volume", volume).await
    }

    async fn try_inspect(&self, kind: &str, name: &str) -> Option<Value> {
        let text = self.try_docker(&["inspect", "--type", kind, name]).await.ok()?;
        let value: Value = serde_json::from_str(&text).expect("JSON");
        value.get(0).cloned()
    }

    /// The state of a container, in docker's word.
    pub async fn state(&self, container: &str) -> String {
        self.inspect(container).await["State"]["Status"].as_str().unwrap_or_default().to_owned()
    }

    /// Whether there is a container of this id or name.
    pub async fn exists(&self, container: &str) -> bool {
        self.try_inspect("container", container).await.is_some()
    }

    /// The anonymous and named volumes of a container: `(name, path inside)`.
    pub async fn mounts(&self, container: &str) -> Vec<(String, String)> {
        let all = self.inspect(container).await["Mounts"].as_array().cloned().unwrap_or_default();
        let text = |mount: &Value, key: &str| mount[key].as_str().unwrap_or_default().to_owned();
        all.iter().map(|mount| (text(mount, "Name"), text(mount, "Destination"))).collect()
    }

    /// What happens to our own things while `deed` is done, in the engine's words: `container start NAME`.
    pub async fn events_during(&self, deed: impl Future<Output = ()>) -> Vec<String> {
        let begin = self.now().await;
        deed.await;
        let end = self.now().await;
        let format =
            "{{.Type}} {{.Action}} {{if .Actor.Attributes.name}}{{.Actor.Attributes.name}}{{else}}{{.Actor.ID}}{{end}}";
        let events = self.docker(&["events", "--since", &begin, "--until", &end, "--format", format]).await;
        events.lines().filter(|line| line.contains(&self.prefix)).map(str::to_owned).collect()
    }

    /// The engine's clock.
    async fn now(&self) -> String {
        self.docker(&["info", "-f", "{{.SystemTime}}"]).await
    }

    fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    fn sweep(&self, args: &[&str]) -> String {
        let mut command = Command::new("timeout");
        command.args(["60", "docker"]).args(args).env("DOCKER_HOST", self.host()).stdin(Stdio::null());
        let output = command.output().map(|output| output.stdout).unwrap_or_default();
        String::from_utf8_lossy(&output).into_owned()
    }
}

impl Drop for RealEngine {
    fn drop(&mut self) {
        let ours = format!("name={}-", self.prefix);
        let remove = |list: &[&str], remove: &[&str]| {
            let found = self.sweep(list);
            let found: Vec<&str> = found.split_whitespace().collect();
            if !found.is_empty() {
                self.sweep(&[remove, &found].concat());
            }
        };
        remove(&["ps", "-aq", "--no-trunc", "--filter", &ours], &["rm", "-fv"]);
        remove(&["volume", "ls", "-q", "--filter", &ours], &["volume", "rm"]);
        remove(&["network", "ls", "-q", "--filter", &ours], &["network", "rm"]);
        for (kind, name) in self.more.lock().expect("nobody panics with it").drain(..) {
            self.sweep(&[kind, "rm", "-f", &name]);
        }
    }
}
