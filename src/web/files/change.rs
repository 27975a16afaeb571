//! Changing what is there: editing a text, making folders, renaming, removing.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};

use super::{
    Spot, Target,
    browse::{explain, in_volume},
    head::Head,
    json, path_of,
};
use crate::web::filters;
use crate::{
    command::echo,
    engine::{Content, Error as EngineError, FileEntry, FileKind, FileName, FilePath, FilePlace, InvalidPath, Saved},
    web::{
        Error,
        chrome::Chrome,
        deed::Fault,
        extract::{Fields, Page, Query},
        html::{bytes, html},
    },
};

/// How the lines of a text end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    Lf,
    CrLf,
    /// Some so, some so: a browser's field cannot keep that.
    Mixed,
}

impl Ends {
    fn of(text: &str) -> Self {
        let (all, crlf) = (text.matches('\n').count(), text.matches("\r\n").count());
        let lone = text.matches('\r').count() > crlf;
        match (lone, crlf) {
            (true, _) => Self::Mixed,
            (false, 0) => Self::Lf,
            (false, crlf) if crlf == all => Self::CrLf,
            _ => Self::Mixed,
        }
    }

    fn word(self) -> &'static str {
        if self == Self::CrLf { "crlf" } else { "lf" }
    }

    /// As it was, out of what a browser sends: it ends every line with both.
    fn put(word: Option<&str>, text: &str) -> String {
        let plain = text.replace("\r\n", "\n").replace('\r', "\n");
        if word == Some("crlf") { plain.replace('\n', "\r\n") } else { plain }
    }
}

#[derive(Template)]
#[template(path = "files/edit.html")]
struct EditPage {
    chrome: Chrome,
    head: String,
    path: FilePath,
    action: String,
    back: String,
    text: String,
    digest: String,
    ends: &'static str,
    /// What somebody else has made of it meanwhile.
    theirs: Option<String>,
    facts: String,
    command: String,
}

fn facts(entry: &FileEntry) -> String {
    format!("{} · {} · {}", bytes(entry.size), entry.mode_words(), entry.owner())
}

fn edit_command(spot: &Spot, path: &FilePath) -> String {
    match spot.place {
        FilePlace::Container(_) => echo::cp_to(&spot.name, path.name(), path.parent().as_str()),
        FilePlace::Volume(_) => super::browse::upload_command(spot, path.name(), &path.parent()),
    }
}

/// A text that can be edited as one.
fn text_of(content: &Content, path: &FilePath) -> Result<String, Error> {
    let why = match content.text() {
        Some(text) if Ends::of(text) != Ends::Mixed => return Ok(text.to_owned()),
        Some(_) => "Its lines end some with LF and some with CR LF: a field of a page would make them all the same.",
        None => "It is not text in UTF-8.",
    };
    Err(Error::new(StatusCode::UNPROCESSABLE_ENTITY, format!("{path} cannot be edited here."), why))
}

/// `GET …/files/edit?path=/etc/motd`
pub async fn edit(Target(place): Target, page: Page, Query(query): Query) -> Result<Response, Error> {
    let path = path_of(query.get("path"))?;
    let spot = Spot::new(&page, place)?;
    let content = page.engine.files(&spot.place).read(&path).await.map_err(|error| explain(error, &spot, &path))?;
    let text = text_of(&content, &path)?;
    Ok(form(&page, &spot, &path, text, &content, false)?.into_response())
}

fn form(
    page: &Page,
    spot: &Spot,
    path: &FilePath,
    text: String,
    content: &Content,
    is_conflict: bool,
) -> Result<Html<String>, Error> {
    let command = edit_command(spot, path);
    let Head { chrome, html: head } = Head::new(page, spot, command.clone())?;
    let now = content.text().unwrap_or_default();
    html(&EditPage {
        chrome,
        head,
        action: spot.href("edit", path),
        back: spot.href("", path),
        digest: content.digest(),
        ends: Ends::of(now).word(),
        theirs: is_conflict.then(|| now.to_owned()),
        facts: facts(&content.entry),
        path: path.clone(),
        text,
        command,
    })
}

/// The path of a form: its field, else the address.
fn asked(page: &Page, fields: &Fields) -> Result<FilePath, Error> {
    let query = Fields::parse(page.uri.query().unwrap_or_default().as_bytes());
    path_of(fields.get("path").or(query.get("path")))
}

/// `POST …/files/edit?path=/etc/motd`
pub async fn save(Target(place): Target, page: Page, fields: Fields) -> Result<Response, Error> {
    let path = asked(&page, &fields)?;
    let spot = Spot::new(&page, place)?;
    let Some(typed) = fields.get("text") else {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Err(Error::of_fields(status, "There is nothing to save.", [("text", "It is missing.")]));
    };
    let text = if page.wants_json && fields.get("ends").is_none() {
        typed.to_owned()
    } else {
        Ends::put(fields.get("ends"), typed)
    };
    let digest = fields.text("digest").map(str::to_owned);
    let command = edit_command(&spot, &path);
    let deed = spot.deed("file.edit", &command, path.as_str());
    let (engine, place, of, put) = (page.engine.clone(), spot.place.clone(), path.clone(), text.clone());
    let work = async move {
        match engine.files(&place).save(&of, &put, digest.as_deref()).await {
            Ok(Saved::Done) => Ok(()),
            Ok(Saved::Changed(content)) => Err(NotSaved::Changed(content)),
            Err(error) => Err(NotSaved::Failed(error)),
        }
    };
    match page.does(deed, work).await? {
        Ok(()) => page.done(&format!("{path} was saved."), &command, &spot.href("", &path)),
        Err(NotSaved::Failed(error)) => Err(explain(error, &spot, &path).what(format!("{path} was not saved."))),
        Err(NotSaved::Changed(content)) => {
            let what = format!("{path} was not saved: somebody has changed it meanwhile.");
            let why = [("digest", format!("It is {} now.", content.digest()))];
            page.wrong(StatusCode::CONFLICT, &what, why, || form(&page, &spot, &path, text, &content, true))
        }
    }
}

/// Why a text was not saved.
enum NotSaved {
    Changed(Content),
    Failed(EngineError),
}

impl std::fmt::Display for NotSaved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Changed(_) => f.write_str("it was changed meanwhile"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl Fault for NotSaved {
    fn is_refusal(&self) -> bool {
        matches!(self, Self::Failed(error) if error.is_refusal())
    }
}

fn name_of(fields: &Fields) -> Result<FileName, Error> {
    fields.get("name").unwrap_or_default().parse().map_err(|why: InvalidPath| {
        let why = format!("{why}.");
        Error::of_fields(StatusCode::UNPROCESSABLE_ENTITY, "That is not a name.", [("name", why)])
    })
}

/// `POST …/files/folder?path=/srv`, with `name`
pub async fn make_folder(Target(place): Target, page: Page, fields: Fields) -> Result<Response, Error> {
    let (folder, name) = (asked(&page, &fields)?, name_of(&fields)?);
    let spot = Spot::new(&page, place)?;
    let path = folder.join(name.as_str());
    let command = match spot.place {
        FilePlace::Container(_) => echo::exec_root(&spot.name, &["mkdir", path.as_str()]),
        FilePlace::Volume(_) => echo::volume_run(&spot.name, true, &["mkdir", &in_volume(&path)]),
    };
    let deed = spot.deed("file.folder", &command, path.as_str());
    let (engine, place, to) = (page.engine.clone(), spot.place.clone(), folder.clone());
    let made = page.does(deed, async move { engine.files(&place).make_folder(&to, &name).await }).await?;
    made.map_err(|error| Error::from(error).what(format!("{path} was not made.")))?;
    page.done(&format!("The folder {path} was made."), &command, &spot.href("", &folder))
}

#[derive(Template)]
#[template(path = "files/rename.html")]
struct RenamePage {
    chrome: Chrome,
    head: String,
    path: FilePath,
    action: String,
    back: String,
    command: String,
}

fn rename_command(spot: &Spot, path: &FilePath, new: &FilePath) -> String {
    match spot.place {
        FilePlace::Container(_) => echo::exec_root(&spot.name, &["mv", "--", path.as_str(), new.as_str()]),
        FilePlace::Volume(_) => echo::volume_run(&spot.name, true, &["mv", "--", &in_volume(path), &in_volume(new)]),
    }
}

/// `GET …/files/rename?path=/srv/a`
pub async fn ask_rename(Target(place): Target, page: Page, Query(query): Query) -> Result<Response, Error> {
    let path = path_of(query.get("path"))?;
    let spot = Spot::new(&page, place)?;
    let command = rename_command(&spot, &path, &path.parent().join("NEW_NAME"));
    let Head { chrome, html: head } = Head::new(&page, &spot, command.clone())?;
    let shown = RenamePage {
        chrome,
        head,
        action: spot.href("rename", &path),
        back: spot.href("", &path.parent()),
        path,
        command,
    };
    Ok(html(&shown)?.into_response())
}

/// `POST …/files/rename?path=/srv/a`, with `name`
pub async fn rename(Target(place): Target, page: Page, fields: Fields) -> Result<Response, Error> {
    let (path, name) = (asked(&page, &fields)?, name_of(&fields)?);
    let spot = Spot::new(&page, place)?;
    let new = path.parent().join(name.as_str());
    let command = rename_command(&spot, &path, &new);
    let deed = spot.deed("file.rename", &command, path.as_str());
    let (engine, place, of) = (page.engine.clone(), spot.place.clone(), path.clone());
    let done = page.does(deed, async move { engine.files(&place).rename(&of, &name).await }).await?;
    done.map_err(|error| explain(error, &spot, &path).what(format!("{path} was not renamed.")))?;
    page.done(&format!("{path} is now called {}.", new.name()), &command, &spot.href("", &path.parent()))
}

#[derive(Template)]
#[template(path = "files/remove.html")]
struct RemovePage {
    chrome: Chrome,
    head: String,
    path: FilePath,
    word: &'static str,
    facts: String,
    is_link: bool,
    target: String,
    inside: String,
    action: String,
    back: String,
    command: String,
}

fn remove_command(spot: &Spot, path: &FilePath, is_folder: bool) -> String {
    let flags = if is_folder { "-rf" } else { "-f" };
    match spot.place {
        FilePlace::Container(_) => echo::exec_root(&spot.name, &["rm", flags, "--", path.as_str()]),
        FilePlace::Volume(_) => echo::volume_run(&spot.name, true, &["rm", flags, "--", &in_volume(path)]),
    }
}

/// What can be removed: not the folder that everything is in.
fn removable(path: FilePath) -> Result<FilePath, Error> {
    if path.is_root() {
        let (status, why) = (StatusCode::UNPROCESSABLE_ENTITY, "Everything is in it: say what is to go.");
        return Err(Error::of_fields(status, "The root is not removed.", [("path", why)]));
    }
    Ok(path)
}

/// `GET …/files/remove?path=/srv/a`: exactly what would go.
pub async fn ask_remove(Target(place): Target, page: Page, Query(query): Query) -> Result<Response, Error> {
    let path = removable(path_of(query.get("path"))?)?;
    let spot = Spot::new(&page, place)?;
    let weighed = page.engine.files(&spot.place).weigh(&path).await;
    let (entry, weight) = weighed.map_err(|error| explain(error, &spot, &path))?;
    let command = remove_command(&spot, &path, entry.kind == FileKind::Folder);
    let data = || json::Removal {
        command: command.clone(),
        path: path.to_string(),
        kind: entry.kind.word(),
        count: weight.count,
        is_more: weight.is_more,
    };
    let inside = match weight.count {
        _ if entry.kind != FileKind::Folder => String::new(),
        None => "How much is in it is not known.".to_owned(),
        Some(1) => "It is empty.".to_owned(),
        Some(count) => {
            let more = if weight.is_more { "more than " } else { "" };
            format!("With it {more}{} that is in it.", crate::web::html::count(count as usize - 1, "thing"))
        }
    };
    page.show(data, || {
        let Head { chrome, html: head } = Head::new(&page, &spot, command.clone())?;
        html(&RemovePage {
            chrome,
            head,
            word: entry.kind.word(),
            facts: facts(&entry),
            is_link: entry.kind == FileKind::Link,
            target: entry.target.clone().unwrap_or_default(),
            inside,
            action: spot.href("remove", &path),
            back: spot.href("", &path.parent()),
            command: command.clone(),
            path: path.clone(),
        })
    })
}

/// `POST …/files/remove?path=/srv/a`
pub async fn remove(Target(place): Target, page: Page, fields: Fields) -> Result<Response, Error> {
    let path = removable(asked(&page, &fields)?)?;
    let spot = Spot::new(&page, place)?;
    let command = remove_command(&spot, &path, true);
    let deed = spot.deed("file.delete", &command, path.as_str());
    let (engine, place, of) = (page.engine.clone(), spot.place.clone(), path.clone());
    let done = page.does(deed, async move { engine.files(&place).remove(&of).await }).await?;
    done.map_err(|error| explain(error, &spot, &path).what(format!("{path} was not removed.")))?;
    page.done(&format!("{path} was removed."), &command, &spot.href("", &path.parent()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_stay_as_they_were() {
        for (text, ends) in [
            ("a\nb\n", Ends::Lf),
            ("a\r\nb\r\n", Ends::CrLf),
            ("a\r\nb\n", Ends::Mixed),
            ("a\rb", Ends::Mixed),
            ("", Ends::Lf),
        ] {
            assert_eq!(Ends::of(text), ends, "{text:?}");
        }
        assert_eq!(Ends::put(Some("lf"), "a\r\nb\r\n"), "a\nb\n");
        assert_eq!(Ends::put(Some("crlf"), "a\r\nb\n"), "a\r\nb\r\n");
    }
}
