//! What is set about streams reaches the hub.

use std::time::Instant;

use tempfile::tempdir;
use tidings_core::limits::SLOW_READER_MS_DEFAULT;

use super::data;
use super::reader::{Reader, USUAL, Wish};
use crate::running::Hub;

#[test]
fn a_reader_that_stalls_is_given_up_after_the_time_that_is_set() {
    let directory = tempdir().expect("a directory");
    let settings = [("TIDINGS_STREAMS_SLOW_READER", "1s")];
    let hub = Hub::start(directory.path(), &settings);
    let mut healthy = Reader::ask(hub.address, "healthy", "now", USUAL);
    healthy.until("tidings.hello");
    let little = Wish {
        room: Some(4_096),
        ..USUAL
    };
    let mut stalled = Reader::ask(hub.address, "stalled", "now", little);
    stalled.until("tidings.hello");
    hub.publish("stalled", (0..20).map(|number| data(number, 250_000)));
    let given_up = hub.logged_at_least(1, "cause=\"slow_reader\"");
    let [line] = given_up.as_slice() else {
        panic!("one of two: {given_up:?}");
    };
    let (_, open_ms) = line.split_once("open_ms=").expect(line);
    let open_ms = open_ms.split(' ').next().expect(line);
    let open_ms: u64 = open_ms.parse().expect(line);
    assert!(open_ms < SLOW_READER_MS_DEFAULT, "{line}");
}

#[test]
fn events_wait_for_each_other_as_long_as_is_set() {
    const EVENTS: usize = 100;
    let stand = |linger: &str| {
        let directory = tempdir().expect("a directory");
        let settings = [
            ("TIDINGS_STREAMS_LINGER", linger),
            ("TIDINGS_LOG_KIND", "memory"),
        ];
        let hub = Hub::start(directory.path(), &settings);
        let mut reader = Reader::ask(hub.address, "quiet", "now", USUAL);
        reader.until("tidings.hello");
        (directory, hub, reader)
    };
    let last = format!("\"data\":\"{}:", EVENTS - 1);
    let deliveries = |hub: &Hub| hub.figure("tidings_hub_deliveries_total");

    // Each is told before the next one comes, so that none has another to share a write with.
    let (_directory, hub, mut reader) = stand("0ms");
    for number in 0..EVENTS {
        hub.publish("quiet", [data(number, 10)]);
        reader.until(&format!("\"data\":\"{number}:"));
    }
    let at_once = deliveries(&hub);
    assert!(at_once >= EVENTS as u64, "{at_once}");

    let begun = Instant::now();
    let (_directory, hub, mut reader) = stand("100ms");
    for number in 0..EVENTS {
        hub.publish("quiet", [data(number, 10)]);
    }
    reader.until(&last);
    assert!(reader.numbers().into_iter().eq(0..EVENTS));
    let lingering = deliveries(&hub);
    // The greeting, and one in each such time: on an idle machine a few in all.
    let times = begun.elapsed().as_millis() as u64 / 100;
    assert!(lingering <= 2 + times, "{lingering} in {times} times");
}
