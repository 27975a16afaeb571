//! What scripts are told of files. Uploads and downloads are files themselves: see the README.

use super::json::{Look, Removal};
use crate::web::{
    answer::Done,
    doc::{Doc, Field},
};

/// A container, in a path.
pub fn container() -> Field {
    Field::like("id", "The container's full id.", "^[0-9a-f]{64}$")
}

/// A volume, in a path.
pub fn volume() -> Field {
    Field::like("name", "The volume's name.", "^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$")
}

fn path() -> Field {
    Field::text("path", "The path, from the root of the container or volume.", "/etc")
}

fn name(about: &'static str) -> Field {
    Field::text("name", about, "notes.txt").required()
}

pub fn browse(place: Field) -> Doc {
    Doc::new("List a folder, or read the beginning of a text file")
        .about("Files are sent by POST to files/upload?path=…, as multipart/form-data with a part `file`; they are had from files/download?path=…, with as=tar or as=zip for folders.")
        .place(place)
        .query([
            path(),
            Field::text("q", "Only entries whose name holds this.", "conf"),
            Field::sort(&["name", "size", "modified"]),
            Field::switch("more", "More of a large text."),
        ])
        .gives::<Look>(200, "What stands there.")
        .fails(403)
        .fails(409)
}

pub fn save(place: Field) -> Doc {
    Doc::new("Save a text file over what is there")
        .place(place)
        .query([path()])
        .body([
            path(),
            Field::text("text", "The text.", "").required(),
            Field::text(
                "digest",
                "The SHA-256 of what was read: it is saved only over that. Without, over whatever is there.",
                "",
            ),
            Field::one_of("ends", "How lines end.", ["lf", "crlf"]),
        ])
        .gives::<Done>(200, "It was saved.")
}

pub fn make_folder(place: Field) -> Doc {
    Doc::new("Make a folder")
        .place(place)
        .query([path()])
        .body([path(), name("Its name.")])
        .gives::<Done>(200, "It was made.")
}

pub fn rename(place: Field) -> Doc {
    Doc::new("Give a file or folder another name")
        .place(place)
        .query([path()])
        .body([path(), name("Its new name, in the same folder.")])
        .gives::<Done>(200, "It was renamed.")
}

pub fn ask_remove(place: Field) -> Doc {
    Doc::new("Say what removing would take").place(place).query([path()]).gives::<Removal>(200, "What would go.")
}

pub fn remove(place: Field) -> Doc {
    Doc::new("Remove a file or folder, with all that is in it")
        .place(place)
        .query([path()])
        .body([path()])
        .gives::<Done>(200, "It was removed.")
}
