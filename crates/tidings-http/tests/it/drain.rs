//! How a server ends, and how many connections it takes.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::{Answer, Request, Stream, exchange};
use crate::sinks::{Sink, for_each_sink};
use crate::world::{Wish, World};

for_each_sink!(
    the_listener_closes_before_the_readers_are_told,
    m2_a_connection_without_a_place_is_turned_away,
);

fn reader(sink: Sink) -> Request {
    let request = Request::get("/v1/stream?topics=project/1");
    request.bearer("reader").through(sink)
}

async fn the_listener_closes_before_the_readers_are_told(sink: Sink) {
    let mut world = World::start().await;
    let mut stream = world.stream(reader(sink)).await;
    let address = world.address;
    world.ask_to_end();
    let bye = loop {
        let block = stream.next().await.expect("a farewell comes");
        if block.kind == "tidings.bye" {
            break block;
        }
    };
    assert_eq!(bye.json()["code"], "drain");
    let refused = TcpStream::connect(address)
        .await
        .expect_err("the listener is closed");
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    stream.until_end().await;
    world.ended().await;
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_the_end_up() {
    let mut world = World::start().await;
    let mut socket = TcpStream::connect(world.address).await.expect("connects");
    socket
        .write_all(&Request::get("/healthz").to_bytes())
        .await
        .expect("sent");
    let mut idle = Stream::read_head(socket).await;
    idle.until(b"{\"status\":\"alive\"}").await;
    world.ask_to_end();
    world.ended().await;
    idle.until_end().await;
}

#[tokio::test]
async fn while_draining_a_kept_connection_is_told() {
    let mut world = World::start().await;
    let mut socket = TcpStream::connect(world.address).await.expect("connects");
    let (now, grace) = (Duration::ZERO, Duration::from_secs(5));
    world.hub.drain(now, grace, now).await;
    let ready = world.send(Request::get("/readyz")).await;
    assert_eq!(
        (ready.status, &ready.json()["status"]),
        (503, &"draining".into())
    );
    let publish = Request::post("/v1/events")
        .bearer("writer")
        .json(r#"{"type":"t","topics":["project/1"]}"#);
    socket
        .write_all(&publish.header("connection", "close").to_bytes())
        .await
        .expect("sent");
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).await.expect("reads");
    let answer = Answer::parse(&bytes).expect("an answer");
    assert_eq!((answer.status, answer.code().as_str()), (503, "draining"));
    assert!(answer.header("retry-after").is_some());
    world.ask_to_end();
    world.ended().await;
}

async fn m2_a_connection_without_a_place_is_turned_away(sink: Sink) {
    let world = World::start_with(Wish {
        connections_max: 1,
        ..Wish::default()
    })
    .await;
    let stream = world.stream(reader(sink)).await;
    let answer = Answer::parse(&exchange(world.address, b"").await).expect("an answer");
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (503, "at_capacity")
    );
    assert_eq!(answer.header("retry-after"), Some("2"));
    assert_eq!(answer.header("ratelimit"), Some("\"connections\";r=0"));
    assert_eq!(
        world.figure("tidings_http_connections_refused_total").await,
        1
    );
    drop(stream);
    // The place is free once the server has seen the end of the first connection.
    loop {
        let answer = exchange(
            world.address,
            &Request::get("/healthz")
                .header("connection", "close")
                .to_bytes(),
        )
        .await;
        if Answer::parse(&answer).is_some_and(|answer| answer.status == 200) {
            break;
        }
    }
}

#[tokio::test]
async fn a_connection_that_has_asked_nothing_does_not_hold_the_end_up() {
    let mut world = World::start().await;
    let mut silent = TcpStream::connect(world.address).await.expect("connects");
    // Another one is answered after it, so the server has taken the silent one too.
    world.send(Request::get("/healthz")).await;
    world.ask_to_end();
    let mut bytes = Vec::new();
    // Well below the time that a connection has for its first request.
    let closed = timeout(Duration::from_secs(5), silent.read_to_end(&mut bytes)).await;
    closed.expect("by the end of the server").expect("in order");
    assert_eq!(bytes, b"");
    world.ended().await;
}
