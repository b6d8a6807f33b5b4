//! N2: a thousand readers vanish without a word, since every packet is lost from one moment on, and the
//! hub has their places back in time.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use super::check;
use super::network::{CUTTABLE, DIRECT, Network};
use crate::program;
use crate::suite::tally::Tally;

const READERS: usize = 1_000;

/// Of so many, one stays in the HTTP library; shards write to the others' sockets.
const KEPT_EACH: usize = 5;

/// Heartbeat and the time that a peer may acknowledge nothing.
const RECLAIMED_WITHIN: Duration = Duration::from_secs(45);

const PATIENCE: Duration = Duration::from_secs(90);

/// How often the hub is looked at.
const LOOK_EACH: Duration = Duration::from_millis(100);

const SECRET: &str = "a-secret-of-thirty-two-bytes-or-more";

pub(super) fn run(root: &Path) -> Result<Tally> {
    let binary = program::build(root)?;
    let network = Network::new()?;
    let hub = Hub::start(&network, &binary)?;
    let mut readers = Vec::new();
    for number in 0..READERS {
        readers.push(hub.open(number % KEPT_EACH == 0)?);
    }
    let (open, sockets) = hub.places()?;
    ensure!(
        open == READERS as u64,
        "of {READERS} readers there are {open}"
    );
    println!("{READERS} readers, {sockets} of which have a shard write to their sockets");

    network.cut()?;
    let cut = Instant::now();
    let (near, far) = network.sent()?;
    let mut left = READERS as u64;
    while left > 0 {
        ensure!(cut.elapsed() < PATIENCE, "{left} are still there");
        thread::sleep(LOOK_EACH);
        let before = left;
        let (readers, sockets) = hub.places()?;
        left = readers.max(sockets);
        if left / 100 != before / 100 {
            let seconds = cut.elapsed().as_secs_f64();
            println!("{seconds:.1} s: {readers} readers, {sockets} sockets of shards");
        }
    }
    let took = cut.elapsed();
    let (near_after, far_after) = network.sent()?;
    let unaware = readers.iter().filter(|reader| is_unaware(reader)).count();
    Ok(check(
        "readers that heard of nothing, neither a byte nor an end",
        unaware,
        unaware == READERS,
    ) + check(
        "packets that the hub sent into the void",
        far_after - far,
        far_after - far >= READERS as u64,
    ) + check(
        "packets that the readers' side sent",
        near_after - near,
        near_after - near < READERS as u64 / 10,
    ) + check(
        "time until the last had been given up",
        format!("{took:.1?}"),
        took <= RECLAIMED_WITHIN,
    ))
}

/// Whether a reader has been told nothing since it was last read.
fn is_unaware(mut reader: &TcpStream) -> bool {
    let mut piece = [0; 1_024];
    let is_set = reader.set_nonblocking(true).is_ok();
    is_set && matches!(reader.read(&mut piece), Err(error) if error.kind() == ErrorKind::WouldBlock)
}

/// A hub on the far side.
#[derive(Debug)]
struct Hub {
    process: Child,
    port: u16,
    token: String,
    /// Kept for its removal at the end.
    _folder: TempDir,
}

impl Hub {
    fn start(network: &Network, binary: &Path) -> Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a directory")?;
        let ready = folder.path().join("ready");
        let settings = |command: &mut Command| {
            command.env("TIDINGS_AUTH_SECRET", SECRET);
            command.env("TIDINGS_LIMITS_CONNECTIONS_PER_IDENTITY", "50000");
            command.env("TIDINGS_LIMITS_CONNECTIONS_PER_ADDRESS", "50000");
        };
        let mut token = Command::new(binary);
        token.args(["token", "--sub", "reader", "--subscribe", "**"]);
        settings(&mut token);
        let token = token.output().context("cannot make a token")?;
        let token = String::from_utf8(token.stdout)?.trim().to_owned();

        let mut command = network.command(binary);
        settings(&mut command);
        let process = command
            .args(["serve", "--listen", "0.0.0.0:0", "--data-dir"])
            .arg(folder.path().join("data"))
            .arg("--ready-file")
            .arg(&ready)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start the hub")?;
        let mut hub = Self {
            process,
            port: 0,
            token,
            _folder: folder,
        };
        let begun = Instant::now();
        loop {
            let address = std::fs::read_to_string(&ready).unwrap_or_default();
            if let Ok(address) = address.trim().parse::<SocketAddr>() {
                hub.port = address.port();
                return Ok(hub);
            }
            let ended = hub.process.try_wait()?;
            ensure!(ended.is_none(), "the hub has ended: {ended:?}");
            ensure!(begun.elapsed() < PATIENCE, "the hub is not ready");
            thread::sleep(LOOK_EACH);
        }
    }

    /// Opens a stream over the way that can be cut, and reads its greeting.
    fn open(&self, is_kept: bool) -> Result<TcpStream> {
        let mut socket = self.connect(CUTTABLE)?;
        // A stream whose request has a body is kept.
        let body = if is_kept {
            "content-length: 1\r\n\r\n-"
        } else {
            "\r\n"
        };
        let request = format!(
            "GET /v1/stream?topics=n2 HTTP/1.1\r\nhost: hub\r\nauthorization: Bearer {}\r\n{body}",
            self.token
        );
        socket.write_all(request.as_bytes())?;
        let mut text = Vec::new();
        let mut piece = [0; 4_096];
        // The whole of the greeting, so that nothing is left to be told.
        while !ends_greeting(&text) {
            let read = socket.read(&mut piece)?;
            ensure!(read > 0, "refused: {}", String::from_utf8_lossy(&text));
            text.extend_from_slice(piece.get(..read).unwrap_or_default());
        }
        Ok(socket)
    }

    /// How many readers there are, and how many sockets of theirs belong to shards; asked directly.
    fn places(&self) -> Result<(u64, u64)> {
        let mut socket = self.connect(DIRECT)?;
        socket.write_all(b"GET /metrics HTTP/1.1\r\nhost: hub\r\nconnection: close\r\n\r\n")?;
        let mut text = String::new();
        socket.read_to_string(&mut text)?;
        let figure = |name: &str| {
            let mut lines = text.lines().filter_map(|line| line.split_once(' '));
            let (_, value) = lines.find(|(known, _)| *known == name)?;
            value.trim().parse().ok()
        };
        figure("tidings_hub_connections")
            .zip(figure("tidings_hub_sockets"))
            .context("the hub does not say who is there")
    }

    fn connect(&self, address: Ipv4Addr) -> Result<TcpStream> {
        let address = SocketAddr::from((address, self.port));
        let socket = TcpStream::connect(address).context("cannot reach the hub")?;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(socket)
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        // Both fail only for a process that is gone, which is what is wanted.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Whether the stream's greeting has come whole: its block, and the end of its chunk.
fn ends_greeting(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    text.split_once("tidings.hello")
        .is_some_and(|(_, rest)| rest.ends_with("\n\n\r\n"))
}
