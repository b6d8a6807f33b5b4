//! N7, N9: the limits of HTTP/2: frame by frame, as a peer sees them that writes its own, and those
//! of the lists of headers.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::SendRequest;
use tidings_http::limits::{
    H2_HEADER_LIST_BYTES_MAX, H2_PENDING_RESETS_MAX, H2_PING_MS, H2_STREAMS_MAX, H2_WINDOW_BYTES,
    HEAD_BYTES_MAX, HEADERS_MAX,
};
use tokio::time::{Instant, timeout};

use crate::client::Request;
use crate::frame::{self, ACK, GOAWAY, PING, Peer, RST_STREAM, SETTINGS, frame};
use crate::http2::{connect, request};
use crate::world::World;

/// `ENHANCE_YOUR_CALM` (RFC 9113, section 7).
const CALM: u32 = 0xb;

/// A request for `/healthz`.
fn get(stream: u32) -> Vec<u8> {
    frame::get(stream, "/healthz", &[])
}

#[tokio::test]
async fn n9_the_limits_are_announced() {
    let world = World::start().await;
    let mut peer = Peer::connect(&world).await;
    let settings = peer.next_of(SETTINGS).await;
    let announced = |wanted: u16| {
        let mut settings = settings.payload.chunks_exact(6);
        let found = settings.find(|setting| setting[..2] == wanted.to_be_bytes());
        let value = found.expect("a setting")[2..].try_into();
        u32::from_be_bytes(value.expect("four bytes"))
    };
    // RFC 9113, section 6.5.2.
    assert_eq!(announced(3), H2_STREAMS_MAX);
    assert_eq!(announced(4), H2_WINDOW_BYTES);
    assert_eq!(announced(6), H2_HEADER_LIST_BYTES_MAX);
}

/// Sends so many requests at once, each of which is reset before it can be looked at.
async fn after_resets(count: usize) -> (World, Peer) {
    let world = World::start().await;
    let mut peer = Peer::connect(&world).await;
    let mut bytes = Vec::new();
    for number in 0..count {
        let stream = 2 * number as u32 + 1;
        bytes.extend(get(stream));
        // `CANCEL`
        bytes.extend(frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
    }
    peer.send(&bytes).await;
    (world, peer)
}

#[tokio::test]
async fn n9_a_few_resets_are_a_change_of_mind() {
    let (_world, mut peer) = after_resets(H2_PENDING_RESETS_MAX).await;
    assert!(peer.is_alive().await);
}

#[tokio::test]
async fn n9_rapid_resets_end_the_connection() {
    let (world, mut peer) = after_resets(50 * H2_PENDING_RESETS_MAX).await;
    let goaway = peer.next_of(GOAWAY).await;
    assert_eq!(goaway.payload[4..8], CALM.to_be_bytes());
    while peer.next().await.is_some() {}
    assert_eq!(world.send(Request::get("/healthz")).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn n2_a_peer_that_answers_no_ping_is_given_up() {
    let world = World::start().await;
    let begun = Instant::now();
    let mut peer = Peer::connect(&world).await;
    let ping = Duration::from_millis(H2_PING_MS);
    let first = timeout(2 * ping, peer.next_of(PING)).await.expect("a ping");
    assert_eq!(first.flags & ACK, 0);
    assert!(begun.elapsed() >= ping, "{:?}", begun.elapsed());
    peer.send(&frame(PING, ACK, 0, &first.payload)).await;
    let second = peer.next_of(PING).await;
    assert_eq!(second.flags & ACK, 0, "one that answers is asked again");
    while peer.next().await.is_some() {}
    assert!(begun.elapsed() >= 3 * ping, "{:?}", begun.elapsed());
    assert!(begun.elapsed() < 5 * ping, "{:?}", begun.elapsed());
}

/// A request for `/healthz` whose headers count so much (RFC 9113, section 6.5.2).
fn counting(bytes: usize) -> http::Request<Full<Bytes>> {
    let with = |fill: usize| {
        let mut request = request("GET", "/healthz", "");
        let value = "y".repeat(fill).parse().expect("a value");
        request.headers_mut().insert("x-fill", value);
        request
    };
    with(bytes - list_bytes(&with(0)))
}

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

/// Sends a request and reads the status of its answer with its body.
async fn answered(
    sender: &mut SendRequest<Full<Bytes>>,
    request: http::Request<Full<Bytes>>,
) -> (u16, Bytes) {
    let answer = sender.send_request(request).await.expect("an answer");
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.expect("a body");
    (status, body.to_bytes())
}

#[tokio::test]
async fn n7_a_list_of_headers_has_a_limit_to_the_byte_and_the_connection_goes_on() {
    let world = World::start().await;
    let mut sender = connect(&world).await;
    let library = H2_HEADER_LIST_BYTES_MAX as usize;
    for (bytes, is_allowed) in [
        (HEAD_BYTES_MAX, true),
        (HEAD_BYTES_MAX + 1, false),
        (library - 1, false),
        (HEAD_BYTES_MAX, true),
    ] {
        let (status, body) = answered(&mut sender, counting(bytes)).await;
        let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        if is_allowed {
            assert_eq!(status, 200, "{bytes}: {body}");
            continue;
        }
        // What HTTP/1 answers, word for word.
        assert_eq!((status, &body["status"]), (431, &431.into()), "{bytes}");
        assert_eq!(body["code"], "headers_too_large", "{body}");
        assert_eq!(body["limit"], HEAD_BYTES_MAX, "{body}");
        assert!(body["hint"].is_string(), "{body}");
        let long = Request::get("/healthz").header("x-fill", &"y".repeat(bytes));
        assert_eq!(body["detail"], world.send(long).await.json()["detail"]);
    }
}

#[tokio::test]
async fn n7_a_list_at_four_times_the_limit_is_refused_by_the_library_alone() {
    let world = World::start().await;
    let mut sender = connect(&world).await;
    // Below the limit, not at it: that is how the library counts.
    let beyond = counting(H2_HEADER_LIST_BYTES_MAX as usize);
    let (status, body) = answered(&mut sender, beyond).await;
    assert_eq!((status, body.len()), (431, 0));
    let (status, _) = answered(&mut sender, counting(HEAD_BYTES_MAX)).await;
    assert_eq!(status, 200, "the connection goes on");
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
