//! `GET /metrics`: what is counted when readers come, resume, lag and go.

use crate::client::Request;
use crate::world::World;

fn stream(query: &str) -> Request {
    Request::get(&format!("/v1/stream?topics=project/1{query}")).bearer("reader")
}

/// How many opens, by transport and result.
async fn resumed(world: &World, transport: &str, resume: &str) -> u64 {
    let labels = format!("transport=\"{transport}\",resume=\"{resume}\"");
    let name = format!("tidings_hub_connections_resumed_total{{{labels}}}");
    world.labelled(&name).await
}

async fn ended(world: &World, cause: &str) -> u64 {
    let name = format!("tidings_hub_connections_ended_total{{cause=\"{cause}\"}}");
    world.labelled(&name).await
}

#[tokio::test]
async fn readers_are_counted_by_how_they_came_and_why_they_left() {
    let world = World::start().await;
    world.publish("project/1", 1).await;
    let live = world.stream(stream("")).await;
    let complete = world.stream(stream("&since=earliest")).await;
    let mut lost = world.stream(stream("&lastEventId=9-zzzzzzzzzz")).await;
    let page = Request::get("/v1/events?topics=project/1&since=earliest");
    assert_eq!(world.send(page.bearer("reader")).await.status, 200);
    for (transport, resume, count) in [
        ("sse", "none", 1),
        ("sse", "complete", 1),
        ("sse", "gap", 1),
        ("poll", "complete", 1),
        ("poll", "none", 0),
    ] {
        let found = resumed(&world, transport, resume).await;
        assert_eq!(found, count, "{transport} {resume}");
    }
    let of = |state: &str| {
        format!("tidings_hub_connections_by_state{{transport=\"sse\",state=\"{state}\"}}")
    };
    assert_eq!(world.labelled(&of("connected")).await, 3);
    assert_eq!(world.labelled(&of("stale")).await, 0);
    let hello = lost.next().await.expect("a hello").json();
    let id = hello["connectionId"].as_str().expect("an id");
    let end = Request::new("DELETE", &format!("/v1/connections/{id}")).bearer("admin");
    assert_eq!(world.send(end).await.status, 204);
    drop((live, complete));
    world.until_connections(0).await;
    let causes = [
        ("left", 2),
        ("answered", 1),
        ("disconnected", 1),
        ("drain", 0),
    ];
    for (cause, count) in causes {
        assert_eq!(ended(&world, cause).await, count, "{cause}");
    }
    assert_eq!(world.figure("tidings_hub_connections_behind").await, 0);
    assert_eq!(world.figure("tidings_hub_lag_positions_max").await, 0);
    assert!(world.figure("tidings_hub_published_bytes_total").await > 0);
    assert_eq!(
        world.figure("tidings_hub_commit_seconds_count").await,
        0,
        "a log in memory"
    );
}

#[tokio::test]
async fn reads_of_the_log_are_counted_by_their_size() {
    let world = World::start().await;
    for number in 0..20 {
        world.publish("project/1", number).await;
    }
    let mut reader = world.stream(stream("&since=earliest")).await;
    for _ in 0..20 {
        reader.next_event().await;
    }
    let bucket = |bound: &str| format!("tidings_hub_replay_events_bucket{{le=\"{bound}\"}}");
    assert_eq!(world.labelled(&bucket("10.0")).await, 0);
    assert_eq!(world.labelled(&bucket("100.0")).await, 1);
    assert_eq!(world.labelled(&bucket("+Inf")).await, 1);
    let sum = world.figures().await;
    assert!(sum.contains("tidings_hub_replay_events_sum 20.0"), "{sum}");
}

#[tokio::test]
async fn every_refused_credential_is_counted_by_its_kind() {
    let world = World::start().await;
    for (token, cause) in [
        ("expired", "expired"),
        ("nobody-knows-this", "not_accepted"),
    ] {
        let request = Request::get("/v1/events?topics=project/1").bearer(token);
        assert_eq!(world.send(request).await.status, 401, "{token}");
        let name = format!("tidings_http_credentials_refused_total{{cause=\"{cause}\"}}");
        assert_eq!(world.labelled(&name).await, 1, "{cause}");
    }
    let without = Request::get("/v1/events?topics=project/1");
    assert_eq!(world.send(without).await.status, 401);
    let missing = "tidings_http_credentials_refused_total{cause=\"missing\"}";
    assert_eq!(world.labelled(missing).await, 1);
}
