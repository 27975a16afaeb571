//! What the forms about images have in common.

use crate::{
    command::image,
    engine::ImageId,
    web::{deed::Deed, error::sentence, extract::Fields},
};

/// What is wrong with which field.
pub type Errors = Vec<(&'static str, String)>;

/// The first thing that is wrong with a field.
pub fn error_of<'a>(errors: &'a Errors, field: &str) -> Option<&'a str> {
    errors.iter().find(|(name, _)| *name == field).map(|(_, why)| why.as_str())
}

/// A reference as it was typed, and what is wrong with it.
pub fn reference(fields: &Fields, errors: &mut Errors) -> String {
    let reference = fields.text("reference").unwrap_or_default().to_owned();
    if let Err(why) = image::check(&reference) {
        errors.push(("reference", sentence(&why)));
    } else if reference.parse::<ImageId>().is_ok() {
        errors.push(("reference", "That is an id: registries know names.".to_owned()));
    }
    reference
}

/// Something done to an image.
pub fn deed(action: &str, id: &str, name: &str, command: &str) -> Deed {
    Deed::new(format!("image.{action}"), "image", id, name, command)
}
