//! `CloudEvents`: structured, batched and binary, of which the first two and the last two agree.

use std::fmt::Write as _;

use serde_json::{Map, Value};
use tidings_core::event::Content;
use tidings_wire::publish::{
    Addressing, Format, PublishError, decode_batch, decode_binary, decode_structured,
    has_attributes,
};

use crate::input::lines;
use crate::publish::is_told;

/// Input: a topic of the request, or nothing; its content type, or nothing; headers, each a name, a
/// colon and a value, up to an empty line; then the body.
pub fn cloud_event(data: &[u8]) {
    let Some([topic, content_type, rest]) = lines(data) else {
        return;
    };
    let topics = Some(topic.to_owned()).filter(|topic| !topic.is_empty());
    let request = Addressing {
        topics: topics.into_iter().collect(),
        ..Addressing::default()
    };
    let content_type = Some(content_type).filter(|text| !text.is_empty());
    let (head, body) = rest.split_once("\n\n").unwrap_or(("", rest));
    let headers: Vec<(&str, &[u8])> = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name, value.trim().as_bytes()))
        .collect();
    let has_attributes = has_attributes(headers.iter().map(|(name, _)| *name));
    let body = body.as_bytes();
    match Format::of(content_type, has_attributes) {
        Ok(Format::CloudEvent) => structured(body, &request),
        Ok(Format::CloudEventBatch) => match decode_batch(body, &request) {
            Ok(events) => events.into_iter().for_each(is_told),
            Err(error) => is_explained(&error),
        },
        Ok(Format::CloudEventBinary) => {
            match decode_binary(headers, content_type, body, &request) {
                Ok(event) => is_told(event),
                Err(error) => is_explained(&error),
            }
        }
        Ok(Format::Json | Format::Ndjson) | Err(_) => {}
    }
}

fn structured(body: &[u8], request: &Addressing) {
    let decoded = decode_structured(body, request);
    let batch = decode_batch(&[b"[", body, b"]"].concat(), request);
    match decoded {
        Ok(event) => {
            assert_eq!(batch.as_deref(), Ok([event.clone()].as_slice()));
            is_the_same_in_binary(body, &event, request);
            is_told(event);
        }
        Err(error) => {
            // What is no JSON by itself may be two events in a list.
            let is_json = serde_json::from_slice::<Value>(body).is_ok();
            assert!(batch.is_err() || !is_json);
            is_explained(&error);
        }
    }
}

/// Whoever sent it is told what is wrong, whatever it was.
fn is_explained(error: &PublishError) {
    assert!(!error.to_string().is_empty());
    drop((error.code(), error.hint()));
}

/// An event whose attributes are texts and whose data is JSON says the same with headers.
fn is_the_same_in_binary(body: &[u8], event: &Content, request: &Addressing) {
    let Ok(mut attributes) = serde_json::from_slice::<Map<String, Value>>(body) else {
        return;
    };
    let data = attributes.remove("data");
    let content_type = attributes.remove("datacontenttype");
    let is_plain = content_type.is_none_or(|text| text == "application/json")
        && !attributes.contains_key("data_base64");
    let texts: Option<Vec<(String, String)>> = attributes
        .iter()
        .map(|(name, value)| Some((format!("CE-{name}"), encoded(value.as_str()?))))
        .collect();
    let (true, Some(texts)) = (is_plain, texts) else {
        return;
    };
    let headers = texts.iter();
    let headers = headers.map(|(name, value)| (name.as_str(), value.as_bytes()));
    let data = data.map_or_else(Vec::new, |data| data.to_string().into_bytes());
    let binary = decode_binary(headers, Some("application/json"), &data, request);
    let binary = binary.expect("it was good with the same attributes in its body");
    assert_eq!(
        (&binary.id, &binary.event_type, &binary.source),
        (&event.id, &event.event_type, &event.source)
    );
    assert_eq!(
        (&binary.audience, binary.priority),
        (&event.audience, event.priority)
    );
    let value = |text: &[u8]| serde_json::from_slice::<Value>(text).ok();
    assert_eq!(value(&binary.data), value(&event.data));
    assert_eq!(value(&binary.metadata), value(&event.metadata));
}

/// Percent-encoded, as the HTTP binding has it; more than it asks for is allowed.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        // Writing to a string cannot fail.
        let _infallible = write!(encoded, "%{byte:02X}");
    }
    encoded
}
