//! N7 and everything else that a hostile peer may send: refused, never a panic, never a 5xx.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::client::{Answer, Request, exchange};
use crate::world::World;

async fn answered(world: &World, bytes: &[u8]) -> Answer {
    let answer = exchange(world.address, bytes).await;
    Answer::parse(&answer).expect("an answer")
}

async fn still_serves(world: &World) {
    assert_eq!(world.send(Request::get("/healthz")).await.status, 200);
    let figures = world.send(Request::get("/metrics")).await.text();
    assert!(figures.contains("tidings_http_panics_total 0"), "{figures}");
}

#[tokio::test]
async fn n7_absurd_targets_are_refused() {
    let world = World::start().await;
    let long_url =
        Request::get(&format!("/v1/events?topics={}", "a".repeat(9_000))).bearer("reader");
    let answer = world.send(long_url).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (414, "uri_too_long")
    );

    let parameters = Request::get(&format!("/v1/events?{}", "a&".repeat(300))).bearer("reader");
    assert_eq!(world.send(parameters).await.code(), "invalid_query");

    still_serves(&world).await;
}

#[tokio::test]
async fn n8_smuggling_and_malformed_framing_is_refused() {
    let world = World::start().await;
    let bearer = "host: h\r\nauthorization: Bearer writer\r\ncontent-type: application/json\r\n";
    for head in [
        "GET / HTTP/1.1\r\nhost: h\r\nbad header\r\n\r\n".to_owned(),
        "GET /\0 HTTP/1.1\r\nhost: h\r\n\r\n".to_owned(),
        "GET / HTTP/9.9\r\nhost: h\r\n\r\n".to_owned(),
        "G<T / HTTP/1.1\r\nhost: h\r\n\r\n".to_owned(),
        format!(
            "POST /v1/events HTTP/1.1\r\n{bearer}content-length: 2\r\ncontent-length: 3\r\n\r\n{{}}"
        ),
        format!("POST /v1/events HTTP/1.1\r\n{bearer}content-length: -1\r\n\r\n"),
        format!("POST /v1/events HTTP/1.1\r\n{bearer}content-length: 1x\r\n\r\n"),
        format!("POST /v1/events HTTP/1.1\r\n{bearer}transfer-encoding: gzip\r\n\r\n"),
        format!(
            "POST /v1/events HTTP/1.1\r\n{bearer}transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n"
        ),
    ] {
        let answer = answered(&world, head.as_bytes()).await;
        assert_eq!(answer.status, 400, "{head:?}");
        let code = answer.code();
        assert!(
            matches!(code.as_str(), "invalid_header" | "invalid_request"),
            "{code}"
        );
    }
    assert_eq!(world.hub.figures().events_published, 0);
    still_serves(&world).await;
}

#[tokio::test]
async fn n8_a_request_names_one_host() {
    let world = World::start().await;
    for head in [
        "GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n",
    ] {
        let answer = answered(&world, head.as_bytes()).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "invalid_header")
        );
    }
    let http_10 = "GET /healthz HTTP/1.0\r\n\r\n";
    assert_eq!(answered(&world, http_10.as_bytes()).await.status, 200);
}

#[tokio::test]
async fn a15_patterns_of_wildcards_are_bounded() {
    let world = World::start().await;
    for topics in [
        "*/".repeat(1_000),
        "a/**/b".to_owned(),
        "a*".to_owned(),
        vec!["a/*"; 101].join(","),
    ] {
        let target = format!("/v1/stream?topics={topics}");
        let answer = world.send(Request::get(&target).bearer("reader")).await;
        assert_eq!(answer.status, 400, "{topics:.40}");
    }
    // The deepest that is allowed is answered, and quickly enough for the test to end.
    let deepest = format!("/v1/stream?topics={}**", "*/".repeat(31));
    assert_eq!(
        world
            .stream(Request::get(&deepest).bearer("writer"))
            .await
            .head
            .status,
        200
    );
}

#[tokio::test]
async fn a14_no_spelling_of_a_topic_reaches_another() {
    let world = World::start().await;
    for topics in [
        "project%252F1",
        "project/..%2F1",
        "project//1",
        "project/1/",
        "project%001",
        "PROJECT/1%EF%BC%8Fx",
        "project/%E2%80%AE1",
        "project/{x}",
        "@all",
        "project/@user",
        "%C0%AF",
    ] {
        let target = format!("/v1/events?topics={topics}");
        let answer = world.send(Request::get(&target).bearer("writer")).await;
        assert_eq!(answer.status, 400, "{topics}: {}", answer.text());
    }
    // These are other names, each with its one spelling, and none of them is granted.
    for topics in ["PROJECT/1", "Project/1", "project.", "project;/1"] {
        let target = format!("/v1/events?topics={topics}");
        let answer = world.send(Request::get(&target).bearer("writer")).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (403, "not_granted"),
            "{topics}"
        );
    }
}

#[test]
fn no_target_header_or_body_makes_the_hub_fail() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let world = runtime.block_on(World::start());
    let method = prop_oneof!["GET", "HEAD", "POST", "OPTIONS", "[A-Z]{1,6}"];
    let path = prop_oneof![
        "/v1/(events|stream|topics|ws)(/[!-~&&[^ #?]]{0,20})?",
        "/[!-~&&[^ #?]]{0,30}",
    ];
    let query =
        "((topics|events|since|limit|meta_x|lastEventId|[a-z]{1,5})=[!-~&&[^ #]]{0,15}&?){0,4}";
    let header = (
        "(last-event-id|origin|content-type|authorization|ce-id|host|x-y)",
        "[ -~]{0,30}",
    );
    let strategy = (
        method,
        path,
        query,
        proptest::collection::vec(header, 0..4),
        "[ -~\n]{0,60}",
    );
    let mut runner = TestRunner::new(Config {
        cases: 300,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&strategy, |(method, path, query, headers, body)| {
        let mut request = Request::new(&method, &format!("{path}?{query}")).http_10();
        if !headers.iter().any(|(name, _)| name == "authorization") {
            request = request.bearer("writer");
        }
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        let has_type = headers.iter().any(|(name, _)| name == "content-type");
        let request = if has_type {
            request
        } else {
            request.body("application/json", &body)
        };
        let status = runtime.block_on(async {
            let mut socket = tokio::net::TcpStream::connect(world.address)
                .await
                .expect("connects");
            let bytes = request.to_bytes();
            tokio::io::AsyncWriteExt::write_all(&mut socket, &bytes)
                .await
                .expect("sent");
            crate::client::Stream::read_head(socket).await.head.status
        });
        prop_assert!(status < 500, "{status}");
        Ok(())
    });
    outcome.expect("no request makes the hub fail");
    runtime.block_on(still_serves(&world));
}
