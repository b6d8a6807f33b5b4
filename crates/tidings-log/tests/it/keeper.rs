//! The keeper's thread: it looks by itself from time to time, and does what costs more less often.

use std::time::{Duration, Instant};

use tidings_log::limits::FLOORS_INTERVAL_MS;
use tidings_log::{EmbeddedLog, KeeperMode, Options, RetentionRule};

use crate::support::{Bench, append_each, offsets, read_all, scope};

/// How long anything may take before a test fails; never waited for otherwise.
const PATIENCE: Duration = Duration::from_secs(20);

fn rule(key: &str) -> RetentionRule {
    RetentionRule {
        selector: scope(&[key]).selectors()[0].clone(),
        age_ms: None,
        bytes: None,
        events: None,
    }
}

fn open(bench: &Bench, rules: Vec<RetentionRule>) -> EmbeddedLog {
    let mut options = Options {
        keeper: KeeperMode::Thread,
        ..bench.options()
    };
    options.retention.rules = rules;
    EmbeddedLog::open(&options).expect("opens")
}

/// What is shown of a key.
fn shown(log: &EmbeddedLog, key: &str) -> Vec<u64> {
    offsets(&read_all(log, &scope(&[key]), 0))
}

fn until_shown(log: &EmbeddedLog, key: &str, wanted: &[u64]) {
    let begun = Instant::now();
    while shown(log, key) != wanted {
        assert!(begun.elapsed() < PATIENCE, "{:?}", shown(log, key));
        std::thread::yield_now();
    }
}

#[test]
fn events_are_hidden_by_age_though_nothing_happens() {
    let bench = Bench::new();
    let brief = RetentionRule {
        age_ms: Some(1_000),
        ..rule("a")
    };
    let log = open(&bench, vec![brief]);
    for number in 0..3 {
        bench.clock.pass(500);
        append_each(&log, &["a"], [number.to_string()]);
    }
    // The first look may have another cause; the others have none.
    bench.clock.pass(100);
    until_shown(&log, "a", &[2, 3]);
    bench.clock.pass(500);
    until_shown(&log, "a", &[3]);
    bench.clock.pass(500);
    until_shown(&log, "a", &[]);
}

#[test]
fn what_rules_by_count_hide_is_worked_out_only_now_and_then() {
    let bench = Bench::new();
    let few = RetentionRule {
        events: Some(1),
        ..rule("a")
    };
    let brief = RetentionRule {
        age_ms: Some(1_000),
        ..rule("b")
    };
    let log = open(&bench, vec![few, brief]);
    // What comes after the clock has moved can only be worked out at this moment, by the thread or by
    // the round asked for; from here on the clock alone says when it is due again.
    bench.clock.pass(FLOORS_INTERVAL_MS);
    append_each(&log, &["b"], ["1".to_owned()]);
    log.retain_now();

    append_each(&log, &["a"], (0..3).map(|n| n.to_string()));
    append_each(&log, &["b"], ["5".to_owned()]);
    bench.clock.pass(FLOORS_INTERVAL_MS - 1);
    until_shown(&log, "b", &[]);
    assert_eq!(
        shown(&log, "a"),
        [2, 3, 4],
        "it has looked, and not at these"
    );
    bench.clock.pass(1);
    until_shown(&log, "a", &[4]);
}
