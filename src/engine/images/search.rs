//! Looking for images where they are kept: Docker Hub, or another registry that can be searched.

use std::time::Duration;

use http_body_util::Empty;
use hyper::{Request, body::Bytes};
use serde_json::Value;

use super::Images;
use crate::engine::{Engine, Error, wire::encoded};

/// How long a registry may think.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many are asked for.
const MOST: usize = 50;

/// An image that a registry has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is pulled as.
    pub name: String,
    /// What its owner says of it.
    pub description: String,
    /// How many people like it.
    pub stars: u64,
    /// Whether Docker looks after it.
    pub is_official: bool,
}

impl Images<'_> {
    /// What Docker Hub has of these words; with a registry before them, `localhost:5000/web`, what that has.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for who may not pull from there (S046).
    pub async fn search(&self, words: &str) -> Result<Vec<Found>, Error> {
        let engine: &Engine = self.0;
        engine.reach.may_operate()?;
        engine.reach.may_pull(words)?;
        engine.reachable()?;
        let path = format!("/images/search?term={}&limit={MOST}", encoded(words));
        let request = engine.signed(words, Request::get(path)).body(Empty::<Bytes>::new());
        let request = request.map_err(|error| Error::Invalid(error.to_string()))?;
        let answer = engine.wire.answer(request, PATIENCE).await?;
        let found: Vec<Value> = serde_json::from_slice(&answer).unwrap_or_default();
        Ok(found.iter().filter_map(read).collect())
    }
}

/// docker and podman call the same by other names.
fn read(value: &Value) -> Option<Found> {
    let text = |names: [&str; 2]| names.iter().find_map(|name| value.get(name)?.as_str()).map(str::to_owned);
    let yes = |value: &Value| value.as_bool().unwrap_or_else(|| value.as_str().is_some_and(|text| !text.is_empty()));
    Some(Found {
        name: text(["name", "Name"])?,
        description: text(["description", "Description"]).unwrap_or_default(),
        stars: ["star_count", "Stars"].iter().find_map(|name| value.get(name)?.as_u64()).unwrap_or_default(),
        is_official: ["is_official", "Official"].iter().find_map(|name| value.get(name)).is_some_and(yes),
    })
}
