//! A live stream reads something else from a cursor on, and loses and repeats nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http_body_util::BodyExt as _;
use serde_json::json;
use tidings_core::limits::PATTERNS_PER_CONNECTION_MAX;

use crate::client::{Answer, Request, Stream};
use crate::http2;
use crate::sinks::{Sink, for_each_sink};
use crate::world::{LISTED_ORIGIN, World};

const ANN: &str = "~ann~read=project/*";

struct Open {
    stream: Stream,
    id: String,
}

async fn open(world: &World, target: &str, sink: Sink) -> Open {
    let request = Request::get(target).bearer(ANN).through(sink);
    let mut stream = world.stream(request).await;
    let hello = stream.next().await.expect("a greeting").json();
    let id = hello["connectionId"].as_str().expect("an id").to_owned();
    Open { stream, id }
}

fn change(id: &str, body: &str) -> Request {
    Request::new("PATCH", &format!("/v1/connections/{id}/subscription")).json(body)
}

#[track_caller]
fn cursor_of(answer: &Answer) -> u64 {
    assert_eq!(answer.status, 200, "{}", answer.text());
    offset(answer.json()["cursor"].as_str().expect("a cursor"))
}

fn offset(cursor: &str) -> u64 {
    let (offset, _) = cursor.split_once('-').expect("a cursor");
    offset.parse().expect("a number")
}

for_each_sink!(
    every_event_of_the_old_set_up_to_the_cursor_and_of_the_new_set_after_it_once,
    what_is_left_out_stays_as_it_is,
    what_is_not_granted_changes_nothing,
);

async fn every_event_of_the_old_set_up_to_the_cursor_and_of_the_new_set_after_it_once(sink: Sink) {
    const CHANGES: u64 = 20;
    const TOPICS: [&str; 3] = ["project/1", "project/2", "project/3"];
    // What is read after each change, by places in the list above.
    const SETS: [&[usize]; 4] = [&[0], &[1], &[0, 1], &[2, 0]];
    let world = World::start().await;
    let mut open = open(&world, "/v1/stream?topics=project/1", sink).await;
    let stop = Arc::new(AtomicBool::new(false));
    let (address, asked) = (world.address, Arc::clone(&stop));
    let publishing = tokio::spawn(async move {
        let mut published = Vec::new();
        while !asked.load(Ordering::SeqCst) {
            for (topic, name) in TOPICS.iter().enumerate() {
                let body = format!(r#"{{"type":"t","topics":["{name}"]}}"#);
                let request = Request::post("/v1/events").bearer("writer").json(&body);
                let answer = request.send(address).await;
                published.push((cursor_of(&answer), topic));
            }
        }
        published
    });
    let mut changes = vec![(0, SETS[0])];
    let mut told = Vec::new();
    for number in 1..=CHANGES {
        let set = SETS[number as usize % SETS.len()];
        let topics: Vec<&str> = set.iter().map(|place| TOPICS[*place]).collect();
        let body = json!({ "topics": topics }).to_string();
        let answer = world.send(change(&open.id, &body).bearer(ANN)).await;
        changes.push((cursor_of(&answer), set));
        let next = open.stream.next_event().await;
        told.push(offset(&next.id.expect("a cursor")));
    }
    stop.store(true, Ordering::SeqCst);
    let published = publishing.await.expect("published");
    // Read by all the sets, so that the stream ends with it.
    let last = offset(&world.publish("project/1", 0).await);
    let answer = world
        .send(change(&open.id, r#"{"topics":["project/1"]}"#).bearer(ANN))
        .await;
    let end = cursor_of(&answer).max(last);
    world.publish("project/1", 1).await;
    let ended = loop {
        let next = open.stream.next_event().await;
        let at = offset(&next.id.clone().expect("a cursor"));
        if next.json()["data"] == 1 {
            break at;
        }
        told.push(at);
    };
    assert!(ended > end);
    let is_read = |at: u64, topic: usize| {
        let in_force = changes.iter().rev().find(|(from, _)| *from < at);
        in_force.expect("the first").1.contains(&topic)
    };
    let mut expected: Vec<u64> = published
        .iter()
        .filter(|(at, topic)| is_read(*at, *topic))
        .map(|(at, _)| *at)
        .collect();
    if is_read(last, 0) {
        expected.push(last);
    }
    assert_eq!(told, expected, "{changes:?}");
    assert!(changes.windows(2).all(|two| two[0].0 <= two[1].0));
    let moved = changes.windows(2).filter(|two| two[0].0 < two[1].0).count();
    assert!(moved > 1, "events were published between changes");
}

async fn what_is_left_out_stays_as_it_is(sink: Sink) {
    let world = World::start().await;
    let mut open = open(&world, "/v1/stream?topics=project/1&events=t", sink).await;
    let shown = async |id: &str| {
        let request = Request::get(&format!("/v1/connections/{id}")).bearer("admin");
        let shown = world.send(request).await.json();
        [&shown["topics"], &shown["events"], &shown["audience"]].map(Clone::clone)
    };
    for (body, topics, events, audience) in [
        (
            r#"{"topics":["project/2"]}"#,
            json!(["project/2"]),
            json!(["t"]),
            "own",
        ),
        (
            r#"{"events":["a.*","b"]}"#,
            json!(["project/2"]),
            json!(["a.*", "b"]),
            "own",
        ),
        (
            r#"{"audience":"none"}"#,
            json!(["project/2"]),
            json!(["a.*", "b"]),
            "none",
        ),
        (r#"{"events":[]}"#, json!(["project/2"]), json!([]), "none"),
        (
            r#"{"topics":[],"audience":"own"}"#,
            json!([]),
            json!([]),
            "own",
        ),
        (
            r#"{"topics":["project/1","elsewhere"],"events":["t"]}"#,
            json!(["project/1", "elsewhere"]),
            json!(["t"]),
            "own",
        ),
    ] {
        let answer = world.send(change(&open.id, body).bearer(ANN)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer = answer.json();
        assert_eq!(answer["expiresAt"], json!(null), "{body}");
        let is_narrowed = body.contains("elsewhere");
        let granted = is_narrowed.then(|| json!(["project/1"]));
        assert_eq!(answer.get("topics"), granted.as_ref(), "{body}");
        assert_eq!(
            shown(&open.id).await,
            [topics, events, json!(audience)],
            "{body}"
        );
    }
    world.publish("project/2", 2).await;
    world.publish("project/1", 1).await;
    assert_eq!(open.stream.next_event().await.json()["data"], 1);
}

async fn what_is_not_granted_changes_nothing(sink: Sink) {
    let world = World::start().await;
    let mut open = open(&world, "/v1/stream?topics=project/1", sink).await;
    let id = open.id.clone();
    let nothing = r#"{"topics":["elsewhere"]}"#;
    let good = r#"{"topics":["project/2"]}"#;
    let many: Vec<String> = (0..=PATTERNS_PER_CONNECTION_MAX)
        .map(|number| format!("\"project/{number}\""))
        .collect();
    let many = format!(r#"{{"topics":[{}]}}"#, many.join(","));
    let unread = r#"{"topics":[],"audience":"none"}"#;
    for (request, status, code) in [
        (change(&id, nothing).bearer(ANN), 403, "not_granted"),
        (change(&id, good), 401, "authentication_required"),
        // Another's stream, an unknown one, and one that nobody may have.
        (change(&id, good).bearer("writer"), 404, "not_found"),
        (change(&id, good).bearer("admin"), 404, "not_found"),
        (
            change("0.0.9.9.00000000", good).bearer(ANN),
            404,
            "not_found",
        ),
        (change("nothing", good).bearer(ANN), 404, "not_found"),
        (change(&id, &many).bearer(ANN), 400, "too_many_patterns"),
        (change(&id, unread).bearer(ANN), 400, "invalid_query"),
        (change(&id, "{}").bearer(ANN), 400, "invalid_body"),
        (change(&id, "").bearer(ANN), 400, "invalid_body"),
        (change(&id, "[]").bearer(ANN), 400, "invalid_body"),
        (change(&id, "{").bearer(ANN), 400, "invalid_json"),
        (
            change(&id, r#"{"topic":["project/2"]}"#).bearer(ANN),
            400,
            "invalid_body",
        ),
        (
            change(&id, r#"{"topics":"project/2"}"#).bearer(ANN),
            400,
            "invalid_body",
        ),
        (
            change(&id, r#"{"topics":null}"#).bearer(ANN),
            400,
            "invalid_body",
        ),
        (
            change(&id, r#"{"topics":["a//b"]}"#).bearer(ANN),
            400,
            "invalid_pattern",
        ),
        (
            change(&id, r#"{"events":["a b"]}"#).bearer(ANN),
            400,
            "invalid_type",
        ),
        (
            change(&id, r#"{"audience":"mine"}"#).bearer(ANN),
            400,
            "invalid_body",
        ),
        (
            Request::new(
                "PATCH",
                &format!("/v1/connections/{id}/subscription?topics=project/2"),
            )
            .json(good)
            .bearer(ANN),
            400,
            "invalid_query",
        ),
    ] {
        let shown = format!("{request:?}");
        let answer = world.send(request).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{shown}: {}",
            answer.text()
        );
    }
    let hinted = world
        .send(change(&id, r#"{"topic":["project/2"]}"#).bearer(ANN))
        .await;
    assert_eq!(hinted.json()["hint"], "did you mean `topics`?");
    world.publish("project/2", 2).await;
    world.publish("project/1", 1).await;
    assert_eq!(open.stream.next_event().await.json()["data"], 1);
}

#[tokio::test]
async fn a_stream_of_http2_is_changed_on_its_own_connection() {
    let world = World::start().await;
    let mut sender = http2::connect(&world).await;
    let stream = http2::request("GET", "/v1/stream?topics=project/1", "");
    let stream = sender.send_request(stream).await.expect("a head");
    let mut body = stream.into_body();
    let mut text = String::new();
    let mut until = async |wanted: &str, text: &mut String| {
        while !text.contains(wanted) {
            let frame = body.frame().await.expect("it goes on").expect("a frame");
            let data = frame.into_data().expect("data");
            text.push_str(str::from_utf8(&data).expect("text"));
        }
    };
    until("heartbeatMs", &mut text).await;
    let id = text.split("\"connectionId\":\"").nth(1).expect("an id");
    let id = id.split('"').next().expect("an id").to_owned();
    world.publish("project/1", 71).await;
    until("\"data\":71", &mut text).await;
    let path = format!("/v1/connections/{id}/subscription");
    let change = http2::request("PATCH", &path, r#"{"topics":["project/2"]}"#);
    let changed = sender.send_request(change).await.expect("an answer");
    assert_eq!(changed.status(), 200);
    world.publish("project/1", 72).await;
    world.publish("project/2", 73).await;
    until("\"data\":73", &mut text).await;
    assert!(!text.contains("\"data\":72"), "{text}");
}

#[tokio::test]
async fn a20_a_cookie_changes_a_stream_for_a_page_that_may() {
    let world = World::start().await;
    let open = open(&world, "/v1/stream?topics=project/1", Sink::Socket).await;
    let path = format!("/v1/connections/{}/subscription", open.id);
    let by_cookie = |content_type| {
        Request::new("PATCH", &path)
            .header("cookie", &format!("session={ANN}"))
            .body(content_type, r#"{"topics":["project/2"]}"#)
    };
    for foreign in [
        by_cookie("text/plain"),
        by_cookie("application/json").header("origin", "https://evil.example"),
        by_cookie("application/json").header("sec-fetch-site", "same-site"),
    ] {
        let answer = world.send(foreign).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "cross_site"));
    }
    for known in [
        by_cookie("application/json"),
        by_cookie("application/json").header("origin", LISTED_ORIGIN),
    ] {
        assert_eq!(world.send(known).await.status, 200);
    }
}

#[tokio::test]
async fn a_stream_token_changes_a_stream_and_a_ticket_does_not() {
    let world = World::start().await;
    let open = open(&world, "/v1/stream?topics=project/1", Sink::Socket).await;
    let body = r#"{"topics":["project/2"]}"#;
    let token = world.issue("token", ANN, "{}").await;
    let changed = world.send(change(&open.id, body).bearer(&token)).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert!(
        changed.json()["expiresAt"].is_u64(),
        "it ends with the token"
    );
    let ticket = world.issue("ticket", ANN, "{}").await;
    let refused = world.send(change(&open.id, body).bearer(&ticket)).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (401, "invalid_token")
    );
}
