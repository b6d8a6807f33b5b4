//! The probe: what a load's event carries, as text that is cheap to find in the stream of any hub.
//!
//! ```text
//! {"tb":"probe=<publisher>.<serial>.<due µs>;......"}
//! ```
//!
//! The mark has no quotes, so that it is found wherever a hub puts the data: in an envelope, plain,
//! or as a JSON string within JSON.

use std::io::Write as _;

use memchr::memmem::Finder;

const MARK: &[u8] = b"probe=";
const HEAD: &[u8] = b"{\"tb\":\"";
const TAIL: &[u8] = b"\"}";

/// What an event says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Probe {
    /// Which publisher.
    pub(super) publisher: u32,
    /// Its how many-th event on the topic, from one.
    pub(super) serial: u32,
    /// When it was due.
    pub(super) due_us: u64,
}

/// Finds probes in text.
#[derive(Debug, Clone)]
pub(super) struct ProbeFinder(Finder<'static>);

impl Probe {
    /// Appends the probe as a JSON object of `bytes` bytes, or as many as it needs.
    pub(super) fn write(self, out: &mut Vec<u8>, bytes: usize) {
        let Self {
            publisher,
            serial,
            due_us,
        } = self;
        let begin = out.len();
        out.extend_from_slice(HEAD);
        out.extend_from_slice(MARK);
        // Writing to memory cannot fail.
        let _written = write!(out, "{publisher}.{serial}.{due_us};");
        let end = (begin + bytes).saturating_sub(TAIL.len());
        if out.len() < end {
            out.resize(end, b'.');
        }
        out.extend_from_slice(TAIL);
    }
}

impl ProbeFinder {
    pub(super) fn new() -> Self {
        Self(Finder::new(MARK))
    }

    /// The first probe of a line.
    pub(super) fn find(&self, line: &[u8]) -> Option<Probe> {
        let text = line.get(self.0.find(line)? + MARK.len()..)?;
        let (publisher, text) = number(text, b'.')?;
        let (serial, text) = number(text, b'.')?;
        let (due_us, _) = number(text, b';')?;
        Some(Probe {
            publisher: u32::try_from(publisher).ok()?,
            serial: u32::try_from(serial).ok()?,
            due_us,
        })
    }
}

/// A number that ends with a certain byte, and what follows.
fn number(text: &[u8], end: u8) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (at, byte) in text.iter().enumerate() {
        if *byte == end && at > 0 {
            return Some((value, text.get(at + 1..)?));
        }
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROBE: Probe = Probe {
        publisher: 3,
        serial: 17,
        due_us: 123_456_789_012,
    };

    #[test]
    fn a_probe_has_the_bytes_it_should_have_and_is_found_in_any_envelope() {
        for bytes in [0, 100, 200] {
            let mut text = b"data: {\"data\":".to_vec();
            let begin = text.len();
            PROBE.write(&mut text, bytes);
            let json = text.get(begin..).expect("written");
            assert!(json.len() == bytes || bytes == 0, "{}", json.len());
            serde_json::from_slice::<serde_json::Value>(json).expect("JSON");
            text.extend_from_slice(b",\"type\":\"bench.probe\"}");
            assert_eq!(ProbeFinder::new().find(&text), Some(PROBE));
        }
    }

    #[test]
    fn what_only_looks_like_a_probe_is_none() {
        let finder = ProbeFinder::new();
        for text in [
            "probe=",
            "probe=1",
            "probe=1.2",
            "probe=1.2.3",
            "probe=..;",
            "probe=1.x.3;",
            "probe=99999999999.1.1;",
            "probe=1.1.99999999999999999999;",
        ] {
            assert_eq!(finder.find(text.as_bytes()), None, "{text}");
        }
    }
}
