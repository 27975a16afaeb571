//! What has to hold for whatever this room is given to read: see [`crate::fuzzing`].
#![expect(clippy::missing_panics_doc, reason = "what does not hold panics: that is what they are for")]

use super::{
    RunLine, complete, flags, image as reference,
    intent::{self, Intent, Reading},
    unknowns, words as shell,
};
use crate::engine::spec::Spec;

/// Reads a line, and the same again from what is written for it. What may be told of it is checked on the way: without
/// values of variables for some, and for others without anything that may hold a secret.
pub fn read_line(text: &str) -> Option<(RunLine, Spec)> {
    // What a shell would put in is found where it stands, and whatever is told of it can be put in.
    let open = unknowns(text);
    assert!(open.iter().all(|unknown| text.get(unknown.at.clone()) == Some(&*unknown.text)), "{open:?}");
    let told = open.into_iter().map(|unknown| (unknown.text, "a 'b\" $(c)".to_owned())).collect();
    let _ = complete(text, &told);
    let checked = RunLine::check(text);
    let (verb, line) = match RunLine::parse(text) {
        Ok(read) => read,
        Err(error) => {
            assert!(text.get(error.at.clone()).is_some(), "{error:?} points elsewhere");
            assert!(checked.is_err());
            return None;
        }
    };
    for again in [line.to_command(verb), line.to_command_multiline(verb)] {
        assert_eq!(RunLine::parse(&again), Ok((verb, line.clone())), "{again}");
    }
    for (_, remark) in line.remarks() {
        assert!(remark.flag == "image" || flags::by_long(&remark.flag).is_some(), "{remark:?}");
    }
    let bare = line.without_values();
    assert_eq!(bare.without_values(), bare);
    assert_eq!(RunLine::parse(&bare.to_command(verb)), Ok((verb, bare.clone())));
    if let Ok(spec) = bare.to_spec() {
        let options = spec.host_config.mounts.iter().filter_map(|mount| mount.volume_options.as_ref());
        assert!(spec.env.iter().all(|pair| !pair.contains('=')), "{:?}", spec.env);
        assert!(options.into_iter().all(|options| options.driver_config.options.is_empty()), "{bare:?}");
        assert!(spec.host_config.log_config.config.is_empty() && spec.host_config.storage_opt.is_empty(), "{bare:?}");
    }
    if let Ok(spec) = line.outline().to_spec() {
        assert_eq!(outlined(&spec), spec);
    }
    match checked {
        Ok((of_check, again, spec)) => {
            assert_eq!((of_check, &again), (verb, &line));
            Some((line, spec))
        }
        Err(errors) => {
            assert!(!errors.is_empty());
            let outside = errors.iter().find(|error| text.get(error.at.clone()).is_none());
            assert_eq!(outside, None);
            None
        }
    }
}

/// What is left of a request when everything that may hold a secret is taken out.
fn outlined(spec: &Spec) -> Spec {
    let mut left = Spec {
        env: Vec::new(),
        cmd: Vec::new(),
        entrypoint: Vec::new(),
        healthcheck: None,
        hostname: String::new(),
        domainname: String::new(),
        user: String::new(),
        working_dir: String::new(),
        ..spec.clone()
    };
    left.labels.clear();
    left.volumes.0.clear();
    let host = &mut left.host_config;
    host.binds.clear();
    host.mounts.clear();
    host.tmpfs.clear();
    host.annotations.clear();
    host.sysctls.clear();
    host.storage_opt.clear();
    host.log_config.config.clear();
    host.security_opt.clear();
    left.networking_config.endpoints_config.values_mut().for_each(|endpoint| endpoint.driver_opts.clear());
    left
}

/// An image's reference: what is taken for one is one word of a line, and none that a shell or a path would bend.
pub fn image(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Err(why) = reference::check(&text) {
        assert!(!why.is_empty());
        return;
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@+[]".contains(c);
    assert!(text.chars().all(plain) && text.len() < 600, "{text}");
    assert!(text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '['), "{text}");
    assert!(!text.split('/').any(|part| matches!(part, "" | "." | "..")), "{text}");
    let line = RunLine { image: text.to_string(), ..RunLine::default() };
    assert!(line.to_spec().is_ok(), "{text}");
    assert_eq!(read_line(&line.to_command(super::Verb::Run)).map(|(line, _)| line), Some(line));
}

/// What is typed to go somewhere: what is understood of it is understood again, with nothing more left out.
pub fn intent(data: &[u8]) {
    let Reading::Intent(read) = intent::read(&String::from_utf8_lossy(data)) else { return };
    if read.command.ask == intent::Ask::Make {
        assert!(read.line.is_none_or(|line| line.starts_with("docker ")));
        return;
    }
    let echo = read.echo(&read.words);
    // What was left out is not in it, so that nothing is, the second time.
    let read = Intent { notes: Vec::new(), is_plain: true, ..read };
    assert_eq!(intent::read(&echo), Reading::Intent(read), "{echo}");
}

/// A line taken apart by blanks, and words put on a line: both ways, and as another reader of such lines does it.
pub fn words(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match shell::split(&text) {
        Ok(found) => {
            let mut before = 0;
            for word in &found {
                assert!(before <= word.at.start && word.at.start < word.at.end, "{found:?}");
                before = word.at.end;
                let alone: Vec<_> = shell::split(text.get(word.at.clone()).unwrap_or_default())
                    .into_iter()
                    .flatten()
                    .map(|word| word.text)
                    .collect();
                assert_eq!(alone, [word.text.as_str()]);
            }
        }
        Err(open) => assert!(open.at.end == text.len() && text.get(open.at).is_some()),
    }
    let pieces: Vec<&str> = text.split('\0').collect();
    let joined = shell::join(&pieces);
    let texts: Vec<_> = shell::split(&joined).into_iter().flatten().map(|word| word.text).collect();
    assert_eq!(texts, pieces, "{joined}");
    assert_eq!(shell_words::split(&joined).unwrap_or_default(), pieces, "{joined}");
}
