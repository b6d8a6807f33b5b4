//! N4: readers that stop reading are given up after a while, cost next to nothing until then, do not
//! hold others up, and miss nothing when they come back.

use std::thread;

use tempfile::tempdir;

use super::reader::{Reader, USUAL, Wish};
use super::{CROWDED, data};
use crate::running::{Hub, until};

const STALLED: usize = 100;
const HEALTHY: usize = 10;
const EVENTS: usize = 200;

/// With what is told to all, many times more than may wait for the stalled ones: each of them is owed
/// 20 MB.
const EVENT_BYTES: usize = 100_000;

/// What the kernel may hold for one of them, with what one delivery had left.
const PINNED_BYTES_MAX: usize = 512 * 1024;

const GROWTH_BYTES_MAX: u64 = 100 * 1024 * 1024;

#[test]
fn n4_readers_that_stall_are_given_up_and_miss_nothing() {
    let directory = tempdir().expect("a directory");
    let settings = [
        CROWDED[0],
        CROWDED[1],
        ("TIDINGS_STREAMS_SLOW_READER", "3s"),
        ("TIDINGS_WINDOW_BYTES", "4MiB"),
    ];
    let hub = Hub::start(directory.path(), &settings);
    let sockets = hub.sockets();
    let mut stalled: Vec<Reader> = (0..STALLED)
        .map(|number| {
            let wish = Wish {
                room: Some(4_096),
                is_taken_over: number % 5 > 0,
                ..USUAL
            };
            let mut reader = Reader::ask(hub.address, "n4", "now", wish);
            reader.until("\nid: ");
            reader.until("\n\n");
            reader
        })
        .collect();
    let healthy: Vec<_> = (0..HEALTHY)
        .map(|_| {
            let mut reader = Reader::ask(hub.address, "n4", "now", USUAL);
            reader.until("tidings.hello");
            thread::spawn(move || {
                reader.until(&format!("\"data\":\"{}:", EVENTS - 1));
                reader.numbers()
            })
        })
        .collect();
    let memory = hub.resident_bytes();
    for begin in (0..EVENTS).step_by(10) {
        let numbers = begin..begin + 10;
        hub.publish("n4", numbers.map(|number| data(number, EVENT_BYTES)));
    }
    let expected: Vec<usize> = (0..EVENTS).collect();
    for reader in healthy {
        assert_eq!(reader.join().expect("it reads"), expected);
    }
    // All who are still there are stalled.
    hub.until_figure("tidings_hub_connections", 0);
    hub.until_figure("tidings_hub_sockets", 0);
    assert_eq!(hub.given_up(), STALLED as u64);
    let growth = hub.resident_bytes().saturating_sub(memory);
    assert!(growth < GROWTH_BYTES_MAX, "{growth} bytes more");

    // None of them has closed its end yet.
    until(|| hub.sockets() <= sockets, "their sockets closed");

    let cursor = stalled[0].cursor();
    for reader in &mut stalled {
        let rest = reader.rest();
        assert!(rest < PINNED_BYTES_MAX, "{rest} bytes waited in the kernel");
    }

    let mut back = Reader::ask(hub.address, "n4", &cursor, USUAL);
    back.until(&format!("\"data\":\"{}:", EVENTS - 1));
    assert_eq!(back.numbers(), expected);
    let told = String::from_utf8_lossy(&back.text);
    assert!(told.contains("\"replay\":\"complete\""));
    assert!(!told.contains("tidings.gap"));
}
