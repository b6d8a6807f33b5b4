//! What the memory log keeps within its limits, and what it remembers of the rest.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tidings_core::event::Event;
use tidings_core::limits::GROUP_BYTES_MAX;
use tidings_core::pattern::Pattern;
use tidings_core::port::{AppendError, Bounds, CommitFeed, EventStore, Sequencer};
use tidings_core::position::{Epoch, Offset};
use tidings_core::scope::Scope;
use tidings_log::memory::{MemoryLog, MemoryOptions, MemoryRetention, MemoryRule};
use tidings_testkit::append::append;
use tidings_testkit::clock::ManualClock;
use tidings_testkit::draft::{DraftBuilder, data_of_bytes, draft, group};
use tidings_testkit::reading::{events_of, holes_of, offsets_of, query, read_to_the_end, scope};

fn open(retention: MemoryRetention) -> MemoryLog {
    let options = MemoryOptions {
        retention,
        ..MemoryOptions::default()
    };
    let clock = Arc::new(ManualClock::default());
    MemoryLog::open(options, clock, Epoch::from_bits(1))
}

fn publish(log: &MemoryLog, drafts: impl IntoIterator<Item = DraftBuilder>) {
    for one in drafts {
        append(log, group([one])).expect("committed");
    }
}

fn look(log: &MemoryLog, scope: Scope) -> (Vec<u64>, Vec<u64>) {
    let page = read_to_the_end(log, &query(scope, Offset::ZERO));
    let holes = holes_of(&page).iter().map(|hole| hole.through.0).collect();
    (offsets_of(&events_of(&page)), holes)
}

#[test]
fn the_number_of_events_is_limited() {
    let log = open(MemoryRetention {
        events_max: 3,
        ..MemoryRetention::default()
    });
    publish(&log, ["a", "b", "a", "a", "b"].map(draft));
    let bounds = Bounds {
        before_earliest: Offset(2),
        end: Offset(5),
    };
    assert_eq!(log.bounds(), bounds);
    assert_eq!(look(&log, scope(&["a"])), (vec![3, 4], vec![1]));
    assert_eq!(look(&log, scope(&["b"])), (vec![5], vec![2]));
}

#[test]
fn the_bytes_of_content_are_limited() {
    let log = open(MemoryRetention {
        bytes_max: 10_000,
        ..MemoryRetention::default()
    });
    publish(&log, (0..5).map(|_| draft("a").data(data_of_bytes(4_000))));
    assert_eq!(look(&log, scope(&["a"])), (vec![4, 5], vec![3]));
}

#[test]
fn a_rule_may_limit_the_events_of_each_topic() {
    let log = open(MemoryRetention {
        rules: vec![MemoryRule {
            pattern: Pattern::parse("short/*").expect("a pattern"),
            age_max: None,
            events_max: Some(1),
        }],
        ..MemoryRetention::default()
    });
    publish(&log, ["short/1", "long", "short/1", "short/2"].map(draft));
    assert_eq!(look(&log, scope(&["short/*"])), (vec![3, 4], vec![1]));
    assert_eq!(
        look(&log, scope(&["long", "short/2"])),
        (vec![2, 4], vec![])
    );
}

#[test]
fn an_event_under_a_rule_stays_readable_through_its_other_addressees() {
    let log = open(MemoryRetention {
        rules: vec![MemoryRule {
            pattern: Pattern::parse("short/*").expect("a pattern"),
            age_max: Some(Duration::from_secs(0)),
            events_max: None,
        }],
        ..MemoryRetention::default()
    });
    publish(&log, [draft("short/1").also("@user/u1"), draft("short/1")]);
    log.run_retention();
    assert_eq!(look(&log, scope(&["short/1"])), (vec![], vec![2]));
    assert_eq!(
        look(&log, scope(&["short/1", "@user/u1"])),
        (vec![1], vec![2])
    );
    assert_eq!(look(&log, scope(&["@user/u1"])), (vec![1], vec![]));
}

#[test]
fn beyond_the_remembered_keys_readers_from_before_are_told_to_be_safe() {
    let log = open(MemoryRetention {
        events_max: 1,
        removed_keys_max: 2,
        ..MemoryRetention::default()
    });
    publish(&log, ["a", "b", "c", "d"].map(draft));
    // Three keys are empty, of which two are remembered; `a` may be any.
    assert_eq!(look(&log, scope(&["c"])), (vec![], vec![3]));
    assert_eq!(look(&log, scope(&["a"])), (vec![], vec![1]));
    assert_eq!(look(&log, scope(&["never"])), (vec![], vec![1]));
    let removed = log.removed_after(&scope(&["never"]), Offset(1));
    assert_eq!(removed.expect("readable"), None);
}

#[test]
fn a_key_that_comes_back_is_not_counted_among_the_emptied_ones() {
    let log = open(MemoryRetention {
        events_max: 1,
        removed_keys_max: 1,
        ..MemoryRetention::default()
    });
    publish(&log, ["a", "b", "a", "b", "a", "b"].map(draft));
    assert_eq!(look(&log, scope(&["a"])), (vec![], vec![5]));
    assert_eq!(look(&log, scope(&["b"])), (vec![6], vec![4]));
    assert_eq!(look(&log, scope(&["never"])), (vec![], vec![]));
}

#[test]
fn a_panicking_feed_does_not_stop_those_who_come_after() {
    #[derive(Debug)]
    struct PanicsOnce(bool);
    impl CommitFeed for PanicsOnce {
        fn committed(&mut self, _: &[Arc<Event>]) {
            assert!(std::mem::replace(&mut self.0, true), "once");
        }
    }
    let log = open(MemoryRetention::default());
    log.tail(Offset::ZERO, Box::new(PanicsOnce(false)))
        .expect("tailed");
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        log.append(group([draft("a")]), Box::new(drop));
    }));
    assert!(panicked.is_err());
    publish(&log, [draft("a")]);
    assert_eq!(log.end(), Offset(2));
}

#[test]
fn a_group_has_a_limit_to_the_byte() {
    let log = open(MemoryRetention::default());
    let of = |bytes| append(&log, group([draft("a").data("x".repeat(bytes))]));
    // What is counted besides the data.
    let refused = of(GROUP_BYTES_MAX);
    let Err(AppendError::TooLarge { actual, max }) = refused else {
        panic!("too large: {refused:?}");
    };
    let data_max = 2 * max - actual;
    assert_eq!(max, GROUP_BYTES_MAX);
    let actual = max + 1;
    let refused = of(data_max + 1);
    assert_eq!(refused, Err(AppendError::TooLarge { actual, max }));
    of(data_max).expect("at the limit");
}
