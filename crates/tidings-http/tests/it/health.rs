//! How the hub says that it is, and what an administrator has done about it.

use serde_json::{Value, json};
use tidings_http::limits::MONITOR_USERS_MAX;

use crate::client::{Answer, Request, Stream};
use crate::sinks::{Sink, for_each_sink};
use crate::world::{Wish, World};

async fn open(world: &World, token: &str, sink: Sink) -> (Stream, String) {
    let request = Request::get("/v1/stream?topics=project/1").bearer(token);
    let mut stream = world.stream(request.through(sink)).await;
    let hello = stream.next().await.expect("a greeting").json();
    let id = hello["connectionId"].as_str().expect("an id").to_owned();
    (stream, id)
}

#[track_caller]
fn ok(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.json()
}

async fn health(world: &World) -> Value {
    let request = Request::get("/v1/health?details=true").bearer("admin");
    ok(&world.send(request).await)
}

async fn act(world: &World, body: &Value) -> Answer {
    let request = Request::post("/v1/health").bearer("admin");
    world.send(request.json(&body.to_string())).await
}

/// Every stream has taken its greeting: a mailbox's shard may not have heard of it yet.
async fn until_connected(world: &World, count: u64) {
    while health(world).await["connections"]["states"]["connected"] != count {
        tokio::task::yield_now().await;
    }
}

fn standing<'a>(health: &'a Value, name: &str) -> &'a Value {
    let components = health["components"].as_array().expect("a list");
    let found = components.iter().find(|one| one["name"] == name);
    found.unwrap_or_else(|| panic!("no `{name}` in {health}"))
}

for_each_sink!(
    streams_are_pinged_and_ended_by_the_word_of_an_administrator,
    a_ping_is_told_in_the_words_of_the_profile,
);

#[tokio::test]
async fn everybody_is_told_a_little_and_administrators_all_of_it() {
    let world = World::start().await;
    let (_stream, _) = open(&world, "reader", Sink::Socket).await;
    let cursor = world.publish("project/1", 1).await;
    let health = health(&world).await;
    assert_eq!(health["status"], "healthy");
    assert_eq!(health["connections"]["total"], 1);
    assert_eq!(health["errorRate"], 0);
    for name in [
        "hub",
        "log",
        "committer",
        "shard-0",
        "shard-1",
        "readers",
        "store",
        "answers",
    ] {
        let expected = json!({ "name": name, "status": "healthy" });
        assert_eq!(standing(&health, name), &expected);
    }
    let store = &health["store"];
    assert_eq!(
        (&store["events"], &store["windowEvents"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        (store["head"].as_str(), store["earliest"].as_str()),
        (Some(&*cursor), Some(&*cursor))
    );
    for name in ["logBytes", "windowBytes", "processBytes"] {
        assert!(store[name].as_u64().expect("a number") > 0, "{store}");
    }
    for reader in ["reader", "nobody"] {
        let told = world.send(Request::get("/v1/health").bearer(reader)).await;
        let mut members: Vec<String> = ok(&told)
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect();
        members.sort();
        assert_eq!(members, ["connections", "status"]);
    }
    for (request, status, code) in [
        (Request::get("/v1/health"), 401, "authentication_required"),
        (
            Request::get("/v1/health?details=true").bearer("reader"),
            403,
            "not_granted",
        ),
        (
            Request::get("/v1/health?details=yes").bearer("admin"),
            400,
            "invalid_query",
        ),
        (
            Request::get("/v1/health?detail=true").bearer("admin"),
            400,
            "invalid_query",
        ),
    ] {
        let answer = world.send(request).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code));
    }
}

#[tokio::test]
async fn a_store_that_fails_degrades_the_hub_and_names_no_file() {
    let world = World::start().await;
    world.counters.set_down(true);
    let health = health(&world).await;
    assert_eq!(health["status"], "degraded");
    assert_eq!(standing(&health, "store")["status"], "down");
    assert!(standing(&health, "store")["why"].is_string());
    world.counters.set_down(false);
    assert_eq!(self::health(&world).await["status"], "healthy");
}

#[tokio::test]
async fn answers_that_fail_are_a_share_of_those_of_the_last_minute() {
    let wish = Wish {
        readers_max: 0,
        ..Wish::default()
    };
    let world = World::start_with(wish).await;
    let refused = async || {
        let request = Request::get("/v1/stream?topics=project/1").bearer("reader");
        assert_eq!(world.send(request).await.status, 503);
    };
    for _ in 0..20 {
        refused().await;
        // Machines that ask again and again are not counted.
        world.send(Request::get("/healthz")).await;
    }
    let health = health(&world).await;
    assert_eq!(
        (&health["errorRate"], &health["status"]),
        (&json!(1), &json!("degraded"))
    );
    assert_eq!(standing(&health, "answers")["status"], "degraded");
}

async fn streams_are_pinged_and_ended_by_the_word_of_an_administrator(sink: Sink) {
    let world = World::start().await;
    let (mut one, id) = open(&world, "reader", sink).await;
    let (mut other, _) = open(&world, "writer", sink).await;
    until_connected(&world, 2).await;
    let done = ok(&act(&world, &json!({ "action": "health_check" })).await);
    assert_eq!(
        done,
        json!({ "action": "health_check", "connections": 2, "busy": 0 })
    );
    for stream in [&mut one, &mut other] {
        assert_eq!(stream.next().await.expect("a block").kind, "tidings.ping");
    }
    until_connected(&world, 2).await;
    let one_only = json!({ "action": "health_check", "connection": id });
    assert_eq!(ok(&act(&world, &one_only).await)["connections"], 1);
    assert_eq!(one.next().await.expect("a block").kind, "tidings.ping");

    let end = json!({ "action": "disconnect", "connection": id, "reason": "enough" });
    let done = ok(&act(&world, &end).await);
    assert_eq!(done, json!({ "action": "disconnect", "connections": 1 }));
    let bye = one.next().await.expect("a farewell").json();
    assert_eq!(
        (&bye["code"], &bye["reason"]),
        (&json!("disconnected"), &json!("enough"))
    );
    assert_eq!(one.next().await, None);
    assert_eq!(ok(&act(&world, &end).await)["connections"], 0, "it is gone");
    let gone = act(&world, &one_only).await;
    assert_eq!((gone.status, gone.code().as_str()), (404, "not_found"));

    let end = json!({ "action": "disconnect", "subject": "w1" });
    assert_eq!(ok(&act(&world, &end).await)["connections"], 1);
    let bye = other.next().await.expect("a farewell").json();
    assert_eq!(bye["reason"], "an administrator ended the connection");
    assert_eq!(ok(&act(&world, &end).await)["connections"], 0);
    let cleanup = json!({ "action": "cleanup" });
    assert_eq!(
        ok(&act(&world, &cleanup).await),
        json!({ "action": "cleanup", "connections": 0 })
    );
}

async fn a_ping_is_told_in_the_words_of_the_profile(sink: Sink) {
    let world = World::start().await;
    let request = Request::get("/api/v1/sse").bearer("reader").through(sink);
    let mut stream = world.stream(request).await;
    assert_eq!(
        stream.next().await.expect("a block").kind,
        "connection_established"
    );
    until_connected(&world, 1).await;
    ok(&act(&world, &json!({ "action": "health_check" })).await);
    assert_eq!(stream.next().await.expect("a block").kind, "heartbeat");
}

#[tokio::test]
async fn a_stale_stream_is_seen_and_ended_with_a_word() {
    let world = World::start_with(Wish {
        stands_still: true,
        ..Wish::default()
    })
    .await;
    // The body takes one delivery and no more, since its socket is not read.
    let (stale, id) = open(&world, "writer", Sink::Mailbox).await;
    let big = "x".repeat(200_000);
    let event = format!(r#"{{"type":"t","topics":["project/1"],"data":"{big}"}}"#);
    let shown = async || {
        let request = Request::get(&format!("/v1/connections/{id}")).bearer("admin");
        world.send(request).await.json()
    };
    loop {
        let published = Request::post("/v1/events").bearer("writer").json(&event);
        assert_eq!(world.send(published).await.status, 200);
        if shown().await["lag"].as_u64().expect("a number") > 30 {
            break;
        }
    }
    // It takes what its socket has room for now; from then on, time passes by the word of the test.
    world.advance(5_000);
    while shown().await["state"] != "stale" {
        world.advance(1);
        tokio::task::yield_now().await;
    }
    assert_eq!(health(&world).await["connections"]["states"]["stale"], 1);
    let done = ok(&act(&world, &json!({ "action": "cleanup" })).await);
    assert_eq!(done, json!({ "action": "cleanup", "connections": 1 }));
    world.until_connections(0).await;
    drop(stale);
}

#[tokio::test]
async fn an_action_that_is_asked_for_wrongly_is_refused_with_the_right_way() {
    let world = World::start().await;
    let (_stream, id) = open(&world, "reader", Sink::Socket).await;
    let longest = "x".repeat(257);
    for (body, said) in [
        (json!({}), "`action` is missing"),
        (
            json!({ "action": "reboot" }),
            "use `health_check`, `cleanup` or `disconnect`",
        ),
        (json!({ "action": "clenup" }), "did you mean `cleanup`?"),
        (json!({ "action": 5 }), "`action` is not"),
        (json!({ "actio": "cleanup" }), "did you mean `action`?"),
        (
            json!({ "action": "cleanup", "subject": "r1" }),
            "does not take the field `subject`",
        ),
        (
            json!({ "action": "health_check", "reason": "x" }),
            "does not take the field `reason`",
        ),
        (
            json!({ "action": "health_check", "connection": "x" }),
            "the id of a connection",
        ),
        (
            json!({ "action": "disconnect" }),
            "one of the fields `connection` and `subject`",
        ),
        (
            json!({ "action": "disconnect", "subject": "r1", "connection": id }),
            "one of the fields",
        ),
        (
            json!({ "action": "disconnect", "subject": "" }),
            "`subject` is not a subject",
        ),
        (
            json!({ "action": "disconnect", "subject": "r1", "reason": "a\nb" }),
            "control character",
        ),
        (
            json!({ "action": "disconnect", "subject": "r1", "reason": longest }),
            "at most 256",
        ),
    ] {
        let answer = act(&world, &body).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "invalid_body"),
            "{body}"
        );
        assert!(answer.text().contains(said), "{body}: {}", answer.text());
    }
    let nobody = Request::post("/v1/health").bearer("reader");
    let refused = world.send(nobody.json(r#"{"action":"cleanup"}"#)).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (403, "not_granted")
    );
    let by_cookie = Request::post("/v1/health")
        .header("cookie", "session=admin")
        .header("origin", "https://evil.example")
        .json(r#"{"action":"cleanup"}"#);
    let refused = world.send(by_cookie).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (403, "cross_site")
    );
    world.until_connections(1).await;
}

#[tokio::test]
async fn s2_the_dashboard_finds_health_and_monitor_where_it_looks() {
    let world = World::start().await;
    let mut streams = Vec::new();
    for token in ["reader", "reader", "writer"] {
        streams.push(open(&world, token, Sink::Socket).await);
    }
    let told = world
        .send(Request::get("/api/sse/health").bearer("reader"))
        .await;
    assert_eq!(ok(&told)["connections"]["total"], 3);
    let all = Request::get("/api/sse/health?details=true&_=1").bearer("admin");
    assert!(ok(&world.send(all).await)["components"].is_array());
    let monitor = Request::get("/api/realtime/monitor").bearer("admin");
    let monitor = ok(&world.send(monitor).await);
    assert_eq!(monitor["connections"]["total"], 3);
    assert_eq!(monitor["users"], json!({ "r1": 2, "w1": 1 }));
    for name in ["opens", "closes", "published", "delivered"] {
        assert!(monitor["rates"][name].is_number(), "{monitor}");
    }
    assert!(monitor["rates"]["opens"].as_f64().expect("a number") > 0.0);
    for path in ["/api/realtime/monitor", "/api/sse/health?details=true"] {
        let refused = world.send(Request::get(path).bearer("reader")).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (403, "not_granted"),
            "{path}"
        );
    }
    let end = Request::post("/api/sse/health").bearer("admin");
    let end = end.json(r#"{"action":"disconnect","subject":"r1"}"#);
    assert_eq!(ok(&world.send(end).await)["connections"], 2);
    world.until_connections(1).await;
}

#[tokio::test]
async fn a_monitor_names_so_many_users_those_with_most_connections_first() {
    let wish = Wish {
        connections_per_address: 10_000,
        ..Wish::default()
    };
    let world = World::start_with(wish).await;
    let mut streams = Vec::new();
    for number in 0..MONITOR_USERS_MAX + 5 {
        let token = format!("~u{number:03}~read=project/*");
        streams.push(open(&world, &token, Sink::Socket).await);
    }
    streams.push(open(&world, "~u104~read=project/*", Sink::Socket).await);
    let monitor = Request::get("/api/realtime/monitor").bearer("admin");
    let answer = world.send(monitor).await;
    let monitor = ok(&answer);
    let users = monitor["users"].as_object().expect("an object");
    assert_eq!(users.len(), MONITOR_USERS_MAX);
    assert_eq!(
        (&monitor["users"]["u104"], &monitor["users"]["u103"]),
        (&json!(2), &json!(null))
    );
    assert!(answer.text().contains(r#""users":{"u104":2,"u000":1"#));
}
