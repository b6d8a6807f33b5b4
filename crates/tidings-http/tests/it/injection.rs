//! A18: nothing that is published can end its block, or begin another.

use serde_json::json;

use crate::client::{Request, encoded};
use crate::sinks::{Sink, for_each_sink};
use crate::world::World;

for_each_sink!(a18_data_and_metadata_stay_in_their_block);

/// What some reader of lines takes for the end of one, or drops.
const BREAKS: [&str; 8] = [
    "\n", "\r", "\r\n", "\n\n", "\u{2028}", "\u{0}", "\u{feff}", "\u{85}",
];

fn publish(event: &serde_json::Value) -> Request {
    Request::post("/v1/events")
        .bearer("writer")
        .json(&event.to_string())
}

async fn a18_data_and_metadata_stay_in_their_block(sink: Sink) {
    let world = World::start().await;
    let request = Request::get("/v1/stream?topics=project/1").bearer("reader");
    let mut stream = world.stream(request.through(sink)).await;
    for text in BREAKS {
        let hostile =
            format!("{text}data: x{text}event: tidings.bye{text}id: 1{text}retry: 1{text}{text}");
        let event = json!({
            "type": "t",
            "topics": ["project/1"],
            "data": { "text": hostile, (hostile.as_str()): [hostile] },
            "metadata": { "k": hostile },
        });
        let answer = world.send(publish(&event)).await;
        assert_eq!(answer.status, 200, "{text:?}: {}", answer.text());
        // The very next block, control events included, is the event.
        let mut block = stream.next().await.expect("a block");
        if block.kind == "tidings.hello" {
            block = stream.next().await.expect("a block");
        }
        assert_eq!(block.kind, "t", "{text:?}");
        let envelope = block.json();
        assert_eq!(envelope["data"], event["data"], "{text:?}");
        assert_eq!(
            envelope["metadata"]["k"], event["metadata"]["k"],
            "{text:?}"
        );
        assert_eq!(
            block.id.as_deref(),
            answer.json()["cursor"].as_str(),
            "{text:?}"
        );
    }
}

#[tokio::test]
async fn a18_no_name_holds_what_could_end_a_line() {
    let world = World::start().await;
    for text in BREAKS {
        let hostile = format!("a{text}data: x");
        for field in [
            "id",
            "type",
            "source",
            "conflationKey",
            "topics",
            "users",
            "roles",
        ] {
            // A source is data, in which only what is no text to people is refused.
            if field == "source" && !text.contains(char::is_control) {
                continue;
            }
            let value = match field {
                "topics" | "users" | "roles" => json!([hostile]),
                _ => json!(hostile),
            };
            let mut event = json!({ "type": "t" });
            event[field] = value;
            let answer = world.send(publish(&event)).await;
            assert_eq!(answer.status, 400, "{field} {text:?}: {}", answer.text());
        }
    }
    assert_eq!(world.hub.figures().events_published, 0);
}

#[tokio::test]
async fn a18_what_a_reader_sends_does_not_come_back_in_its_stream() {
    let world = World::start().await;
    for text in BREAKS {
        let encoded = encoded(text);
        let hostile = format!("7{encoded}data:%20canary{encoded}{encoded}");
        for name in ["lastEventId", "last_event_id", "ticket"] {
            let target = format!("/v1/stream?topics=project/1&{name}={hostile}");
            let mut stream = world.stream(Request::get(&target).bearer("reader")).await;
            assert_eq!(stream.head.status, 200, "{name} {text:?}");
            let hello = stream.next().await.expect("a block");
            assert_eq!(hello.kind, "tidings.hello");
            assert!(
                !hello.data.contains("canary"),
                "{name} {text:?}: {}",
                hello.data
            );
        }
    }
}
