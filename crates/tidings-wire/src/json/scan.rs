//! Looking at valid JSON text byte by byte, without reading it.

use std::borrow::Cow;

/// Whether arrays and objects are nested deeper than `max`. For text that is not JSON the answer
/// means nothing.
pub(crate) fn is_too_deep(text: &[u8], max: usize) -> bool {
    let mut depth = 0_usize;
    let mut too_deep = false;
    outside_strings(text, |byte| match byte {
        b'[' | b'{' => {
            depth += 1;
            too_deep |= depth > max;
        }
        b']' | b'}' => depth = depth.saturating_sub(1),
        _ => {}
    });
    too_deep
}

/// The same JSON without raw line breaks. Those can only stand between tokens, so all white space
/// there goes; numbers and strings keep their text.
pub(crate) fn one_line(text: &str) -> Cow<'_, [u8]> {
    if memchr::memchr2(b'\n', b'\r', text.as_bytes()).is_none() {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut compact = Vec::with_capacity(text.len());
    let mut in_string = false;
    let mut escaped = false;
    for byte in text.bytes() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            continue;
        } else {
            in_string = byte == b'"';
        }
        compact.push(byte);
    }
    Cow::Owned(compact)
}

fn outside_strings(text: &[u8], mut each: impl FnMut(u8)) {
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        if *byte != b'"' {
            each(*byte);
            continue;
        }
        while let Some(inside) = rest.next() {
            match inside {
                b'"' => break,
                b'\\' => {
                    rest.next();
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_counted_outside_strings() {
        assert!(!is_too_deep(b"0", 0));
        assert!(!is_too_deep(br#"{"a":[1,[2]],"b":[]}"#, 3));
        assert!(is_too_deep(br#"{"a":[1,[2]]}"#, 2));
        assert!(!is_too_deep(br#"["[[[[\"[[[[","\\"]"#, 1));
        assert!(is_too_deep(&b"[".repeat(100_000), 64));
    }

    #[test]
    fn line_breaks_go_and_everything_else_keeps_its_text() {
        let pretty = "{\r\n  \"a b\" : [ 1.50,\n 2e+3 ],\t\"c\\\" \\\\\" : \"x  y\"\n}";
        let expected = r#"{"a b":[1.50,2e+3],"c\" \\":"x  y"}"#;
        assert_eq!(&*one_line(pretty), expected.as_bytes());
        let already = r#"{ "kept" : 1 }"#;
        assert!(matches!(one_line(already), Cow::Borrowed(text) if text == already.as_bytes()));
    }
}
