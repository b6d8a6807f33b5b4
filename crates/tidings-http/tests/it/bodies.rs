//! Bodies that are too large, too slow or broken.

use tidings_http::limits::BODY_BYTES_MAX;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::{Answer, PATIENCE, Request, exchange};
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
    for _ in 0..=BODY_BYTES_MAX / 0x10_0000 {
        bytes.extend_from_slice(&chunk);
    }
    let mut socket = TcpStream::connect(world.address).await.expect("connects");
    socket.write_all(&bytes).await.expect("sent");
    socket.readable().await.expect("an answer");
    // The answer is here, and a client that has not looked yet goes on without being reset.
    for piece in 0..3 {
        socket.write_all(b"1\r\n \r\n").await.expect("sent");
        let healthz = world.send(Request::get("/healthz")).await;
        assert_eq!(healthz.status, 200, "{piece}");
    }
    let mut raw = Vec::new();
    socket.shutdown().await.expect("no more");
    let read = timeout(PATIENCE, socket.read_to_end(&mut raw)).await;
    read.expect("in time").expect("closed and not reset");
    let answer = Answer::parse(&raw).expect("an answer");
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (413, "body_too_large")
    );
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
