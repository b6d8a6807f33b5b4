//! Nobody in particular: who is let in without a subject.

use serde_json::json;

use crate::client::Request;
use crate::sinks::{Sink, for_each_sink};
use crate::world::{Wish, World};

const NOBODY: &str = "~~read=project/*";
const STREAM: &str = "/v1/stream?topics=project/1";

for_each_sink!(nobody_reads_what_is_granted_and_what_is_for_everyone_if_that_is_too);

async fn nobody_reads_what_is_granted_and_what_is_for_everyone_if_that_is_too(sink: Sink) {
    let world = World::start().await;
    let open = |token: &str| world.stream(Request::get(STREAM).bearer(token).through(sink));
    let mut deaf = open(NOBODY).await;
    let mut hears = open("~~read=project/*~everyone").await;
    let mut somebody = open("~ann~read=project/*").await;
    for body in [
        r#"{"type":"t","data":"everyone"}"#,
        r#"{"type":"t","users":["ann"],"data":"ann"}"#,
        r#"{"type":"t","topics":["project/1"],"data":"topic"}"#,
    ] {
        let publish = Request::post("/v1/events").bearer("writer").json(body);
        assert_eq!(world.send(publish).await.status, 200);
    }
    for (stream, expected) in [
        (&mut deaf, &["topic"][..]),
        (&mut hears, &["everyone", "topic"]),
        (&mut somebody, &["everyone", "ann", "topic"]),
    ] {
        for data in expected {
            assert_eq!(stream.next_event().await.json()["data"], *data);
        }
    }
    let audience = world.send(Request::get("/v1/events").bearer(NOBODY)).await;
    assert_eq!(
        (audience.status, audience.code().as_str()),
        (400, "invalid_query")
    );
    assert!(audience.text().contains("anonymous"), "{}", audience.text());
    let elsewhere = Request::get("/v1/stream?topics=elsewhere").bearer(NOBODY);
    assert_eq!(world.send(elsewhere).await.code(), "not_granted");
}

#[tokio::test]
async fn nobody_is_limited_by_its_address_alone() {
    let world = World::start_with(Wish {
        connections_per_identity: 1,
        connections_per_address: 3,
        trusted_proxies: vec![tidings_http::network("127.0.0.1").expect("a network")],
        ..Wish::default()
    })
    .await;
    let open = |token: &str, from: &str| {
        let request = Request::get(STREAM).bearer(token);
        world.stream(request.header("x-forwarded-for", from))
    };
    let mut streams = Vec::new();
    for _ in 0..3 {
        let stream = open(NOBODY, "192.0.2.1").await;
        assert_eq!(stream.head.status, 200);
        streams.push(stream);
    }
    assert_eq!(open(NOBODY, "192.0.2.1").await.head.status, 429);
    streams.push(open(NOBODY, "192.0.2.2").await);
    assert_eq!(streams[3].head.status, 200, "nobody from elsewhere");
    let somebody = open("~ann~read=project/*", "192.0.2.3").await;
    assert_eq!(somebody.head.status, 200);
    assert_eq!(
        open("~ann~read=project/*", "192.0.2.4").await.head.status,
        429
    );
}

#[tokio::test]
async fn nobody_publishes_what_is_granted_and_repeats_count_once() {
    let world = World::start().await;
    let mut stream = world.stream(Request::get(STREAM).bearer(NOBODY)).await;
    let publish = async |token: &str, body: &str| {
        let request = Request::post("/v1/events").bearer(token).json(body);
        world.send(request).await
    };
    let writes = "~~write=project/1";
    let event = r#"{"type":"t","id":"n-1","topics":["project/1"],"data":1}"#;
    let first = publish(writes, event).await;
    assert_eq!(first.status, 200, "{}", first.text());
    assert_eq!(first.json()["duplicate"], json!(null));
    assert_eq!(publish(writes, event).await.json()["duplicate"], true);
    let other = r#"{"type":"t","id":"n-1","topics":["project/1"],"data":2}"#;
    assert_eq!(publish(writes, other).await.code(), "id_reused");
    // Somebody's ids are its own.
    let somebody = publish("~ann~write=project/1", other).await;
    assert_eq!(somebody.status, 200, "{}", somebody.text());
    for data in [1, 2] {
        assert_eq!(stream.next_event().await.json()["data"], data);
    }
    let everyone = r#"{"type":"t","data":3}"#;
    assert_eq!(publish(writes, everyone).await.code(), "not_granted");
}

#[tokio::test]
async fn a_ticket_of_nobodys_is_nobodys() {
    let world = World::start().await;
    let ticket = world.issue("ticket", NOBODY, "").await;
    let stream = Request::get(&format!("{STREAM}&ticket={ticket}"));
    let mut stream = world.stream(stream).await;
    let everyone = Request::post("/v1/events").bearer("writer");
    world.send(everyone.json(r#"{"type":"t"}"#)).await;
    world.publish("project/1", 9).await;
    assert_eq!(stream.next_event().await.json()["data"], 9);
}
