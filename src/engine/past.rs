//! What happened to a container: what this console has heard, and what the engine itself still remembers.

use std::{collections::HashSet, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};

use super::{
    ContainerId, Engine, Error, Event,
    containers::Containers,
    events,
    fresh::Fresh,
    wire::{READ, encoded},
};

/// How long what the engine remembers is taken for all that it does: what happens meanwhile is heard anyhow.
const LIFE: Duration = Duration::from_secs(30);
/// How far back it is asked. It keeps its last 256 events, of all things together; Podman may keep its whole log.
const BACK: SignedDuration = SignedDuration::from_hours(24 * 31);
/// Events that are kept of its answer.
const MOST: usize = 500;

/// What was told lately.
#[derive(Debug)]
pub(super) struct Remembered(Fresh<ContainerId, Vec<Arc<Event>>>);

impl Default for Remembered {
    fn default() -> Self {
        Self(Fresh::new(LIFE))
    }
}

impl Containers<'_> {
    /// What happened to this container, newest first, each once.
    pub async fn past(&self, id: &ContainerId) -> Result<Vec<Arc<Event>>, Error> {
        let engine: &Engine = self.0;
        engine.reaches_container(id)?;
        let remembered = if engine.reachable().is_ok() {
            let ask = async {
                let now = engine.live.picture().now();
                let answer = engine.wire.bytes(&path(id, now), READ).await?;
                let told = events::all(&answer);
                let is_own = |event: &Event| event.kind == "container" && event.id == id.as_str() && !event.is_noise();
                let skip = told.len().saturating_sub(MOST);
                Ok(told.into_iter().skip(skip).filter(is_own).map(Arc::new).collect())
            };
            // What was heard is shown, whatever the engine remembers.
            engine.remembered.0.get(id.clone(), ask).await.unwrap_or_default()
        } else {
            Arc::default()
        };
        // Podman's word for what it does for itself around a start and an end.
        let is_inner =
            |event: &Event| matches!(event.action.as_str(), "init" | "cleanup" | "sync" | "mount" | "unmount");
        let mut all = merged(engine.live.history(id), &remembered);
        all.retain(|event| !is_inner(event));
        Ok(all.iter().map(|event| engine.reach.event(event)).collect())
    }
}

fn path(id: &ContainerId, now: Timestamp) -> String {
    let filters = serde_json::json!({ "container": [id.as_str()], "type": ["container"] }).to_string();
    let filters = encoded(&filters);
    let (since, until) = ((now - BACK).as_second(), now.as_second() + 1);
    format!("/events?since={since}&until={until}&filters={filters}")
}

/// Both, newest first, each once.
fn merged(heard: Vec<Arc<Event>>, remembered: &[Arc<Event>]) -> Vec<Arc<Event>> {
    let mut known = HashSet::new();
    let mut all: Vec<Arc<Event>> = heard.into_iter().chain(remembered.iter().cloned()).collect();
    all.retain(|event| known.insert((event.at, event.action.clone())));
    all.sort_by_key(|event| std::cmp::Reverse(event.at));
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn what_is_told_twice_is_there_once() {
        let event = |seconds: i64, action: &str| {
            Arc::new(Event {
                kind: "container".into(),
                action: action.into(),
                detail: None,
                id: String::new(),
                name: String::new(),
                attributes: BTreeMap::new(),
                at: Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds),
            })
        };
        let all = merged(vec![event(3, "die"), event(2, "start")], &[event(1, "create"), event(2, "start")]);
        assert_eq!(all.iter().map(|event| event.action.as_str()).collect::<Vec<_>>(), ["die", "start", "create"]);
    }
}
