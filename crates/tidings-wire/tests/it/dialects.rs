//! The hub's own events in the words of other servers, byte for byte.

use tidings_core::event_type::EventType;
use tidings_core::port::{Control, Encoder as _, Farewell, Hello, Voice};
use tidings_core::start::Replay;
use tidings_core::time::Timestamp;
use tidings_wire::sse::{Beat, Dialect, Form, Item, NATIVE, Parser, WireEncoder};

use crate::samples::{position, text};

fn word(text: &str) -> EventType {
    EventType::parse(text).expect("a word")
}

fn silent() -> Dialect {
    Dialect {
        greeting: None,
        heartbeat: Beat::Comment(word("ping")),
        form: Form::Object,
        says_disconnected: false,
    }
}

fn object() -> Dialect {
    Dialect {
        greeting: Some(word("connection_established")),
        heartbeat: Beat::EventWithoutId(word("heartbeat")),
        ..silent()
    }
}

fn envelope() -> Dialect {
    Dialect {
        greeting: Some(word("connected")),
        heartbeat: Beat::Event(word("ping")),
        form: Form::Envelope,
        says_disconnected: true,
    }
}

fn hello(cursor_is_told: bool) -> Control {
    Control::Hello(Hello {
        connection_id: "n1.0.7.1.abc".to_owned(),
        cursor: position(5),
        cursor_is_told,
        head: position(9),
        replay: Replay::Complete,
        narrowed: None,
        heartbeat_ms: 15_000,
        expires_at: None,
        server_time: Timestamp(1_795_262_400_000),
    })
}

fn bye(code: &'static str) -> Control {
    Control::Bye {
        cursor: Some(position(9)),
        farewell: Farewell {
            code,
            reason: "it is \"over\"".to_owned(),
            retry_after_ms: Some(1_000),
            spread_ms: 30_000,
            retry_ms: None,
        },
    }
}

fn controls() -> [Control; 6] {
    [
        hello(true),
        hello(false),
        Control::Ping {
            cursor: position(9),
            time: Timestamp(1_795_262_400_123),
        },
        Control::Reauth {
            expires_at: Timestamp(1_795_266_000_000),
        },
        bye("drain"),
        bye("credential_expired"),
    ]
}

/// Everything that is said in a voice, with the epoch's text left out.
fn said(encoder: &WireEncoder, voice: Voice) -> String {
    let epoch = position(0).epoch.to_string();
    let blocks = controls().map(|control| {
        let block = text(|out| encoder.control(voice, &control, out));
        assert!(!block.is_empty() && block.ends_with("\n\n"), "{block:?}");
        block.replace(&epoch, "EPOCH")
    });
    blocks.concat()
}

#[test]
fn every_dialect_is_written_as_its_clients_expect() {
    let encoder = WireEncoder::new(vec![silent(), object(), envelope()]);
    insta::assert_snapshot!("silent", said(&encoder, Voice(1)));
    insta::assert_snapshot!("object", said(&encoder, Voice(2)));
    insta::assert_snapshot!("envelope", said(&encoder, Voice(3)));
    assert_eq!(said(&encoder, Voice(4)), said(&encoder, NATIVE));
}

#[test]
fn a_sign_of_life_tells_the_position_in_every_dialect() {
    let encoder = WireEncoder::new(vec![silent(), object(), envelope()]);
    for voice in 0..4 {
        let ping = &controls()[2];
        let block = text(|out| encoder.control(Voice(voice), ping, out));
        let mut parser = Parser::default();
        let mut messages = 0;
        let count = |item: Item<'_>| messages += usize::from(matches!(item, Item::Message(_)));
        parser.feed(block.as_bytes(), count).expect("short");
        assert_eq!(parser.last_event_id(), position(9).to_string());
        assert_eq!(messages, usize::from(voice != 1), "a comment is no message");
    }
}

#[test]
fn what_is_said_in_an_envelope_is_json_with_the_members_of_one() {
    let encoder = WireEncoder::new(vec![envelope()]);
    let greeting = text(|out| encoder.control(Voice(1), &hello(true), out));
    let line = greeting
        .lines()
        .find_map(|line| line.strip_prefix("data: "));
    let value: serde_json::Value = serde_json::from_str(line.expect("data")).expect("JSON");
    assert_eq!(value["type"], "connected");
    assert_eq!(value["clientId"], "n1.0.7.1.abc");
    assert_eq!(value["data"]["clientId"], "n1.0.7.1.abc");
    assert_eq!(value["data"]["heartbeatMs"], 15_000);
    assert_eq!(value["timestamp"], 1_795_262_400_000_u64);
    assert_ne!(value["id"], position(5).to_string(), "an event may have it");
}
