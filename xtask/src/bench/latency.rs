//! Latencies: a histogram, and the percentiles that reports name.

use std::time::Duration;

use anyhow::Result;
use hdrhistogram::Histogram;

use super::chart::{Chart, Series};
use super::report::Figure;

/// Latencies from 1 µs to a minute, with three digits.
#[derive(Debug, Clone)]
pub(crate) struct Latencies(Histogram<u64>);

const PERCENTILES: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];

impl Latencies {
    /// No latency yet.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(Histogram::new_with_bounds(1, 60_000_000, 3)?))
    }

    /// Takes one in; one beyond a minute counts as a minute.
    pub(crate) fn record(&mut self, latency: Duration) {
        self.record_us(latency.as_micros() as u64);
    }

    /// As [`record`](Self::record), in microseconds.
    pub(crate) fn record_us(&mut self, latency_us: u64) {
        self.0.saturating_record(latency_us.max(1));
    }

    /// Takes another's in.
    pub(crate) fn merge(&mut self, other: &Self) -> Result<()> {
        Ok(self.0.add(&other.0)?)
    }

    /// A percentile in milliseconds, of 0 to 1.
    pub(crate) fn percentile_ms(&self, quantile: f64) -> f64 {
        self.0.value_at_quantile(quantile) as f64 / 1_000.0
    }

    /// The usual percentiles as figures.
    pub(crate) fn figures(&self, of: &str) -> Vec<Figure> {
        let max = Figure::new(format!("{of}: max"), self.0.max() as f64 / 1_000.0, "ms");
        PERCENTILES
            .iter()
            .map(|(name, quantile)| {
                Figure::new(format!("{of}: {name}"), self.percentile_ms(*quantile), "ms")
            })
            .chain([max])
            .collect()
    }

    /// The percentiles as points of a line, one step per halving of what is beyond.
    pub(crate) fn series(&self, name: &str) -> Series {
        let halvings = 12;
        let point = |step: i32| {
            (
                f64::from(step),
                self.percentile_ms(1.0 - 0.5_f64.powi(step)),
            )
        };
        Series {
            name: name.to_owned(),
            points: (0..=halvings).map(point).collect(),
        }
    }
}

/// A chart of whole distributions: each step to the right leaves half as many requests beyond.
pub(crate) fn chart(title: &str, series: Vec<Series>) -> Chart {
    Chart::lines(
        title,
        "percentile: 0 = fastest, 1 = median, 2 = 75 %, 3 = 87.5 %, ... (halvings of the rest)",
        "latency, ms",
        series,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_in_milliseconds() {
        let mut latencies = Latencies::new().expect("the bounds are valid");
        for ms in 1..=100 {
            latencies.record(Duration::from_millis(ms));
        }
        assert!((latencies.percentile_ms(0.5) - 50.0).abs() < 0.1);
        assert!((latencies.percentile_ms(0.99) - 99.0).abs() < 0.1);
        assert_eq!(latencies.figures("x").len(), PERCENTILES.len() + 1);
    }
}
