//! What a reader has seen, against what the publishers counted.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// The data of a load's event.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Probe {
    /// Which publisher.
    pub(super) publisher: usize,
    /// Its how many-th event, from one.
    pub(super) serial: u64,
    /// When it was due, in microseconds since the load began.
    pub(super) due_us: u64,
    /// Makes up the size.
    pub(super) padding: String,
}

/// What was seen of each publisher's events.
#[derive(Debug)]
pub(super) struct Ledger {
    latest: Vec<u64>,
    pub(super) events: u64,
    pub(super) missing: u64,
    pub(super) repeated: u64,
    pub(super) gaps: u64,
    /// Microseconds from when an event was due until it was here.
    pub(super) latency: Histogram<u64>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            latest: Vec::new(),
            events: 0,
            missing: 0,
            repeated: 0,
            gaps: 0,
            latency: histogram(),
        }
    }
}

impl Ledger {
    /// Notes an event that arrived this long after the load began.
    pub(super) fn note(&mut self, probe: &Probe, arrived: Duration) {
        self.events += 1;
        if self.latest.len() <= probe.publisher {
            self.latest.resize(probe.publisher + 1, 0);
        }
        let Some(latest) = self.latest.get_mut(probe.publisher) else {
            return;
        };
        if probe.serial <= *latest {
            self.repeated += 1;
        } else {
            self.missing += probe.serial - *latest - 1;
            *latest = probe.serial;
        }
        self.latency
            .saturating_record((arrived.as_micros() as u64).saturating_sub(probe.due_us));
    }

    /// Whether every accepted event has been seen.
    pub(super) fn has_all(&self, accepted_of_each: &[u64]) -> bool {
        accepted_of_each
            .iter()
            .enumerate()
            .all(|(publisher, accepted)| {
                self.latest.get(publisher).copied().unwrap_or(0) >= *accepted
            })
    }

    /// Adds another reader's figures.
    pub(super) fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.missing += other.missing;
        self.repeated += other.repeated;
        self.gaps += other.gaps;
        // Both count in the same range.
        let _same_range = self.latency.add(&other.latency);
    }
}

/// Counts microseconds up to an hour with three digits.
pub(super) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 3_600_000_000, 3).unwrap_or_else(|_| unreachable!("valid bounds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe(publisher: usize, serial: u64) -> Probe {
        Probe {
            publisher,
            serial,
            due_us: 0,
            padding: String::new(),
        }
    }

    #[test]
    fn loss_and_repeats_are_counted_for_each_publisher() {
        let mut ledger = Ledger::default();
        for (publisher, serial) in [(0, 1), (1, 1), (0, 2), (0, 5), (0, 5), (1, 2)] {
            ledger.note(&probe(publisher, serial), Duration::from_millis(1));
        }
        assert_eq!((ledger.events, ledger.missing, ledger.repeated), (6, 2, 1));
        assert!(ledger.has_all(&[5, 2]));
        assert!(!ledger.has_all(&[5, 3]));
        assert!(!ledger.has_all(&[5, 2, 1]));
    }
}
