//! `idle`: what many streams cost that nobody publishes to, as memory over time.

use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::BenchArguments;
use super::chart::{Chart, Series};
use super::generator::Findings;
use super::machine::resident_bytes;
use super::report::{Figure, Report};
use super::stand::Stand;

/// How often memory is looked at.
const SAMPLE_EACH: Duration = Duration::from_secs(5);

/// How often the load is asked whether it is over.
const LOOK_EACH: Duration = Duration::from_millis(50);

const MIB: f64 = 1_048_576.0;

/// Runs the benchmark.
pub(crate) fn run(stand: &Stand, arguments: &BenchArguments) -> Result<Report> {
    let hub = stand.start()?;
    let (streams, minutes) = (arguments.streams, arguments.minutes);
    let load = format!("idle --readers {streams} --duration {minutes}m");
    let mut child = stand
        .generator(&hub)
        .command(&load)
        .spawn()
        .context("cannot start the load generator")?;
    let samples = samples(&mut child, hub.running.pid())?;
    let output = child.wait_with_output()?;
    let findings = Findings::read(&output.stdout)?;
    let lost = findings.need("/interrupted")?;
    ensure!(lost == 0.0, "the hub has closed idle streams: {lost}");

    let highest = samples.iter().map(|(_, mib)| *mib).fold(0.0, f64::max);
    let mib = |pointer: &str| findings.need(pointer).map(|bytes| bytes / MIB);
    let before = mib("/idle/serverBytesBefore")?;
    let figures = vec![
        Figure::new(
            "streams opened per second",
            findings.need("/idle/openedPerSecond")?,
            "1/s",
        ),
        Figure::new("memory before", before, "MiB"),
        Figure::new(
            "memory with all streams open",
            mib("/idle/serverBytesOpened")?,
            "MiB",
        ),
        Figure::new("memory at the end", mib("/idle/serverBytesHeld")?, "MiB"),
        Figure::new(
            "memory per stream at the end",
            findings.need("/idle/serverBytesPerConnection")?,
            "B",
        ),
        Figure::new(
            "memory per stream at its highest",
            (highest - before) * MIB / streams as f64,
            "B",
        ),
        Figure::new("streams lost", lost, "streams"),
    ];
    Ok(Report {
        setup: format!(
            "{streams} streams over HTTP/1.1 of one topic, held for {minutes} minutes with the usual heartbeats and no \
             events; memory of the hub's process"
        ),
        figures,
        charts: vec![(
            String::new(),
            Chart::lines(
                &format!("Memory of a hub with {streams} idle streams"),
                "minutes",
                "resident memory, MiB",
                vec![Series {
                    name: "resident memory".to_owned(),
                    points: samples,
                }],
            ),
        )],
    })
}

/// Minutes and MiB, until the load is over.
fn samples(load: &mut Child, hub: u32) -> Result<Vec<(f64, f64)>> {
    let began = Instant::now();
    let mut samples = Vec::new();
    let mut next = began;
    while load.try_wait()?.is_none() {
        if Instant::now() >= next {
            let bytes = resident_bytes(hub).context("the hub has ended")?;
            samples.push((began.elapsed().as_secs_f64() / 60.0, bytes as f64 / MIB));
            next += SAMPLE_EACH;
        }
        thread::sleep(LOOK_EACH);
    }
    Ok(samples)
}
