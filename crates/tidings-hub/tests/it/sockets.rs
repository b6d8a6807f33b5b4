//! Streams whose sockets belong to their shards: real sockets, real polls.

use std::time::Duration;

use bytes::Bytes;
use socket2::{Domain, Socket, Type};
use tidings_core::start::Start;
use tidings_hub::{Framing, Options};
use tidings_log::memory::MemoryOptions;
use tidings_testkit::draft::{data_of_bytes, draft};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::fixture::{Fixture, number_event, one_shard, request, soon};

const HEAD: &str = "HTTP/1.1 200 OK\r\n\r\n";
const PATIENCE: Duration = Duration::from_secs(10);

/// More than a socket takes whose peer does not read.
const EVENT_BYTES: usize = 200_000;

fn fixture() -> Fixture {
    let options = Options {
        slow_reader_ms: PATIENCE.as_millis() as u64,
        ..one_shard()
    };
    Fixture::with(&options, MemoryOptions::default())
}

impl Fixture {
    /// Opens a stream and hands its socket over; returns the client's end, which has little room.
    async fn attached(&self, key: &str) -> TcpStream {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        tidings_hub::prepare_socket(&listener).expect("a listener");
        let address = listener.local_addr().expect("an address");
        let client = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        client.set_recv_buffer_size(4_096).expect("a size");
        client.connect(&address.into()).expect("a connection");
        client.set_nonblocking(true).expect("a socket");
        let (stream, _) = soon(listener.accept()).await.expect("a connection");
        let opened = self
            .hub
            .open_socket(request(&[key], Start::Now), Framing::Chunked);
        let stream = stream.into_std().expect("a socket");
        let unattached = soon(opened).await.expect("opened");
        let (sender, registered) = oneshot::channel();
        unattached.attach(stream, Bytes::from_static(HEAD.as_bytes()), |connection| {
            sender.send(connection).expect("the test waits");
        });
        soon(registered).await.expect("it is registered");
        TcpStream::from_std(client.into()).expect("a socket")
    }

    /// Nobody is connected any more, and no socket is held.
    async fn is_empty(&self) -> bool {
        self.turn_shards().await;
        let figures = self.hub.figures();
        (figures.connections, figures.sockets) == (0, 0)
    }
}

async fn expect(client: &mut TcpStream, text: &str) {
    let mut came = vec![0; text.len()];
    soon(client.read_exact(&mut came)).await.expect("it comes");
    assert_eq!(String::from_utf8_lossy(&came), text);
}

#[tokio::test]
async fn a_shard_writes_to_its_sockets_and_notices_who_leaves() {
    let fixture = fixture();
    let mut client = fixture.attached("a").await;
    expect(&mut client, HEAD).await;
    expect(&mut client, "b\r\nhello none\n\r\n").await;
    fixture.publish(number_event("a", 7)).await;
    expect(&mut client, "2\r\n7\n\r\n").await;
    assert_eq!(fixture.hub.figures().sockets, 1);
    drop(client);
    soon(async { while !fixture.is_empty().await {} }).await;
}

#[tokio::test]
async fn a_full_socket_takes_the_rest_and_then_the_last_word() {
    let fixture = fixture();
    let mut client = fixture.attached("a").await;
    fixture
        .publish(draft("a").data(data_of_bytes(EVENT_BYTES)))
        .await;
    fixture.publish(number_event("a", 7)).await;
    // What comes before the drain is written before it, as far as there is room.
    fixture.turn_shards().await;
    fixture
        .hub
        .drain(Duration::ZERO, Duration::ZERO, Duration::ZERO)
        .await;
    fixture.turn_shards().await;
    assert_eq!(
        fixture.hub.figures().connections,
        1,
        "it has no room to hear it"
    );
    let mut all = String::new();
    soon(client.read_to_string(&mut all)).await.expect("text");
    assert!(all.len() > EVENT_BYTES);
    assert!(
        all.ends_with("\r\na\r\nbye drain\n\r\n0\r\n\r\n"),
        "the end is told"
    );
    soon(async { while !fixture.is_empty().await {} }).await;
}

#[tokio::test]
async fn n4_a_full_socket_whose_reader_was_told_to_go_is_not_held_for_ever() {
    let fixture = fixture();
    let mut client = fixture.attached("a").await;
    expect(&mut client, HEAD).await;
    fixture
        .publish(draft("a").data(data_of_bytes(EVENT_BYTES)))
        .await;
    fixture.turn_shards().await;
    fixture
        .hub
        .drain(Duration::ZERO, Duration::ZERO, Duration::ZERO)
        .await;
    fixture.turn_shards().await;
    assert_eq!(
        fixture.hub.figures().connections,
        1,
        "it has no room to hear it"
    );
    fixture.clock.advance(PATIENCE);
    assert!(fixture.is_empty().await, "it had its time");
    expect(&mut client, "b\r\nhello none\n\r\n").await;
}
