//! Writing JSON straight into a buffer: no tree, no allocation besides the buffer's own growth.

use std::fmt::{self, Write as _};

use tidings_core::position::Position;

/// An open JSON object. Names are the crate's own and need no escaping.
pub(crate) struct Object<'a> {
    out: &'a mut Vec<u8>,
    is_empty: bool,
}

impl<'a> Object<'a> {
    /// Writes the opening brace.
    pub(crate) fn open(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self {
            out,
            is_empty: true,
        }
    }

    /// Writes a name; the caller writes the value into the buffer that it gets.
    pub(crate) fn key(&mut self, name: &'static str) -> &mut Vec<u8> {
        if !self.is_empty {
            self.out.push(b',');
        }
        self.is_empty = false;
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// Writes a text.
    pub(crate) fn string(&mut self, name: &'static str, value: &str) -> &mut Self {
        push_string(self.key(name), value);
        self
    }

    /// Writes a number.
    pub(crate) fn number(&mut self, name: &'static str, value: u64) -> &mut Self {
        push_number(self.key(name), value);
        self
    }

    /// Writes a number, or `null`.
    pub(crate) fn number_or_null(&mut self, name: &'static str, value: Option<u64>) -> &mut Self {
        match value {
            Some(value) => push_number(self.key(name), value),
            None => self.key(name).extend_from_slice(b"null"),
        }
        self
    }

    /// Writes `null`.
    pub(crate) fn null(&mut self, name: &'static str) -> &mut Self {
        self.key(name).extend_from_slice(b"null");
        self
    }

    /// Writes a truth value.
    pub(crate) fn boolean(&mut self, name: &'static str, value: bool) -> &mut Self {
        let word: &[u8] = if value { b"true" } else { b"false" };
        self.key(name).extend_from_slice(word);
        self
    }

    /// Writes a cursor, or `null`.
    pub(crate) fn cursor(&mut self, name: &'static str, value: Option<Position>) -> &mut Self {
        match value {
            Some(position) => push_quoted_position(self.key(name), position),
            None => self.key(name).extend_from_slice(b"null"),
        }
        self
    }

    /// Writes an array of texts.
    pub(crate) fn strings<'s>(
        &mut self,
        name: &'static str,
        values: impl IntoIterator<Item = &'s str>,
    ) -> &mut Self {
        let out = self.key(name);
        out.push(b'[');
        for (index, value) in values.into_iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            push_string(out, value);
        }
        out.push(b']');
        self
    }

    /// Writes the closing brace.
    pub(crate) fn close(self) {
        self.out.push(b'}');
    }
}

/// Appends a decimal number.
pub(crate) fn push_number(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0_u8; 20];
    let mut start = digits.len();
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
        start -= 1;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

/// Appends a cursor without quotes.
pub(crate) fn push_position(out: &mut Vec<u8>, position: Position) {
    push_number(out, position.offset.0);
    out.push(b'-');
    let written = write!(Text(out), "{}", position.epoch);
    debug_assert!(written.is_ok(), "a buffer takes any text");
}

fn push_quoted_position(out: &mut Vec<u8>, position: Position) {
    out.push(b'"');
    push_position(out, position);
    out.push(b'"');
}

/// Appends a text as a JSON string, escaped as `serde_json` does it.
pub(crate) fn push_string(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let bytes = text.as_bytes();
    let mut plain_from = 0;
    out.push(b'"');
    for (at, byte) in bytes.iter().enumerate() {
        let escape = match byte {
            b'"' => b'"',
            b'\\' => b'\\',
            0x08 => b'b',
            b'\t' => b't',
            b'\n' => b'n',
            0x0c => b'f',
            b'\r' => b'r',
            0x00..=0x1f => b'u',
            _ => continue,
        };
        out.extend_from_slice(&bytes[plain_from..at]);
        plain_from = at + 1;
        out.extend_from_slice(&[b'\\', escape]);
        if escape == b'u' {
            let (high, low) = (usize::from(byte >> 4), usize::from(byte & 15));
            out.extend_from_slice(&[b'0', b'0', HEX[high], HEX[low]]);
        }
    }
    out.extend_from_slice(&bytes[plain_from..]);
    out.push(b'"');
}

/// A buffer as a target of `write!`.
struct Text<'a>(&'a mut Vec<u8>);

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tidings_core::position::{Epoch, Offset};

    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("text")
    }

    proptest! {
        #[test]
        fn strings_are_escaped_as_serde_json_does(text in any::<String>()) {
            let expected = serde_json::to_string(&text).expect("a string");
            prop_assert_eq!(written(|out| push_string(out, &text)), expected);
        }

        #[test]
        fn numbers_and_cursors_are_written_as_they_display(number in any::<u64>()) {
            prop_assert_eq!(written(|out| push_number(out, number)), number.to_string());
            let position = Position { epoch: Epoch::from_bits(number), offset: Offset(number) };
            prop_assert_eq!(written(|out| push_position(out, position)), position.to_string());
        }
    }

    #[test]
    fn every_control_character_is_escaped() {
        let text: String = (0..=0x22_u8)
            .map(char::from)
            .chain(['\\', '\u{7f}'])
            .collect();
        let expected = serde_json::to_string(&text).expect("a string");
        assert_eq!(written(|out| push_string(out, &text)), expected);
        assert_eq!(written(|out| push_number(out, 0)), "0");
        assert_eq!(
            written(|out| push_number(out, u64::MAX)),
            u64::MAX.to_string()
        );
    }
}
