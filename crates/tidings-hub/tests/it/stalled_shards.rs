//! A shard that stalls overflows its feed: nobody waits for it, and it loses nothing.

use std::sync::Arc;

use tidings_core::limits::SHARD_FEED_BATCHES_MAX;
use tidings_core::start::Start;
use tidings_log::memory::MemoryOptions;

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
