//! The streams that clients of other servers open: where they look for them, with the credentials that
//! they send, and in the words that they know.

use tidings_http::{BeatSpec, Beside, CredentialKind, Frame, Profile, ProfileSpec};
use tidings_wire::sse::Form;

use crate::client::{Block, Request, Stream};
use crate::sinks::{Sink, for_each_sink};
use crate::world::{Wish, World};

for_each_sink!(
    s0_a_chat_opens_without_a_word_and_hears_its_workspace,
    s1_a_story_editor_is_greeted_and_filters,
    s2_a_dashboard_gets_envelopes,
    s3_a_project_is_read_by_its_path,
    s4_a_portal_is_alive_without_ids,
    a_profile_resumes_by_every_spelling_of_the_last_event_id,
);

/// A token of `made`, as it stands in a URL.
fn in_url(token: &str) -> String {
    crate::client::encoded(token)
}

fn get(target: &str, sink: Sink) -> Request {
    Request::get(target).through(sink)
}

async fn next(stream: &mut Stream) -> Block {
    stream.next().await.expect("a block")
}

async fn s0_a_chat_opens_without_a_word_and_hears_its_workspace(sink: Sink) {
    let world = World::start().await;
    let target = |token: &str| format!("/events?access_token={}", in_url(token));
    let mut member = world.stream(get(&target("~u1~workspace=w1"), sink)).await;
    let mut stranger = world.stream(get(&target("~u2~workspace=w2"), sink)).await;
    assert_eq!(member.head.status, 200);

    let write = "~u1~write=workspace/**";
    let publish = |topic: &str| {
        Request::post("/v1/events").bearer(write).json(&format!(
            r#"{{"topics": ["{topic}"], "type": "message", "data": {{"n": 1}}}}"#
        ))
    };
    assert_eq!(
        world.send(publish("workspace/w1/general")).await.status,
        200
    );
    assert_eq!(
        world.send(publish("workspace/w2/general")).await.status,
        200
    );

    // The position where it began has no event around it.
    let heard = next(&mut member).await;
    assert_eq!(
        (heard.kind.as_str(), heard.data.as_str()),
        ("message", r#"{"n": 1}"#)
    );
    let other = next(&mut stranger).await;
    assert_ne!(heard.id, other.id, "each its own");

    world.advance_and_wake(30_000).await;
    member.until(b"\n: ping\n\nid: ").await;
}

async fn s1_a_story_editor_is_greeted_and_filters(sink: Sink) {
    let world = World::start().await;
    let target = format!(
        "/api/v1/events/stream?sse_token={}&events=novel.created,chapter.*&\
         meta_client_version=1.0.0&_=17",
        in_url("~u1~read=project/*")
    );
    let mut stream = world
        .stream(get(&(target + "&topics=project/*"), sink))
        .await;
    let greeting = next(&mut stream).await;
    assert_eq!(greeting.kind, "connected");
    assert_eq!(greeting.json()["clientId"], greeting.json()["connectionId"]);
    for event_type in ["other", "chapter.created"] {
        let body = format!(r#"{{"topics": ["project/1"], "type": "{event_type}", "data": 7}}"#);
        let publish = Request::post("/v1/events").bearer("writer").json(&body);
        assert_eq!(world.send(publish).await.status, 200);
    }
    let event = next(&mut stream).await;
    assert_eq!(
        (event.kind.as_str(), event.data.as_str()),
        ("chapter.created", "7")
    );
    world.advance_and_wake(15_000).await;
    let ping = next(&mut stream).await;
    assert_eq!(ping.kind, "ping");
    assert!(
        ping.json()["timestamp"]
            .as_str()
            .expect("a time")
            .ends_with('Z')
    );
    assert!(ping.id.is_some());
}

async fn s2_a_dashboard_gets_envelopes(sink: Sink) {
    let world = World::start().await;
    for path in ["/api/sse", "/api/realtime/sse"] {
        let mut stream = world
            .stream(get(&format!("{path}?token={}", in_url("~u1")), sink))
            .await;
        let greeting = next(&mut stream).await;
        assert_eq!(greeting.kind, "connected");
        assert_eq!(greeting.json()["type"], "connected");
        assert!(greeting.json()["data"]["clientId"].is_string());
        let body = r#"{"users": ["u1"], "type": "alert", "data": {"level": 2}}"#;
        let publish = Request::post("/v1/events").bearer("writer").json(body);
        assert_eq!(world.send(publish).await.status, 200);
        let event = next(&mut stream).await;
        assert_eq!(event.kind, "alert");
        assert_eq!(event.json()["data"]["level"], 2);
        assert_eq!(event.json()["priority"], "normal");
    }
}

async fn s3_a_project_is_read_by_its_path(sink: Sink) {
    let world = World::start().await;
    let target = |project: &str| {
        let token = in_url("~u1~read=project/42");
        format!("/api/projects/{project}/stream?token={token}")
    };
    let mut stream = world.stream(get(&target("42"), sink)).await;
    assert_eq!(next(&mut stream).await.kind, "connected");
    world.publish("project/41", 1).await;
    world.publish("project/42", 2).await;
    assert_eq!(next(&mut stream).await.data, "2");

    // What the path asks for has to be granted, and stays one segment.
    let refused = world.send(get(&target("41"), sink)).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (403, "not_granted")
    );
    for bad in ["a%2Fb", "*", "%2A%2A", "..", "%FF", "%40user"] {
        let refused = world.send(get(&target(bad), sink)).await;
        assert_eq!(refused.code(), "invalid_topic", "{bad}");
    }
}

async fn s4_a_portal_is_alive_without_ids(sink: Sink) {
    let world = World::start().await;
    let target = format!("/api/v1/sse?token={}&events=none.of.these", in_url("~u1"));
    let mut stream = world.stream(get(&target, sink)).await;
    assert_eq!(next(&mut stream).await.kind, "connection_established");
    world.advance_and_wake(30_000).await;
    let beat = next(&mut stream).await;
    assert_eq!((beat.kind.as_str(), &beat.id), ("heartbeat", &None));
    let timestamp = beat.json()["timestamp"]
        .as_str()
        .expect("a time")
        .to_owned();
    assert_eq!(beat.data, format!(r#"{{"timestamp":"{timestamp}"}}"#));
    stream.until(b"\n\nid: ").await;
}

async fn a_profile_resumes_by_every_spelling_of_the_last_event_id(sink: Sink) {
    let world = World::start().await;
    let first = world.publish("project/1", 1).await;
    world.publish("project/1", 2).await;
    let token = in_url("~u1~read=project/*");
    let paths = [
        format!("/events?access_token={token}&topics=project/1"),
        format!("/api/v1/events/stream?sse_token={token}&topics=project/1"),
        format!("/api/sse?token={token}&topics=project/1"),
        format!("/api/projects/1/stream?token={token}"),
        format!("/api/v1/sse?token={token}&topics=project/1"),
    ];
    for path in paths {
        for request in [
            get(&path, sink).header("last-event-id", &first),
            get(&format!("{path}&lastEventId={first}"), sink),
        ] {
            let mut stream = world.stream(request).await;
            stream.until(b"event: t\n").await;
        }
    }
}

#[tokio::test]
async fn a19_a_profile_without_cookies_may_be_read_by_any_page_until_origins_are_listed() {
    let world = World::start_with(Wish {
        origins: Some(tidings_http::Origins::default()),
        ..Wish::default()
    })
    .await;
    let allowed = async |path: &str| {
        let request = Request::get(path).header("origin", "https://any.example");
        let answer = world.send(request).await;
        answer
            .header("access-control-allow-origin")
            .map(str::to_owned)
    };
    for path in [
        "/events",
        "/api/v1/events/stream",
        "/api/projects/1/stream",
        "/api/v1/sse",
    ] {
        assert_eq!(allowed(path).await.as_deref(), Some("*"), "{path}");
    }
    for path in ["/v1/stream", "/api/sse", "/api/realtime/sse"] {
        assert_eq!(allowed(path).await, None, "{path}");
    }
}

#[tokio::test]
async fn a_profile_that_ignores_cookies_is_not_opened_by_one() {
    let world = World::start().await;
    let with_cookie = |path: &str| Request::get(path).header("cookie", "session=reader");
    for path in [
        "/events",
        "/api/v1/events/stream",
        "/api/projects/1/stream",
        "/api/v1/sse",
    ] {
        let refused = world.send(with_cookie(path)).await;
        assert_eq!(refused.code(), "authentication_required", "{path}");
    }
    let stream = world.stream(with_cookie("/api/sse")).await;
    assert_eq!(stream.head.status, 200);
}

#[tokio::test]
async fn a_credential_in_a_url_is_taken_only_by_the_name_of_its_profile() {
    let world = World::start().await;
    for (path, code) in [
        ("/v1/stream?access_token=reader", "authentication_required"),
        ("/events?token=reader", "authentication_required"),
        ("/api/v1/sse?access_token=reader", "authentication_required"),
        ("/events?access_token=reader&token=x", "invalid_query"),
        (
            "/events?access_token=reader&access_token=reader",
            "invalid_query",
        ),
        ("/events?access_token=expired", "invalid_token"),
        ("/events?access_token=", "authentication_required"),
        // What is read is opened with it; nothing is done with it.
        ("/v1/topics/a?token=reader", "authentication_required"),
    ] {
        let refused = world.send(Request::get(path)).await;
        assert_eq!(refused.code(), code, "{path}: {}", refused.text());
        assert!(!refused.text().contains("reader"), "{path}");
    }
}

#[tokio::test]
async fn s0_a_refusal_is_told_as_an_event_where_the_profile_says_so() {
    let spec = ProfileSpec {
        name: "telling",
        paths: &["/telling"],
        greeting: None,
        heartbeat: BeatSpec::Comment("ping"),
        every_ms: 30_000,
        form: Form::Object,
        frame: Frame::Payload,
        credentials: &[("access_token", CredentialKind::Token)],
        takes_cookies: false,
        takes_development_user: false,
        says_disconnected: false,
        topics: None,
        refusal_event: Some("error"),
        beside: &Beside::NOTHING,
    };
    let world = World::start_with(Wish {
        profiles: vec![Profile::new(&spec).expect("a profile")],
        ..Wish::default()
    })
    .await;
    let request =
        |accept: &str| Request::get("/telling?access_token=expired").header("accept", accept);
    let mut stream = world.stream(request("text/event-stream")).await;
    assert_eq!(stream.head.status, 200);
    let refusal = next(&mut stream).await;
    assert_eq!(refusal.kind, "error");
    assert_eq!(refusal.json()["code"], "invalid_token");
    assert_eq!(refusal.json()["category"], "AUTHENTICATION");
    assert!(refusal.json()["requestId"].is_string());
    stream.until_end().await;
    assert!(
        stream.text().contains("\nretry: 60000\n"),
        "{}",
        stream.text()
    );

    // A program sees the status, and so does everybody by the other profiles.
    assert_eq!(world.send(request("*/*")).await.status, 401);
    let native = Request::get("/v1/stream").bearer("expired");
    let native = native.header("accept", "text/event-stream");
    assert_eq!(world.send(native).await.status, 401);
}

#[tokio::test]
async fn the_profiles_are_listed() {
    let world = World::start().await;
    let answer = world.send(Request::get("/v1/profiles")).await;
    assert_eq!(answer.status, 200);
    let shown = serde_json::to_string_pretty(&answer.json()).expect("JSON");
    insta::assert_snapshot!(shown);
}
