//! Tallies: how many connections each event of a batch matched, over all shards.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tidings_core::position::Offset;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::limits::TALLIES_KEPT_MAX;

/// The count of one batch, complete once every shard has taken it in.
#[derive(Debug)]
pub(crate) struct Tally {
    offsets: Vec<Offset>,
    counts: Vec<AtomicU64>,
    shards_left: AtomicUsize,
    /// A shard could not count: it dropped the batch and reads it from the log.
    uncounted: AtomicBool,
    complete: Notify,
}

impl Tally {
    pub(crate) fn new(offsets: Vec<Offset>, shards: usize) -> Self {
        Self {
            counts: offsets.iter().map(|_| AtomicU64::new(0)).collect(),
            offsets,
            shards_left: AtomicUsize::new(shards),
            uncounted: AtomicBool::new(false),
            complete: Notify::new(),
        }
    }

    /// A shard took the batch in; `matched` is shorter than the batch if it could not count all.
    pub(crate) fn add(&self, matched: &[u64]) {
        if matched.len() < self.counts.len() {
            self.uncounted.store(true, Ordering::Relaxed);
        } else {
            for (count, matched) in self.counts.iter().zip(matched) {
                count.fetch_add(*matched, Ordering::Relaxed);
            }
        }
        // Releases the counts to whoever sees zero.
        if self.shards_left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.complete.notify_waiters();
        }
    }

    /// The count of one event; none if a shard could not count or is late.
    async fn of(&self, offset: Offset, patience: Instant) -> Option<u64> {
        if self.shards_left.load(Ordering::Acquire) > 0 {
            timeout_at(patience, self.completed()).await.ok()?;
        }
        if self.uncounted.load(Ordering::Relaxed) {
            return None;
        }
        let index = self.offsets.binary_search(&offset).ok()?;
        self.counts
            .get(index)
            .map(|count| count.load(Ordering::Relaxed))
    }

    async fn completed(&self) {
        loop {
            let notified = self.complete.notified();
            if self.shards_left.load(Ordering::Acquire) == 0 {
                return;
            }
            notified.await;
        }
    }
}

/// The latest tallies, for publishers that have just been told their positions.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    recent: Mutex<VecDeque<Arc<Tally>>>,
}

impl Tallies {
    pub(crate) fn push(&self, tally: Arc<Tally>) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.len() >= TALLIES_KEPT_MAX {
            recent.pop_front();
        }
        recent.push_back(tally);
    }

    /// How many connections an event matched; none if that is not known in time.
    pub(crate) async fn of(&self, offset: Offset, patience: Instant) -> Option<u64> {
        let tally = self.find(offset)?;
        tally.of(offset, patience).await
    }

    fn find(&self, offset: Offset) -> Option<Arc<Tally>> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let at = recent.partition_point(|tally| tally.offsets.last() < Some(&offset));
        recent.get(at).cloned()
    }
}
