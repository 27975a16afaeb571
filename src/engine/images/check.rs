//! Whether a registry has a newer image under a tag than the engine: asked only when somebody wants to know, a few at a
//! time, and not again for a while, for registries count what they are asked.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, stream};
use http_body_util::Empty;
use hyper::{Request, body::Bytes};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{Image, Images, normal, path_of, split_reference};
use crate::engine::{
    Engine, Error,
    jobs::{Job, Jobs, Part, Stage},
};

/// How many registries are asked at the same time.
const AT_ONCE: usize = 4;
/// How long what a registry has said is good for.
const GOOD: SignedDuration = SignedDuration::from_mins(10);
/// How long one may think.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a registry has said of a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freshness {
    /// The digest that it has there now.
    pub digest: String,
    /// When it said so.
    pub at: Timestamp,
}

impl Freshness {
    /// Whether that is another than this image has.
    pub fn is_newer_than(&self, image: &Image) -> bool {
        !image.digests.iter().any(|has| has.ends_with(&self.digest))
    }
}

/// Whether this tag of an image came from a registry, or went to one: only then there is something to compare with.
fn is_from_registry(image: &Image, tag: &str) -> bool {
    let repository = |reference: &str| {
        let name = normal(reference.split('@').next().unwrap_or_default());
        split_reference(&name).0.to_owned()
    };
    let of_tag = repository(tag);
    image.digests.iter().any(|digest| repository(digest) == of_tag)
}

impl Jobs<'_> {
    /// Asks the registries of these tags, or of all that came from one, whether they have newer images.
    ///
    /// # Errors
    /// [`Error::Unsupported`] on podman, which does not ask for others.
    pub fn check_images(&self, tags: &[String], command: String) -> Result<(Job, bool), Error> {
        let engine: &Engine = self.0;
        engine.reach.may_operate()?;
        engine.reachable()?;
        let picture = engine.picture();
        if picture.is_podman() {
            return Err(Error::Unsupported("podman has no way to ask a registry without pulling".to_owned()));
        }
        let known = picture.images.values().flat_map(|image| image.tags.iter().map(move |tag| (image, tag)));
        let asked =
            known.filter(|(image, tag)| is_from_registry(image, tag) && (tags.is_empty() || tags.contains(tag)));
        let asked: Vec<(Arc<Image>, String)> = asked.map(|(image, tag)| (image.clone(), tag.clone())).collect();
        if asked.is_empty() {
            return Err(Error::Conflict("none of them came from a registry: there is nothing to ask for".to_owned()));
        }
        let parts = asked.iter().map(|(_, tag)| Part { name: tag.clone(), container: None, result: None }).collect();
        let title = format!("Ask registries about {} tag{}", asked.len(), if asked.len() == 1 { "" } else { "s" });
        let key = format!("check {}", tags.join(" "));
        Ok(self.start_or_join(Some(key), "check_images", title, command, parts, move |engine, job| async move {
            let is_over = AtomicBool::new(false);
            let work = asked.into_iter().enumerate().map(|(place, (image, tag))| {
                let (engine, job, is_over) = (engine.clone(), job.clone(), &is_over);
                async move {
                    let result = if is_over.load(Ordering::Relaxed) {
                        Err(Error::Conflict("not asked: a registry has asked to wait".to_owned()))
                    } else {
                        engine.images().freshness(&tag).await
                    };
                    if let Err(error) = &result
                        && ["toomanyrequests", "Too Many Requests"].iter().any(|word| error.to_string().contains(word))
                    {
                        is_over.store(true, Ordering::Relaxed);
                    }
                    job.part(
                        place,
                        result.map(|said| {
                            let newer = said.is_newer_than(&image);
                            if newer { "newer in the registry" } else { "the newest" }.to_owned()
                        }),
                    );
                }
            });
            stream::iter(work).buffer_unordered(AT_ONCE).collect::<()>().await;
            Stage::of_parts(job.progress())
        }))
    }
}

impl Images<'_> {
    /// What the registry of a tag has there now; what it said a moment ago is good for a while.
    async fn freshness(&self, tag: &str) -> Result<Freshness, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Told {
            descriptor: Descriptor,
        }
        #[derive(Deserialize)]
        struct Descriptor {
            digest: String,
        }
        let engine: &Engine = self.0;
        engine.reach.may_pull(tag)?;
        if let Some(said) = engine.live.picture().newer.get(tag)
            && Timestamp::now().duration_since(said.at) < GOOD
        {
            return Ok(said.clone());
        }
        let request = engine.signed(tag, Request::get(format!("/distribution/{}/json", path_of(tag)?)));
        let request = request.body(Empty::<Bytes>::new()).map_err(|error| Error::Invalid(error.to_string()))?;
        let told = engine.wire.answer(request, PATIENCE).await?;
        let told: Told = serde_json::from_slice(&told)
            .map_err(|error| Error::Engine { status: 502, message: format!("an unexpected answer: {error}") })?;
        let said = Freshness { digest: told.descriptor.digest, at: Timestamp::now() };
        engine.live.set_freshness(tag, said.clone());
        Ok(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_came_from_a_registry_is_asked_for() {
        let image = Image {
            id: "0a".repeat(32).parse().unwrap(),
            tags: vec!["nginx:1".into(), "mine:1".into()],
            digests: vec!["nginx@sha256:aa".into()],
            created: None,
            size: 0,
            labels: std::collections::BTreeMap::default(),
        };
        assert!(is_from_registry(&image, "nginx:1") && !is_from_registry(&image, "mine:1"));
        let said = |digest: &str| Freshness { digest: digest.into(), at: Timestamp::UNIX_EPOCH };
        assert!(!said("sha256:aa").is_newer_than(&image) && said("sha256:bb").is_newer_than(&image));
    }
}
