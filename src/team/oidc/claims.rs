//! What a provider says of a person, read from whatever shape it has.

use openidconnect::AdditionalClaims;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How long a name may be, in characters: it is shown on every page.
const NAME: usize = 100;

/// How many groups of one person are looked at.
const GROUPS: usize = 1000;

/// All that the library has no field for.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Further(Map<String, Value>);

impl AdditionalClaims for Further {}

/// The claim at `path`: a name as it stands (which may have dots in it, as `https://example.com/groups`), else one part
/// after the other (`realm_access.roles`).
fn find<'claims>(claims: &'claims Value, path: &str) -> Option<&'claims Value> {
    let whole = claims.get(path).filter(|claim| !claim.is_null());
    whole.or_else(|| {
        path.match_indices('.').find_map(|(dot, _)| find(claims.get(path.get(..dot)?)?, path.get(dot + 1..)?))
    })
}

/// The groups at `path`, if the provider says anything there: a text is one group.
pub(in crate::team) fn groups(claims: &Value, path: &str) -> Option<Vec<String>> {
    match find(claims, path)? {
        Value::String(group) => Some(vec![group.clone()]),
        Value::Array(groups) => {
            Some(groups.iter().filter_map(Value::as_str).take(GROUPS).map(ToOwned::to_owned).collect())
        }
        _ => None,
    }
}

/// The name at `path`, if there is one.
pub(in crate::team) fn name(claims: &Value, path: &str) -> Option<String> {
    find(claims, path)?.as_str().map(|name| clean(name, NAME)).filter(|name| !name.is_empty())
}

/// Foreign text on one line and not endless.
pub(in crate::team) fn clean(text: &str, most: usize) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(most).collect();
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn groups_come_in_many_shapes() {
        let claims = json!({
            "groups": ["admins", 7, "people"], "group": "one", "none": null, "wrong": {"a": 1},
            "realm_access": {"roles": ["r"]}, "https://example.com/groups": ["u"], "a.b": {"c": ["deep"]},
        });
        let of = |path| groups(&claims, path);
        assert_eq!(of("groups"), Some(vec!["admins".to_owned(), "people".to_owned()]));
        assert_eq!(of("group"), Some(vec!["one".to_owned()]));
        assert_eq!(of("realm_access.roles"), Some(vec!["r".to_owned()]));
        assert_eq!(of("https://example.com/groups"), Some(vec!["u".to_owned()]));
        assert_eq!(of("a.b.c"), Some(vec!["deep".to_owned()]));
        for path in ["none", "wrong", "missing", "", ".", "realm_access.", "realm_access.roles.0"] {
            assert_eq!(of(path), None, "{path}");
        }
    }

    #[test]
    fn a_name_is_one_short_line() {
        let claims = json!({"a": " al\nice\u{1b}[2J ", "b": "\n", "c": "x".repeat(1000), "d": 1});
        assert_eq!(name(&claims, "a").as_deref(), Some("al ice [2J"));
        assert_eq!(name(&claims, "b"), None);
        assert_eq!(name(&claims, "c").map(|name| name.len()), Some(NAME));
        assert_eq!(name(&claims, "d"), None);
    }
}
