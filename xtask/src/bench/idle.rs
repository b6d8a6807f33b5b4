//! `idle`: what many streams cost that nobody publishes to.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

use super::BenchArguments;
use super::blocking::find;
use super::chart::{Chart, Series};
use super::machine::resident_bytes;
use super::report::{Figure, Report};
use super::stand::{Hub, Stand, runtime};

/// How often memory is looked at.
const SAMPLE_EACH: Duration = Duration::from_secs(5);

/// Streams that are being opened at the same time.
const OPENING: usize = 64;

/// How long one stream may take to open.
const PATIENCE: Duration = Duration::from_secs(30);

const MIB: f64 = 1_048_576.0;

/// Runs the benchmark.
pub(crate) fn run(stand: &Stand, arguments: &BenchArguments) -> Result<Report> {
    let hub = stand.start()?;
    let pid = hub.running.pid();
    let before = memory(pid)?;
    let runtime = runtime()?;
    let watched = runtime.block_on(watch(&hub, arguments))?;

    let streams = arguments.streams;
    let last = watched.samples.last().map_or(before, |(_, mib)| *mib);
    let highest = watched
        .samples
        .iter()
        .map(|(_, mib)| *mib)
        .fold(before, f64::max);
    let per_stream = |mib: f64| (mib - before) * MIB / streams as f64;
    Ok(Report {
        setup: format!(
            "{streams} streams over HTTP/1.1, each of its own topic, opened {OPENING} at a time and held for {} minutes \
             with the usual heartbeats and no events; resident memory of the hub's process",
            arguments.minutes
        ),
        figures: vec![
            Figure::new(
                "streams opened per second",
                watched.opened_per_second,
                "1/s",
            ),
            Figure::new("memory before", before, "MiB"),
            Figure::new("memory with all streams open", watched.opened_mib, "MiB"),
            Figure::new("memory at the end", last, "MiB"),
            Figure::new("memory per stream at the end", per_stream(last), "B"),
            Figure::new("memory per stream at its highest", per_stream(highest), "B"),
            Figure::new("streams lost", watched.lost as f64, "streams"),
        ],
        charts: vec![(
            "",
            Chart::lines(
                &format!("Memory of a hub with {streams} idle streams"),
                "minutes",
                "resident memory, MiB",
                vec![Series {
                    name: "resident memory".to_owned(),
                    points: watched.samples,
                }],
            ),
        )],
    })
}

struct Watched {
    opened_per_second: f64,
    opened_mib: f64,
    /// Minutes and MiB.
    samples: Vec<(f64, f64)>,
    lost: usize,
}

async fn watch(hub: &Hub, arguments: &BenchArguments) -> Result<Watched> {
    let began = Instant::now();
    let pid = hub.running.pid();
    let mut opening = JoinSet::new();
    let mut open = JoinSet::new();
    let mut next = 0..arguments.streams;
    let mut samples = vec![(0.0, memory(pid)?)];
    loop {
        while opening.len() < OPENING
            && let Some(index) = next.next()
        {
            opening.spawn(timeout(
                PATIENCE,
                open_stream(hub.running.address, hub.token.clone(), index),
            ));
        }
        let Some(opened) = opening.join_next().await else {
            break;
        };
        open.spawn(hold(opened?.context("a stream does not open")??));
    }
    let opened_per_second = arguments.streams as f64 / began.elapsed().as_secs_f64();
    let opened_mib = memory(pid)?;

    let end = Duration::from_secs(arguments.minutes * 60);
    let mut ticks = interval(SAMPLE_EACH);
    while began.elapsed() < end {
        ticks.tick().await;
        samples.push((began.elapsed().as_secs_f64() / 60.0, memory(pid)?));
    }
    let mut lost = 0;
    while open.try_join_next().is_some() {
        lost += 1;
    }
    ensure!(lost == 0, "the hub has closed idle streams: {lost}");
    Ok(Watched {
        opened_per_second,
        opened_mib,
        samples,
        lost,
    })
}

/// Opens a stream without any HTTP library, and waits for its greeting.
async fn open_stream(address: SocketAddr, token: String, index: usize) -> Result<TcpStream> {
    let mut socket = TcpStream::connect(address)
        .await
        .context("cannot connect to the hub")?;
    let request = format!(
        "GET /v1/stream?topics=bench/idle/{index} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
         Accept: text/event-stream\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    while find(&answer, b"tidings.hello").is_none() {
        ensure!(
            socket.read_buf(&mut answer).await? > 0,
            "a stream has ended: {}",
            String::from_utf8_lossy(&answer)
        );
        ensure!(
            answer.starts_with(b"HTTP/1.1 200"),
            "a stream was refused: {}",
            String::from_utf8_lossy(&answer)
        );
    }
    Ok(socket)
}

/// Reads heartbeats until the stream ends.
async fn hold(mut socket: TcpStream) {
    let mut heartbeat = [0; 512];
    while socket.read(&mut heartbeat).await.is_ok_and(|read| read > 0) {}
}

/// Resident memory in MiB.
fn memory(pid: u32) -> Result<f64> {
    let bytes = resident_bytes(pid).context("the hub has ended")?;
    Ok(bytes as f64 / MIB)
}
