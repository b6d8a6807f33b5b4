//! An administrator ends one connection.

use serde_json::json;
use tidings_core::limits::DISCONNECT_REASON_BYTES_MAX;

use crate::client::{Request, Stream};
use crate::sinks::{Sink, for_each_sink};
use crate::world::World;

const STREAM: &str = "/v1/stream?topics=project/1";

async fn open(world: &World, sink: Sink) -> (Stream, String) {
    let request = Request::get(STREAM).bearer("reader").through(sink);
    let mut stream = world.stream(request).await;
    let hello = stream.next().await.expect("a greeting").json();
    let id = hello["connectionId"].as_str().expect("an id").to_owned();
    (stream, id)
}

fn disconnect(id: &str, query: &str) -> Request {
    Request::new("DELETE", &format!("/v1/connections/{id}{query}")).bearer("admin")
}

for_each_sink!(a_reader_is_told_why_it_is_disconnected);

async fn a_reader_is_told_why_it_is_disconnected(sink: Sink) {
    let world = World::start().await;
    let longest = "x".repeat(DISCONNECT_REASON_BYTES_MAX);
    for (query, reason) in [
        ("?reason=see%20you%20at%20%C3%A9ight", "see you at éight"),
        ("", "an administrator ended the connection"),
        ("?reason=", "an administrator ended the connection"),
        (&format!("?reason={longest}"), &longest),
    ] {
        let (mut stream, id) = open(&world, sink).await;
        let (mut other, _) = open(&world, sink).await;
        assert_eq!(world.send(disconnect(&id, query)).await.status, 204);
        let bye = stream.next().await.expect("a farewell");
        assert_eq!(bye.kind, "tidings.bye");
        let bye = bye.json();
        assert_eq!(bye["code"], "disconnected");
        assert_eq!(bye["reason"], reason);
        assert_eq!(bye["retryAfterMs"], json!(null));
        assert_eq!(stream.next().await, None);
        world.publish("project/1", 1).await;
        assert_eq!(other.next_event().await.json()["data"], 1, "it alone");
        drop(other);
        world.until_connections(0).await;
        let again = world.send(disconnect(&id, query)).await;
        assert_eq!((again.status, again.code().as_str()), (404, "not_found"));
    }
}

#[tokio::test]
async fn who_may_not_or_says_it_wrongly_disconnects_nobody() {
    let world = World::start().await;
    let (mut stream, id) = open(&world, Sink::Socket).await;
    let path = format!("/v1/connections/{id}");
    for (request, status, code) in [
        (
            Request::new("DELETE", &path),
            401,
            "authentication_required",
        ),
        (
            Request::new("DELETE", &path).bearer("reader"),
            403,
            "not_granted",
        ),
        (
            Request::new("DELETE", &path).header("cookie", "session=admin"),
            403,
            "cross_site",
        ),
        (disconnect(&id, "?reason=a%0Ab"), 400, "invalid_query"),
        (
            disconnect(
                &id,
                &format!("?reason={}", "x".repeat(DISCONNECT_REASON_BYTES_MAX + 1)),
            ),
            400,
            "invalid_query",
        ),
        (disconnect(&id, "?reason=a&reason=b"), 400, "invalid_query"),
        (disconnect(&id, "?why=a"), 400, "invalid_query"),
        (disconnect("none", ""), 404, "not_found"),
        (disconnect("%ff", ""), 404, "not_found"),
        (disconnect(&format!("{id}x"), ""), 404, "not_found"),
    ] {
        let answer = world.send(request).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{}",
            answer.text()
        );
    }
    world.publish("project/1", 2).await;
    assert_eq!(stream.next_event().await.json()["data"], 2);
}
