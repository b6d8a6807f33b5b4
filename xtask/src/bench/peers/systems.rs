//! The systems that are measured side by side, each on one core, with a fresh directory.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use tidings_testkit::program::Program;

use super::nginx;
use crate::bench::generator::Generator;
use crate::bench::stand::SETTINGS;

/// Cores of the server and of the load generator.
const SERVER_CORE: &str = "0";
pub(crate) const GENERATOR_CORE: &str = "1";

const READY_WITHIN: Duration = Duration::from_secs(30);
const READY_EVERY: Duration = Duration::from_millis(10);

/// Runs the rest of its arguments with as many descriptors as it may have.
const WITH_ALL_DESCRIPTORS: &str = "ulimit -n \"$(ulimit -Hn)\"; exec \"$@\"";

/// A system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    /// This hub with its log on disk.
    Durable,
    /// This hub with its log in memory.
    Memory,
    /// The publish/subscribe module of nginx.
    Nchan,
    /// The plain hub of `bench/baseline`.
    Baseline,
}

/// The programs of all systems.
pub(crate) struct Programs {
    pub(crate) tidings: PathBuf,
    pub(crate) baseline: PathBuf,
}

/// Where a system runs, and with which settings beside those of every benchmark; only ours takes any.
pub(crate) struct Place<'a> {
    pub(crate) cores: &'a str,
    pub(crate) settings: &'a [(&'a str, &'a str)],
}

/// A system at work. Dropped, it is ended.
pub(crate) struct Contestant {
    process: Child,
    folder: TempDir,
    address: SocketAddr,
    system: System,
}

impl System {
    pub(crate) const ALL: [Self; 4] = [Self::Durable, Self::Memory, Self::Nchan, Self::Baseline];

    /// Its name in results and on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Durable => "tidings",
            Self::Memory => "tidings-memory",
            Self::Nchan => "nchan",
            Self::Baseline => "axum",
        }
    }

    /// Whether what is to be reached is for it.
    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Self::Durable | Self::Memory)
    }

    /// Starts it below the target directory, and waits until it takes connections.
    pub(crate) fn start(self, root: &Path, programs: &Programs) -> Result<Contestant> {
        let place = Place {
            cores: SERVER_CORE,
            settings: &[],
        };
        self.start_at(root, programs, &place)
    }

    /// The same at another place.
    pub(crate) fn start_at(
        self,
        root: &Path,
        programs: &Programs,
        place: &Place<'_>,
    ) -> Result<Contestant> {
        let target = root.join("target");
        fs::create_dir_all(&target)?;
        let folder = tempfile::Builder::new()
            .prefix("peers-")
            .tempdir_in(target)
            .context("cannot make a directory for a system")?;
        let ready_file = folder.path().join("ready");
        let mut command = pinned(place.cores);
        let mut address = None;
        match self {
            Self::Durable | Self::Memory => {
                let kind = if self == Self::Memory {
                    "memory"
                } else {
                    "embedded"
                };
                command
                    .arg(&programs.tidings)
                    .args(["serve", "--dev", "--listen", "127.0.0.1:0", "--data-dir"])
                    .arg(folder.path().join("data"))
                    .arg("--ready-file")
                    .arg(&ready_file)
                    .envs(SETTINGS)
                    .env("TIDINGS_LOG_KIND", kind)
                    .envs(place.settings.iter().copied());
            }
            Self::Baseline => {
                command
                    .arg(&programs.baseline)
                    .arg("--ready-file")
                    .arg(&ready_file);
            }
            Self::Nchan => {
                let (config, listens) = nginx::write_config(folder.path())?;
                address = Some(listens);
                command.arg("nginx").arg("-c").arg(config);
            }
        }
        let log = File::create(folder.path().join("program.log"))?;
        let process = command
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start `{}`", self.name()))?;
        let mut contestant = Contestant {
            process,
            folder,
            address: address.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0))),
            system: self,
        };
        contestant.wait(&ready_file)?;
        Ok(contestant)
    }
}

impl Contestant {
    /// The load generator, aimed at it.
    pub(crate) fn generator(&self, programs: &Programs) -> Result<Generator> {
        let (pid, address) = (self.process.id(), self.address);
        let (target, token) = if self.system.is_ours() {
            let program = Program::new(&programs.tidings, self.folder.path());
            let grants = ["--subscribe", "bench/**", "--publish", "bench/**"];
            let token = program
                .token("bench", &grants)
                .context("cannot make a token")?;
            (format!("--url http://{address}"), Some(token))
        } else {
            let target = format!(
                "--subscribe-url http://{address}/sub/{{topic}} --publish-url http://{address}/pub/{{topic}}"
            );
            (target, None)
        };
        let target = format!("{target} --server-pid {pid}");
        Ok(Generator::new(&programs.tidings, &target, token).on_core(GENERATOR_CORE))
    }

    /// The end of what it wrote to its output.
    pub(crate) fn last_words(&self) -> String {
        let text = ["program.log", "error.log"]
            .map(|name| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default())
            .concat();
        let lines: Vec<&str> = text.lines().collect();
        lines
            .get(lines.len().saturating_sub(10)..)
            .unwrap_or_default()
            .join("\n")
    }

    fn wait(&mut self, ready_file: &Path) -> Result<()> {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            let named = fs::read_to_string(ready_file).unwrap_or_default();
            if let Ok(address) = named.trim().parse() {
                self.address = address;
            }
            if self.address.port() != 0 && TcpStream::connect(self.address).is_ok() {
                return Ok(());
            }
            if self.process.try_wait()?.is_some() || Instant::now() > deadline {
                bail!(
                    "`{}` does not start; its last words: {}",
                    self.system.name(),
                    self.last_words()
                );
            }
            thread::sleep(READY_EVERY);
        }
    }
}

impl Drop for Contestant {
    fn drop(&mut self) {
        // Nginx has children, which a mere kill would leave behind. Both fail only for a process
        // that is gone.
        let pid = self.process.id().to_string();
        let _ended = Command::new("kill").args(["-TERM", &pid]).status();
        let deadline = Instant::now() + READY_WITHIN;
        while Instant::now() < deadline {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(READY_EVERY);
        }
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// A command on these cores, of which the program is still to be named.
fn pinned(cores: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", WITH_ALL_DESCRIPTORS, "sh", "taskset", "-c", cores]);
    command
}
