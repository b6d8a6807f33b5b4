//! Answers of the JSON routes.

use tidings_core::gap::{Gap, GapReason};
use tidings_core::port::Encoder as _;
use tidings_core::topic::Topic;
use tidings_wire::page::{
    PageFrame, Published, TopicFacts, push_event, push_page, push_published, push_published_group,
    push_published_line, push_topic,
};
use tidings_wire::problem::{Code, Problem};
use tidings_wire::sse::{JSON, WireEncoder};

use crate::samples::{event, position, text};

fn published(duplicate: bool, subscribers: Option<u64>) -> Published {
    Published {
        id: "order-1".to_owned(),
        cursor: position(3),
        subscribers,
        duplicate,
    }
}

#[test]
fn answers_are_written_as_the_protocol_says() {
    let mut events = Vec::new();
    for data in ["1", "2"] {
        WireEncoder::default().event(JSON, &event(data), Some(position(1042)), &mut events);
    }
    let frame = PageFrame {
        cursor: position(1050),
        more: true,
        gap: Some(Gap {
            from: Some(position(5)),
            to: position(9),
            reason: GapReason::Damaged,
        }),
    };
    let empty = PageFrame {
        more: false,
        gap: None,
        ..frame
    };
    let facts = TopicFacts {
        topic: Topic::parse("project/\"42\"").expect("a topic"),
        head: Some(position(9)),
        earliest: None,
        subscribers: Some(0),
    };
    let problem = Problem::new(Code::InvalidType, "not an event type");
    let answers = [
        text(|out| push_page(&events, &frame, out)),
        text(|out| push_page(b"", &empty, out)),
        text(|out| push_published(&published(false, Some(2)), out)),
        text(|out| {
            push_published_group(&[published(true, None), published(false, None)], out);
        }),
        text(|out| push_published_group(&[], out)),
        text(|out| push_published_line(1, Ok(&published(false, Some(1))), out)),
        text(|out| push_published_line(3, Err(&problem), out)),
        text(|out| push_event(&event("{}"), out)),
        text(|out| push_topic(&facts, out)),
    ];
    for answer in &answers {
        let value: Result<serde_json::Value, _> = serde_json::from_str(answer);
        assert!(value.is_ok(), "{answer}");
    }
    let epoch = position(0).epoch.to_string();
    insta::assert_snapshot!(answers.join("\n").replace(&epoch, "EPOCH"));
}
