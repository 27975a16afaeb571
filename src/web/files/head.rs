//! What stands around the pages of files: the container's frame, or the volume's.

use super::Spot;
use crate::{
    engine::FilePlace,
    web::{
        Error,
        chrome::Chrome,
        containers::{Frame, Tab, find},
        extract::Page,
        html::html,
        volumes::VolumeFrame,
    },
};

/// The head of a page, drawn, and what stands around all of it.
pub struct Head {
    pub chrome: Chrome,
    pub html: String,
}

impl Head {
    /// Around what `command` shows.
    pub fn new(page: &Page, spot: &Spot, command: String) -> Result<Self, Error> {
        match &spot.place {
            FilePlace::Container(id) => {
                let container = find(page, id)?;
                let frame = Frame::new(page, &container, Tab::Files, command);
                Ok(Self { chrome: frame.chrome(page), html: html(&frame)?.0 })
            }
            FilePlace::Volume(name) => {
                let frame = VolumeFrame::new(page, name, "Files", command);
                Ok(Self { chrome: Chrome::new(page, format!("{name}: files")), html: html(&frame)?.0 })
            }
        }
    }
}
