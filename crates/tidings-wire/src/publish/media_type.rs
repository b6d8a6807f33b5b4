//! Which form a publish body has, by its media type.

use crate::shown::shown;

/// The form of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One event, or an array: [`decode`](super::decode).
    Json,
    /// One event per line: [`LineSplitter`](super::LineSplitter) and
    /// [`decode_event`](super::decode_event).
    Ndjson,
    /// One CloudEvent: [`decode_structured`](super::decode_structured).
    CloudEvent,
    /// An array of CloudEvents: [`decode_batch`](super::decode_batch).
    CloudEventBatch,
    /// One CloudEvent with its attributes in the headers:
    /// [`decode_binary`](super::decode_binary).
    CloudEventBinary,
}

/// The media type is none that a publish body may have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the media type of the body is not supported: {}", shown(.0))]
pub struct UnsupportedMediaType(pub String);

impl Format {
    /// The form that a `Content-Type` names. With attributes of CloudEvents in the headers
    /// ([`has_attributes`](super::has_attributes)) any other media type is that of the event's data.
    pub fn of(
        content_type: Option<&str>,
        has_attributes: bool,
    ) -> Result<Self, UnsupportedMediaType> {
        let content_type = content_type.unwrap_or_default();
        match essence(content_type).as_str() {
            "application/cloudevents+json" => Ok(Self::CloudEvent),
            "application/cloudevents-batch+json" => Ok(Self::CloudEventBatch),
            _ if has_attributes => Ok(Self::CloudEventBinary),
            "application/json" => Ok(Self::Json),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Ok(Self::Ndjson),
            _ => Err(UnsupportedMediaType(content_type.to_owned())),
        }
    }
}

/// The media type without its parameters, in lower case.
pub(crate) fn essence(content_type: &str) -> String {
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

/// Whether values of a media type are JSON.
pub(crate) fn is_json(essence: &str) -> bool {
    matches!(essence, "application/json" | "text/json") || essence.ends_with("+json")
}
