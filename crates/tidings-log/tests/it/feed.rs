//! The commit feed: everything once, in order, before the replies.

use std::sync::{Arc, Mutex};

use tidings_core::event::Event;
use tidings_core::port::{CommitFeed, Sequencer, TailError};
use tidings_core::position::Offset;
use tidings_log::limits::{FEED_PAGE_BYTES, FEED_PAGE_EVENTS};

use crate::support::{Bench, append, append_each, draft};

/// The offsets of each call.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<Vec<u64>>>>);

impl CommitFeed for Recorder {
    fn committed(&mut self, events: &[Arc<Event>]) {
        let offsets = events.iter().map(|event| event.position.offset.0);
        self.0.lock().expect("recorder").push(offsets.collect());
    }
}

impl Recorder {
    fn seen(&self) -> Vec<u64> {
        self.0.lock().expect("recorder").concat()
    }

    /// How many events came at a time.
    fn pages(&self) -> Vec<usize> {
        let calls = self.0.lock().expect("recorder");
        calls.iter().map(Vec::len).collect()
    }
}

#[test]
fn a_feed_gets_what_is_there_and_then_whatever_comes() {
    let bench = Bench::new();
    let log = bench.open();
    append_each(&log, &["a"], (0..50).map(|n| format!("{n:01000}")));
    let recorder = Recorder::default();
    log.tail(Offset(10), Box::new(recorder.clone()))
        .expect("free");
    assert_eq!(recorder.seen(), (11..=50).collect::<Vec<_>>());
    append(
        &log,
        vec![draft(&["a"], None, "51"), draft(&["b"], None, "52")],
    )
    .expect("appended");
    assert_eq!(recorder.seen().last(), Some(&52), "before the reply");
    let second = log.tail(Offset(0), Box::new(Recorder::default()));
    assert!(matches!(second, Err(TailError::Taken)));
}

#[test]
fn a_feed_that_is_plugged_in_while_events_come_gets_each_exactly_once() {
    for _ in 0..10 {
        let bench = Bench::new();
        let log = bench.open();
        let writer = {
            let log = log.clone();
            std::thread::spawn(move || append_each(&log, &["a"], (0..100).map(|n| n.to_string())))
        };
        let recorder = Recorder::default();
        log.tail(Offset(0), Box::new(recorder.clone()))
            .expect("free");
        writer.join().expect("writer");
        assert_eq!(recorder.seen(), (1..=100).collect::<Vec<_>>());
    }
}

#[test]
fn a_feed_that_catches_up_gets_so_many_events_at_once_and_then_the_rest() {
    let bench = Bench::new();
    let log = bench.open();
    let group = (0..=FEED_PAGE_EVENTS).map(|_| draft(&["a"], None, "small"));
    append(&log, group.collect()).expect("appended");
    let recorder = Recorder::default();
    log.tail(Offset(0), Box::new(recorder.clone()))
        .expect("free");
    assert_eq!(recorder.pages(), [FEED_PAGE_EVENTS, 1]);
    assert_eq!(recorder.seen().last(), Some(&(FEED_PAGE_EVENTS as u64 + 1)));
}

#[test]
fn a_feed_that_catches_up_gets_what_was_read_once_it_is_so_many_bytes() {
    let bench = Bench::new();
    let log = bench.open();
    // With what surrounds the data, sixteen of them are just beyond the limit, and fifteen are not.
    let sixteenth = "x".repeat(FEED_PAGE_BYTES / 16);
    append_each(&log, &["a"], (0..20).map(|_| sixteenth.clone()));
    let recorder = Recorder::default();
    log.tail(Offset(0), Box::new(recorder.clone()))
        .expect("free");
    assert_eq!(recorder.pages(), [16, 4]);
    assert_eq!(recorder.seen(), (1..=20).collect::<Vec<_>>());
}

#[test]
fn closing_writes_what_is_queued_and_refuses_the_rest() {
    let bench = Bench::new();
    let log = bench.open();
    let outcomes: Vec<_> = (0..200)
        .map(|n| crate::support::append_later(&log, vec![draft(&["a"], None, &n.to_string())]))
        .collect();
    log.close();
    assert!(
        outcomes
            .iter()
            .all(|outcome| outcome.recv().expect("outcome").is_ok())
    );
    let refused = append(&log, vec![draft(&["a"], None, "late")]);
    assert_eq!(refused, Err(tidings_core::port::AppendError::NotWritable));
    assert_eq!(log.end(), Offset(200));
    assert_eq!(append(&log, Vec::new()), Ok(Vec::new()));
}

#[test]
fn the_last_handle_may_be_dropped_by_a_reply() {
    let bench = Bench::new();
    let log = bench.open();
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    let own = log.clone();
    log.append(
        vec![draft(&["a"], None, "1")],
        Box::new(move |outcome| {
            drop(own);
            sender.send(outcome.is_ok()).expect("the test waits");
        }),
    );
    drop(log);
    assert_eq!(receiver.recv(), Ok(true));
}
