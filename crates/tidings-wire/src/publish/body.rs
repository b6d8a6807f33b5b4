//! A whole body in one of the JSON forms.

use tidings_core::limits::GROUP_EVENTS_MAX;

use super::error::{Place, PublishError, PublishFault};
use super::event::{Publication, decode_at};
use crate::json::{RawFault, elements, kind_of};

/// The events of one body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// One event; the answer is one object.
    One(Publication),
    /// One atomic group, in order; the answer is an array.
    Group(Vec<Publication>),
}

/// Reads a body of `application/json`: one event, or an array as one atomic group.
pub fn decode(body: &[u8]) -> Result<Body, PublishError> {
    match kind_of(body) {
        "an array" => decode_group(body, decode_at).map(Body::Group),
        "an object" => decode_at(Place::Body, body).map(Body::One),
        "nothing" => Err(not_json(body)),
        found => match serde_json::from_slice::<serde::de::IgnoredAny>(body) {
            Ok(_) => Err(Place::Body.error(PublishFault::Kind {
                expected: "an object or an array of objects",
                found,
            })),
            Err(_) => Err(not_json(body)),
        },
    }
}

/// Reads an array of events of one kind.
pub(crate) fn decode_group<T>(
    body: &[u8],
    decode_one: impl Fn(Place, &[u8]) -> Result<T, PublishError>,
) -> Result<Vec<T>, PublishError> {
    let texts = elements(body, GROUP_EVENTS_MAX).map_err(|fault| {
        Place::Body.error(match fault {
            RawFault::TooMany(count) => PublishFault::GroupTooLarge(count),
            RawFault::Json(error) if error.is_data() => PublishFault::Kind {
                expected: "an array of objects",
                found: kind_of(body),
            },
            RawFault::Json(error) => PublishFault::Json(error.to_string()),
            RawFault::Duplicate(_) => PublishFault::Duplicate,
        })
    })?;
    if texts.is_empty() {
        return Err(Place::Body.error(PublishFault::EmptyGroup));
    }
    texts
        .into_iter()
        .enumerate()
        .map(|(index, text)| decode_one(Place::Element(index), text.get().as_bytes()))
        .collect()
}

fn not_json(body: &[u8]) -> PublishError {
    let reason = match serde_json::from_slice::<serde::de::IgnoredAny>(body) {
        Err(error) => error.to_string(),
        Ok(_) => "there is no value".to_owned(),
    };
    Place::Body.error(PublishFault::Json(reason))
}
