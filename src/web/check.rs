//! Scripts are held to what they are told: a filter that is mistyped must not list everything to who is about to remove
//! it. The one place that compares a request with the `Doc` of its route. Pages are more forgiving: whoever looks at
//! one sees what is filtered.

use std::{borrow::Cow, sync::Arc};

use axum::{
    extract::Request,
    http::{StatusCode, Uri},
    middleware::Next,
    response::Response,
};

use super::{
    Error, accept,
    doc::{Doc, Field, Kind},
    extract::{Fields, is_on},
};

/// Checks the query; what reads the body finds its `Doc` in the request.
pub(super) async fn address(docs: Arc<[Arc<Doc>]>, mut request: Request, next: Next) -> Result<Response, Error> {
    if accept::wants_json(request.headers())
        && let Some(doc) = of(&docs, request.uri()).cloned()
    {
        let sent = Fields::parse(request.uri().query().unwrap_or_default().as_bytes());
        // A link is written whole: what is blank in it was meant to be something.
        held(&doc.query, &sent, false)?;
        request.extensions_mut().insert(doc);
    }
    Ok(next.run(request).await)
}

/// The one of a route that speaks of this path: they differ in the last word.
fn of<'a>(docs: &'a [Arc<Doc>], uri: &Uri) -> Option<&'a Arc<Doc>> {
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    docs.iter().find(|doc| doc.path.as_deref().is_none_or(|path| last(path) == last(uri.path())))
}

/// What forms send for themselves, and scripts that have it from them.
const OF_FORMS: [&str; 2] = ["back", "then"];

/// Whether what was sent is what these take. What is blank counts as not sent.
pub(super) fn fields(known: &[Field], sent: &Fields) -> Result<(), Error> {
    held(known, sent, true)
}

fn held(known: &[Field], sent: &Fields, takes_blank: bool) -> Result<(), Error> {
    let is_known = |name: &str| OF_FORMS.contains(&name) || known.iter().any(|field| field.name == name);
    let unknown = sent.0.iter().filter(|(name, _)| !is_known(name));
    let unknown = unknown.map(|(name, _)| (name.clone().into(), "There is no such field here.".to_owned()));
    let wrong = |field: &Field| {
        let mut values = sent.all(&field.name).map(str::trim).filter(|value| !(takes_blank && value.is_empty()));
        let why = values.find_map(|value| why_not(&field.kind, value))?;
        Some((field.name.clone(), why))
    };
    let wrong: Vec<(Cow<'_, str>, String)> = known.iter().filter_map(wrong).chain(unknown).take(20).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Error::of_fields(StatusCode::UNPROCESSABLE_ENTITY, "That cannot be taken like this.", wrong))
}

/// Why a value is none of its kind. The form of names is checked where they are parsed.
fn why_not(kind: &Kind, value: &str) -> Option<String> {
    let fits = match kind {
        Kind::Number(least, most) => value.parse::<i64>().is_ok_and(|number| (*least..=*most).contains(&number)),
        Kind::Switch if value.is_empty() => false,
        Kind::Switch => is_on(value) == ["1", "true", "on", "yes"].iter().any(|on| value.eq_ignore_ascii_case(on)),
        Kind::OneOf(words) => words.contains(&value),
        Kind::Sort(words) => words.contains(&value.strip_prefix('-').unwrap_or(value)),
        Kind::Text(_) | Kind::Like(_) | Kind::List(_) | Kind::ListLike(_) => true,
    };
    let value: String = value.chars().take(100).collect();
    (!fits).then(|| format!("“{value}” is not among what it takes: {}.", kind.words()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_mistyped_is_told_at_its_field() {
        let known = [
            Field::one_of("show", "", ["all", "running"]),
            Field::number("page", "", 1, 9),
            Field::switch("force", ""),
            Field::text("q", "", ""),
            Field::sort(&["name", "state"]),
        ];
        let check = |query: &str| fields(&known, &Fields::parse(query.as_bytes())).map_err(|error| error.line());
        for fine in ["", "show=all&page=9&force=TRUE&q=x&sort=-state", "show=&page=&back=/", "force=0", "force=off"] {
            assert_eq!(check(fine), Ok(()), "{fine}");
        }
        assert!(held(&known, &Fields::parse(b"force="), false).is_err());
        for wrong in [
            "show=al",
            "show=all&show=x",
            "page=0",
            "page=10",
            "page=1.5",
            "force=maybe",
            "sort=-",
            "sort=x",
            "shwo=all",
        ] {
            let told = check(wrong).expect_err(wrong);
            let name = wrong.split('=').next().unwrap_or_default();
            assert!(told.contains(name), "{told}");
        }
    }
}
