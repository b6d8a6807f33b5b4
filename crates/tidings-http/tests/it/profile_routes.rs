//! The routes of profiles beside their streams, as the clients of other servers use them.

use serde_json::Value;
use tidings_core::limits::PAGE_EVENTS_MAX;
use tidings_core::port::Quota;
use tidings_http::RateLimits;

use crate::client::{Answer, Request, encoded};
use crate::sinks::{Sink, for_each_sink};
use crate::world::{Wish, World};

for_each_sink!(
    s1_a_session_opens_one_stream_within_half_a_minute,
    s2_polling_agrees_with_the_stream_event_for_event,
);

const STORIES: &str = "/api/v1/events/stream";
const POLLING: &str = "/api/realtime/polling";

async fn ok(world: &World, request: Request) -> Value {
    let answer = world.send(request).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) {
    let found = (answer.status, answer.code());
    assert_eq!(found, (status, code.to_owned()), "{}", answer.text());
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

async fn s1_a_session_opens_one_stream_within_half_a_minute(sink: Sink) {
    let world = World::start().await;
    // Whatever else the client sends.
    let token = Request::post("/api/v1/auth/sse-token").bearer("reader");
    let token = ok(&world, token.json(r#"{"client": "editor", "topics": 7}"#)).await;
    let expires_at = text(&token["expires_at"]);
    assert!(
        expires_at.ends_with('Z') && expires_at.contains('T'),
        "{expires_at}"
    );
    let token = text(&token["sse_token"]);

    let session = || Request::post("/api/v1/events/session");
    let by_token = ok(&world, session().bearer(token)).await;
    let by_token = text(&by_token["session_id"]).to_owned();
    let by_login = ok(&world, session().bearer("reader")).await;
    let by_login = text(&by_login["session_id"]).to_owned();
    let late = ok(&world, session().bearer("reader")).await;
    let late = text(&late["session_id"]).to_owned();

    let open = |id: &str| {
        let target = format!("{STORIES}?session_id={}&topics=project/1", encoded(id));
        Request::get(&target).through(sink)
    };
    for id in [&by_token, &by_login] {
        let mut stream = world.stream(open(id)).await;
        assert_eq!(stream.next().await.expect("a block").kind, "connected");
        world.publish("project/1", 3).await;
        assert_eq!(stream.next().await.expect("a block").data, "3");
    }
    world.advance_wall(30_000);
    for id in [&by_token, &by_login, &late, &"never-issued".to_owned()] {
        let answer = world.send(open(id)).await;
        refused(&answer, 401, "invalid_token");
        assert_eq!(answer.json()["detail"], "invalid or expired session");
        assert!(!answer.text().contains(id.as_str()), "{}", answer.text());
    }
}

#[tokio::test]
async fn s1_a_stream_token_is_exchanged_for_a_ticket_and_for_nothing_else() {
    let world = World::start().await;
    let token = world.issue("token", "brief", "").await;
    let token = token.as_str();
    let ticket = Request::post("/v1/tickets").bearer(token);
    let ticket = ok(&world, ticket).await;
    let target = format!("/v1/stream?ticket={}", text(&ticket["ticket"]));
    let mut stream = world.stream(Request::get(&target)).await;
    let hello = stream.next().await.expect("a greeting").json();
    let ends = hello["expiresAt"].as_u64().expect("an end");
    assert!(ends <= world.now_ms() + 60_000, "with the token");
    for path in ["/v1/tokens", "/api/v1/auth/sse-token"] {
        let answer = world.send(Request::post(path).bearer(token)).await;
        refused(&answer, 403, "not_granted");
    }
}

async fn s2_polling_agrees_with_the_stream_event_for_event(sink: Sink) {
    let world = World::start().await;
    let login = Request::get("/api/auth/sse-token").header("cookie", "session=~u1");
    let login = ok(&world, login).await;
    assert!(login["expiresAt"].as_u64().expect("a time") > world.now_ms());
    let token = encoded(text(&login["token"]));
    let target = format!("/api/realtime/sse?token={token}");
    let mut stream = world.stream(Request::get(&target).through(sink)).await;
    let begin = world.now_ms();
    for n in 0..5 {
        let event_type = ["alert", "metric"][n % 2];
        let event = format!(r#"{{"users": ["u1"], "type": "{event_type}", "data": {n}}}"#);
        ok(
            &world,
            Request::post("/v1/events").bearer("writer").json(&event),
        )
        .await;
    }
    assert_eq!(stream.next().await.expect("a block").kind, "connected");
    let mut streamed = Vec::new();
    while streamed.len() < 5 {
        let block = stream.next().await.expect("an event");
        streamed.push((block.id.clone(), block.json()));
    }

    let poll = async |query: &str| {
        let target = format!("{POLLING}?{query}&token={token}");
        ok(&world, Request::get(&target).through(sink)).await
    };
    let plain = |page: &Value| -> Vec<(Option<String>, Value)> {
        let events = page["events"].as_array().expect("a list").iter();
        let plain = events.map(|event| {
            let mut event = event.clone();
            let cursor = event.as_object_mut().expect("an event").remove("cursor");
            (cursor.map(|cursor| text(&cursor).to_owned()), event)
        });
        plain.collect()
    };
    for since in ["0".to_owned(), begin.to_string()] {
        let page = poll(&format!("since={since}&limit=1000000")).await;
        assert_eq!(plain(&page), streamed, "since={since}");
    }
    let first = streamed[0].0.clone().expect("an id");
    let page = poll(&format!("since={first}&limit=2")).await;
    assert_eq!(plain(&page), streamed[1..3]);
    let page = poll(&format!("since={}", text(&page["cursor"]))).await;
    assert_eq!(plain(&page), streamed[3..]);
    let alerts = poll(&format!("since={begin}&types=alert")).await;
    assert_eq!(alerts["events"].as_array().expect("a list").len(), 3);
    let nothing_yet = poll("since=&limit=&cachebuster=1").await;
    assert_eq!(nothing_yet["events"], serde_json::json!([]));

    let bad = format!("{POLLING}?limit=-1&token={token}");
    refused(&world.send(Request::get(&bad)).await, 400, "invalid_query");
}

#[tokio::test]
async fn s2_a_page_has_no_more_events_than_any() {
    let world = World::start().await;
    let event = format!(
        "[{}]",
        vec![r#"{"users":["u1"],"type":"t"}"#; 100].join(",")
    );
    for _ in 0..=PAGE_EVENTS_MAX / 100 {
        ok(
            &world,
            Request::post("/v1/events").bearer("writer").json(&event),
        )
        .await;
    }
    let target = format!(
        "{POLLING}?since=earliest&limit={}&token=~u1",
        PAGE_EVENTS_MAX + 1
    );
    let page = ok(&world, Request::get(&target)).await;
    let events = page["events"].as_array().expect("a list").len();
    assert_eq!((events, &page["more"]), (PAGE_EVENTS_MAX, &true.into()));
}

#[tokio::test]
async fn s2_a_test_event_reaches_those_that_it_is_for() {
    let world = World::start().await;
    let test =
        |token: &str, body: &str| Request::post("/api/realtime/test").bearer(token).json(body);
    let mut admin = world
        .stream(Request::get("/api/sse?token=~u1~role=ADMIN"))
        .await;
    let topic = "/api/sse?topics=project/7&token=~u2~read=project/*";
    let mut other = world.stream(Request::get(topic)).await;
    for stream in [&mut admin, &mut other] {
        assert_eq!(stream.next().await.expect("a block").kind, "connected");
    }
    let by_admin = "~boss~role=ADMIN";
    for (body, readers) in [
        (
            r#"{"message": "all", "target": "broadcast", "targetValue": null}"#,
            2,
        ),
        (
            r#"{"type": "note", "message": "one", "data": {"n": 1}, "target": "user", "targetValue": "u2"}"#,
            1,
        ),
        (
            r#"{"message": "some", "target": "role", "targetValue": "ADMIN"}"#,
            1,
        ),
        (
            r#"{"data": [1], "target": "topic", "targetValue": "project/7", "priority": "high"}"#,
            1,
        ),
    ] {
        let answer = ok(&world, test(by_admin, body)).await;
        assert_eq!(answer["subscribers"], readers, "{body}");
        assert!(answer["id"].is_string() && answer["cursor"].is_string());
    }
    let of_admin =
        [admin.next().await, admin.next().await].map(|block| block.expect("an event").json());
    assert_eq!(of_admin[0]["data"], serde_json::json!({"message": "all"}));
    assert_eq!(
        (&of_admin[1]["data"]["message"], &of_admin[1]["type"]),
        (&"some".into(), &"test".into())
    );
    let mut of_other = Vec::new();
    for _ in 0..3 {
        of_other.push(other.next().await.expect("an event").json());
    }
    assert_eq!(of_other[1]["type"], "note");
    assert_eq!(
        of_other[1]["data"],
        serde_json::json!({"message": "one", "data": {"n": 1}})
    );
    assert_eq!(
        (&of_other[2]["data"], &of_other[2]["priority"]),
        (&serde_json::json!([1]), &"high".into())
    );

    // Whoever may not publish to them may not test it, and a mistyped field is nobody's broadcast.
    let plain = world.send(test("~u1", r#"{"message": "all"}"#)).await;
    refused(&plain, 403, "not_granted");
    let elsewhere = Request::post("/v1/events").bearer(by_admin);
    let elsewhere = elsewhere.json(r#"{"type": "t", "topics": ["project/7"]}"#);
    refused(&world.send(elsewhere).await, 403, "not_granted");
    for (body, code) in [
        (r#"{"targt": "user", "targetValue": "u2"}"#, "unknown_field"),
        (r#"{"target": "user"}"#, "invalid_event"),
        (
            r#"{"target": "broadcast", "targetValue": "u2"}"#,
            "invalid_event",
        ),
        (r#"{"targetValue": "u2"}"#, "invalid_event"),
        (r#"{"target": "everybody"}"#, "invalid_event"),
        (
            r#"{"target": "topic", "targetValue": "a//b"}"#,
            "invalid_topic",
        ),
        (r#"{"type": "tidings.x"}"#, "invalid_type"),
        (r#"{"message": 7}"#, "invalid_event"),
        ("[]", "invalid_event"),
        ("{", "invalid_json"),
    ] {
        refused(&world.send(test(by_admin, body)).await, 400, code);
    }
}

#[tokio::test]
async fn s2_who_may_not_have_a_stream_is_told_to_poll() {
    let world = World::start_with(Wish {
        connections_per_identity: 1,
        ..Wish::default()
    })
    .await;
    for (path, poll) in [
        ("/api/sse?token=~u1", Some(POLLING)),
        ("/api/v1/sse?token=~u2", None),
    ] {
        let stream = world.stream(Request::get(path)).await;
        assert_eq!(stream.head.status, 200);
        let answer = world.send(Request::get(path)).await;
        refused(&answer, 429, "too_many_connections");
        assert_eq!(answer.json()["category"], "RATE_LIMIT");
        assert_eq!(answer.json()["poll"], serde_json::json!(poll));
    }
    let native = || Request::get("/v1/stream").bearer("reader");
    let _stream = world.stream(native()).await;
    let answer = world.send(native()).await;
    assert_eq!(answer.json()["poll"], "/v1/events");
    assert!(text(&answer.json()["hint"]).contains("`/v1/events`"));

    let limited = RateLimits {
        requests_per_address: Some(Quota {
            units: 1,
            period_ms: 3_600_000,
        }),
        ..RateLimits::default()
    };
    let world = World::start_with(Wish {
        rates: limited,
        ..Wish::default()
    })
    .await;
    world.send(Request::get("/healthz")).await;
    let answer = world
        .send(Request::get("/api/realtime/sse?token=~u1"))
        .await;
    refused(&answer, 429, "rate_limited");
    assert_eq!(answer.json()["poll"], POLLING);
}

#[tokio::test]
async fn a_route_of_a_profile_answers_its_methods_and_preflights() {
    let world = World::start().await;
    let options =
        |path: &str| Request::new("OPTIONS", path).header("origin", "https://any.example");
    for (path, allow) in [
        ("/api/v1/auth/sse-token", "POST, OPTIONS"),
        ("/api/v1/events/session", "POST, OPTIONS"),
        ("/api/auth/sse-token", "GET, HEAD, OPTIONS"),
        (POLLING, "GET, HEAD, OPTIONS"),
        ("/api/realtime/test", "POST, OPTIONS"),
    ] {
        let answer = world.send(options(path)).await;
        assert_eq!((path, answer.header("allow")), (path, Some(allow)));
        let wrong = if allow.starts_with("POST") {
            "GET"
        } else {
            "POST"
        };
        let wrong = world.send(Request::new(wrong, path).bearer("reader")).await;
        refused(&wrong, 405, "method_not_allowed");
    }
}
