//! `GET /v1/topics/{topic}`.

use crate::client::Request;
use crate::world::World;

#[tokio::test]
async fn a_topic_tells_what_it_holds_and_how_many_read_it() {
    let world = World::start().await;
    let first = world.publish("project/1", 1).await;
    let last = world.publish("project/1", 2).await;
    let _stream = world
        .stream(Request::get("/v1/stream?topics=project/*").bearer("reader"))
        .await;
    let answer = world
        .send(Request::get("/v1/topics/project%2F1").bearer("reader"))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let facts = answer.json();
    assert_eq!(facts["topic"], "project/1");
    assert_eq!(
        (&facts["earliest"], &facts["head"]),
        (&first.into(), &last.into())
    );
    assert_eq!(facts["subscribers"], 1);
}

#[tokio::test]
async fn an_empty_topic_has_neither_end() {
    let world = World::start().await;
    let facts = world
        .send(Request::get("/v1/topics/project%2F9").bearer("reader"))
        .await
        .json();
    assert!(
        facts["head"].is_null() && facts["earliest"].is_null(),
        "{facts}"
    );
}

#[tokio::test]
async fn only_readers_and_administrators_may_ask() {
    let world = World::start().await;
    let ask = async |token, topic: &str| {
        let request = Request::get(&format!("/v1/topics/{topic}")).bearer(token);
        world.send(request).await
    };
    assert_eq!(ask("admin", "anything").await.status, 200);
    let refused = ask("reader", "other").await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (403, "not_granted")
    );
    assert_eq!(ask("reader", "project%2F1%2Fdeep").await.status, 403);
}

#[tokio::test]
async fn a14_the_segment_is_decoded_exactly_once() {
    let world = World::start().await;
    for bad in [
        "project%252F1",
        "project%2F..%2Fx",
        "project%2F%2F1",
        "project%00",
        "%C0%AF",
        "a%EF%BC%8Fb",
        "project%2F1%2F",
        "%40all",
        "project%2F*",
        "%7Bx%7D",
        "%",
        "a%E2%80%AEb",
        "nai%CC%88ve",
    ] {
        let answer = world
            .send(Request::get(&format!("/v1/topics/{bad}")).bearer("admin"))
            .await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "invalid_topic"),
            "{bad}"
        );
    }
    let long = "a".repeat(4_096);
    let answer = world
        .send(Request::get(&format!("/v1/topics/{long}")).bearer("admin"))
        .await;
    assert_eq!(answer.code(), "invalid_topic");
}
