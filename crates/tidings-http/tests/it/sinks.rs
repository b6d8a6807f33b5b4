//! Both ways that a stream takes to its reader: one text of a test, run for each.

use crate::client::Request;
use crate::world::World;

/// What a stream's deliveries are handed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sink {
    /// The shard writes to the socket itself.
    Socket,
    /// A response body of hyper's takes them.
    Mailbox,
}

impl Request {
    /// The same request so that its stream goes through this sink. A socket is not taken from a
    /// request with a body, of which one byte is enough.
    pub(crate) fn through(self, sink: Sink) -> Self {
        match sink {
            Sink::Socket => self,
            Sink::Mailbox => self.body("text/plain", "-"),
        }
    }
}

/// Makes two tests of each function that takes a sink.
macro_rules! for_each_sink {
    ($($test:ident),+ $(,)?) => {
        mod through_a_socket {
            $(#[tokio::test]
            async fn $test() {
                super::$test(crate::sinks::Sink::Socket).await;
            })+
        }

        mod through_a_mailbox {
            $(#[tokio::test]
            async fn $test() {
                super::$test(crate::sinks::Sink::Mailbox).await;
            })+
        }
    };
}
pub(crate) use for_each_sink;

for_each_sink!(a_stream_goes_through_the_sink_that_is_meant);

async fn a_stream_goes_through_the_sink_that_is_meant(sink: Sink) {
    let world = World::start().await;
    let mut streams = Vec::new();
    for request in [
        Request::get("/v1/stream"),
        Request::get("/v1/stream").http_10(),
    ] {
        let request = request.bearer("reader").through(sink);
        let mut stream = world.stream(request).await;
        assert_eq!(stream.next().await.expect("a block").kind, "tidings.hello");
        streams.push(stream);
    }
    let sockets = match sink {
        Sink::Socket => 2,
        Sink::Mailbox => 0,
    };
    assert_eq!(world.figure("tidings_hub_connections").await, 2);
    assert_eq!(world.figure("tidings_hub_sockets").await, sockets);
    drop(streams);
    world.until_connections(0).await;
    assert_eq!(world.figure("tidings_hub_sockets").await, 0);
}
