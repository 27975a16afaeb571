//! Variables.

use super::basics::file_is_elsewhere;
use super::values::shown;
use super::{Applied, Flag};
use crate::engine::spec::Spec;

pub(super) const FLAGS: &[Flag] = &[
    Flag::list("env", "Variables", "TZ=Europe/Berlin", env)
        .short('e')
        .help("Settings for the program, NAME=value. Which ones it knows, its image's description says."),
    Flag::list("env-file", "Variable file", "", |_, _| {
        Err(file_is_elsewhere("variables", "-e, or paste it under Environment"))
    })
    .client()
    .help("A file with variables, on the computer where docker is typed; the console cannot read it."),
];

/// `NAME=value`; said twice, the last counts.
fn env(spec: &mut Spec, value: &str) -> Applied {
    let name = |variable: &str| variable.split('=').next().map(str::to_owned);
    if value.is_empty() || value.starts_with('=') {
        return Err(format!("a variable needs a name, such as TZ=Europe/Berlin, not {}", shown(value)));
    }
    match spec.env.iter_mut().find(|variable| name(variable) == name(value)) {
        Some(former) => value.clone_into(former),
        None => spec.env.push(value.to_owned()),
    }
    Ok(())
}
