//! What only events tell about a container: since when exactly, who asked for its end, whether it was out of memory.

use std::{collections::VecDeque, sync::Arc};

use jiff::{SignedDuration, Timestamp};

use super::{
    containers::{Asked, Ending, State},
    events::Event,
};

/// How many events of each container are kept beside.
const PAST: usize = 100;
/// How long after somebody asked for an end it still counts as the reason.
const ASKED: SignedDuration = SignedDuration::from_secs(90);
/// How long an end counts towards a restart loop.
const RECENT: SignedDuration = SignedDuration::from_mins(10);

/// How long the engine's list may lag behind its events.
const UNLISTED: SignedDuration = SignedDuration::from_secs(30);

/// What only events told about a container.
#[derive(Debug, Default, Clone)]
pub(super) struct Notes {
    pub(super) since: Option<(State, Timestamp)>,
    pub(super) ending: Ending,
    /// When it ended although nobody had asked for it.
    ends: VecDeque<Timestamp>,
    /// Its last events, newest first: a busy neighbour cannot push them out.
    pub(super) past: VecDeque<Arc<Event>>,
}

impl Notes {
    /// Takes in an event of its container.
    pub(super) fn hear(&mut self, event: &Arc<Event>) {
        self.past.push_front(event.clone());
        self.past.truncate(PAST);
        let state = match event.action.as_str() {
            "create" => Some(State::Created),
            "start" | "unpause" => Some(State::Running),
            "pause" => Some(State::Paused),
            "die" => Some(State::Exited),
            _ => None,
        };
        if let Some(state) = state {
            self.since = Some((state, event.at));
        }
        match event.action.as_str() {
            "start" => self.ending = Ending::default(),
            "oom" => self.ending.out_of_memory = true,
            // 1 HUP, 10 USR1 and the like are messages, not ends; a stop by another signal says so by its own event.
            "kill" => {
                let signal = event.number("signal").and_then(|signal| u8::try_from(signal).ok());
                if matches!(signal, None | Some(2 | 3 | 9 | 15)) {
                    self.asked(Asked { signal, here: None, at: event.at });
                }
            }
            "stop" => self.asked(Asked { signal: None, here: None, at: event.at }),
            "die" => {
                if self.ending.asked.as_ref().is_some_and(|asked| event.at.duration_since(asked.at) > ASKED) {
                    self.ending.asked = None;
                }
                if self.ending.asked.is_none() {
                    self.ends.push_back(event.at);
                }
                self.ends.retain(|end| event.at.duration_since(*end) < RECENT);
            }
            _ => {}
        }
    }

    /// Whether its last event is so new that a list may not know of it yet.
    pub(super) fn is_recent(&self, now: Timestamp) -> bool {
        self.past.front().is_some_and(|event| now.duration_since(event.at) < UNLISTED)
    }

    /// How often it ended lately without anybody asking for it.
    pub(super) fn recent_ends(&self, now: Timestamp) -> usize {
        self.ends.iter().filter(|end| now.duration_since(**end) < RECENT).count()
    }

    /// An end was asked for. What this console did itself, and an earlier signal, are the better reason.
    fn asked(&mut self, asked: Asked) {
        match &mut self.ending.asked {
            Some(before) if asked.at.duration_since(before.at) < ASKED => {
                before.signal = before.signal.or(asked.signal);
            }
            slot => *slot = Some(asked),
        }
    }
}
