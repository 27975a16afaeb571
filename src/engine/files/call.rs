//! Calls to the engine about archives, commands and helpers, each with its deadline.

use std::{collections::HashMap, time::Duration};

use bytes::Bytes;
use data_encoding::BASE64;
use http_body_util::{BodyExt, Empty, Full, Limited};
use hyper::{Request, Response, body::Incoming, header::CONTENT_TYPE};
use serde::Deserialize;
use serde_json::Value;

use super::entry::{Found, Kind};
use crate::engine::{
    ContainerId, Engine, Error, Outage,
    wire::{READ, deadline, encoded, message},
};

/// The largest answer that is no archive.
const ANSWER: usize = 4 << 20;

fn invalid(error: impl std::fmt::Display) -> Error {
    Error::Invalid(error.to_string())
}

pub(super) fn archive(id: &ContainerId, path: &str) -> String {
    format!("/containers/{id}/archive?path={}", encoded(path))
}

/// The whole of a small answer; an error where it is one.
pub(super) async fn whole(response: Response<Incoming>) -> Result<Bytes, Error> {
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER).collect().await;
    let bytes = body.map_err(|_| Error::Unreachable(Outage::Broken))?.to_bytes();
    if status.is_success() { Ok(bytes) } else { Err(Error::from_status(status.as_u16(), message(&bytes))) }
}

/// A call with a JSON body, or none; answers with JSON, or null where there is no answer.
pub(super) async fn json(
    engine: &Engine,
    method: &str,
    path: &str,
    body: Option<&Value>,
    limit: Duration,
) -> Result<Value, Error> {
    let text = body.map(Value::to_string).unwrap_or_default();
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(text)))
        .map_err(invalid)?;
    let what = format!("{method} {}", path.split('?').next().unwrap_or_default());
    let bytes = deadline(&what, limit, async { whole(engine.wire.send(request).await?).await }).await??;
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    Ok(serde_json::from_slice(&bytes).unwrap_or_default())
}

/// An answer whose body is read as it comes; an error where it is one.
pub(super) async fn stream(engine: &Engine, request: Request<Full<Bytes>>, what: &str) -> Result<Incoming, Error> {
    let response = deadline(what, READ * 2, engine.wire.send(request)).await??;
    if response.status().is_success() {
        return Ok(response.into_body());
    }
    Err(deadline(what, READ, whole(response)).await?.err().unwrap_or(Error::Unreachable(Outage::Broken)))
}

/// The archive of a path, as it comes.
pub(super) async fn open(engine: &Engine, id: &ContainerId, path: &str) -> Result<Incoming, Error> {
    let request = Request::get(archive(id, path)).body(Full::default()).map_err(invalid)?;
    stream(engine, request, "GET /containers/{id}/archive").await
}

#[derive(Deserialize)]
struct Stat {
    size: i64,
    mode: u32,
    mtime: String,
    #[serde(default, rename = "linkTarget")]
    target: String,
}

/// What stands at a path, without reading it.
pub(super) async fn stat(engine: &Engine, id: &ContainerId, path: &str) -> Result<Found, Error> {
    let request = Request::head(archive(id, path)).body(Empty::<Bytes>::new()).map_err(invalid)?;
    let response = deadline("HEAD /containers/{id}/archive", READ, engine.wire.send(request)).await??;
    let status = response.status().as_u16();
    if status == 404 {
        return Err(Error::NotFound(format!("there is no {path}")));
    }
    if !response.status().is_success() {
        // The answer to HEAD has no words.
        return Err(Error::from_status(status, format!("the engine cannot look at {path} (status {status})")));
    }
    let told = response.headers().get("x-docker-container-path-stat").map(|value| value.as_bytes().to_vec());
    let told = told.and_then(|told| BASE64.decode(&told).ok());
    let stat: Option<Stat> = told.and_then(|told| serde_json::from_slice(&told).ok());
    let Some(stat) = stat else {
        return Err(Error::Engine { status: 502, message: format!("the engine tells nothing of {path}") });
    };
    let kind = Kind::of_go(stat.mode);
    let special = [(23, 0o4000), (22, 0o2000), (20, 0o1000)];
    let special = special.iter().filter(|(bit, _)| stat.mode & (1 << bit) != 0).fold(0, |sum, (_, flag)| sum | flag);
    Ok(Found {
        kind,
        size: u64::try_from(stat.size).unwrap_or(0),
        mode: stat.mode & 0o777 | special,
        modified: stat.mtime.parse().ok(),
        target: Some(stat.target).filter(|target| kind == Kind::Link && !target.is_empty()),
    })
}

/// Whether a socket stands at a path of a container; not so where the engine cannot look.
pub(in crate::engine) async fn is_socket(engine: &Engine, id: &ContainerId, path: &str) -> bool {
    stat(engine, id, path).await.is_ok_and(|found| found.kind == Kind::Socket)
}

/// The images that are on the engine, each with its tags, the best ones to run a shell from first.
pub(super) async fn images(engine: &Engine) -> Result<Vec<String>, Error> {
    #[derive(Deserialize)]
    struct Image {
        #[serde(rename = "Id")]
        id: String,
        #[serde(default, rename = "RepoTags")]
        tags: Option<Vec<String>>,
        #[serde(default, rename = "Size")]
        size: i64,
        #[serde(default, rename = "Labels")]
        _labels: Option<HashMap<String, String>>,
    }
    let listed = engine.wire.get::<Vec<Image>>("/images/json").await?;
    let rank = |image: &Image| {
        let tags = image.tags.iter().flatten();
        let names: Vec<&str> = tags.map(|tag| tag.rsplit('/').next().unwrap_or_default()).collect();
        let first = ["busybox:", "alpine:", "debian:", "ubuntu:"];
        let place = first.iter().position(|word| names.iter().any(|name| name.starts_with(word)));
        (place.unwrap_or(first.len()), names.is_empty(), image.size)
    };
    let mut images = listed;
    images.sort_by_key(rank);
    Ok(images.into_iter().map(|image| image.id).collect())
}
