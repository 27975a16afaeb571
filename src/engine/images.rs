//! Images, as far as running containers needs them: is it there, and getting it.

use std::collections::HashMap;

use bollard::{models::CreateImageInfo, query_parameters::CreateImageOptions};
use futures_util::StreamExt;
use serde_json::Value;

use super::{
    Engine, Error, Outage,
    jobs::{Layer, Work},
    wire::encoded,
};

/// How long the registry may stay silent before a pull is given up.
const SILENCE: std::time::Duration = std::time::Duration::from_mins(5);

/// The images of one engine.
pub struct Images<'a>(pub(super) &'a Engine);

impl Images<'_> {
    /// Whether the engine has this image.
    pub async fn has(&self, reference: &str) -> Result<bool, Error> {
        match self.inspect(reference).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Everything that the engine tells of an image, variables among it. The reference was parsed; its slashes and colons are part of
    /// the path, whatever else it might hold is encoded (S033).
    async fn inspect(&self, reference: &str) -> Result<Value, Error> {
        if reference.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(Error::Invalid(format!("“{reference}” is no image reference")));
        }
        let path: Vec<String> = reference.split('/').map(encoded).collect();
        self.0.wire.get(&format!("/images/{}/json", path.join("/"))).await
    }

    /// Pulls an image as part of a job, which shows each layer. The stream's last word counts, not its beginning:
    /// the engine answers 200 and tells of failures inside (S080).
    pub(super) async fn pull(&self, job: &Work, reference: &str, platform: Option<&str>) -> Result<(), Error> {
        self.0.reach.may_operate()?;
        let (name, tag) = split_reference(reference);
        let options = CreateImageOptions {
            from_image: Some(name.to_owned()),
            tag: Some(tag.to_owned()),
            platform: platform.unwrap_or_default().to_owned(),
            ..CreateImageOptions::default()
        };
        let mut stream = Box::pin(self.0.docker.create_image(Some(options), None, self.0.signs_in(reference)));
        let mut order: HashMap<String, usize> = HashMap::new();
        let mut last = String::new();
        loop {
            let next = tokio::time::timeout(SILENCE, stream.next())
                .await
                .map_err(|_| Error::TimedOut { what: format!("pull of {reference}"), deadline: SILENCE })?;
            let Some(line) = next else { break };
            match step(line?) {
                Ok(layer) => {
                    let next = order.len();
                    job.layer(*order.entry(layer.id.clone()).or_insert(next), layer);
                }
                Err(status) => {
                    job.say(&status);
                    last = status;
                }
            }
        }
        // A connection that breaks ends the stream without an error. What ends well has said so.
        if last.starts_with("Status:") || self.has(reference).await? {
            Ok(())
        } else {
            Err(Error::Unreachable(Outage::Broken))
        }
    }
}

/// How far a pull is: with one layer, or as a whole in the engine's words.
pub(super) fn step(line: CreateImageInfo) -> Result<Layer, String> {
    let status = line.status.unwrap_or_default();
    let Some(id) = line.id.filter(|_| !status.starts_with("Pulling from")) else { return Err(status) };
    let size = |value: Option<i64>| value.and_then(|value| u64::try_from(value).ok()).unwrap_or(0);
    let detail = line.progress_detail.unwrap_or_default();
    Ok(Layer { id, status, done: size(detail.current), total: size(detail.total) })
}

/// Name and tag (or digest) of a reference; `latest` where none is said. A colon before a slash is a port.
pub(super) fn split_reference(reference: &str) -> (&str, &str) {
    if let Some((name, digest)) = reference.split_once('@') {
        return (name, digest);
    }
    match reference.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (reference, "latest"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_references_as_docker_does() {
        assert_eq!(split_reference("nginx"), ("nginx", "latest"));
        assert_eq!(split_reference("localhost:5000/a/b"), ("localhost:5000/a/b", "latest"));
        assert_eq!(split_reference("localhost:5000/a:1"), ("localhost:5000/a", "1"));
        assert_eq!(split_reference("a@sha256:00"), ("a", "sha256:00"));
    }
}
