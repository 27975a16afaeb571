//! Getting images out of registries.

use http_body_util::Empty;
use hyper::{Request, body::Bytes};

use super::{
    Images,
    follow::{SILENCE, follow},
};
use crate::engine::{
    Engine, Error, Outage,
    jobs::{Job, Jobs, Stage, Work},
    wire::encoded,
};

/// What is to be pulled.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The image; its tag is `latest` where it says none.
    pub reference: String,
    /// Every tag of that repository, whatever the reference says.
    pub all_tags: bool,
    /// For which kind of machine, `linux/arm64`; the engine's own where none is said.
    pub platform: Option<String>,
}

impl Wanted {
    /// This image for this machine.
    pub fn plain(reference: &str) -> Self {
        Self { reference: reference.to_owned(), all_tags: false, platform: None }
    }

    /// Tells one pull from another: two that are the same need only one.
    fn key(&self) -> String {
        let what =
            if self.all_tags { split_reference(&self.reference).0.to_owned() } else { super::normal(&self.reference) };
        format!("pull {what} {} {}", self.all_tags, self.platform.as_deref().unwrap_or_default())
    }
}

impl Jobs<'_> {
    /// Pulls an image. Who asks for what is being pulled already gets that job, where they may see it; the second value
    /// says so.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for who may not pull from there; [`Error::Unsupported`] for all tags on podman.
    pub fn pull(&self, wanted: Wanted, command: String) -> Result<(Job, bool), Error> {
        self.0.reach.may_operate()?;
        self.0.reach.may_pull(&wanted.reference)?;
        self.0.reachable()?;
        if wanted.all_tags && self.0.live.picture().is_podman() {
            return Err(Error::Unsupported("podman pulls one tag at a time".to_owned()));
        }
        let all = if wanted.all_tags { "all tags of " } else { "" };
        let title = format!("Pull {all}{}", wanted.reference);
        let key = wanted.key();
        Ok(self.start_or_join(Some(key), "pull", title, command, Vec::new(), move |engine, job| async move {
            let pulled = engine.images().pull(&job, &wanted).await;
            engine.live.read_back_images().await;
            match pulled {
                Ok(()) => {
                    if !wanted.all_tags {
                        job.made(engine.live.picture().image_of(&wanted.reference).map(|image| image.id.clone()));
                    }
                    Stage::Done { container: None }
                }
                Err(error) => Stage::Failed { error, container: None },
            }
        }))
    }
}

impl Images<'_> {
    /// Pulls an image as part of a job, which shows each layer. The stream's last word counts, not its beginning (S080).
    pub(in crate::engine) async fn pull(&self, job: &Work, wanted: &Wanted) -> Result<(), Error> {
        let engine: &Engine = self.0;
        engine.reach.may_operate()?;
        let (name, tag) = split_reference(&wanted.reference);
        let mut path = format!("/images/create?fromImage={}", encoded(name));
        if !wanted.all_tags {
            path = format!("{path}&tag={}", encoded(tag));
        }
        if let Some(platform) = &wanted.platform {
            path = format!("{path}&platform={}", encoded(platform));
        }
        let request = engine.signed(&wanted.reference, Request::post(path)).body(Empty::<Bytes>::new());
        let request = request.map_err(|error| Error::Invalid(error.to_string()))?;
        let response = engine.wire.stream(request, SILENCE).await?;
        let said = follow(job, &format!("pull of {}", wanted.reference), response).await?;
        // A connection that breaks ends the stream without an error. What ends well has said so.
        if said.iter().rev().take(3).any(|words| words.starts_with("Status:")) || self.has(&wanted.reference).await? {
            Ok(())
        } else {
            Err(Error::Unreachable(Outage::Broken))
        }
    }
}

/// Name and tag (or digest) of a reference; `latest` where none is said. A colon before a slash is a port.
pub fn split_reference(reference: &str) -> (&str, &str) {
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

    #[test]
    fn two_pulls_of_the_same_are_one() {
        let key = |reference: &str| Wanted::plain(reference).key();
        assert_eq!(key("nginx"), key("docker.io/library/nginx:latest"));
        assert_ne!(key("nginx"), key("nginx:1"));
        assert_ne!(key("nginx"), Wanted { platform: Some("linux/arm64".into()), ..Wanted::plain("nginx") }.key());
        assert_ne!(key("nginx"), Wanted { all_tags: true, ..Wanted::plain("nginx") }.key());
    }
}
