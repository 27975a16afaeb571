//! Sending images to registries.

use http_body_util::Empty;
use hyper::{Request, body::Bytes};

use super::{
    follow::{SILENCE, follow},
    path_of, split_reference,
};
use crate::engine::{
    Engine, Error, ImageId, Outage,
    jobs::{Job, Jobs, Stage, Work},
    wire::encoded,
};

impl Jobs<'_> {
    /// Sends one tag of an image to the registry that it names. Somebody else who sends it already is joined; the second
    /// value says so.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for who may not send there; [`Error::Conflict`] where the tag is another image by now (S034).
    pub async fn push(&self, id: &ImageId, tag: &str, command: String) -> Result<(Job, bool), Error> {
        let engine: &Engine = self.0;
        engine.reach.may_keep_images()?;
        engine.reach.may_pull(tag)?;
        engine.reachable()?;
        engine.images().is_still(tag, id).await?;
        let tag = tag.to_owned();
        let (key, title) = (format!("push {tag}"), format!("Push {tag}"));
        Ok(self.start_or_join(Some(key), "push", title, command, Vec::new(), move |engine, job| async move {
            match engine.push(&job, &tag).await {
                Ok(()) => {
                    // It has a digest of that registry now.
                    engine.live.read_back_images().await;
                    Stage::Done { container: None }
                }
                Err(error) => Stage::Failed { error, container: None },
            }
        }))
    }
}

impl Engine {
    async fn push(&self, job: &Work, reference: &str) -> Result<(), Error> {
        let (name, tag) = split_reference(reference);
        let path = format!("/images/{}/push?tag={}", path_of(name)?, encoded(tag));
        let request = self.signed(reference, Request::post(path)).body(Empty::<Bytes>::new());
        let request = request.map_err(|error| Error::Invalid(error.to_string()))?;
        let response = self.wire.stream(request, SILENCE).await?;
        let is_podman = self.live.picture().is_podman();
        let said = follow(job, &format!("push of {reference}"), response).await?;
        // What ends well says the digest that it has there; podman says nothing of the kind.
        if is_podman || said.iter().any(|words| words.contains("digest: sha256:")) {
            Ok(())
        } else {
            Err(Error::Unreachable(Outage::Broken))
        }
    }
}
