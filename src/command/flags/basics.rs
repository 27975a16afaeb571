//! Name, terminal, command: what nearly every line says.

use super::values::{Parsed, setting, shown, switch};
use super::{Applied, Flag, ignore, insert, put, text};

pub(super) const FLAGS: &[Flag] = &[
    Flag::value("name", "Name", "web", |spec, value| put(&mut spec.name, Ok(name(value))))
        .help("What the container is called. Without one, the engine makes up a name such as bold_hopper."),
    Flag::switch("interactive", "Keep input open", |spec, value| put(&mut spec.open_stdin, switch(value)))
        .short('i')
        .help("Keeps standard input open. Shells and other programs that read commands end at once without it."),
    Flag::switch("tty", "Terminal", |spec, value| put(&mut spec.tty, switch(value)))
        .short('t')
        .help("Gives the program a terminal, for colours and line editing. Goes with \"Keep input open\" for a shell."),
    Flag::switch("rm", "Remove when it ends", |spec, value| put(&mut spec.host_config.auto_remove, switch(value)))
        .help("Removes the container and its anonymous volumes when it ends. Not together with a restart policy."),
    Flag::value("workdir", "Working folder", "/app", |spec, value| text(&mut spec.working_dir, value))
        .short('w')
        .help("The folder inside the container that the program starts in, instead of the image's."),
    Flag::value("entrypoint", "Entrypoint", "/bin/sh", |spec, value| {
        put(&mut spec.entrypoint, Ok(vec![value.to_owned()]))
    })
    .help("The program to start instead of the image's own. What is written as the command becomes its arguments."),
    Flag::value("hostname", "Host name", "web", |spec, value| text(&mut spec.hostname, value))
        .short('h')
        .help("The name that the container has for itself. Without one it is the start of its id."),
    Flag::value("domainname", "Domain name", "example.com", |spec, value| text(&mut spec.domainname, value))
        .help("The NIS domain name that the container has for itself; rarely needed."),
    Flag::value("platform", "Platform", "linux/arm64", |spec, value| put(&mut spec.platform, platform(value)))
        .choices(&["linux/amd64", "linux/arm64", "linux/arm/v7"])
        .help("Which build of the image to use, if it has several. Other than the host's own needs emulation."),
    Flag::value("pull", "Pull", "missing", |_, value| pull(value))
        .choices(&["missing", "always", "never"])
        .client()
        .help("Whether the image is fetched first: when it is missing, always, or never."),
    Flag::list("label", "Labels", "team=shop", |spec, value| insert(&mut spec.labels, label(value)))
        .short('l')
        .help("Notes for people and tools, name=value. They change nothing in the container."),
    Flag::list("label-file", "Label file", "", |_, _| Err(file_is_elsewhere("labels", "--label")))
        .client()
        .help("A file with labels, on the computer where docker is typed; the console cannot read it."),
    Flag::list("attach", "Attach", "STDOUT", |_, value| attach(value))
        .short('a')
        .client()
        .help("Which streams the docker command shows. The console starts containers in the background."),
    Flag::switch("quiet", "Quiet", |_, value| switch(value).map(drop))
        .short('q')
        .client()
        .help("Keeps the docker command from showing the progress of a pull."),
    Flag::switch("sig-proxy", "Pass signals on", |_, value| switch(value).map(drop))
        .client()
        .help("Whether the docker command passes signals on to the container."),
    Flag::value("detach-keys", "Detach keys", "ctrl-p,ctrl-q", ignore)
        .client()
        .help("The keys that leave a container running that the docker command is attached to."),
    Flag::switch("disable-content-trust", "No signature check", |_, value| switch(value).map(drop))
        .client()
        .help("Whether the docker command skips checking the image's signature."),
    Flag::value("cidfile", "Id file", "/run/web.cid", ignore)
        .client()
        .help("Where the docker command writes the id of the new container. The console shows it instead."),
];

/// Any name, as with the docker command: the engine knows which it takes. [`doubts`] tells of one that it will not.
///
/// [`doubts`]: crate::command::RunLine::doubts
fn name(value: &str) -> Option<String> {
    Some(value.trim()).filter(|name| !name.is_empty()).map(str::to_owned)
}

fn label(value: &str) -> Parsed<(String, String)> {
    match setting(value) {
        Ok((name, value)) if !name.contains(char::is_whitespace) => Ok((name, value)),
        _ => Err(format!("a label needs a name without blanks, such as team=shop, not {}", shown(value))),
    }
}

/// For options that name a file of labels or variables.
pub(super) fn file_is_elsewhere(content: &str, instead: &str) -> String {
    format!(
        "this file is on the computer where docker is typed, which the console cannot read; \
         give its {content} one by one with {instead}"
    )
}

fn pull(value: &str) -> Applied {
    match value {
        "always" | "missing" | "never" | "" => Ok(()),
        _ => Err(format!("pull is always, missing or never, not {value}")),
    }
}

fn attach(value: &str) -> Applied {
    match value.to_ascii_lowercase().as_str() {
        "stdin" | "stdout" | "stderr" => Ok(()),
        _ => Err(format!("the streams are STDIN, STDOUT and STDERR, not {}", shown(value))),
    }
}

/// A platform as the engine is asked for it: the system may be left out, and processors have common names.
///
/// Source: <https://github.com/containerd/platforms>, `Parse`.
fn platform(value: &str) -> Parsed<Option<String>> {
    const SYSTEMS: [&str; 4] = ["linux", "windows", "darwin", "freebsd"];
    const PROCESSORS: [&str; 16] = [
        "amd64", "x86_64", "x86-64", "arm64", "aarch64", "arm", "armhf", "armel", "386", "i386", "ppc64le", "ppc64",
        "s390x", "riscv64", "mips64le", "loong64",
    ];
    let wrong = || format!("a platform is system/processor, such as linux/arm64, not {}", shown(value));
    let parts: Vec<&str> = value.split('/').collect();
    let good = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    if value.is_empty() {
        return Ok(None);
    }
    if parts.len() > 3 || !parts.iter().all(good) {
        return Err(wrong());
    }
    let lower = value.to_ascii_lowercase();
    let (system, processor) = match lower.split_once('/') {
        Some((system, processor)) => (system, processor),
        None if SYSTEMS.contains(&lower.as_str()) => return Ok(Some(lower)),
        None if PROCESSORS.contains(&lower.as_str()) => ("linux", lower.as_str()),
        None => return Err(wrong()),
    };
    let processor = match processor {
        "x86_64" | "x86-64" => "amd64",
        "aarch64" => "arm64",
        "i386" => "386",
        "armhf" => "arm",
        "armel" => "arm/v6",
        other => other,
    };
    Ok(Some(format!("{system}/{processor}")))
}
