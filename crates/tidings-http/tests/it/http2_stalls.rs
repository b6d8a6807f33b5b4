//! N4: what streams of HTTP/2 hold whose client gives them room without end and takes nothing: the
//! send buffer of each, and little more.

use tidings_core::limits::SEND_BYTES_MAX;
use tidings_http::limits::H2_SEND_BUFFER_BYTES_MAX;
use tokio::net::TcpSocket;

use crate::client::Request;
use crate::frame::{self, Peer, SETTINGS, WINDOW_UPDATE, frame};
use crate::world::{Wish, World};

/// Streams of the one connection: what the kernel holds for it is little for each of them.
const STREAMS: u32 = 20;

/// What the client lets the kernel take for it.
const ROOM_BYTES: u32 = 16 * 1024;

/// The largest window there is (RFC 9113, section 6.9.1).
const WINDOW_BYTES_MAX: u32 = (1 << 31) - 1;

/// Each event is a delivery of its own, as far as the hub is not held up.
const EVENT_BYTES: usize = 4_000;

/// Ten times as much as a stream may hold.
const EVENTS: usize = 10 * H2_SEND_BUFFER_BYTES_MAX / EVENT_BYTES;

#[tokio::test]
async fn n4_streams_that_stall_hold_their_send_buffers_and_no_more() {
    let world = World::start_with(Wish {
        slow_reader_ms: 2_000,
        ..Wish::default()
    })
    .await;
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(ROOM_BYTES).expect("a setting");
    let socket = socket.connect(world.address).await.expect("connects");
    // SETTINGS_INITIAL_WINDOW_SIZE, and the same for the connection, which begins with 65,535.
    let settings = [&[0, 4][..], &WINDOW_BYTES_MAX.to_be_bytes()].concat();
    let mut peer = Peer::begin(socket, &settings).await;
    let more = WINDOW_BYTES_MAX - 65_535;
    peer.send(&frame(WINDOW_UPDATE, 0, 0, &more.to_be_bytes()))
        .await;
    peer.next_of(SETTINGS).await;
    for number in 0..STREAMS {
        let headers = [("authorization", "Bearer writer")];
        let target = "/v1/stream?topics=project/1";
        peer.send(&frame::get(2 * number + 1, target, &headers))
            .await;
    }
    world.until_opened(u64::from(STREAMS)).await;

    let data = "x".repeat(EVENT_BYTES);
    let event = format!(r#"{{"type":"t","topics":["project/1"],"data":"{data}"}}"#);
    for _ in 0..EVENTS {
        let publish = Request::post("/v1/events").bearer("writer").json(&event);
        assert_eq!(world.send(publish).await.status, 200);
    }
    // Once they are given up for slow, they have taken all that they ever could.
    world.until_connections(0).await;
    let figures = world.hub.figures();
    let all = u64::from(STREAMS) * EVENTS as u64;
    assert!(figures.events_delivered < all / 2, "they did not stall");
    let held = figures.bytes_delivered as usize / STREAMS as usize;
    // Beyond the buffer: what it was filled up with, what waits for it, and what lies in the mailbox.
    let most = H2_SEND_BUFFER_BYTES_MAX + SEND_BYTES_MAX;
    assert!((H2_SEND_BUFFER_BYTES_MAX..most).contains(&held), "{held}");
    assert_eq!(world.send(Request::get("/healthz")).await.status, 200);
}
