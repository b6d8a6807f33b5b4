//! Clients that begin and do not go on. Time is virtual: it jumps to the next deadline whenever
//! nothing else happens.

use std::net::SocketAddr;
use std::time::Duration;

use tidings_http::limits::{BODY_IDLE_MS_MAX, CLOSE_MS_MAX, HEAD_READ_MS_MAX};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::client::{Answer, Request};
use crate::world::World;

/// Sends bytes, reads until the hub closes, and tells how long that took.
async fn begin(world: &World, bytes: &[u8]) -> (Vec<u8>, Duration) {
    let begun = Instant::now();
    let mut socket = TcpStream::connect(world.address).await.expect("connects");
    socket.write_all(bytes).await.expect("sent");
    let mut answer = Vec::new();
    socket
        .read_to_end(&mut answer)
        .await
        .expect("closed in order");
    (answer, begun.elapsed())
}

#[tokio::test(start_paused = true)]
async fn n5_a_head_that_never_ends_is_given_up() {
    let world = World::start().await;
    for beginning in [
        "",
        "P",
        "PRI * HTTP/2.0\r\n",
        "GET /healthz HTTP/1.1\r\nhost: h\r\nx-y: ",
    ] {
        let (answer, took) = begin(&world, beginning.as_bytes()).await;
        assert!(answer.is_empty(), "{beginning:?}");
        assert!(
            took >= Duration::from_millis(HEAD_READ_MS_MAX),
            "{beginning:?}: {took:?}"
        );
        assert!(
            took < Duration::from_millis(3 * HEAD_READ_MS_MAX),
            "{beginning:?}: {took:?}"
        );
    }
}

/// Sends a byte of a head that never ends every now and then, and tells how long the hub took it.
async fn drip(address: SocketAddr) -> Duration {
    let begun = Instant::now();
    let mut socket = TcpStream::connect(address).await.expect("connects");
    let beginning = b"GET /v1/stream HTTP/1.1\r\nx-slow: ";
    socket.write_all(beginning).await.expect("sent");
    let mut bytes = Vec::new();
    let closed = async {
        loop {
            // Closed before the next byte, or by it.
            match timeout(Duration::from_secs(5), socket.read_buf(&mut bytes)).await {
                Ok(Ok(0) | Err(_)) => return,
                Ok(Ok(_)) => {}
                Err(_) => drop(socket.write_all(b"y").await),
            }
        }
    };
    closed.await;
    assert!(bytes.is_empty(), "it is closed without a word");
    begun.elapsed()
}

#[tokio::test(start_paused = true)]
async fn n5_heads_that_come_byte_by_byte_are_given_up_and_others_are_served() {
    let world = World::start().await;
    let mut dripping = JoinSet::new();
    // Fewer than may wait for their accept: the kernel's own retries take real time.
    for _ in 0..100 {
        dripping.spawn(drip(world.address));
    }
    let mut served = 0;
    while !dripping.is_empty() {
        assert_eq!(world.send(Request::get("/healthz")).await.status, 200);
        served += 1;
        let mut next = timeout(Duration::from_secs(1), dripping.join_next()).await;
        while let Ok(Some(took)) = next {
            let took = took.expect("it was closed");
            assert!(took >= Duration::from_millis(HEAD_READ_MS_MAX), "{took:?}");
            assert!(
                took < Duration::from_millis(3 * HEAD_READ_MS_MAX),
                "{took:?}"
            );
            next = timeout(Duration::from_secs(1), dripping.join_next()).await;
        }
    }
    assert!(served > 5, "others were served meanwhile: {served}");
}

#[tokio::test(start_paused = true)]
async fn n6_a_body_that_never_comes_is_answered_in_time() {
    let world = World::start().await;
    let request = Request::post("/v1/events")
        .bearer("writer")
        .header("content-type", "application/json")
        .header("content-length", "100")
        .header("connection", "close");
    let (answer, took) = begin(&world, &[request.to_bytes(), b"{".to_vec()].concat()).await;
    let answer = Answer::parse(&answer).expect("an answer");
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (408, "request_timeout")
    );
    assert!(took >= Duration::from_millis(BODY_IDLE_MS_MAX), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn n6_lines_that_never_end_are_answered_in_time() {
    let world = World::start().await;
    let request = Request::post("/v1/events")
        .bearer("writer")
        .header("content-type", "application/x-ndjson")
        .header("transfer-encoding", "chunked")
        .header("connection", "close");
    let bytes = [
        request.to_bytes(),
        b"9\r\nnot json\n\r\n2\r\n{\"\r\n".to_vec(),
    ]
    .concat();
    let (answer, took) = begin(&world, &bytes).await;
    let answer = Answer::parse(&answer).expect("an answer");
    let text = answer.text();
    let stopped: serde_json::Value =
        serde_json::from_str(text.lines().last().expect("a line")).expect("JSON");
    assert_eq!(
        (&stopped["accepted"], &stopped["line"]),
        (&0.into(), &2.into()),
        "{text}"
    );
    assert_eq!(stopped["error"]["code"], "request_timeout");
    assert!(took >= Duration::from_millis(BODY_IDLE_MS_MAX), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn what_does_not_end_by_itself_is_cut() {
    let mut world = World::start().await;
    let request = Request::post("/v1/events")
        .bearer("writer")
        .header("content-type", "application/json")
        .header("content-length", "100")
        .header("expect", "100-continue");
    let mut socket = TcpStream::connect(world.address).await.expect("connects");
    socket.write_all(&request.to_bytes()).await.expect("sent");
    let mut answer = [0; 25];
    // The hub has begun to read the body.
    socket.read_exact(&mut answer).await.expect("reads");
    assert_eq!(&answer, b"HTTP/1.1 100 Continue\r\n\r\n");
    let begun = Instant::now();
    world.ask_to_end();
    world.ended().await;
    assert!(begun.elapsed() >= Duration::from_millis(CLOSE_MS_MAX));
    assert!(begun.elapsed() < Duration::from_millis(BODY_IDLE_MS_MAX));
}
