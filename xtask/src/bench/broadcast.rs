//! `broadcast`: many readers of one topic, as fast as its publisher goes. Nobody may lose anything.

use anyhow::Result;

use super::BenchArguments;
use super::chart::Chart;
use super::generator::PERCENTILE_AXIS;
use super::report::{Figure, Report};
use super::stand::Stand;

/// Lines of one request of the saturating publisher; the calm one sends one.
const LINES: u64 = 50;

/// Runs the benchmark.
pub(crate) fn run(stand: &Stand, arguments: &BenchArguments) -> Result<Report> {
    let hub = stand.start()?;
    let (readers, seconds) = (arguments.readers, arguments.seconds);
    let generator = stand.generator(&hub);
    let mut figures = Vec::new();
    let (mut bars, mut lines) = (Vec::new(), Vec::new());
    for (of, batch) in [("one event per request", 1), ("NDJSON", LINES)] {
        let load = format!(
            "broadcast --readers {readers} --publishers 1 --batch {batch} --duration {seconds}s"
        );
        let findings = generator.run(&load)?;
        let delivered = findings.need("/deliveredPerSecond")?;
        figures.push(Figure::new(
            format!("{of}: events per second"),
            findings.need("/publishedPerSecond")?,
            "1/s",
        ));
        figures.push(Figure::new(
            format!("{of}: deliveries per second"),
            delivered,
            "1/s",
        ));
        figures.push(Figure::new(
            format!("{of}: processor time of the hub per delivery"),
            findings.need("/serverCpuUsPerDelivery")?,
            "us",
        ));
        figures.extend(findings.percentiles("/deliveryMs", of));
        bars.push((of.to_owned(), delivered));
        lines.push(findings.series("/deliveryMs", of));
    }
    figures.push(Figure::new(
        "events lost, repeated or out of order",
        0.0,
        "events",
    ));
    Ok(Report {
        setup: format!(
            "{readers} readers of one topic; one publisher sends the next request when it has the answer to the last, \
             with one event or with NDJSON of {LINES}, each durable before it is visible; every reader checks that it \
             gets every event once and in order; latency from sending the request to the reader"
        ),
        figures,
        charts: vec![
            (
                String::new(),
                Chart::bars(
                    &format!("Broadcast to {readers} readers"),
                    "one publisher",
                    "deliveries per second",
                    bars,
                ),
            ),
            (
                "-latency".to_owned(),
                Chart::lines(
                    &format!("Publish to delivery, {readers} readers"),
                    PERCENTILE_AXIS,
                    "latency, ms",
                    lines,
                ),
            ),
        ],
    })
}
