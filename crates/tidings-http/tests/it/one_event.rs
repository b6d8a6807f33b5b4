//! `GET /v1/events/{id}`.

use crate::client::Request;
use crate::world::World;

#[tokio::test]
async fn an_event_is_read_by_its_cursor_and_by_its_id() {
    let world = World::start().await;
    let cursor = world.publish("project/1", 5).await;
    let by_cursor = world
        .send(Request::get(&format!("/v1/events/{cursor}")).bearer("reader"))
        .await;
    assert_eq!(
        (by_cursor.status, &by_cursor.json()["data"]),
        (200, &5.into())
    );

    let named = r#"{"type":"t","id":"order-1","topics":["project/1"]}"#;
    world
        .send(Request::post("/v1/events").bearer("writer").json(named))
        .await;
    let by_id = world
        .send(Request::get("/v1/events/order-1").bearer("reader"))
        .await
        .json();
    assert_eq!(by_id["id"], "order-1");
    assert_eq!(by_id["metadata"]["topics"][0], "project/1");
}

#[tokio::test]
async fn a16_unknown_forbidden_and_malformed_events_are_refused_alike() {
    let world = World::start().await;
    let forbidden = world.publish("project/1/deep", 5).await;
    let hidden = r#"{"type":"t","id":"hidden","topics":["project/1/deep"]}"#;
    world
        .send(Request::post("/v1/events").bearer("writer").json(hidden))
        .await;
    let mut bodies = Vec::new();
    for name in [
        forbidden.as_str(),
        "hidden",
        "unknown",
        "999-0000000007",
        "1-zzzzzzzzzz",
        "%00",
        "a%2Fb",
    ] {
        let answer = world
            .send(Request::get(&format!("/v1/events/{name}")).bearer("reader"))
            .await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (404, "not_found"),
            "{name}"
        );
        let mut body = answer.json();
        body["requestId"].take();
        bodies.push(body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
}

#[tokio::test]
async fn a_route_without_parameters_takes_none() {
    let world = World::start().await;
    for target in ["/v1/events/x?token=t", "/v1/topics/project%2F1?since=now"] {
        let answer = world.send(Request::get(target).bearer("reader")).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "invalid_query"),
            "{target}"
        );
    }
}
