//! One block of a stream: its lines, and the rule that no text can break out of its line.

use tidings_core::event_type::EventType;
use tidings_core::position::Position;

use crate::json::{push_number, push_position};
use crate::problem::Problem;

/// Appends a block: the type, whatever `data` writes, a retry time, and the id as its last line.
///
/// The type holds no line break (its constructor refuses them); the data may, and each of its lines
/// gets a `data:` of its own.
pub(crate) fn push_block(
    out: &mut Vec<u8>,
    event_type: &str,
    retry_ms: Option<u64>,
    id: Option<Position>,
    data: impl FnOnce(&mut Vec<u8>),
) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(event_type.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    let start = out.len();
    data(out);
    // JSON text has none where it comes through this crate, but a log may have been written by
    // other means, and a raw line break would let data act as fields of the stream.
    if memchr::memchr2(b'\n', b'\r', &out[start..]).is_some() {
        let text = out.split_off(start);
        push_lines(out, &text);
    }
    if let Some(retry_ms) = retry_ms {
        out.extend_from_slice(b"\nretry: ");
        push_number(out, retry_ms);
    }
    if let Some(id) = id {
        out.extend_from_slice(b"\nid: ");
        push_position(out, id);
    }
    out.extend_from_slice(b"\n\n");
}

/// Appends a refusal as an event, for clients that see nothing but a stream, and when to come back.
pub fn push_refusal(event_type: &EventType, problem: &Problem, retry_ms: u64, out: &mut Vec<u8>) {
    push_block(out, event_type.as_str(), Some(retry_ms), None, |out| {
        problem.push(out);
    });
}

/// Appends a comment, which has no line break.
pub(crate) fn push_comment(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(b": ");
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(b"\n\n");
}

/// Appends a block that tells nothing but where the stream stands.
pub(crate) fn push_id(out: &mut Vec<u8>, id: Position) {
    out.extend_from_slice(b"id: ");
    push_position(out, id);
    out.extend_from_slice(b"\n\n");
}

/// Appends text whose first line has its `data: ` already. CR, LF and CRLF each end a line.
fn push_lines(out: &mut Vec<u8>, text: &[u8]) {
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' if bytes.peek() == Some(&b'\n') => {}
            b'\r' | b'\n' => out.extend_from_slice(b"\ndata: "),
            _ => out.push(byte),
        }
    }
}
