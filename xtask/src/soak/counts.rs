//! What happened, counted while it does.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A counter that many tasks share.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn inc(&self) {
        self.add(1);
    }

    pub(super) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// All counters.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Streams that were asked for, and of those the ones that were refused or had no answer, whatever
    /// the cause but a credential that was ended on purpose.
    pub(super) connects: Count,
    pub(super) connects_failed: Count,
    /// Streams that were asked for with a credential that had just been ended.
    pub(super) connects_too_late: Count,
    /// Streams that went on from a cursor, and how long it took from the end of the one before.
    pub(super) returns: Count,
    pub(super) return_us: Count,
    /// Ways to end a stream.
    pub(super) resets: Count,
    pub(super) closes: Count,
    pub(super) half_closes: Count,
    pub(super) left_standing: Count,
    /// Streams that the hub has ended, by what it said.
    pub(super) slow_readers: Count,
    pub(super) expired: Count,
    pub(super) revoked: Count,
    /// Streams that the hub has ended without a word.
    pub(super) unexplained: Count,
    /// Credentials that were renewed while the stream went on, and those that were too late.
    pub(super) renewals: Count,
    pub(super) renewals_refused: Count,
    /// What was done to the hub.
    pub(super) revocations: Count,
    pub(super) reloads: Count,
    /// Events that were answered, requests that published them, and requests that were cut off.
    pub(super) events: Count,
    pub(super) publishes: Count,
    pub(super) publishes_cut: Count,
    /// Answers to a repeat.
    pub(super) duplicates: Count,
}

impl Counts {
    /// A stream goes on so long after the one before has ended.
    pub(super) fn note_return(&self, after: Duration) {
        self.returns.inc();
        self.return_us.add(after.as_micros() as u64);
    }

    /// How many of a hundred requests for a stream failed.
    pub(super) fn failed_percent(&self) -> f64 {
        100.0 * self.connects_failed.get() as f64 / self.connects.get().max(1) as f64
    }

    /// Seconds from the end of a stream until it goes on, on average.
    pub(super) fn return_seconds(&self) -> f64 {
        self.return_us.get() as f64 / 1e6 / self.returns.get().max(1) as f64
    }
}
