//! A body of JSON, read as the fields of a form: scripts send what forms send. Nothing of it is passed on as it came
//! (S038): a name that stands twice, which one reader would take for the first and another for the last, is refused.

use std::fmt;

use axum::http::StatusCode;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Value, error::Category};

use super::{Error, extract::Fields};

/// An object as it was sent: in its order, with what stands twice.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of fields")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        from.deserialize_map(Read)
    }
}

/// The names that nothing is sent for: they have to be known all the same.
pub(super) fn blank_of_json(body: &[u8]) -> Vec<(String, String)> {
    let Ok(Members(members)) = serde_json::from_slice(body) else { return Vec::new() };
    let is_blank = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    members.into_iter().filter(|(_, value)| is_blank(value)).map(|(name, _)| (name, String::new())).collect()
}

/// The fields of `{"name": "web", "force": true, "id": ["…", "…"], "timeout": 5, "user": null}`: a list is a field
/// that is repeated, nothing (`null`) one that is not sent.
pub(super) fn of_json(body: &[u8]) -> Result<Vec<(String, String)>, Error> {
    let wrong = |field: &str, why: &str| {
        Error::of_fields(StatusCode::UNPROCESSABLE_ENTITY, "That cannot be taken like this.", [(field, why)])
    };
    let Members(members) = serde_json::from_slice(body).map_err(|error| {
        let status = match error.classify() {
            Category::Data => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::BAD_REQUEST,
        };
        Error::new(status, "That cannot be read.", format!("The body is no JSON object of fields: {error}."))
    })?;
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut names = std::collections::HashSet::new();
    for (name, value) in members {
        if !names.insert(name.clone()) {
            return Err(wrong(&name, "It stands there twice: send a list for a field that is repeated."));
        }
        let values = match value {
            Value::Null => Vec::new(),
            Value::Array(values) => values,
            one => vec![one],
        };
        for value in values {
            let text = match value {
                Value::String(text) => text,
                Value::Bool(is) => is.to_string(),
                Value::Number(number) => number.to_string(),
                Value::Null | Value::Array(_) | Value::Object(_) => {
                    return Err(wrong(&name, "A field is a text, a number, true, false, null, or a list of texts."));
                }
            };
            fields.push((name.clone(), text));
        }
    }
    Ok(fields)
}

/// The rows of a form as they were sent: a name and a value each.
pub fn rows(fields: &Fields, what: &str) -> Vec<(String, String)> {
    let (names, values) = (format!("{what}-name"), format!("{what}-value"));
    let values: Vec<&str> = fields.all(&values).collect();
    let pair = |(row, name): (usize, &str)| (name.to_owned(), values.get(row).copied().unwrap_or_default().to_owned());
    fields.all(&names).enumerate().map(pair).collect()
}

/// The names and values of a form; a value without a name is an error. Scripts may send whole `name=value` fields.
pub fn pairs(fields: &Fields, what: &'static str, errors: &mut Vec<(&'static str, String)>) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for (name, value) in rows(fields, what) {
        match (name.trim(), value) {
            ("", value) if value.is_empty() => {}
            ("", value) => errors.push((what, format!("“{value}” has no name."))),
            (name, value) => pairs.push((name.to_owned(), value)),
        }
    }
    for whole in fields.all(what).flat_map(str::lines).map(str::trim).filter(|whole| !whole.is_empty()) {
        let (name, value) = whole.split_once('=').unwrap_or((whole, ""));
        pairs.push((name.to_owned(), value.to_owned()));
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_read_as_a_form() {
        let read = |text: &str| of_json(text.as_bytes()).map_err(|error| error.status().as_u16());
        let pairs = |pairs: &[(&str, &str)]| Ok(pairs.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect());
        assert_eq!(read("{}"), pairs(&[]));
        assert_eq!(
            read(r#"{"b":"x","a":[1,"2",true],"c":null,"d":[],"e":1.5,"f":false}"#),
            pairs(&[("b", "x"), ("a", "1"), ("a", "2"), ("a", "true"), ("e", "1.5"), ("f", "false")])
        );
        for (text, status) in [
            ("", 400),
            ("{", 400),
            ("a=b", 400),
            ("{} {}", 400),
            ("[]", 422),
            ("null", 422),
            (r#""a""#, 422),
            (r#"{"a":{}}"#, 422),
            (r#"{"a":[null]}"#, 422),
            (r#"{"a":[["b"]]}"#, 422),
        ] {
            assert_eq!(read(text), Err(status), "{text}");
        }
        let twice = of_json(br#"{"privileged":false,"privileged":true}"#).expect_err("it stands twice");
        assert!(twice.line().contains("privileged"), "{}", twice.line());
    }
}
