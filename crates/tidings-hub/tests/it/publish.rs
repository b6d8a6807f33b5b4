//! From a publish to every matching reader: once, in order, and counted.

use std::sync::Arc;

use tidings_core::priority::Priority;
use tidings_core::start::Start;
use tidings_core::topic::Topic;
use tidings_testkit::draft::{DraftBuilder, draft};

use crate::fixture::{Fixture, asked, identity, number_event, page_request, request, soon};

#[tokio::test]
async fn every_matching_reader_gets_each_event_once_and_in_order() {
    let fixture = Fixture::new();
    let mut readers = Vec::new();
    for patterns in [&["a/1"][..], &["a/*"], &["**", "a/1", "a/**"]] {
        readers.push(fixture.live(patterns).await);
        readers.push(fixture.live(patterns).await);
    }
    let mut other = fixture.live(&["b/*"]).await;
    fixture.publish_numbers("a/1", 0..300).await;
    fixture.publish(number_event("b/1", 300)).await;
    for reader in &mut readers {
        reader.expect(0..300).await;
    }
    other.expect(300..301).await;
}

#[tokio::test]
async fn the_lines_of_concurrent_publishers_stand_in_one_order_for_all() {
    let fixture = Arc::new(Fixture::new());
    let mut first = fixture.live(&["a"]).await;
    let mut second = fixture.live(&["*"]).await;
    let mut publishers = tokio::task::JoinSet::new();
    for publisher in 0..8 {
        let fixture = fixture.clone();
        publishers.spawn(async move {
            for number in 0..50 {
                let event = draft("a").data(format!("{publisher}.{number}"));
                fixture.publish(event).await;
            }
        });
    }
    let words = first.words(400).await;
    assert_eq!(second.words(400).await, words);
    for publisher in 0..8 {
        let own = words
            .iter()
            .filter_map(|word| word.strip_prefix(&format!("{publisher}.")));
        assert!(own.eq((0..50).map(|number| number.to_string())));
    }
    publishers.join_all().await;
}

#[tokio::test]
async fn subscribers_counts_each_matching_connection_once_over_all_shards() {
    let fixture = Fixture::new();
    let mut readers = Vec::new();
    for patterns in [&["a"][..], &["a", "*", "**"], &["a"], &["*"], &["b"]] {
        readers.push(fixture.live(patterns).await);
    }
    let mut filtered = request(&["a"], Start::Now);
    filtered.subscription = asked(&["a"], &["wanted.*"]);
    readers.push(fixture.open(filtered).await.expect("opened"));
    assert_eq!(count(&fixture, || draft("a")).await, 4);
    assert_eq!(
        count(&fixture, || draft("a").event_type("wanted.x")).await,
        5
    );
    let critical = || draft("a").also("b").priority(Priority::Critical);
    assert_eq!(count(&fixture, critical).await, 6);
    assert_eq!(count(&fixture, || draft("c/d")).await, 1);
    assert_eq!(count(&fixture, || draft("@user/reader")).await, 5);
    assert_eq!(count(&fixture, || draft("@user/nobody")).await, 0);
    drop(readers);
    assert_eq!(count(&fixture, || draft("a")).await, 0);
}

#[tokio::test]
async fn a_waiting_page_counts_until_it_has_its_answer() {
    let fixture = Fixture::new();
    let mut polls = Vec::new();
    let with_poll = async {
        loop {
            let poll = page_request(&["a"], Start::Now, 10, 50_000);
            polls.push(fixture.open(poll).await.expect("opened"));
            // A late shard says nothing; the next poll asks again.
            if let Some(count) = fixture.publish(draft("a")).await.subscribers {
                return count;
            }
            // Until then the poll before it would still be there.
            fixture.turn_shards().await;
        }
    };
    assert_eq!(soon(with_poll).await, 1);
    // The page is answered, though nobody has taken the answer.
    assert_eq!(count(&fixture, || draft("a")).await, 0);
}

#[tokio::test]
async fn each_event_of_a_group_has_its_own_count() {
    let fixture = Fixture::new();
    let mut readers = Vec::new();
    for patterns in [&["a"][..], &["a", "b"], &["*"]] {
        readers.push(fixture.live(patterns).await);
    }
    let counts = async {
        loop {
            let group = vec![draft("a"), draft("b"), draft("c/d")];
            let published = fixture.publish_group(group).await.expect("published");
            let counts: Option<Vec<_>> = published.iter().map(|one| one.subscribers).collect();
            if let Some(counts) = counts {
                return counts;
            }
        }
    };
    assert_eq!(soon(counts).await, [3, 2, 0]);
}

#[tokio::test]
async fn an_audience_reaches_its_own_readers_alone() {
    let fixture = Fixture::new();
    let mut reader = fixture.live(&["a"]).await;
    let mut other = request(&["a"], Start::Now);
    other.identity = Arc::new(identity("other"));
    let mut other = fixture.open(other).await.expect("opened");
    assert_eq!(other.word().await, "hello none");
    for (number, key) in ["@user/reader", "@user/other", "@role/READER", "@all"]
        .into_iter()
        .enumerate()
    {
        fixture.publish(number_event(key, number as u64)).await;
    }
    assert_eq!(reader.words(3).await, ["0", "2", "3"]);
    assert_eq!(other.words(3).await, ["1", "2", "3"]);
}

#[tokio::test]
async fn figures_count_what_was_done() {
    let fixture = Fixture::new();
    let mut reader = fixture.live(&["a"]).await;
    fixture.publish_numbers("a", 0..3).await;
    reader.expect(0..3).await;
    drop(reader);
    // Asking a shard twice: the figures of the first round are there in the second.
    fixture.wake_shards().await;
    fixture.wake_shards().await;
    let figures = fixture.hub.figures();
    assert_eq!(
        (figures.events_published, figures.publishes_refused),
        (3, 0)
    );
    assert_eq!(figures.events_delivered, 3);
    assert_eq!(
        (figures.connections_opened, figures.connections_closed),
        (1, 1)
    );
    assert_eq!((figures.connections, figures.end_offset), (0, 3));
    assert_eq!(figures.store_reads, 0, "live readers need no log");
    let topic = Topic::parse("a").expect("a topic");
    let state = soon(fixture.hub.topic(&topic)).await.expect("a state");
    assert_eq!(state.head.map(|head| head.offset.0), Some(3));
    assert_eq!(state.subscribers, 0);
}

/// How many connections an event matches; asked again as long as a shard is late.
async fn count(fixture: &Fixture, event: impl Fn() -> DraftBuilder) -> u64 {
    soon(async {
        loop {
            if let Some(count) = fixture.publish(event()).await.subscribers {
                return count;
            }
        }
    })
    .await
}
