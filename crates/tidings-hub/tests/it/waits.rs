//! Waiting for readers: an event is held until so many connections would get it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use tidings_core::awaited::ReaderWait;
use tidings_core::limits::{AWAITED_MAX, GROUP_EVENTS_MAX, READER_WAIT_MS_MAX};
use tidings_core::start::Start;
use tidings_core::topic::Topic;
use tidings_hub::{Hub, OpenRequest, Options, PublishError, Published};
use tidings_log::memory::MemoryOptions;
use tidings_testkit::draft::DraftBuilder;

use crate::fixture::{
    Fixture, asked, content, identity, number_event, page_request, request, soon, two_shards,
};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_millis(READER_WAIT_MS_MAX);

/// So many readers, for a long time.
fn until(readers: u64) -> Option<ReaderWait> {
    let wait = ReaderWait::new(readers, LONG).ok();
    assert!(wait.is_some(), "{readers} readers are too many");
    wait
}

type Outcome = Result<Vec<Published>, PublishError>;

/// Publishes events, each of which may wait.
async fn publish(hub: Hub, events: Vec<(DraftBuilder, Option<ReaderWait>)>) -> Outcome {
    let publisher = identity("publisher");
    let (events, waits): (Vec<_>, Vec<_>) = events.into_iter().unzip();
    let events = events.into_iter().map(content).collect();
    let admitted = hub.admit(&publisher, events)?;
    admitted.until_read(&waits).await?;
    admitted.commit().await
}

/// A publish under way, to look at.
struct Held(Pin<Box<dyn Future<Output = Outcome>>>);

impl Held {
    fn begin(fixture: &Fixture, events: Vec<(DraftBuilder, Option<ReaderWait>)>) -> Self {
        let mut held = Self(Box::pin(publish(fixture.hub.clone(), events)));
        assert!(held.look().is_none(), "it does not wait");
        held
    }

    fn look(&mut self) -> Option<Outcome> {
        let mut context = Context::from_waker(Waker::noop());
        match self.0.as_mut().poll(&mut context) {
            std::task::Poll::Ready(outcome) => Some(outcome),
            std::task::Poll::Pending => None,
        }
    }

    /// Every shard has told all that it knows, and it still waits.
    async fn still_waits(&mut self, fixture: &Fixture) {
        fixture.turn_shards().await;
        assert!(self.look().is_none(), "it waits for somebody else");
        assert_eq!(fixture.hub.figures().events_published, 0);
    }

    /// How many connections each event matched.
    async fn subscribers(self) -> Vec<Option<u64>> {
        let published = soon(self.0).await.expect("published");
        published.iter().map(|one| one.subscribers).collect()
    }
}

#[tokio::test]
async fn an_event_is_held_until_it_has_its_readers() {
    let fixture = Fixture::new();
    let mut held = Held::begin(&fixture, vec![(number_event("job/1", 1), until(2))]);
    let _other_topic = fixture.live(&["job/2"]).await;
    let filtered = OpenRequest {
        subscription: asked(&["job/1"], &["other.*"]),
        ..request(&[], Start::Now)
    };
    let _other_type = fixture.open(filtered).await.expect("opened");
    let mut ungranted = identity("stranger");
    ungranted.grants.subscribe = asked(&["job/2"], &[]).patterns;
    let narrowed = OpenRequest {
        identity: Arc::new(ungranted),
        ..request(&["job/*"], Start::Now)
    };
    let _not_granted = fixture.open(narrowed).await.expect("opened");
    let mut first = fixture.live(&["job/*", "job/1"]).await;
    held.still_waits(&fixture).await;
    let gone = fixture.live(&["**"]).await;
    drop(gone);
    let mut second = fixture.live(&["job/1"]).await;
    assert_eq!(held.subscribers().await, [Some(2)]);
    first.expect(1..2).await;
    second.expect(1..2).await;
    assert_eq!(fixture.hub.waits(), 0);
}

#[tokio::test]
async fn who_came_and_left_is_not_waited_with() {
    let fixture = Fixture::new();
    let mut held = Held::begin(&fixture, vec![(number_event("a", 1), until(2))]);
    for _ in 0..5 {
        drop(fixture.live(&["a"]).await);
        let page = page_request(&["a"], Start::Now, 10, 0);
        fixture.page(page).await;
        held.still_waits(&fixture).await;
    }
    let _first = fixture.live(&["a"]).await;
    held.still_waits(&fixture).await;
    // A poll that waits for the event is a reader like any other.
    let poll = page_request(&["a"], Start::Now, 10, 1_000_000);
    let _second = fixture.open(poll).await.expect("opened");
    assert_eq!(held.subscribers().await, [Some(2)]);
}

#[tokio::test]
async fn readers_that_are_there_already_are_enough() {
    let fixture = Fixture::new();
    let _readers = [fixture.live(&["a"]).await, fixture.live(&["*"]).await];
    let published = soon(publish(
        fixture.hub.clone(),
        vec![(number_event("a", 1), until(2))],
    ));
    let published = published.await.expect("published");
    assert_eq!(published[0].subscribers, Some(2));
}

#[tokio::test]
async fn an_event_is_published_when_the_time_is_over() {
    let fixture = Fixture::new();
    let wait = ReaderWait::new(1, Duration::from_millis(1)).ok();
    let published = soon(publish(
        fixture.hub.clone(),
        vec![(number_event("a", 1), wait)],
    ));
    let published = published.await.expect("published");
    assert_eq!(published[0].subscribers, Some(0));
    let mut late = fixture.stream(&["a"], Start::Earliest, "complete").await;
    late.expect(1..2).await;
}

#[tokio::test]
async fn each_event_of_a_group_waits_for_its_own_readers() {
    let fixture = Fixture::new();
    let events = vec![
        (number_event("a", 1), until(1)),
        (number_event("b", 2), None),
        (number_event("c", 3), until(1)),
        (number_event("c", 4), until(2)),
    ];
    let mut held = Held::begin(&fixture, events);
    assert_eq!(fixture.hub.waits(), 2, "`a` and `c`, which is one");
    let _both = fixture.live(&["a", "c"]).await;
    held.still_waits(&fixture).await;
    let _another = fixture.live(&["c"]).await;
    assert_eq!(
        held.subscribers().await,
        [Some(1), Some(0), Some(2), Some(2)]
    );
}

#[tokio::test]
async fn a_publish_that_is_given_up_is_not_published() {
    let fixture = Fixture::new();
    let held = Held::begin(&fixture, vec![(number_event("a", 1), until(1))]);
    assert_eq!(fixture.hub.waits(), 1);
    drop(held);
    assert_eq!(fixture.hub.waits(), 0);
    let _reader = fixture.live(&["a"]).await;
    fixture.turn_shards().await;
    assert_eq!(fixture.hub.figures().events_published, 0);
}

#[tokio::test]
async fn so_many_may_be_waited_for_and_no_more() {
    let fixture = Fixture::new();
    let events = |from: usize, count: usize| {
        let topics = (from..from + count).map(|number| format!("t/{number}"));
        topics
            .map(|topic| (number_event(&topic, 1), until(1)))
            .collect()
    };
    let first = Held::begin(&fixture, events(0, GROUP_EVENTS_MAX));
    let rest = AWAITED_MAX - GROUP_EVENTS_MAX;
    let second = Held::begin(&fixture, events(GROUP_EVENTS_MAX, rest));
    assert_eq!(fixture.hub.waits(), AWAITED_MAX);
    let refused = soon(publish(fixture.hub.clone(), events(AWAITED_MAX, 1))).await;
    assert!(
        matches!(refused, Err(PublishError::TooManyWaits(_))),
        "{refused:?}"
    );
    let topic = Topic::parse("t/1").expect("a topic");
    let wait = until(1).expect("a wait");
    let refused = soon(fixture.hub.until_topic_is_read(&topic, wait)).await;
    assert!(refused.is_err());
    assert_eq!(fixture.hub.figures().publishes_refused, 1);
    // Who does not wait is not held up by those who do.
    fixture.publish(number_event("t/1", 2)).await;
    drop(second);
    let _third = Held::begin(&fixture, events(AWAITED_MAX, rest));
    drop(first);
}

#[tokio::test]
async fn a_drain_lets_those_go_who_wait() {
    let fixture = Fixture::new();
    let held = Held::begin(&fixture, vec![(number_event("a", 1), until(1))]);
    soon(fixture.hub.drain(Duration::ZERO, LONG, Duration::ZERO)).await;
    assert_eq!(held.subscribers().await, [Some(0)]);
    let late = publish(fixture.hub.clone(), vec![(number_event("a", 2), until(1))]);
    assert_eq!(soon(late).await, Err(PublishError::Draining));
}

#[tokio::test]
async fn what_may_not_be_published_does_not_wait() {
    let fixture = Fixture::new();
    let mut stranger = identity("stranger");
    stranger.grants.publish.clear();
    let event = content(number_event("a", 1));
    let refused = fixture.hub.admit(&stranger, vec![event]).map(drop);
    assert!(
        matches!(refused, Err(PublishError::NotGranted { index: 0, .. })),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_that_open_at_the_same_moment_are_never_missed() {
    let roomy = Options {
        connections_per_identity: 10_000,
        connections_per_address: 10_000,
        ..two_shards()
    };
    let fixture = Arc::new(Fixture::with(&roomy, MemoryOptions::default()));
    // One wait that is missed would last as long as all of this may.
    let race = async {
        for round in 0..300_u64 {
            let topic = format!("race/{round}");
            let wanted = round % 3 + 1;
            let event = vec![(number_event(&topic, round), until(wanted))];
            let held = tokio::spawn(publish(fixture.hub.clone(), event));
            let mut readers = tokio::task::JoinSet::new();
            for reader in 0..wanted {
                let (fixture, topic) = (fixture.clone(), topic.clone());
                readers.spawn(async move {
                    for _ in 0..(round + reader * 7) % 20 {
                        tokio::task::yield_now().await;
                    }
                    fixture.live(&[&topic]).await
                });
            }
            let mut readers = readers.join_all().await;
            let published = held.await.expect("no panic").expect("published");
            assert_eq!(published[0].subscribers, Some(wanted));
            for reader in &mut readers {
                reader.expect(round..round + 1).await;
            }
        }
    };
    soon(race).await;
    assert_eq!(fixture.hub.waits(), 0);
}
