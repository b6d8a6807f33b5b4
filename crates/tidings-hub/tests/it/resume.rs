//! Where a reader may start, and what it is told when its start means nothing here.

use std::time::Duration;

use tidings_core::id::EventId;
use tidings_core::limits::{GROUP_EVENTS_MAX, STORE_READ_BYTES_MAX, STORE_READ_EVENTS_MAX};
use tidings_core::port::Clock as _;
use tidings_core::position::{Epoch, Offset, Position};
use tidings_core::start::Start;
use tidings_core::time::Timestamp;

use tidings_testkit::draft::{data_of_bytes, draft};

use crate::fixture::{
    Fixture, asked, content, identity, number_event, page_request, request, soon, words,
};

/// Ten events, one per second, the fifth and later ones with ids `e5`, `e6` and so on.
async fn ten() -> (Fixture, Vec<Position>, Timestamp) {
    let fixture = Fixture::new();
    let began = fixture.clock.now();
    let mut positions = Vec::new();
    for number in 1..=10 {
        let mut event = number_event("a", number);
        if number >= 5 {
            event = event.id(&format!("e{number}"));
        }
        positions.push(fixture.publish(event).await.position);
        fixture.clock.advance(Duration::from_secs(1));
    }
    (fixture, positions, began)
}

fn numbers(from: u64) -> Vec<String> {
    (from..=11).map(|number| number.to_string()).collect()
}

#[tokio::test]
async fn a_reader_starts_where_it_asks_to_and_goes_on_live() {
    let (fixture, positions, began) = ten().await;
    let at = |seconds| began.plus(Duration::from_secs(seconds));
    let id = |text| Start::AfterId(EventId::parse(text).expect("an id"));
    let starts = [
        (Start::Now, "none", 11),
        (Start::Earliest, "complete", 1),
        (Start::After(positions[2]), "complete", 4),
        (Start::After(positions[9]), "complete", 11),
        (id("e7"), "complete", 8),
        // Inclusive: the event of that very moment comes too.
        (Start::Since(at(3)), "complete", 4),
        (Start::Since(at(1_000)), "complete", 11),
        (Start::Ago(Duration::from_secs(2)), "complete", 9),
    ];
    let mut readers = Vec::new();
    for (start, hello, first) in starts {
        readers.push((fixture.stream(&["a"], start, hello).await, first));
    }
    fixture.publish(number_event("a", 11)).await;
    for (reader, first) in &mut readers {
        let expected = numbers(*first);
        assert_eq!(reader.words(expected.len()).await, expected);
    }
}

#[tokio::test]
async fn last_sends_the_newest_of_each_topic_without_ids_and_goes_on_from_its_head() {
    let (fixture, ..) = ten().await;
    fixture.publish(number_event("b", 20)).await;
    let mut reader = fixture.stream(&["*"], Start::Last, "complete").await;
    fixture.publish(number_event("a", 21)).await;
    assert_eq!(reader.words(4).await, ["10?", "20?", "ping 11", "21"]);
}

#[tokio::test]
async fn a_snapshot_has_as_many_sends_as_it_needs_and_none_is_large() {
    const TOPICS: usize = 3 * STORE_READ_EVENTS_MAX / 2;
    const LARGE_BYTES: usize = 200 * 1024;
    let fixture = Fixture::new();
    let mut group = Vec::new();
    for topic in 0..TOPICS {
        group.push(number_event(&format!("a/{topic}"), topic as u64));
    }
    for part in group.chunks(GROUP_EVENTS_MAX) {
        fixture
            .publish_group(part.to_vec())
            .await
            .expect("published");
    }
    for topic in 0..7 {
        let event = draft(&format!("b/{topic}")).data(data_of_bytes(LARGE_BYTES));
        fixture.publish(event).await;
    }
    let head = fixture.hub.head();
    for (pattern, sizes) in [
        (
            "a/*",
            vec![STORE_READ_EVENTS_MAX, TOPICS - STORE_READ_EVENTS_MAX],
        ),
        ("b/*", vec![3, 3, 1]),
    ] {
        let mut reader = fixture
            .stream(&[pattern], Start::Last, "complete")
            .await
            .reader;
        let mut sends = Vec::new();
        while sends.iter().sum::<usize>() < sizes.iter().sum() {
            let send = soon(reader.next()).await.expect("the stream goes on");
            assert!(send.bytes.len() < STORE_READ_BYTES_MAX + LARGE_BYTES);
            sends.push(send.events);
            let ended = words(&send).last() == Some(&format!("ping {}", head.offset));
            assert_eq!(ended, sends.len() == sizes.len());
        }
        assert_eq!(sends, sizes, "{pattern}");
    }
}

#[tokio::test]
async fn n13_what_means_nothing_here_is_answered_with_a_gap_and_the_fallback() {
    let (fixture, positions, _) = ten().await;
    let foreign = Position {
        epoch: Epoch::from_bits(99),
        offset: Offset(3),
    };
    let unknown_id = EventId::parse("nobody-knows").expect("an id");
    for start in [
        Start::After(foreign),
        Start::AfterId(unknown_id),
        Start::Foreign,
    ] {
        let mut reader = fixture.stream(&["a"], start.clone(), "gap").await;
        assert_eq!(reader.word().await, "gap -1..10 unknown", "{start:?}");

        let mut with_fallback = request(&["a"], start.clone());
        with_fallback.fallback = Start::After(positions[7]);
        let mut reader = fixture.open(with_fallback).await.expect("opened");
        assert_eq!(
            reader.words(4).await,
            ["hello gap", "gap -1..8 unknown", "9", "10"],
            "{start:?}"
        );

        let mut page = page_request(&["a"], start, 100, 50_000);
        page.fallback = Start::After(positions[8]);
        let page = fixture.page(page).await;
        let gap = page.gap.expect("a gap");
        assert_eq!((gap.from, gap.to), (None, positions[8]));
        assert_eq!(words(&page), ["10"]);
    }
}

#[tokio::test]
async fn n13_a_cursor_beyond_the_end_is_told_that_the_log_was_rewound() {
    let (fixture, positions, _) = ten().await;
    let beyond = Position {
        epoch: positions[0].epoch,
        offset: Offset(u64::MAX),
    };
    let mut reader = fixture.stream(&["a"], Start::After(beyond), "gap").await;
    fixture.publish(number_event("a", 11)).await;
    assert_eq!(reader.words(2).await, ["gap 10..10 rewound", "11"]);
}

#[tokio::test]
async fn an_id_of_an_event_that_may_not_be_read_is_like_an_unknown_one() {
    let (fixture, ..) = ten().await;
    let hidden = number_event("@user/somebody", 11).id("hidden");
    fixture.publish(hidden).await;
    let start = Start::AfterId(EventId::parse("hidden").expect("an id"));
    let mut reader = fixture.stream(&["a"], start, "gap").await;
    assert_eq!(reader.word().await, "gap -1..11 unknown");
}

#[tokio::test]
async fn a_filter_that_lets_nothing_pass_ends_at_the_head_all_the_same() {
    let (fixture, positions, _) = ten().await;
    let mut nothing = page_request(&["a"], Start::Earliest, 100, 0);
    nothing.subscription = asked(&["a"], &["never.*"]);
    let page = fixture.page(nothing).await;
    assert_eq!(
        (page.events, page.cursor, page.more),
        (0, positions[9], false)
    );
}

#[tokio::test]
async fn after_an_id_that_several_publishers_used_nothing_is_missed() {
    let fixture = Fixture::new();
    for (number, publisher) in [(1, "p1"), (2, "p2"), (3, "p3")] {
        let event = content(number_event("a", number).id("same"));
        let published = fixture.hub.publish(&identity(publisher), vec![event]).await;
        published.expect("published");
    }
    let start = Start::AfterId(EventId::parse("same").expect("an id"));
    let mut reader = fixture.stream(&["a"], start, "complete").await;
    assert_eq!(reader.words(2).await, ["2", "3"]);
}
