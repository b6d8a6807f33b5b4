//! Logs that outlive their process: what a restart keeps.

use std::time::Duration;

use tidings_core::lineage::Standing;
use tidings_core::port::{Clock, Health};
use tidings_core::position::Offset;

use super::random::compare_with_the_model_across_restarts;
use super::rules::with_a_rule;
use super::{DurableLogUnderTest, Fixture, LogOptions};
use crate::draft::draft;
use crate::reading::{offsets_of, scope};
use crate::recording_feed::Recording;

impl<L: DurableLogUnderTest> Fixture<L> {
    fn reopened(self) -> Self {
        Self {
            log: self.log.reopen(),
            clock: self.clock,
        }
    }
}

/// Positions, times and contents.
pub fn everything_is_there_after_a_restart<L: DurableLogUnderTest>() {
    let mut fixture = Fixture::<L>::new();
    let mut expected = Vec::new();
    for round in 0..4 {
        assert_eq!(fixture.all(), expected, "round {round}");
        assert_eq!(fixture.log.sequencer().health(), Health::Writable);
        fixture.append([draft("a").id(&format!("x{round}")), draft("b").also("@all")]);
        fixture.advance_minutes(1);
        fixture.append([draft("a/b")
            .data("{\"n\":1}")
            .metadata("{\"userId\":\"u\"}")]);
        expected = fixture.all();
        assert_eq!(expected.len(), 3 * (round + 1));
        fixture = fixture.reopened();
    }
    assert_eq!(fixture.all(), expected);
    assert_eq!(fixture.events(scope(&["a/*"]), 0).len(), 4);
}

/// An opening without an event is an opening too.
pub fn every_opening_begins_an_epoch_and_old_cursors_stay_good<L: DurableLogUnderTest>() {
    let mut fixture = Fixture::<L>::new();
    let mut cursors = Vec::new();
    for opening in 1..=4 {
        let sequencer = fixture.log.sequencer();
        let lineage = sequencer.lineage();
        assert_eq!(lineage.epochs().len(), opening);
        let first = lineage.epochs().last().expect("an epoch").1;
        assert_eq!(first, sequencer.end().next());
        cursors.push(lineage.position(sequencer.end()));
        if opening != 2 {
            for one in fixture.append(["a", "b"].map(draft)) {
                assert_eq!(one.position.epoch, lineage.current());
                cursors.push(one.position);
            }
        }
        let end = sequencer.end();
        for cursor in &cursors {
            let standing = lineage.standing(*cursor, end);
            assert_eq!(standing, Standing::Good(cursor.offset));
        }
        drop(sequencer);
        fixture = fixture.reopened();
    }
}

/// No offset names two events.
pub fn offsets_go_on_after_a_restart<L: DurableLogUnderTest>() {
    let mut fixture = Fixture::<L>::new();
    let mut last = Offset::ZERO;
    for _ in 0..4 {
        assert_eq!(fixture.end(), last);
        let offset = fixture.append_one(draft("a"));
        assert!(offset > last);
        last = offset;
        fixture = fixture.reopened();
    }
}

/// The publisher whose answer was lost by the restart asks again.
pub fn d16_a_repeat_across_a_restart_is_a_duplicate<L: DurableLogUnderTest>() {
    let fixture = Fixture::<L>::new();
    let first = fixture.append([draft("a").id("x"), draft("b").id("y")]);
    let fixture = fixture.reopened();
    fixture.append([draft("c")]);
    let fixture = fixture.reopened();
    let again = fixture.append([draft("b").id("y"), draft("a").id("x")]);
    assert!(again.iter().all(|one| one.duplicate));
    assert_eq!(again[0].position, first[1].position);
    assert_eq!(again[1].position, first[0].position);
    assert_eq!(again[1].timestamp, first[0].timestamp);
    assert!(fixture.try_append([draft("a").id("x").data("2")]).is_err());
    assert_eq!(fixture.all().len(), 3);
}

/// The time of the restart counts.
pub fn an_id_is_forgotten_after_the_window_across_a_restart<L: DurableLogUnderTest>() {
    let fixture = Fixture::<L>::with(&LogOptions {
        dedupe_window: Duration::from_secs(600),
        ..LogOptions::default()
    });
    fixture.append([draft("a").id("x")]);
    fixture.advance_minutes(6);
    let fixture = fixture.reopened();
    assert!(fixture.append([draft("a").id("x")])[0].duplicate);
    fixture.advance_minutes(5);
    assert!(!fixture.append([draft("a").id("x")])[0].duplicate);
}

/// What was removed in an earlier life of the process is still known to be missing, and what was
/// not is still known not to be.
pub fn holes_are_known_after_a_restart<L: DurableLogUnderTest>() {
    let mut fixture = Fixture::<L>::with(&LogOptions {
        retention_age: Some(Duration::from_secs(3_600)),
        ..LogOptions::default()
    });
    fixture.append(["a", "b"].map(draft));
    fixture.log.seal();
    fixture.advance_minutes(30);
    fixture.append(["a", "c"].map(draft));
    fixture.advance_minutes(40);
    fixture.log.run_retention();
    for _ in 0..2 {
        fixture = fixture.reopened();
        assert_eq!(fixture.holes(scope(&["a"]), 0).len(), 1);
        assert_eq!(fixture.holes(scope(&["b"]), 0).len(), 1);
        assert_eq!(fixture.holes(scope(&["b"]), 2), []);
        assert_eq!(fixture.holes(scope(&["c"]), 0), []);
        assert_eq!(fixture.events(scope(&["**"]), 0).len(), 2);
    }
}

/// What a rule has hidden does not come back to light because the process was started again.
pub fn a_rule_holds_from_the_first_moment_after_a_restart<L: DurableLogUnderTest>() {
    let fixture = with_a_rule::<L>().reopened();
    assert_eq!(offsets_of(&fixture.events(scope(&["short/1"]), 0)), [5]);
    assert_eq!(fixture.holes(scope(&["short/1"]), 0).len(), 1);
    assert_eq!(offsets_of(&fixture.events(scope(&["long"]), 0)), [2, 4, 6]);
}

/// The clock may have been set back while the process was away.
pub fn d10_timestamps_do_not_run_backwards_across_a_restart<L: DurableLogUnderTest>() {
    let fixture = Fixture::<L>::new();
    let first = fixture.append([draft("a")]);
    let day = Duration::from_secs(24 * 3_600);
    fixture.clock.set_wall(fixture.clock.now().minus(day));
    let fixture = fixture.reopened();
    let second = fixture.append([draft("a")]);
    assert!(second[0].timestamp >= first[0].timestamp);
}

/// The hub of the next process may want to see the past.
pub fn a_tail_after_a_restart_feeds_the_older_events_too<L: DurableLogUnderTest>() {
    let fixture = Fixture::<L>::new();
    fixture.append(["a", "b", "c"].map(draft));
    let fixture = fixture.reopened();
    let recording = Recording::default();
    let sequencer = fixture.log.sequencer();
    sequencer.tail(Offset(1), recording.feed()).expect("tailed");
    fixture.append([draft("d")]);
    let fed = recording.wait_for(3);
    assert_eq!(fed, fixture.events(scope(&["**"]), 1));
}

/// As without restarts.
pub fn any_sequence_of_operations_and_restarts_agrees_with_the_model<L: DurableLogUnderTest>() {
    compare_with_the_model_across_restarts::<L>();
}
