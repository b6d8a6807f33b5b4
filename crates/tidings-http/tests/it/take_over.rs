//! Taking a stream's socket out of hyper: whatever surrounds the request, nothing is lost or mixed up.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::client::{Answer, PATIENCE, Request, Stream};
use crate::world::World;

const TARGET: &str = "/v1/stream?topics=project/1";

fn reader() -> Request {
    Request::get(TARGET).bearer("reader")
}

async fn connect(world: &World) -> TcpStream {
    let socket = TcpStream::connect(world.address).await.expect("connects");
    socket.set_nodelay(true).expect("a setting");
    socket
}

/// Reads until the hub closes, in order or not.
async fn rest(mut socket: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let end = timeout(PATIENCE, socket.read_to_end(&mut bytes)).await;
    // What was read before a reset is kept.
    let _end = end.expect("closed in time");
    bytes
}

#[tokio::test]
async fn a_request_that_comes_byte_by_byte_gets_its_stream() {
    let world = World::start().await;
    let mut socket = connect(&world).await;
    for byte in reader().to_bytes() {
        socket.write_all(&[byte]).await.expect("sent");
        tokio::task::yield_now().await;
    }
    let mut stream = Stream::read_head(socket).await;
    world.publish("project/1", 1).await;
    assert_eq!(stream.next_event().await.json()["data"], 1);
    assert_eq!(world.figure("tidings_hub_sockets").await, 1);
}

#[tokio::test]
async fn a_request_sent_along_with_that_of_a_stream_ends_the_connection_unanswered() {
    let world = World::start().await;
    let mut socket = connect(&world).await;
    let bytes = [reader().to_bytes(), Request::get("/healthz").to_bytes()].concat();
    socket.write_all(&bytes).await.expect("sent");
    let answer = rest(socket).await;
    assert!(!String::from_utf8_lossy(&answer).contains("alive"));
    world.until_connections(0).await;
    assert_eq!(world.figure("tidings_hub_sockets").await, 0);
}

#[tokio::test]
async fn a_request_behind_an_open_stream_ends_it_unanswered() {
    let world = World::start().await;
    let mut stream = world.stream(reader()).await;
    assert_eq!(stream.next().await.expect("hello").kind, "tidings.hello");
    assert_eq!(world.figure("tidings_hub_sockets").await, 1);
    stream.send(&Request::get("/healthz").to_bytes()).await;
    let answer = rest(stream.into_socket()).await;
    assert!(!String::from_utf8_lossy(&answer).contains("alive"));
    world.until_connections(0).await;
    assert_eq!(world.figure("tidings_hub_sockets").await, 0);
}

#[tokio::test]
async fn a_stream_asked_for_behind_answers_that_are_not_read_yet_comes_after_them() {
    const PAGES: usize = 24;
    let world = World::start().await;
    let large = "x".repeat(200_000);
    let event = format!(r#"{{"type":"t","topics":["project/1"],"data":"{large}"}}"#);
    for _ in 0..4 {
        let publish = Request::post("/v1/events").bearer("writer").json(&event);
        assert_eq!(world.send(publish).await.status, 200);
    }
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a setting");
    let mut socket = socket.connect(world.address).await.expect("connects");
    let page = Request::get("/v1/events?topics=project/1&since=earliest").bearer("reader");
    let bytes = [page.to_bytes().repeat(PAGES), reader().to_bytes()].concat();
    socket.write_all(&bytes).await.expect("sent");
    // The first answer is on its way, and all of them are more than the kernel takes.
    world.until_opened(1).await;
    let head = world.send(page).await;
    let length = head.body.len();
    assert!(PAGES * length > 8 * 1024 * 1024, "{length}");

    let mut answers = Vec::new();
    let hello = b"event: tidings.hello\n";
    let mut searched = 0;
    while !answers[searched..]
        .windows(hello.len())
        .any(|found| found == hello)
    {
        searched = answers.len().saturating_sub(hello.len());
        let read = timeout(PATIENCE, socket.read_buf(&mut answers)).await;
        assert!(read.expect("in time").expect("reads") > 0, "ended early");
    }
    let mut left = answers.as_slice();
    for number in 0..PAGES {
        let answer = Answer::parse(left).expect("an answer");
        assert_eq!(answer.status, 200, "{number}");
        let length: usize = answer
            .header("content-length")
            .and_then(|length| length.parse().ok())
            .expect("a length");
        assert_eq!(&answer.body[..length], head.body, "{number}");
        left = &left[left.len() - answer.body.len() + length..];
    }
    let head = Answer::parse(left).expect("a head");
    assert_eq!(
        head.header("content-type"),
        Some("text/event-stream; charset=utf-8")
    );
    assert_eq!(world.figure("tidings_hub_sockets").await, 1);
}

/// What became of a stream that was asked for while the hub ended: refused, or told to the end.
async fn ask(address: std::net::SocketAddr) {
    let Ok(mut socket) = TcpStream::connect(address).await else {
        return;
    };
    if socket.write_all(&reader().to_bytes()).await.is_err() {
        return;
    }
    let bytes = rest(socket).await;
    let text = String::from_utf8_lossy(&bytes);
    let Some(answer) = Answer::parse(&bytes) else {
        assert!(text.is_empty(), "{text}");
        return;
    };
    match answer.status {
        503 => assert_eq!(answer.code(), "draining"),
        200 => {
            assert!(text.contains("event: tidings.bye\n"), "{text}");
            assert!(text.ends_with("\n\n\r\n0\r\n\r\n"), "{text}");
        }
        other => panic!("{other}: {text}"),
    }
}

#[tokio::test]
async fn streams_asked_for_while_the_hub_ends_are_refused_or_told_to_the_end() {
    for round in 0..40 {
        let mut world = World::start().await;
        let mut asking = JoinSet::new();
        for number in 0..10 {
            asking.spawn(ask(world.address));
            if number == round % 10 {
                for _ in 0..round {
                    tokio::task::yield_now().await;
                }
                world.ask_to_end();
            }
        }
        let all = timeout(PATIENCE + Duration::from_secs(5), asking.join_all());
        all.await.expect("in time");
        world.until_connections(0).await;
        assert_eq!(world.figure("tidings_hub_sockets").await, 0);
        world.ended().await;
    }
}
