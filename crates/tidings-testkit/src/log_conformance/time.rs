//! Clocks that jump: stamps never run backwards, and nothing is removed before its time (row D10).

use std::time::Duration;

use tidings_core::port::Clock;
use tidings_core::time::Timestamp;

use super::{Fixture, LogOptions, LogUnderTest};
use crate::draft::draft;
use crate::reading::scope;

const DAY: Duration = Duration::from_secs(24 * 3_600);
const HOUR: Duration = Duration::from_secs(3_600);

/// A day forward, a day back, hours either way, and standing still.
pub fn d10_timestamps_never_run_backwards_when_the_clock_jumps<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    let start = fixture.clock.now();
    let walls = [
        start,
        start,
        start.minus(HOUR),
        start.plus(HOUR),
        start.plus(DAY),
        start.minus(DAY),
        Timestamp(0),
        start.plus(HOUR),
        start.plus(DAY).plus(HOUR),
    ];
    for wall in walls {
        fixture.clock.set_wall(wall);
        let appended = fixture.append([draft("a")]);
        assert!(appended[0].timestamp >= wall.min(start), "{appended:?}");
    }
    let stamps: Vec<Timestamp> = fixture.all().iter().map(|event| event.timestamp).collect();
    assert!(stamps.is_sorted(), "{stamps:?}");
    assert_eq!(stamps.first(), Some(&start));
    assert_eq!(stamps.last(), Some(&start.plus(DAY).plus(HOUR)));
}

/// Age is time that has passed, not what a clock says after it was set.
pub fn d10_a_jump_of_the_wall_clock_removes_nothing<L: LogUnderTest>() {
    let mut fixture = Fixture::<L>::with(&LogOptions {
        retention_age: Some(HOUR),
        ..LogOptions::default()
    });
    fixture.append(["a", "b", "c"].map(draft));
    fixture.log.seal();
    let start = fixture.clock.now();
    for wall in [start.plus(DAY), start.minus(DAY), start] {
        fixture.clock.set_wall(wall);
        fixture.log.run_retention();
    }
    assert_eq!(fixture.all().len(), 3);
    assert_eq!(fixture.holes(scope(&["**"]), 0), []);
}

/// At least what was promised; at most until the next run of retention.
pub fn events_live_their_full_age_and_not_much_longer<L: LogUnderTest>() {
    let mut fixture = Fixture::<L>::with(&LogOptions {
        retention_age: Some(HOUR),
        ..LogOptions::default()
    });
    fixture.append([draft("a")]);
    fixture.log.seal();
    fixture.advance_minutes(59);
    fixture.log.run_retention();
    assert_eq!(fixture.all().len(), 1);
    fixture.advance_minutes(2);
    fixture.log.run_retention();
    assert_eq!(fixture.all().len(), 0);
}
