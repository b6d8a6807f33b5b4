//! The hub over the embedded log: what a reader has seen survives the process.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tidings_core::start::Start;
use tidings_log::{EmbeddedLog, Options, Random};
use tidings_testkit::clock::ManualClock;
use tidings_testkit::draft::draft;

use crate::fixture::{Fixture, number_event, request, two_shards};

/// Opens the log of a directory, and a hub over it.
fn open(dir: &Path, clock: &Arc<ManualClock>, random: &Arc<AtomicU64>) -> (Fixture, EmbeddedLog) {
    let random = random.clone();
    let random: Random = Arc::new(move || random.fetch_add(1, Ordering::SeqCst));
    let options = Options {
        segment_bytes: 256 * 1024,
        ..Options::new(dir, clock.clone(), random)
    };
    let log = EmbeddedLog::open(&options).expect("the log opens");
    let port = Arc::new(log.clone());
    let fixture = Fixture::over(&two_shards(), clock.clone(), port.clone(), port);
    (fixture, log)
}

/// The files as a process killed at this moment leaves them.
fn copy_of(dir: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("a directory");
    for entry in fs::read_dir(dir).expect("a listing") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), copy.path().join(entry.file_name())).expect("a copy");
    }
    copy
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn d11_nothing_that_a_reader_has_seen_disappears_in_a_crash() {
    let dir = tempfile::tempdir().expect("a directory");
    let clock = Arc::new(ManualClock::default());
    let random = Arc::new(AtomicU64::new(1));
    let (fixture, log) = open(dir.path(), &clock, &random);
    let fixture = Arc::new(fixture);
    let mut reader = fixture.live(&["a"]).await;
    let enough = Arc::new(AtomicBool::new(false));
    let mut publishers = tokio::task::JoinSet::new();
    for publisher in 0..4_u64 {
        let (fixture, enough) = (fixture.clone(), enough.clone());
        publishers.spawn(async move {
            let mut number = publisher << 32;
            while !enough.load(Ordering::SeqCst) {
                fixture.publish(number_event("a", number)).await;
                number += 1;
            }
        });
    }
    let seen = reader.words(200).await;
    let cursor = reader.last.take().expect("a delivery").cursor;
    // Publishers go on while the files are looked at, as they do when a process is killed.
    let crashed = copy_of(dir.path());
    enough.store(true, Ordering::SeqCst);
    publishers.join_all().await;
    drop((reader, fixture));
    log.close();

    let (after, _log) = open(crashed.path(), &clock, &random);
    let mut replay = after.stream(&["a"], Start::Earliest, "complete").await;
    assert_eq!(replay.words(200).await, seen);
    // The cursor of the old life is good in the new one.
    let mut resumed = after
        .open(request(&["a"], Start::After(cursor)))
        .await
        .expect("opened");
    assert_eq!(resumed.word().await, "hello complete");
    after.publish(draft("a").data("\"after\"")).await;
    while resumed.word().await != "\"after\"" {}
}

#[tokio::test]
async fn d16_repeats_are_recognised_after_a_restart_and_so_are_cursors() {
    let dir = tempfile::tempdir().expect("a directory");
    let clock = Arc::new(ManualClock::default());
    let random = Arc::new(AtomicU64::new(1));
    let mut first = HashMap::new();
    {
        let (fixture, log) = open(dir.path(), &clock, &random);
        for number in 0..20_u64 {
            let event = number_event("a", number).id(&format!("id-{number}"));
            first.insert(number, fixture.publish(event).await);
        }
        drop(fixture);
        log.close();
    }
    let (fixture, _log) = open(dir.path(), &clock, &random);
    for (number, first) in &first {
        let event = number_event("a", *number).id(&format!("id-{number}"));
        let again = fixture.publish(event).await;
        assert!(again.duplicate);
        assert_eq!(
            (again.position, again.timestamp),
            (first.position, first.timestamp)
        );
    }
    assert_eq!(fixture.hub.figures().end_offset, 20);
    let half = first[&9].position;
    let mut resumed = fixture.stream(&["a"], Start::After(half), "complete").await;
    fixture.publish_numbers("a", 20..23).await;
    resumed.expect(10..23).await;
}

#[tokio::test]
async fn a_slow_reader_returns_to_the_log_on_disk() {
    let dir = tempfile::tempdir().expect("a directory");
    let clock = Arc::new(ManualClock::default());
    let random = Arc::new(AtomicU64::new(1));
    let options = tidings_hub::Options {
        window_events: 8,
        ..two_shards()
    };
    let bits = random.clone();
    let log = EmbeddedLog::open(&Options::new(
        dir.path(),
        clock.clone(),
        Arc::new(move || bits.fetch_add(1, Ordering::SeqCst)),
    ))
    .expect("the log opens");
    let port = Arc::new(log.clone());
    let fixture = Fixture::over(&options, clock, port.clone(), port);
    let mut slow = fixture.live(&["a"]).await;
    fixture.publish_numbers("a", 0..200).await;
    slow.expect(0..200).await;
    assert!(
        fixture.hub.figures().store_reads > 0,
        "the log was not read"
    );
}
