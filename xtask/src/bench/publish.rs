//! `publish`: how fast durable publishes are, and how long one takes at half of that.

use anyhow::Result;

use super::BenchArguments;
use super::chart::Chart;
use super::generator::PERCENTILE_AXIS;
use super::report::{Figure, Report};
use super::stand::Stand;

const PUBLISHERS: u64 = 64;

/// Publishers and lines of the NDJSON phase.
const BATCH_PUBLISHERS: u64 = 8;
const BATCH_LINES: u64 = 100;

/// No readers, and events of 300 bytes with what stands around their data.
const LOAD: &str = "topics --readers 0 --topics 1000 --event-bytes 240 --warm-up 2s";

/// Runs the benchmark.
pub(crate) fn run(stand: &Stand, arguments: &BenchArguments) -> Result<Report> {
    let hub = stand.start()?;
    let generator = stand.generator(&hub);
    let seconds = arguments.seconds;
    let phase = |more: &str| generator.run(&format!("{LOAD} --duration {seconds}s {more}"));
    let single = phase(&format!("--publishers {PUBLISHERS}"))?;
    let batches = phase(&format!(
        "--publishers {BATCH_PUBLISHERS} --batch {BATCH_LINES}"
    ))?;
    let single_rate = single.need("/publishedPerSecond")?;
    let batch_rate = batches.need("/publishedPerSecond")?;
    let half_rate = single_rate / 2.0;
    let half = phase(&format!("--publishers {PUBLISHERS} --rate {half_rate:.0}"))?;

    let mut figures = vec![
        Figure::new("publishes per second, one event each", single_rate, "1/s"),
        Figure::new(
            format!("events per second, NDJSON of {BATCH_LINES}"),
            batch_rate,
            "1/s",
        ),
        Figure::new(
            "publishes per second at half load",
            half.need("/publishedPerSecond")?,
            "1/s",
        ),
    ];
    figures.extend(half.percentiles("/publishMs", "publish at half load"));
    figures.extend(single.percentiles("/publishMs", "publish at full load"));
    let bars = vec![
        (format!("single, {PUBLISHERS} publishers"), single_rate),
        (
            format!("NDJSON of {BATCH_LINES}, {BATCH_PUBLISHERS} publishers"),
            batch_rate,
        ),
    ];
    let lines = vec![
        half.series("/publishMs", "half load (open loop)"),
        single.series("/publishMs", "full load"),
    ];
    Ok(Report {
        setup: format!(
            "{PUBLISHERS} publishers with a keep-alive connection each publish events of about 300 bytes on 1,000 \
             topics, every answer after its sync; then {BATCH_PUBLISHERS} publish NDJSON of {BATCH_LINES} lines; then \
             {PUBLISHERS} at half the rate of the first, each request timed from when it was due"
        ),
        figures,
        charts: vec![
            (
                String::new(),
                Chart::bars(
                    "Durable publishes",
                    "one request after the other per publisher",
                    "events per second",
                    bars,
                ),
            ),
            (
                "-latency".to_owned(),
                Chart::lines(
                    "Latency of a durable publish",
                    PERCENTILE_AXIS,
                    "latency, ms",
                    lines,
                ),
            ),
        ],
    })
}
