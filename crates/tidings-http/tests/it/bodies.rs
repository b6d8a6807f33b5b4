//! Bodies that are too large, too slow or broken.

use tidings_http::limits::BODY_BYTES_MAX;

use crate::client::{Answer, Request, exchange};
use crate::world::World;

#[tokio::test]
async fn n6_a_body_that_announces_too_much_is_refused_unread() {
    let world = World::start().await;
    let request = Request::post("/v1/events")
        .bearer("writer")
        .header("content-length", "1073741824")
        .header("content-type", "application/json");
    // Nothing of the body is sent, so nothing of it can have been read.
    let answer =
        Answer::parse(&exchange(world.address, &request.to_bytes()).await).expect("an answer");
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (413, "body_too_large")
    );
}

#[tokio::test]
async fn n6_a_body_has_a_limit_to_the_byte() {
    let world = World::start().await;
    let event = r#"{"type":"t","topics":["project/1"]}"#;
    let request = Request::post("/v1/events").bearer("writer");
    let largest = " ".repeat(BODY_BYTES_MAX - event.len()) + event;
    let answer = world.send(request.clone().json(&largest)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let larger = request
        .header("content-length", &(BODY_BYTES_MAX + 1).to_string())
        .header("content-type", "application/json");
    let answer = Answer::parse(&exchange(world.address, &larger.to_bytes()).await);
    let answer = answer.expect("an answer");
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (413, "body_too_large")
    );
    assert_eq!(answer.json()["limit"], BODY_BYTES_MAX);
}

#[tokio::test]
async fn n6_a_chunked_body_is_refused_at_its_limit() {
    let world = World::start().await;
    let request = Request::post("/v1/events")
        .bearer("writer")
        .header("transfer-encoding", "chunked")
        .header("content-type", "application/json");
    let mut bytes = request.to_bytes();
    let chunk = [b"100000\r\n".as_slice(), &vec![b' '; 0x10_0000], b"\r\n"].concat();
    for _ in 0..20 {
        bytes.extend_from_slice(&chunk);
    }
    let raw = exchange(world.address, &bytes).await;
    // The rest of the body is still under way when the hub closes, which may reset the answer.
    if let Some(answer) = Answer::parse(&raw) {
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (413, "body_too_large")
        );
    }
    assert_eq!(world.send(Request::get("/healthz")).await.status, 200);
}

#[tokio::test]
async fn a_broken_chunked_body_is_refused() {
    let world = World::start().await;
    let request = Request::post("/v1/events")
        .bearer("writer")
        .header("transfer-encoding", "chunked")
        .header("content-type", "application/json");
    let bytes = [request.to_bytes(), b"zz\r\n{}\r\n0\r\n\r\n".to_vec()].concat();
    let answer = Answer::parse(&exchange(world.address, &bytes).await).expect("an answer");
    assert_eq!(answer.status, 400, "{}", answer.text());
}
