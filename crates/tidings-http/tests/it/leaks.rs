//! A12: what clients send in confidence is in no log line.

use std::io::Write;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;

use crate::client::Request;
use crate::sinks::Sink;
use crate::world::World;

/// Keeps everything that is logged.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a12_no_credential_query_value_or_payload_is_logged() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    // For the whole binary: the threads of the hub and the other tests leak nothing either.
    tracing::subscriber::set_global_default(subscriber).expect("the only one");
    let world = World::start().await;
    let event = r#"{"type":"t","topics":["project/1"],"data":"canary-data"}"#;
    for request in [
        Request::get("/v1/events?topics=canary-topic").bearer("canary-token"),
        Request::get("/v1/stream?token=canary-query").bearer("writer"),
        Request::get("/v1/events?topics=project/1&events=canary-type").bearer("writer"),
        Request::get("/v1/stream?canary-name=1").header("cookie", "canary-cookie"),
        Request::post("/v1/events").bearer("writer").json(event),
        Request::post("/v1/events")
            .bearer("writer")
            .json("canary-json"),
        Request::get("/v1/events")
            .bearer("expired")
            .header("last-event-id", "canary-id"),
    ] {
        world.send(request).await;
    }
    for sink in [Sink::Socket, Sink::Mailbox] {
        let stream = Request::get("/v1/stream?topics=project/1&meta_tab=canary-meta");
        drop(world.stream(stream.bearer("reader").through(sink)).await);
        world.until_connections(0).await;
    }
    let logged = String::from_utf8(log.0.lock().expect("the log").clone()).expect("text");
    for expected in [
        "request answered",
        "credential refused",
        "connection opened",
        "connection closed",
    ] {
        assert!(logged.contains(expected), "{expected}\n{logged}");
    }
    assert!(!logged.contains("canary"), "{logged}");
}
