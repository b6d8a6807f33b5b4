//! What came of a load, for people and for programs.

use std::fmt;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::Load;
use super::ledger::Ledger;
use super::publisher::PublishedAll;

/// The figures of one load.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Readers of the topic.
    pub readers: usize,
    /// Publishers to the topic.
    pub publishers: usize,
    /// The rate that was asked for.
    pub rate: Option<f64>,
    /// How long publishing took.
    pub seconds: f64,
    /// Events that the hub accepted.
    pub published: u64,
    /// Publishes that it refused for the moment.
    pub refused: u64,
    /// Accepted events per second.
    pub published_per_second: f64,
    /// From when a publish was due until its answer.
    pub publish_ms: Quantiles,
    /// Events that arrived, once for each reader.
    pub delivered: u64,
    /// From when an event was due until it arrived.
    pub delivery_ms: Quantiles,
    /// Events that a reader should have seen and did not.
    pub missing: u64,
    /// Events that a reader saw again.
    pub repeated: u64,
    /// Gaps that readers were told.
    pub gaps: u64,
    /// Readers that had not seen everything when the load was called off.
    pub late_readers: usize,
}

/// A distribution in milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Quantiles {
    /// The median.
    pub p50: f64,
    /// One in ten is slower.
    pub p90: f64,
    /// One in a hundred is slower.
    pub p99: f64,
    /// The slowest.
    pub max: f64,
}

impl Report {
    pub(super) fn new(
        load: &Load,
        published: &PublishedAll,
        received: &Ledger,
        late_readers: usize,
    ) -> Self {
        let accepted = published.accepted_of_each.iter().sum();
        let seconds = published.took.as_secs_f64();
        Self {
            readers: load.readers,
            publishers: load.publishers,
            rate: load.rate,
            seconds,
            published: accepted,
            refused: published.refused,
            published_per_second: accepted as f64 / seconds,
            publish_ms: Quantiles::of(&published.latency),
            delivered: received.events,
            delivery_ms: Quantiles::of(&received.latency),
            missing: received.missing,
            repeated: received.repeated,
            gaps: received.gaps,
            late_readers,
        }
    }

    /// Whether every reader saw every event exactly once.
    pub fn is_complete(&self) -> bool {
        self.missing == 0 && self.repeated == 0 && self.late_readers == 0
    }
}

impl Quantiles {
    fn of(histogram: &Histogram<u64>) -> Self {
        let ms = |quantile| histogram.value_at_quantile(quantile) as f64 / 1_000.0;
        Self {
            p50: ms(0.5),
            p90: ms(0.9),
            p99: ms(0.99),
            max: ms(1.0),
        }
    }
}

impl fmt::Display for Quantiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50, p90, p99, max } = self;
        write!(
            f,
            "p50 {p50:.2}  p90 {p90:.2}  p99 {p99:.2}  max {max:.2} ms"
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = match self.rate {
            Some(rate) => format!("{rate} events/s asked"),
            None => "as fast as answers came".to_owned(),
        };
        writeln!(
            f,
            "{} publishers, {} readers, {rate}",
            self.publishers, self.readers
        )?;
        writeln!(
            f,
            "published   {} in {:.1} s, {:.0} per second, {} refused",
            self.published, self.seconds, self.published_per_second, self.refused
        )?;
        writeln!(f, "            {}", self.publish_ms)?;
        writeln!(f, "delivered   {}", self.delivered)?;
        writeln!(f, "            {}", self.delivery_ms)?;
        write!(
            f,
            "missing {}, repeated {}, gaps {}, late readers {}",
            self.missing, self.repeated, self.gaps, self.late_readers
        )
    }
}
