//! `churn`: whether memory comes back after readers came and went all the time beside many that stay.

use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::BenchArguments;
use super::chart::{Chart, Series};
use super::machine::resident_bytes;
use super::report::{Figure, Report};
use super::stand::Stand;

/// Streams that stay.
const STAYING: u64 = 15_000;

/// Streams that come and go beside them, at least.
const COMING: f64 = 100_000.0;

/// Streams that come and go at a time.
const AT_ONCE: u64 = 64;

/// How long the hub has to come to rest before it is looked at.
const REST: Duration = Duration::from_secs(15);

/// How long the staying ones hold on beyond everything else.
const HOLD_MINUTES: u64 = 60;

const GOAL: &str = "<= 1.15";

const MIB: f64 = 1_048_576.0;

/// Runs the benchmark.
pub(crate) fn run(stand: &Stand, arguments: &BenchArguments) -> Result<Report> {
    let hub = stand.start()?;
    let pid = hub.running.pid();
    let generator = stand.generator(&hub);
    let staying = format!("idle --readers {STAYING} --duration {HOLD_MINUTES}m");
    let mut staying = Held(
        generator
            .command(&staying)
            .stdout(Stdio::null())
            .spawn()
            .context("cannot start the load generator")?,
    );
    while hub.connections()? < STAYING {
        ensure!(
            staying.0.try_wait()?.is_none(),
            "the streams that were to stay have gone"
        );
        thread::sleep(Duration::from_millis(100));
    }
    let look = || resident_bytes(pid).context("the hub has ended");
    thread::sleep(REST);
    let mut samples = vec![(0.0, look()? as f64 / MIB)];
    let mut came = 0.0;
    while came < COMING {
        let load = format!(
            "storm --readers {AT_ONCE} --duration {}s",
            arguments.seconds
        );
        came += generator.run(&load)?.need("/storm/connects")?;
        samples.push((came, look()? as f64 / MIB));
    }
    thread::sleep(REST);
    samples.push((came, look()? as f64 / MIB));
    ensure!(
        hub.connections()? == STAYING,
        "not only those that stay are left"
    );
    let (first, last) = match samples.as_slice() {
        [(_, first), .., (_, last)] => (*first, *last),
        _ => anyhow::bail!("nothing was measured"),
    };
    Ok(Report {
        setup: format!(
            "{STAYING} idle streams that stay; beside them {AT_ONCE} at a time come and go, {COMING} at least; memory of the \
             hub's process after {} s of rest before and after",
            REST.as_secs()
        ),
        figures: vec![
            Figure::new("memory after over memory before", last / first, "times")
                .with_goal(Some(GOAL)),
            Figure::new("memory before", first, "MiB"),
            Figure::new("memory after", last, "MiB"),
            Figure::new("streams that came and went", came, "streams"),
        ],
        charts: vec![(
            String::new(),
            Chart::lines(
                "Memory while readers come and go",
                "streams that came and went",
                "resident memory, MiB",
                vec![Series {
                    name: "resident memory".to_owned(),
                    points: samples,
                }],
            ),
        )],
    })
}

/// A load that ends with the benchmark.
struct Held(Child);

impl Drop for Held {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
