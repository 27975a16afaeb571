//! Limits of a container that exists, changed in place: `docker update`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Containers, Verb, or_default};
use crate::engine::{ContainerId, Error, spec::RestartPolicy, wire::ACT};

/// What is to be otherwise; what is none stays as it is. Source: the API's `ContainerUpdate`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Update {
    /// Memory in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<i64>,
    /// Memory in bytes that it is pushed back to when the host runs short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_reservation: Option<i64>,
    /// Memory and swap together in bytes; -1 is without limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_swap: Option<i64>,
    /// Billionths of a CPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nano_cpus: Option<i64>,
    /// Its weight against others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_shares: Option<i64>,
    /// The CPUs that it runs on, by number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpuset_cpus: Option<String>,
    /// Processes and threads; -1 is without limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pids_limit: Option<i64>,
    /// When it is started again.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "policy")]
    pub restart_policy: Option<RestartPolicy>,
}

/// The period that a quota is counted in for podman, in microseconds.
const PERIOD: i64 = 100_000;

/// "no" has to be said: an empty name is nothing that is asked for.
#[expect(clippy::ref_option, reason = "serde hands it so")]
fn policy<S: serde::Serializer>(policy: &Option<RestartPolicy>, to: S) -> Result<S::Ok, S::Error> {
    let Some(policy) = policy else { return to.serialize_none() };
    let name = if policy.name.is_empty() { "no" } else { &policy.name };
    json!({ "Name": name, "MaximumRetryCount": policy.maximum_retry_count }).serialize(to)
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Answer {
    #[serde(deserialize_with = "or_default")]
    warnings: Vec<String>,
}

impl Update {
    /// The same for podman, whose Docker API has no such call: its own takes the resources of the OCI.
    /// Source: podman 4.3, `pkg/api/handlers/libpod/containers.go`, `UpdateContainer`.
    fn for_podman(&self) -> Result<Value, Error> {
        if self.restart_policy.is_some() {
            return Err(Error::Unsupported(
                "podman changes the restart policy of a container from version 5.1 on, and not through this API: \
                 make the container anew"
                    .to_owned(),
            ));
        }
        let set = |pairs: Vec<(&str, Option<Value>)>| -> Value {
            pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
        };
        let number = |value: Option<i64>| value.map(Value::from);
        let memory = set(vec![
            ("limit", number(self.memory)),
            ("reservation", number(self.memory_reservation)),
            ("swap", number(self.memory_swap)),
        ]);
        let quota = self.nano_cpus.map(|nano| nano.saturating_mul(PERIOD) / 1_000_000_000);
        let cpu = set(vec![
            ("shares", number(self.cpu_shares)),
            ("quota", number(quota)),
            ("period", number(quota.map(|_| PERIOD))),
            ("cpus", self.cpuset_cpus.clone().map(Value::from)),
        ]);
        let pids = set(vec![("limit", number(self.pids_limit))]);
        let parts = [("memory", memory), ("cpu", cpu), ("pids", pids)];
        let is_said = |value: &Value| value.as_object().is_some_and(|object| !object.is_empty());
        Ok(parts
            .into_iter()
            .filter(|(_, value)| is_said(value))
            .map(|(name, value)| (name.to_owned(), value))
            .collect())
    }
}

impl Containers<'_> {
    /// Changes limits in place, running or not; answers with what the engine warns of.
    ///
    /// # Errors
    /// [`Error::Invalid`] and others in the engine's words for what it does not take; [`Error::OwnContainer`] for the
    /// console itself, which a limit might end.
    pub async fn update(&self, id: &ContainerId, update: &Update) -> Result<Vec<String>, Error> {
        let engine = self.0;
        engine.reach.may_operate()?;
        engine.reaches_container(id)?;
        let picture = engine.live.picture();
        picture.guard_container(id, Verb::Rename)?;
        engine.reachable()?;
        let is_podman = picture.is_podman();
        let answer = if is_podman {
            engine.wire.post(&format!("/libpod/containers/{id}/update"), &update.for_podman()?, ACT).await
        } else {
            engine.wire.post(&format!("/containers/{id}/update"), update, ACT).await
        };
        let bytes = answer.map_err(|error| engine.told(error))?;
        engine.details.forget(id);
        engine.live.end(id).await;
        if is_podman {
            return Ok(vec![
                "podman changes only what runs now: it does not write it down, shows the old limits, and takes them at \
                 the next start."
                    .to_owned(),
            ]);
        }
        Ok(serde_json::from_slice::<Answer>(&bytes).unwrap_or_default().warnings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_not_sent() {
        let update =
            Update { memory: Some(1 << 26), restart_policy: Some(RestartPolicy::default()), ..Update::default() };
        let sent = serde_json::to_value(&update).unwrap();
        assert_eq!(sent, json!({"Memory": 1 << 26, "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0}}));
    }

    #[test]
    fn podman_is_told_in_its_own_words() {
        let update = Update {
            memory: Some(1 << 26),
            nano_cpus: Some(1_500_000_000),
            cpuset_cpus: Some("0".into()),
            pids_limit: Some(50),
            ..Update::default()
        };
        let told = update.for_podman().unwrap();
        assert_eq!(
            told,
            json!({"memory": {"limit": 1 << 26}, "cpu": {"quota": 150_000, "period": 100_000, "cpus": "0"}, "pids": {"limit": 50}})
        );
        assert!(Update { restart_policy: Some(RestartPolicy::default()), ..update }.for_podman().is_err());
    }
}
