//! How far somebody's hand goes: what they see of the engine, and what they may do with it.
//!
//! Every [`Engine`] carries a [`Reach`], and everything that comes out of it or goes into it passes here, so that a
//! handler that forgets a check still cannot show or do too much (S036, S041, S042, S044). Three gates:
//!
//! - `view`: the picture as this reach may see it. Things outside of the scope are not in it, and their ids answer as
//!   ids do that nobody has, without a call to the engine.
//! - `redact` and `raw`: values that may be secrets, out of everything that is told.
//! - `admit` and `policy`: what may be made. Whoever is not `root` may ask for what an allow-list knows to be
//!   harmless, and for nothing else.

mod admit;
mod enter;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod held;
mod options;
mod policy;
mod raw;
mod recipe;
mod redact;
mod registry;
mod scope;
mod view;

use std::{collections::BTreeMap, sync::Arc};

pub(super) use self::recipe::unmask;
pub(super) use self::{
    admit::taken,
    raw::{image as told_image, network as told_network, volume as told_volume},
    view::Views,
};
pub use self::{
    enter::root_on_host,
    held::Holder,
    options::{masked as masked_options, masked_of_network as masked_network_options},
};
pub use self::{
    redact::HIDDEN,
    scope::{InvalidScope, Scope},
    view::Watch,
};
use super::{ContainerId, Engine, Error, HUB, ImageId, Network, NetworkId, VolumeName};

/// How far somebody's hand goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reach {
    /// What they see: what is in one of these. Everything, where there is none.
    pub scope: Vec<Scope>,
    /// How much they see of what may be a secret.
    pub secrets: Secrets,
    /// Whether they may change anything.
    pub operate: bool,
    /// Whether they may do what gives power over the engine's host: privileged containers, folders of the host.
    pub root: bool,
    /// The registries that they pull from; with power over the host, from anywhere.
    pub registries: Vec<String>,
}

/// How much somebody sees of what may be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Secrets {
    /// Nothing but what is known to be none: for who only looks.
    Hidden,
    /// All but the values that hold secrets as a rule: of variables, and of drivers' options.
    Masked,
    /// Everything: for an administrator who has asked for it.
    Shown,
}

impl Reach {
    /// Everything, nothing masked.
    pub fn everything() -> Self {
        Self { secrets: Secrets::Shown, ..Self::admin() }
    }

    /// Everything, until they ask for it without what holds secrets.
    pub fn admin() -> Self {
        Self {
            scope: Vec::new(),
            secrets: Secrets::Masked,
            operate: true,
            root: true,
            registries: vec![HUB.to_owned()],
        }
    }

    /// Everything in the scope but what gives power over the host.
    pub fn operator(scope: Vec<Scope>) -> Self {
        Self { scope, root: false, ..Self::admin() }
    }

    /// Looking only.
    pub fn viewer(scope: Vec<Scope>) -> Self {
        Self { secrets: Secrets::Hidden, operate: false, ..Self::operator(scope) }
    }

    /// The same, with every value shown.
    #[must_use]
    pub fn revealed(&self) -> Self {
        Self { secrets: Secrets::Shown, ..self.clone() }
    }

    /// Tells one reach from another: what is drawn for one must not be shown to the other.
    pub fn key(&self) -> String {
        // What is foreign in it stands quoted and escaped, so that no two reaches have one text.
        format!("{self:?}")
    }

    /// The same, short: for whoever already has what was drawn for it. Revealed or not is one: that is a matter of a page's
    /// address, not of who looks, and the parts of such a page that hold no values live without.
    pub fn digest(&self) -> String {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let mut hasher = DefaultHasher::new();
        Self { secrets: self.secrets.min(Secrets::Masked), ..self.clone() }.hash(&mut hasher);
        format!("{:x}", hasher.finish())
    }

    /// Whether it ends somewhere.
    pub fn is_scoped(&self) -> bool {
        !self.scope.is_empty()
    }

    /// Whether it takes in what carries these labels.
    pub fn takes(&self, labels: &BTreeMap<String, String>) -> bool {
        scope::takes(&self.scope, labels)
    }

    /// Whether it takes in what somebody with this scope has started.
    pub(super) fn takes_work_of(&self, scope: &[Scope]) -> bool {
        self.scope.is_empty() || scope::same(&self.scope, scope)
    }

    /// Puts what is about to be made into its scope (S042).
    pub(super) fn claim(&self, labels: &mut BTreeMap<String, String>) -> Result<(), Error> {
        scope::claim(&self.scope, labels)
    }

    /// Refuses who sees only a part of the engine what they would do to everybody's images: others run what they know
    /// by a name, so that who gives names to images says what others run (S042).
    pub(super) fn may_keep_images(&self) -> Result<(), Error> {
        self.may_operate()?;
        if !self.is_scoped() {
            return Ok(());
        }
        Err(Error::Forbidden(
            "Images and their tags are everybody's on this engine, and you look after a part of it: you may pull, look at \
             and run them."
                .to_owned(),
        ))
    }

    /// Refuses who may only look.
    pub(super) fn may_operate(&self) -> Result<(), Error> {
        if self.operate {
            return Ok(());
        }
        Err(Error::Forbidden("It lets you look at things, not change them.".to_owned()))
    }
}

impl Engine {
    /// The same engine, for somebody whose hand goes so far.
    #[must_use]
    pub fn within(&self, reach: Arc<Reach>) -> Self {
        Self { reach, ..self.clone() }
    }

    /// The same engine, working for somebody of this name.
    #[must_use]
    pub fn on_behalf_of(&self, name: &str) -> Self {
        Self { by: Some(name).filter(|name| !name.is_empty()).map(Arc::from), ..self.clone() }
    }

    /// How far the hand goes that holds it.
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Refuses a container outside of the scope with what an id that nobody has is refused with (S041).
    pub(super) fn reaches_container(&self, id: &ContainerId) -> Result<(), Error> {
        let is_seen = || self.live.picture().containers.get(id).is_some_and(|found| self.reach.takes(&found.labels));
        if !self.reach.is_scoped() || is_seen() {
            return Ok(());
        }
        Err(Error::NotFound(format!("No such container: {id}")))
    }

    /// Refuses an image that this reach does not see with what an id that nobody has is refused with (S041).
    pub(super) fn reaches_image(&self, id: &ImageId) -> Result<(), Error> {
        if self.picture().images.contains_key(id) {
            return Ok(());
        }
        Err(Error::NotFound(format!("No such image: sha256:{id}")))
    }

    /// Refuses a volume outside of the scope with what a name that nobody has is refused with (S041).
    pub(super) fn reaches_volume(&self, name: &VolumeName) -> Result<(), Error> {
        let is_seen = || self.live.picture().volumes.get(name).is_some_and(|found| self.reach.takes(&found.labels));
        if !self.reach.is_scoped() || is_seen() {
            return Ok(());
        }
        Err(Error::NotFound(format!("get {name}: no such volume")))
    }

    /// Refuses a network of which nothing in the scope is seen with what an id that nobody has is refused with (S041).
    pub(super) fn reaches_network(&self, id: &NetworkId) -> Result<(), Error> {
        if !self.reach.is_scoped() || self.picture().networks.contains_key(id) {
            return Ok(());
        }
        Err(Error::NotFound(format!("network {id} not found")))
    }

    /// The network, if it is of the scope itself: to be on a network does not make it one's own.
    pub(super) fn owns_network(&self, id: &NetworkId) -> Result<Arc<Network>, Error> {
        self.reaches_network(id)?;
        let found = self.live.picture().networks.get(id).cloned();
        let network = found.ok_or_else(|| Error::NotFound(format!("network {id} not found")))?;
        if self.reach.takes(&network.labels) {
            return Ok(network);
        }
        Err(Error::Forbidden(format!("The network {} is not among what you look after.", network.name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_tell_reaches_apart() {
        let label = |key: &str, value: &str| Scope::Label { key: key.into(), value: Some(value.into()) };
        let reaches = [
            Reach::everything(),
            Reach::admin(),
            Reach::operator(vec![]),
            Reach::viewer(vec![]),
            Reach::viewer(vec![label("a", "b")]),
            Reach::viewer(vec![label("a", "b\") }, Label { key: \"c")]),
            Reach::viewer(vec![label("a", "b"), label("c", "d")]),
            Reach::viewer(vec![Scope::Stack("a".into())]),
        ];
        let keys: std::collections::BTreeSet<_> = reaches.iter().map(Reach::key).collect();
        assert_eq!(keys.len(), reaches.len());
    }
}
