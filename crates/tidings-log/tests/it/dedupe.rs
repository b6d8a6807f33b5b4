//! Repeated publishes: one event, one answer.

use std::sync::Arc;

use tidings_core::event::Draft;
use tidings_core::port::{AppendError, Sequencer};
use tidings_core::position::Offset;
use tidings_core::scope::Scope;
use tidings_log::{EmbeddedLog, Options};

use crate::support::{
    Bench, append, append_each, append_later, dedupe_key, draft, offsets, read_all,
};

fn one(id: &str, data: &str) -> Vec<Draft> {
    vec![draft(&["a"], Some(id), data)]
}

#[test]
fn d16_a_thousand_concurrent_publishes_of_one_key_are_one_event_also_after_an_opening() {
    let bench = Bench::new();
    let log = bench.open();
    append_each(&log, &["a"], ["before".to_owned()]);
    let start = Arc::new(std::sync::Barrier::new(8));
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let (log, start) = (log.clone(), Arc::clone(&start));
            std::thread::spawn(move || {
                start.wait();
                let outcomes: Vec<_> = (0..125)
                    .map(|_| append_later(&log, one("k", "x")))
                    .collect();
                let outcomes = outcomes.into_iter().map(|outcome| outcome.recv());
                let outcomes = outcomes.map(|outcome| outcome.expect("an outcome"));
                outcomes
                    .map(|outcome| outcome.expect("appended")[0])
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    let appended = threads
        .into_iter()
        .flat_map(|thread| thread.join().expect("thread"));
    let appended: Vec<_> = appended.collect();
    assert_eq!(appended.len(), 1_000);
    assert!(
        appended
            .iter()
            .all(|one| one.position == appended[0].position)
    );
    assert_eq!(appended.iter().filter(|one| !one.duplicate).count(), 1);
    assert_eq!(log.end(), Offset(2));
    log.close();
    drop(log);
    // Twice, since the second time it comes from an index file.
    for _ in 0..2 {
        let log = bench.open();
        let again = append(&log, one("k", "x")).expect("known")[0];
        assert!(again.duplicate);
        assert_eq!(again.position, appended[0].position);
        assert_eq!(again.timestamp, appended[0].timestamp);
        assert_eq!(log.end(), Offset(2));
        log.retain_now();
    }
}

#[test]
fn d16_an_id_with_other_content_is_refused_and_nothing_of_its_group_is_appended() {
    let bench = Bench::new();
    let log = bench.open();
    let first = append(&log, one("k", "x")).expect("appended")[0];
    let group = vec![draft(&["a"], None, "y"), draft(&["a"], Some("k"), "other")];
    let refused = AppendError::IdReused {
        index: 1,
        position: Some(first.position),
    };
    assert_eq!(append(&log, group), Err(refused));
    let group = vec![draft(&["a"], Some("n"), "1"), draft(&["a"], Some("n"), "2")];
    let refused = append(&log, group).expect_err("reused within the group");
    let within = AppendError::IdReused {
        index: 1,
        position: None,
    };
    assert_eq!(refused, within);
    assert_eq!(log.end(), Offset(1));
    append(&log, one("n", "2")).expect("the refused group left no trace");
}

#[test]
fn d16_a_repeat_within_a_group_is_one_event() {
    let bench = Bench::new();
    let log = bench.open();
    let group = vec![
        draft(&["a"], Some("k"), "x"),
        draft(&["a"], None, "y"),
        draft(&["a"], Some("k"), "x"),
    ];
    let appended = append(&log, group).expect("appended");
    let places: Vec<_> = appended
        .iter()
        .map(|one| (one.position.offset.0, one.duplicate))
        .collect();
    assert_eq!(places, [(1, false), (2, false), (1, true)]);
    assert_eq!(offsets(&read_all(&log, &Scope::Everything, 0)), [1, 2]);
}

#[test]
fn ids_are_forgotten_after_the_window_and_beyond_the_limit() {
    let bench = Bench::new();
    let options = || Options {
        dedupe_window_ms: 1_000,
        dedupe_ids_max: 3,
        ..bench.options()
    };
    let mut log = EmbeddedLog::open(&options()).expect("opens");
    append(&log, one("k", "x")).expect("appended");
    bench.clock.pass(999);
    assert!(append(&log, one("k", "x")).expect("known")[0].duplicate);
    bench.clock.pass(1);
    assert!(!append(&log, one("k", "x")).expect("appended")[0].duplicate);
    for id in ["l", "m", "n"] {
        append(&log, one(id, "x")).expect("appended");
    }
    for _ in 0..2 {
        assert!(append(&log, one("l", "x")).expect("known")[0].duplicate);
        log.close();
        log = EmbeddedLog::open(&options()).expect("opens");
    }
    assert!(
        !append(&log, one("k", "x")).expect("appended")[0].duplicate,
        "beyond the limit"
    );
    assert_ne!(dedupe_key("k", "x"), dedupe_key("l", "x"));
}
