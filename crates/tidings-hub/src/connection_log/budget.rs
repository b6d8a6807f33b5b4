//! A number of lines a second, and a count of those that are not said.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use tidings_core::time::Moment;

/// How long one allowance lasts.
const PERIOD_MS: u64 = 1_000;

/// Lines of one kind. Threads that meet at the turn of a second may say a few more.
#[derive(Debug, Default)]
pub(super) struct Budget {
    /// When the present allowance began, in milliseconds; the first begins with the first line.
    since: AtomicU64,
    said: AtomicU32,
    suppressed: AtomicU64,
}

impl Budget {
    /// Whether to say a line: then, how many were not said since the one before it.
    pub(super) fn take(&self, now: Moment, max: u32) -> Option<u64> {
        let since = self.since.load(Ordering::Relaxed);
        if now.0 >= since + PERIOD_MS || self.said.load(Ordering::Relaxed) == 0 {
            self.since.store(now.0, Ordering::Relaxed);
            self.said.store(0, Ordering::Relaxed);
        }
        if self.said.load(Ordering::Relaxed) >= max {
            self.suppressed.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        self.said.fetch_add(1, Ordering::Relaxed);
        Some(self.rest())
    }

    /// So many were not said after all.
    pub(super) fn put_back(&self, lines: u64) {
        self.suppressed.fetch_add(lines, Ordering::Relaxed);
    }

    /// How many were not said, once.
    pub(super) fn rest(&self) -> u64 {
        self.suppressed.swap(0, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n1_a_storm_is_so_many_lines_a_second_and_a_count() {
        let budget = Budget::default();
        let said = |now: u64| {
            (0..100)
                .filter_map(|_| budget.take(Moment(now), 10))
                .sum::<u64>()
        };
        let lines = (0..100).filter(|_| budget.take(Moment(5), 10).is_some());
        assert_eq!(lines.count(), 10);
        assert_eq!(budget.take(Moment(5 + PERIOD_MS - 1), 10), None);
        assert_eq!(
            said(5 + PERIOD_MS),
            91,
            "the first line tells of the others"
        );
        assert_eq!(budget.rest(), 90);
        budget.put_back(3);
        assert_eq!(budget.take(Moment(5 + 3 * PERIOD_MS), 10), Some(3));
    }
}
