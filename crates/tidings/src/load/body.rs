//! The body of a response, piece by piece, freed of its framing without a copy.

/// A body of which a part has arrived.
#[derive(Debug)]
pub(super) struct Body(State);

/// Why bytes are no chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer's chunks are malformed")]
pub(super) struct BadChunk;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Digits of a chunk's size; how many there were.
    Size { value: u64, digits: u8 },
    /// Between the digits and the end of their line.
    SizeEnd { value: u64 },
    /// Bytes of a chunk that are still to come.
    Data { left: u64 },
    /// The line end after a chunk.
    DataEnd,
    /// Lines after the last chunk; bytes of the present one.
    Trailer { bytes: u32 },
    /// A body of a known length.
    Counted { left: u64 },
    /// Everything until the connection closes.
    Endless,
    /// Nothing more belongs to it.
    Over,
}

const FIRST: State = State::Size {
    value: 0,
    digits: 0,
};

impl Body {
    pub(super) fn chunked() -> Self {
        Self(FIRST)
    }

    pub(super) fn of_length(length: u64) -> Self {
        Self(match length {
            0 => State::Over,
            left => State::Counted { left },
        })
    }

    pub(super) fn until_close() -> Self {
        Self(State::Endless)
    }

    /// Whether nothing more belongs to it.
    pub(super) fn is_over(&self) -> bool {
        self.0 == State::Over
    }

    /// Whether it ends with the connection.
    pub(super) fn is_endless(&self) -> bool {
        self.0 == State::Endless
    }

    /// Takes the next piece of content from the input; `None` when the input has none left.
    pub(super) fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<&'a [u8]>, BadChunk> {
        loop {
            match self.0 {
                State::Data { left } => {
                    let Some(piece) = take(input, left) else {
                        return Ok(None);
                    };
                    let left = left - piece.len() as u64;
                    self.0 = match left {
                        0 => State::DataEnd,
                        left => State::Data { left },
                    };
                    return Ok(Some(piece));
                }
                State::Counted { left } => {
                    let Some(piece) = take(input, left) else {
                        return Ok(None);
                    };
                    *self = Self::of_length(left - piece.len() as u64);
                    return Ok(Some(piece));
                }
                State::Endless => return Ok(take(input, u64::MAX)),
                State::Over => return Ok(None),
                _ => {
                    let Some((byte, rest)) = input.split_first() else {
                        return Ok(None);
                    };
                    *input = rest;
                    self.0 = framing(self.0, *byte)?;
                }
            }
        }
    }
}

/// As much of the input as is wanted, if there is any.
fn take<'a>(input: &mut &'a [u8], wanted: u64) -> Option<&'a [u8]> {
    let bytes = usize::try_from(wanted)
        .unwrap_or(usize::MAX)
        .min(input.len());
    let (piece, rest) = input.split_at(bytes);
    *input = rest;
    (!piece.is_empty()).then_some(piece)
}

/// The state after one byte between chunks.
fn framing(state: State, byte: u8) -> Result<State, BadChunk> {
    Ok(match (state, byte) {
        (State::Size { value, digits }, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') if digits < 15 => {
            let digit = char::from(byte).to_digit(16).ok_or(BadChunk)?;
            State::Size {
                value: value * 16 + u64::from(digit),
                digits: digits + 1,
            }
        }
        (State::Size { value, digits: 1.. }, b'\r' | b';' | b' ')
        | (State::SizeEnd { value }, _)
            if byte != b'\n' =>
        {
            State::SizeEnd { value }
        }
        (State::SizeEnd { value: 0 }, _) => State::Trailer { bytes: 0 },
        (State::SizeEnd { value }, _) => State::Data { left: value },
        (State::DataEnd, b'\r') => State::DataEnd,
        (State::DataEnd, b'\n') => FIRST,
        (State::Trailer { bytes }, b'\r') => State::Trailer { bytes },
        (State::Trailer { bytes: 0 }, b'\n') => State::Over,
        (State::Trailer { .. }, b'\n') => State::Trailer { bytes: 0 },
        (State::Trailer { bytes }, _) => State::Trailer {
            bytes: bytes.saturating_add(1),
        },
        _ => return Err(BadChunk),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHUNKED: &[u8] =
        b"5\r\nhello\r\nA;x=1\r\n, chunked \r\n0005\r\nworld\r\n0\r\nDate: never\r\n\r\n";

    fn content(body: &mut Body, mut input: &[u8]) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(piece) = body.next(&mut input).expect("well formed") {
            all.extend_from_slice(piece);
        }
        all
    }

    #[test]
    fn chunks_are_joined_wherever_they_are_cut() {
        for cut in 0..=CHUNKED.len() {
            let mut body = Body::chunked();
            let (first, second) = CHUNKED.split_at(cut);
            let mut all = content(&mut body, first);
            all.extend(content(&mut body, second));
            assert_eq!(all, b"hello, chunked world", "cut at {cut}");
            assert!(body.is_over(), "cut at {cut}");
        }
        let mut body = Body::chunked();
        let each: Vec<u8> = CHUNKED
            .chunks(1)
            .flat_map(|byte| content(&mut body, byte))
            .collect();
        assert_eq!(each, b"hello, chunked world");
    }

    #[test]
    fn a_counted_body_ends_where_it_should() {
        let mut body = Body::of_length(5);
        let mut input = &b"helloHTTP/1.1"[..];
        assert_eq!(body.next(&mut input), Ok(Some(&b"hello"[..])));
        assert!(body.is_over());
        assert_eq!(body.next(&mut input), Ok(None));
        assert_eq!(input, b"HTTP/1.1");
        assert!(Body::of_length(0).is_over());
    }

    #[test]
    fn malformed_chunks_are_refused() {
        for text in ["x\r\n", "\r\n", "1\r\nabc", "11111111111111111\r\n"] {
            let mut body = Body::chunked();
            let mut input = text.as_bytes();
            let outcome = loop {
                match body.next(&mut input) {
                    Ok(Some(_)) => {}
                    other => break other,
                }
            };
            assert_eq!(outcome, Err(BadChunk), "{text:?}");
        }
    }
}
