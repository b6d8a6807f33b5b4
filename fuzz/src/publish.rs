//! Bodies that publishers send: what is read of them, and what readers get of that.

use serde_json::{Map, Value};
use tidings_core::event::{Content, Event};
use tidings_core::port::Encoder as _;
use tidings_core::position::{Epoch, Offset, Position, is_cursor_shaped};
use tidings_core::time::Timestamp;
use tidings_wire::publish::{Body, LineSplitter, decode, decode_event};
use tidings_wire::sse::{SSE_ENVELOPE, SSE_PAYLOAD, WireEncoder};

use crate::sse::{Said, said};

/// Input: a body of `application/json`.
pub fn publish_body(data: &[u8]) {
    let single = decode_event(data);
    match decode(data) {
        Ok(Body::One(event)) => {
            assert_eq!(single.as_ref(), Ok(&event));
            is_delivered(data, event.content);
        }
        Ok(Body::Group(events)) => {
            assert!(single.is_err());
            // A number that is too large for this check may well be delivered.
            let Ok(texts) = serde_json::from_slice::<Vec<Value>>(data) else {
                return;
            };
            assert_eq!(texts.len(), events.len());
            for (text, event) in texts.iter().zip(events) {
                // The text of a value may differ from what was sent, in spaces and the like.
                let again = decode_event(text.to_string().as_bytes());
                let same = again.is_ok_and(|again| {
                    (again.content.audience, again.wait)
                        == (event.content.audience.clone(), event.wait)
                });
                assert!(same, "{text}");
                is_delivered(text.to_string().as_bytes(), event.content);
            }
        }
        Err(error) => {
            assert!(single.is_err());
            // Whoever sent it is told, whatever it was.
            drop((error.to_string(), error.code(), error.hint()));
        }
    }
}

/// What was read can be written in every shape, and says in each what was sent.
fn is_delivered(sent: &[u8], content: Content) {
    let Ok(sent) = serde_json::from_slice::<Map<String, Value>>(sent) else {
        return;
    };
    let data: Value = serde_json::from_slice(&content.data).expect("data is JSON");
    assert_eq!(Some(&data), Some(sent.get("data").unwrap_or(&Value::Null)));
    if let Some(id) = &content.id {
        assert_eq!(sent.get("id").and_then(Value::as_str), Some(id.as_str()));
    }
    is_told(content);
}

/// What was read can be written in every shape, as one block of what was read.
pub(crate) fn is_told(content: Content) {
    let data: Value = serde_json::from_slice(&content.data).expect("data is JSON");
    for text in [&content.data, &content.metadata] {
        assert!(!text.iter().any(|byte| matches!(byte, b'\n' | b'\r')));
    }
    if let Some(id) = &content.id {
        assert!(!is_cursor_shaped(id.as_str()));
    }
    let event = Event {
        position: Position {
            epoch: Epoch::from_bits(7),
            offset: Offset(42),
        },
        timestamp: Timestamp(1),
        content,
    };
    let told = event.position.to_string();
    let name = event.content.event_type.as_str();
    for shape in [SSE_PAYLOAD, SSE_ENVELOPE] {
        let mut block = Vec::new();
        WireEncoder::default().event(shape, &event, Some(event.position), &mut block);
        let messages = said(&block, block.len());
        let [Said::Message(found, text, id)] = messages.as_slice() else {
            panic!("an event is one block, not {messages:?}");
        };
        assert_eq!((found.as_str(), id), (name, &told));
        let value: Value = serde_json::from_str(text).expect("a block holds JSON");
        if shape == SSE_PAYLOAD {
            assert_eq!(value, data);
        } else {
            assert_eq!(value["data"], data);
            assert_eq!(value["type"], name);
            assert_eq!(value["id"], event.id());
        }
    }
}

/// Input: how long the pieces are, how long a line may be, then a body of NDJSON.
pub fn ndjson_lines(data: &[u8]) {
    let [first, second, body @ ..] = data else {
        return;
    };
    let piece = usize::from(*first % 17) + 1;
    let bytes_max = usize::from(*second % 64) + 1;
    let mut naive = Vec::new();
    for (number, line) in (1..).zip(body.split(|byte| *byte == b'\n')) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > bytes_max {
            naive.push((number, None));
        } else if !line.trim_ascii().is_empty() {
            naive.push((number, Some(line.to_vec())));
        }
    }
    for piece in [piece, body.len().max(1)] {
        let mut splitter = LineSplitter::with_limit(bytes_max);
        let mut found = Vec::new();
        for bytes in body.chunks(piece) {
            splitter.push(bytes);
            while let Some(line) = splitter.next_line() {
                found.push(line);
            }
        }
        found.extend(splitter.finish());
        let found: Vec<_> = found
            .into_iter()
            .map(|line| (line.number, line.text.ok().map(|text| text.to_vec())))
            .collect();
        assert_eq!(found, naive, "pieces of {piece} bytes");
    }
}
