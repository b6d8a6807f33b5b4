//! The text of one path segment, decoded exactly once.

use std::borrow::Cow;

/// The segment is not valid percent-encoding of UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the path segment is not percent-encoded UTF-8")]
pub(crate) struct NotASegment;

/// Decodes a segment. What it decodes to is not decoded again: `%252F` becomes `%2F`, which no name
/// of the hub may contain.
pub(crate) fn decode(raw: &str) -> Result<Cow<'_, str>, NotASegment> {
    if !raw.contains('%') {
        return Ok(Cow::Borrowed(raw));
    }
    let mut decoded = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                decoded.push(digit(*high)? << 4 | digit(*low)?);
                after
            }
            (b'%', _) => return Err(NotASegment),
            (byte, after) => {
                decoded.push(*byte);
                after
            }
        };
    }
    String::from_utf8(decoded)
        .map(Cow::Owned)
        .map_err(|_| NotASegment)
}

fn digit(byte: u8) -> Result<u8, NotASegment> {
    char::from(byte)
        .to_digit(16)
        .map(|digit| digit as u8)
        .ok_or(NotASegment)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a14_a_segment_is_decoded_exactly_once() {
        assert_eq!(decode("a%2Fb").as_deref(), Ok("a/b"));
        assert_eq!(decode("a%252Fb").as_deref(), Ok("a%2Fb"));
        assert_eq!(decode("a+b").as_deref(), Ok("a+b"));
        assert_eq!(decode("%D0%BB").as_deref(), Ok("л"));
        // The last two are an overlong slash and half a surrogate pair.
        for bad in ["%", "a%2", "%zz", "%+1", "%C0%AF", "%ED%A0%80"] {
            assert_eq!(decode(bad), Err(NotASegment), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_survives_its_encoding(text in any::<String>()) {
            let mut encoded = String::new();
            for byte in text.bytes() {
                write!(encoded, "%{byte:02X}").expect("a string takes any text");
            }
            prop_assert_eq!(decode(&encoded), Ok(Cow::Owned(text)));
        }

        #[test]
        fn no_segment_panics(raw in "[%0-9a-fA-F/é]{0,40}") {
            if let Ok(decoded) = decode(&raw) {
                prop_assert!(decoded.len() <= raw.len());
            }
        }
    }
}
