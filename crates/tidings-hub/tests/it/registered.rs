//! Whatever is published after `open` has returned is delivered, however busy the hub is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tidings_core::start::Start;

use crate::fixture::{Fixture, number_event, request};

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
