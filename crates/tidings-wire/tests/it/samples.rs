//! Events and positions that the tests share.

use std::fmt::Write as _;

use bytes::Bytes;
use tidings_core::audience::{Audience, Key};
use tidings_core::event::{Content, Event};
use tidings_core::event_type::EventType;
use tidings_core::position::{Epoch, Offset, Position};
use tidings_core::priority::Priority;
use tidings_core::time::Timestamp;

/// The position of an offset in one epoch.
pub(crate) fn position(offset: u64) -> Position {
    Position {
        epoch: Epoch::from_bits(0x2_1234_5678_9abc),
        offset: Offset(offset),
    }
}

/// An audience by its keys' text.
pub(crate) fn audience(keys: &[&str]) -> Audience {
    Audience::new(
        keys.iter()
            .map(|key| Key::parse(key).expect("a key"))
            .collect(),
    )
}

/// An event without an id of its own.
pub(crate) fn event(data: &str) -> Event {
    Event {
        position: position(1042),
        timestamp: Timestamp(1_795_262_400_000),
        content: Content {
            id: None,
            event_type: EventType::parse("chapter.created").expect("a type"),
            priority: Priority::Normal,
            source: "editor".into(),
            audience: audience(&["project/42", "@user/u1"]),
            data: Bytes::copy_from_slice(data.as_bytes()),
            metadata: Bytes::new(),
        },
    }
}

/// Every byte of a text percent-encoded.
pub(crate) fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        write!(encoded, "%{byte:02x}").expect("a string takes any text");
        encoded
    })
}

/// Bytes as text.
pub(crate) fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).expect("text")
}
