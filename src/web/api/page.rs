//! The page that tells people how scripts talk to this console.

use crate::web::filters;
use askama::Template;
use axum::response::Html;

use crate::{
    command::words::join,
    team::Right,
    web::{
        Error, Route,
        chrome::Chrome,
        doc::{Answer, Doc, Field, topic},
        extract::Page,
        html::html,
        routes,
    },
};

/// Something that can be asked for.
struct Operation<'a> {
    method: &'static str,
    path: String,
    doc: &'a Doc,
    right: Option<Right>,
}

impl<'a> Operation<'a> {
    fn all(route: &'a Route) -> impl Iterator<Item = Self> {
        route.docs.iter().map(|doc| Self {
            method: route.method,
            path: doc.path.clone().unwrap_or_else(|| route.path.to_owned()),
            doc,
            right: route.right,
        })
    }

    /// What it can be linked by.
    fn id(&self) -> String {
        format!("{}{}", self.method.to_lowercase(), self.path.replace(['/', '{', '}', '.'], "-"))
    }

    fn least(&self) -> &'static str {
        self.right.map_or("nobody", |right| right.least().word())
    }

    fn query(&self) -> &[Field] {
        &self.doc.query
    }

    fn body(&self) -> &[Field] {
        self.doc.body.as_deref().unwrap_or_default()
    }

    fn answers(&self) -> &[Answer] {
        &self.doc.answers
    }

    fn failures(&self) -> Vec<(u16, &'static str)> {
        self.doc.failures(self.method, self.right.is_some()).into_iter().collect()
    }

    /// The line that asks for it.
    fn curl(&self, at: &str) -> String {
        let mut line = String::from("curl -H \"Authorization: Bearer $TOKEN\" -H 'Accept: application/json'");
        if self.method == "POST" {
            line.push_str(" -X POST");
        }
        for field in self.body().iter().filter(|field| field.is_required) {
            line.push_str(" -d ");
            line.push_str(&join([format!("{}={}", field.name, field.kind.example())]));
        }
        format!("{line} {}", join([format!("{at}{}", self.path)]))
    }
}

/// Operations on one kind of thing.
struct Group<'a> {
    name: String,
    operations: Vec<Operation<'a>>,
}

#[derive(Template)]
#[template(path = "api/page.html")]
struct ApiPage<'a> {
    chrome: Chrome,
    groups: Vec<Group<'a>>,
    at: String,
    has_accounts: bool,
}

/// `GET /api`
pub async fn page(page: Page) -> Result<Html<String>, Error> {
    let routes = routes();
    let mut groups: Vec<Group<'_>> = Vec::new();
    for operation in routes.list().iter().flat_map(Operation::all) {
        let name = topic(&operation.path).to_owned();
        match groups.iter_mut().find(|group| group.name == name) {
            Some(group) => group.operations.push(operation),
            None => groups.push(Group { name, operations: vec![operation] }),
        }
    }
    html(&ApiPage {
        chrome: Chrome::new(&page, "For scripts"),
        groups,
        at: page.whole(""),
        has_accounts: page.asker.rules.has_accounts,
    })
}
