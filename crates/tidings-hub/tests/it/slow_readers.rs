//! A slow reader costs a cursor: it returns to the log and gets everything.

use std::time::Duration;

use tidings_core::limits::SEND_BYTES_MAX;
use tidings_core::start::Start;
use tidings_hub::Options;
use tidings_log::memory::MemoryOptions;
use tidings_testkit::draft::{data_of_bytes, draft};

use crate::fixture::{Fixture, asked, number_event, one_shard, request, soon};

fn tiny_window() -> Options {
    Options {
        window_events: 4,
        ..one_shard()
    }
}

#[tokio::test]
async fn a_slow_reader_returns_to_the_log_and_gets_everything() {
    let fixture = Fixture::with(&tiny_window(), MemoryOptions::default());
    let mut slow = fixture.live(&["a"]).await;
    let mut quick = fixture.live(&["a"]).await;
    for number in 0..300 {
        fixture.publish(number_event("a", number)).await;
        quick.expect(number..number + 1).await;
    }
    assert_eq!(fixture.hub.figures().store_reads, 0);
    slow.expect(0..300).await;
    assert!(
        fixture.hub.figures().store_reads > 0,
        "the log was not read"
    );
    fixture.publish(number_event("a", 300)).await;
    slow.expect(300..301).await;
    quick.expect(300..301).await;
}

#[tokio::test]
async fn a_window_of_few_bytes_sends_readers_to_the_log_too() {
    let options = Options {
        window_bytes: 4_096,
        ..one_shard()
    };
    let fixture = Fixture::with(&options, MemoryOptions::default());
    let mut slow = fixture.live(&["a"]).await;
    fixture.publish_numbers("a", 0..100).await;
    slow.expect(0..100).await;
    assert!(
        fixture.hub.figures().store_reads > 0,
        "the log was not read"
    );
}

#[tokio::test]
async fn n4_no_more_than_a_send_waits_for_a_reader_that_replays() {
    const EVENT_BYTES: usize = 10_000;
    let fixture = Fixture::with(&tiny_window(), MemoryOptions::default());
    for _ in 0..50 {
        let large = draft("a").data(data_of_bytes(EVENT_BYTES));
        fixture.publish(large).await;
    }
    let mut reader = fixture.stream(&["a"], Start::Earliest, "complete").await;
    let mut events = 0;
    while events < 50 {
        let delivery = soon(reader.reader.next())
            .await
            .expect("the stream goes on");
        events += delivery.events;
        assert!(delivery.bytes.len() < SEND_BYTES_MAX + EVENT_BYTES * 2);
    }
    assert_eq!(events, 50);
}

#[tokio::test]
async fn n4_a_reader_behind_in_the_window_gets_no_more_than_a_send_at_once() {
    const EVENT_BYTES: usize = 10_000;
    let fixture = Fixture::new();
    let mut reader = fixture.live(&["a"]).await;
    for _ in 0..50 {
        let large = draft("a").data(data_of_bytes(EVENT_BYTES));
        fixture.publish(large).await;
    }
    let mut events = 0;
    let mut largest = 0;
    while events < 50 {
        let delivery = soon(reader.reader.next())
            .await
            .expect("the stream goes on");
        events += delivery.events;
        largest = largest.max(delivery.bytes.len());
    }
    assert_eq!(fixture.hub.figures().store_reads, 0, "the window is enough");
    let expected = SEND_BYTES_MAX..SEND_BYTES_MAX + EVENT_BYTES * 2;
    assert!(expected.contains(&largest), "{largest}");
}

#[tokio::test]
async fn a_filter_that_lets_little_pass_finds_it_behind_the_window() {
    let fixture = Fixture::with(&tiny_window(), MemoryOptions::default());
    fixture
        .publish(number_event("a", 0).event_type("wanted.first"))
        .await;
    fixture.publish_numbers("a", 1..200).await;
    let mut rare = request(&["a"], Start::Earliest);
    rare.subscription = asked(&["a"], &["wanted.*"]);
    let mut rare = fixture.open(rare).await.expect("opened");
    assert_eq!(rare.words(2).await, ["hello complete", "0"]);
    fixture
        .publish(number_event("a", 200).event_type("wanted.last"))
        .await;
    rare.expect(200..201).await;
}

#[tokio::test]
async fn n4_a_reader_that_is_given_up_holds_no_place_though_it_never_looks_again() {
    let options = Options {
        slow_reader_ms: 10_000,
        connections: 1,
        ..one_shard()
    };
    let fixture = Fixture::with(&options, MemoryOptions::default());
    // As in a response whose client grants it no window.
    let mut slow = fixture.live(&["a"]).await;
    fixture.publish(number_event("a", 1)).await;
    // What it does not take lies there, from a moment before the next one.
    fixture.turn_shards().await;
    fixture.clock.advance(Duration::from_secs(10));
    soon(async {
        while fixture.hub.figures().connections > 0 {
            fixture.wake_shards().await;
        }
    })
    .await;
    fixture.live(&["a"]).await;
    slow.expect(1..2).await;
    assert_eq!(slow.word().await, "bye slow_reader");
}

#[tokio::test]
async fn readers_that_come_back_together_read_each_block_of_the_log_once() {
    // Fifty of them are more than fits a send, so that each reader reads several blocks.
    const EVENT_BYTES: usize = 10_000;
    let fixture = Fixture::with(&tiny_window(), MemoryOptions::default());
    for _ in 0..50 {
        let large = draft("a").data(data_of_bytes(EVENT_BYTES));
        fixture.publish(large).await;
    }
    let read_all = async || {
        let start = Start::Earliest;
        let mut reader = fixture.stream(&["a"], start, "complete").await;
        reader.words(50).await;
    };
    read_all().await;
    let blocks = fixture.hub.figures().store_reads;
    assert!(blocks > 1, "{blocks} blocks");
    // One after the other: none finds another's read under way.
    for _ in 0..20 {
        read_all().await;
    }
    let figures = fixture.hub.figures();
    assert_eq!(figures.store_reads, blocks);
    assert!(figures.store_reads_shared >= 20 * blocks);
    fixture.clock.advance(Duration::from_secs(60));
    read_all().await;
    assert!(
        fixture.hub.figures().store_reads > blocks,
        "nothing is kept for long"
    );
}
