//! Frames of HTTP/2 (RFC 9113, section 4.1), however they are cut.

use super::{FRAME_BYTES_MAX, H2Error};

/// Flags of frames; that of an acknowledgement is the same bit as that of an end.
pub(super) const END_STREAM: u8 = 1;
pub(super) const ACK: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;
const PRIORITY: u8 = 32;

/// The largest window there is.
pub(super) const WHOLE_WINDOW: u32 = (1 << 31) - 1;

const HEAD_BYTES: usize = 9;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Data,
    Headers,
    Reset,
    Settings,
    Ping,
    GoAway,
    WindowUpdate,
    /// Nothing that a load asks for.
    Other,
}

/// One frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    pub(super) kind: Kind,
    pub(super) flags: u8,
    pub(super) stream: u32,
    pub(super) payload: &'a [u8],
}

/// Frames of which the last one may have arrived in part.
#[derive(Debug, Default)]
pub(super) struct Frames(Vec<u8>);

impl Kind {
    fn code(self) -> u8 {
        match self {
            Self::Data => 0,
            Self::Headers => 1,
            Self::Reset => 3,
            Self::Settings => 4,
            Self::Ping => 6,
            Self::GoAway => 7,
            Self::WindowUpdate => 8,
            Self::Other => u8::MAX,
        }
    }

    fn of(code: u8) -> Self {
        let known = [
            Self::Data,
            Self::Headers,
            Self::Reset,
            Self::Settings,
            Self::Ping,
            Self::GoAway,
            Self::WindowUpdate,
        ];
        let found = known.into_iter().find(|kind| kind.code() == code);
        found.unwrap_or(Self::Other)
    }
}

impl Frames {
    /// Takes in what was read, and hands every whole frame over.
    pub(super) fn take(
        &mut self,
        input: &[u8],
        mut each: impl FnMut(Frame<'_>) -> Result<(), H2Error>,
    ) -> Result<(), H2Error> {
        // What is cut is rare and small: what lies whole in the input is looked at where it lies.
        if self.0.is_empty() {
            let rest = whole(input, &mut each)?;
            self.0.extend_from_slice(rest);
            return Ok(());
        }
        self.0.extend_from_slice(input);
        let all = std::mem::take(&mut self.0);
        let rest = whole(&all, &mut each)?;
        if !rest.is_empty() {
            self.0 = rest.to_vec();
        }
        Ok(())
    }
}

/// Hands whole frames over; returns what is left.
fn whole<'a>(
    mut input: &'a [u8],
    each: &mut impl FnMut(Frame<'_>) -> Result<(), H2Error>,
) -> Result<&'a [u8], H2Error> {
    while let Some((head, after)) = input.split_first_chunk::<HEAD_BYTES>() {
        let [l2, l1, l0, kind, flags, s3, s2, s1, s0] = *head;
        let length = u32::from_be_bytes([0, l2, l1, l0]) as usize;
        if length > FRAME_BYTES_MAX {
            return Err(H2Error::NotHttp2);
        }
        let Some((payload, rest)) = after.split_at_checked(length) else {
            break;
        };
        input = rest;
        each(Frame {
            kind: Kind::of(kind),
            flags,
            stream: u32::from_be_bytes([s3, s2, s1, s0]) & WHOLE_WINDOW,
            payload,
        })?;
    }
    Ok(input)
}

/// Appends a frame.
pub(super) fn put(kind: Kind, flags: u8, stream: u32, payload: &[u8], out: &mut Vec<u8>) {
    let [_, l2, l1, l0] = (payload.len() as u32).to_be_bytes();
    out.extend_from_slice(&[l2, l1, l0, kind.code(), flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
}

/// The payload of a frame of data or headers without padding and priority.
pub(super) fn unpadded(flags: u8, payload: &[u8]) -> Option<&[u8]> {
    let (padding, payload) = match payload.split_first() {
        Some((length, rest)) if flags & PADDED != 0 => (usize::from(*length), rest),
        None if flags & PADDED != 0 => return None,
        _ => (0, payload),
    };
    let from = if flags & PRIORITY == 0 { 0 } else { 5 };
    payload.get(from..payload.len().checked_sub(padding)?)
}
