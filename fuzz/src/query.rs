//! Query strings: pairs, lists of patterns and types, measures.

use tidings_core::topic::Topic;
use tidings_wire::query::{count, duration, limit, pairs, patterns, percent_decode, types, wait};

/// Input: a query string without its `?`.
pub fn query(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    if let Ok(pairs) = pairs(text) {
        let pieces = text.split('&').filter(|piece| !piece.is_empty());
        let naive = pieces.map(|piece| piece.split_once('=').unwrap_or((piece, "")));
        let naive: Vec<_> = naive
            .map(|(name, value)| (decoded_naively(name), decoded_naively(value)))
            .collect();
        assert_eq!(pairs.len(), naive.len());
        for ((name, value), (naive_name, naive_value)) in pairs.iter().zip(naive) {
            assert_eq!(name.as_bytes(), naive_name);
            assert_eq!(value.as_bytes(), naive_value);
        }
        for (_, value) in &pairs {
            if let Ok(patterns) = patterns([&**value]) {
                // Whatever is asked for is in its one canonical form.
                for pattern in patterns {
                    let again = tidings_core::pattern::Pattern::parse(pattern.as_str());
                    assert_eq!(again, Ok(pattern));
                }
            }
            drop((types([&**value]), limit(value), wait(value)));
            drop((count("n", value, 1, 9), duration("d", value)));
        }
    }
    if let Some(once) = percent_decode(text)
        && let Ok(topic) = Topic::parse(&once)
    {
        // Nothing is left in a topic that another round would turn into something else.
        assert_eq!(
            percent_decode(topic.as_str()).as_deref(),
            Some(topic.as_str())
        );
    }
}

fn decoded_naively(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let is_hexadecimal = |digits: &&[u8]| digits.iter().all(u8::is_ascii_hexdigit);
        if let Some(digits) = digits.filter(is_hexadecimal) {
            let digits = str::from_utf8(digits).expect("digits are text");
            decoded.push(u8::from_str_radix(digits, 16).expect("two digits are a byte"));
            at += 3;
        } else {
            decoded.push(if bytes[at] == b'+' { b' ' } else { bytes[at] });
            at += 1;
        }
    }
    decoded
}
