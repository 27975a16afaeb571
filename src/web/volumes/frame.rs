//! What stands around the pages of one volume.

use askama::Template;

use crate::{engine::VolumeName, team::Right, web::extract::Page};

/// The head of a volume's page other than its summary.
#[derive(Template)]
#[template(path = "volumes/_frame.html")]
pub struct VolumeFrame<'a> {
    name: &'a VolumeName,
    label: &'static str,
    command: String,
    tabs: VolumeTabs<'a>,
}

/// The tabs of a volume's pages.
#[derive(Template)]
#[template(
    source = r#"{% if reads %}<nav class="tabs" aria-label="Parts of {{ name }}"><ul><li><a href="/volumes/{{ name }}"{% if here == "Summary" %} aria-current="page"{% endif %}>Summary</a></li><li><a href="/volumes/{{ name }}/files"{% if here == "Files" %} aria-current="page"{% endif %}>Files</a></li></ul></nav>{% endif %}"#,
    ext = "html"
)]
pub struct VolumeTabs<'a> {
    name: &'a VolumeName,
    here: &'static str,
    reads: bool,
}

impl<'a> VolumeTabs<'a> {
    /// Those that this reader may open.
    pub fn new(page: &Page, name: &'a VolumeName, here: &'static str) -> Self {
        Self { name, here, reads: page.may(Right::Read) }
    }
}

impl<'a> VolumeFrame<'a> {
    /// Around what `command` shows.
    pub fn new(page: &Page, name: &'a VolumeName, label: &'static str, command: String) -> Self {
        Self { name, label, command, tabs: VolumeTabs::new(page, name, label) }
    }
}
