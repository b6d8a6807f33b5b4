//! N9: attacks over HTTP/2: each ends with its connection, costs little until then, and holds nobody up.

use tempfile::tempdir;
use tidings_testkit::h2_attack::{Attack, Attacker};

use super::reader::{Reader, USUAL};
use super::{CROWDED, data, report};
use crate::running::{Hub, until};

/// Rounds that no attack may get through with: some hundred thousand frames.
const ROUNDS_MAX: u32 = 4_000;

/// Hundredths of a second: ten times of what it may be, for a build that is not optimised.
const PROCESSOR_TICKS_MAX: u64 = 1_000;

const GROWTH_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Large answers, each of which is as large as a page may be.
const TARGET: &str = "/v1/events?userId=attacker&topics=large&since=earliest&limit=1000";

fn with(attack: Attack, hub: &Hub, healthy: &mut Reader, number: usize) {
    let (sockets, memory, ticks) = (hub.sockets(), hub.resident_bytes(), hub.processor_ticks());
    let mut attacker = Attacker::begin(hub.address, attack, TARGET).expect("the hub listens");
    let mut memory_max = memory;
    while attacker.rounds() < ROUNDS_MAX && attacker.round() {
        if attacker.rounds().is_multiple_of(64) {
            memory_max = memory_max.max(hub.resident_bytes());
        }
        if attack.is_idle() {
            break;
        }
    }
    if attack.is_idle() {
        // As long as the hub has not given up the last of them, it holds what it holds.
        until(
            || attacker.frames_read() > 100,
            "every request has its head or its end",
        );
    }
    memory_max = memory_max.max(hub.resident_bytes());
    // Others are served while it lasts.
    hub.publish("n9", [data(number, 10)]);
    healthy.until(&format!("\"data\":\"{number}:"));
    if !attack.is_idle() {
        until(|| attacker.is_ended(), "the connection has ended");
    }
    let outcome = attacker.end();
    until(|| hub.sockets() <= sockets, "the connection is closed");
    let ticks = hub.processor_ticks() - ticks;
    let growth = memory_max.saturating_sub(memory);
    report(&format!(
        "{attack:?}: {outcome:?}, {ticks} ticks, {} KiB more",
        growth / 1_024
    ));
    assert!(growth < GROWTH_BYTES_MAX, "{attack:?}: {growth} bytes more");
    assert!(ticks < PROCESSOR_TICKS_MAX, "{attack:?}: {ticks} ticks");
    if !attack.is_idle() {
        assert!(outcome.rounds < ROUNDS_MAX, "{attack:?} was let through");
    }
}

#[test]
fn n9_no_attack_over_http_2_lasts_or_costs_much() {
    let directory = tempdir().expect("a directory");
    let settings = [CROWDED[0], CROWDED[1], ("TIDINGS_WINDOW_BYTES", "1MiB")];
    let hub = Hub::start(directory.path(), &settings);
    hub.publish("large", (0..4).map(|number| data(number, 250_000)));
    let mut healthy = Reader::ask(hub.address, "n9", "now", USUAL);
    healthy.until("tidings.hello");
    for (number, attack) in Attack::ALL.into_iter().enumerate() {
        with(attack, &hub, &mut healthy, number);
    }
    assert_eq!(hub.figure("tidings_http_panics_total"), 0);
    assert_eq!(hub.logged("ERROR"), [""; 0]);
    assert_eq!(hub.figure("tidings_hub_connections"), 1);
}
