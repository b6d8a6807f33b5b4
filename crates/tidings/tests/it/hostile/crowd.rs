//! M4: readers who do not read, heads that do not end and heads as large as they may be, all at once,
//! at a hub that may have little memory: it goes on serving those who behave.

use std::io::Write as _;
use std::net::TcpStream;

use tempfile::tempdir;

use super::reader::{Reader, USUAL, Wish};
use super::{CROWDED, data};
use crate::running::Hub;

/// KiB of data that the hub's process may have, its threads' stacks included.
const LIMIT_KIB: u64 = 256 * 1024;

const STALLED: usize = 200;
const SLOW_HEADS: usize = 300;
const LARGE_HEADS: usize = 300;
const EVENTS: usize = 200;

#[test]
fn m4_a_hub_with_little_memory_survives_a_crowd() {
    let directory = tempdir().expect("a directory");
    let settings = [
        CROWDED[0],
        CROWDED[1],
        ("TIDINGS_STREAMS_SLOW_READER", "3s"),
        ("TIDINGS_WINDOW_BYTES", "16MiB"),
    ];
    let limit = format!("-d {LIMIT_KIB}");
    let hub = Hub::start_limited(directory.path(), &settings, &limit);
    let mut healthy = Reader::ask(hub.address, "m4", "now", USUAL);
    healthy.until("tidings.hello");
    let healthy = std::thread::spawn(move || {
        healthy.until(&format!("\"data\":\"{}:", EVENTS - 1));
        healthy.numbers()
    });
    let connect = |beginning: &[u8]| {
        let mut socket = TcpStream::connect(hub.address).expect("the hub listens");
        socket.write_all(beginning).expect("sent");
        socket
    };
    let large = format!("GET / HTTP/1.1\r\nx: {}", "y".repeat(15_000));
    let stalled = Wish {
        room: Some(4_096),
        ..USUAL
    };
    let mut crowd = Vec::new();
    let mut readers = Vec::new();
    for number in 0..EVENTS {
        hub.publish("m4", [data(number, 200_000)]);
        let share = |all: usize| number * all / EVENTS..(number + 1) * all / EVENTS;
        for _ in share(STALLED) {
            readers.push(Reader::ask(hub.address, "m4", "earliest", stalled));
        }
        crowd.extend(share(SLOW_HEADS).map(|_| connect(b"GET / HTTP/1.1\r\nx")));
        crowd.extend(share(LARGE_HEADS).map(|_| connect(large.as_bytes())));
    }
    let numbers = healthy.join().expect("it reads");
    assert!(numbers.into_iter().eq(0..EVENTS), "every event, in order");
    hub.until_figure("tidings_hub_connections", 0);
    assert_eq!(hub.given_up(), STALLED as u64);
    let answer = hub.ask("GET /healthz", "");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(hub.resident_bytes() < LIMIT_KIB * 1024);
    assert_eq!(hub.logged("ERROR"), [""; 0]);
    drop((crowd, readers));
}
