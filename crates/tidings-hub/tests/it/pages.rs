//! Pages: at once, or as soon as there is something, or when their time is over.

use std::time::Duration;

use tidings_core::start::Start;

use crate::fixture::{Fixture, number_event, page_request, soon, words};

#[tokio::test]
async fn pages_after_each_other_hold_everything_once() {
    let fixture = Fixture::new();
    fixture.publish_numbers("a", 0..25).await;
    let mut start = Start::Earliest;
    let mut told = Vec::new();
    loop {
        let page = fixture.page(page_request(&["a"], start, 10, 0)).await;
        assert!(page.events <= 10);
        told.extend(words(&page));
        start = Start::After(page.cursor);
        if !page.more {
            break;
        }
    }
    let expected: Vec<_> = (0..25).map(|number: u64| number.to_string()).collect();
    assert_eq!(told, expected);
    let empty = fixture.page(page_request(&["a"], start, 10, 0)).await;
    assert_eq!((empty.events, empty.more), (0, false));
    assert_eq!(empty.cursor, fixture.hub.head());
}

#[tokio::test]
async fn a_long_poll_is_answered_by_the_first_matching_event() {
    let fixture = Fixture::new();
    let request = page_request(&["a"], Start::Now, 10, 50_000);
    let mut poll = fixture.open(request).await.expect("opened");
    fixture.publish(number_event("b", 1)).await;
    let published = fixture.publish(number_event("a", 2)).await;
    assert_eq!(poll.word().await, "2");
    let page = poll.last.expect("a page");
    assert_eq!((page.cursor, page.last), (published.position, true));
}

#[tokio::test]
async fn a_long_poll_is_answered_by_its_deadline_with_a_cursor_that_moved() {
    let fixture = Fixture::new();
    let request = page_request(&["a"], Start::Now, 10, 25_000);
    let mut poll = fixture.open(request).await.expect("opened");
    fixture.publish(number_event("b", 1)).await;
    fixture.clock.advance(Duration::from_secs(25));
    fixture.wake_shards().await;
    let page = soon(poll.reader.next()).await.expect("a page");
    assert_eq!((page.events, page.more, page.last), (0, false, true));
    assert_eq!(page.cursor, fixture.hub.head());
}

#[tokio::test]
async fn the_newest_of_each_topic_is_a_page_too() {
    let fixture = Fixture::new();
    fixture.publish_numbers("a/1", 0..3).await;
    fixture.publish_numbers("a/2", 3..5).await;
    let page = fixture
        .page(page_request(&["a/*"], Start::Last, 10, 0))
        .await;
    assert_eq!(words(&page), ["2?", "4?"]);
    assert_eq!(page.cursor, fixture.hub.head());
}

#[tokio::test]
async fn a_snapshot_that_does_not_fit_a_page_goes_on_after_its_cursor() {
    let fixture = Fixture::new();
    for topic in 1..=5 {
        let key = format!("a/{topic}");
        fixture.publish(number_event(&key, topic)).await;
    }
    let mut start = Start::Last;
    let mut told = Vec::new();
    loop {
        let page = fixture.page(page_request(&["a/*"], start, 2, 0)).await;
        told.push(words(&page));
        start = Start::After(page.cursor);
        if !page.more {
            break;
        }
        // One that is told already, which makes the pages after it the longer.
        if told.len() == 1 {
            fixture.publish(number_event("a/1", 6)).await;
        }
    }
    let expected: [&[&str]; 3] = [&["1?", "2?"], &["3", "4"], &["5", "6"]];
    assert_eq!(told, expected);
}
