//! CloudEvents whose attributes are headers and whose data is the body.

use std::borrow::Cow;

use tidings_core::event::Content;

use super::super::audience::Addressing;
use super::super::error::{Place, PublishError, PublishFault};
use super::Data;
use super::attributes::{Attributes, Value};
use crate::query::percent_decode;

const PREFIX: &[u8] = b"ce-";

/// Whether any header is an attribute of a CloudEvent.
pub fn has_attributes<'a>(names: impl IntoIterator<Item = &'a str>) -> bool {
    names.into_iter().any(|name| attribute_name(name).is_some())
}

/// Reads a binary CloudEvent. `headers` are all headers of the request; those that do not begin with
/// `ce-` are passed over. `content_type` is the media type of the data.
pub fn decode_binary<'a>(
    headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    content_type: Option<&str>,
    body: &[u8],
    request: &Addressing,
) -> Result<Content, PublishError> {
    let place = Place::Headers;
    let mut attributes = Attributes::new(place);
    let mut seen: Vec<String> = Vec::new();
    for (header, value) in headers {
        let Some(name) = attribute_name(header) else {
            continue;
        };
        let name = name.to_ascii_lowercase();
        if seen.contains(&name) {
            return Err(place.field(&name, PublishFault::HeaderTwice));
        }
        if name == "datacontenttype" {
            // The binding has it in `Content-Type`; a second place could say something else.
            let hint = Some("use the header `Content-Type`".to_owned());
            return Err(place.field(&name, PublishFault::Unknown { hint }));
        }
        let text = decode_value(value).ok_or_else(|| place.field(&name, PublishFault::NotUtf8))?;
        attributes.add(Cow::Owned(name.clone()), Value::Text(Cow::Owned(text)))?;
        seen.push(name);
    }
    if let Some(content_type) = content_type {
        let value = Value::Text(Cow::Borrowed(content_type));
        attributes.add(Cow::Borrowed("datacontenttype"), value)?;
    }
    let data = Data::of_bytes(body, content_type).map_err(|fault| PublishError {
        path: String::new(),
        fault,
    })?;
    attributes.into_content(data, request)
}

fn attribute_name(header: &str) -> Option<&str> {
    let (prefix, name) = header.split_at_checked(PREFIX.len())?;
    prefix
        .as_bytes()
        .eq_ignore_ascii_case(PREFIX)
        .then_some(name)
}

/// The text of a header's value: quotes and their escapes go first, then one round of percent-encoding
/// (HTTP binding, section 3.1.3.2). None if that is not UTF-8.
fn decode_value(value: &[u8]) -> Option<String> {
    let text = str::from_utf8(value.trim_ascii()).ok()?;
    let quoted = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let unquoted = match quoted {
        Some(quoted) => {
            let mut plain = String::with_capacity(quoted.len());
            let mut characters = quoted.chars();
            while let Some(character) = characters.next() {
                match character {
                    '\\' => plain.extend(characters.next()),
                    _ => plain.push(character),
                }
            }
            Cow::Owned(plain)
        }
        None => Cow::Borrowed(text),
    };
    percent_decode(&unquoted).map(Cow::into_owned)
}
