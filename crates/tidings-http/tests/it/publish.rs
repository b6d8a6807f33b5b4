//! Publishing bodies that are read whole.

use tokio::time::timeout;

use crate::client::{Answer, PATIENCE, Request};
use crate::world::World;

async fn post(world: &World, content_type: &str, body: &str) -> Answer {
    let request = Request::post("/v1/events").bearer("writer");
    world.send(request.body(content_type, body)).await
}

#[tokio::test]
async fn an_object_is_answered_with_an_object() {
    let world = World::start().await;
    let body = r#"{"type":"t","topics":["project/1"],"data":{"n":1}}"#;
    let counted = async {
        loop {
            let answer = post(&world, "application/json; charset=utf-8", body).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            let published = answer.json();
            assert_eq!(published["id"], published["cursor"]);
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            // A late shard says nothing; the next publish asks again.
            if !published["subscribers"].is_null() {
                return published["subscribers"].clone();
            }
        }
    };
    let subscribers = timeout(PATIENCE, counted).await.expect("a count in time");
    assert_eq!(subscribers, 0);
}

#[tokio::test]
async fn an_array_is_one_group_answered_with_an_array() {
    let world = World::start().await;
    let body = r#"[{"type":"t","topics":["project/1"]},{"type":"t","topics":["project/2"]}]"#;
    let answer = post(&world, "application/json", body).await;
    assert_eq!(
        answer.json().as_array().expect("an array").len(),
        2,
        "{}",
        answer.text()
    );

    let one_refused = r#"[{"type":"t","topics":["project/1"]},{"type":"t","topics":["secret"]}]"#;
    let end = world.hub.head();
    let answer = post(&world, "application/json", one_refused).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (403, "not_granted")
    );
    assert_eq!(answer.json()["index"], 1);
    assert_eq!(world.hub.head(), end, "nothing of a refused group is kept");
}

#[tokio::test]
async fn a_repeat_is_a_duplicate_and_other_content_a_conflict() {
    let world = World::start().await;
    let body = r#"{"type":"t","id":"order-1","topics":["project/1"],"data":1}"#;
    let first = post(&world, "application/json", body).await.json();
    let repeat = post(&world, "application/json", body).await.json();
    assert_eq!(
        (&repeat["cursor"], &repeat["duplicate"]),
        (&first["cursor"], &true.into())
    );
    let other = post(
        &world,
        "application/json",
        &body.replace("\"data\":1", "\"data\":2"),
    )
    .await;
    assert_eq!((other.status, other.code().as_str()), (409, "id_reused"));
    assert_eq!(other.json()["cursor"], first["cursor"]);
}

#[tokio::test]
async fn a_mistyped_field_is_refused_with_its_place() {
    let world = World::start().await;
    let answer = post(
        &world,
        "application/json",
        r#"{"type":"t","topic":"project/1"}"#,
    )
    .await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (400, "unknown_field")
    );
    assert!(
        answer.json()["hint"]
            .as_str()
            .expect("a hint")
            .contains("topics")
    );
    let answer = post(&world, "application/json", "{").await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (400, "invalid_json")
    );
}

#[tokio::test]
async fn cloud_events_come_in_three_forms() {
    let world = World::start().await;
    let event = r#"{"specversion":"1.0","id":"e1","source":"/shop","type":"t","data":{"n":1}}"#;
    let target = "/v1/events?topics=project/1,project/2";
    let structured = Request::post(target)
        .bearer("writer")
        .body("application/cloudevents+json", event);
    let answer = world.send(structured).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["id"], "e1");

    let batch = format!("[{}]", event.replace("e1", "e2"));
    let batch = Request::post(target)
        .bearer("writer")
        .body("application/cloudevents-batch+json", &batch);
    assert_eq!(world.send(batch).await.json()[0]["id"], "e2");

    let binary = Request::post(target)
        .bearer("writer")
        .header("ce-specversion", "1.0")
        .header("ce-id", "e3")
        .header("ce-source", "/shop")
        .header("ce-type", "t")
        .json(r#"{"n":3}"#);
    assert_eq!(world.send(binary).await.json()["id"], "e3");

    let read = world
        .send(Request::get("/v1/events/e3").bearer("writer"))
        .await
        .json();
    assert_eq!(
        read["metadata"]["topics"],
        serde_json::json!(["project/1", "project/2"])
    );
    assert_eq!(read["data"], serde_json::json!({ "n": 3 }));
}

#[tokio::test]
async fn addressees_in_the_query_are_for_cloud_events_only() {
    let world = World::start().await;
    let request = Request::post("/v1/events?topics=project/1").bearer("writer");
    let answer = world.send(request.json(r#"{"type":"t"}"#)).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (400, "invalid_query")
    );
}

#[tokio::test]
async fn other_media_types_are_refused() {
    let world = World::start().await;
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ] {
        let answer = post(&world, content_type, "{}").await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (415, "unsupported_media_type")
        );
    }
    let none = Request::post("/v1/events").bearer("writer");
    assert_eq!(world.send(none).await.status, 415);
    let compressed = Request::post("/v1/events")
        .bearer("writer")
        .header("content-encoding", "gzip");
    assert_eq!(world.send(compressed.json("{}")).await.status, 415);
}

#[tokio::test]
async fn a18_line_breaks_in_an_id_or_a_type_are_refused_and_in_data_are_data() {
    let world = World::start().await;
    for bad in [
        r#"{"type":"a\nb","topics":["project/1"]}"#,
        r#"{"type":"a\rb","topics":["project/1"]}"#,
        r#"{"type":"t","id":"a\nid: 7","topics":["project/1"]}"#,
        r#"{"type":"t","id":"a\u0000","topics":["project/1"]}"#,
        r#"{"type":"t","topics":["project/1\n"]}"#,
        r#"{"type":"t","topics":["project/\u2028"]}"#,
        r#"{"type":"t","topics":["\ufeffproject/1"]}"#,
    ] {
        assert_eq!(
            post(&world, "application/json", bad).await.status,
            400,
            "{bad}"
        );
    }
    let mut stream = world
        .stream(Request::get("/v1/stream?topics=project/1").bearer("writer"))
        .await;
    let body = "{\"type\":\"t\",\"topics\":[\"project/1\"],\r\n\"data\":\"a\\r\\nid: 7\\n\\nevent: x\\u2028\",\n\"metadata\":{\"k\":\r\"v\"}}";
    assert_eq!(post(&world, "application/json", body).await.status, 200);
    let block = stream.next_event().await;
    assert_eq!(block.json()["data"], "a\r\nid: 7\n\nevent: x\u{2028}");
    assert_eq!(block.json()["metadata"]["k"], "v");
}
