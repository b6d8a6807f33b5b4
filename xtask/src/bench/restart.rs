//! `restart`: a hub with many readers is told to end, and started again: over how long readers leave and
//! come back, and whether they have missed anything.

use anyhow::{Context, Result, ensure};

use super::BenchArguments;
use super::chart::{Chart, Series};
use super::generator::Findings;
use super::report::{Figure, Report};
use super::stand::Stand;

/// Events that are published as soon as the hub is there again.
const EVENTS: u64 = 100;

/// How much longer than it sends readers away a hub waits for those that are left.
const GRACE_SECONDS: u64 = 5;

/// Runs the benchmark.
pub(crate) fn run(stand: &Stand, arguments: &BenchArguments) -> Result<Report> {
    let (readers, spread) = (arguments.returning, arguments.spread);
    let stand = stand.with(&[
        ("TIDINGS_DRAIN_SPREAD", &format!("{spread}s")),
        (
            "TIDINGS_DRAIN_GRACE",
            &format!("{}s", spread + GRACE_SECONDS),
        ),
    ]);
    let hub = stand.start()?;
    let address = hub.running.address;
    let child = stand
        .generator(&hub)
        .command(&format!("restart --readers {readers} --events {EVENTS}"))
        .spawn()
        .context("cannot start the load generator")?;
    hub.running.wait().context("the hub did not end in order")?;
    let again = stand.start_on(address)?;
    let output = child.wait_with_output()?;
    drop(again);
    let findings = Findings::read(&output.stdout)?;
    let faults = findings.faults();
    ensure!(
        faults.is_empty(),
        "readers did not see every event once and in order: {faults}"
    );

    let even = f64::from(u32::try_from(readers)?) / spread as f64;
    let waves = [
        ("left", "/restart/left/counts"),
        ("came back", "/restart/back/counts"),
    ];
    let series = waves.map(|(name, pointer)| Series {
        name: name.to_owned(),
        points: (0..)
            .map(f64::from)
            .zip(findings.numbers(pointer))
            .collect(),
    });
    Ok(Report {
        setup: format!(
            "a hub with {readers} readers is told to end, spreads that over {spread} s, and is started again at once; \
             {EVENTS} events are published as soon as it takes connections; readers come back as browsers do, after the \
             `retry` of their stream, again and again"
        ),
        figures: figures(&findings, even)?,
        charts: vec![(
            String::new(),
            Chart::lines(
                &format!("{readers} readers of a hub that starts again"),
                "seconds since it was told to end",
                "readers per second",
                series.into(),
            ),
        )],
    })
}

/// What was found, where an even return would be so many readers per second.
fn figures(findings: &Findings, even: f64) -> Result<Vec<Figure>> {
    let peak = findings.need("/restart/back/peakPerSecond")?;
    let mut figures = Vec::new();
    for (name, pointer) in [
        (
            "readers sent away per second",
            "/restart/left/meanPerSecond",
        ),
        (
            "readers sent away in the busiest second",
            "/restart/left/peakPerSecond",
        ),
        ("readers back per second", "/restart/back/meanPerSecond"),
    ] {
        figures.push(Figure::new(name, findings.need(pointer)?, "1/s"));
    }
    figures.push(Figure::new(
        "readers back in the busiest second",
        peak,
        "1/s",
    ));
    figures.push(Figure::new(
        "that over an even return",
        peak / even,
        "times",
    ));
    for (name, pointer, unit, to_reach) in [
        (
            "last reader left after",
            "/restart/left/lastSecond",
            "s",
            None,
        ),
        (
            "last reader back after",
            "/restart/back/lastSecond",
            "s",
            None,
        ),
        (
            "connects that found no hub",
            "/restart/inVain",
            "connects",
            None,
        ),
        (
            "streams that asked for no time",
            "/restart/unasked",
            "streams",
            Some("0"),
        ),
        (
            "readers that were not back in time",
            "/restart/absent",
            "readers",
            Some("0"),
        ),
        ("events missing", "/missing", "events", Some("0")),
    ] {
        let figure = Figure::new(name, findings.need(pointer)?, unit);
        figures.push(figure.with_goal(to_reach));
    }
    figures.extend(findings.percentiles("/restart/retryMs", "asked to come back after"));
    Ok(figures)
}
