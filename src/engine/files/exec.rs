//! Runs a short command in a container to its end: no terminal, no input, and a bound on what it may say.

use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::{Request, header::CONTENT_TYPE};
use serde_json::{Value, json};

use super::call;
use crate::engine::{
    ContainerId, Engine, Error,
    wire::{READ, deadline},
};

/// What is kept of what it complains.
const COMPLAINTS: usize = 4 << 10;
/// The code of a shell for a command that is not there. Source: POSIX, "Exit status for commands".
pub(super) const NO_COMMAND: i64 = 127;

/// What came of a command.
#[derive(Debug, Default)]
pub(super) struct Ran {
    /// Its exit code.
    pub code: i64,
    /// What it said.
    pub out: Vec<u8>,
    /// What it complained.
    pub complaint: String,
}

impl Ran {
    /// Whether the command, or the shell for it, is not in the container.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self.code, 126 | NO_COMMAND)
    }
}

/// Runs it as root, as `docker cp` reads and writes. What it says beyond `most` bytes is not read.
pub(super) async fn run(
    engine: &Engine,
    id: &ContainerId,
    argv: &[&str],
    most: usize,
    limit: Duration,
) -> Result<Ran, Error> {
    let body = json!({ "AttachStdout": true, "AttachStderr": true, "Cmd": argv, "User": "0" });
    let made = call::json(engine, "POST", &format!("/containers/{id}/exec"), Some(&body), READ).await?;
    let exec = made.get("Id").and_then(Value::as_str).unwrap_or_default().to_owned();
    if !crate::engine::ids::is_hex64(&exec) {
        return Err(Error::Engine { status: 502, message: "the engine made no command".to_owned() });
    }
    let start = Request::post(format!("/exec/{exec}/start"))
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(json!({ "Detach": false, "Tty": false }).to_string())));
    let start = start.map_err(|error| Error::Invalid(error.to_string()))?;
    let body = match call::stream(engine, start, "POST /exec/{id}/start").await {
        Ok(body) => body,
        Err(error) if is_about_the_command(&error) => {
            return Ok(Ran { code: NO_COMMAND, complaint: error.to_string(), ..Ran::default() });
        }
        Err(error) => return Err(error),
    };
    let mut ran = Ran::default();
    deadline("the command inside", limit, read(body, most, &mut ran)).await?;
    // The engine may tell of the end a moment after the output ended.
    for _ in 0..20 {
        let told = call::json(engine, "GET", &format!("/exec/{exec}/json"), None, READ).await?;
        if let Some(code) = told.get("ExitCode").and_then(Value::as_i64)
            && told.get("Running").and_then(Value::as_bool) != Some(true)
        {
            ran.code = code;
            return Ok(ran);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(Error::TimedOut { what: "the command inside".to_owned(), deadline: limit })
}

/// Whether the engine says that there is no such command, which is not its own fault.
fn is_about_the_command(error: &Error) -> bool {
    let words = error.to_string();
    ["executable file not found", "no such file or directory", "OCI runtime", "permission denied"]
        .iter()
        .any(|about| words.contains(about))
}

/// Takes output and complaints apart. Source: the engine's API, "Attach to a container", stream format.
async fn read(mut body: hyper::body::Incoming, most: usize, ran: &mut Ran) {
    let mut buffer = BytesMut::new();
    let mut complaint = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(data) = frame.into_data() else { continue };
        buffer.extend_from_slice(&data);
        while let Some((&[stream, _, _, _, a, b, c, d], _)) = buffer.split_first_chunk::<8>() {
            let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
            if stream > 2 || length > most + COMPLAINTS + (1 << 20) {
                return;
            }
            if buffer.len() < 8 + length {
                break;
            }
            buffer.advance(8);
            let piece = buffer.split_to(length);
            let (out, most) = if stream == 2 { (&mut complaint, COMPLAINTS) } else { (&mut ran.out, most) };
            let room = most.saturating_sub(out.len()).min(piece.len());
            out.extend(piece.iter().take(room));
        }
    }
    String::from_utf8_lossy(&complaint).trim().clone_into(&mut ran.complaint);
}
