//! Making a container: the whole request, and what comes of starting it.

use std::collections::BTreeMap;

use bollard::{models::ContainerCreateBody, query_parameters::CreateContainerOptions};

use super::{Action, Containers};
use crate::engine::{
    ContainerId, Error,
    spec::{Endpoint, Spec},
    wire::ACT,
};

/// A container that now exists.
#[derive(Debug, Clone)]
pub struct Created {
    /// Its id.
    pub id: ContainerId,
    /// What the engine warns of.
    pub warnings: Vec<String>,
}

impl Containers<'_> {
    /// Makes a container and does not start it: `docker create`. The image must be there.
    pub async fn create(&self, spec: &Spec) -> Result<Created, Error> {
        let mut spec = self.admit(spec).await?;
        self.0.reachable()?;
        let later = self.joined_later(&mut spec);
        let spec = &spec;
        let unreadable = |error: serde_json::Error| Error::Invalid(error.to_string());
        let body: ContainerCreateBody =
            serde_json::from_value(serde_json::to_value(spec).map_err(unreadable)?).map_err(unreadable)?;
        let options =
            CreateContainerOptions { name: spec.name.clone(), platform: spec.platform.clone().unwrap_or_default() };
        // bollard's future holds the whole request: 18 kB that would sit in each caller's.
        let call = Box::pin(self.0.docker.create_container(Some(options), body));
        let created = self.0.wire.typed("POST /containers/create", ACT * 2, call).await;
        let (_, created) = created.map_err(|error| self.0.told(error))?;
        let id: ContainerId = created
            .id
            .parse()
            .map_err(|_| Error::Engine { status: 502, message: format!("an id of {}", created.id) })?;
        for (network, endpoint) in later {
            let body = serde_json::json!({ "Container": id.as_str(), "EndpointConfig": endpoint });
            let path = format!("/networks/{}/connect", crate::engine::encoded(&network));
            if let Err(error) = self.0.wire.post(&path, &body, ACT).await {
                // Half of what was asked for is none of it.
                let _ =
                    Box::pin(self.call(id.as_str(), &Action::Remove { force: true, volumes: true, link: false })).await;
                return Err(self.0.told(error));
            }
        }
        if let Err(error) = self.0.live.read_back(std::slice::from_ref(&id)).await {
            tracing::warn!(container = id.short(), error = error.to_string(), "new container not read back");
        }
        Ok(Created { id, warnings: created.warnings })
    }

    /// An engine of before API 1.44 takes one network when it creates: the others are joined afterwards, before the
    /// start, as the docker command does it. Source: docker/cli 28, `cli/command/container/create.go`.
    fn joined_later(&self, spec: &mut Spec) -> BTreeMap<String, Endpoint> {
        let takes_many = self.0.picture().info.as_ref().is_none_or(|info| info.version.joins_many_at_once());
        let endpoints = &mut spec.networking_config.endpoints_config;
        if takes_many || endpoints.len() < 2 {
            return BTreeMap::new();
        }
        let first = spec.host_config.network_mode.clone();
        let later = std::mem::take(endpoints);
        let (now, later) = later.into_iter().partition(|(name, _)| *name == first);
        *endpoints = now;
        later
    }

    /// Starts a new container. One that fails to start is kept: its error stays with it.
    pub async fn start_new(&self, id: &ContainerId) -> Result<(), Error> {
        self.act(id, Action::Start).await.map(|_| ())
    }
}
