//! `reopen`: how long a hub takes from its start to its first answer, on a log of some size that was
//! left by `kill -9`.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use anyhow::{Context, Result};

use super::BenchArguments;
use super::blocking::{BlockingPublisher, EventShape, NDJSON};
use super::chart::Chart;
use super::report::{Figure, Report};
use super::stand::{Hub, Stand};

const PUBLISHERS: usize = 8;
const LINES: u64 = 200;
const SHAPE: EventShape = EventShape {
    bytes: 1_000,
    topics: 100_000,
};

/// Starts with the page cache as the last one left it; the median counts.
const RUNS: usize = 5;

const GIB: f64 = 1_073_741_824.0;

/// Runs the benchmark.
pub(crate) fn run(stand: &Stand, arguments: &BenchArguments) -> Result<Report> {
    let hub = stand.start()?;
    let events = arguments.log_mib * 1024 * 1024 / SHAPE.bytes as u64;
    fill(&hub, events)?;
    let mut hot = Vec::new();
    let mut hub = hub;
    for _ in 0..RUNS {
        hub = killed_and_started(stand, hub, false)?;
        hot.push(ready_ms(&hub));
    }
    hot.sort_by(f64::total_cmp);
    let median = hot.get(RUNS / 2).copied().context("there was no run")?;
    let disk_gib = stand.disk_bytes()? as f64 / GIB;

    let mut figures = vec![
        Figure::new("events in the log", events as f64, "events"),
        Figure::new("size on disk", disk_gib, "GiB"),
        Figure::new("ready after kill -9, page cache warm", median, "ms"),
        Figure::new(
            "the same, slowest run",
            hot.last().copied().unwrap_or(median),
            "ms",
        ),
    ];
    let mut bars = vec![("page cache warm".to_owned(), median)];
    if may_drop_caches() {
        let hub = killed_and_started(stand, hub, true)?;
        figures.push(Figure::new(
            "ready after kill -9, page cache empty",
            ready_ms(&hub),
            "ms",
        ));
        bars.push(("page cache empty".to_owned(), ready_ms(&hub)));
    }
    Ok(Report {
        setup: format!(
            "a log of {events} events of {} bytes on {} topics is made by publishing; the hub is killed (`kill -9`) \
             and started again; time from the start of the process to its first answer, the median of {RUNS} starts",
            SHAPE.bytes, SHAPE.topics
        ),
        figures,
        charts: vec![(
            String::new(),
            Chart::bars(
                &format!("Start on a log of {disk_gib:.1} GiB after kill -9"),
                "",
                "ms to the first answer",
                bars,
            ),
        )],
    })
}

/// Publishes so many events with several publishers at once.
fn fill(hub: &Hub, events: u64) -> Result<()> {
    let next = AtomicU64::new(0);
    let publish = || {
        let mut publisher = BlockingPublisher::connect(hub.running.address, &hub.token, NDJSON)?;
        loop {
            let first = next.fetch_add(LINES, Ordering::Relaxed);
            if first >= events {
                return anyhow::Ok(());
            }
            publisher.publish(&SHAPE.lines(first, LINES), LINES)?;
        }
    };
    thread::scope(|scope| {
        let running: Vec<_> = (0..PUBLISHERS).map(|_| scope.spawn(publish)).collect();
        for thread in running {
            thread.join().ok().context("a publisher has panicked")??;
        }
        Ok(())
    })
}

fn killed_and_started(stand: &Stand, hub: Hub, cold: bool) -> Result<Hub> {
    hub.running.kill()?;
    if cold {
        fs::write(DROP_CACHES, "3")?;
    }
    stand.start()
}

fn ready_ms(hub: &Hub) -> f64 {
    hub.running.ready_after.as_secs_f64() * 1_000.0
}

const DROP_CACHES: &str = "/proc/sys/vm/drop_caches";

/// Whether this process may empty the page cache; written data is synced first, so nothing is lost.
fn may_drop_caches() -> bool {
    fs::write(DROP_CACHES, "1").is_ok()
}
