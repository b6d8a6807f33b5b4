//! The test stand: a fresh directory on a real disk, and the release build of the program in it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use tempfile::TempDir;
use tidings_testkit::program::{Program, Running};
use tokio::runtime::Runtime;

use super::generator::Generator;

/// Limits that protect a public hub from one client are in the way of a benchmark from one address.
pub(crate) const SETTINGS: [(&str, &str); 3] = [
    ("TIDINGS_LIMITS_CONNECTIONS_PER_IDENTITY", "50000"),
    ("TIDINGS_LIMITS_CONNECTIONS_PER_ADDRESS", "50000"),
    ("TIDINGS_RETENTION_BYTES", "100GiB"),
];

/// Where a benchmark runs.
#[derive(Debug)]
pub(crate) struct Stand {
    program: Program,
    binary: PathBuf,
    root: PathBuf,
    /// Kept for its removal at the end.
    folder: Arc<TempDir>,
}

/// A hub at work, with a token for everything on `bench/**`.
#[derive(Debug)]
pub(crate) struct Hub {
    /// The process.
    pub(crate) running: Running,
    /// Its credential.
    pub(crate) token: String,
}

impl Stand {
    /// A stand below the target directory: a temporary directory may be memory, and memory has no sync.
    pub(crate) fn new(root: &Path, binary: &Path) -> Result<Self> {
        Self::with_settings(root, binary, &[])
    }

    /// The same with settings that go before those of every benchmark.
    pub(crate) fn with_settings(
        root: &Path,
        binary: &Path,
        settings: &[(&str, &str)],
    ) -> Result<Self> {
        let target = root.join("target");
        std::fs::create_dir_all(&target)?;
        let folder = tempfile::Builder::new()
            .prefix("bench-")
            .tempdir_in(target)
            .context("cannot make a directory for the benchmark")?;
        // Of two of the same name the last one counts.
        let all = SETTINGS.iter().chain(settings);
        let program = all.fold(
            Program::new(binary, folder.path()),
            |program, (name, value)| program.with_setting(name, value),
        );
        Ok(Self {
            program,
            binary: binary.to_owned(),
            root: root.to_owned(),
            folder: Arc::new(folder),
        })
    }

    /// The same stand with more settings.
    pub(crate) fn with(&self, settings: &[(&str, &str)]) -> Self {
        let program = settings
            .iter()
            .fold(self.program.clone(), |program, (name, value)| {
                program.with_setting(name, value)
            });
        Self {
            program,
            binary: self.binary.clone(),
            root: self.root.clone(),
            folder: Arc::clone(&self.folder),
        }
    }

    /// The workspace.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Starts the hub on what is in the directory.
    pub(crate) fn start(&self) -> Result<Hub> {
        self.start_on("127.0.0.1:0".parse()?)
    }

    /// The same on an address.
    pub(crate) fn start_on(&self, address: SocketAddr) -> Result<Hub> {
        let running = self.program.start(address)?;
        let grants = ["--subscribe", "bench/**", "--publish", "bench/**"];
        let token = self
            .program
            .token("bench", &grants)
            .context("cannot make a token")?;
        Ok(Hub { running, token })
    }

    /// The load generator, aimed at the hub.
    pub(crate) fn generator(&self, hub: &Hub) -> Generator {
        Generator::on_hub(&self.binary, hub)
    }

    /// The program.
    pub(crate) fn binary(&self) -> &Path {
        &self.binary
    }

    /// The end of what the hub wrote to its output.
    pub(crate) fn last_words(&self) -> String {
        self.program.last_words()
    }

    /// How many lines with these words the hub wrote to its output.
    pub(crate) fn lines_with(&self, words: &str) -> usize {
        self.program.lines_with(words)
    }

    /// Bytes on disk below the stand's directory.
    pub(crate) fn disk_bytes(&self) -> Result<u64> {
        let output = std::process::Command::new("du")
            .args(["-s", "--block-size=1"])
            .arg(self.folder.path())
            .output()
            .context("cannot start `du`")?;
        let text = String::from_utf8_lossy(&output.stdout);
        text.split_whitespace()
            .next()
            .and_then(|bytes| bytes.parse().ok())
            .context("`du` names no size")
    }
}

impl Hub {
    /// How many connections read from it, as it says itself.
    pub(crate) fn connections(&self) -> Result<u64> {
        self.figure("tidings_hub_connections")
    }

    /// A figure, as it says itself.
    pub(crate) fn figure(&self, name: &str) -> Result<u64> {
        let mut socket = TcpStream::connect(self.running.address)?;
        socket
            .write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut text = String::new();
        socket.read_to_string(&mut text)?;
        text.lines()
            .filter_map(|line| line.rsplit_once(' '))
            .find(|(known, _)| *known == name)
            .and_then(|(_, value)| value.trim().parse().ok())
            .with_context(|| format!("the hub does not say its `{name}`"))
    }
}

/// The runtime of a benchmark's readers.
pub(crate) fn runtime() -> Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the runtime")
}
