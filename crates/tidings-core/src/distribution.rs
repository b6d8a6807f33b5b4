//! Distributions: how many values were how large, counted where they come up and read by whoever asks.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of values by their size. Bounds rise; a value belongs to the first that is not below it.
#[derive(Debug)]
pub struct Distribution<const N: usize> {
    bounds: [u64; N],
    counts: [AtomicU64; N],
    larger: AtomicU64,
    sum: AtomicU64,
}

/// What a distribution has counted so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted {
    /// Bounds, each with the number of values that belong to it; larger values belong to none.
    pub counts: Vec<(u64, u64)>,
    /// Values beyond the last bound.
    pub larger: u64,
    /// The sum of all values.
    pub sum: u64,
}

impl<const N: usize> Distribution<N> {
    /// Nothing yet, of values up to these bounds.
    pub const fn new(bounds: [u64; N]) -> Self {
        Self {
            bounds,
            counts: [const { AtomicU64::new(0) }; N],
            larger: AtomicU64::new(0),
            sum: AtomicU64::new(0),
        }
    }

    /// Counts a value.
    pub fn note(&self, value: u64) {
        let place = self.bounds.partition_point(|bound| *bound < value);
        let count = self.counts.get(place).unwrap_or(&self.larger);
        count.fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// What has been counted.
    pub fn counted(&self) -> Counted {
        let counts = self.bounds.iter().zip(&self.counts);
        Counted {
            counts: counts
                .map(|(bound, count)| (*bound, count.load(Ordering::Relaxed)))
                .collect(),
            larger: self.larger.load(Ordering::Relaxed),
            sum: self.sum.load(Ordering::Relaxed),
        }
    }
}

impl Counted {
    /// How many values there were.
    pub fn values(&self) -> u64 {
        self.counts.iter().map(|(_, count)| count).sum::<u64>() + self.larger
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_belongs_to_the_first_bound_that_is_not_below_it() {
        let distribution = Distribution::new([1, 10, 100]);
        for value in [0, 1, 2, 10, 11, 100, 101, 1_000] {
            distribution.note(value);
        }
        let counted = distribution.counted();
        assert_eq!(counted.counts, [(1, 2), (10, 2), (100, 2)]);
        assert_eq!((counted.larger, counted.values()), (2, 8));
        assert_eq!(counted.sum, 1_225);
    }
}
