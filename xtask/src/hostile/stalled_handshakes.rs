//! N11 at full size: ten thousand TLS handshakes that do not go on, and those who come meanwhile and
//! behave.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tidings_client::poll::PageSize;
use tidings_client::{Client, Options, Reading, Trust};
use tidings_testkit::certificate::{Validity, certificate};
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

/// What a handshake may take, with some time for ten thousand to be closed at once.
const LIFE_MAX: Duration = Duration::from_secs(12);

/// How often somebody comes who behaves.
const VISIT_EACH: Duration = Duration::from_millis(20);

const VISIT_P99_MS_MAX: f64 = 100.0;

/// Nothing, the beginning of a record, and of what a client says first.
const BEGINNINGS: [&[u8]; 3] = [
    b"",
    &[0x16, 3, 1, 2],
    &[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3],
];

pub(super) fn run(root: &Path) -> Result<Tally> {
    need_descriptors(CONNECTIONS + 300)?;
    let folder = tempfile::tempdir()?;
    let made = certificate(&["127.0.0.1"], Validity::Now);
    let (chain, key) = (
        folder.path().join("chain.pem"),
        folder.path().join("key.pem"),
    );
    std::fs::write(&chain, &made.chain)?;
    std::fs::write(&key, &made.key)?;
    let settings = [
        ("TIDINGS_TLS_CERTIFICATE", chain.to_str().context("a path")?),
        ("TIDINGS_TLS_KEY", key.to_str().context("a path")?),
    ];
    let stand = Stand::with_settings(root, &program::build(root)?, &settings)?;
    let hub = stand.start()?;
    let visitor = Visitor {
        url: format!("https://{}", hub.running.address),
        token: hub.token.clone(),
        trust: Trust::only(made.chain.as_bytes())?,
    };
    let address = hub.running.address;
    let (lives, mut visits) = stand::runtime()?.block_on(async {
        let (stop, stopped) = oneshot::channel();
        let visiting = tokio::spawn(visitor.come_again_and_again(stopped));
        let mut stalled = JoinSet::new();
        for number in 0..CONNECTIONS {
            let socket = connect(address, number).await?;
            stalled.spawn(stall(socket, BEGINNINGS[number % BEGINNINGS.len()]));
        }
        let mut lives = Vec::new();
        while let Some(life) = stalled.join_next().await {
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
        "handshakes that did not go on, and that were closed",
        lives.len(),
        lives.len() == CONNECTIONS,
    ) + check(
        "they lived",
        format!("{shortest:.1?} to {longest:.1?}"),
        *longest <= LIFE_MAX,
    ) + check(
        "p99 from connecting to the answer, handshake and all, ms",
        format!("{p99:.1}"),
        p99 <= VISIT_P99_MS_MAX && visits.len() > 100,
    ))
}

/// A connection from one of a few addresses, each with ports to spare.
async fn connect(address: SocketAddr, number: usize) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    let from = Ipv4Addr::new(127, 0, 0, 2 + (number % 4) as u8);
    socket.bind((from, 0).into())?;
    Ok(socket.connect(address).await?)
}

/// Begins a handshake, and waits until the hub has enough of it; how long that took.
async fn stall(mut socket: TcpStream, beginning: &[u8]) -> Result<Duration> {
    let begun = Instant::now();
    socket.write_all(beginning).await?;
    let mut some = [0; 256];
    // Closed in order, or not.
    while socket.read(&mut some).await.is_ok_and(|bytes| bytes > 0) {}
    Ok(begun.elapsed())
}

/// Somebody who shakes hands as one should.
struct Visitor {
    url: String,
    token: String,
    trust: Trust,
}

impl Visitor {
    /// Reads a page on a connection of its own, again and again, until nobody wants to know any more;
    /// milliseconds from connecting to the answer.
    async fn come_again_and_again(self, mut stopped: oneshot::Receiver<()>) -> Result<Vec<f64>> {
        let mut each = interval(VISIT_EACH);
        let mut visits = Vec::new();
        let reading = Reading::default();
        loop {
            tokio::select! {
                _ = &mut stopped => return Ok(visits),
                _ = each.tick() => {}
            }
            let options = Options {
                trust: Some(self.trust.clone()),
                ..Options::default()
            };
            let client = Client::with_options(&self.url, Some(&self.token), options)?;
            let begun = Instant::now();
            client.poll(&reading, PageSize::default()).await?;
            visits.push(begun.elapsed().as_secs_f64() * 1_000.0);
        }
    }
}
