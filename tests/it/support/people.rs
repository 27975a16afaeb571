//! People at a console: an administrator who is there from the start, and others whom it makes.

use std::path::Path;

use super::{
    Answer, Console,
    console::{Ask, Start},
    until,
};

/// A password that is good enough.
pub const PASSWORD: &str = "correct horse battery staple";

/// Somebody who has signed in, or a script with a token.
#[derive(Clone, Debug)]
pub struct Person {
    header: (&'static str, String),
}

impl Start {
    /// With a first administrator, `admin`, who has `PASSWORD`.
    pub fn administered(self) -> Self {
        let file = self.data().join("password");
        std::fs::write(&file, format!("{PASSWORD}\n")).expect("a file");
        self.arg("--admin-password-file").arg(&file.display().to_string())
    }
}

impl Console {
    /// Where people sign in, with an administrator, ready.
    pub async fn administered(socket: &Path) -> Self {
        Self::with_people(socket).administered().ready().await
    }

    /// Somebody signs in.
    pub async fn sign_in(&self, name: &str, password: &str) -> Answer {
        self.post("/login", &[("name", name), ("password", password)]).await
    }

    /// Somebody who has signed in.
    pub async fn person(&self, name: &str) -> Person {
        let answer = self.sign_in(name, PASSWORD).await;
        assert_eq!(answer.status, 303, "{name} does not get in:\n{}", answer.said());
        Person::of(&answer)
    }

    /// The first administrator.
    pub async fn admin(&self) -> Person {
        self.person("admin").await
    }

    /// Makes an account, and has its owner sign in.
    pub async fn hire(&self, admin: &Person, name: &str, role: &str, scope: &str) -> Person {
        let fields = [("name", name), ("role", role), ("scope", scope), ("password", PASSWORD)];
        self.by(admin, "POST", "/people").form(&fields).send().await.expect(201);
        self.person(name).await
    }

    /// A script with a token of this person's.
    pub async fn token(&self, person: &Person, fields: &[(&str, &str)]) -> Person {
        let page = self.by(person, "POST", "/me/tokens").form(fields).send().await;
        let token = page.text("#fresh-token");
        assert!(token.starts_with("wheelhouse_"), "{}", page.said());
        Person::with_token(&token)
    }

    /// Waits until somebody's list has this container.
    pub async fn sees_as(&self, person: &Person, id: &str) {
        let row = format!("[id='container-{id}']");
        until("the list shows it", async || {
            let page = self.by(person, "GET", &format!("/containers?q={id}")).send().await;
            page.has(&row).then_some(())
        })
        .await;
    }

    /// A request of somebody: a browser's says where it comes from.
    pub fn by(&self, person: &Person, method: &str, path: &str) -> Ask {
        let ask = self.ask(method, path).header(person.header.0, &person.header.1);
        match person.header.0 {
            "cookie" => ask.header("origin", &self.origin()),
            _ => ask,
        }
    }
}

impl Person {
    /// Whoever got this cookie.
    pub fn of(answer: &Answer) -> Self {
        let cookies = answer.headers.get_all("set-cookie").iter().filter_map(|line| line.to_str().ok());
        let session = cookies.filter(|line| !line.contains("Max-Age=0")).find(|line| line.contains("wheelhouse="));
        let session = session.unwrap_or_else(|| panic!("no cookie:\n{}", answer.said()));
        Self { header: ("cookie", session.split(';').next().unwrap_or_default().to_owned()) }
    }

    /// With this cookie.
    pub fn with_cookie(cookie: &str) -> Self {
        Self { header: ("cookie", cookie.to_owned()) }
    }

    /// With this token.
    pub fn with_token(token: &str) -> Self {
        Self { header: ("authorization", format!("Bearer {token}")) }
    }

    /// The header that shows who they are.
    pub fn header(&self) -> (&str, &str) {
        (self.header.0, &self.header.1)
    }
}
