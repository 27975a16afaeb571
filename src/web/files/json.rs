//! The same for scripts.

use serde::Serialize;
use utoipa::ToSchema;

use super::browse::Want;
use crate::{
    engine::{FileEntry, FilePath, Inside, Looked},
    web::html::datetime,
};

/// What stands at a path.
#[derive(Serialize, ToSchema)]
pub struct Look {
    /// The path.
    pub path: String,
    /// folder, file, link, pipe, socket, device or other.
    pub kind: &'static str,
    /// Bytes, as it says itself.
    pub size: u64,
    /// The permissions, in octal.
    pub mode: String,
    /// When it was changed last.
    pub modified: Option<String>,
    /// Where a link leads.
    pub target: Option<String>,
    /// What is in a folder; no entries for what is none.
    pub entries: Vec<Entry>,
    /// Whether there are more entries than were read.
    pub partial: bool,
    /// The text of a file, as far as it was read; none for what is no text.
    pub text: Option<String>,
    /// Whether that is all of it.
    pub is_whole: bool,
}

/// Something in a folder.
#[derive(Serialize, ToSchema)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Whether the name is exact: what is not UTF-8 is replaced, and cannot be asked for.
    pub is_exact: bool,
    /// folder, file, link, pipe, socket, device or other.
    pub kind: &'static str,
    /// Bytes, as it says itself.
    pub size: u64,
    /// The permissions, in octal.
    pub mode: String,
    /// Whom it belongs to, as number or name.
    pub owner: String,
    /// When it was changed last.
    pub modified: Option<String>,
    /// Where a link leads.
    pub target: Option<String>,
}

impl Entry {
    fn new(entry: &FileEntry) -> Self {
        Self {
            name: entry.name.clone(),
            is_exact: entry.is_exact,
            kind: entry.kind.word(),
            size: entry.size,
            mode: format!("{:04o}", entry.mode),
            owner: entry.owner(),
            modified: entry.modified.map(datetime),
            target: entry.target.clone(),
        }
    }
}

impl Look {
    pub fn new(path: &FilePath, looked: &Looked, want: &Want) -> Self {
        let (entries, partial) = match &looked.inside {
            Inside::Folder(listing) => {
                (want.pick(&listing.entries).iter().map(Entry::new).collect(), listing.partial.is_some())
            }
            _ => (Vec::new(), false),
        };
        let (text, is_whole) = match &looked.inside {
            Inside::File(content) => (content.text().map(str::to_owned), content.is_whole),
            _ => (None, true),
        };
        let found = &looked.found;
        Self {
            path: path.to_string(),
            kind: found.kind.word(),
            size: found.size,
            mode: format!("{:04o}", found.mode),
            modified: found.modified.map(datetime),
            target: found.target.clone(),
            entries,
            partial,
            text,
            is_whole,
        }
    }
}

/// What would go.
#[derive(Serialize, ToSchema)]
pub struct Removal {
    /// The docker command that does the same.
    pub command: String,
    /// The path.
    pub path: String,
    /// What it is.
    pub kind: &'static str,
    /// How many files, folders and others go, itself included; none where that is not known.
    pub count: Option<u32>,
    /// Whether there are more than were counted.
    pub is_more: bool,
}
