//! The engine's own account of long work on an image: JSON lines, of which a failure may be one. It answers 200 before it
//! knows how it will end (S080).

use std::{collections::HashMap, time::Duration};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::{Response, body::Incoming};
use serde::Deserialize;
use serde_json::Value;

use crate::engine::{
    Error, Outage,
    jobs::{Layer, Work},
};

/// How long an engine, or the registry behind it, may stay silent.
pub(super) const SILENCE: Duration = Duration::from_mins(5);
/// The longest line.
const LINE: usize = 1 << 20;

/// A line of it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Line {
    status: Option<String>,
    id: Option<String>,
    stream: Option<String>,
    error: Option<String>,
    error_detail: Option<Failed>,
    progress_detail: Option<Amount>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Failed {
    message: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Amount {
    current: i64,
    total: i64,
}

/// What a line says.
enum Says {
    Layer(Layer),
    Words(String),
}

impl Line {
    fn read(self) -> Result<Says, Error> {
        let detail = self.error_detail.map(|failed| failed.message).filter(|message| !message.is_empty());
        if let Some(message) = detail.or(self.error) {
            return Err(Error::Engine { status: 500, message });
        }
        let status = self.status.or(self.stream).unwrap_or_default().trim().to_owned();
        let is_of_all = ["Pulling from", "The push refers to"].iter().any(|words| status.starts_with(words));
        // podman says of the whole what it has made, under its own id.
        let Some(id) = self.id.filter(|id| !id.is_empty() && !is_of_all && !status.is_empty() && *id != status) else {
            return Ok(Says::Words(status));
        };
        let size = |bytes| u64::try_from(bytes).unwrap_or_default();
        let Amount { current, total } = self.progress_detail.unwrap_or_default();
        Ok(Says::Layer(Layer { id, status, done: size(current), total: size(total) }))
    }
}

/// Reads a line, whatever it is.
#[cfg(any(test, fuzzing))]
pub(super) fn reads(value: &Value) {
    let _ = serde_json::from_value::<Line>(value.clone()).map(Line::read);
}

/// Follows it to its end, layer by layer; answers with what was said of the whole.
pub(super) async fn follow(job: &Work, what: &str, response: Response<Incoming>) -> Result<Vec<String>, Error> {
    let (mut body, mut rest) = (response.into_body(), Vec::new());
    let (mut order, mut said) = (HashMap::<String, usize>::new(), Vec::new());
    loop {
        let frame = tokio::time::timeout(SILENCE, body.frame())
            .await
            .map_err(|_| Error::TimedOut { what: what.to_owned(), deadline: SILENCE })?;
        let ended = frame.is_none();
        match frame {
            Some(frame) => {
                let chunk: Bytes =
                    frame.map_err(|_| Error::Unreachable(Outage::Broken))?.into_data().unwrap_or_default();
                rest.extend_from_slice(&chunk);
            }
            None => rest.push(b'\n'),
        }
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            // What is no JSON is told as it is: podman writes such.
            let line = serde_json::from_slice::<Value>(line)
                .ok()
                .and_then(|value| serde_json::from_value::<Line>(value).ok())
                .unwrap_or_else(|| Line {
                    status: Some(String::from_utf8_lossy(line).into_owned()),
                    ..Line::default()
                });
            match line.read()? {
                Says::Layer(layer) => {
                    let next = order.len();
                    job.layer(*order.entry(layer.id.clone()).or_insert(next), layer);
                }
                Says::Words(words) if !words.is_empty() => {
                    job.say(&words);
                    said.push(words);
                }
                Says::Words(_) => {}
            }
        }
        if rest.len() > LINE {
            return Err(Error::Unreachable(Outage::Other("a line longer than a megabyte".to_owned())));
        }
        if ended {
            return Ok(said);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Says, Error> {
        serde_json::from_str::<Line>(line).unwrap().read()
    }

    #[test]
    fn s080_a_failure_inside_the_stream_is_one() {
        for line in [
            r#"{"errorDetail":{"message":"manifest unknown"},"error":"manifest unknown"}"#,
            r#"{"error":"manifest unknown"}"#,
            r#"{"errorDetail":{"code":404,"message":"manifest unknown"}}"#,
        ] {
            assert_eq!(read(line).err().map(|error| error.to_string()).as_deref(), Some("manifest unknown"), "{line}");
        }
        assert!(matches!(read(r#"{"status":"Pulling from a","id":"1"}"#), Ok(Says::Words(_))));
        let layer = read(r#"{"status":"Downloading","id":"ab","progressDetail":{"current":5,"total":10}}"#);
        assert!(matches!(layer, Ok(Says::Layer(Layer { done: 5, total: 10, .. }))));
    }
}
