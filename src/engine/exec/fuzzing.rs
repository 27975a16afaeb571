//! See [`crate::fuzzing`].

use super::frames::Frames;
use crate::engine::fuzzing::chunks;

/// What a process without a terminal says, the bytes cut by whatever `next` says.
pub(crate) fn content(data: &[u8], next: impl FnMut() -> usize) -> Vec<u8> {
    let mut frames = Frames::default();
    chunks(data, next).into_iter().flat_map(|chunk| frames.content(chunk)).collect()
}
