//! Heads that cannot be read: each is refused with a problem document, and what was answered before
//! it on the same connection stays whole.

use std::time::Duration;

use tidings_http::limits::{HEAD_BYTES_MAX, HEADERS_MAX, LINGER_MS_MAX, URL_BYTES_MAX};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::client::{Answer, PATIENCE, Request, exchange};
use crate::world::World;

/// Sends everything, which the hub takes whole although it has refused it already, and reads until
/// the hub closes in order.
async fn sent(world: &World, bytes: &[u8]) -> Answer {
    let talk = async {
        let mut socket = TcpStream::connect(world.address).await.expect("connects");
        let mut answer = Vec::new();
        let (mut read, mut write) = socket.split();
        let (sent, closed) = tokio::join!(write.write_all(bytes), read.read_to_end(&mut answer));
        sent.expect("all of it is taken");
        closed.expect("closed in order");
        answer
    };
    let answer = timeout(PATIENCE, talk).await.expect("an answer in time");
    Answer::parse(&answer).expect("an answer")
}

/// A whole problem, after which the connection was closed.
fn assert_refusal(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.code().as_str()), (status, code));
    let problem = answer.json();
    assert!(problem["hint"].is_string(), "{problem}");
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.header("date").is_some());
    let length = answer.body.len().to_string();
    assert_eq!(answer.header("content-length"), Some(length.as_str()));
}

/// Takes the answers of one connection apart, each of which tells its length.
fn apart(mut bytes: &[u8]) -> Vec<Answer> {
    let mut answers = Vec::new();
    while !bytes.is_empty() {
        let head = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let head = head.expect("a whole head") + 4;
        let length = Answer::parse(&bytes[..head])
            .expect("a head")
            .header("content-length")
            .expect("a length")
            .parse::<usize>()
            .expect("a number");
        answers.push(Answer::parse(&bytes[..head + length]).expect("an answer"));
        bytes = &bytes[head + length..];
    }
    answers
}

#[tokio::test]
async fn n7_absurd_heads_get_a_problem() {
    let world = World::start().await;
    let many = (0..5_000).fold(Request::get("/healthz"), |request, number| {
        request.header(&format!("x-{number}"), "y")
    });
    let long = |text: &str, times: usize| text.repeat(times);
    for (request, status, code, limit) in [
        (
            Request::get(&format!("/{}", long("a", 64 * 1024))),
            414,
            "uri_too_long",
            URL_BYTES_MAX,
        ),
        (
            Request::get(&format!("/v1/events?{}", long("a=b&", 100_000))),
            414,
            "uri_too_long",
            URL_BYTES_MAX,
        ),
        (
            Request::get("/healthz").header("x-large", &long("y", 1024 * 1024)),
            431,
            "headers_too_large",
            HEAD_BYTES_MAX,
        ),
        (
            Request::get("/healthz").header("cookie", &long("y", 64 * 1024)),
            431,
            "headers_too_large",
            HEAD_BYTES_MAX,
        ),
        (many, 431, "headers_too_large", HEADERS_MAX),
    ] {
        let answer = sent(&world, &request.to_bytes()).await;
        assert_refusal(&answer, status, code);
        assert_eq!(answer.json()["limit"], limit, "{}", answer.text());
    }
    let figures = world.figures().await;
    let counted = r#"{route="none",method="other",status="4xx"} 5"#;
    assert!(figures.contains(counted), "{figures}");
    assert_eq!(world.send(Request::get("/healthz")).await.status, 200);
}

#[tokio::test]
async fn n7_the_head_has_a_limit_to_the_byte() {
    let world = World::start().await;
    let with = |bytes: usize| {
        let request = |fill: usize| {
            Request::get("/healthz")
                .header("connection", "close")
                .header("x-fill", &"y".repeat(fill))
                .to_bytes()
        };
        request(bytes - request(0).len())
    };
    assert_eq!(with(HEAD_BYTES_MAX).len(), HEAD_BYTES_MAX);
    assert_eq!(sent(&world, &with(HEAD_BYTES_MAX)).await.status, 200);
    let answer = sent(&world, &with(HEAD_BYTES_MAX + 1)).await;
    assert_refusal(&answer, 431, "headers_too_large");
    assert!(answer.text().contains("16384 bytes"), "{}", answer.text());
}

#[tokio::test]
async fn n7_the_limit_of_the_head_holds_behind_other_requests() {
    let world = World::start().await;
    let fill = |bytes: usize| Request::get("/healthz").header("x-fill", &"y".repeat(bytes));
    let large = fill(HEAD_BYTES_MAX).to_bytes();
    let first = Request::get("/healthz").to_bytes().len();
    for before in (0..HEAD_BYTES_MAX - first - 32).step_by(1_024) {
        let pipelined = [fill(before).to_bytes(), large.clone()].concat();
        let answers = apart(&exchange(world.address, &pipelined).await);
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses, [200, 431], "{before}");
    }
}

#[tokio::test]
async fn n7_headers_are_counted() {
    let world = World::start().await;
    let with = |count: usize| {
        // Beside these there are `host` and `connection`.
        let request = Request::get("/healthz").header("connection", "close");
        (2..count)
            .fold(request, |request, number| {
                request.header(&format!("x-{number}"), "y")
            })
            .to_bytes()
    };
    assert_eq!(sent(&world, &with(HEADERS_MAX)).await.status, 200);
    let answer = sent(&world, &with(HEADERS_MAX + 1)).await;
    assert_refusal(&answer, 431, "headers_too_large");
    assert!(answer.text().contains("100 headers"), "{}", answer.text());
}

#[tokio::test]
async fn n7_a_url_has_a_limit_to_the_byte() {
    let world = World::start().await;
    let with = |bytes: usize| Request::get(&format!("/{}", "a".repeat(bytes - 1)));
    assert_eq!(world.send(with(URL_BYTES_MAX)).await.status, 404);
    let answer = world.send(with(URL_BYTES_MAX + 1)).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (414, "uri_too_long")
    );
    assert!(answer.json()["hint"].is_string());
}

#[tokio::test]
async fn n8_what_is_no_http_is_told_so() {
    let world = World::start().await;
    for (bytes, code, detail) in [
        (
            &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
            "invalid_request",
            "TLS",
        ),
        (b"\0\0\0\0", "invalid_request", "method"),
        (
            b"G<T / HTTP/1.1\r\nhost: h\r\n\r\n",
            "invalid_request",
            "method",
        ),
        (
            b"GET /\0 HTTP/1.1\r\nhost: h\r\n\r\n",
            "invalid_request",
            "target",
        ),
        (
            b"GET /%\xff\xff HTTP/1.1\r\nhost: h\r\n\r\n",
            "invalid_request",
            "target",
        ),
        (
            b"GET / HTTP/9.9\r\nhost: h\r\n\r\n",
            "invalid_request",
            "HTTP/1.1",
        ),
        (
            b"GET / HTTP/1.1\r\nhost: h\r\nbad header\r\n\r\n",
            "invalid_header",
            "line 2",
        ),
        (
            b"GET / HTTP/1.1\r\nhost: h\r\nx-y : z\r\n\r\n",
            "invalid_header",
            "line 2",
        ),
        (
            b"GET / HTTP/1.1\r\nx: y\r\n folded\r\n\r\n",
            "invalid_header",
            "line 2",
        ),
        (
            b"GET / HTTP/1.1\r\nx: a\0b\r\n\r\n",
            "invalid_header",
            "line 1",
        ),
        (
            b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
            "invalid_header",
            "Content-Length",
        ),
        (
            b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: -1\r\n\r\n",
            "invalid_header",
            "Content-Length",
        ),
        (
            b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: gzip\r\n\r\n",
            "invalid_header",
            "`Transfer-Encoding` does not end",
        ),
        (
            b"POST / HTTP/1.0\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n",
            "invalid_header",
            "HTTP/1.0",
        ),
    ] {
        let answer = sent(&world, bytes).await;
        assert_refusal(&answer, 400, code);
        let shown = answer.text();
        let found = answer.json()["detail"]
            .as_str()
            .expect("text")
            .contains(detail);
        assert!(found, "{}: {shown}", String::from_utf8_lossy(bytes));
    }
}

#[tokio::test]
async fn a12_a_broken_header_is_not_repeated() {
    let world = World::start().await;
    for head in [
        "GET / HTTP/1.1\r\nauthorization: Bearer canary\u{1}\r\n\r\n",
        "GET / HTTP/1.1\r\ncanary value\r\n\r\n",
        "canary< / HTTP/1.1\r\n\r\n",
        "GET /\u{1}canary HTTP/1.1\r\n\r\n",
    ] {
        let bytes = exchange(world.address, head.as_bytes()).await;
        let text = String::from_utf8(bytes).expect("text");
        assert!(
            text.starts_with("HTTP/1.1 400 ") && !text.contains("canary"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn n8_answers_before_a_malformed_request_are_whole() {
    let world = World::start().await;
    let event = r#"{"type":"t","topics":["project/1"]}"#;
    let publish = Request::post("/v1/events").bearer("writer").json(event);
    let openapi = Request::get("/openapi.json");
    let whole = world.send(openapi.clone()).await.body;
    let refused_early = Request::post("/v1/events").json(event);
    let first = [
        Request::get("/healthz").to_bytes(),
        publish.to_bytes(),
        openapi.to_bytes(),
        refused_early.to_bytes(),
        Request::new("OPTIONS", "/v1/events").to_bytes(),
        openapi.to_bytes(),
    ];
    let malformed = b"GET / HTTP/1.1\r\nbad header\r\n\r\n";
    let after = publish.to_bytes();
    for count in 1..=first.len() {
        let pipelined = [&first[..count].concat(), &malformed[..], &after].concat();
        let answers = apart(&no_content(&exchange(world.address, &pipelined).await));
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses[..count], [200, 200, 200, 401, 204, 200][..count]);
        assert_eq!(
            statuses[count..],
            [400],
            "one refusal, and nothing after it"
        );
        assert_refusal(&answers[count], 400, "invalid_header");
        for openapi in [2, 5].iter().filter(|index| **index < count) {
            assert_eq!(answers[*openapi].body, whole);
        }
    }
    let published = first.len() as u64 - 1;
    assert_eq!(world.hub.figures().events_published, published);
}

#[tokio::test]
async fn a_malformed_request_is_refused_whatever_came_before_it() {
    let world = World::start().await;
    let kept_1_0 = Request::get("/healthz")
        .http_10()
        .header("connection", "keep-alive");
    for first in [
        Request::new("HEAD", "/healthz"),
        Request::new("DELETE", "/healthz"),
        Request::new("OPTIONS", "*"),
        kept_1_0,
        Request::get("/healthz").header("expect", "100-continue"),
        Request::post("/v1/events")
            .bearer("writer")
            .json("{}")
            .header("expect", "100-continue"),
    ] {
        let pipelined = [&first.to_bytes()[..], b"G<T / HTTP/1.1\r\n\r\n"].concat();
        let bytes = exchange(world.address, &pipelined).await;
        let text = String::from_utf8(bytes).expect("text");
        let refusal = text.rfind("HTTP/1.1 ").expect("an answer");
        assert!(refusal > 0, "{first:?}: {text}");
        let answer = Answer::parse(&text.as_bytes()[refusal..]).expect("an answer");
        assert_refusal(&answer, 400, "invalid_request");
    }
}

/// Gives the one answer that has no length the length that it has.
fn no_content(bytes: &[u8]) -> Vec<u8> {
    let text = str::from_utf8(bytes).expect("text");
    let line = "HTTP/1.1 204 No Content\r\n";
    text.replace(line, &format!("{line}content-length: 0\r\n"))
        .into_bytes()
}

#[tokio::test]
async fn a_malformed_request_that_comes_later_is_refused_too() {
    let world = World::start().await;
    let mut socket = TcpStream::connect(world.address).await.expect("connects");
    let mut all = Vec::new();
    for _ in 0..3 {
        let before = all.len();
        socket
            .write_all(&Request::get("/healthz").to_bytes())
            .await
            .expect("sent");
        while !all[before..].ends_with(b"}") {
            let read = timeout(PATIENCE, socket.read_buf(&mut all)).await;
            assert!(read.expect("in time").expect("reads") > 0);
        }
    }
    for byte in b"NO\x01HTTP\r\n\r\n" {
        // The hub may close as soon as it has seen enough.
        let _sent = socket.write_all(&[*byte]).await;
    }
    let end = timeout(PATIENCE, socket.read_to_end(&mut all)).await;
    end.expect("in time").expect("closed in order");
    let answers = apart(&all);
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 200, 200, 400]);
    assert_refusal(&answers[3], 400, "invalid_request");
}

#[tokio::test]
async fn a_refused_peer_that_goes_on_sending_is_not_reset() {
    let world = World::start().await;
    let mut socket = TcpStream::connect(world.address).await.expect("connects");
    socket.write_all(b"\0\0\0\0").await.expect("sent");
    let mut answer = Vec::new();
    let end = timeout(PATIENCE, socket.read_to_end(&mut answer)).await;
    end.expect("in time").expect("the answer ends");
    // A reset would fail the second of these writes.
    for _ in 0..16 {
        socket.write_all(&[0; 1_024]).await.expect("taken");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ends_does_not_wait_for_a_refused_peer() {
    let mut world = World::start().await;
    let mut socket = TcpStream::connect(world.address).await.expect("connects");
    socket.write_all(b"\0\0\0\0").await.expect("sent");
    let mut answer = Vec::new();
    let end = socket.read_to_end(&mut answer).await;
    end.expect("the answer ends while the peer may still send");
    let answer = Answer::parse(&answer).expect("an answer");
    assert_refusal(&answer, 400, "invalid_request");
    let begun = Instant::now();
    world.ask_to_end();
    world.ended().await;
    assert!(begun.elapsed() < Duration::from_millis(LINGER_MS_MAX));
}
