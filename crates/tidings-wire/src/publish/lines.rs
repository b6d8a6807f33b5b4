//! NDJSON bodies: lines out of pieces of any size, none longer than the limit.

use bytes::{Bytes, BytesMut};

use crate::limits::NDJSON_LINE_BYTES_MAX;

/// One line that holds something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1; empty lines count too.
    pub number: u64,
    /// Its text without the line break, or that there is too much of it.
    pub text: Result<Bytes, LineTooLong>,
}

/// A line has more bytes than one event can need. The lines after it are read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the line has more than {max} bytes")]
pub struct LineTooLong {
    /// Bytes allowed.
    pub max: usize,
}

/// Splits a body into lines as it arrives. LF and CRLF end a line; lines of nothing but white space
/// are skipped.
#[derive(Debug)]
pub struct LineSplitter {
    held: BytesMut,
    /// Of what is held, how many bytes have been searched for a line break.
    searched: usize,
    /// Inside a line that was reported as too long: dropped up to its end.
    skipping: bool,
    lines_begun: u64,
    bytes_max: usize,
}

impl Default for LineSplitter {
    fn default() -> Self {
        Self::with_limit(NDJSON_LINE_BYTES_MAX)
    }
}

impl LineSplitter {
    /// A splitter whose lines have at most `bytes_max` bytes.
    pub fn with_limit(bytes_max: usize) -> Self {
        Self {
            held: BytesMut::new(),
            searched: 0,
            skipping: false,
            lines_begun: 1,
            bytes_max,
        }
    }

    /// Takes the next bytes of the body. Call [`next_line`](Self::next_line) until there is none
    /// before the next bytes: what is held then stays below the limit and one piece.
    pub fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// The next complete line, if there is one.
    pub fn next_line(&mut self) -> Option<Line> {
        loop {
            let unsearched = self.held.get(self.searched..).unwrap_or_default();
            let Some(at) = memchr::memchr(b'\n', unsearched) else {
                self.searched = self.held.len();
                return self.refuse_long_rest();
            };
            let line = self.held.split_to(self.searched + at + 1);
            self.searched = 0;
            let number = self.lines_begun;
            self.lines_begun += 1;
            if std::mem::take(&mut self.skipping) {
                continue;
            }
            if let Some(line) = self.line(number, &line[..line.len() - 1]) {
                return Some(line);
            }
        }
    }

    /// The last line, if the body did not end with a line break. Call it after `next_line` has
    /// returned none.
    pub fn finish(self) -> Option<Line> {
        if self.skipping {
            return None;
        }
        self.line(self.lines_begun, &self.held)
    }

    /// Says once that a line is too long, as soon as that is certain, and drops what is held of it.
    fn refuse_long_rest(&mut self) -> Option<Line> {
        if self.skipping {
            self.held.clear();
            self.searched = 0;
            return None;
        }
        // One more byte may be the CR of a line break.
        let certain = without_cr(&self.held).len() > self.bytes_max;
        if !certain {
            return None;
        }
        self.skipping = true;
        self.held.clear();
        self.searched = 0;
        Some(Line {
            number: self.lines_begun,
            text: Err(LineTooLong {
                max: self.bytes_max,
            }),
        })
    }

    fn line(&self, number: u64, text: &[u8]) -> Option<Line> {
        let text = without_cr(text);
        if text.len() > self.bytes_max {
            let max = self.bytes_max;
            return Some(Line {
                number,
                text: Err(LineTooLong { max }),
            });
        }
        (!text.trim_ascii().is_empty()).then(|| Line {
            number,
            text: Ok(Bytes::copy_from_slice(text)),
        })
    }
}

fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}
