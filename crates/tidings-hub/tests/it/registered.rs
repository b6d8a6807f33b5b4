//! Whatever is published after `open` has returned is delivered, however busy the hub is.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tidings_core::start::Start;
use tidings_hub::Options;
use tidings_log::memory::MemoryOptions;

use crate::fixture::{Fixture, number_event, request, two_shards};

const OPENINGS: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_published_after_open_returned_is_delivered() {
    let fixture = Arc::new(Fixture::new());
    let started = Arc::new(AtomicU64::new(0));
    let done = Arc::new(AtomicU64::new(0));
    let mut publishers = tokio::task::JoinSet::new();
    for _ in 0..3 {
        let (fixture, started, done) = (fixture.clone(), started.clone(), done.clone());
        publishers.spawn(async move {
            while done.load(Ordering::SeqCst) == 0 {
                let number = started.fetch_add(1, Ordering::SeqCst);
                fixture.publish(number_event("a", number)).await;
            }
        });
    }
    for index in 0..OPENINGS {
        // From the start of the log every other time, so that replay is handed over to live.
        let start = if index % 2 == 0 {
            Start::Now
        } else {
            Start::After(fixture.hub.head())
        };
        let mut reader = fixture.open(request(&["a"], start)).await.expect("opened");
        // All numbers from here on are published after the registration.
        let first = started.load(Ordering::SeqCst);
        assert!(reader.word().await.starts_with("hello"));
        let mut missing: std::collections::BTreeSet<u64> = (first..first + 6).collect();
        while !missing.is_empty() {
            let number = reader.word().await.parse().expect("a number");
            missing.remove(&number);
        }
    }
    done.store(1, Ordering::SeqCst);
    publishers.join_all().await;
}

/// One publisher says 0, 1, 2 and so on to `a` while `readers` runs: event `n` has offset `n + 1`.
async fn while_publishing(fixture: &Arc<Fixture>, readers: impl Future<Output = ()>) {
    let mut publisher = tokio::task::JoinSet::new();
    let publishing = fixture.clone();
    publisher.spawn(async move {
        for number in 0.. {
            publishing.publish(number_event("a", number)).await;
        }
    });
    let mut witness = fixture.live(&["a"]).await;
    witness.word().await;
    readers.await;
    publisher.shutdown().await;
}

fn with_a_tiny_window() -> Arc<Fixture> {
    let options = Options {
        window_events: 3,
        ..two_shards()
    };
    Arc::new(Fixture::with(&options, MemoryOptions::default()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_replay_becomes_live_without_a_seam() {
    let fixture = with_a_tiny_window();
    while_publishing(&fixture, async {
        for _ in 0..50 {
            let mut reader = fixture.stream(&["a"], Start::Earliest, "complete").await;
            let head = fixture.hub.head().offset.0;
            reader.expect(0..head + 20).await;
        }
    })
    .await;
    assert!(
        fixture.hub.figures().store_reads > 0,
        "nothing was replayed"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_snapshot_becomes_live_without_a_seam() {
    let fixture = with_a_tiny_window();
    while_publishing(&fixture, async {
        for _ in 0..50 {
            let mut reader = fixture.stream(&["a"], Start::Last, "complete").await;
            let newest = reader.word().await;
            let newest: u64 = newest.trim_end_matches('?').parse().expect("a number");
            assert_eq!(reader.word().await, format!("ping {}", newest + 1));
            reader.expect(newest + 1..newest + 20).await;
        }
    })
    .await;
}
