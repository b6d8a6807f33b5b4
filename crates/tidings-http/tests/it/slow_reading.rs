//! N4: readers with little room who read slowly get every byte, whatever the stream is packed in and
//! however its body is framed, since the hub is always amid some write to them.

use std::io::Read as _;

use socket2::SockRef;
use tidings_wire::sse::{Item, Parser};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use tokio::time::timeout;

use crate::client::{Answer, PATIENCE, Request};
use crate::sinks::{Sink, for_each_sink};
use crate::world::{Wish, World};

for_each_sink!(
    n4_a_slow_reader_gets_every_byte_as_text,
    n4_a_slow_reader_gets_every_byte_in_gzip,
    n4_a_slow_reader_gets_every_byte_in_zstd,
);

/// Far below one event.
const ROOM_BYTES: u32 = 16 * 1024;

/// Bytes of a segment, as on a real network: the loopback's own are larger than the room, and the
/// kernel would pause before each.
const SEGMENT_BYTES: u32 = 1_400;

/// Bytes of one read: no part of a chunk or of a packed block.
const READ_BYTES: usize = 3_001;

/// Sizes of events: many small ones, which share writes, among those that take many writes each.
fn sizes() -> impl Iterator<Item = usize> {
    (0..1_200).map(|number| match number % 150 {
        0 => 250_000,
        1 => 17_000,
        _ => 10 + number,
    })
}

/// Text that no coding makes much smaller, different for each event.
fn text(number: usize, bytes: usize) -> String {
    let mut state = number as u64 + 1;
    let letters = std::iter::repeat_with(|| {
        // A linear congruential generator, of whose bits the upper ones are used.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        char::from(
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
                [(state >> 58) as usize],
        )
    });
    letters.take(bytes).collect()
}

/// Publishes all events, live and before: as lines of bodies.
async fn publish(world: &World, from: usize, to: usize) {
    let lines: Vec<String> = sizes()
        .enumerate()
        .take(to)
        .skip(from)
        .map(|(number, bytes)| {
            let text = text(number, bytes);
            format!(r#"{{"type":"t","topics":["project/1"],"data":"{text}"}}"#)
        })
        .collect();
    let publish = Request::post("/v1/events").bearer("writer");
    let body = lines.join("\n");
    let answer = world
        .send(publish.body("application/x-ndjson", &body))
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text().lines().count(), to - from);
}

/// Reads a whole stream slowly: published half before it opens, half after; then the server ends.
async fn read_slowly(request: Request) -> Answer {
    let mut world = World::start_with(Wish {
        stands_still: true,
        ..Wish::default()
    })
    .await;
    let (half, all) = (sizes().count() / 2, sizes().count());
    publish(&world, 0, half).await;
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(ROOM_BYTES).expect("a setting");
    let segments = SockRef::from(&socket).set_tcp_mss(SEGMENT_BYTES);
    segments.expect("a setting");
    let mut socket = socket.connect(world.address).await.expect("connects");
    socket.write_all(&request.to_bytes()).await.expect("sent");
    world.until_opened(1).await;
    publish(&world, half, all).await;
    let reading = async {
        let mut bytes = Vec::new();
        let mut piece = [0; READ_BYTES];
        loop {
            let read = timeout(PATIENCE, socket.read(&mut piece)).await;
            match read.expect("in time").expect("closed in order") {
                0 => return bytes,
                read => bytes.extend_from_slice(&piece[..read]),
            }
        }
    };
    let ending = async {
        while world.hub.figures().events_delivered < all as u64 {
            tokio::task::yield_now().await;
        }
        world.ask_to_end();
    };
    let (bytes, ()) = tokio::join!(reading, ending);
    world.ended().await;
    Answer::parse(&bytes).expect("an answer")
}

/// Checks that a text tells all events in order, and ends with a farewell.
fn assert_all(told: &[u8]) {
    let mut parser = Parser::default();
    let mut blocks = Vec::new();
    let fed = parser.feed(told, |item| {
        if let Item::Message(message) = item {
            blocks.push((message.event_type.into_owned(), message.data.into_owned()));
        }
    });
    fed.expect("blocks of a sane size");
    assert_eq!(blocks.first().expect("hello").0, "tidings.hello");
    assert_eq!(blocks.last().expect("bye").0, "tidings.bye");
    let events: Vec<_> = blocks.iter().filter(|(kind, _)| kind == "t").collect();
    assert_eq!(events.len(), sizes().count());
    for (number, ((_, data), bytes)) in events.into_iter().zip(sizes()).enumerate() {
        let data: serde_json::Value = serde_json::from_str(data).expect("JSON");
        assert!(data["data"] == text(number, bytes), "event {number}");
    }
}

async fn each_framing(sink: Sink, coding: &str, unpack: impl Fn(&[u8]) -> Vec<u8>) {
    let target = "/v1/stream?topics=project/1&since=earliest";
    let request = Request::get(target).bearer("reader").through(sink);
    let request = request.header("accept-encoding", coding);
    for (request, is_chunked) in [(request.clone(), true), (request.http_10(), false)] {
        let answer = read_slowly(request).await;
        assert_eq!(answer.status, 200);
        let framing = answer.header("transfer-encoding");
        assert_eq!(framing, is_chunked.then_some("chunked"));
        let packed = answer.header("content-encoding").unwrap_or("identity");
        assert_eq!(packed, coding);
        assert_all(&unpack(&answer.body));
    }
}

async fn n4_a_slow_reader_gets_every_byte_as_text(sink: Sink) {
    each_framing(sink, "identity", <[u8]>::to_vec).await;
}

async fn n4_a_slow_reader_gets_every_byte_in_gzip(sink: Sink) {
    let unpack = |packed: &[u8]| {
        let mut text = Vec::new();
        // One member with the right check sum, or this fails.
        let read = flate2::read::GzDecoder::new(packed).read_to_end(&mut text);
        read.expect("one whole member");
        text
    };
    each_framing(sink, "gzip", unpack).await;
}

async fn n4_a_slow_reader_gets_every_byte_in_zstd(sink: Sink) {
    let unpack = |packed: &[u8]| zstd::decode_all(packed).expect("whole frames");
    each_framing(sink, "zstd", unpack).await;
}
