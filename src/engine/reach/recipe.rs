//! What somebody asked for when they made a container, without its secrets; and those put back by who does not see them.

use std::collections::BTreeMap;

use super::{HIDDEN, Reach, Secrets, options};
use crate::engine::spec::Spec;

impl Reach {
    /// Masks what may be a secret, as [`Reach::detail`] does.
    pub(in crate::engine) fn spec(&self, spec: &mut Spec) {
        if self.secrets == Secrets::Shown {
            return;
        }
        for variable in &mut spec.env {
            if let Some((name, _)) = variable.split_once('=') {
                *variable = format!("{name}={HIDDEN}");
            }
        }
        for (map, mask) in maps(spec) {
            map.iter_mut().for_each(|(key, value)| *value = mask(key, value));
        }
    }
}

/// Puts back what still reads as hidden.
pub(in crate::engine) fn unmask(spec: &mut Spec, known: &Spec) {
    let name = |variable: &str| variable.split('=').next().unwrap_or_default().to_owned();
    for variable in &mut spec.env {
        if variable.split_once('=').is_some_and(|(_, value)| value == HIDDEN)
            && let Some(was) = known.env.iter().find(|was| name(was) == name(variable))
        {
            variable.clone_from(was);
        }
    }
    let mut known = known.clone();
    let known: Vec<BTreeMap<String, String>> = maps(&mut known).into_iter().map(|(map, _)| map.clone()).collect();
    for (map, mask) in maps(spec) {
        for (key, value) in map.iter_mut() {
            let was = known.iter().filter_map(|known| known.get(key)).find(|was| mask(key, was) == *value);
            if value.contains(HIDDEN)
                && let Some(was) = was
            {
                value.clone_from(was);
            }
        }
    }
}

type Mask = fn(&str, &str) -> String;

/// Maps whose values hold secrets, and what is told of them.
fn maps(spec: &mut Spec) -> Vec<(&mut BTreeMap<String, String>, Mask)> {
    let host = &mut spec.host_config;
    let mut maps: Vec<(&mut BTreeMap<String, String>, Mask)> =
        vec![(&mut host.log_config.config, |_, _| HIDDEN.to_owned())];
    let volumes = host.mounts.iter_mut().filter_map(|mount| mount.volume_options.as_mut());
    maps.extend(volumes.map(|options| (&mut options.driver_config.options, options::option as Mask)));
    maps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s044_what_is_hidden_comes_back_as_it_was() {
        let mut known = Spec { env: vec!["TOKEN=hunter2".into(), "A".into(), "B=".into()], ..Spec::default() };
        known.host_config.log_config.config.insert("token".into(), "hunter3".into());
        let mut masked = known.clone();
        Reach::admin().spec(&mut masked);
        assert!(!format!("{masked:?}").contains("hunter"), "{masked:?}");
        assert_eq!(masked.env, ["TOKEN=‹hidden›", "A", "B=‹hidden›"]);
        let mut changed = masked.clone();
        changed.env.push("NEW=1".into());
        unmask(&mut changed, &known);
        assert_eq!(changed.env, ["TOKEN=hunter2", "A", "B=", "NEW=1"]);
        unmask(&mut masked, &known);
        assert_eq!(masked, known);
        // Of what it never had, it stays what was written.
        let mut strange = Spec { env: vec!["OTHER=‹hidden›".into()], ..Spec::default() };
        unmask(&mut strange, &known);
        assert_eq!(strange.env, ["OTHER=‹hidden›"]);
    }
}
