//! What a process without a terminal says, taken out of the frames that the engine puts it in: a header of eight bytes,
//! one for stdout or stderr, three of nothing, four for the length. Source:
//! <https://docs.docker.com/reference/api/engine/version/v1.51/#tag/Container/operation/ContainerAttach>

/// Where in the frames the reading stands.
#[derive(Debug, Default)]
pub(super) struct Frames {
    header: [u8; 8],
    /// Bytes of the header that are there.
    have: usize,
    /// Bytes of the content that are yet to come.
    left: u32,
}

impl Frames {
    /// What these bytes hold, without headers.
    pub(super) fn content(&mut self, mut bytes: &[u8]) -> Vec<u8> {
        let mut content = Vec::with_capacity(bytes.len());
        while let Some((first, rest)) = bytes.split_first() {
            if self.left > 0 {
                let take = bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
                let (said, after) = bytes.split_at(take);
                content.extend_from_slice(said);
                self.left -= u32::try_from(take).unwrap_or(self.left);
                bytes = after;
                continue;
            }
            if let Some(place) = self.header.get_mut(self.have) {
                *place = *first;
            }
            self.have += 1;
            bytes = rest;
            if self.have == self.header.len() {
                let [.., a, b, c, d] = self.header;
                (self.left, self.have) = (u32::from_be_bytes([a, b, c, d]), 0);
            }
        }
        content
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_may_be_cut_anywhere() {
        let all = b"\x01\0\0\0\0\0\0\x03abc\x02\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\x02de";
        for size in 1..all.len() {
            let mut frames = Frames::default();
            let said: Vec<u8> = all.chunks(size).flat_map(|chunk| frames.content(chunk)).collect();
            assert_eq!(said, b"abcde", "in pieces of {size}");
        }
    }
}
