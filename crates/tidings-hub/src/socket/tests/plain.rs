//! Streams that a test can read with the naked eye, and a decoder that knows nothing of how the hub
//! makes them.

use tidings_core::coding::{CheckSum, Coding};
use tidings_core::event::Event;
use tidings_core::gap::Gap;
use tidings_core::limits::LARGE_FRAME_BYTES;
use tidings_core::port::{Coder, Control, Encoder, Shape, Voice};
use tidings_core::position::Position;

use crate::chunk::Framing;

/// Writes events as a letter for the shape and the offset; those of type `wide` and `large` with many
/// zeros before it. Control events by name.
#[derive(Debug)]
pub(super) struct PlainEncoder;

impl Encoder for PlainEncoder {
    fn event(&self, shape: Shape, event: &Event, told: Option<Position>, out: &mut Vec<u8>) {
        let letter = char::from(b'a' + shape.0);
        let mark = if told.is_some() { "" } else { "?" };
        let offset = event.position.offset.0;
        let width = match event.content.event_type.as_str() {
            "large" => LARGE_FRAME_BYTES,
            "wide" => 6_000,
            _ => 0,
        };
        out.push(letter as u8);
        out.resize(out.len() + width, b'0');
        out.extend_from_slice(format!("{offset}{mark};").as_bytes());
    }

    fn gap(&self, gap: &Gap, out: &mut Vec<u8>) {
        let from = gap.from.map_or(0, |from| from.offset.0);
        let text = format!("gap@{from}:{}:{};", gap.to.offset, gap.reason.as_str());
        out.extend_from_slice(text.as_bytes());
    }

    fn control(&self, _: Voice, control: &Control, out: &mut Vec<u8>) {
        let text = match control {
            Control::Hello(hello) => {
                let mark = if hello.cursor_is_told { "" } else { "?" };
                format!(
                    "hello@{}{mark}:{}",
                    hello.cursor.offset,
                    hello.replay.as_str()
                )
            }
            Control::Ping { cursor, .. } => format!("ping@{}", cursor.offset),
            Control::Reauth { .. } => "reauth".to_owned(),
            Control::Bye { cursor, farewell } => {
                let told = cursor.map_or("?".to_owned(), |cursor| cursor.offset.to_string());
                format!("bye@{told}:{}", farewell.code)
            }
        };
        out.extend_from_slice(format!("{text};").as_bytes());
    }
}

/// Packs by length: `2:ab`. As gzip, a stream begins with a bracket and ends with what is checked.
#[derive(Debug)]
pub(super) struct PlainCoder;

const FACTOR: u32 = 31;

fn sum(text: &[u8]) -> CheckSum {
    let step = |sum: u32, byte: &u8| sum.wrapping_mul(FACTOR).wrapping_add(u32::from(*byte));
    CheckSum {
        crc32: text.iter().fold(0, step),
        bytes: text.len() as u32,
    }
}

impl Coder for PlainCoder {
    fn begin(&self, coding: Coding, out: &mut Vec<u8>) {
        if coding == Coding::Gzip {
            out.push(b'(');
        }
    }

    fn block(&self, coding: Coding, text: &[u8], out: &mut Vec<u8>) -> CheckSum {
        assert_ne!(coding, Coding::Identity, "what is not packed is left alone");
        out.extend_from_slice(format!("{}:", text.len()).as_bytes());
        out.extend_from_slice(text);
        if coding == Coding::Gzip {
            sum(text)
        } else {
            CheckSum::default()
        }
    }

    fn join(&self, first: CheckSum, second: CheckSum) -> CheckSum {
        let shift = FACTOR.wrapping_pow(second.bytes);
        CheckSum {
            crc32: first.crc32.wrapping_mul(shift).wrapping_add(second.crc32),
            bytes: first.bytes + second.bytes,
        }
    }

    fn end(&self, coding: Coding, all: CheckSum, out: &mut Vec<u8>) {
        if coding == Coding::Gzip {
            out.extend_from_slice(format!("!{}:{})", all.crc32, all.bytes).as_bytes());
        }
    }
}

/// What a reader understands of the bytes that it has got.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) words: Vec<String>,
    /// Whether the end of the body and of its coding is among them.
    pub(super) is_whole: bool,
}

/// Reads a response, of which the end may be missing.
pub(super) fn decode(bytes: &[u8], head: &[u8], framing: Framing, coding: Coding) -> Decoded {
    let Some(body) = bytes.strip_prefix(head) else {
        assert!(head.starts_with(bytes), "the head comes first");
        return Decoded {
            words: Vec::new(),
            is_whole: false,
        };
    };
    let (packed, body_ends) = match framing {
        Framing::UntilClose => (body.to_vec(), true),
        Framing::Chunked => unchunk(body),
    };
    let (text, coding_ends) = match coding {
        Coding::Identity => (packed, true),
        Coding::Gzip => unpack(&packed, true),
        Coding::Zstd => unpack(&packed, false),
    };
    let text = String::from_utf8(text).expect("text");
    let whole_words = text.rfind(';').map_or("", |end| &text[..end]);
    let is_at_word = text.is_empty() || text.ends_with(';');
    Decoded {
        words: whole_words
            .split_terminator(';')
            .map(str::to_owned)
            .collect(),
        is_whole: body_ends && coding_ends && is_at_word,
    }
}

/// The text before a mark, and what follows the mark; none if the mark has not come yet.
fn cut_at<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<(&'a str, &'a [u8])> {
    let at = bytes
        .windows(mark.len())
        .position(|window| window == mark)?;
    let text = std::str::from_utf8(&bytes[..at]).expect("a number");
    Some((text, &bytes[at + mark.len()..]))
}

fn unchunk(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        let Some((size, after)) = cut_at(rest, b"\r\n") else {
            assert!(rest.len() <= 18, "not a chunk: {rest:?}");
            return (body, false);
        };
        let size = usize::from_str_radix(size, 16).expect("the size of a chunk");
        if size == 0 {
            assert!(
                b"\r\n".starts_with(after),
                "something follows the last chunk"
            );
            return (body, after == b"\r\n");
        }
        let (data, after) = after.split_at(size.min(after.len()));
        body.extend_from_slice(data);
        if after.len() < 2 {
            assert!(b"\r\n".starts_with(after), "a chunk is longer than it says");
            return (body, false);
        }
        rest = after
            .strip_prefix(b"\r\n")
            .expect("a chunk ends with its line");
    }
}

fn unpack(mut rest: &[u8], is_checked: bool) -> (Vec<u8>, bool) {
    let mut text = Vec::new();
    if is_checked {
        let Some((first, after)) = rest.split_first() else {
            return (text, false);
        };
        assert_eq!(*first, b'(', "the coding begins once");
        rest = after;
    }
    while !rest.is_empty() {
        if let Some(end) = rest.strip_prefix(b"!") {
            assert!(is_checked, "there is nothing to check");
            let Some((found, after)) = cut_at(end, b")") else {
                return (text, false);
            };
            let all = sum(&text);
            assert_eq!(
                found,
                format!("{}:{}", all.crc32, all.bytes),
                "the check sum"
            );
            assert!(after.is_empty(), "something follows the end of the coding");
            return (text, true);
        }
        let Some((size, after)) = cut_at(rest, b":") else {
            assert!(rest.iter().all(u8::is_ascii_digit), "not a block: {rest:?}");
            return (text, false);
        };
        let size: usize = size.parse().expect("the size of a block");
        let (data, after) = after.split_at(size.min(after.len()));
        text.extend_from_slice(data);
        if data.len() < size {
            return (text, false);
        }
        rest = after;
    }
    (text, !is_checked)
}
