//! CloudEvents as JSON: one object, or an array as one atomic group.

use std::borrow::Cow;

use tidings_core::event::Content;

use super::super::audience::Addressing;
use super::super::body::decode_group;
use super::super::error::{Place, PublishError, PublishFault};
use super::super::event::{read_object, text_field};
use super::Data;
use super::attributes::{Attributes, Value};
use crate::json::{is_too_deep, kind_of};
use crate::limits::JSON_DEPTH_MAX;

/// Reads a body of `application/cloudevents+json`.
pub fn decode_structured(body: &[u8], request: &Addressing) -> Result<Content, PublishError> {
    decode_at(Place::Body, body, request)
}

/// Reads a body of `application/cloudevents-batch+json`: one atomic group.
pub fn decode_batch(body: &[u8], request: &Addressing) -> Result<Vec<Content>, PublishError> {
    decode_group(body, |place, text| decode_at(place, text, request))
}

fn decode_at(place: Place, text: &[u8], request: &Addressing) -> Result<Content, PublishError> {
    if is_too_deep(text, JSON_DEPTH_MAX) {
        return Err(place.error(PublishFault::TooDeep));
    }
    let mut fields = read_object(place, text)?;
    let json = fields.take("data");
    let base64 = fields.take("data_base64");
    let mut attributes = Attributes::new(place);
    for (name, value) in fields.iter() {
        let literal = value.get();
        let value = match kind_of(literal.as_bytes()) {
            "a string" => Value::Text(text_field(place, name, value)?),
            "a number" | "a boolean" => Value::Literal(literal),
            // The JSON format lets unset attributes be null. An unset list of addressees would
            // reach everyone, so those must be left out.
            "null" if !name.starts_with("tidings") => continue,
            found => {
                let expected = "a string, a number or a boolean";
                return Err(place.field(name, PublishFault::Kind { expected, found }));
            }
        };
        attributes.add(Cow::Owned(name.to_owned()), value)?;
    }
    let data = match (json, base64) {
        (Some(_), Some(_)) => return Err(place.field("data_base64", PublishFault::DataTwice)),
        (Some(json), None) => Data::of_json(json.get()),
        (None, None) => Data::of_json("null"),
        (None, Some(base64)) => {
            let text = text_field(place, "data_base64", base64)?;
            Data::of_base64(&text, attributes.content_type())
                .map_err(|fault| place.field("data_base64", fault))?
        }
    };
    attributes.into_content(data, request)
}
