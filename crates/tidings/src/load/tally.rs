//! What readers have counted, of one thread or of all processes together.

use hdrhistogram::Histogram;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Latencies in microseconds, up to an hour, with three digits.
#[derive(Debug, Clone)]
pub(super) struct Latencies(Histogram<u64>);

/// What has been counted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Tally {
    /// Readers that have a response head.
    pub(super) open: usize,
    /// Readers that were refused or could not connect.
    pub(super) failed: usize,
    /// Why the latest of those was.
    pub(super) cause: Option<String>,
    /// Events that arrived.
    pub(super) events: u64,
    pub(super) missing: u64,
    pub(super) repeated: u64,
    pub(super) out_of_order: u64,
    /// Gaps that readers were told.
    pub(super) gaps: u64,
    /// Connections that ended without the reader's doing.
    pub(super) interrupted: u64,
    /// Readers that did not get everything.
    pub(super) late: usize,
    /// When the last event arrived.
    pub(super) last_us: u64,
    /// From when an event was due until it arrived, of those due in the window.
    pub(super) deliveries: Latencies,
    /// From the beginning of a connection until its response head, of those of the last order.
    pub(super) openings: Latencies,
    /// From the order to come back until a reader had everything.
    pub(super) returns: Latencies,
    /// Who left and came back when, while the hub was away.
    pub(super) absence: Absence,
}

/// Readers while the hub ends and begins again.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Absence {
    pub(super) left: Seconds,
    pub(super) back: Seconds,
    /// After how long streams have asked their readers to come back.
    pub(super) retries: Latencies,
    /// Streams that ended without asking for a time.
    pub(super) unasked: u64,
    /// Connects that found no hub.
    pub(super) in_vain: u64,
}

/// How many of something there were in each second.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seconds(pub(super) Vec<u32>);

impl Seconds {
    /// Counts one at this time.
    pub(super) fn count(&mut self, at_us: u64) {
        let second = (at_us / 1_000_000) as usize;
        if self.0.len() <= second {
            self.0.resize(second + 1, 0);
        }
        if let Some(count) = self.0.get_mut(second) {
            *count += 1;
        }
    }

    /// The most in a second.
    pub(super) fn peak(&self) -> u32 {
        self.0.iter().copied().max().unwrap_or(0)
    }

    /// The first and the last second with any.
    pub(super) fn span(&self) -> Option<(usize, usize)> {
        let first = self.0.iter().position(|count| *count > 0)?;
        Some((first, self.0.len() - 1))
    }

    fn add(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (all, one) in self.0.iter_mut().zip(&other.0) {
            *all += one;
        }
    }
}

impl Absence {
    fn add(&mut self, other: &Self) {
        self.left.add(&other.left);
        self.back.add(&other.back);
        self.retries.add(&other.retries);
        self.unasked += other.unasked;
        self.in_vain += other.in_vain;
    }
}

impl Tally {
    /// Adds another thread's or process's.
    pub(super) fn add(&mut self, other: &Self) {
        self.open += other.open;
        self.failed += other.failed;
        if other.cause.is_some() {
            self.cause.clone_from(&other.cause);
        }
        self.events += other.events;
        self.missing += other.missing;
        self.repeated += other.repeated;
        self.out_of_order += other.out_of_order;
        self.gaps += other.gaps;
        self.interrupted += other.interrupted;
        self.late += other.late;
        self.last_us = self.last_us.max(other.last_us);
        self.deliveries.add(&other.deliveries);
        self.openings.add(&other.openings);
        self.returns.add(&other.returns);
        self.absence.add(&other.absence);
    }
}

impl Default for Latencies {
    fn default() -> Self {
        let histogram = Histogram::new_with_bounds(1, 3_600_000_000, 3);
        Self(histogram.unwrap_or_else(|_| unreachable!("the bounds are valid")))
    }
}

impl Latencies {
    pub(super) fn record(&mut self, us: u64) {
        self.0.saturating_record(us.max(1));
    }

    /// Records the same latency of several.
    pub(super) fn record_each(&mut self, us: u64, count: u64) {
        self.0.saturating_record_n(us.max(1), count);
    }

    pub(super) fn add(&mut self, other: &Self) {
        // All have the same range, so that this cannot fail.
        let _added = self.0.add(&other.0);
    }

    pub(super) fn count(&self) -> u64 {
        self.0.len()
    }

    /// A quantile of 0 to 1 in milliseconds.
    pub(super) fn ms(&self, quantile: f64) -> f64 {
        self.0.value_at_quantile(quantile) as f64 / 1_000.0
    }
}

/// On its way between processes: the values that occur, and how often.
impl Serialize for Latencies {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(
            self.0
                .iter_recorded()
                .map(|step| (step.value_iterated_to(), step.count_at_value())),
        )
    }
}

impl<'de> Deserialize<'de> for Latencies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut latencies = Self::default();
        for (us, count) in Vec::<(u64, u64)>::deserialize(deserializer)? {
            latencies.record_each(us, count);
        }
        Ok(latencies)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_survives_its_way_between_processes_and_adds_up() {
        let mut one = Tally {
            events: 3,
            last_us: 9,
            ..Tally::default()
        };
        one.deliveries.record(250);
        one.deliveries.record_each(90_000, 2);
        let text = serde_json::to_string(&one).expect("JSON");
        let mut sum: Tally = serde_json::from_str(&text).expect("a tally");
        sum.add(&one);
        assert_eq!((sum.events, sum.last_us), (6, 9));
        assert_eq!(sum.deliveries.count(), 6);
        assert!((sum.deliveries.ms(0.3) - 0.25).abs() < 0.001);
        assert!((sum.deliveries.ms(1.0) - 90.0).abs() < 0.1);
    }
}
