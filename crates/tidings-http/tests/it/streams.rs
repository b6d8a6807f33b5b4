//! `GET /v1/stream`: the head, what arrives, and resuming.

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::client::{Request, Stream};
use crate::sinks::{Sink, for_each_sink};
use crate::world::{Wish, World};

for_each_sink!(
    the_head_is_what_browsers_and_proxies_need,
    what_is_published_after_the_head_arrives,
    a_reader_resumes_after_its_last_event,
    only_the_wanted_types_arrive,
    a_narrowed_subscription_is_shown,
    the_own_audience_is_read_unless_it_is_left_out,
    a_heartbeat_is_a_sign_of_life_with_a_cursor,
    http_1_0_is_served_until_the_hub_closes,
    a_stream_comes_after_other_requests_of_the_same_connection,
);

fn asking(target: &str, sink: Sink) -> Request {
    Request::get(target).bearer("reader").through(sink)
}

fn reader(sink: Sink) -> Request {
    asking("/v1/stream?topics=project/*", sink)
}

async fn the_head_is_what_browsers_and_proxies_need(sink: Sink) {
    let world = World::start().await;
    let stream = world.stream(reader(sink)).await;
    let head = &stream.head;
    assert_eq!(head.status, 200);
    assert_eq!(
        head.header("content-type"),
        Some("text/event-stream; charset=utf-8")
    );
    assert_eq!(
        head.header("cache-control"),
        Some("no-cache, no-store, no-transform")
    );
    assert_eq!(head.header("x-accel-buffering"), Some("no"));
    assert_eq!(head.header("connection"), Some("keep-alive"));
    assert_eq!(
        head.all("vary"),
        "authorization, cookie, accept-encoding, origin"
    );
    assert_eq!(head.header("transfer-encoding"), Some("chunked"));
}

async fn what_is_published_after_the_head_arrives(sink: Sink) {
    let world = World::start().await;
    let mut stream = world.stream(reader(sink)).await;
    let cursor = world.publish("project/1", 1).await;
    let hello = stream.next().await.expect("a block");
    assert_eq!(hello.kind, "tidings.hello");
    assert_eq!(hello.json()["heartbeatMs"], 15_000);
    let event = stream.next_event().await;
    assert_eq!(
        (event.kind.as_str(), event.id.as_deref()),
        ("t", Some(cursor.as_str()))
    );
    assert_eq!(event.json()["data"], 1);
}

async fn a_reader_resumes_after_its_last_event(sink: Sink) {
    let world = World::start().await;
    let first = world.publish("project/1", 1).await;
    world.publish("project/1", 2).await;
    for request in [
        reader(sink).header("last-event-id", &first),
        asking(
            &format!("/v1/stream?topics=project/1&last_event_id={first}"),
            sink,
        ),
        asking(&format!("/v1/stream?topics=project/1&since={first}"), sink),
        asking("/v1/stream?topics=project/1&since=now", sink).header("last-event-id", &first),
    ] {
        let mut stream = world.stream(request).await;
        assert_eq!(stream.next_event().await.json()["data"], 2);
    }
}

async fn only_the_wanted_types_arrive(sink: Sink) {
    let world = World::start().await;
    let target = "/v1/stream?topics=project/1&events=chapter.*";
    let mut stream = world.stream(asking(target, sink)).await;
    world.publish("project/1", 1).await;
    let wanted = r#"{"type":"chapter.created","topics":["project/1"]}"#;
    world
        .send(Request::post("/v1/events").bearer("writer").json(wanted))
        .await;
    assert_eq!(stream.next_event().await.kind, "chapter.created");
}

async fn a_narrowed_subscription_is_shown(sink: Sink) {
    let world = World::start().await;
    let target = "/v1/stream?topics=project/**";
    let mut stream = world.stream(asking(target, sink)).await;
    let hello = stream.next().await.expect("a block").json();
    assert_eq!(hello["topics"], serde_json::json!(["project/*"]));
}

async fn the_own_audience_is_read_unless_it_is_left_out(sink: Sink) {
    let world = World::start().await;
    let mut own = world.stream(asking("/v1/stream", sink)).await;
    let to_me = r#"{"type":"t","users":["r1"],"data":1}"#;
    world
        .send(Request::post("/v1/events").bearer("writer").json(to_me))
        .await;
    assert_eq!(own.next_event().await.json()["data"], 1);
    let nothing = world.send(asking("/v1/stream?audience=none", sink)).await;
    assert_eq!(
        (nothing.status, nothing.code().as_str()),
        (400, "invalid_query")
    );
}

async fn a_heartbeat_is_a_sign_of_life_with_a_cursor(sink: Sink) {
    let world = World::start_with(Wish {
        heartbeat_ms: 50,
        ..Wish::default()
    })
    .await;
    let mut stream = world.stream(reader(sink)).await;
    assert_eq!(stream.next().await.expect("hello").kind, "tidings.hello");
    let ping = stream.next().await.expect("a block");
    assert_eq!(ping.kind, "tidings.ping");
    assert!(ping.id.is_some());
}

async fn http_1_0_is_served_until_the_hub_closes(sink: Sink) {
    let mut world = World::start().await;
    let mut stream = world.stream(reader(sink).http_10()).await;
    assert_eq!(stream.head.status, 200);
    assert_eq!(stream.head.header("transfer-encoding"), None);
    assert_ne!(stream.head.header("connection"), Some("keep-alive"));
    world.publish("project/1", 1).await;
    assert_eq!(stream.next_event().await.json()["data"], 1);
    world.ask_to_end();
    let mut last = None;
    while let Some(block) = stream.next().await {
        last = Some(block.kind);
    }
    assert_eq!(last.as_deref(), Some("tidings.bye"));
    world.ended().await;
}

async fn a_stream_comes_after_other_requests_of_the_same_connection(sink: Sink) {
    let world = World::start().await;
    let mut socket = TcpStream::connect(world.address).await.expect("connects");
    socket
        .write_all(&Request::get("/healthz").to_bytes())
        .await
        .expect("sent");
    let mut healthz = Stream::read_head(socket).await;
    healthz.until(b"{\"status\":\"alive\"}").await;
    let mut socket = healthz.into_socket();
    socket
        .write_all(&reader(sink).to_bytes())
        .await
        .expect("sent");
    let mut stream = Stream::read_head(socket).await;
    world.publish("project/1", 1).await;
    assert_eq!(stream.next_event().await.json()["data"], 1);
}
