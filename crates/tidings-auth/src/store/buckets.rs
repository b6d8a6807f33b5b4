//! Counters: what is spent drains away steadily, and what does not fit is refused.
//!
//! A level is counted in unit-milliseconds: one unit is as many of them as its period has
//! milliseconds, and each millisecond drains as many as the quota has units. So all is in whole
//! numbers, and nothing is lost by rounding.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use tidings_core::port::{Bucket, Quota, Spent, StoreError};
use tidings_core::time::Timestamp;

use crate::limits::{BUCKETS_MAX, CLOCK_STEP_MS_MAX};

/// All buckets from which something is spent; one that has drained is as good as none.
#[derive(Default)]
pub(super) struct Buckets {
    levels: HashMap<Bucket, Level>,
    by_drained: BTreeSet<(u64, Place)>,
}

/// A bucket in the order of their ends.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    kind: &'static str,
    whose: std::sync::Arc<str>,
}

#[derive(Clone, Copy)]
struct Level {
    /// Unit-milliseconds, at that time and under that quota.
    spent: u64,
    at: Timestamp,
    quota: Quota,
}

impl Level {
    fn empty(quota: Quota, at: Timestamp) -> Self {
        Self {
            spent: 0,
            at,
            quota,
        }
    }

    /// What is left of it now, under a quota that may have changed.
    fn drained(self, quota: Quota, now: Timestamp) -> Self {
        let behind = self.at.0.saturating_sub(now.0);
        // A clock that was set back must not keep anybody out until it has caught up.
        let (passed, at) = if behind > 0 && behind <= CLOCK_STEP_MS_MAX {
            (0, self.at)
        } else {
            (now.0.saturating_sub(self.at.0), now)
        };
        let drained = passed.saturating_mul(u64::from(self.quota.units));
        let spent = self.spent.saturating_sub(drained);
        let spent = if self.quota == quota {
            spent
        } else {
            let units = spent.div_ceil(u64::from(self.quota.period_ms).max(1));
            units
                .saturating_mul(u64::from(quota.period_ms))
                .min(capacity(quota))
        };
        Self { spent, at, quota }
    }

    fn drained_at(self) -> u64 {
        let wait = self.spent.div_ceil(u64::from(self.quota.units).max(1));
        self.at.0.saturating_add(wait)
    }
}

fn capacity(quota: Quota) -> u64 {
    u64::from(quota.units) * u64::from(quota.period_ms)
}

impl Buckets {
    pub(super) fn spend(
        &mut self,
        bucket: Bucket,
        quota: Quota,
        units: u32,
        now: Timestamp,
    ) -> Result<Spent, StoreError> {
        let known = self.levels.get(&bucket).copied();
        let level = known.map_or_else(
            || Level::empty(quota, now),
            |level| level.drained(quota, now),
        );
        let room = capacity(quota) - level.spent;
        let cost = u64::from(units) * u64::from(quota.period_ms);
        let rate = u64::from(quota.units).max(1);
        let remaining = |room: u64| (room / u64::from(quota.period_ms).max(1)) as u32;
        if cost > room {
            let wait_ms = if units > quota.units {
                // No wait makes room for more than all.
                u64::MAX
            } else {
                (cost - room).div_ceil(rate)
            };
            if known.is_some() {
                // Nothing is spent, but the time of a clock that was set back has to be kept.
                self.keep(bucket, level);
            }
            return Ok(Spent {
                is_allowed: false,
                remaining: remaining(room),
                wait_ms,
            });
        }
        if known.is_none() {
            self.make_room(now)?;
        }
        let spent = Level {
            spent: level.spent + cost,
            ..level
        };
        self.keep(bucket, spent);
        Ok(Spent {
            is_allowed: true,
            remaining: remaining(room - cost),
            wait_ms: spent.spent.div_ceil(rate),
        })
    }

    fn keep(&mut self, bucket: Bucket, level: Level) {
        let place = Place {
            kind: bucket.kind,
            whose: bucket.whose.clone(),
        };
        if let Some(before) = self.levels.insert(bucket, level) {
            self.by_drained
                .remove(&(before.drained_at(), place.clone()));
        }
        self.by_drained.insert((level.drained_at(), place));
    }

    /// Forgets buckets that have drained, if that is needed.
    fn make_room(&mut self, now: Timestamp) -> Result<(), StoreError> {
        if self.levels.len() < BUCKETS_MAX {
            return Ok(());
        }
        while let Some((drained_at, _)) = self.by_drained.first()
            && *drained_at <= now.0
            && let Some((_, Place { kind, whose })) = self.by_drained.pop_first()
        {
            self.levels.remove(&Bucket { kind, whose });
        }
        if self.levels.len() < BUCKETS_MAX {
            return Ok(());
        }
        Err(StoreError::Full {
            what: "counters",
            max: BUCKETS_MAX,
        })
    }
}

impl fmt::Debug for Buckets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buckets")
            .field("count", &self.levels.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTA: Quota = Quota {
        units: 10,
        period_ms: 1_000,
    };

    fn bucket(number: usize) -> Bucket {
        Bucket {
            kind: "test",
            whose: number.to_string().into(),
        }
    }

    #[test]
    fn only_so_many_buckets_are_kept_and_drained_ones_make_room() {
        let mut buckets = Buckets::default();
        for number in 0..BUCKETS_MAX {
            let now = if number == 9 { 0 } else { 50 };
            let spent = buckets.spend(bucket(number), QUOTA, 1, Timestamp(now));
            assert!(spent.expect("room").is_allowed);
        }
        let mut spend = |number, now| buckets.spend(bucket(number), QUOTA, 1, Timestamp(now));
        let full = StoreError::Full {
            what: "counters",
            max: BUCKETS_MAX,
        };
        assert_eq!(spend(BUCKETS_MAX, 99), Err(full.clone()));
        assert!(spend(3, 99).expect("it is there").is_allowed);
        assert!(spend(BUCKETS_MAX, 100).expect("one has drained").is_allowed);
        assert_eq!(spend(BUCKETS_MAX + 1, 100), Err(full));
        assert!(spend(BUCKETS_MAX + 1, 150).expect("many have").is_allowed);
        assert_eq!(buckets.levels.len(), buckets.by_drained.len());
        assert_eq!(buckets.levels.len(), 3);
    }

    #[test]
    fn d10_a_clock_that_is_set_back_keeps_nobody_out_and_a_late_call_gains_nothing() {
        let mut buckets = Buckets::default();
        let mut spend = |units, now| {
            let spent = buckets.spend(bucket(0), QUOTA, units, Timestamp(now));
            spent.expect("room").is_allowed
        };
        assert!(spend(10, 1_000_000));
        assert!(!spend(1, 1_000_000));
        for _ in 0..100 {
            assert!(!spend(1, 999_950), "it only came late");
            assert!(!spend(1, 1_000_050));
        }
        assert!(!spend(1, 500_000), "now the clock was set back");
        assert!(!spend(1, 500_049));
        assert!(spend(1, 500_050), "half a unit had drained before");
    }

    #[test]
    fn what_was_spent_counts_when_the_quota_changes() {
        let mut buckets = Buckets::default();
        let mut remaining = |units, period_ms| {
            let quota = Quota { units, period_ms };
            let spent = buckets.spend(bucket(0), quota, 1, Timestamp(5));
            spent.expect("room").remaining
        };
        assert_eq!(remaining(10, 1_000), 9);
        assert_eq!(remaining(20, 60_000), 18);
        assert_eq!(remaining(u32::MAX, u32::MAX), u32::MAX - 3);
        assert_eq!(remaining(3, 1), 0, "as much as there is");
    }
}
