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

#[tokio::test]
async fn n6_no_route_inflates_what_it_is_sent() {
    let world = World::start().await;
    // A gibibyte of zeros, if anybody inflated it once more than once.
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut bomb, &vec![b'0'; 8 * 1024 * 1024]).expect("packed");
    let bomb = bomb.finish().expect("packed");
    assert!(bomb.len() < 16 * 1024);
    let posts = tidings_http::ROUTES
        .iter()
        .filter(|route| route.method == "POST");
    for route in posts {
        for kind in [
            "application/json",
            "application/x-ndjson",
            "application/cloudevents+json",
        ] {
            let request = Request::post(route.path)
                .bearer("admin")
                .header("content-type", kind)
                .header("content-encoding", "gzip")
                .header("content-length", &bomb.len().to_string())
                .header("connection", "close");
            let bytes = [request.to_bytes(), bomb.clone()].concat();
            let answer = exchange(world.address, &bytes).await;
            let answer = Answer::parse(&answer).expect("an answer");
            let shown = format!("{} {kind}: {}", route.path, answer.text());
            assert!((400..500).contains(&answer.status), "{shown}");
            if route.path == "/v1/events" {
                assert_eq!(answer.status, 415, "{shown}");
            }
        }
    }
    assert_eq!(world.hub.figures().events_published, 0);
}
