//! Commands inside a container, with a terminal: `docker exec -it`; and the input and output of the container's own
//! process: `docker attach`.
//!
//! Own code where bollard 0.21.1 has a decoder: that one takes what begins with a byte 0, 1 or 2 for a header and
//! swallows it, and the terminal stands still. A terminal's bytes are handed on as they are.

mod ending;
mod frames;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod ledger;
mod line;
mod policy;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;

pub(super) use self::ledger::Ledger;
pub use self::{
    ending::Left,
    line::{Line, Reader, Remote, Writer},
};
use self::{ledger::Entry, line::Of};
use super::{
    ContainerId, Engine, Error, State,
    wire::{ACT, READ, deadline},
};

/// What every process of ours in a container carries in its environment, each with a value of its own: by it they are
/// found when the terminal is closed.
const MARK: &str = "WHEELHOUSE_EXEC";
/// How long a question to a container may take: which shell it has.
const ASK: Duration = Duration::from_secs(10);
/// The longest answer to one.
const ANSWER: u64 = 4 << 10;
/// The shells that are looked for, the best first.
const SHELLS: &str = "for s in bash zsh ash sh; do command -v $s >/dev/null && echo shell=$s && exit 0; done; exit 1";

/// What is to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The program and its arguments.
    pub words: Vec<String>,
    /// As whom, in docker's words; as the container's own user, where none is named.
    pub user: Option<String>,
    /// Where; in the container's own folder, where none is named.
    pub workdir: Option<String>,
}

/// Commands inside the containers of one engine.
pub struct Execs<'a>(pub(super) &'a Engine);

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct NewExec<'a> {
    cmd: &'a [String],
    tty: bool,
    attach_stdin: bool,
    attach_stdout: bool,
    attach_stderr: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    working_dir: Option<&'a str>,
    env: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Begin {
    detach: bool,
    tty: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Made {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Looked {
    #[serde(default)]
    running: bool,
    exit_code: Option<i64>,
}

impl Execs<'_> {
    /// Everything about a container that this hand may run something in.
    ///
    /// # Errors
    /// As `Engine::enters`.
    pub async fn admits(&self, id: &ContainerId) -> Result<std::sync::Arc<super::Detail>, Error> {
        self.0.enters(id).await
    }

    /// The best shell that the container has for this user; none where it has no `/bin/sh` to ask with.
    pub async fn shell(&self, id: &ContainerId, user: Option<&str>) -> Result<Option<String>, Error> {
        let detail = self.0.enters(id).await?;
        policy::admits(self.0.reach(), &detail, user)?;
        let words = ["/bin/sh", "-c", SHELLS].map(str::to_owned).to_vec();
        let command = Command { words, user: user.map(str::to_owned), workdir: None };
        let (code, said) = self.0.asks(id, &command).await?;
        let shell = said.lines().find_map(|line| line.trim().strip_prefix("shell="));
        Ok(shell.filter(|_| code == Some(0)).map(str::to_owned))
    }

    /// Runs it, with a terminal of this size: columns, rows.
    ///
    /// # Errors
    /// [`Error::Forbidden`] where the hand does not go so far: see `Engine::enters`, and for another user than the
    /// container's own. [`Error::Conflict`] where the container does not run.
    pub async fn open(&self, id: &ContainerId, command: &Command, size: (u16, u16)) -> Result<Line, Error> {
        let detail = self.0.enters(id).await?;
        policy::admits(self.0.reach(), &detail, command.user.as_deref())?;
        let mark = format!("{MARK}={}", mark()?);
        let exec = self.0.exec(id, command, std::slice::from_ref(&mark)).await?;
        let is_root = policy::is_root(command.user.as_deref().unwrap_or(&detail.user));
        let entry = Entry { container: id.to_string(), exec: exec.clone(), user: command.user.clone(), is_root };
        self.0.ledger.add(&mark, entry);
        let stream = self.0.begin(&exec).await.inspect_err(|_| self.0.ledger.forget(&mark))?;
        let of = Of::Exec { id: exec, mark, user: command.user.clone(), is_root };
        let remote = Remote { engine: self.0.clone(), container: id.clone(), of };
        remote.resize(size).await;
        Ok(Line { size: Some(size), ..Line::new(stream, remote, true) })
    }

    /// Takes part in the container's own process: what it says, and what it is told.
    ///
    /// # Errors
    /// As [`Execs::open`]; and [`Error::Invalid`] where it takes no input and has no terminal.
    pub async fn attach(&self, id: &ContainerId) -> Result<Line, Error> {
        let detail = self.0.enters(id).await?;
        if !detail.tty && !detail.takes_input() {
            return Err(Error::Invalid(
                "it was made with neither -i nor -t: it takes no input, and its output is in its log".to_owned(),
            ));
        }
        if !matches!(detail.state, State::Running) {
            return Err(Error::Conflict(format!("container {} is not running", id.short())));
        }
        let path = format!("/containers/{id}/attach?stream=1&stdin=1&stdout=1&stderr=1");
        let stream = self.0.wire.hijack(&path, &serde_json::json!({}), ACT).await?;
        let of = Of::Attach { has_tty: detail.tty };
        Ok(Line::new(stream, Remote { engine: self.0.clone(), container: id.clone(), of }, detail.tty))
    }
}

/// A random word: 128 bits.
pub(super) fn mark() -> Result<String, Error> {
    let mut bytes = [0; 16];
    let none = |error: getrandom::Error| Error::Engine { status: 500, message: format!("no random numbers: {error}") };
    getrandom::fill(&mut bytes).map_err(none)?;
    Ok(data_encoding::HEXLOWER.encode(&bytes))
}

impl Engine {
    async fn exec(&self, id: &ContainerId, command: &Command, env: &[String]) -> Result<String, Error> {
        let body = NewExec {
            cmd: &command.words,
            tty: true,
            attach_stdin: true,
            attach_stdout: true,
            attach_stderr: true,
            user: command.user.as_deref(),
            working_dir: command.workdir.as_deref(),
            env,
        };
        let answer = self.wire.post(&format!("/containers/{id}/exec"), &body, ACT).await?;
        let made = serde_json::from_slice::<Made>(&answer)
            .map_err(|error| Error::Engine { status: 502, message: format!("unexpected answer to exec: {error}") })?;
        // It goes into paths.
        let is_id = !made.id.is_empty() && made.id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if is_id {
            Ok(made.id)
        } else {
            Err(Error::Engine { status: 502, message: "an exec without an id".to_owned() })
        }
    }

    async fn begin(&self, exec: &str) -> Result<hyper::upgrade::Upgraded, Error> {
        self.wire.hijack(&format!("/exec/{exec}/start"), &Begin { detach: false, tty: true }, ACT).await
    }

    /// Runs a command to its end; its exit code, and what it said.
    async fn asks(&self, id: &ContainerId, command: &Command) -> Result<(Option<i64>, String), Error> {
        let exec = self.exec(id, command, &[]).await?;
        let mut said = Vec::new();
        let talk = async {
            let stream = hyper_util::rt::TokioIo::new(self.begin(&exec).await?);
            // What breaks off was said all the same.
            let _ = stream.take(ANSWER).read_to_end(&mut said).await;
            Ok(())
        };
        deadline("exec", ASK, talk).await.flatten()?;
        Ok((self.exit_code(&exec).await, String::from_utf8_lossy(&said).into_owned()))
    }

    /// What an exec has ended with; none where the engine does not know, or not within two seconds.
    async fn exit_code(&self, exec: &str) -> Option<i64> {
        for _ in 0..40 {
            let looked: Looked = self.wire.get_within(&format!("/exec/{exec}/json"), READ).await.ok()?;
            if !looked.running {
                return looked.exit_code;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        None
    }
}
