//! Stream tokens: they open any number of streams for an hour, and do nothing else.

use serde_json::json;

use crate::client::{Request, Stream};
use crate::sinks::{Sink, for_each_sink};
use crate::world::World;

const STREAM: &str = "/v1/stream?topics=project/1";
const PAGE: &str = "/v1/events?topics=project/1";
const EVENT: &str = r#"{"type":"t","topics":["project/1"]}"#;

async fn hello(stream: &mut Stream) -> serde_json::Value {
    assert_eq!(stream.head.status, 200, "{}", stream.text());
    stream.next().await.expect("a greeting").json()
}

for_each_sink!(a_stream_token_opens_streams_and_pages_again_and_again);

async fn a_stream_token_opens_streams_and_pages_again_and_again(sink: Sink) {
    let world = World::start().await;
    let token = world.issue("token", "reader", "").await;
    let mut streams = Vec::new();
    for _ in 0..3 {
        let request = Request::get(STREAM).bearer(&token).through(sink);
        let mut stream = world.stream(request).await;
        assert_eq!(hello(&mut stream).await["replay"], "none");
        streams.push(stream);
        assert_eq!(
            world.send(Request::get(PAGE).bearer(&token)).await.status,
            200
        );
    }
    world.publish("project/1", 5).await;
    for stream in &mut streams {
        assert_eq!(stream.next_event().await.json()["data"], 5);
    }
    let elsewhere = Request::get("/v1/stream?topics=elsewhere").bearer(&token);
    assert_eq!(world.send(elsewhere).await.code(), "not_granted");
}

/// RFC 6750, section 3.1: the token is good and not enough, which another of its kind would not mend.
#[tokio::test]
async fn a_stream_token_does_nothing_but_reading() {
    let world = World::start().await;
    let tokens = [
        world.issue("token", "writer", "").await,
        world.issue("token", "admin", "").await,
    ];
    for token in &tokens {
        for (method, path, body) in [
            ("POST", "/v1/events", EVENT),
            ("POST", "/v1/tokens", ""),
            ("POST", "/v1/auth/explain", "{}"),
            ("GET", "/v1/revocations", ""),
            ("POST", "/v1/revocations", r#"{"revoke": "subject:x"}"#),
            ("DELETE", "/v1/revocations/subject:x", ""),
            ("DELETE", "/v1/connections/none", ""),
        ] {
            let mut request = Request::new(method, path).bearer(token);
            if !body.is_empty() {
                request = request.json(body);
            }
            let answer = world.send(request).await;
            let case = format!("{method} {path}: {}", answer.text());
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (403, "not_granted"),
                "{case}"
            );
            let challenge = answer.header("www-authenticate").expect("a challenge");
            assert!(
                challenge.contains("error=\"insufficient_scope\""),
                "{challenge}"
            );
            let hint = answer.json()["hint"].as_str().expect("a hint").to_owned();
            assert!(hint.contains("with which it was made"), "{case}");
        }
    }
    assert_eq!(world.hub.figures().events_published, 0);
}

#[tokio::test]
async fn a_stream_token_looks_at_single_events_and_topics_within_its_scope() {
    let world = World::start().await;
    let narrow = world
        .issue("token", "writer", r#"{"topics": ["project/1"]}"#)
        .await;
    let of_root = world.issue("token", "admin", "").await;
    let inside = world.publish("project/1", 5).await;
    let outside = world.publish("project/2", 6).await;
    let to_user = r#"{"type":"t","users":["w1"],"data":7}"#;
    let to_user = Request::post("/v1/events").bearer("writer").json(to_user);
    let own = world.send(to_user).await.json()["cursor"]
        .as_str()
        .expect("a cursor")
        .to_owned();
    let get = async |path: &str, token: &str| world.send(Request::get(path).bearer(token)).await;
    for (cursor, data) in [(&inside, 5), (&own, 7)] {
        let event = get(&format!("/v1/events/{cursor}"), &narrow).await;
        assert_eq!((event.status, &event.json()["data"]), (200, &json!(data)));
    }
    for token in [&narrow, &of_root] {
        let hidden = get(&format!("/v1/events/{outside}"), token).await;
        assert_eq!((hidden.status, hidden.code().as_str()), (404, "not_found"));
        let hidden = get("/v1/topics/project%2F2", token).await;
        assert_eq!(
            (hidden.status, hidden.code().as_str()),
            (403, "not_granted")
        );
    }
    let topic = get("/v1/topics/project%2F1", &narrow).await;
    assert_eq!((topic.status, &topic.json()["head"]), (200, &json!(inside)));
    // It counts for as long as it does on streams.
    world.revoke(r#"{"revoke": "subject:w1"}"#).await;
    assert_eq!(get("/v1/topics/project%2F1", &narrow).await.status, 401);
}

#[tokio::test]
async fn a_stream_token_ends_with_the_credential_behind_it() {
    let world = World::start().await;
    let token = world.issue("token", "brief", "").await;
    let mut stream = world.stream(Request::get(STREAM).bearer(&token)).await;
    let ends = hello(&mut stream).await["expiresAt"].as_u64();
    assert!(ends.expect("an end") <= world.now_ms() + 60_000);
    world.advance(60_000);
    let mut kinds = Vec::new();
    while let Some(block) = stream.next().await {
        if block.kind == "tidings.bye" {
            assert_eq!(block.json()["code"], "credential_expired");
        }
        kinds.push(block.kind);
    }
    assert_eq!(kinds.last().map(String::as_str), Some("tidings.bye"));
    let answer = world.send(Request::get(PAGE).bearer(&token)).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (401, "invalid_token")
    );
    assert!(answer.text().contains("has expired"), "{}", answer.text());

    let token = world.issue("token", "reader", "").await;
    world.advance(3_600_000);
    let answer = world.send(Request::get(PAGE).bearer(&token)).await;
    assert_eq!(answer.status, 401, "an hour at most");
}

#[tokio::test]
async fn a_stream_token_is_narrowed_by_what_is_asked_for() {
    let world = World::start().await;
    let token = world
        .issue("token", "reader", r#"{"topics": ["project/1"]}"#)
        .await;
    let mut stream = world
        .stream(Request::get("/v1/stream?topics=project/*").bearer(&token))
        .await;
    assert_eq!(hello(&mut stream).await["topics"], json!(["project/1"]));
    let other = Request::get("/v1/events?topics=project/2").bearer(&token);
    assert_eq!(world.send(other).await.status, 403);

    let many: Vec<String> = (0..65).map(|n| format!("project/{n}")).collect();
    let ask = |topics: &[String], more: &str| {
        let body = format!(r#"{{"topics": {}{more}}}"#, json!(topics));
        Request::post("/v1/tokens").bearer("reader").json(&body)
    };
    assert_eq!(world.send(ask(&many[1..], "")).await.status, 200);
    for (request, said) in [
        (ask(&many, ""), "more than 64 patterns"),
        (ask(&[], ""), "1 to 100 patterns"),
        (
            ask(&many[..1], r#", "origin": "https://app.example""#),
            "for tickets",
        ),
        (ask(&many[..1], r#", "topic": 1"#), "`topic` is not known"),
        (
            Request::post("/v1/tokens").bearer("reader").json("{"),
            "not valid JSON",
        ),
    ] {
        let answer = world.send(request).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(answer.text().contains(said), "{}", answer.text());
    }
    let long = format!("{{\"topics\": [\"{}\"]}}", "a".repeat(64 * 1024));
    let long = Request::post("/v1/tokens").bearer("reader").json(&long);
    assert_eq!(world.send(long).await.code(), "body_too_large");
}

#[tokio::test]
async fn a_forged_or_changed_stream_token_is_not_accepted() {
    let world = World::start().await;
    let token = world.issue("token", "reader", "").await;
    let (body, signature) = token.rsplit_once('.').expect("a signature");
    let (header, claims) = body.split_once('.').expect("claims");
    let flipped = if claims.ends_with('A') { "B" } else { "A" };
    for changed in [
        format!("{body}."),
        format!("{body}.{}", signature.to_ascii_uppercase()),
        format!(
            "{header}.{}{flipped}.{signature}",
            &claims[..claims.len() - 1]
        ),
    ] {
        let answer = world.send(Request::get(PAGE).bearer(&changed)).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (401, "invalid_token")
        );
        assert!(!answer.text().contains(claims), "{}", answer.text());
    }
}
