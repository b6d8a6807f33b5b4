//! The envelope: one event as JSON, the same in every transport.

use tidings_core::event::Event;
use tidings_core::position::Position;
use tidings_core::priority::Priority;
use tidings_core::time::Timestamp;

use crate::json::{Object, push_position, push_string};

/// Version of the envelope. A reader may rely on the meaning of every field of its version.
const VERSION: &str = "1.0";

/// The source of the hub's own events.
const OWN_SOURCE: &str = "tidings";

/// Appends the envelope of an event. `cursor` is written for readers that have no other way to learn
/// it: in a stream it is the block's id.
pub(crate) fn push_envelope(event: &Event, cursor: Option<Position>, out: &mut Vec<u8>) {
    let content = &event.content;
    let mut envelope = Object::open(out);
    match &content.id {
        Some(id) => envelope.string("id", id.as_str()),
        None => envelope.cursor("id", Some(event.position)),
    };
    if cursor.is_some() {
        envelope.cursor("cursor", cursor);
    }
    envelope
        .string("type", content.event_type.as_str())
        .number("timestamp", event.timestamp.0)
        .string("priority", content.priority.as_str())
        .string("source", &content.source)
        .string("version", VERSION);
    envelope.key("data").extend_from_slice(&content.data);
    push_metadata(event, envelope.key("metadata"));
    envelope.close();
}

/// An event of the hub's own, as a stream of envelopes shows it.
pub(crate) struct OwnEvent<'a> {
    pub(crate) event_type: &'a str,
    /// Where the stream stands.
    pub(crate) position: Position,
    pub(crate) time: Timestamp,
    /// The connection, where the event is about it.
    pub(crate) client_id: Option<&'a str>,
}

/// Appends an envelope for an event that is in no log. Its id is that of no other event, so that
/// nobody who drops repeated ids drops the wrong one.
pub(crate) fn push_own_envelope(
    event: &OwnEvent<'_>,
    out: &mut Vec<u8>,
    data: impl FnOnce(&mut Vec<u8>),
) {
    let mut envelope = Object::open(out);
    let id = envelope.key("id");
    id.push(b'"');
    id.extend_from_slice(event.event_type.as_bytes());
    id.push(b':');
    push_position(id, event.position);
    id.push(b'"');
    envelope
        .string("type", event.event_type)
        .number("timestamp", event.time.0)
        .string("priority", Priority::Normal.as_str())
        .string("source", OWN_SOURCE)
        .string("version", VERSION);
    if let Some(client_id) = event.client_id {
        envelope.string("clientId", client_id);
    }
    data(envelope.key("data"));
    envelope
        .key("metadata")
        .extend_from_slice(br#"{"topics":[]}"#);
    envelope.close();
}

/// Appends the publisher's metadata with the event's topics in front.
fn push_metadata(event: &Event, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"topics\":[");
    for (index, topic) in event.content.audience.topics().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_string(out, topic.as_str());
    }
    out.push(b']');
    let entries = entries(&event.content.metadata);
    if !entries.is_empty() {
        out.push(b',');
        out.extend_from_slice(entries);
    }
    out.push(b'}');
}

/// What stands between the braces of an object.
fn entries(object: &[u8]) -> &[u8] {
    object
        .trim_ascii()
        .strip_prefix(b"{")
        .and_then(|rest| rest.strip_suffix(b"}"))
        .unwrap_or_default()
        .trim_ascii()
}
