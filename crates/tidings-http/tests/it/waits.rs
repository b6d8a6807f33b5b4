//! Waiting for readers: `wait` of an event, and of a topic.

use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::client::{Answer, PATIENCE, Request, Stream};
use crate::world::{Wish, World};

const WAITING: &str = r#""wait":{"subscribers":1,"timeout":"30s"}"#;

fn publish(body: &str) -> Request {
    Request::post("/v1/events").bearer("writer").json(body)
}

fn lines(body: &str) -> Request {
    let request = Request::post("/v1/events").bearer("writer");
    request.body("application/x-ndjson", body)
}

fn event(topic: &str, data: u64, more: &str) -> String {
    let more = if more.is_empty() {
        String::new()
    } else {
        format!(",{more}")
    };
    format!(r#"{{"type":"t","topics":["{topic}"],"data":{data}{more}}}"#)
}

/// Sends a request that the hub does not answer at once.
async fn held(world: &World, request: Request) -> JoinHandle<Answer> {
    let address = world.address;
    let answer = tokio::spawn(request.send(address));
    until_waits(world, 1).await;
    answer
}

/// Waits until so many events and topics are waited for.
async fn until_waits(world: &World, count: usize) {
    let reached = async {
        while world.hub.waits() != count {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, reached).await.expect("in time");
}

async fn answer(held: JoinHandle<Answer>) -> Answer {
    let answer = timeout(PATIENCE, held).await.expect("in time");
    answer.expect("no panic")
}

async fn read(world: &World, query: &str) -> Stream {
    let request = Request::get(&format!("/v1/stream?{query}"));
    world.stream(request.bearer("reader")).await
}

async fn data(stream: &mut Stream) -> u64 {
    let event = stream.next_event().await.json();
    event["data"].as_u64().expect("a number")
}

#[tokio::test]
async fn a_job_that_begins_before_its_reader_is_there_loses_nothing() {
    let world = World::start().await;
    let started = world.send(publish(&event("project/42", 1, ""))).await;
    assert_eq!(started.json()["subscribers"], 0, "nobody reads it yet");
    for step in 2..=5 {
        world.publish("project/42", step).await;
    }
    let cursor = started.json()["cursor"]
        .as_str()
        .expect("a cursor")
        .to_owned();
    let mut after = read(&world, &format!("topics=project/42&since={cursor}")).await;
    let mut recent = read(&world, "topics=project/42&since=10m").await;
    world.publish("project/42", 6).await;
    for step in 1..=6 {
        assert_eq!(data(&mut recent).await, step);
        if step > 1 {
            assert_eq!(data(&mut after).await, step, "after the first");
        }
    }
    // The profile of such clients reads the same.
    let profile = Request::get("/api/projects/42/stream?since=10m").bearer("reader");
    let mut profile = world.stream(profile).await;
    let greeting = profile.next_event().await;
    assert_eq!(greeting.kind, "connected");
    for step in 1..=6_u64 {
        assert_eq!(profile.next_event().await.data, step.to_string());
    }
}

#[tokio::test]
async fn a_job_that_waits_begins_when_its_reader_is_there() {
    let world = World::start().await;
    let started = held(&world, publish(&event("project/42", 1, WAITING))).await;
    assert_eq!(world.figure("tidings_hub_events_published_total").await, 0);
    let mut reader = read(&world, "topics=project/42").await;
    let started = answer(started).await;
    assert_eq!(started.status, 200, "{}", started.text());
    assert_eq!(started.json()["subscribers"], 1);
    assert_eq!(data(&mut reader).await, 1);
}

#[tokio::test]
async fn a_group_waits_as_a_whole_and_nobody_comes() {
    let world = World::start().await;
    let short = r#""wait":{"timeout":"1ms"}"#;
    let group = format!(
        "[{},{}]",
        event("project/1", 1, ""),
        event("project/2", 2, short)
    );
    let published = world.send(publish(&group)).await;
    let published: Vec<Value> = serde_json::from_slice(&published.body).expect("an array");
    let subscribers: Vec<&Value> = published.iter().map(|one| &one["subscribers"]).collect();
    assert_eq!(subscribers, [0, 0]);
}

#[tokio::test]
async fn a_line_that_waits_holds_those_behind_it_and_not_those_before() {
    let world = World::start().await;
    let body = [
        event("project/1", 1, ""),
        event("project/1", 2, ""),
        event("project/2", 3, WAITING),
        event("project/1", 4, ""),
        event("project/2", 5, WAITING),
    ];
    let mut before = read(&world, "topics=project/1").await;
    let mut answers = world.stream(lines(&body.join("\n"))).await;
    for number in 1..=2 {
        assert_eq!(answers.next_line().await.expect("a line")["line"], number);
        assert_eq!(data(&mut before).await, number);
    }
    until_waits(&world, 1).await;
    assert_eq!(world.figure("tidings_hub_events_published_total").await, 2);
    let mut reader = read(&world, "topics=project/*").await;
    for number in 3..=5 {
        let line = answers.next_line().await.expect("a line");
        assert_eq!(line["line"], number);
        assert!(line["subscribers"].as_u64() >= Some(1), "{line}");
        assert_eq!(data(&mut reader).await, number, "in order");
    }
    assert_eq!(answers.next_line().await, None);
    assert_eq!(data(&mut before).await, 4);
}

#[tokio::test]
async fn lines_that_wait_for_nobody_are_all_published() {
    let world = World::start().await;
    let short = r#""wait":{"timeout":"1ms"}"#;
    let body: Vec<String> = (1..=5).map(|n| event("project/1", n, short)).collect();
    let answer = world.send(lines(&body.join("\n"))).await;
    let text = answer.text();
    let answers = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    let answers: Vec<Value> = answers.collect();
    assert_eq!(answers.len(), 5, "{text}");
    assert!(
        answers.iter().all(|line| line["subscribers"] == 0),
        "{text}"
    );
}

#[tokio::test]
async fn a_publisher_that_goes_away_publishes_nothing() {
    let world = World::start().await;
    let request = publish(&event("project/1", 1, WAITING));
    let line = lines(&event("project/1", 2, WAITING));
    for request in [request, line] {
        let mut socket = TcpStream::connect(world.address).await.expect("connects");
        let bytes = request.to_bytes();
        socket.write_all(&bytes).await.expect("sent");
        until_waits(&world, 1).await;
        drop(socket);
        until_waits(&world, 0).await;
    }
    let mut reader = read(&world, "topics=project/1&since=earliest").await;
    world.publish("project/1", 3).await;
    assert_eq!(data(&mut reader).await, 3);
}

#[tokio::test]
async fn a_publisher_that_is_revoked_meanwhile_publishes_nothing() {
    let world = World::start().await;
    let request = publish(&event("project/1", 1, WAITING));
    let line = lines(&event("project/1", 2, WAITING));
    let waiting = [held(&world, request).await, {
        let line = tokio::spawn(line.send(world.address));
        until_waits(&world, 2).await;
        line
    }];
    world.revoke(r#"{"revoke":"subject:w1"}"#).await;
    let _reader = read(&world, "topics=project/1").await;
    let [single, line] = waiting;
    let single = answer(single).await;
    assert_eq!(
        (single.status, single.code().as_str()),
        (401, "invalid_token")
    );
    let line = answer(line).await;
    assert_eq!(line.status, 401, "{}", line.text());
    assert!(
        line.text().contains(r#""accepted":0,"line":1"#),
        "{}",
        line.text()
    );
    assert_eq!(world.figure("tidings_hub_events_published_total").await, 0);
}

#[tokio::test]
async fn a_shutdown_publishes_what_waits() {
    let mut world = World::start().await;
    let waiting = held(&world, publish(&event("project/1", 1, WAITING))).await;
    world.ask_to_end();
    let published = answer(waiting).await;
    assert_eq!(published.status, 200, "{}", published.text());
    assert_eq!(published.json()["subscribers"], 0);
    world.ended().await;
}

#[tokio::test]
async fn a_topic_is_told_as_soon_as_it_is_read() {
    let world = World::start().await;
    let ask = |query: &str| {
        let target = format!("/v1/topics/project%2F1{query}");
        Request::get(&target).bearer("reader")
    };
    let waiting = held(&world, ask("?wait=30s&subscribers=2")).await;
    let _readers = [
        read(&world, "topics=project/1").await,
        read(&world, "topics=project/*&events=none.of.them").await,
    ];
    let facts = answer(waiting).await.json();
    assert_eq!(facts["subscribers"], 2);
    // There already, and not there in time.
    assert_eq!(world.send(ask("?wait=30s")).await.json()["subscribers"], 2);
    let late = world.send(ask("?wait=1ms&subscribers=3")).await;
    assert_eq!(late.json()["subscribers"], 2);
    for bad in [
        "?subscribers=1",
        "?wait=1s&subscribers=0",
        "?wait=1s&subscribers=1001",
        "?wait=30001ms",
        "?wait=soon",
        "?wait=1s&wait=1s",
        "?waits=1s",
    ] {
        let refused = world.send(ask(bad)).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (400, "invalid_query"),
            "{bad}"
        );
    }
    let stranger = Request::get("/v1/topics/other?wait=30s").bearer("reader");
    assert_eq!(world.send(stranger).await.status, 403, "without a wait");
}

#[tokio::test]
async fn so_many_may_wait_and_the_next_is_told() {
    let world = World::start_with(Wish::default()).await;
    let count = tidings_core::limits::AWAITED_MAX;
    let group = |from: usize, to: usize| {
        let events: Vec<String> = (from..to)
            .map(|number| event(&format!("project/{number}"), 1, WAITING))
            .collect();
        publish(&format!("[{}]", events.join(",")))
    };
    let half = count / 2;
    let waiting = [
        tokio::spawn(group(0, half).send(world.address)),
        tokio::spawn(group(half, count).send(world.address)),
    ];
    until_waits(&world, count).await;
    let refused = world.send(publish(&event("project/x", 1, WAITING))).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (503, "at_capacity")
    );
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert!(
        refused.text().contains("leave `wait` out"),
        "{}",
        refused.text()
    );
    let line = world.send(lines(&event("project/x", 1, WAITING))).await;
    assert!(line.text().contains("at_capacity"), "{}", line.text());
    assert_eq!(
        world.send(publish(&event("project/x", 1, ""))).await.status,
        200
    );
    for waiting in waiting {
        waiting.abort();
    }
    until_waits(&world, 0).await;
}
