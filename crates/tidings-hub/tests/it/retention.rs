//! What retention has taken away is told, and nothing else is.

use tidings_core::gap::GapReason;
use tidings_core::start::Start;
use tidings_hub::Options;
use tidings_log::memory::{MemoryOptions, MemoryRetention};

use crate::fixture::{Fixture, number_event, one_shard, page_request, words};

/// A hub whose log keeps this many events.
fn keeping(events_max: usize) -> Fixture {
    let log = MemoryOptions {
        retention: MemoryRetention {
            events_max,
            ..MemoryRetention::default()
        },
        ..MemoryOptions::default()
    };
    let options = Options {
        window_events: 2,
        ..one_shard()
    };
    Fixture::with(&options, log)
}

#[tokio::test]
async fn d9_a_reader_from_before_is_told_the_gap_and_gets_the_rest() {
    let fixture = keeping(5);
    let start = fixture.publish(number_event("a", 1)).await.position;
    fixture.publish_numbers("a", 2..21).await;

    let mut reader = fixture.stream(&["a"], Start::After(start), "gap").await;
    assert_eq!(reader.word().await, "gap 1..15 retention");
    reader.expect(16..21).await;

    let mut all = fixture.stream(&["a"], Start::Earliest, "complete").await;
    all.expect(16..21).await;

    let page = fixture
        .page(page_request(&["a"], Start::After(start), 3, 0))
        .await;
    let gap = page.gap.expect("a gap");
    assert_eq!((gap.from, gap.reason), (Some(start), GapReason::Retention));
    assert_eq!(gap.to.offset.0, 15);
    assert!(page.more);
    let next = page_request(&["a"], Start::After(page.cursor), 100, 0);
    let next = fixture.page(next).await;
    let told = [words(&page), words(&next)].concat();
    assert_eq!(told, ["16", "17", "18", "19", "20"]);
    assert_eq!(next.gap, None);
}

#[tokio::test]
async fn d9_retention_that_overtakes_a_slow_reader_is_told_where_it_happened() {
    let fixture = keeping(10);
    let mut slow = fixture.live(&["a"]).await;
    fixture.publish_numbers("a", 1..51).await;
    let mut last = 0;
    loop {
        let word = slow.word().await;
        if let Ok(number) = word.parse::<u64>() {
            assert_eq!(number, last + 1, "events before the gap are complete");
            last = number;
        } else {
            assert_eq!(word, format!("gap {last}..40 retention"));
            break;
        }
    }
    assert!(last < 40, "retention has overtaken the reader");
    slow.expect(41..51).await;
}

#[tokio::test]
async fn n13_a_quiet_topic_never_gets_a_false_gap() {
    let fixture = keeping(5);
    let start = fixture.publish(number_event("busy", 1)).await.position;
    let mut silent = fixture
        .stream(&["quiet"], Start::After(start), "complete")
        .await;
    fixture.publish_numbers("busy", 2..101).await;
    let mut resumed = fixture
        .stream(&["quiet"], Start::After(start), "complete")
        .await;
    let page = fixture
        .page(page_request(&["quiet"], Start::After(start), 10, 0))
        .await;
    assert_eq!((page.gap, page.events, page.more), (None, 0, false));
    assert_eq!(page.cursor, fixture.hub.head());
    fixture.publish(number_event("quiet", 101)).await;
    silent.expect(101..102).await;
    resumed.expect(101..102).await;
}
