//! Health, logs, stopping, runtimes, and what Windows engines know.

use super::values::{Parsed, bytes, integer, integer_in, nanoseconds, setting, shown, switch};
use super::{Applied, Flag, insert, put, text};
use crate::engine::spec::{Healthcheck, Spec};

const WINDOWS: &str = "Only an engine on Windows knows this.";

pub(super) const FLAGS: &[Flag] = &[
    Flag::value("health-cmd", "Health command", "curl -f http://localhost/", health_cmd)
        .help("A shell line that runs inside the container now and then; its success means that all is well."),
    Flag::value("health-interval", "Health interval", "30s", |spec, value| {
        put(&mut health(spec).interval, nanoseconds(value))
    })
    .help("The time between two health checks."),
    Flag::value("health-timeout", "Health timeout", "5s", |spec, value| {
        put(&mut health(spec).timeout, nanoseconds(value))
    })
    .help("How long one health check may take."),
    Flag::value("health-retries", "Health retries", "3", |spec, value| {
        put(&mut health(spec).retries, integer_in(value, 0..=i64::MAX))
    })
    .help("How many health checks in a row must fail before the container counts as unhealthy."),
    Flag::value("health-start-period", "Health start period", "1m", |spec, value| {
        put(&mut health(spec).start_period, nanoseconds(value))
    })
    .help("The time at the start in which failed health checks do not count."),
    Flag::value("health-start-interval", "Health start interval", "2s", |spec, value| {
        put(&mut health(spec).start_interval, nanoseconds(value))
    })
    .help("The time between two health checks during the start."),
    // After the others, which it contradicts.
    Flag::switch("no-healthcheck", "No health check", no_healthcheck)
        .help("Switches the health check of the image off."),
    Flag::switch("init", "Init process", |spec, value| put(&mut spec.host_config.init, switch(value).map(Some)))
        .help("Runs a small init first, which passes signals on and cleans up after ended processes."),
    Flag::value("stop-signal", "Stop signal", "SIGTERM", |spec, value| text(&mut spec.stop_signal, value))
        .choices(&["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP"])
        .help("The signal that asks the program to end, instead of the image's."),
    Flag::value("stop-timeout", "Stop timeout", "10", |spec, value| {
        put(&mut spec.stop_timeout, integer(value).map(Some))
    })
    .help("Seconds that the program has to end before it is ended; -1 is as long as it takes."),
    Flag::value("log-driver", "Log driver", "json-file", |spec, value| {
        text(&mut spec.host_config.log_config.r#type, value)
    })
    .choices(&["json-file", "local", "journald", "syslog", "none"])
    .help("Where output goes. With some drivers, the console has no logs to show."),
    Flag::list("log-opt", "Log options", "max-size=10m", log_opt)
        .help("Options of the log driver. max-size=10m and max-file=3 keep logs from filling the disk."),
    Flag::list("storage-opt", "Storage options", "size=20G", |spec, value| {
        insert(&mut spec.host_config.storage_opt, storage_opt(value))
    })
    .help("Options of the storage driver, name=value; which there are depends on the engine."),
    Flag::list("annotation", "Annotations", "io.example.key=value", annotation)
        .help("Notes for the runtime, name=value."),
    Flag::value("cgroup-parent", "Parent control group", "shop.slice", |spec, value| {
        text(&mut spec.host_config.cgroup_parent, value)
    })
    .help("The control group that the container's own is made under."),
    Flag::value("runtime", "Runtime", "runc", |spec, value| text(&mut spec.host_config.runtime, value))
        .help("The program that runs the container, of those that the engine knows."),
    Flag::value("isolation", "Isolation", "process", |spec, value| {
        put(&mut spec.host_config.isolation, isolation(value))
    })
    .choices(&["default", "process", "hyperv"])
    .help("For engines on Windows: how containers are kept apart."),
    Flag::value("cpu-count", "Processor count", "", windows_only).client().help(WINDOWS),
    Flag::value("cpu-percent", "Processor per cent", "", windows_only).client().help(WINDOWS),
    Flag::value("io-maxbandwidth", "Disk bandwidth", "", windows_only).client().help(WINDOWS),
    Flag::value("io-maxiops", "Disk operations", "", windows_only).client().help(WINDOWS),
    Flag::value("kernel-memory", "Kernel memory", "", |_, value| bytes(value).map(drop))
        .client()
        .help("No longer known to kernels; it does nothing."),
];

/// As the docker command does when its engine runs on Linux.
fn windows_only(_: &mut Spec, _: &str) -> Applied {
    Err("only an engine on Windows knows this".to_owned())
}

/// The engine's own words for it.
fn isolation(value: &str) -> Parsed<String> {
    match value.to_ascii_lowercase().as_str() {
        "" | "default" | "process" | "hyperv" => Ok(value.to_owned()),
        _ => Err(format!("isolation is default, process or hyperv, not {value}")),
    }
}

fn health(spec: &mut Spec) -> &mut Healthcheck {
    spec.healthcheck.get_or_insert_default()
}

fn health_cmd(spec: &mut Spec, value: &str) -> Applied {
    let words: &[&str] = if value.is_empty() { &[] } else { &["CMD-SHELL", value] };
    put(&mut health(spec).test, Ok(words.iter().map(|&word| word.to_owned()).collect()))
}

fn no_healthcheck(spec: &mut Spec, value: &str) -> Applied {
    if !switch(value)? {
        return Ok(());
    }
    let none = Healthcheck { test: vec!["NONE".to_owned()], ..Healthcheck::default() };
    // Said once more, it contradicts nothing.
    if spec.healthcheck.as_ref().is_some_and(|check| *check != Healthcheck::default() && *check != none) {
        return Err("this contradicts the health settings beside it".to_owned());
    }
    spec.healthcheck = Some(none);
    Ok(())
}

/// After the driver, which may have no use for options.
fn log_opt(spec: &mut Spec, value: &str) -> Applied {
    let log = &mut spec.host_config.log_config;
    if log.r#type == "none" {
        return Err("the log driver none keeps nothing and has no options".to_owned());
    }
    insert(&mut log.config, setting(value))
}

fn storage_opt(value: &str) -> Parsed<(String, String)> {
    if value.contains('=') { setting(value) } else { Err(format!("name=value is needed, not {}", shown(value))) }
}

/// A name without a value says nothing, as with the docker command.
fn annotation(spec: &mut Spec, value: &str) -> Applied {
    if value.contains('=') { insert(&mut spec.host_config.annotations, setting(value)) } else { Ok(()) }
}
