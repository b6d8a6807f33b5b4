//! Frames of HTTP/2 (RFC 9113, section 4.1) and heads without a table (RFC 7541), as bytes.

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const PRIORITY: u8 = 2;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;
/// A kind that no specification knows.
pub(super) const UNKNOWN: u8 = 0xfa;

pub(super) const ACK: u8 = 1;
pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;

/// The connection preface (RFC 9113, section 3.4).
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Bytes of a frame's head.
pub(super) const HEAD_BYTES: usize = 9;

/// The largest payload that a peer takes unless it says otherwise.
pub(super) const PAYLOAD_BYTES_MAX: usize = 16_384;

/// What a field costs beside its name and its value (RFC 7541, section 4.1).
const FIELD_OVERHEAD_BYTES: usize = 32;

/// What a table of fields holds unless a peer says otherwise.
const TABLE_BYTES: usize = 4_096;

/// The first entry of the table that a peer has made itself.
const FIRST_OWN_ENTRY: u8 = 62;

/// A frame.
pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    let mut bytes = Vec::with_capacity(HEAD_BYTES + payload.len());
    bytes.extend_from_slice(&length[1..]);
    bytes.extend_from_slice(&[kind, flags]);
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// A frame that gives a stream, or the connection, so much more room.
pub(super) fn window(stream: u32, more: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, stream, &more.to_be_bytes())
}

/// A setting (RFC 9113, section 6.5.1).
pub(super) fn setting(name: u16, value: u32) -> Vec<u8> {
    [&name.to_be_bytes()[..], &value.to_be_bytes()].concat()
}

/// The fields of a request's head.
pub(super) fn head(method: &str, target: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut head = Vec::new();
    for (name, value) in [
        (":method", method),
        (":scheme", "http"),
        (":path", target),
        (":authority", "localhost"),
    ]
    .iter()
    .chain(headers)
    {
        field(0, name, value, &mut head);
    }
    head
}

/// Fields that fill the table with one entry.
pub(super) fn fills_table() -> Vec<u8> {
    let value = "y".repeat(TABLE_BYTES - FIELD_OVERHEAD_BYTES - 1);
    let mut out = Vec::new();
    // Kept in the table (section 6.2.1).
    field(0x40, "x", &value, &mut out);
    out
}

/// As many mentions of that entry, of a byte each, as one frame holds behind this head.
pub(super) fn mentions(head: &[u8]) -> Vec<u8> {
    vec![0x80 | FIRST_OWN_ENTRY; PAYLOAD_BYTES_MAX - head.len()]
}

fn field(form: u8, name: &str, value: &str, out: &mut Vec<u8>) {
    out.push(form);
    text(name, out);
    text(value, out);
}

/// A text as it is (section 5.2), behind its length (section 5.1).
fn text(text: &str, out: &mut Vec<u8>) {
    const PREFIX_MAX: usize = 127;
    if text.len() < PREFIX_MAX {
        out.push(text.len() as u8);
    } else {
        out.push(PREFIX_MAX as u8);
        let mut left = text.len() - PREFIX_MAX;
        while left >= 128 {
            out.push((left % 128) as u8 | 0x80);
            left /= 128;
        }
        out.push(left as u8);
    }
    out.extend_from_slice(text.as_bytes());
}
