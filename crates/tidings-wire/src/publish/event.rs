//! One event as native JSON.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::value::RawValue;
use tidings_core::awaited::ReaderWait;
use tidings_core::event::Content;
use tidings_core::event_type::EventType;
use tidings_core::id::EventId;
use tidings_core::limits::{AUDIENCE_KEYS_MAX, EVENT_BYTES_MAX, SOURCE_BYTES_MAX};
use tidings_core::priority::Priority;

use super::audience::Addressees;
use super::error::{Place, PublishError, PublishFault};
use super::wait::read_wait;
use crate::json::{Fields, RawFault, elements, is_too_deep, kind_of, one_line, text_of};
use crate::limits::{JSON_DEPTH_MAX, OBJECT_FIELDS_MAX};
use crate::shown::nearest;

/// Fields of an event.
const FIELDS: [&str; 10] = [
    "topics", "users", "roles", "id", "type", "priority", "source", "data", "metadata", "wait",
];

/// Fields that the protocol has and this version does not.
const NOT_SUPPORTED: [&str; 3] = ["ttl", "conflationKey", "exclude"];

/// Names that other systems use, and what they are called here.
const OTHER_WORDS: [(&str, &str); 9] = [
    ("channel", "`topics`"),
    ("channels", "`topics`"),
    ("event", "`type`"),
    ("eventType", "`type`"),
    ("payload", "`data`"),
    ("userId", "`users`"),
    ("userIds", "`users`"),
    ("time", "`metadata.time`; `timestamp` is the hub's own"),
    ("timestamp", "`metadata.time`; `timestamp` is the hub's own"),
];

/// An event as a publisher sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// What is published.
    pub content: Content,
    /// For which readers that waits.
    pub wait: Option<ReaderWait>,
}

/// What is published at once.
impl From<Content> for Publication {
    fn from(content: Content) -> Self {
        Self {
            content,
            wait: None,
        }
    }
}

/// Reads one event: a whole body, or one line of NDJSON.
pub fn decode_event(text: &[u8]) -> Result<Publication, PublishError> {
    decode_at(Place::Body, text)
}

/// Reads one event that stands somewhere in a body.
pub(crate) fn decode_at(place: Place, text: &[u8]) -> Result<Publication, PublishError> {
    if is_too_deep(text, JSON_DEPTH_MAX) {
        return Err(place.error(PublishFault::TooDeep));
    }
    let mut fields = read_object(place, text)?;
    let mut addressees = Addressees::default();
    for list in ["topics", "users", "roles"] {
        if let Some(value) = fields.take(list) {
            read_addressees(place, list, value, &mut addressees)?;
        }
    }
    let id = match fields.take("id") {
        Some(value) => Some(
            parse_id(&text_field(place, "id", value)?).map_err(|fault| place.field("id", fault))?,
        ),
        None => None,
    };
    let event_type = fields.take("type");
    let priority = match fields.take("priority") {
        Some(value) => parse_priority(&text_field(place, "priority", value)?)
            .map_err(|fault| place.field("priority", fault))?,
        None => Priority::default(),
    };
    let source = match fields.take("source") {
        Some(value) => parse_source(&text_field(place, "source", value)?)
            .map_err(|fault| place.field("source", fault))?,
        None => Arc::from(""),
    };
    let data = fields.take("data").map_or("null", RawValue::get);
    let metadata = match fields.take("metadata") {
        Some(value) => read_metadata(place, value)?,
        None => Bytes::new(),
    };
    let wait = match fields.take("wait") {
        Some(value) => Some(read_wait(place, value)?),
        None => None,
    };
    // Before the missing type: a mistyped `type` is both, and this names it.
    if let Some(name) = fields.names().next() {
        return Err(refuse_field(place, name));
    }
    let event_type = event_type.ok_or_else(|| place.field("type", PublishFault::Missing))?;
    let event_type = parse_type(&text_field(place, "type", event_type)?)
        .map_err(|fault| place.field("type", fault))?;
    let content = Content {
        id,
        event_type,
        priority,
        source,
        audience: addressees.audience(place, "topics")?,
        data: Bytes::copy_from_slice(&one_line(data)),
        metadata,
    };
    let content = check_size(place, content)?;
    Ok(Publication { content, wait })
}

/// Reads the object that an event must be.
pub(crate) fn read_object(place: Place, text: &[u8]) -> Result<Fields<'_>, PublishError> {
    Fields::read(text, OBJECT_FIELDS_MAX).map_err(|fault| match fault {
        RawFault::Json(error) if error.is_data() => place.error(PublishFault::Kind {
            expected: "an object",
            found: kind_of(text),
        }),
        RawFault::Json(error) => place.error(PublishFault::Json(error.to_string())),
        RawFault::Duplicate(name) => place.field(&name, PublishFault::Duplicate),
        RawFault::TooMany(count) => place.error(PublishFault::TooManyFields(count)),
    })
}

/// The text of a field that must be a string.
pub(crate) fn text_field<'a>(
    place: Place,
    name: &str,
    value: &'a RawValue,
) -> Result<Cow<'a, str>, PublishError> {
    text_of(value).ok_or_else(|| place.field(name, not_a_string(value)))
}

pub(super) fn not_a(expected: &'static str, value: &RawValue) -> PublishFault {
    let found = kind_of(value.get().as_bytes());
    PublishFault::Kind { expected, found }
}

fn not_a_string(value: &RawValue) -> PublishFault {
    let expected = "a string";
    let found = match kind_of(value.get().as_bytes()) {
        // Valid JSON, but `\ud800` alone is no character.
        "a string" => "a string with half of a surrogate pair",
        found => found,
    };
    PublishFault::Kind { expected, found }
}

fn read_addressees(
    place: Place,
    list: &str,
    value: &RawValue,
    addressees: &mut Addressees,
) -> Result<(), PublishError> {
    let texts = elements(value.get().as_bytes(), AUDIENCE_KEYS_MAX).map_err(|fault| {
        let fault = match fault {
            RawFault::TooMany(count) => PublishFault::TooManyAddressees(count),
            RawFault::Json(_) | RawFault::Duplicate(_) => not_a("an array of strings", value),
        };
        place.field(list, fault)
    })?;
    addressees.list_given();
    for (index, text) in texts.into_iter().enumerate() {
        let at = |fault| place.element(list, &index.to_string(), fault);
        let name = text_of(text).ok_or_else(|| at(not_a_string(text)))?;
        addressees.add(list, &name).map_err(at)?;
    }
    Ok(())
}

pub(crate) fn parse_id(text: &str) -> Result<EventId, PublishFault> {
    EventId::parse(text).map_err(|reason| PublishFault::Id {
        value: text.to_owned(),
        reason,
    })
}

pub(crate) fn parse_type(text: &str) -> Result<EventType, PublishFault> {
    EventType::parse(text).map_err(|reason| PublishFault::Type {
        value: text.to_owned(),
        reason,
    })
}

pub(crate) fn parse_priority(text: &str) -> Result<Priority, PublishFault> {
    Priority::parse(text).ok_or_else(|| PublishFault::Priority(text.to_owned()))
}

pub(crate) fn parse_source(text: &str) -> Result<Arc<str>, PublishFault> {
    if text.len() > SOURCE_BYTES_MAX || text.chars().any(char::is_control) {
        return Err(PublishFault::Source(text.to_owned()));
    }
    Ok(text.into())
}

fn read_metadata(place: Place, value: &RawValue) -> Result<Bytes, PublishError> {
    let text = value.get();
    let entries =
        Fields::read(text.as_bytes(), OBJECT_FIELDS_MAX).map_err(|fault| match fault {
            RawFault::Json(_) => place.field("metadata", not_a("an object", value)),
            RawFault::Duplicate(name) => place.element("metadata", &name, PublishFault::Duplicate),
            RawFault::TooMany(count) => place.field("metadata", PublishFault::TooManyFields(count)),
        })?;
    if entries.has("topics") {
        return Err(place.element("metadata", "topics", PublishFault::ReservedMetadata));
    }
    if entries.is_empty() {
        return Ok(Bytes::new());
    }
    Ok(Bytes::copy_from_slice(&one_line(text)))
}

/// The last check of every kind of event: what its data and metadata weigh.
pub(crate) fn check_size(place: Place, content: Content) -> Result<Content, PublishError> {
    let bytes = content.data.len() + content.metadata.len();
    if bytes > EVENT_BYTES_MAX {
        return Err(place.error(PublishFault::TooLarge(bytes)));
    }
    Ok(content)
}

fn refuse_field(place: Place, name: &str) -> PublishError {
    if NOT_SUPPORTED.contains(&name) {
        return place.field(name, PublishFault::NotSupported);
    }
    let other_word = OTHER_WORDS.iter().find(|(word, _)| *word == name);
    let hint = match other_word {
        Some((_, ours)) => Some(format!("use {ours}")),
        None => nearest(name, &FIELDS).map(|field| format!("use `{field}`")),
    };
    place.field(name, PublishFault::Unknown { hint })
}
