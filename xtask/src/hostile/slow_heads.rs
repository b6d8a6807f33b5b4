//! N5 at full size: ten thousand connections that send their head byte by byte, and those who come
//! meanwhile and behave.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::interval;

use super::{check, need_descriptors, percentile};
use crate::bench::stand::{self, Stand};
use crate::program;
use crate::suite::tally::Tally;

const CONNECTIONS: usize = 10_000;

/// One byte each.
const BYTE_EACH: Duration = Duration::from_secs(5);

/// What a head may take, with some time for ten thousand to be closed at once.
const LIFE_MAX: Duration = Duration::from_secs(12);

/// How often somebody comes who behaves.
const VISIT_EACH: Duration = Duration::from_millis(20);

const VISIT_P99_MS_MAX: f64 = 100.0;

const HEAD: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: yyyyyyyyyyyyyyyyyyyyyyyy";

pub(super) fn run(root: &Path) -> Result<Tally> {
    need_descriptors(CONNECTIONS + 300)?;
    let stand = Stand::new(root, &program::build(root)?)?;
    let hub = stand.start()?;
    let address = hub.running.address;
    let (lives, mut visits) = stand::runtime()?.block_on(async {
        let (stop, stopped) = oneshot::channel();
        let visiting = tokio::spawn(visit(address, stopped));
        let mut dripping = JoinSet::new();
        for number in 0..CONNECTIONS {
            let socket = TcpSocket::new_v4()?;
            // A few addresses, each with ports to spare.
            let from = Ipv4Addr::new(127, 0, 0, 2 + (number % 4) as u8);
            socket.bind((from, 0).into())?;
            dripping.spawn(drip(socket.connect(address).await?));
        }
        let mut lives = Vec::new();
        while let Some(life) = dripping.join_next().await {
            lives.push(life??);
        }
        drop(stop);
        Ok::<_, anyhow::Error>((lives, visiting.await??))
    })?;
    let longest = lives.iter().max().context("none was opened")?;
    let shortest = lives.iter().min().context("none was opened")?;
    let (p50, p99) = (percentile(&mut visits, 50), percentile(&mut visits, 99));
    println!(
        "{} visits meanwhile: p50 {p50:.1} ms, p99 {p99:.1} ms",
        visits.len()
    );
    Ok(check(
        "connections whose head did not end, and that were closed",
        lives.len(),
        lives.len() == CONNECTIONS,
    ) + check(
        "they lived",
        format!("{shortest:.1?} to {longest:.1?}"),
        *longest <= LIFE_MAX,
    ) + check(
        "p99 from connecting to the answer, ms",
        format!("{p99:.1}"),
        p99 <= VISIT_P99_MS_MAX && visits.len() > 100,
    ))
}

/// Sends a head byte by byte until the hub has enough of it, and tells how long that took.
async fn drip(mut socket: TcpStream) -> Result<Duration> {
    let begun = Instant::now();
    let mut each = interval(BYTE_EACH);
    let (mut read, mut write) = socket.split();
    let mut answer = [0; 1_024];
    for byte in HEAD {
        let ended = async {
            // Closed without an answer, in order or not.
            while read.read(&mut answer).await.is_ok_and(|bytes| bytes > 0) {}
        };
        tokio::select! {
            _ = each.tick() => {}
            () = ended => return Ok(begun.elapsed()),
        }
        if write.write_all(&[*byte]).await.is_err() {
            return Ok(begun.elapsed());
        }
    }
    anyhow::bail!("the hub takes heads without end");
}

/// Comes again and again and asks for something, until nobody wants to know any more; milliseconds
/// from connecting to the answer.
async fn visit(address: SocketAddr, mut stopped: oneshot::Receiver<()>) -> Result<Vec<f64>> {
    let mut each = interval(VISIT_EACH);
    let mut visits = Vec::new();
    loop {
        tokio::select! {
            _ = &mut stopped => return Ok(visits),
            _ = each.tick() => {}
        }
        let begun = Instant::now();
        let mut socket = TcpStream::connect(address).await?;
        socket
            .write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            .await?;
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).await?;
        ensure!(
            answer.starts_with(b"HTTP/1.1 200 "),
            "a visitor was refused"
        );
        visits.push(begun.elapsed().as_secs_f64() * 1_000.0);
    }
}
