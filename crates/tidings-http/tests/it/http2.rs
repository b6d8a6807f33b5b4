//! HTTP/2 with prior knowledge, on the same port.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tidings_http::limits::H2_STREAMS_MAX;

use crate::world::{Wish, World};

pub(crate) async fn connect(world: &World) -> SendRequest<Full<Bytes>> {
    let socket = tokio::net::TcpStream::connect(world.address)
        .await
        .expect("connects");
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(socket))
        .await
        .expect("HTTP/2");
    tokio::spawn(connection);
    sender
}

pub(crate) fn request(
    method: &str,
    target: &str,
    body: &'static str,
) -> http::Request<Full<Bytes>> {
    http::Request::builder()
        .method(method)
        .uri(format!("http://hub.test{target}"))
        .header("authorization", "Bearer writer")
        .header("content-type", "application/json")
        .body(Full::from(body))
        .expect("a request")
}

#[tokio::test]
async fn a_stream_and_a_publish_share_one_connection() {
    let world = World::start().await;
    let mut sender = connect(&world).await;
    let stream = sender
        .send_request(request("GET", "/v1/stream?topics=project/1", ""))
        .await
        .expect("a head");
    assert_eq!(
        (stream.status().as_u16(), stream.version()),
        (200, http::Version::HTTP_2)
    );
    assert!(!stream.headers().contains_key("connection"));
    let event = r#"{"type":"t","topics":["project/1"],"data":"here"}"#;
    let published = sender
        .send_request(request("POST", "/v1/events", event))
        .await
        .expect("an answer");
    assert_eq!(published.status(), 200);
    let mut body = stream.into_body();
    let mut text = Vec::new();
    while !text.windows(4).any(|four| four == b"here") {
        let frame = body
            .frame()
            .await
            .expect("the stream goes on")
            .expect("a frame");
        text.extend_from_slice(&frame.into_data().expect("data"));
    }
    drop(body);
    world.until_connections(0).await;
}

#[tokio::test]
async fn a_stream_ends_with_a_farewell_when_the_server_does() {
    let mut world = World::start().await;
    let mut sender = connect(&world).await;
    let stream = sender
        .send_request(request("GET", "/v1/stream?topics=project/1", ""))
        .await
        .expect("a head");
    world.ask_to_end();
    let text = stream
        .into_body()
        .collect()
        .await
        .expect("a whole body")
        .to_bytes();
    let text = str::from_utf8(&text).expect("text");
    assert!(text.contains("tidings.bye"), "{text}");
    drop(sender);
    world.ended().await;
}

#[tokio::test]
async fn one_connection_has_a_hundred_streams_and_the_next_waits() {
    let wish = Wish {
        connections_per_identity: 1_000,
        ..Wish::default()
    };
    let world = World::start_with(wish).await;
    let mut sender = connect(&world).await;
    let mut streams = Vec::new();
    for _ in 0..H2_STREAMS_MAX {
        let stream = request("GET", "/v1/stream?topics=project/1", "");
        streams.push(sender.send_request(stream).await.expect("a head"));
    }
    let mut next = Box::pin(sender.send_request(request("GET", "/healthz", "")));
    // A round trip elsewhere is time enough for an answer that does not wait.
    world.publish("project/1", 1).await;
    let at_once = futures_util::FutureExt::now_or_never(next.as_mut());
    assert!(at_once.is_none(), "{at_once:?}");
    streams.pop();
    assert_eq!(next.await.expect("an answer").status(), 200);
}
