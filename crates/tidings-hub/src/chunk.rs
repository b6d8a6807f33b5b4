//! Chunks: the frame of an HTTP/1 response body around one delivery, without copying it.

use std::io::IoSlice;

use bytes::Bytes;

/// How the end of a response body is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// By chunks, the last of them empty (RFC 9112, section 7.1).
    Chunked,
    /// By the end of the connection, for HTTP/1.0.
    UntilClose,
}

/// The end of a chunk, and that of a body behind its last chunk.
const END: &[u8] = b"\r\n";
const END_AND_LAST: &[u8] = b"\r\n0\r\n\r\n";
const LAST: &[u8] = b"0\r\n\r\n";

/// Digits of a length and a line end.
const HEAD_BYTES_MAX: usize = 18;

/// One delivery in its frame: head, bytes, tail.
#[derive(Debug)]
pub(crate) struct Chunk {
    head: [u8; HEAD_BYTES_MAX],
    /// Where the head begins: it is written from the right.
    head_from: u8,
    bytes: Bytes,
    tail: &'static [u8],
}

impl Chunk {
    /// The frame of these bytes, which are the last ones or not. No bytes have no frame: an empty
    /// chunk would be the last.
    pub(crate) fn new(framing: Framing, bytes: Bytes, last: bool) -> Self {
        let mut head = [0; HEAD_BYTES_MAX];
        let mut from = HEAD_BYTES_MAX;
        let tail: &[u8] = match framing {
            Framing::UntilClose => b"",
            Framing::Chunked if bytes.is_empty() => {
                if last {
                    LAST
                } else {
                    b""
                }
            }
            Framing::Chunked => {
                let mut put = |byte| {
                    from -= 1;
                    if let Some(place) = head.get_mut(from) {
                        *place = byte;
                    }
                };
                put(b'\n');
                put(b'\r');
                let mut left = bytes.len();
                while left > 0 {
                    let digit = (left % 16) as u8;
                    put(if digit < 10 {
                        b'0' + digit
                    } else {
                        b'a' + digit - 10
                    });
                    left /= 16;
                }
                if last { END_AND_LAST } else { END }
            }
        };
        Self {
            head,
            head_from: from as u8,
            bytes,
            tail,
        }
    }

    fn head(&self) -> &[u8] {
        self.head
            .get(usize::from(self.head_from)..)
            .unwrap_or_default()
    }

    /// All of it in bytes.
    pub(crate) fn len(&self) -> usize {
        self.head().len() + self.bytes.len() + self.tail.len()
    }

    /// Calls with what is left after so many bytes, in at most three pieces.
    pub(crate) fn with_slices<R>(
        &self,
        mut skip: usize,
        write: impl FnOnce(&[IoSlice<'_>]) -> R,
    ) -> R {
        let mut left = |piece: &'_ [u8]| {
            let skipped = skip.min(piece.len());
            skip -= skipped;
            skipped
        };
        let head = self.head();
        let (in_head, in_bytes, in_tail) = (left(head), left(&self.bytes), left(self.tail));
        write(&[
            IoSlice::new(head.get(in_head..).unwrap_or_default()),
            IoSlice::new(self.bytes.get(in_bytes..).unwrap_or_default()),
            IoSlice::new(self.tail.get(in_tail..).unwrap_or_default()),
        ])
    }

    /// Appends all of it to a text.
    pub(crate) fn append_to(&self, text: &mut Vec<u8>) {
        for piece in [self.head(), &self.bytes, self.tail] {
            text.extend_from_slice(piece);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(framing: Framing, bytes: &'static [u8], last: bool) -> Vec<u8> {
        let chunk = Chunk::new(framing, Bytes::from_static(bytes), last);
        let mut all = Vec::new();
        chunk.append_to(&mut all);
        assert_eq!(all.len(), chunk.len());
        for skip in 0..=all.len() {
            let left = chunk.with_slices(skip, |slices| {
                slices
                    .iter()
                    .flat_map(|slice| slice.to_vec())
                    .collect::<Vec<u8>>()
            });
            assert_eq!(left, all[skip..], "after {skip}");
        }
        all
    }

    #[test]
    fn a_chunk_is_its_length_its_bytes_and_line_ends() {
        assert_eq!(text(Framing::Chunked, b"a", false), b"1\r\na\r\n");
        assert_eq!(
            text(Framing::Chunked, &[b'x'; 0x1af], false)[..5],
            *b"1af\r\n"
        );
        assert_eq!(
            text(Framing::Chunked, &[b'x'; 0x2000], false)[..6],
            *b"2000\r\n"
        );
    }

    #[test]
    fn the_last_chunk_ends_the_body_and_no_other_does() {
        assert_eq!(
            text(Framing::Chunked, b"bye", true),
            b"3\r\nbye\r\n0\r\n\r\n"
        );
        assert_eq!(text(Framing::Chunked, b"", true), b"0\r\n\r\n");
        assert_eq!(text(Framing::Chunked, b"", false), b"");
    }

    #[test]
    fn a_body_that_ends_with_its_connection_is_its_bytes() {
        assert_eq!(text(Framing::UntilClose, b"bye", true), b"bye");
        assert_eq!(text(Framing::UntilClose, b"", true), b"");
    }

    #[test]
    fn the_longest_length_has_room() {
        assert_eq!(format!("{:x}\r\n", usize::MAX).len(), HEAD_BYTES_MAX);
    }
}
