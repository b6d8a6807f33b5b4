//! What the events of the torture carry: a text that only one event has, and its hash.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::ledger::Name;

/// A text of about this length that only this event has.
pub(crate) fn text(event: Name, length: usize) -> String {
    let word = format!("{event} ünd ");
    let mut text = word.repeat(length / word.len() + 1);
    text.push_str("end");
    text
}

/// A hash as hexadecimal text.
pub(crate) fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}
