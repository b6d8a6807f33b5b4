//! `publish`: how fast durable publishes are, and how long one takes at half of that.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::BenchArguments;
use super::blocking::{BlockingPublisher, EventShape, JSON, NDJSON};
use super::chart::Chart;
use super::latency::{self, Latencies};
use super::report::{Figure, Report};
use super::stand::{Hub, Stand};

const PUBLISHERS: u64 = 64;
const SHAPE: EventShape = EventShape {
    bytes: 300,
    topics: 1_000,
};

/// Publishers and lines of the NDJSON phase.
const BATCH_PUBLISHERS: u64 = 8;
const BATCH_LINES: u64 = 100;

/// Load before the measured phase, so that caches, files and connections are warm.
const WARM_UP: Duration = Duration::from_secs(2);

/// From when the publishers of an open loop are made until the first request is due.
const LEAD: Duration = Duration::from_millis(200);

/// What a phase reached.
struct Phase {
    per_second: f64,
    latencies: Latencies,
}

/// Runs the benchmark.
pub(crate) fn run(stand: &Stand, arguments: &BenchArguments) -> Result<Report> {
    let hub = stand.start()?;
    let time = Duration::from_secs(arguments.seconds);
    closed_loop(&hub, PUBLISHERS, 1, WARM_UP)?;
    let single = closed_loop(&hub, PUBLISHERS, 1, time)?;
    let batches = closed_loop(&hub, BATCH_PUBLISHERS, BATCH_LINES, time)?;
    let half = open_loop(&hub, single.per_second / 2.0, time)?;

    let mut figures = vec![
        Figure::new(
            "publishes per second, one event each",
            single.per_second,
            "1/s",
        ),
        Figure::new(
            format!("events per second, NDJSON of {BATCH_LINES}"),
            batches.per_second,
            "1/s",
        ),
        Figure::new("publishes per second at half load", half.per_second, "1/s"),
    ];
    figures.extend(half.latencies.figures("publish at half load"));
    figures.extend(single.latencies.figures("publish at full load"));
    let bars = vec![
        (
            format!("single, {PUBLISHERS} publishers"),
            single.per_second,
        ),
        (
            format!("NDJSON of {BATCH_LINES}, {BATCH_PUBLISHERS} publishers"),
            batches.per_second,
        ),
    ];
    let lines = vec![
        half.latencies.series("half load (open loop)"),
        single.latencies.series("full load"),
    ];
    Ok(Report {
        setup: format!(
            "{PUBLISHERS} publishers with a keep-alive connection each publish events of {} bytes on {} topics, \
             every answer after its sync; then {BATCH_PUBLISHERS} publish NDJSON of {BATCH_LINES} lines; then \
             {PUBLISHERS} at half the rate of the first, each request timed from when it was due",
            SHAPE.bytes, SHAPE.topics
        ),
        figures,
        charts: vec![
            (
                "",
                Chart::bars(
                    "Durable publishes",
                    "one request after the other per publisher",
                    "events per second",
                    bars,
                ),
            ),
            (
                "-latency",
                latency::chart("Latency of a durable publish", lines),
            ),
        ],
    })
}

/// Every publisher sends the next request when it has the last answer.
fn closed_loop(hub: &Hub, publishers: u64, lines: u64, time: Duration) -> Result<Phase> {
    let next = AtomicU64::new(0);
    let began = Instant::now();
    let latencies = together(publishers, |_| {
        let mut publisher = connect(hub.running.address, &hub.token, lines)?;
        let mut latencies = Latencies::new()?;
        while began.elapsed() < time {
            let first = next.fetch_add(lines, Ordering::Relaxed);
            let body = if lines == 1 {
                SHAPE.body(first)
            } else {
                SHAPE.lines(first, lines)
            };
            let sent = Instant::now();
            publisher.publish(&body, lines)?;
            latencies.record(sent.elapsed());
        }
        Ok(latencies)
    })?;
    let per_second = next.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64();
    Ok(Phase {
        per_second,
        latencies,
    })
}

/// Requests are due at fixed times, whether or not the ones before are answered; a late one is timed
/// from when it was due, so that a stall counts for all it delays.
fn open_loop(hub: &Hub, rate: f64, time: Duration) -> Result<Phase> {
    let interval = Duration::from_secs_f64(1.0 / rate);
    let answered = AtomicU64::new(0);
    // What it takes to connect and to start threads belongs to no request: all of it is done when
    // the first one is due.
    let publishers = (0..PUBLISHERS)
        .map(|_| Ok(Mutex::new(connect(hub.running.address, &hub.token, 1)?)))
        .collect::<Result<Vec<_>>>()?;
    let began = Instant::now() + LEAD;
    let latencies = together(PUBLISHERS, |index| {
        let publisher = publishers.get(index as usize).context("a publisher each")?;
        let mut publisher = publisher.lock().unwrap_or_else(PoisonError::into_inner);
        let mut latencies = Latencies::new()?;
        for number in (index..).step_by(PUBLISHERS as usize) {
            let due_after = interval.mul_f64(number as f64);
            if due_after >= time {
                break;
            }
            let body = SHAPE.body(number);
            let due = began + due_after;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            publisher.publish(&body, 1)?;
            latencies.record(due.elapsed());
            answered.fetch_add(1, Ordering::Relaxed);
        }
        Ok(latencies)
    })?;
    let per_second = answered.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64();
    Ok(Phase {
        per_second,
        latencies,
    })
}

fn connect(address: SocketAddr, token: &str, lines: u64) -> Result<BlockingPublisher> {
    BlockingPublisher::connect(address, token, if lines == 1 { JSON } else { NDJSON })
}

/// Runs the work in so many threads, and merges what they measured.
fn together(threads: u64, work: impl Fn(u64) -> Result<Latencies> + Sync) -> Result<Latencies> {
    thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> = (0..threads)
            .map(|index| scope.spawn(move || work(index)))
            .collect();
        let mut all = Latencies::new()?;
        for thread in running {
            let latencies = thread.join().ok().context("a publisher has panicked")??;
            all.merge(&latencies)?;
        }
        Ok(all)
    })
}
