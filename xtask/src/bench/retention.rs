//! `retention`: how long a durable publish takes while the log removes its oldest events all the time,
//! beside the same load on a log that removes none.

use std::path::Path;

use anyhow::{Result, ensure};

use super::BenchArguments;
use super::chart::Chart;
use super::generator::{Findings, PERCENTILE_AXIS};
use super::report::{Figure, Report};
use super::stand::Stand;

/// Segments of the smallest size in a log of two: the oldest goes whenever one is full.
const REMOVING: [(&str, &str); 2] = [
    ("TIDINGS_LOG_SEGMENT_BYTES", SEGMENT),
    ("TIDINGS_RETENTION_BYTES", LIMIT),
];

/// Segments of the same size, and nothing is removed.
const KEEPING: [(&str, &str); 1] = [("TIDINGS_LOG_SEGMENT_BYTES", SEGMENT)];

const SEGMENT: &str = "16MiB";
const LIMIT: &str = "32MiB";

/// 4,000 events of 8 KiB are two segments in each second.
const LOAD: &str =
    "topics --readers 0 --topics 100 --publishers 64 --rate 4000 --event-bytes 8000 --warm-up 3s";

/// Both in turn: what else the machine does falls on both.
const TURNS: usize = 3;

const GOAL: &str = "<= 2";

/// Runs the benchmark. It needs settings of its own, so that it makes its own stands.
pub(crate) fn run(stand: &Stand, arguments: &BenchArguments) -> Result<Report> {
    let binary = stand.binary();
    let (mut keeping, mut removing) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        let (findings, kept) = phase(binary, &KEEPING, arguments)?;
        keeping.push(findings);
        let (findings, left) = phase(binary, &REMOVING, arguments)?;
        removing.push(findings);
        ensure!(
            left < kept / 2,
            "the log has removed too little: {left} of {kept} bytes are left\nhint: give more `--seconds`"
        );
    }
    sort(&mut keeping);
    sort(&mut removing);
    let (Some(without), Some(with)) = (keeping.get(TURNS / 2), removing.get(TURNS / 2)) else {
        anyhow::bail!("nothing was measured");
    };
    let ratio = p99(with) / p99(without);
    let mut figures = vec![
        Figure::new("p99 while removing over p99 while keeping", ratio, "times")
            .with_goal(Some(GOAL)),
    ];
    figures.extend(with.percentiles("/publishMs", "while removing"));
    figures.extend(without.percentiles("/publishMs", "while keeping"));
    Ok(Report {
        setup: format!(
            "64 publishers, 4,000 durable publishes of 8,000 bytes per second, each timed from when it was due; a log of \
             at most {LIMIT} in segments of {SEGMENT}, beside one without a limit; {TURNS} runs of each in turn, \
             the one with the median p99"
        ),
        figures,
        charts: vec![(
            String::new(),
            Chart::lines(
                "A durable publish while the log removes its oldest events",
                PERCENTILE_AXIS,
                "latency, ms",
                vec![
                    with.series("/publishMs", "removing"),
                    without.series("/publishMs", "keeping"),
                ],
            ),
        )],
    })
}

/// Puts the load on a hub with these settings; what it found, and the bytes on disk afterwards.
fn phase(
    binary: &Path,
    settings: &[(&str, &str)],
    arguments: &BenchArguments,
) -> Result<(Findings, u64)> {
    let root = crate::workspace::root()?;
    let stand = Stand::with_settings(&root, binary, settings)?;
    let hub = stand.start()?;
    let seconds = arguments.seconds;
    let findings = stand
        .generator(&hub)
        .run(&format!("{LOAD} --duration {seconds}s"))?;
    Ok((findings, stand.disk_bytes()?))
}

fn p99(findings: &Findings) -> f64 {
    findings.number("/publishMs/p99").unwrap_or(f64::NAN)
}

fn sort(all: &mut [Findings]) {
    all.sort_by(|one, other| p99(one).total_cmp(&p99(other)));
}
