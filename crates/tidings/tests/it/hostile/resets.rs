//! N1: readers that reset their connection amid an event leave nothing behind.
//!
//! `TIDINGS_N1_RESETS` sets how many.

use tempfile::tempdir;

use super::reader::{Reader, USUAL, Wish};
use super::{CROWDED, data, number_from};
use crate::running::{Hub, until};

const RESETS_DEFAULT: usize = 400;

/// Resets before descriptors and memory are looked at for the first time.
const FIRST_RESETS: usize = 100;

/// More memory than so much is a leak, whatever an allocator keeps for later.
const GROWTH_BYTES_MAX: u64 = 32 * 1024 * 1024;

fn reset_amid_events(hub: &Hub, count: usize) {
    for number in 0..count {
        let wish = Wish {
            room: Some(4_096),
            is_taken_over: number % 4 > 0,
            ..USUAL
        };
        let mut reader = Reader::ask(hub.address, "n1", "earliest", wish);
        reader.until("\"data\":\"0:xx");
        reader.reset();
    }
    hub.until_figure("tidings_hub_connections", 0);
    hub.until_figure("tidings_hub_sockets", 0);
}

/// A field of a line; nothing, if the line does not have it.
fn number_in(line: &str, field: &str) -> usize {
    let value = line.split(field).nth(1).unwrap_or_default();
    let digits = value.split(' ').next().unwrap_or_default();
    digits.parse().unwrap_or_default()
}

#[test]
fn n1_readers_that_reset_amid_an_event_leave_nothing_behind() {
    let resets = number_from("TIDINGS_N1_RESETS").unwrap_or(RESETS_DEFAULT);
    let directory = tempdir().expect("a directory");
    let hub = Hub::start(directory.path(), &CROWDED);
    hub.publish("n1", (0..20).map(|number| data(number, 250_000)));
    let sockets = hub.sockets();
    reset_amid_events(&hub, FIRST_RESETS);
    until(|| hub.sockets() <= sockets, "the first sockets are closed");
    let memory = hub.resident_bytes();

    reset_amid_events(&hub, resets);
    until(|| hub.sockets() <= sockets, "as many sockets as before");
    let growth = hub.resident_bytes().saturating_sub(memory);
    assert!(growth < GROWTH_BYTES_MAX, "{growth} bytes more");

    // The hub saw each of them go, and had no more to say about it than that: a line about each, or a
    // count of those without one. What a line does not tell the next does, or the last after a pause.
    let all = FIRST_RESETS + resets;
    let ended = "tidings_hub_connections_ended_total{cause=\"left\"}";
    assert_eq!(hub.figure(ended), all as u64);
    for kind in ["added", "removed"] {
        until(
            || {
                let lines = hub.logged(&format!("connection {kind}"));
                let rest = hub.logged("without a line of their own");
                let untold = lines.iter().map(|line| number_in(line, "suppressed="));
                let rest = rest.iter().map(|line| number_in(line, &format!("{kind}=")));
                lines.len() + untold.chain(rest).sum::<usize>() == all
            },
            kind,
        );
    }
    assert_eq!(hub.logged("WARN"), [""; 0]);
    assert_eq!(hub.logged("ERROR"), [""; 0]);
    assert!(hub.logged("").len() < 2 * all + 50);
}
