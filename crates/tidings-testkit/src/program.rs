//! The real program as a child process: started, waited for, killed without warning, started again.

use std::env;
use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use thiserror::Error;

/// How long the program may take until it answers requests, recovery of its log included.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// How often the ready file is looked for.
const READY_EVERY: Duration = Duration::from_millis(2);

/// How the names of variables begin that the program takes as settings.
const SETTINGS_BEGIN: [&str; 4] = ["TIDINGS_", "NEXTAUTH_", "AUTH_SECRET", "SSE_JWT_SECRET"];

/// How to start the program.
#[derive(Debug, Clone)]
pub struct Program {
    binary: PathBuf,
    folder: PathBuf,
    settings: Vec<(String, String)>,
}

/// A running program. Dropped, it is killed.
#[derive(Debug)]
pub struct Running {
    /// Where it answers requests.
    pub address: SocketAddr,
    /// How long it took until it did.
    pub ready_after: Duration,
    child: Child,
}

/// Why the program does not run.
#[derive(Debug, Error)]
pub enum StartError {
    /// The process or one of its files could not be made.
    #[error("cannot start `{program}`")]
    Start {
        /// Path of the binary.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// The process ended before it answered requests.
    #[error("`{program}` ended with {status} before it was ready; its last words: {log}")]
    Ended {
        /// Path of the binary.
        program: String,
        /// How it ended.
        status: String,
        /// The end of its log.
        log: String,
    },
    /// The process runs and does not answer requests.
    #[error("`{program}` was not ready within {READY_WITHIN:?}; its last words: {log}")]
    NotReady {
        /// Path of the binary.
        program: String,
        /// The end of its log.
        log: String,
    },
}

// === impl Program ===

impl Program {
    /// The binary, with everything it writes below `folder`: its data and what it says.
    pub fn new(binary: impl Into<PathBuf>, folder: impl Into<PathBuf>) -> Self {
        Self {
            binary: binary.into(),
            folder: folder.into(),
            settings: Vec::new(),
        }
    }

    /// The same program with one setting more, by its name in the environment.
    #[must_use]
    pub fn with_setting(mut self, variable: &str, value: &str) -> Self {
        self.settings.push((variable.to_owned(), value.to_owned()));
        self
    }

    /// The directory of its log and its development secret.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Starts `serve --dev` on `listen`, whose port may be 0, and waits until it answers requests.
    ///
    /// # Errors
    ///
    /// See [`StartError`].
    pub fn start(&self, listen: SocketAddr) -> Result<Running, StartError> {
        let began = Instant::now();
        let ready_file = self.folder.join("ready");
        let child = self
            .spawn(listen, &ready_file)
            .map_err(|source| StartError::Start {
                program: self.name(),
                source,
            })?;
        let mut running = Running {
            address: listen,
            ready_after: Duration::ZERO,
            child,
        };
        loop {
            if let Some(address) = address_in(&ready_file) {
                running.address = address;
                running.ready_after = began.elapsed();
                return Ok(running);
            }
            if let Ok(Some(status)) = running.child.try_wait() {
                let status = status.to_string();
                return Err(StartError::Ended {
                    program: self.name(),
                    status,
                    log: self.last_words(),
                });
            }
            if began.elapsed() > READY_WITHIN {
                return Err(StartError::NotReady {
                    program: self.name(),
                    log: self.last_words(),
                });
            }
            thread::sleep(READY_EVERY);
        }
    }

    /// A token that the program signs with the secret in its data directory. It must have been
    /// started once, so that there is one.
    ///
    /// # Errors
    ///
    /// Fails as the command fails; the error holds what it said.
    pub fn token(&self, subject: &str, grants: &[&str]) -> io::Result<String> {
        let output = self
            .command()
            .args(["token", "--sub", subject])
            .args(grants)
            .arg("--data-dir")
            .arg(self.data_dir())
            .output()?;
        if !output.status.success() {
            return Err(io::Error::other(
                String::from_utf8_lossy(&output.stderr).into_owned(),
            ));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// How many lines with these words the program has written to its output, over all of its runs.
    pub fn lines_with(&self, words: &str) -> usize {
        let log = fs::read_to_string(self.log_file()).unwrap_or_default();
        log.lines().filter(|line| line.contains(words)).count()
    }

    /// The end of what the program wrote to its output, over all of its runs.
    pub fn last_words(&self) -> String {
        const LINES: usize = 20;
        let log = fs::read_to_string(self.log_file()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines
            .get(lines.len().saturating_sub(LINES)..)
            .unwrap_or_default()
            .join("\n")
    }

    fn spawn(&self, listen: SocketAddr, ready_file: &Path) -> io::Result<Child> {
        fs::create_dir_all(&self.folder)?;
        match fs::remove_file(ready_file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_file())?;
        self.command()
            .args(["serve", "--dev", "--listen", &listen.to_string()])
            .arg("--data-dir")
            .arg(self.data_dir())
            .arg("--ready-file")
            .arg(ready_file)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
    }

    /// The program with its settings, and with none that the environment happens to have.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        for (name, _) in env::vars_os() {
            let name = name.to_string_lossy();
            if SETTINGS_BEGIN.iter().any(|begin| name.starts_with(begin)) {
                command.env_remove(name.as_ref());
            }
        }
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command.current_dir(&self.folder);
        command
    }

    fn log_file(&self) -> PathBuf {
        self.folder.join("program.log")
    }

    fn name(&self) -> String {
        self.binary.display().to_string()
    }
}

/// The address in a ready file, once the file is there and whole.
fn address_in(ready_file: &Path) -> Option<SocketAddr> {
    fs::read_to_string(ready_file).ok()?.trim().parse().ok()
}

// === impl Running ===

impl Running {
    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the program has ended, as it was told to.
    ///
    /// # Errors
    ///
    /// Fails if it ends with an error.
    pub fn wait(mut self) -> io::Result<()> {
        let status = self.child.wait()?;
        if status.success() {
            return Ok(());
        }
        Err(io::Error::other(format!("the program ended: {status}")))
    }

    /// Kills the program as the system does (`kill -9`), and waits until it is gone.
    ///
    /// # Errors
    ///
    /// Fails if the process ended before, by itself.
    pub fn kill(mut self) -> io::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            return Err(io::Error::other(format!(
                "the program had ended by itself: {status}"
            )));
        }
        self.child.kill()?;
        self.child.wait().map(|_| ())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only for a process that is gone, which is what is wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
