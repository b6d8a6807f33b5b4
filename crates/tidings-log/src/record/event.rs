//! One event inside a record.
//!
//! ```text
//! 0   4  length of everything behind this field
//! 4   1  priority; plus 0x10 if there is an id, 0x20 if there is a dedupe key
//! 5   1  length of the type
//! 6   1  length of the id
//! 7   1  zero
//! 8   4  length of the source
//! 12  4  length of the metadata
//! 16  4  number of audience keys
//! 20     dedupe key and content hash (16 bytes each, if any), type, id, source, metadata,
//!        keys (2 bytes of length and the text, each), data up to the end
//! ```

use std::sync::Arc;

use bytes::{Buf, Bytes};
use tidings_core::audience::{Audience, Key};
use tidings_core::event::{Content, DedupeKey, Draft, Event};
use tidings_core::event_type::EventType;
use tidings_core::id::EventId;
use tidings_core::position::Position;
use tidings_core::priority::Priority;
use tidings_core::time::Timestamp;

const FIXED_BYTES: usize = 16;
const HAS_ID: u8 = 0x10;
const HAS_DEDUPE: u8 = 0x20;

/// Appends a draft as an event of a record.
pub(crate) fn encode_draft(draft: &Draft, out: &mut Vec<u8>) {
    let content = &draft.content;
    let start = out.len();
    let event_type = content.event_type.as_str();
    let id = content.id.as_ref().map_or("", EventId::as_str);
    let mut flags = content.priority as u8;
    if content.id.is_some() {
        flags |= HAS_ID;
    }
    if draft.dedupe.is_some() {
        flags |= HAS_DEDUPE;
    }
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&[flags, event_type.len() as u8, id.len() as u8, 0]);
    let keys = content.audience.keys();
    for length in [content.source.len(), content.metadata.len(), keys.len()] {
        out.extend_from_slice(&(length as u32).to_le_bytes());
    }
    if let Some(dedupe) = &draft.dedupe {
        out.extend_from_slice(&dedupe.publisher_id);
        out.extend_from_slice(&dedupe.content);
    }
    out.extend_from_slice(event_type.as_bytes());
    out.extend_from_slice(id.as_bytes());
    out.extend_from_slice(content.source.as_bytes());
    out.extend_from_slice(&content.metadata);
    for key in keys {
        encode_key(key, out);
    }
    out.extend_from_slice(&content.data);
    let length = (out.len() - start - 4) as u32;
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
}

/// Appends a key's text without building it first.
fn encode_key(key: &Key, out: &mut Vec<u8>) {
    let (prefix, name) = match key {
        Key::Topic(topic) => ("", topic.as_str()),
        Key::User(user) => ("@user/", user.as_str()),
        Key::Role(role) => ("@role/", role.as_str()),
        Key::Everyone => ("@all", ""),
    };
    out.extend_from_slice(&((prefix.len() + name.len()) as u16).to_le_bytes());
    out.extend_from_slice(prefix.as_bytes());
    out.extend_from_slice(name.as_bytes());
}

/// An event as it stands in a record, taken apart but not copied.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawEvent<'a> {
    whole: &'a [u8],
    flags: u8,
    dedupe: &'a [u8],
    event_type: &'a str,
    id: &'a str,
    source: &'a str,
    metadata: &'a [u8],
    /// Keys, each behind two bytes of length.
    keys: &'a [u8],
    data: &'a [u8],
}

impl<'a> RawEvent<'a> {
    /// What follows the first event.
    pub(crate) fn skip(mut bytes: &'a [u8]) -> Option<&'a [u8]> {
        let mut length = bytes.split_off(..4)?;
        bytes.split_off(..length.get_u32_le() as usize)?;
        Some(bytes)
    }

    /// Takes the first event off; none if the bytes are not what was written.
    pub(crate) fn split(mut bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let mut length = bytes.split_off(..4)?;
        let whole = bytes.split_off(..length.get_u32_le() as usize)?;
        let mut rest = whole;
        let mut fixed = rest.split_off(..FIXED_BYTES)?;
        let flags = fixed.get_u8();
        let (type_length, id_length) = (fixed.get_u8() as usize, fixed.get_u8() as usize);
        fixed.advance(1);
        let (source_length, metadata_length) = (fixed.get_u32_le(), fixed.get_u32_le());
        let key_count = fixed.get_u32_le();
        let dedupe_length = if flags & HAS_DEDUPE == 0 { 0 } else { 32 };
        let dedupe = rest.split_off(..dedupe_length)?;
        let mut text = |length: usize| str::from_utf8(rest.split_off(..length)?).ok();
        let event_type = text(type_length)?;
        let id = text(id_length)?;
        let source = text(source_length as usize)?;
        let metadata = rest.split_off(..metadata_length as usize)?;
        let keys_start = rest;
        for _ in 0..key_count {
            let mut length = rest.split_off(..2)?;
            rest.split_off(..length.get_u16_le() as usize)?;
        }
        let keys = keys_start.get(..keys_start.len() - rest.len())?;
        let event = Self {
            whole,
            flags,
            dedupe,
            event_type,
            id,
            source,
            metadata,
            keys,
            data: rest,
        };
        Some((event, bytes))
    }

    /// Bytes that the event takes in its record, for budgets of retention.
    pub(crate) fn size_bytes(&self) -> u32 {
        self.whole.len() as u32
    }

    /// The publisher's own id.
    pub(crate) fn id(&self) -> Option<&'a str> {
        (self.flags & HAS_ID != 0).then_some(self.id)
    }

    /// The fingerprints of the publish.
    pub(crate) fn dedupe(&self) -> Option<DedupeKey> {
        let (publisher_id, content) = self.dedupe.split_at_checked(16)?;
        Some(DedupeKey {
            publisher_id: publisher_id.try_into().ok()?,
            content: content.try_into().ok()?,
        })
    }

    /// The texts of the audience keys.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'a str> {
        let mut rest = self.keys;
        std::iter::from_fn(move || {
            let mut length = rest.split_off(..2)?;
            let text = rest.split_off(..length.get_u16_le() as usize)?;
            str::from_utf8(text).ok()
        })
    }

    /// The event; its data and metadata are slices of `block`, which holds the record. None if a
    /// part is not in canonical form, which nothing that was appended is.
    pub(crate) fn decode(
        &self,
        block: &Bytes,
        position: Position,
        timestamp: Timestamp,
    ) -> Option<Event> {
        let id = match self.id() {
            Some(id) => Some(EventId::parse(id).ok()?),
            None => None,
        };
        let keys: Result<Vec<Key>, _> = self.keys().map(Key::parse).collect();
        let content = Content {
            id,
            event_type: EventType::parse(self.event_type).ok()?,
            priority: *Priority::ALL.get(usize::from(self.flags & 0x0f))?,
            source: Arc::from(self.source),
            audience: Audience::new(keys.ok()?),
            data: block.slice_ref(self.data),
            metadata: block.slice_ref(self.metadata),
        };
        Some(Event {
            position,
            timestamp,
            content,
        })
    }
}
