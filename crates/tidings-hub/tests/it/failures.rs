//! Panics and failed reads end what they concern, visibly, and nothing else.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tidings_core::audience::Key;
use tidings_core::event::Event;
use tidings_core::gap::Hole;
use tidings_core::id::EventId;
use tidings_core::identity::Identity;
use tidings_core::limits::{
    SEND_BYTES_MAX, SHARD_FEED_BATCHES_MAX, STORE_READ_BYTES_MAX, STORE_READ_EVENTS_MAX,
    STORE_READS_WAITING_MAX,
};
use tidings_core::port::{
    Bounds, Clock, EventStore, Extent, NewestPage, Page, Query, ReadError, Volume,
};
use tidings_core::position::Offset;
use tidings_core::scope::Scope;
use tidings_core::start::Start;
use tidings_core::time::{Moment, Timestamp};
use tidings_hub::{EventName, Hub, OpenError, Options, Ports, Readiness, ShardHealth, StartError};
use tidings_log::memory::{MemoryLog, MemoryOptions};
use tidings_testkit::PATIENCE_S;
use tidings_testkit::clock::ManualClock;
use tokio::task::JoinSet;

use crate::fixture::{
    DEADLY, Fixture, NoCoder, PlainEncoder, content, identity, memory_log, number_event, one_shard,
    page_request, request, soon,
};

#[tokio::test]
async fn a_shard_that_panics_ends_its_streams_and_the_others_go_on() {
    let fixture = Fixture::new();
    let mut doomed = fixture.live(&["deadly"]).await;
    let mut other = fixture.live(&["a"]).await;
    fixture
        .publish(number_event("deadly", 1).event_type(DEADLY))
        .await;
    assert_eq!(doomed.next().await, None, "the stream ends");
    let Readiness::Poisoned(why) = fixture.hub.readiness() else {
        panic!("the hub says that it is well");
    };
    assert_eq!(why, "a shard has failed");
    let mut shards = soon(fixture.hub.health()).await.shards;
    shards.sort_by_key(|shard| *shard == ShardHealth::Well);
    assert_eq!(shards, [ShardHealth::Failed, ShardHealth::Well]);

    let published = fixture.publish(number_event("a", 1)).await;
    assert_eq!(published.subscribers, None, "one shard cannot count");
    other.expect(1..2).await;
    let mut late = fixture.live(&["a"]).await;
    fixture.publish(number_event("a", 2)).await;
    late.expect(2..3).await;
    other.expect(2..3).await;
    soon(fixture.hub.census()).await;
}

#[tokio::test]
async fn without_any_shard_nobody_is_left_waiting() {
    let fixture = Fixture::with(&one_shard(), MemoryOptions::default());
    let mut doomed = fixture.live(&["a"]).await;
    fixture
        .publish(number_event("a", 1).event_type(DEADLY))
        .await;
    assert_eq!(doomed.next().await, None);
    let refused = fixture.open(request(&["a"], Start::Now)).await;
    assert!(matches!(refused, Err(OpenError::Busy { .. })));
    assert_eq!(
        fixture.publish(number_event("a", 2)).await.subscribers,
        None
    );
    soon(fixture.hub.census()).await;
    drop(doomed);
    assert_eq!(fixture.hub.figures().connections, 0);
}

/// A store whose next reads fail or panic.
#[derive(Debug)]
struct Moody {
    log: Arc<MemoryLog>,
    failing: AtomicUsize,
    panicking: AtomicUsize,
    /// Looking at one event waits for whoever holds this.
    held: Mutex<()>,
    /// Events and bytes that reads forward asked for at most.
    asked: Mutex<BTreeSet<(usize, usize)>>,
}

impl Moody {
    fn mood(&self) -> Result<(), ReadError> {
        let take = |left: &AtomicUsize| {
            left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            })
            .is_ok()
        };
        assert!(!take(&self.panicking), "the store was told to panic");
        if take(&self.failing) {
            return Err(ReadError("the store was told to fail".into()));
        }
        Ok(())
    }
}

impl EventStore for Moody {
    fn read(&self, query: &Query) -> Result<Page, ReadError> {
        self.mood()?;
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.insert((query.events_max, query.bytes_max));
        drop(asked);
        self.log.read(query)
    }

    fn removed_after(&self, scope: &Scope, after: Offset) -> Result<Option<Hole>, ReadError> {
        self.log.removed_after(scope, after)
    }

    fn by_id(&self, scope: &Scope, id: &EventId) -> Result<Option<Arc<Event>>, ReadError> {
        self.mood()?;
        self.log.by_id(scope, id)
    }

    fn first_by_id(&self, scope: &Scope, id: &EventId) -> Result<Option<Arc<Event>>, ReadError> {
        self.mood()?;
        self.log.first_by_id(scope, id)
    }

    fn at(&self, scope: &Scope, offset: Offset) -> Result<Option<Arc<Event>>, ReadError> {
        let _released = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        self.log.at(scope, offset)
    }

    fn before_time(&self, time: Timestamp) -> Result<Offset, ReadError> {
        self.log.before_time(time)
    }

    fn newest_per_key(&self, query: &Query, through: Offset) -> Result<NewestPage, ReadError> {
        self.mood()?;
        self.log.newest_per_key(query, through)
    }

    fn extent(&self, key: &Key) -> Result<Option<Extent>, ReadError> {
        self.log.extent(key)
    }

    fn bounds(&self) -> Bounds {
        self.log.bounds()
    }

    fn volume(&self) -> Volume {
        self.log.volume()
    }
}

/// A hub with one reader thread, which has to survive, and the store behind it.
async fn moody() -> (Fixture, Arc<Moody>) {
    moody_behind_a_window_of(one_shard().window_events).await
}

async fn moody_behind_a_window_of(window_events: usize) -> (Fixture, Arc<Moody>) {
    let clock = Arc::new(ManualClock::default());
    let log = memory_log(MemoryOptions::default(), &clock);
    let store = Arc::new(Moody {
        log: log.clone(),
        failing: AtomicUsize::new(0),
        panicking: AtomicUsize::new(0),
        held: Mutex::new(()),
        asked: Mutex::default(),
    });
    let options = Options {
        reader_threads: 1,
        window_events,
        ..one_shard()
    };
    let fixture = Fixture::over(&options, clock, log, store.clone());
    fixture.publish_numbers("a", 1..4).await;
    (fixture, store)
}

#[tokio::test]
async fn a_stream_whose_read_fails_or_panics_is_told_and_can_come_back() {
    let (fixture, store) = moody().await;
    for left in [&store.failing, &store.panicking] {
        for start in [Start::Earliest, Start::Last] {
            left.store(1, Ordering::SeqCst);
            let mut stream = fixture.stream(&["a"], start, "complete").await;
            assert_eq!(stream.word().await, "bye log_failed");
            assert_eq!(stream.next().await, None);
            assert_eq!(left.load(Ordering::SeqCst), 0, "the fault did not happen");
        }
    }
    let mut stream = fixture.stream(&["a"], Start::Earliest, "complete").await;
    stream.expect(1..4).await;
}

#[tokio::test]
async fn a_page_whose_read_fails_has_no_answer_rather_than_an_empty_one() {
    let (fixture, store) = moody().await;
    for left in [&store.failing, &store.panicking] {
        left.store(1, Ordering::SeqCst);
        let request = page_request(&["a"], Start::Earliest, 10, 0);
        let mut page = fixture.open(request).await.expect("opened");
        assert_eq!(soon(page.reader.next()).await, None);
        assert_eq!(left.load(Ordering::SeqCst), 0, "the fault did not happen");
    }
}

#[tokio::test]
async fn an_open_whose_start_cannot_be_looked_up_is_refused() {
    let (fixture, store) = moody().await;
    for left in [&store.failing, &store.panicking] {
        left.store(1, Ordering::SeqCst);
        let id = EventId::parse("some-id").expect("an id");
        let refused = fixture.open(request(&["a"], Start::AfterId(id))).await;
        assert!(matches!(refused, Err(OpenError::Read(_))), "{refused:?}");
    }
    assert_eq!(fixture.hub.figures().connections, 0);
}

#[tokio::test]
async fn a_reader_thread_never_asks_for_more_at_once_than_it_may_hold() {
    let (fixture, store) = moody().await;
    let mut live = fixture.live(&["a"]).await;
    fixture.stall("a", 4).await;
    let all: Vec<_> = (0..=SHARD_FEED_BATCHES_MAX)
        .map(|_| content(number_event("b", 0)))
        .collect();
    let publishes = all.into_iter().map(|event| {
        let (hub, publisher) = (fixture.hub.clone(), identity("publisher"));
        async move { hub.publish(&publisher, vec![event]).await }
    });
    let publishes: JoinSet<_> = publishes.collect();
    for published in soon(publishes.join_all()).await {
        published.expect("published");
    }
    fixture.encoder.open_gate();
    live.expect(4..5).await;
    let mut replay = fixture.stream(&["a"], Start::Earliest, "complete").await;
    replay.expect(1..5).await;
    fixture
        .page(page_request(&["a"], Start::Earliest, 10, 0))
        .await;
    assert_eq!(fixture.hub.figures().feed_overflows, 1);
    let asked = store.asked.lock().unwrap_or_else(PoisonError::into_inner);
    let expected = [
        (10, STORE_READ_BYTES_MAX),
        (STORE_READ_EVENTS_MAX, SEND_BYTES_MAX),
        (STORE_READ_EVENTS_MAX, STORE_READ_BYTES_MAX),
    ];
    assert_eq!(
        *asked,
        BTreeSet::from(expected),
        "a page, a stream, a shard"
    );
}

/// What an event was found to be.
type Looked = Result<Option<Arc<Event>>, ReadError>;

/// Asks for an event again and again until no more of such questions may wait.
fn fill_the_queue<'a>(
    hub: &'a Hub,
    identity: &'a Identity,
) -> Vec<Pin<Box<impl Future<Output = Looked> + 'a>>> {
    let mut context = Context::from_waker(Waker::noop());
    let mut waiting = Vec::new();
    loop {
        let mut lookup = Box::pin(hub.event(identity, EventName::Position(hub.head())));
        match lookup.as_mut().poll(&mut context) {
            Poll::Pending => waiting.push(lookup),
            Poll::Ready(outcome) => {
                assert!(outcome.is_err(), "{outcome:?}");
                return waiting;
            }
        }
    }
}

#[tokio::test]
#[expect(
    clippy::await_holding_lock,
    reason = "it holds up the reader thread, and no task"
)]
async fn reads_of_streams_beyond_those_that_may_wait_end_the_streams() {
    let (fixture, store) = moody_behind_a_window_of(4).await;
    let mut behind = fixture.live(&["a"]).await;
    // The first lies ready, and nothing is read while it does; all shards have seen the last.
    fixture.publish_numbers("a", 4..5).await;
    fixture.turn_shards().await;
    fixture.publish_numbers("a", 5..100).await;
    fixture.turn_shards().await;
    let identity = identity("reader");
    let released = store.held.lock().unwrap_or_else(PoisonError::into_inner);
    let mut waiting = fill_the_queue(&fixture.hub, &identity);
    // What lies ready is taken; the rest has left the window, and can only be read.
    let mut last = String::new();
    while let Some(word) = behind.next().await {
        last = word;
    }
    assert_eq!(last, "bye log_failed");
    let health = soon(fixture.hub.health()).await;
    assert_eq!(health.stored, None, "nobody reads for it either");
    drop(released);
    // The last of those that wait is answered when the others are out of the way.
    let last = waiting.pop().expect("many wait");
    assert!(soon(last).await.expect("a lookup").is_some());
    let mut again = fixture.stream(&["a"], Start::Earliest, "complete").await;
    again.expect(1..100).await;
}

#[tokio::test]
async fn lookups_beyond_those_that_may_wait_are_refused() {
    let (fixture, store) = moody().await;
    let identity = identity("reader");
    let released = store.held.lock().unwrap_or_else(PoisonError::into_inner);
    let waiting = fill_the_queue(&fixture.hub, &identity);
    drop(released);
    // One more than may wait, if the reader thread has begun with the first.
    let accepted = STORE_READS_WAITING_MAX..=STORE_READS_WAITING_MAX + 1;
    assert!(accepted.contains(&waiting.len()), "{}", waiting.len());
    for lookup in waiting {
        assert!(soon(lookup).await.expect("a lookup").is_some());
    }
}

/// A clock that lets the test know when nobody holds it any more.
#[derive(Debug)]
struct Witness {
    _dropped_with_it: mpsc::SyncSender<()>,
}

impl Clock for Witness {
    fn now(&self) -> Timestamp {
        Timestamp(0)
    }

    fn moment(&self) -> Moment {
        Moment(0)
    }
}

#[tokio::test]
async fn a_hub_that_cannot_follow_its_log_leaves_no_thread_behind() {
    let clock = Arc::new(ManualClock::default());
    let log = memory_log(MemoryOptions::default(), &clock);
    let _first = Fixture::over(&one_shard(), clock, log.clone(), log.clone());
    let (sender, gone) = mpsc::sync_channel(1);
    let ports = Ports {
        sequencer: log.clone(),
        store: log,
        encoder: Arc::new(PlainEncoder::default()),
        coder: Arc::new(NoCoder),
        clock: Arc::new(Witness {
            _dropped_with_it: sender,
        }),
    };
    let second = Hub::start(&Options::default(), ports);
    assert!(matches!(second, Err(StartError::Tail(_))), "{second:?}");
    // Threads that go on would hold the clock for ever.
    let outcome = gone.recv_timeout(Duration::from_secs(PATIENCE_S));
    assert_eq!(outcome, Err(mpsc::RecvTimeoutError::Disconnected));
}
