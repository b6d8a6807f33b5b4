//! A14: one name has one spelling, at every place that takes a topic.

use crate::client::{Request, encoded};
use crate::world::World;

/// Spellings, as they are once percent-encoding is undone, that are nobody's: each would be another
/// name for whoever decodes, folds or normalises once more.
const REFUSED: [&str; 23] = [
    "project%2F1",
    "project/%31",
    "project/%2e%2e/1",
    "project/../1",
    "project/./1",
    "project//1",
    "/project/1",
    "project/1/",
    "",
    "project/\u{0}1",
    "project/\n1",
    "project/1\u{7f}",
    "project/e\u{301}",
    "project\u{ff0f}1",
    "project/\u{202e}1",
    "project/\u{200b}1",
    "project/\u{feff}1",
    "project/\u{2028}1",
    "project/1*",
    "project/{x}",
    "@all",
    "project/@user",
    "@user/w1",
];

/// Names of their own, which happen to look like one that is granted.
const OTHERS: [&str; 5] = [
    "PROJECT/1",
    "Project/1",
    "project.",
    "project;/1",
    "projec/t1",
];

/// Everything that takes a topic, asked with this one.
fn places(topic: &str) -> Vec<Request> {
    let quoted = serde_json::to_string(topic).expect("JSON");
    let event = format!(r#"{{"type":"t","topics":[{quoted}]}}"#);
    let structured = r#"{"specversion":"1.0","id":"i","source":"s","type":"t"}"#;
    let query = encoded(topic);
    let publish = || Request::post("/v1/events").bearer("writer");
    vec![
        publish().json(&event),
        publish().json(&format!("[{event}]")),
        publish().body("application/x-ndjson", &event),
        Request::post(&format!("/v1/events?topics={query}"))
            .bearer("writer")
            .body("application/cloudevents+json", structured),
        Request::get(&format!("/v1/events?topics={query}")).bearer("writer"),
        Request::get(&format!("/v1/stream?topics={query}")).bearer("writer"),
        Request::get(&format!("/v1/topics/{query}")).bearer("writer"),
    ]
}

#[tokio::test]
async fn a14_no_spelling_is_taken_for_another_wherever_it_stands() {
    let world = World::start().await;
    for topic in REFUSED {
        for (place, request) in places(topic).into_iter().enumerate() {
            // Without a name, a reader asks for its own audience, and a path is another path.
            let is_nothing = topic.is_empty() && place > 3;
            let shown = format!("{topic:?} {request:?}");
            let answer = world.stream(request).await.head;
            if !is_nothing {
                assert_eq!(answer.status, 400, "{shown}");
            }
        }
    }
    for topic in OTHERS {
        for request in places(topic) {
            let shown = format!("{topic:?} {request:?}");
            assert_eq!(world.stream(request).await.head.status, 403, "{shown}");
        }
    }
    assert_eq!(world.hub.figures().events_published, 0);
    for request in places("project/1") {
        let shown = format!("{request:?}");
        assert_eq!(world.stream(request).await.head.status, 200, "{shown}");
    }
}

#[tokio::test]
async fn a14_what_is_no_utf8_or_too_long_is_no_topic() {
    let world = World::start().await;
    let long = "x".repeat(4_096);
    let deep = vec!["x"; 33].join("/");
    for request in places(&long).into_iter().chain(places(&deep)) {
        let status = world.stream(request).await.head.status;
        assert!(matches!(status, 400 | 414), "{status}");
    }
    // Overlong slashes, half a surrogate pair, and a byte that begins nothing.
    for raw in [
        "project%C0%AF1",
        "project%E0%80%AF1",
        "project%2F%ED%A0%80",
        "project%2F%FF",
    ] {
        for target in ["/v1/events?topics=", "/v1/stream?topics=", "/v1/topics/"] {
            let request = Request::get(&format!("{target}{raw}")).bearer("writer");
            assert_eq!(world.send(request).await.status, 400, "{target}{raw}");
        }
    }
    let mut body = br#"{"type":"t","topics":["project/1"]}"#.to_vec();
    body[31] = 0xff;
    let head = "POST /v1/events HTTP/1.1\r\nhost: h\r\nauthorization: Bearer writer\r\n\
                content-type: application/json\r\ncontent-length: 35\r\nconnection: close\r\n\r\n";
    let answer = crate::client::exchange(world.address, &[head.as_bytes(), &body].concat()).await;
    let answer = crate::client::Answer::parse(&answer).expect("an answer");
    assert_eq!(answer.status, 400, "{}", answer.text());
}
