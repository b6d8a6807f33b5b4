//! Waiting for readers: somebody holds something back until enough connections would get it.
//!
//! Whoever waits asks every shard once, and each shard tells how its count changes while connections
//! come and go ([`Shard::watch`](tidings_core::shard::Shard::watch)). Nobody looks again and again, and
//! shards for which nobody waits do nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tidings_core::awaited::{Awaited, ReaderWait};
use tidings_core::limits::AWAITED_MAX;
use tidings_core::shard::WatchId;
use tidings_core::topic::Topic;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::hub::Hub;
use crate::inbox::Inbox;
use crate::limits::WAITS_FULL_RETRY_MS;

/// So many wait for readers already that nobody more may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("readers of {AWAITED_MAX} events and topics are waited for already")]
pub struct TooManyWaits {
    /// When trying again makes sense.
    pub retry_after_ms: u64,
}

/// All who wait for readers of a hub.
#[derive(Debug)]
pub(crate) struct Waits {
    places: Semaphore,
    /// Number of the next watch.
    next: AtomicU64,
    /// Everybody is let go.
    ending: Notify,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            places: Semaphore::new(AWAITED_MAX),
            next: AtomicU64::new(0),
            ending: Notify::new(),
        }
    }
}

impl Waits {
    /// Lets everybody go who waits; the hub is marked as draining before.
    pub(crate) fn end(&self) {
        self.ending.notify_waiters();
    }

    /// How many events and topics are waited for.
    pub(crate) fn count(&self) -> usize {
        AWAITED_MAX - self.places.available_permits()
    }
}

/// What one caller waits for: counts of every shard for every event.
#[derive(Debug)]
pub(crate) struct Gathering {
    wanted: Vec<Wanted>,
    changed: Notify,
}

#[derive(Debug)]
struct Wanted {
    id: WatchId,
    awaited: Awaited,
    enough: u64,
    /// By shard. Told by its thread, and summed by whoever waits.
    counts: Vec<AtomicU64>,
}

impl Gathering {
    /// The watches, for a shard that begins them.
    pub(crate) fn watches(&self) -> impl Iterator<Item = (WatchId, &Awaited)> {
        self.wanted
            .iter()
            .map(|wanted| (wanted.id, &wanted.awaited))
    }

    /// A shard tells a count.
    pub(crate) fn tell(&self, shard: usize, id: WatchId, readers: u64) {
        // The watches of one gathering are numbered in a row.
        let first = self.wanted.first().map_or(0, |wanted| wanted.id.0);
        let wanted = self.wanted.get(id.0.wrapping_sub(first) as usize);
        if let Some(count) = wanted.and_then(|wanted| wanted.counts.get(shard)) {
            count.store(readers, Ordering::Release);
            self.changed.notify_one();
        }
    }

    fn is_complete(&self) -> bool {
        self.wanted.iter().all(|wanted| {
            let counts = wanted.counts.iter();
            let readers: u64 = counts.map(|count| count.load(Ordering::Acquire)).sum();
            readers >= wanted.enough
        })
    }

    async fn completed(&self) {
        while !self.is_complete() {
            self.changed.notified().await;
        }
    }
}

/// What a shard is told of those who wait.
#[derive(Debug)]
pub(crate) enum Watching {
    /// Somebody waits.
    Begun(Arc<Gathering>),
    /// Nobody waits for these any more.
    Ended(Arc<Gathering>),
}

/// A shard's gatherings by their watches.
#[derive(Debug, Default)]
pub(crate) struct Gatherings(HashMap<WatchId, Arc<Gathering>>);

impl Gatherings {
    pub(crate) fn begin(&mut self, gathering: &Arc<Gathering>) {
        for (id, _) in gathering.watches() {
            self.0.insert(id, gathering.clone());
        }
    }

    pub(crate) fn end(&mut self, gathering: &Gathering) {
        for (id, _) in gathering.watches() {
            self.0.remove(&id);
        }
    }

    pub(crate) fn tell(&self, shard: usize, id: WatchId, readers: u64) {
        if let Some(gathering) = self.0.get(&id) {
            gathering.tell(shard, id, readers);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The shards count for a gathering; they stop when this is dropped.
struct Asked<'a> {
    inboxes: &'a [Arc<Inbox>],
    gathering: Arc<Gathering>,
}

impl<'a> Asked<'a> {
    fn of(inboxes: &'a [Arc<Inbox>], gathering: Arc<Gathering>) -> Self {
        for inbox in inboxes {
            inbox.watching(Watching::Begun(gathering.clone()));
        }
        Self { inboxes, gathering }
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        for inbox in self.inboxes {
            inbox.watching(Watching::Ended(self.gathering.clone()));
        }
    }
}

impl Hub {
    /// Waits until so many connections of this node read a topic, until the time is over, or until the
    /// hub drains.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is changed, and the shards stop to count.
    pub async fn until_topic_is_read(
        &self,
        topic: &Topic,
        wait: ReaderWait,
    ) -> Result<(), TooManyWaits> {
        self.until_read(
            vec![(Awaited::of_topic(topic), wait.readers())],
            wait.patience(),
        )
        .await
    }

    /// Waits until each of these has its readers, until the time is over, or until the hub drains.
    pub(crate) async fn until_read(
        &self,
        wanted: Vec<(Awaited, u64)>,
        patience: Duration,
    ) -> Result<(), TooManyWaits> {
        let deadline = Instant::now() + patience;
        let waits = &self.inner.waits;
        let wanted = the_most_of_each(wanted);
        let places = u32::try_from(wanted.len()).unwrap_or(u32::MAX);
        let refused = TooManyWaits {
            retry_after_ms: WAITS_FULL_RETRY_MS,
        };
        let _places = waits.places.try_acquire_many(places).map_err(|_| refused)?;
        // Listened to before the hub is asked whether it drains, so that the word is not missed.
        let ending = waits.ending.notified();
        if self.inner.draining.load(Ordering::SeqCst) {
            return Ok(());
        }
        let inboxes = &self.inner.threads.inboxes;
        let first = waits.next.fetch_add(u64::from(places), Ordering::Relaxed);
        let gathering = Gathering {
            wanted: (first..)
                .zip(wanted)
                .map(|(number, (awaited, enough))| Wanted {
                    id: WatchId(number),
                    awaited,
                    enough,
                    counts: inboxes.iter().map(|_| AtomicU64::new(0)).collect(),
                })
                .collect(),
            changed: Notify::new(),
        };
        let asked = Asked::of(inboxes, Arc::new(gathering));
        let completed = async {
            tokio::select! {
                () = asked.gathering.completed() => {}
                () = ending => {}
            }
        };
        // Whoever is late is not waited for: what was to wait goes on either way.
        let _: Result<(), _> = timeout_at(deadline, completed).await;
        Ok(())
    }

    /// How many events and topics somebody waits for readers of.
    pub fn waits(&self) -> usize {
        self.inner.waits.count()
    }
}

/// Events that the same connections read are one to wait for, with as many readers as any of them
/// wants.
fn the_most_of_each(wanted: Vec<(Awaited, u64)>) -> Vec<(Awaited, u64)> {
    let mut most: HashMap<Awaited, u64> = HashMap::new();
    for (awaited, readers) in wanted {
        let enough = most.entry(awaited).or_default();
        *enough = readers.max(*enough);
    }
    most.into_iter().collect()
}
