//! `http2`: publishes over HTTP/2 beside those over HTTP/1.1, and what a stream over HTTP/2 costs, with
//! many of them on each connection and with one.

use anyhow::Result;

use super::BenchArguments;
use super::chart::Chart;
use super::generator::Findings;
use super::report::{Figure, Report};
use super::stand::Stand;

const PUBLISHERS: u64 = 64;

/// As that of `publish`.
const LOAD: &str = "topics --readers 0 --topics 1000 --event-bytes 240 --warm-up 2s";

/// Streams on each connection, and how many in all: as many connections as one process may have.
const BUNDLES: [(u64, u64); 2] = [(100, 10_000), (1, 5_000)];

/// Bytes of a stream.
const TO_REACH: &str = "<= 6144";

/// Runs the benchmark.
pub(crate) fn run(stand: &Stand, arguments: &BenchArguments) -> Result<Report> {
    let seconds = arguments.seconds;
    let mut figures = Vec::new();
    // First, while the log is empty: what an opening reads is given back, and would hide what streams take.
    let mut memory = Vec::new();
    for (of_each, streams) in BUNDLES {
        let found = held(stand, of_each, streams, seconds)?;
        let name = format!("{of_each} per connection");
        let bytes = found.need("/idle/serverBytesPerConnection")?;
        let figure = Figure::new(format!("memory per stream, {name}"), bytes, "B");
        // A stream that has its connection for itself pays for that, too.
        figures.push(figure.with_goal((of_each > 1).then_some(TO_REACH)));
        figures.push(Figure::new(
            format!("processor time per stream opened, {name}"),
            found.need("/idle/serverCpuUsPerConnect")?,
            "us",
        ));
        memory.push((name, bytes));
    }
    let mut publishes = Vec::new();
    {
        let hub = stand.start()?;
        let generator = stand.generator(&hub);
        for (name, flag) in [("HTTP/1.1", ""), ("HTTP/2", "--http2")] {
            let load = format!("{LOAD} --duration {seconds}s --publishers {PUBLISHERS} {flag}");
            let found = generator.run(&load)?;
            let rate = found.need("/publishedPerSecond")?;
            figures.push(Figure::new(
                format!("publishes per second over {name}, one event each"),
                rate,
                "1/s",
            ));
            figures.push(Figure::new(
                format!("processor time per publish over {name}"),
                found.need("/serverCpuUsPerPublish")?,
                "us",
            ));
            figures.extend(found.percentiles("/publishMs", &format!("publish over {name}")));
            publishes.push((name.to_owned(), rate));
        }
    }
    let [(many, many_streams), (one, one_streams)] = BUNDLES;
    Ok(Report {
        setup: format!(
            "{PUBLISHERS} publishers with a connection each publish events of about 300 bytes on 1,000 topics, over \
             HTTP/1.1 and over HTTP/2 without TLS; before, each on a fresh hub with an empty log, {many_streams} idle \
             streams with {many} on each connection, and {one_streams} with {one}; memory of the hub's process"
        ),
        figures,
        charts: vec![
            (
                "-publish".to_owned(),
                Chart::bars(
                    "Durable publishes by version of HTTP",
                    "64 publishers, one request after the other",
                    "publishes per second",
                    publishes,
                ),
            ),
            (
                "-memory".to_owned(),
                Chart::bars(
                    "Memory of an idle stream over HTTP/2",
                    "to reach: 6,144 bytes",
                    "bytes per stream",
                    memory,
                ),
            ),
        ],
    })
}

/// Idle streams on a hub that has held none before.
fn held(stand: &Stand, of_each: u64, streams: u64, seconds: u64) -> Result<Findings> {
    let hub = stand.start()?;
    let load =
        format!("idle --http2 --readers {streams} --streams {of_each} --duration {seconds}s");
    stand.generator(&hub).run(&load)
}
