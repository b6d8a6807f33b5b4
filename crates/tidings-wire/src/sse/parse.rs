//! Reading a stream: bytes in, in pieces of any size, messages out.
//!
//! Follows the HTML standard, section 9.2.6, with two additions for programs: a block may not grow
//! without limit, and comments and ids without data are reported, because they are signs of life.

use std::borrow::Cow;

use crate::limits::SSE_BLOCK_BYTES_MAX;

/// Something that a stream said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item<'a> {
    /// A block with data.
    Message(Message<'a>),
    /// A block without data that set the last event id.
    IdOnly(&'a str),
    /// How long to wait before reconnecting, in milliseconds.
    Retry(u64),
    /// A comment line, without its colon.
    Comment(Cow<'a, str>),
}

/// A block with data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<'a> {
    /// Its type; `message` if it named none.
    pub event_type: Cow<'a, str>,
    /// Its data; lines are joined by a line feed.
    pub data: Cow<'a, str>,
    /// The id that this block set, if it set one. The stream's latest is
    /// [`Parser::last_event_id`].
    pub id: Option<&'a str>,
}

/// One block has more bytes than a reader is willing to keep. The stream cannot be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a block of the stream has more than {max} bytes")]
pub struct BlockTooLarge {
    /// Bytes allowed.
    pub max: usize,
}

/// Reads one stream. A new connection needs a new parser, with the old one's last event id.
#[derive(Debug, Clone)]
pub struct Parser {
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
    /// A line just ended with CR: an LF that comes next belongs to it.
    after_cr: bool,
    /// How many bytes of a byte order mark have been seen; none once the stream has begun.
    mark_seen: Option<usize>,
    failed: bool,
    bytes_max: usize,
    block: Block,
}

/// The block being read, and what outlives it.
#[derive(Debug, Clone, Default)]
struct Block {
    event_type: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    /// Counts only once the block is complete: one cut off has not been told.
    id: Option<String>,
    last_event_id: String,
}

const BYTE_ORDER_MARK: &[u8; 3] = b"\xef\xbb\xbf";

impl Default for Parser {
    fn default() -> Self {
        Self::with_limit(SSE_BLOCK_BYTES_MAX)
    }
}

impl Parser {
    /// A parser that keeps at most `bytes_max` bytes of a block.
    pub fn with_limit(bytes_max: usize) -> Self {
        Self {
            line: Vec::new(),
            after_cr: false,
            mark_seen: Some(0),
            failed: false,
            bytes_max,
            block: Block::default(),
        }
    }

    /// The id of the latest complete block that set one; empty if none has.
    pub fn last_event_id(&self) -> &str {
        &self.block.last_event_id
    }

    /// Takes the next bytes of the stream and reports what they complete. Items borrow from the
    /// parser or from the bytes where they can.
    pub fn feed(
        &mut self,
        mut bytes: &[u8],
        mut each: impl FnMut(Item<'_>),
    ) -> Result<(), BlockTooLarge> {
        if self.failed {
            return Err(self.too_large());
        }
        if self.mark_seen.is_some() {
            bytes = self.skip_mark(bytes);
        }
        while !bytes.is_empty() {
            if std::mem::take(&mut self.after_cr)
                && let Some(rest) = bytes.strip_prefix(b"\n")
            {
                bytes = rest;
                continue;
            }
            let Some(end) = memchr::memchr2(b'\n', b'\r', bytes) else {
                self.check(self.line.len() + bytes.len())?;
                self.line.extend_from_slice(bytes);
                break;
            };
            let (piece, rest) = bytes.split_at(end);
            self.check(self.line.len() + piece.len())?;
            if self.line.is_empty() {
                self.block.line(piece, &mut each);
            } else {
                self.line.extend_from_slice(piece);
                self.block.line(&self.line, &mut each);
                self.line.clear();
            }
            self.after_cr = rest.first() == Some(&b'\r');
            bytes = &rest[1..];
        }
        Ok(())
    }

    /// Drops a byte order mark at the very beginning, however it is split.
    fn skip_mark<'a>(&mut self, mut bytes: &'a [u8]) -> &'a [u8] {
        while let Some(seen) = self.mark_seen
            && let Some(first) = bytes.first()
        {
            if BYTE_ORDER_MARK.get(seen) == Some(first) {
                bytes = &bytes[1..];
                self.mark_seen = (seen + 1 < BYTE_ORDER_MARK.len()).then_some(seen + 1);
            } else {
                // What looked like a mark was the beginning of the first line.
                self.line.extend_from_slice(&BYTE_ORDER_MARK[..seen]);
                self.mark_seen = None;
            }
        }
        bytes
    }

    fn check(&mut self, line_bytes: usize) -> Result<(), BlockTooLarge> {
        let held = line_bytes + self.block.data.len() + self.block.event_type.len();
        self.failed = held > self.bytes_max;
        if self.failed {
            Err(self.too_large())
        } else {
            Ok(())
        }
    }

    fn too_large(&self) -> BlockTooLarge {
        BlockTooLarge {
            max: self.bytes_max,
        }
    }
}

impl Block {
    fn line(&mut self, line: &[u8], each: &mut impl FnMut(Item<'_>)) {
        if line.is_empty() {
            return self.end(each);
        }
        let (field, value) = match memchr::memchr(b':', line) {
            Some(0) => return each(Item::Comment(String::from_utf8_lossy(&line[1..]))),
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &line[line.len()..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => {
                if self.has_data {
                    self.data.push(b'\n');
                }
                self.has_data = true;
                self.data.extend_from_slice(value);
            }
            b"event" => {
                self.event_type.clear();
                self.event_type.extend_from_slice(value);
            }
            b"id" if !value.contains(&0) => {
                self.id = Some(String::from_utf8_lossy(value).into_owned());
            }
            b"retry" => {
                let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
                let text = str::from_utf8(value).unwrap_or_default();
                if let (true, Ok(ms)) = (digits, text.parse()) {
                    each(Item::Retry(ms));
                }
            }
            _ => {}
        }
    }

    /// Reports the block and gets ready for the next one.
    fn end(&mut self, each: &mut impl FnMut(Item<'_>)) {
        let id = self.id.take();
        let sets_id = id.is_some();
        if let Some(id) = id {
            self.last_event_id = id;
        }
        if std::mem::take(&mut self.has_data) {
            let event_type = if self.event_type.is_empty() {
                Cow::Borrowed("message")
            } else {
                String::from_utf8_lossy(&self.event_type)
            };
            each(Item::Message(Message {
                event_type,
                data: String::from_utf8_lossy(&self.data),
                id: sets_id.then_some(self.last_event_id.as_str()),
            }));
        } else if sets_id {
            each(Item::IdOnly(&self.last_event_id));
        }
        self.event_type.clear();
        self.data.clear();
    }
}
