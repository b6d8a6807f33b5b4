//! A repeat is answered with the first publish, and appends nothing.

use std::sync::Arc;

use tidings_core::event::Content;
use tidings_core::port::AppendError;
use tidings_core::start::Start;
use tidings_hub::{PublishError, Published};
use tidings_testkit::draft::draft;

use crate::fixture::{Fixture, content, identity, soon};

async fn publish(
    fixture: &Fixture,
    subject: &str,
    event: Content,
) -> Result<Published, PublishError> {
    let published = soon(fixture.hub.publish(&identity(subject), vec![event])).await;
    published.map(|mut published| published.remove(0))
}

#[tokio::test]
async fn a_repeat_has_the_position_and_time_of_the_first() {
    let fixture = Fixture::new();
    let mut reader = fixture.live(&["a"]).await;
    let event = || draft("a").data("1").id("order-1");
    let first = fixture.publish(event()).await;
    assert_eq!((first.id.as_str(), first.duplicate), ("order-1", false));
    fixture.clock.advance(std::time::Duration::from_secs(5));
    let again = fixture.publish(event()).await;
    assert_eq!(
        (again.position, again.timestamp),
        (first.position, first.timestamp)
    );
    assert_eq!((again.duplicate, again.subscribers), (true, None));
    let without_id = fixture.publish(draft("a").data("2")).await;
    assert_eq!(without_id.id, without_id.position.to_string());
    assert_eq!(reader.words(2).await, ["1", "2"]);
    let figures = fixture.hub.figures();
    assert_eq!((figures.events_published, figures.events_duplicate), (2, 1));
}

#[tokio::test]
async fn an_id_belongs_to_its_publisher_and_source() {
    let fixture = Fixture::new();
    let event = |source: &str, data: &'static str| {
        content(draft("a").data(data).source(source).id("order-1"))
    };
    let first = publish(&fixture, "p1", event("s1", "1"))
        .await
        .expect("published");
    for (subject, source) in [("p2", "s1"), ("p1", "s2")] {
        let other = publish(&fixture, subject, event(source, "2")).await;
        assert!(!other.expect("published").duplicate, "{subject} {source}");
    }
    let reused = publish(&fixture, "p1", event("s1", "2")).await;
    assert_eq!(
        reused,
        Err(PublishError::Append(AppendError::IdReused {
            index: 0,
            position: Some(first.position)
        }))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn d16_a_thousand_concurrent_repeats_are_one_event() {
    let fixture = Arc::new(Fixture::new());
    let mut reader = fixture.live(&["a"]).await;
    let mut publishers = tokio::task::JoinSet::new();
    for _ in 0..1_000 {
        let fixture = fixture.clone();
        publishers.spawn(async move { fixture.publish(draft("a").data("1").id("once")).await });
    }
    let published = soon(publishers.join_all()).await;
    let firsts = published.iter().filter(|one| !one.duplicate).count();
    assert_eq!(firsts, 1);
    let position = published[0].position;
    assert!(published.iter().all(|one| one.position == position));
    assert_eq!(fixture.hub.head(), position);
    fixture.publish(draft("a").data("2")).await;
    assert_eq!(reader.words(2).await, ["1", "2"]);
    let mut replay = fixture.stream(&["a"], Start::Earliest, "complete").await;
    assert_eq!(replay.words(2).await, ["1", "2"]);
}
