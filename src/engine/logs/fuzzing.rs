//! What has to hold for whatever stands in a log: see [`crate::fuzzing`].
#![expect(clippy::missing_panics_doc, reason = "what does not hold panics: that is what they are for")]

use super::{
    Painter,
    frames::{Broken, Decoder, Long},
    line::{LINE, Line},
};
use crate::engine::{exec::fuzzing::content, fuzzing::chunks};

fn decoded(is_bare: bool, long: Long, data: &[u8], next: impl FnMut() -> usize) -> (Vec<Line>, Option<Broken>) {
    let (mut decoder, mut lines) = (Decoder::new(is_bare, long), Vec::new());
    for chunk in chunks(data, next) {
        if let Err(broken) = decoder.push(chunk, &mut lines) {
            return (lines, Some(broken));
        }
    }
    decoder.end(&mut lines);
    assert!(decoder.open().next().is_none(), "what has ended has nothing left that is open");
    (lines, None)
}

/// A log, framed or bare: the same lines wherever it is cut, none of them longer than is kept or with an end in it; and
/// of its colours nothing is left in the text.
pub fn log(data: &[u8]) {
    for (is_bare, long) in [(false, Long::Cut), (true, Long::Cut), (false, Long::Pieces), (true, Long::Pieces)] {
        let (lines, broken) = decoded(is_bare, long, data, || usize::MAX);
        assert_eq!(decoded(is_bare, long, data, || 1), (lines.clone(), broken.clone()));
        let mut size = 1;
        let any = || {
            size = size % 61 + 7;
            size
        };
        assert_eq!(decoded(is_bare, long, data, any), (lines.clone(), broken));
        let mut painter = Painter::default();
        for line in lines {
            assert!(line.text.len() <= LINE && !line.text.contains(&b'\n'), "{line:?}");
            let _ = (line.time(), line.sum());
            let painted = painter.paint(&line.text);
            assert!(!painted.text.contains('\u{1b}'), "{painted:?}");
            let starts: Vec<usize> = painted.spans.iter().map(|(at, _)| *at).collect();
            assert!(starts.first() == Some(&0) && starts.is_sorted_by(|a, b| a < b), "{starts:?}");
            assert!(starts.iter().all(|at| painted.text.is_char_boundary(*at)), "{painted:?}");
        }
    }
    assert_eq!(content(data, || 1), content(data, || usize::MAX));
}
