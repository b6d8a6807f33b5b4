//! An event that somebody sends to see whether it arrives, in the words of the dashboard's own form.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::value::RawValue;
use tidings_core::event::Content;

use super::audience::Addressees;
use super::error::{Place, PublishError, PublishFault};
use super::event::{check_size, parse_priority, parse_type, read_object, text_field};
use crate::json::{Object, is_too_deep, one_line};
use crate::limits::JSON_DEPTH_MAX;

/// The type of a test event that has none.
const TYPE_DEFAULT: &str = "test";

const FIELDS: [&str; 6] = [
    "type",
    "message",
    "data",
    "target",
    "targetValue",
    "priority",
];

/// What `target` may say, and the list of addressees that `targetValue` belongs to.
const TARGETS: [(&str, Option<&str>); 4] = [
    ("broadcast", None),
    ("user", Some("users")),
    ("role", Some("roles")),
    ("topic", Some("topics")),
];

/// Reads `{type, message, data, target, targetValue, priority}`. Only `broadcast`, said or left out,
/// goes without a value, so that a mistyped field never reaches everyone. With a message, the event's
/// data are `{message, data}`; without one, they are `data`.
pub fn decode_test_event(text: &[u8]) -> Result<Content, PublishError> {
    let place = Place::Body;
    if is_too_deep(text, JSON_DEPTH_MAX) {
        return Err(place.error(PublishFault::TooDeep));
    }
    let mut fields = read_object(place, text)?;
    let mut taken = FIELDS.map(|name| fields.take(name));
    if let Some(name) = fields.names().next() {
        let hint = Some(format!("the fields are `{}`", FIELDS.join("`, `")));
        return Err(place.field(name, PublishFault::Unknown { hint }));
    }
    let [event_type, message, data, target, target_value, priority] =
        taken.each_mut().map(Option::take);
    let event_type = match event_type {
        Some(value) => text_field(place, "type", value)?,
        None => TYPE_DEFAULT.into(),
    };
    let target = match target {
        Some(value) => text_field(place, "target", value)?,
        None => TARGETS[0].0.into(),
    };
    let list = TARGETS.iter().find(|(name, _)| *name == target);
    let (_, list) =
        list.ok_or_else(|| place.field("target", PublishFault::Target(target.into_owned())))?;
    let mut addressees = Addressees::default();
    match (list, target_value.filter(|value| value.get() != "null")) {
        (Some(list), Some(value)) => {
            let name = text_field(place, "targetValue", value)?;
            let added = addressees.add(list, &name);
            added.map_err(|fault| place.field("targetValue", fault))?;
        }
        (Some(_), None) => return Err(place.field("targetValue", PublishFault::Missing)),
        (None, Some(_)) => return Err(place.field("targetValue", PublishFault::NoTarget)),
        (None, None) => {}
    }
    let message = message.filter(|value| value.get() != "null");
    let message = message.map(|value| text_field(place, "message", value));
    let priority = priority.map(|value| {
        parse_priority(&text_field(place, "priority", value)?)
            .map_err(|fault| place.field("priority", fault))
    });
    let content = Content {
        id: None,
        event_type: parse_type(&event_type).map_err(|fault| place.field("type", fault))?,
        priority: priority.transpose()?.unwrap_or_default(),
        source: "test".into(),
        audience: addressees.audience(place, "targetValue")?,
        data: payload(message.transpose()?.as_deref(), data).into(),
        metadata: Bytes::new(),
    };
    check_size(place, content)
}

fn payload(message: Option<&str>, data: Option<&RawValue>) -> Vec<u8> {
    let data = data.map(|data| one_line(data.get()));
    let Some(message) = message else {
        return data.map_or_else(|| b"null".to_vec(), Cow::into_owned);
    };
    let mut out = Vec::new();
    let mut object = Object::open(&mut out);
    object.string("message", message);
    if let Some(data) = data {
        object.key("data").extend_from_slice(&data);
    }
    object.close();
    out
}
