//! What can be said of a line that is right all the same: what puts the host at risk, what may not do what was meant,
//! and what is worth a thought. None of it stops anybody.

use super::check;
use super::flags;
use super::run::{OptionError, RunLine};
use crate::engine::spec::Spec;

/// How much a remark weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// The host is at risk.
    Danger,
    /// It can be sent, but may not do what was meant: the engine will refuse it, or a shell would have completed it.
    Doubt,
    /// It does what it says, and that is not always wanted.
    Hint,
}

impl RunLine {
    /// Every use of a flag that puts the host at risk, with what can go wrong.
    pub fn dangers(&self) -> Vec<OptionError> {
        self.remarked(|flag, value| {
            let danger = flags::by_long(flag)?.danger_of(value)?;
            let is_socket = matches!(flag, "volume" | "mount") && value.contains(".sock");
            Some(if is_socket { SOCKET } else { danger }.to_owned())
        })
    }

    /// Every value that can be sent but may not do what was meant.
    pub fn doubts(&self) -> Vec<OptionError> {
        self.remarked(doubt)
    }

    /// What is worth a thought. Of what nobody said, it speaks at the flag that would say it.
    pub fn hints(&self) -> Vec<OptionError> {
        let hint = |flag: &str, index, message: String| OptionError { flag: flag.to_owned(), index, message };
        let mut hints: Vec<_> = tag(&self.image).map(|why| hint("image", 0, why)).into_iter().collect();
        if is_left_down(self) {
            let why = "without a restart policy, it stays down after an error, and after a restart of the host";
            hints.push(hint("restart", 0, why.to_owned()));
        }
        let open = self.each("publish").filter(|(_, spec)| is_open_to_all(spec));
        hints.extend(open.map(|(index, _)| hint("publish", index, OPEN.to_owned())));
        if self.value("publish-all") == Some("true") {
            hints.push(hint("publish-all", 0, OPEN.to_owned()));
        }
        hints
    }

    /// All of these, the heaviest first.
    pub fn remarks(&self) -> Vec<(Weight, OptionError)> {
        let weighed = |weight, all: Vec<OptionError>| all.into_iter().map(move |remark| (weight, remark));
        weighed(Weight::Danger, self.dangers())
            .chain(weighed(Weight::Doubt, self.doubts()))
            .chain(weighed(Weight::Hint, self.hints()))
            .collect()
    }

    fn remarked(&self, remark: impl Fn(&str, &str) -> Option<String>) -> Vec<OptionError> {
        let uses = self.by_turn().into_iter();
        uses.filter_map(|(flag, index, value)| {
            remark(flag, value).map(|message| OptionError { flag: flag.to_owned(), index, message })
        })
        .collect()
    }
}

const SOCKET: &str = "Through the engine's socket, a program in the container can do all that docker can, and so take over \
                      the whole host.";

const OPEN: &str = "whoever reaches this host reaches the port, past most firewalls; 127.0.0.1 as its address keeps it \
                    on the host";

/// Ports of the host that are bound to every address of it.
fn is_open_to_all(spec: &Spec) -> bool {
    let bindings = spec.host_config.port_bindings.values().flatten();
    bindings.into_iter().any(|binding| matches!(binding.host_ip.as_str(), "" | "0.0.0.0" | "::"))
}

/// Nothing starts it again, and it is not one that goes when it ends.
fn is_left_down(line: &RunLine) -> bool {
    let is_one_off = line.value("rm") == Some("true") || line.value("interactive") == Some("true");
    !is_one_off && matches!(line.value("restart"), None | Some("" | "no"))
}

/// A name that means another image on another day.
fn tag(image: &str) -> Option<String> {
    if super::image::check(image).is_err() || super::image::is_fixed(image) {
        return None;
    }
    let name = image.rsplit('/').next().unwrap_or(image);
    match name.split_once(':') {
        None => Some(format!("without a tag, {image} is {image}:latest, another image on another day; name a version")),
        Some((_, "latest")) => Some(":latest is another image on another day; name a version".to_owned()),
        Some(_) => None,
    }
}

/// What the engine may refuse or read otherwise than it was meant, for values that the docker command sends
/// without a word.
fn doubt(flag: &str, value: &str) -> Option<String> {
    let source = value.split(':').next().unwrap_or_default();
    match flag {
        "name" if !value.is_empty() => check::container_name(value).err(),
        "volume" if source.starts_with('~') => {
            Some(format!("{source} is not a path for the engine; write the whole path on its host, beginning with /"))
        }
        "volume" if value.contains(':') && source.len() == 1 && source != "/" => Some(format!(
            "the docker command takes {source}: for a drive of Windows; a volume's name needs two letters"
        )),
        "env" if !value.contains('=') => Some(format!(
            "without a value, the docker command takes {value} from its own terminal; here, it takes {value} away from \
             the image's variables"
        )),
        "health-cmd" => None,
        _ => {
            expansion(value).map(|text| format!("{text} stays as it is written; no shell puts something in its place"))
        }
    }
}

/// The `$NAME`, `${...}` or `$(...)` that a shell would have replaced.
fn expansion(value: &str) -> Option<&str> {
    let start = value.find('$')?;
    let text = value.get(start..)?;
    let next = text.chars().nth(1)?;
    let name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = match next {
        '{' => text.find('}').map(|at| at + 1),
        '(' => text.find(')').map(|at| at + 1),
        c if c.is_ascii_alphabetic() || c == '_' => {
            text.char_indices().skip(1).find(|(_, c)| !name(*c)).map(|(at, _)| at)
        }
        _ => return None,
    };
    text.get(..end.unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> Vec<(Weight, String, usize)> {
        let (_, line) = RunLine::parse(line).unwrap();
        line.remarks().into_iter().map(|(weight, of)| (weight, of.flag, of.index)).collect()
    }

    fn hints(line: &str) -> Vec<(String, usize)> {
        let (_, line) = RunLine::parse(line).unwrap();
        line.hints().into_iter().map(|of| (of.flag, of.index)).collect()
    }

    fn at(of: &[(&str, usize)]) -> Vec<(String, usize)> {
        of.iter().map(|(flag, index)| ((*flag).to_owned(), *index)).collect()
    }

    #[test]
    fn what_is_worth_a_thought_is_said() {
        let digest = format!("nginx@sha256:{}", "a".repeat(64));
        let quiet = "docker run --restart always -p 127.0.0.1:80:80 -p [::1]:81:81";
        for image in ["nginx:1.29", "localhost:5000/a/nginx:1", &digest, &"a".repeat(64)] {
            assert_eq!(hints(&format!("{quiet} {image}")), [], "{image}");
        }
        for image in ["nginx", "nginx:latest", "localhost:5000/nginx", "ghcr.io/a/b:latest"] {
            assert_eq!(hints(&format!("{quiet} {image}")), at(&[("image", 0)]), "{image}");
        }
        assert_eq!(hints("docker run nginx:1"), at(&[("restart", 0)]));
        for none in ["--rm", "-it", "--restart on-failure:3"] {
            assert_eq!(hints(&format!("docker run {none} nginx:1")), [], "{none}");
        }
        let ports = "docker run --rm -p 127.0.0.1::1 -p 80 -p 0.0.0.0:1:1 -p :::2:2 -P nginx:1";
        assert_eq!(hints(ports), at(&[("publish", 1), ("publish", 2), ("publish", 3), ("publish-all", 0)]));
    }

    #[test]
    fn what_is_risky_is_said_at_its_flag() {
        let line = "docker run --rm --privileged --pid host --network host --ipc host --uts host --userns host \
                    --cgroupns host -v /var/run/docker.sock:/s -v a:/a --mount type=bind,src=/run/docker.sock,dst=/t \
                    --cap-add SYS_ADMIN --security-opt seccomp=unconfined nginx:1";
        let said = said(line);
        let dangers: Vec<_> = said.iter().map(|(weight, flag, index)| (*weight, flag.as_str(), *index)).collect();
        for flag in
            ["privileged", "pid", "network", "ipc", "uts", "userns", "cgroupns", "cap-add", "security-opt", "mount"]
        {
            assert!(dangers.contains(&(Weight::Danger, flag, 0)), "{flag} in {dangers:?}");
        }
        assert!(dangers.contains(&(Weight::Danger, "volume", 0)) && !dangers.contains(&(Weight::Danger, "volume", 1)));
    }
}
