//! Why a publish body is refused: where, what was expected, and the fix.

use tidings_core::awaited::ReaderWaitError;
use tidings_core::event_type::EventTypeError;
use tidings_core::id::EventIdError;
use tidings_core::limits::{
    AUDIENCE_KEYS_MAX, EVENT_BYTES_MAX, GROUP_EVENTS_MAX, SOURCE_BYTES_MAX,
};
use tidings_core::name::NameFault;
use tidings_core::topic::TopicError;

use crate::limits::{JSON_DEPTH_MAX, OBJECT_FIELDS_MAX};
use crate::problem::Code;
use crate::shown::shown;

/// A refused body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{fault}", place(.path))]
pub struct PublishError {
    /// Where, as a JSON Pointer (RFC 6901) into the body; empty for the body itself. For the headers
    /// of a binary CloudEvent, the header's name.
    pub path: String,
    /// What is wrong there.
    pub fault: PublishFault,
}

/// What is wrong at one place of a body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishFault {
    /// No JSON at all.
    #[error("not valid JSON: {0}")]
    Json(String),
    /// Arrays and objects too deep inside each other.
    #[error("arrays and objects are nested deeper than {JSON_DEPTH_MAX}")]
    TooDeep,
    /// One kind of value where another belongs.
    #[error("expected {expected}, found {found}")]
    Kind {
        /// What belongs there.
        expected: &'static str,
        /// What stands there.
        found: &'static str,
    },
    /// A required field is not there.
    #[error("the field is required")]
    Missing,
    /// A field stands twice.
    #[error("the field stands twice")]
    Duplicate,
    /// A field that no event has.
    #[error("no event has this field")]
    Unknown {
        /// What to do instead, if it is clear.
        hint: Option<String>,
    },
    /// A documented field that is not built yet.
    #[error("this version does not support the field")]
    NotSupported,
    /// More fields than anything meaningful has.
    #[error("{0} fields where at most {OBJECT_FIELDS_MAX} are allowed")]
    TooManyFields(usize),
    /// Not a topic.
    #[error("not a topic: {reason}: {}", shown(.value))]
    Topic {
        /// The text.
        value: String,
        /// The broken rule.
        reason: TopicError,
    },
    /// Not an event type.
    #[error("not an event type: {reason}: {}", shown(.value))]
    Type {
        /// The text.
        value: String,
        /// The broken rule.
        reason: EventTypeError,
    },
    /// Not an event id.
    #[error("not an event id: {reason}: {}", shown(.value))]
    Id {
        /// The text.
        value: String,
        /// The broken rule.
        reason: EventIdError,
    },
    /// Not a user or role.
    #[error("not a name: {reason}: {}", shown(.value))]
    Name {
        /// The text.
        value: String,
        /// The broken rule.
        reason: NameFault,
    },
    /// Not a priority.
    #[error("expected `low`, `normal`, `high` or `critical`, found {}", shown(.0))]
    Priority(String),
    /// Not a kind of addressee.
    #[error("expected `broadcast`, `user`, `role` or `topic`, found {}", shown(.0))]
    Target(String),
    /// An addressee, where everyone is meant.
    #[error("everyone is meant, and somebody is named")]
    NoTarget,
    /// A source that is too long or has control characters.
    #[error(
        "a source has at most {SOURCE_BYTES_MAX} bytes and no control characters: {}",
        shown(.0)
    )]
    Source(String),
    /// Lists of addressees are there, and all of them are empty.
    #[error("the lists of addressees are empty")]
    NoAddressee,
    /// More addressees than one event may have.
    #[error("{0} addressees where at most {AUDIENCE_KEYS_MAX} are allowed")]
    TooManyAddressees(usize),
    /// `topics` in the metadata.
    #[error("the hub writes `topics` into the metadata itself")]
    ReservedMetadata,
    /// Data and metadata are too large.
    #[error("data and metadata have {0} bytes where at most {EVENT_BYTES_MAX} are allowed")]
    TooLarge(usize),
    /// An array of no events.
    #[error("the group has no events")]
    EmptyGroup,
    /// An array of too many events.
    #[error("the group has {0} events where at most {GROUP_EVENTS_MAX} are allowed")]
    GroupTooLarge(usize),
    /// A version of CloudEvents other than 1.0.
    #[error("expected the CloudEvents version `1.0`, found {}", shown(.0))]
    SpecVersion(String),
    /// The name of an attribute has other than lower-case letters and digits.
    #[error("the name of a CloudEvents attribute has only lower-case letters and digits")]
    AttributeName,
    /// Both `data` and `data_base64`.
    #[error("an event has `data` or `data_base64`, not both")]
    DataTwice,
    /// Not base64.
    #[error("not base64 as in RFC 4648 with padding")]
    Base64,
    /// Not a time.
    #[error("expected a time as in RFC 3339, found {}", shown(.0))]
    Time(String),
    /// Not a duration.
    #[error("expected a duration such as `500ms` or `3s`, found {}", shown(.0))]
    Duration(String),
    /// A wait for readers beyond its limits.
    #[error(transparent)]
    Wait(ReaderWaitError),
    /// A text in other than UTF-8.
    #[error("the text is not valid UTF-8")]
    NotUtf8,
    /// A header of CloudEvents that stands twice.
    #[error("the header stands twice")]
    HeaderTwice,
}

/// The words that say where, if not in the body as a whole.
fn place(path: &str) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!("at {}: ", shown(path))
    }
}

impl PublishError {
    /// The problem code that answers it.
    pub fn code(&self) -> Code {
        match &self.fault {
            PublishFault::Json(_) | PublishFault::TooDeep => Code::InvalidJson,
            PublishFault::Unknown { .. } => Code::UnknownField,
            PublishFault::NotSupported => Code::NotSupported,
            PublishFault::Topic { .. } => Code::InvalidTopic,
            PublishFault::Type { .. } => Code::InvalidType,
            PublishFault::Id { .. } => Code::InvalidId,
            PublishFault::TooLarge(_) => Code::BodyTooLarge,
            PublishFault::GroupTooLarge(_) => Code::GroupTooLarge,
            PublishFault::HeaderTwice => Code::InvalidHeader,
            PublishFault::Kind { .. }
            | PublishFault::Missing
            | PublishFault::Duplicate
            | PublishFault::TooManyFields(_)
            | PublishFault::Name { .. }
            | PublishFault::Priority(_)
            | PublishFault::Target(_)
            | PublishFault::NoTarget
            | PublishFault::Source(_)
            | PublishFault::NoAddressee
            | PublishFault::TooManyAddressees(_)
            | PublishFault::ReservedMetadata
            | PublishFault::EmptyGroup
            | PublishFault::SpecVersion(_)
            | PublishFault::AttributeName
            | PublishFault::DataTwice
            | PublishFault::Base64
            | PublishFault::Time(_)
            | PublishFault::Duration(_)
            | PublishFault::Wait(_)
            | PublishFault::NotUtf8 => Code::InvalidEvent,
        }
    }

    /// How to get it right, where this case says more than its code.
    pub fn hint(&self) -> Option<String> {
        let hint = match &self.fault {
            PublishFault::Unknown { hint } => return hint.clone(),
            PublishFault::NoAddressee => {
                "name an addressee, or leave the lists out to reach everyone"
            }
            PublishFault::ReservedMetadata => "name topics in the event's own field `topics`",
            PublishFault::Kind { found: "null", .. } => "leave the field out",
            PublishFault::TooManyAddressees(_) => "publish to a topic that all of them read",
            PublishFault::NoTarget => "say with `target` whether it is a user, a role or a topic",
            PublishFault::EmptyGroup => "send at least one event",
            PublishFault::Time(_) => "write it as `2026-11-21T12:00:00Z`",
            PublishFault::TooManyFields(_) => "put them into `data`",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// A place in a body: the body itself, or one event of a group. Its text is made for errors only.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    /// One event that is the whole body.
    Body,
    /// An event of an array.
    Element(usize),
    /// One event whose attributes are headers.
    Headers,
}

impl Place {
    /// An error of the event as a whole.
    pub(crate) fn error(self, fault: PublishFault) -> PublishError {
        let path = match self {
            Self::Body | Self::Headers => String::new(),
            Self::Element(index) => format!("/{index}"),
        };
        PublishError { path, fault }
    }

    /// An error of one of the event's fields.
    pub(crate) fn field(self, name: &str, fault: PublishFault) -> PublishError {
        let mut error = self.error(fault);
        error.path.push_str(match self {
            Self::Body | Self::Element(_) => "/",
            Self::Headers => "ce-",
        });
        error.path.push_str(&token(name));
        error
    }

    /// An error of one element of one of the event's fields.
    pub(crate) fn element(self, name: &str, inner: &str, fault: PublishFault) -> PublishError {
        let mut error = self.field(name, fault);
        error.path.push('/');
        error.path.push_str(&token(inner));
        error
    }
}

/// A name as a token of a JSON Pointer; a name too long for a message is cut.
fn token(name: &str) -> String {
    let short: String = name
        .chars()
        .take(crate::limits::SHOWN_CHARACTERS_MAX)
        .collect();
    short.replace('~', "~0").replace('/', "~1")
}
