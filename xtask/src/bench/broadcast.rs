//! `broadcast`: many readers of one topic, as fast as its publisher goes. Nobody may lose anything.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tidings_testkit::plain_client::{Connection, Stream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::BenchArguments;
use super::blocking::{BlockingPublisher, NDJSON, find};
use super::chart::Chart;
use super::latency::{self, Latencies};
use super::replay::number_after;
use super::report::{Figure, Report};
use super::stand::{Hub, Stand, runtime};

/// Lines of one request of the saturating publisher; the calm one sends one.
const LINES: u64 = 50;

/// One delivery in so many is timed: a clock per delivery would be the load.
const TIMED_EACH: u64 = 16;

/// How long readers may take for what is left when the publisher stops.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a phase reached.
struct Phase {
    published: f64,
    delivered: f64,
    latencies: Latencies,
}

/// Runs the benchmark.
pub(crate) fn run(stand: &Stand, arguments: &BenchArguments) -> Result<Report> {
    let hub = stand.start()?;
    let time = Duration::from_secs(arguments.seconds);
    let single = phase(&hub, "single", arguments.readers, 1, time)?;
    let batches = phase(&hub, "batches", arguments.readers, LINES, time)?;
    let readers = arguments.readers;

    let mut figures = Vec::new();
    for (of, phase) in [("one event per request", &single), ("NDJSON", &batches)] {
        figures.push(Figure::new(
            format!("{of}: events per second"),
            phase.published,
            "1/s",
        ));
        figures.push(Figure::new(
            format!("{of}: deliveries per second"),
            phase.delivered,
            "1/s",
        ));
        figures.extend(phase.latencies.figures(of));
    }
    figures.push(Figure::new(
        "events lost, repeated or out of order",
        0.0,
        "events",
    ));
    let bars = vec![
        ("one event per request".to_owned(), single.delivered),
        (format!("NDJSON of {LINES}"), batches.delivered),
    ];
    let lines = vec![
        single.latencies.series("one event per request"),
        batches.latencies.series("NDJSON"),
    ];
    Ok(Report {
        setup: format!(
            "{readers} readers of one topic; one publisher sends the next request when it has the answer to the last, \
             each durable before it is visible; every reader checks that it gets every event once and in order; \
             latency from sending the request to the reader, of one delivery in {TIMED_EACH}"
        ),
        figures,
        charts: vec![
            (
                "",
                Chart::bars(
                    &format!("Broadcast to {readers} readers"),
                    "one publisher",
                    "deliveries per second",
                    bars,
                ),
            ),
            (
                "-latency",
                latency::chart(&format!("Publish to delivery, {readers} readers"), lines),
            ),
        ],
    })
}

/// Opens the readers, publishes for a while, and waits until all readers have everything.
fn phase(hub: &Hub, topic: &str, readers: usize, lines: u64, time: Duration) -> Result<Phase> {
    let zero = Instant::now();
    let total = Arc::new(AtomicU64::new(u64::MAX));
    let runtime = runtime()?;
    let mut tasks = JoinSet::new();
    for _ in 0..readers {
        let stream = runtime.block_on(open(hub.running.address, &hub.token, topic))?;
        tasks.spawn_on(read(stream, zero, Arc::clone(&total)), runtime.handle());
    }

    let began = Instant::now();
    let (address, token, topic) = (hub.running.address, hub.token.clone(), topic.to_owned());
    let work = move || publish(address, &token, &topic, lines, zero, time, &total);
    let published = thread::spawn(work)
        .join()
        .ok()
        .context("the publisher has panicked")??;
    let publishing = began.elapsed().as_secs_f64();

    let mut latencies = Latencies::new()?;
    runtime.block_on(async {
        while let Some(reader) = timeout(PATIENCE, tasks.join_next())
            .await
            .context("readers lack events")?
        {
            latencies.merge(&reader??)?;
        }
        anyhow::Ok(())
    })?;
    let delivering = began.elapsed().as_secs_f64();
    Ok(Phase {
        published: published as f64 / publishing,
        delivered: published as f64 * readers as f64 / delivering,
        latencies,
    })
}

async fn open(address: SocketAddr, token: &str, topic: &str) -> Result<Stream> {
    let connection = Connection::open(address, token).await?;
    Ok(connection
        .stream(&format!("/v1/stream?topics=bench/{topic}"), None)
        .await?)
}

/// Publishes for a while, tells how many events there are, and then publishes one more, so that no
/// reader waits for an event that it already had when the number became known.
fn publish(
    address: SocketAddr,
    token: &str,
    topic: &str,
    lines: u64,
    zero: Instant,
    time: Duration,
    total: &AtomicU64,
) -> Result<u64> {
    let mut publisher = BlockingPublisher::connect(address, token, NDJSON)?;
    let began = Instant::now();
    let filler = "x".repeat(120);
    let mut next = 0;
    let mut send = |next: &mut u64, lines: u64| {
        let us = zero.elapsed().as_micros();
        let line = |number: u64| {
            format!(
                "{{\"type\":\"bench.event\",\"topics\":[\"bench/{topic}\"],\"data\":{{\"n\":{number},\"us\":{us},\"text\":\"{filler}\"}}}}\n"
            )
        };
        let body: String = (*next..*next + lines).map(line).collect();
        *next += lines;
        publisher.publish(&body, lines)
    };
    while began.elapsed() < time {
        send(&mut next, lines)?;
    }
    total.store(next + 1, Ordering::SeqCst);
    send(&mut next, 1)?;
    Ok(next)
}

/// Reads until the last event, and fails on any that is missing, repeated or out of order.
async fn read(mut stream: Stream, zero: Instant, total: Arc<AtomicU64>) -> Result<Latencies> {
    let mut latencies = Latencies::new()?;
    let mut expected = 0;
    loop {
        let text = stream.next_text().await.context("a stream has ended")?;
        let Some(number) = number_after(text, b"\"n\":") else {
            if find(text, b"tidings.gap").is_some() {
                bail!("a reader is told of a gap");
            }
            continue;
        };
        ensure!(
            number == expected,
            "a reader expects event {expected}, is shown {number}"
        );
        if number % TIMED_EACH == 0 {
            let sent_us =
                number_after(text, b"\"us\":").context("an event does not say when it was sent")?;
            latencies.record_us((zero.elapsed().as_micros() as u64).saturating_sub(sent_us));
        }
        expected += 1;
        if expected == total.load(Ordering::SeqCst) {
            return Ok(latencies);
        }
    }
}
