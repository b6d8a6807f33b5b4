//! Clocks that jump.

use std::sync::atomic::Ordering;

use tidings_core::port::{EventStore, Sequencer};
use tidings_core::position::Offset;
use tidings_core::scope::Scope;
use tidings_log::{EmbeddedLog, Options, Retention};

use crate::support::{Bench, append, draft, offsets, read_all};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

#[test]
fn d10_timestamps_never_run_backwards_and_nothing_is_deleted_or_forgotten_early() {
    let bench = Bench::new();
    let options = || Options {
        retention: Retention {
            age_ms: Some(DAY_MS / 2),
            ..Retention::default()
        },
        ..bench.options()
    };
    let start = bench.clock.wall.load(Ordering::SeqCst);
    let log = EmbeddedLog::open(&options()).expect("opens");
    let mut last = 0;
    let jumps = [0, DAY_MS, 0, 3_600_000, 1_000, DAY_MS, 500];
    for (number, jump) in jumps.into_iter().enumerate() {
        bench.clock.wall.store(start + jump, Ordering::SeqCst);
        bench.clock.moment.fetch_add(1, Ordering::SeqCst);
        for filler in 0..60 {
            let id = format!("{number}-{filler}");
            let data = "x".repeat(900);
            let appended = append(&log, vec![draft(&["a"], Some(&id), &data)]).expect("appended");
            assert!(appended[0].timestamp.0 >= last && !appended[0].duplicate);
            last = appended[0].timestamp.0;
        }
        log.retain_now();
    }
    let everything: Vec<u64> = (1..=jumps.len() as u64 * 60).collect();
    assert_eq!(offsets(&read_all(&log, &Scope::Everything, 0)), everything);
    let again = append(&log, vec![draft(&["a"], Some("0-0"), &"x".repeat(900))]);
    assert!(
        again.expect("known")[0].duplicate,
        "a jump of the clock does not end the window"
    );
    log.close();
    // A clock that is wrong at the opening does not turn time back either.
    bench.clock.wall.store(start - DAY_MS, Ordering::SeqCst);
    let log = EmbeddedLog::open(&options()).expect("opens");
    let appended = append(&log, vec![draft(&["a"], None, "x")]).expect("appended");
    assert!(appended[0].timestamp.0 >= last);
    assert_eq!(log.bounds().before_earliest, Offset(0));
    assert_eq!(log.end().0, everything.len() as u64 + 1);
}

#[test]
fn d10_a_frozen_clock_keeps_the_order() {
    let bench = Bench::new();
    let log = bench.open();
    let stamps: Vec<_> = (0..20)
        .map(|n| append(&log, vec![draft(&["a"], None, &n.to_string())]).expect("appended")[0])
        .collect();
    assert!(stamps.is_sorted_by_key(|one| one.position.offset));
    assert!(
        stamps
            .iter()
            .all(|one| one.timestamp == stamps[0].timestamp)
    );
    assert_eq!(
        log.before_time(stamps[0].timestamp).expect("read"),
        Offset(0)
    );
}
