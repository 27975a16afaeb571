//! Several logs in one order: by time, and none of them out of its own order.

use std::collections::VecDeque;

use super::line::Found;

/// All of them. Lines of one log stay in their order, even where their times are askew.
pub(super) fn merged(mut logs: Vec<VecDeque<Found>>) -> Vec<Found> {
    if let [one] = logs.as_mut_slice() {
        return std::mem::take(one).into();
    }
    let mut lines = Vec::with_capacity(logs.iter().map(VecDeque::len).sum());
    loop {
        let next = logs.iter_mut().filter(|log| !log.is_empty()).min_by_key(|log| log.front().map(key));
        let Some(line) = next.and_then(VecDeque::pop_front) else { return lines };
        lines.push(line);
    }
}

fn key(found: &Found) -> (i64, u16) {
    (found.cursor.at, found.cursor.source)
}
