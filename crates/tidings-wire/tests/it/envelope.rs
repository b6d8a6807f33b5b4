//! The bytes of an event in every shape.

use bytes::Bytes;
use tidings_core::event::Event;
use tidings_core::id::EventId;
use tidings_core::port::{Encoder as _, Shape};
use tidings_wire::sse::{JSON, SSE_ENVELOPE, SSE_PAYLOAD, WireEncoder};

use crate::samples::{audience, event, position, text};

fn encoded(shape: Shape, event: &Event, told: bool) -> String {
    let told = told.then_some(event.position);
    text(|out| WireEncoder::default().event(shape, event, told, out))
}

#[test]
fn a_block_has_type_envelope_and_the_id_last() {
    let mut event = event(r#"{"n":1.50}"#);
    event.content.id = Some(EventId::parse("order-1").expect("an id"));
    event.content.metadata = Bytes::from_static(br#"{"userId":"u\u0031"}"#);
    assert_eq!(
        encoded(SSE_ENVELOPE, &event, true),
        "event: chapter.created\n\
         data: {\"id\":\"order-1\",\"type\":\"chapter.created\",\"timestamp\":1795262400000,\
         \"priority\":\"normal\",\"source\":\"editor\",\"version\":\"1.0\",\"data\":{\"n\":1.50},\
         \"metadata\":{\"topics\":[\"project/42\"],\"userId\":\"u\\u0031\"}}\n\
         id: 1042-24d2nkrjdw\n\n"
            .replace("24d2nkrjdw", &position(0).epoch.to_string())
    );
}

#[test]
fn readers_never_see_users_or_roles() {
    let mut event = event("null");
    event.content.audience = audience(&["@user/secret", "@role/HIDDEN", "b", "a"]);
    for shape in [SSE_ENVELOPE, SSE_PAYLOAD, JSON] {
        let text = encoded(shape, &event, true);
        assert!(
            !text.contains("secret") && !text.contains("HIDDEN"),
            "{text}"
        );
    }
    assert!(encoded(JSON, &event, true).contains(r#""topics":["a","b"]"#));
}

#[test]
fn inside_a_snapshot_a_block_has_no_id_and_a_page_no_cursor() {
    let event = event("null");
    let block = encoded(SSE_ENVELOPE, &event, false);
    assert!(!block.contains("\nid:"), "{block}");
    assert!(block.ends_with("}\n\n"), "{block}");
    assert!(!encoded(JSON, &event, false).contains("cursor"));
}

#[test]
fn a_payload_block_holds_the_data_alone() {
    let block = encoded(SSE_PAYLOAD, &event(r#"{"a":1}"#), true);
    let cursor = position(1042);
    assert_eq!(
        block,
        format!("event: chapter.created\ndata: {{\"a\":1}}\nid: {cursor}\n\n")
    );
}

#[test]
fn a_page_entry_has_its_cursor_and_a_comma() {
    let entry = encoded(JSON, &event("[]"), true);
    let json = entry.strip_suffix(',').expect("a comma");
    let value: serde_json::Value = serde_json::from_str(json).expect("JSON");
    assert_eq!(value["cursor"], position(1042).to_string());
    assert_eq!(
        value["id"], value["cursor"],
        "without an id the cursor is the id"
    );
}

#[test]
fn a18_raw_line_breaks_in_stored_data_cannot_act_as_fields() {
    let block = encoded(SSE_PAYLOAD, &event("1\rid: 9\nevent: x\r\n\r\n2"), true);
    let cursor = position(1042);
    assert_eq!(
        block,
        format!(
            "event: chapter.created\ndata: 1\ndata: id: 9\ndata: event: x\ndata: \ndata: 2\n\
             id: {cursor}\n\n"
        )
    );
}

#[test]
fn empty_metadata_of_any_spelling_adds_nothing() {
    for metadata in ["", "{}", "{ }", " { } "] {
        let mut event = event("null");
        event.content.metadata = Bytes::from_static(metadata.as_bytes());
        let entry = encoded(JSON, &event, true);
        assert!(
            entry.ends_with(r#""metadata":{"topics":["project/42"]}},"#),
            "{entry}"
        );
    }
}
