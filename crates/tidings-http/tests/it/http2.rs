//! HTTP/2 with prior knowledge, on the same port.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tidings_http::limits::{HEAD_BYTES_MAX, HEADERS_MAX};

use crate::world::{Wish, World};

async fn connect(world: &World) -> SendRequest<Full<Bytes>> {
    let socket = tokio::net::TcpStream::connect(world.address)
        .await
        .expect("connects");
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(socket))
        .await
        .expect("HTTP/2");
    tokio::spawn(connection);
    sender
}

fn request(method: &str, target: &str, body: &'static str) -> http::Request<Full<Bytes>> {
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

/// What the headers of a request count (RFC 9113, section 6.5.2).
fn list_bytes(request: &http::Request<Full<Bytes>>) -> usize {
    let uri = request.uri();
    let pseudo = [
        (":method", request.method().as_str()),
        (":scheme", uri.scheme_str().unwrap_or_default()),
        (
            ":authority",
            uri.authority().map_or("", |name| name.as_str()),
        ),
        (":path", uri.path()),
    ];
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| name.as_str().len() + value.len());
    let pseudo = pseudo.map(|(name, value)| name.len() + value.len());
    headers.chain(pseudo).map(|bytes| bytes + 32).sum()
}

#[tokio::test]
async fn n7_a_list_of_headers_has_a_limit_to_the_byte_and_the_connection_goes_on() {
    let world = World::start().await;
    let mut sender = connect(&world).await;
    let with = |bytes: usize| {
        let mut request = request("GET", "/healthz", "");
        let fill = |request: &mut http::Request<_>, bytes: usize| {
            let value = "y".repeat(bytes).parse().expect("a value");
            request.headers_mut().insert("x-fill", value);
        };
        fill(&mut request, 0);
        let missing = bytes - list_bytes(&request);
        fill(&mut request, missing);
        request
    };
    // Below the limit, not at it: that is how the library counts.
    for (bytes, status) in [
        (HEAD_BYTES_MAX - 1, 200),
        (HEAD_BYTES_MAX, 431),
        (3 * HEAD_BYTES_MAX, 431),
        (HEAD_BYTES_MAX - 1, 200),
    ] {
        let answer = sender.send_request(with(bytes)).await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status(), status, "{bytes}");
        let whole = answer.into_body().collect().await.expect("a body");
        // This refusal is the library's own.
        assert_eq!(whole.to_bytes().is_empty(), status == 431, "{bytes}");
    }
}

#[tokio::test]
async fn n7_a_list_far_beyond_the_limit_ends_the_connection() {
    let world = World::start().await;
    let mut sender = connect(&world).await;
    let mut absurd = request("GET", "/healthz", "");
    let value = "y".repeat(1024 * 1024).parse().expect("a value");
    absurd.headers_mut().insert("x-absurd", value);
    sender.send_request(absurd).await.expect_err("no answer");
    let mut other = connect(&world).await;
    let answer = other.send_request(request("GET", "/healthz", "")).await;
    assert_eq!(answer.expect("an answer").status(), 200);
}

#[tokio::test]
async fn n7_headers_are_counted() {
    let world = World::start().await;
    let mut sender = connect(&world).await;
    for (count, status) in [(HEADERS_MAX, 200), (HEADERS_MAX + 1, 431)] {
        let mut request = request("GET", "/healthz", "");
        let headers = request.headers_mut();
        for number in headers.len()..count {
            let name = http::HeaderName::try_from(format!("x-{number}")).expect("a name");
            headers.insert(name, http::HeaderValue::from_static("y"));
        }
        let answer = sender.send_request(request).await.expect("an answer");
        assert_eq!(answer.status(), status);
        let body = answer.into_body().collect().await.expect("a body");
        let body: serde_json::Value = serde_json::from_slice(&body.to_bytes()).expect("JSON");
        let code = (status == 431).then_some("headers_too_large");
        assert_eq!(body["code"].as_str(), code, "{body}");
    }
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
    for _ in 0..tidings_http::limits::H2_STREAMS_MAX {
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
