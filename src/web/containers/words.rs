//! A container's state and end in words: what it is, why, and who did it.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    engine::{Asked, Attention, Container, Detail, Health, Picture, State, Verb},
    web::{
        Error,
        error::Step,
        html::{clock, span},
    },
};

/// What an exit code says, for who has not met it.
/// Sources: the `docker run` reference, "Exit status"; POSIX, 2.8.2, for 126, 127 and 128+n.
pub fn exit_code(code: i64, out_of_memory: bool) -> String {
    match code {
        0 => "0 means that the program ended without an error.".to_owned(),
        1 => "1 is the program’s own word for an error. Its log says which.".to_owned(),
        125 => "125 means that docker itself failed, before anything of the container ran.".to_owned(),
        126 => "126 means that the command was found but could not be run: it is no program, or may not be executed."
            .to_owned(),
        127 => "127 means that the command was not found in the image. Is it spelled right, and is it in the PATH?"
            .to_owned(),
        137 if out_of_memory => {
            "137 is 128 + 9, SIGKILL: it used more memory than it may, and the kernel ended it.".to_owned()
        }
        137 => {
            "137 is 128 + 9: it was ended by SIGKILL. It was not out of memory, as far as the engine saw.".to_owned()
        }
        139 => "139 is 128 + 11, SIGSEGV: the program touched memory that is not its own and crashed.".to_owned(),
        143 => "143 is 128 + 15: it was asked to end with SIGTERM, and did.".to_owned(),
        130 => "130 is 128 + 2: it was interrupted, as with Ctrl-C.".to_owned(),
        131 => "131 is 128 + 3, SIGQUIT.".to_owned(),
        134 => "134 is 128 + 6, SIGABRT: the program gave up on itself.".to_owned(),
        129..=192 => format!("{code} is 128 + {}: it was ended by that signal.", code - 128),
        _ => format!("{code} is the program’s own word for an error. Its log says which."),
    }
}

/// The sentence at the top: what is so.
pub fn say(container: &Container, detail: &Detail, now: Timestamp) -> String {
    let ago = |at: Option<Timestamp>| {
        at.map(|at| match span(now.duration_since(at)) {
            just if just == "just now" => ", just now".to_owned(),
            span => format!(", {span} ago"),
        })
    };
    let for_span = |at: Option<Timestamp>| at.map(|at| format!(" for {}", length(now, at))).unwrap_or_default();
    match &container.state {
        State::Created if detail.error.is_some() => "Created, but it could not be started.".to_owned(),
        State::Created => "Created, never started.".to_owned(),
        State::Running if container.health == Some(Health::Unhealthy) => {
            format!("Running{}, and unhealthy.", for_span(detail.started))
        }
        State::Running => format!("Running{}.", for_span(detail.started)),
        State::Paused => "Paused.".to_owned(),
        State::Restarting => format!("Waiting to be started again: it ended with {}.", detail.exit_code),
        State::Removing => "Being removed.".to_owned(),
        State::Exited => format!("Exited with {}{}.", detail.exit_code, ago(detail.finished).unwrap_or_default()),
        State::Dead => "Dead: it could not be removed completely.".to_owned(),
        State::Unknown(word) => format!("“{word}”."),
    }
}

fn length(now: Timestamp, then: Timestamp) -> String {
    match span(now.duration_since(then)) {
        just if just == "just now" => format!("{} s", now.duration_since(then).as_secs().max(0)),
        span => span,
    }
}

/// Why it is so: what the exit code means, who asked for it, how long it had run.
pub fn why(container: &Container, detail: &Detail, picture: &Picture) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(error) = &detail.error {
        lines.push(failure(error, picture).map_or_else(
            || format!("It could not be started: {}.", error.trim_end_matches('.')),
            |failure| failure.why,
        ));
    }
    match container.state {
        State::Exited | State::Restarting => {
            if detail.error.is_none() || detail.started.is_some() {
                lines.push(exit_code(detail.exit_code, detail.out_of_memory || container.ending.out_of_memory));
            }
            lines.extend(who(container.ending.asked.as_ref(), detail.exit_code));
            if let (Some(started), Some(finished)) = (detail.started, detail.finished)
                && finished > started
            {
                lines.push(format!("Before that it had run for {}.", length(finished, started)));
            }
            if container.state == State::Restarting || detail.restarts > 0 {
                lines.push(restarts(detail.restarts));
            }
        }
        State::Running if detail.restarts > 0 => lines.push(restarts(detail.restarts)),
        // What the word itself means stands in a card of its own.
        _ => {}
    }
    lines
}

fn restarts(count: u64) -> String {
    format!("Its restart policy has started it again {count} time{}.", if count == 1 { "" } else { "s" })
}

/// Who ended it, where events or this console's own doing tell.
fn who(asked: Option<&Asked>, code: i64) -> Option<String> {
    match asked {
        Some(Asked { here: Some(verb), at, .. }) => {
            Some(format!("Somebody pressed {} in this console at {} UTC.", verb.label(), clock(*at)))
        }
        Some(Asked { signal: Some(signal), at, .. }) => {
            Some(format!("Signal {signal} was sent to it through the engine at {} UTC.", clock(*at)))
        }
        Some(Asked { at, .. }) => Some(format!("It was stopped through the engine at {} UTC.", clock(*at))),
        None if code == 137 => Some("This console did not see anybody ask for it.".to_owned()),
        None => None,
    }
}

/// What the engine's own words for a failed start or pull come down to, and what helps.
pub struct Failure {
    /// Why, for who does not know the engine's inside.
    pub why: String,
    /// The container that is in the way, if one is.
    pub blocker: Option<Arc<Container>>,
}

/// The failures that people meet most, by the words of the engine, of runc and of registries.
pub fn failure(words: &str, picture: &Picture) -> Option<Failure> {
    let has = |part: &str| words.contains(part);
    let program = words.split("exec: \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("the command");
    let plain = |why: String| Some(Failure { why, blocker: None });
    if has("exec: \"") && (has("no such file or directory") || has("executable file not found")) {
        return plain(format!(
            "{program} is not in the image. Is the command spelled right? If the path is right, the program may need \
             an interpreter or a library that the image does not have."
        ));
    }
    if has("exec: \"") && has("permission denied") {
        return plain(format!("{program} is in the image, but it is no program that may be executed."));
    }
    if has("port is already allocated") || has("address already in use") {
        let port = words
            .split(|c: char| !c.is_ascii_digit() && c != ':')
            .find_map(|part| part.rsplit_once(':')?.1.parse::<u16>().ok());
        let holds = |container: &&Arc<Container>| {
            container.state.is_up() && container.ports.iter().any(|p| p.public.is_some() && p.public == port)
        };
        let blocker = picture.containers.values().find(holds).cloned();
        let port = port.map_or_else(|| "A port".to_owned(), |port| format!("Port {port}"));
        let why = match &blocker {
            Some(owner) => {
                format!("{port} of the host is taken by {}. Stop that one, or publish on another port.", owner.name)
            }
            None => format!(
                "{port} of the host is taken by a program that is no container. End it, or publish on another port."
            ),
        };
        return Some(Failure { why, blocker });
    }
    if has("manifest unknown") || has("not found: manifest") || (has("manifest for") && has("not found")) {
        return plain(
            "The registry has no such image: the name or the tag is not there. Are both spelled right?".to_owned(),
        );
    }
    if has("pull access denied")
        || has("repository does not exist")
        || has("requested access to the resource is denied")
    {
        return plain(
            "The registry has no such repository, or only for who is signed in. Is the name spelled right?".to_owned(),
        );
    }
    if has("toomanyrequests") || has("429 Too Many Requests") {
        return plain("The registry wants no more pulls from this address for now. Try later, or sign in.".to_owned());
    }
    if has("no such host")
        || has("connection refused")
        || has("i/o timeout")
        || has("network is unreachable")
        || has("server misbehaving")
    {
        return plain("The registry cannot be reached from the engine’s host.".to_owned());
    }
    if has("no space left on device") {
        return plain("The engine’s disk is full.".to_owned());
    }
    None
}

/// An error of the engine, with what it comes down to and a way to whoever is in the way.
pub fn told(error: crate::engine::Error, picture: &Picture) -> Error {
    let failure = failure(&error.to_string(), picture);
    let told = Error::from(error);
    match failure {
        Some(Failure { why, blocker: Some(blocker) }) => {
            told.why(why).next(Step::link(format!("Open {}", blocker.name), format!("/containers/{}", blocker.id)))
        }
        Some(Failure { why, blocker: None }) => told.why(why),
        None => told,
    }
}

/// Why it needs attention, in a sentence, and what to do first.
pub fn attention(container: &Container) -> Option<(String, Verb)> {
    let code = container.exit_code.unwrap_or_default();
    Some(match container.attention()? {
        Attention::OutOfMemory => (
            "It used more memory than it may, and the kernel ended it. Give it more, or find the leak.".to_owned(),
            Verb::Start,
        ),
        Attention::Dead => ("The engine could not remove it completely. Remove it again.".to_owned(), Verb::Remove),
        Attention::RestartLoop => {
            (format!("It ends ({code}) and is started again, over and over. Stop it and read its log."), Verb::Stop)
        }
        Attention::Unhealthy => ("It runs, but its health check fails.".to_owned(), Verb::Restart),
        Attention::Failed if container.ending.start_failed => {
            ("It could not be started. Its page says why.".to_owned(), Verb::Start)
        }
        Attention::Failed => (format!("Nobody asked for it. {}", exit_code(code, false)), Verb::Start),
    })
}

/// A restart policy in words.
pub fn restart_policy(policy: &(String, u64)) -> (String, &'static str) {
    let (name, retries) = policy;
    match name.as_str() {
        "always" => ("always".to_owned(), "it is started again whenever it ends, and when the engine starts"),
        "unless-stopped" => ("unless-stopped".to_owned(), "as always, but not after somebody has stopped it"),
        "on-failure" if *retries > 0 => {
            (format!("on-failure:{retries}"), "it is started again when it ends with an error, so many times at most")
        }
        "on-failure" => ("on-failure".to_owned(), "it is started again when it ends with an error"),
        _ => ("no".to_owned(), "it stays down until somebody starts it"),
    }
}

/// An event in words; the name of whom it happened to stands before it.
pub fn event(event: &crate::engine::Event) -> String {
    let code = event.exit_code().map(|code| format!(" with {code}")).unwrap_or_default();
    let signal = event.attributes.get("signal").map(|signal| format!(" signal {signal}")).unwrap_or_default();
    match (event.kind.as_str(), event.action.as_str()) {
        ("container", "create") => "was created".to_owned(),
        ("container", "start") => "was started".to_owned(),
        ("container", "die") => format!("ended{code}"),
        ("container", "stop") => "was stopped".to_owned(),
        ("container", "kill") => format!("was sent{signal}"),
        ("container", "restart") => "was restarted".to_owned(),
        ("container", "pause") => "was paused".to_owned(),
        ("container", "unpause") => "was unpaused".to_owned(),
        ("container", "rename") => {
            let old = event.attributes.get("oldName").map(|name| name.trim_start_matches('/').to_owned());
            old.map_or_else(|| "was renamed".to_owned(), |old| format!("is the new name of {old}"))
        }
        ("container", "update") => "was updated".to_owned(),
        ("container", "commit") => "was made an image of".to_owned(),
        ("container", "export") => "was exported".to_owned(),
        ("container", "archive-path") => "gave files".to_owned(),
        ("container", "extract-to-dir") => "was given files".to_owned(),
        ("container", "attach") => "was attached to".to_owned(),
        ("container", "detach") => "was detached from".to_owned(),
        ("container", "exec_create") => "was given a command".to_owned(),
        ("container", "exec_start") => "began a command".to_owned(),
        ("container", "exec_die") => format!("ended a command{code}"),
        ("container", "resize") => "was given another terminal size".to_owned(),
        ("container", "top") => "was asked for its processes".to_owned(),
        ("container", "destroy") => "was removed".to_owned(),
        ("container", "oom") => "ran out of memory".to_owned(),
        ("container", "health_status") => match event.detail.as_deref() {
            Some("healthy") => "passed its health check".to_owned(),
            Some("unhealthy") => "failed its health check".to_owned(),
            _ => "has a new health status".to_owned(),
        },
        ("volume", "create") => "was created".to_owned(),
        ("volume", "destroy" | "remove") => "was removed".to_owned(),
        ("volume", "mount") => "was mounted".to_owned(),
        ("volume", "unmount") => "was unmounted".to_owned(),
        ("image", "create") => "was created".to_owned(),
        ("image", "pull") => "was pulled".to_owned(),
        ("image", "push") => "was pushed".to_owned(),
        ("image", "tag") => "was tagged".to_owned(),
        ("image", "untag") => "was untagged".to_owned(),
        ("image", "save") => "was saved".to_owned(),
        ("image", "load") => "was loaded".to_owned(),
        ("image", "import") => "was imported".to_owned(),
        ("image", "delete") => "was removed".to_owned(),
        ("network", "create") => "was created".to_owned(),
        ("network", "destroy" | "remove") => "was removed".to_owned(),
        ("network", "connect") => "got a container".to_owned(),
        ("network", "disconnect") => "lost a container".to_owned(),
        (_, action) => action.replace(['_', '-'], " "),
    }
}

/// The name under which an event's subject is known: what the picture calls it now, else what the event said.
pub fn subject(event: &crate::engine::Event, picture: &Picture) -> String {
    let known = event.id.parse().ok().and_then(|id| picture.containers.get(&id));
    known.map_or_else(
        || {
            if event.name == event.id && event.id.len() == 64 {
                event.id.chars().take(12).collect()
            } else {
                event.name.clone()
            }
        },
        |container| container.name.clone(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engines_words_come_down_to_something() {
        let why = |words: &str| failure(words, &Picture::default()).map(|failure| failure.why).unwrap_or_default();
        let runc = r#"runc create failed: unable to start container process: exec: "/nope": stat /nope: no such file or directory"#;
        assert!(why(runc).starts_with("/nope is not in the image"));
        let taken =
            "driver failed programming external connectivity: Bind for 0.0.0.0:8081 failed: port is already allocated";
        assert!(why(taken).starts_with("Port 8081 of the host is taken"), "{}", why(taken));
        assert!(why("dial tcp 127.0.0.1:1: connect: connection refused").contains("cannot be reached"));
        assert_eq!(why("something new"), "");
    }

    #[test]
    fn what_happened_to_a_container_is_a_sentence() {
        let says = |action: &str| {
            event(&crate::engine::Event {
                kind: "container".into(),
                action: action.into(),
                detail: None,
                id: "0a".repeat(32),
                name: "web".into(),
                attributes: std::collections::BTreeMap::from([("exitCode".to_owned(), "0".to_owned())]),
                at: jiff::Timestamp::UNIX_EPOCH,
            })
        };
        assert_eq!([says("create"), says("update")], ["was created", "was updated"]);
        for action in ["archive-path", "attach", "commit", "exec_die", "exec_start", "export", "resize", "top"] {
            assert!(
                ["was ", "gave ", "began ", "ended "].iter().any(|verb| says(action).starts_with(verb)),
                "{action}"
            );
        }
    }

    #[test]
    fn exit_codes_are_explained() {
        for code in [0, 1, 125, 126, 127, 137, 139, 143, 130, 3, 150, 255] {
            assert!(exit_code(code, false).starts_with(&code.to_string()), "{code}");
        }
        assert_ne!(exit_code(137, true), exit_code(137, false));
    }
}
