//! What is set about streams reaches the hub.

use tempfile::tempdir;

use super::data;
use super::reader::{Reader, USUAL, Wish};
use crate::running::Hub;

#[test]
fn a_reader_that_stalls_is_given_up_after_the_time_that_is_set() {
    let directory = tempdir().expect("a directory");
    let settings = [
        ("TIDINGS_STREAMS_SLOW_READER", "1s"),
        ("TIDINGS_HEARTBEAT", "5s"),
    ];
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
    // A sign of life comes late enough for that, and early enough for the default.
    healthy.until("tidings.ping");
    assert_eq!(hub.logged("cause=\"slow_reader\"").len(), 1);
}

#[test]
fn events_wait_for_each_other_as_long_as_is_set() {
    const EVENTS: usize = 100;
    let deliveries = |linger: &str| {
        let directory = tempdir().expect("a directory");
        let settings = [
            ("TIDINGS_STREAMS_LINGER", linger),
            ("TIDINGS_LOG_KIND", "memory"),
        ];
        let hub = Hub::start(directory.path(), &settings);
        let mut reader = Reader::ask(hub.address, "quiet", "now", USUAL);
        reader.until("tidings.hello");
        for number in 0..EVENTS {
            hub.publish("quiet", [data(number, 10)]);
        }
        reader.until(&format!("\"data\":\"{}:", EVENTS - 1));
        assert!(reader.numbers().into_iter().eq(0..EVENTS));
        hub.figure("tidings_hub_deliveries_total")
    };
    let (at_once, lingering) = (deliveries("0ms"), deliveries("100ms"));
    assert!(lingering < at_once / 2, "{lingering} of {at_once}");
}
