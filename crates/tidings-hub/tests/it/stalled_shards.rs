//! A shard that stalls overflows its feed: nobody waits for it, and it loses nothing.

use std::sync::Arc;

use tidings_core::limits::{
    EVENT_BYTES_MAX, GROUP_BYTES_MAX, SHARD_FEED_BATCHES_MAX, WINDOW_BYTES_DEFAULT,
};
use tidings_core::start::Start;
use tidings_log::memory::{MemoryOptions, MemoryRetention};
use tidings_testkit::draft::{data_of_bytes, draft};

use crate::fixture::{Fixture, number_event, one_shard, soon};

#[tokio::test]
async fn a_stalled_shard_counts_nothing_and_reads_what_it_missed() {
    const EVENTS: u64 = SHARD_FEED_BATCHES_MAX as u64 + 300;
    let fixture = Arc::new(Fixture::with(&one_shard(), MemoryOptions::default()));
    let mut reader = fixture.live(&["a"]).await;
    fixture.stall("a", 0).await;

    // All at once, because each waits for its count as long as a publisher waits.
    let mut publishers = tokio::task::JoinSet::new();
    for number in 1..=EVENTS {
        let fixture = fixture.clone();
        publishers.spawn(async move { fixture.publish(number_event("a", number)).await });
    }
    for published in soon(publishers.join_all()).await {
        assert_eq!(published.subscribers, None, "the shard could not count");
    }
    assert_eq!(
        fixture.hub.figures().feed_overflows,
        0,
        "it has not looked yet"
    );
    fixture.encoder.open_gate();

    let got = reader.words(EVENTS as usize + 1).await;
    let mut replay = fixture.stream(&["a"], Start::Earliest, "complete").await;
    assert_eq!(replay.words(EVENTS as usize + 1).await, got);
    let figures = fixture.hub.figures();
    assert_eq!(figures.feed_overflows, 1);
    assert_eq!(figures.end_offset, EVENTS + 1);

    // In step again: it counts.
    let counted = async {
        loop {
            if let Some(count) = fixture.publish(number_event("a", 0)).await.subscribers {
                return count;
            }
        }
    };
    assert_eq!(soon(counted).await, 2);
}

#[tokio::test]
async fn a_backlog_of_many_bytes_overflows_the_feed_too() {
    const GROUPS: usize = WINDOW_BYTES_DEFAULT / GROUP_BYTES_MAX + 2;
    let fixture = Fixture::with(&one_shard(), MemoryOptions::default());
    let mut reader = fixture.live(&["a"]).await;
    fixture.stall("a", 0).await;
    let large = data_of_bytes(EVENT_BYTES_MAX - 64);
    for _ in 0..GROUPS {
        let group = (0..GROUP_BYTES_MAX / EVENT_BYTES_MAX)
            .map(|_| draft("large").data(large.clone()))
            .collect();
        fixture.publish_group(group).await.expect("published");
    }
    fixture.encoder.open_gate();
    fixture.publish(number_event("a", 1)).await;
    reader.expect(0..2).await;
    // The overflow is counted in the round in which it is noticed.
    fixture.wake_shards().await;
    fixture.wake_shards().await;
    assert_eq!(fixture.hub.figures().feed_overflows, 1);
}

#[tokio::test]
async fn d9_what_retention_took_from_a_stalled_shard_is_told_to_whom_it_concerns() {
    const EVENTS: u64 = SHARD_FEED_BATCHES_MAX as u64 + 100;
    const KEPT: u64 = 10;
    let log = MemoryOptions {
        retention: MemoryRetention {
            events_max: KEPT as usize,
            ..MemoryRetention::default()
        },
        ..MemoryOptions::default()
    };
    let fixture = Arc::new(Fixture::with(&one_shard(), log));
    let mut reader = fixture.live(&["a"]).await;
    let mut quiet = fixture.live(&["quiet"]).await;
    fixture.stall("a", 0).await;
    let mut publishers = tokio::task::JoinSet::new();
    for number in 1..=EVENTS {
        let fixture = fixture.clone();
        publishers.spawn(async move { fixture.publish(number_event("a", number)).await });
    }
    soon(publishers.join_all()).await;
    fixture.encoder.open_gate();
    assert_eq!(reader.word().await, "0");
    // What the shard had taken in before the overflow is still in the window.
    let mut told = 1;
    let gap = loop {
        let word = reader.word().await;
        if word.starts_with("gap") {
            break word;
        }
        told += 1;
    };
    let end = EVENTS + 1;
    assert_eq!(gap, format!("gap {told}..{} retention", end - KEPT));
    reader.words(KEPT as usize).await;
    fixture.publish(number_event("quiet", 1)).await;
    assert_eq!(quiet.word().await, "1", "nothing of its own was removed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_shard_gets_in_step_though_publishers_never_pause() {
    let fixture = Arc::new(Fixture::with(&one_shard(), MemoryOptions::default()));
    let mut reader = fixture.live(&["a"]).await;
    fixture.stall("a", 0).await;
    let mut backlog = tokio::task::JoinSet::new();
    for number in 0..SHARD_FEED_BATCHES_MAX as u64 * 2 {
        let fixture = fixture.clone();
        backlog.spawn(async move { fixture.publish(number_event("b", number)).await });
    }
    soon(backlog.join_all()).await;
    let mut publishers = tokio::task::JoinSet::new();
    for _ in 0..3 {
        let fixture = fixture.clone();
        publishers.spawn(async move {
            // Until one is counted, which a shard that is not in step never does.
            while fixture
                .publish(number_event("a", 1))
                .await
                .subscribers
                .is_none()
            {}
        });
    }
    fixture.encoder.open_gate();
    soon(publishers.join_all()).await;
    assert!(
        fixture.hub.figures().feed_overflows > 0,
        "nothing was missed"
    );
    assert_eq!(reader.words(2).await, ["0", "1"]);
}
