//! Memory and descriptors of the hub's process over time.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::bench::machine::resident_bytes;

const MIB: f64 = 1_048_576.0;

/// What was seen, and after how many seconds.
#[derive(Debug, Default)]
pub(super) struct Samples {
    pub(super) memory_mib: Vec<(f64, f64)>,
    pub(super) descriptors: Vec<(f64, f64)>,
}

/// Looks so often at a process until it is told to stop, by being aborted or by the time.
pub(super) async fn watch(process: u32, for_so_long: Duration, each: Duration) -> Result<Samples> {
    let mut samples = Samples::default();
    let begun = Instant::now();
    let mut ticks = tokio::time::interval(each);
    while begun.elapsed() < for_so_long {
        ticks.tick().await;
        let at = begun.elapsed().as_secs_f64();
        let bytes = resident_bytes(process).context("the hub has ended")?;
        let open = fs::read_dir(format!("/proc/{process}/fd")).context("the hub has ended")?;
        samples.memory_mib.push((at, bytes as f64 / MIB));
        samples.descriptors.push((at, open.count() as f64));
    }
    Ok(samples)
}

/// The medians of the second and of the last tenth of a time.
pub(super) fn second_and_last_tenth(points: &[(f64, f64)], whole: Duration) -> (f64, f64) {
    let tenth = whole.as_secs_f64() / 10.0;
    let median = |from: f64, to: f64| {
        let within = points.iter().filter(|(at, _)| (from..to).contains(at));
        let mut values: Vec<f64> = within.map(|(_, value)| *value).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or_default()
    };
    (
        median(tenth, 2.0 * tenth),
        median(9.0 * tenth, f64::INFINITY),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_tenth_is_compared_with_the_last_one() {
        let points: Vec<(f64, f64)> = (0..100).map(|at| (f64::from(at), f64::from(at))).collect();
        let medians = second_and_last_tenth(&points, Duration::from_secs(100));
        assert_eq!(medians, (15.0, 95.0));
        assert_eq!(
            second_and_last_tenth(&[], Duration::from_secs(1)),
            (0.0, 0.0)
        );
    }
}
