//! Events: as a publisher hands them in, and as the log has committed them.

use std::sync::Arc;

use bytes::Bytes;

use crate::audience::Audience;
use crate::event_type::EventType;
use crate::id::EventId;
use crate::position::Position;
use crate::priority::Priority;
use crate::time::Timestamp;

/// What a publisher says; the same before and after it is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The publisher's own id; without one the cursor is the id.
    pub id: Option<EventId>,
    /// What kind of thing happened.
    pub event_type: EventType,
    /// How eagerly it is handed over.
    pub priority: Priority,
    /// Which program says so; empty if it did not say.
    pub source: Arc<str>,
    /// Whom it is for.
    pub audience: Audience,
    /// One JSON value as text without raw line breaks.
    pub data: Bytes,
    /// A JSON object as text without raw line breaks, or empty for none. Holds no `topics`: those
    /// are in the audience.
    pub metadata: Bytes,
}

impl Content {
    /// Bytes that the content occupies, for budgets.
    pub fn size_bytes(&self) -> usize {
        let id = self.id.as_ref().map_or(0, |id| id.as_str().len());
        id + self.event_type.as_str().len()
            + self.source.len()
            + self.data.len()
            + self.metadata.len()
    }
}

/// An event on its way into the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// What the publisher says.
    pub content: Content,
    /// What makes a repeat recognisable, if the publisher gave an id.
    pub dedupe: Option<DedupeKey>,
}

/// Fingerprints by which a sequencer recognises a repeated publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DedupeKey {
    /// Of (publisher's subject, source, id): the same for a repeat.
    pub publisher_id: [u8; 16],
    /// Of everything the publisher said: differs if the id was reused for something else.
    pub content: [u8; 16],
}

/// A committed event: durable, and in its place for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its place in the log.
    pub position: Position,
    /// When the hub appended it; never runs backwards along the log.
    pub timestamp: Timestamp,
    /// What the publisher said.
    pub content: Content,
}

impl Event {
    /// The id by which readers know the event: the publisher's, else the cursor.
    pub fn id(&self) -> String {
        match &self.content.id {
            Some(id) => id.as_str().to_owned(),
            None => self.position.to_string(),
        }
    }
}
