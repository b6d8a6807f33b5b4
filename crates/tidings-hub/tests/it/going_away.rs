//! Readers that go away, at whatever moment, leave nothing behind.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use tidings_core::start::Start;
use tidings_hub::Options;
use tidings_log::memory::MemoryOptions;

use crate::fixture::{Fixture, number_event, one_shard, page_request, request, soon, two_shards};

/// Panics unless neither the gate nor a shard knows of any connection.
async fn assert_nobody_is_left(fixture: &Fixture) {
    assert_eq!(fixture.hub.figures().connections, 0);
    let census = soon(fixture.hub.census()).await;
    // Whoever left before the first question is gone before the second.
    let census_after = soon(fixture.hub.census()).await;
    assert_eq!(census_after.total(), 0, "first {census:?}");
}

#[tokio::test]
async fn an_open_that_is_dropped_after_its_shard_has_answered_leaves_nothing() {
    let fixture = Fixture::with(&one_shard(), MemoryOptions::default());
    let mut stalling = fixture.live(&["stalling"]).await;
    for _ in 0..10 {
        fixture.stall("stalling", 1).await;
        let mut open = pin!(fixture.hub.open(request(&["a"], Start::Now)));
        let mut context = Context::from_waker(Waker::noop());
        assert!(open.as_mut().poll(&mut context).is_pending());
        fixture.encoder.open_gate();
        // Asked behind it: the open has its answer when this has.
        fixture.wake_shards().await;
        assert_eq!(fixture.hub.figures().connections, 2);
        stalling.expect(1..2).await;
    }
    drop(stalling);
    assert_nobody_is_left(&fixture).await;
    fixture.wake_shards().await;
    assert_eq!(fixture.hub.figures().connections_opened, 11);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn opens_that_are_dropped_at_any_moment_leave_nothing() {
    let roomy = Options {
        connections_per_identity: 1_000,
        ..two_shards()
    };
    let fixture = Arc::new(Fixture::with(&roomy, MemoryOptions::default()));
    fixture.publish_numbers("a", 0..50).await;
    let mut opens = tokio::task::JoinSet::new();
    for index in 0..400_u32 {
        let fixture = fixture.clone();
        opens.spawn(async move {
            let start = if index % 2 == 0 {
                Start::Now
            } else {
                Start::Earliest
            };
            let open = async {
                let mut told = fixture.open(request(&["a"], start)).await.expect("opened");
                while told.next().await.is_some() {}
            };
            // Given up after a different number of steps each.
            let patience = async {
                for _ in 0..index % 40 {
                    tokio::task::yield_now().await;
                }
            };
            tokio::select! {
                () = open => unreachable!("nobody ends the stream"),
                () = patience => {}
            }
        });
    }
    soon(opens.join_all()).await;
    assert_nobody_is_left(&fixture).await;
}

#[tokio::test]
async fn readers_and_waiting_pages_that_are_dropped_are_forgotten() {
    let fixture = Fixture::new();
    let mut readers = Vec::new();
    for _ in 0..20 {
        readers.push(fixture.live(&["a", "b/*"]).await);
        let poll = page_request(&["a"], Start::Now, 10, 50_000);
        readers.push(fixture.open(poll).await.expect("opened"));
    }
    // Some with something in their mailbox, some while they replay.
    fixture.publish_numbers("b/1", 0..5).await;
    for _ in 0..5 {
        let replaying = request(&["**"], Start::Earliest);
        readers.push(fixture.open(replaying).await.expect("opened"));
    }
    assert_eq!(fixture.hub.figures().connections, 45);
    drop(readers);
    assert_nobody_is_left(&fixture).await;
    let published = fixture.publish(number_event("a", 1)).await;
    assert!(published.subscribers.is_none_or(|count| count == 0));
}

#[tokio::test]
async fn connections_opened_at_once_are_spread_over_the_shards() {
    let fixture = Arc::new(Fixture::new());
    let mut opens = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let fixture = fixture.clone();
        opens.spawn(async move { fixture.open(request(&["a"], Start::Now)).await });
    }
    let opened = soon(opens.join_all()).await;
    let on_the_first = opened.iter().filter(|opened| {
        let id = opened
            .as_ref()
            .expect("opened")
            .reader
            .connection_id()
            .to_string();
        // `node.shard.slot.generation.random`
        id.split('.').nth(1) == Some("0")
    });
    assert_eq!(on_the_first.count(), 5);
}

#[tokio::test]
async fn a_reader_outlives_the_hub_and_is_told_that_it_has_ended() {
    let fixture = Fixture::new();
    let mut reader = fixture.live(&["a"]).await;
    fixture.publish(number_event("a", 1)).await;
    drop(fixture);
    // What lay in its mailbox may still come.
    while let Some(word) = reader.next().await {
        assert_eq!(word, "1");
    }
}
