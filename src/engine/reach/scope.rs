//! Which things somebody sees: those that carry a label, or belong to a stack.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use crate::engine::{Error, containers::STACK};

/// A part of the engine: the containers and volumes that carry a label. Written `label:team=red`, `label:team` (with
/// any value) or `stack:shop`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// What carries this label.
    Label {
        /// Its name.
        key: String,
        /// Its value; any, where none is said.
        value: Option<String>,
    },
    /// What belongs to this stack of compose.
    Stack(String),
}

/// Why a text is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a scope is label:NAME=VALUE, label:NAME or stack:NAME")]
pub struct InvalidScope;

impl FromStr for Scope {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        let (kind, name) = text.trim().split_once(':').ok_or(InvalidScope)?;
        let (key, value) = name.split_once('=').map_or((name, None), |(key, value)| (key, Some(value.to_owned())));
        match kind {
            "label" if !key.is_empty() => Ok(Self::Label { key: key.to_owned(), value }),
            "stack" if !name.is_empty() => Ok(Self::Stack(name.to_owned())),
            _ => Err(InvalidScope),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label { key, value: Some(value) } => write!(f, "label:{key}={value}"),
            Self::Label { key, value: None } => write!(f, "label:{key}"),
            Self::Stack(name) => write!(f, "stack:{name}"),
        }
    }
}

impl Scope {
    /// The label that it looks at.
    pub(super) fn key(&self) -> &str {
        match self {
            Self::Label { key, .. } => key,
            Self::Stack(_) => STACK,
        }
    }

    /// The value that the label has to have; any, where none is said.
    pub(super) fn value(&self) -> Option<&str> {
        match self {
            Self::Label { value, .. } => value.as_deref(),
            Self::Stack(name) => Some(name),
        }
    }

    /// Whether what carries these labels is in it.
    pub fn takes(&self, labels: &BTreeMap<String, String>) -> bool {
        labels.get(self.key()).is_some_and(|has| self.takes_value(has))
    }

    pub(super) fn takes_value(&self, has: &str) -> bool {
        self.value().is_none_or(|wanted| wanted == has)
    }
}

/// Whether what carries these labels is in one of them; no scope is everything.
pub(super) fn takes(scope: &[Scope], labels: &BTreeMap<String, String>) -> bool {
    scope.is_empty() || scope.iter().any(|part| part.takes(labels))
}

/// Whether two are the same, in whatever order.
pub(super) fn same(a: &[Scope], b: &[Scope]) -> bool {
    a.iter().collect::<BTreeSet<_>>() == b.iter().collect::<BTreeSet<_>>()
}

/// Puts what is about to be made into the scope: who makes it cannot say where it goes (S042).
pub(super) fn claim(scope: &[Scope], labels: &mut BTreeMap<String, String>) -> Result<(), Error> {
    let Some(first) = scope.first() else { return Ok(()) };
    let foreign = |key: &str, value: &str| {
        let mut of_this_key = scope.iter().filter(|part| part.key() == key).peekable();
        // Which stack something belongs to is a boundary for others, even where it is none for this one.
        (key == STACK || of_this_key.peek().is_some()) && !of_this_key.any(|part| part.takes_value(value))
    };
    if let Some((key, value)) = labels.iter().find(|(key, value)| foreign(key, value)) {
        let parts = scope.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        return Err(Error::Forbidden(format!(
            "The label {key}={value} would put it outside of what you look after, which is {parts}."
        )));
    }
    if !takes(scope, labels) {
        labels.insert(first.key().to_owned(), first.value().unwrap_or_default().to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn scopes_are_read_as_they_are_written() {
        for text in ["label:team=red", "label:team", "label:a=b=c", "label:team=", "stack:shop", "stack:a=b"] {
            assert_eq!(text.parse::<Scope>().map(|scope| scope.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "team=red", "label:", "label:=x", "stack:", "all:x"] {
            assert_eq!(text.parse::<Scope>(), Err(InvalidScope), "{text}");
        }
    }

    #[test]
    fn a_scope_takes_what_carries_its_label() {
        let takes = |scope: &str, pairs: &[(&str, &str)]| scope.parse::<Scope>().unwrap().takes(&labels(pairs));
        assert!(takes("label:team=red", &[("team", "red")]) && takes("label:team", &[("team", "blue")]));
        assert!(!takes("label:team=red", &[("team", "redder")]) && !takes("label:team=red", &[("Team", "red")]));
        assert!(takes("stack:shop", &[(STACK, "shop")]) && !takes("stack:shop", &[("stack", "shop")]));
        assert!(!takes("label:team", &[]));
    }

    #[test]
    fn s042_nobody_says_where_a_new_thing_goes() {
        let claim = |scope: &[&str], pairs: &[(&str, &str)]| {
            let scope: Vec<Scope> = scope.iter().map(|part| part.parse().unwrap()).collect();
            let mut labels = labels(pairs);
            claim(&scope, &mut labels).map(|()| labels).map_err(|error| error.to_string())
        };
        assert_eq!(claim(&[], &[("team", "red")]), Ok(labels(&[("team", "red")])));
        assert_eq!(claim(&["label:team=red"], &[]), Ok(labels(&[("team", "red")])));
        assert_eq!(claim(&["label:team=red", "label:team=blue"], &[("team", "blue")]), Ok(labels(&[("team", "blue")])));
        assert_eq!(claim(&["label:team"], &[]), Ok(labels(&[("team", "")])));
        assert_eq!(claim(&["stack:shop"], &[("a", "b")]), Ok(labels(&[("a", "b"), (STACK, "shop")])));
        for (scope, key, value) in
            [("label:team=red", "team", "blue"), ("stack:shop", STACK, "bank"), ("label:team=red", STACK, "bank")]
        {
            let why = claim(&[scope], &[(key, value)]).unwrap_err();
            assert!(why.contains(value) && why.contains(scope), "{why}");
        }
    }
}
