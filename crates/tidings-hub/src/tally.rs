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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tidings_testkit::PATIENCE_S;

    use super::*;

    fn tally(offsets: std::ops::RangeInclusive<u64>, shards: usize) -> Arc<Tally> {
        Arc::new(Tally::new(offsets.map(Offset).collect(), shards))
    }

    fn patience() -> Instant {
        Instant::now() + Duration::from_secs(PATIENCE_S)
    }

    #[tokio::test]
    async fn a_count_is_the_sum_of_all_shards_and_waits_for_the_last() {
        let tallies = Tallies::default();
        let both = tally(3..=4, 2);
        tallies.push(tally(1..=2, 2));
        tallies.push(both.clone());
        both.add(&[1, 10]);
        assert_eq!(tallies.of(Offset(3), Instant::now()).await, None, "late");
        let (first, second, ()) = tokio::join!(
            tallies.of(Offset(3), patience()),
            tallies.of(Offset(4), patience()),
            async { both.add(&[2, 20]) },
        );
        assert_eq!((first, second), (Some(3), Some(30)));
        assert_eq!(tallies.of(Offset(5), patience()).await, None);
    }

    #[tokio::test]
    async fn a_shard_that_could_not_count_all_makes_the_count_unknown() {
        let tallies = Tallies::default();
        for (end, counted) in [(2, &[][..]), (4, &[7])] {
            let tally = tally(end - 1..=end, 2);
            tallies.push(tally.clone());
            tally.add(&[1, 1]);
            tally.add(counted);
            assert_eq!(tallies.of(Offset(end), patience()).await, None);
        }
    }

    #[tokio::test]
    async fn only_the_latest_counts_are_remembered() {
        let tallies = Tallies::default();
        for offset in 1..=TALLIES_KEPT_MAX as u64 + 1 {
            let tally = tally(offset..=offset, 1);
            tally.add(&[offset]);
            tallies.push(tally);
        }
        assert_eq!(tallies.of(Offset(1), patience()).await, None);
        assert_eq!(tallies.of(Offset(2), patience()).await, Some(2));
    }
}
