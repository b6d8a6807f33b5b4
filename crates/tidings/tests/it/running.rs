//! A hub as a process of its own: where it listens, what it logs, what it uses, and how it ends.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use crate::program::command;

/// How long anything may take before a test fails; never waited for otherwise.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A hub in a directory. Dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) address: SocketAddr,
    process: Child,
    log: Arc<Log>,
    printed: Arc<Log>,
}

/// The lines that a hub has logged, or printed, so far.
#[derive(Debug, Default)]
struct Log {
    lines: Mutex<Vec<String>>,
    more: Condvar,
}

impl Log {
    /// Keeps what a pipe brings, to its end: the program never writes to one that is closed.
    fn of(pipe: impl BufRead + Send + 'static) -> Arc<Self> {
        let log = Arc::new(Self::default());
        let filled = log.clone();
        std::thread::spawn(move || {
            for line in pipe.lines().map_while(Result::ok) {
                filled.lines.lock().expect("the log").push(line);
                filled.more.notify_all();
            }
        });
        log
    }
}

impl Hub {
    /// Starts a hub for development with these settings.
    pub(crate) fn start(directory: &Path, settings: &[(&str, &str)]) -> Self {
        Self::spawn(command(directory, settings, &ARGUMENTS))
    }

    /// Starts a hub as it runs in production, with its data in `data`.
    pub(crate) fn serve(directory: &Path, settings: &[(&str, &str)]) -> Self {
        Self::spawn(command(directory, settings, &IN_PRODUCTION))
    }

    /// The same, with a limit of the system's on it, as `ulimit` takes it.
    pub(crate) fn start_limited(directory: &Path, settings: &[(&str, &str)], limit: &str) -> Self {
        let mut shell = Command::new("/bin/sh");
        shell
            .arg("-c")
            .arg(format!("ulimit {limit} && exec \"$0\" \"$@\""))
            .arg(env!("CARGO_BIN_EXE_tidings"))
            .args(ARGUMENTS)
            .current_dir(directory)
            .env_clear()
            .envs(settings.iter().copied());
        Self::spawn(shell)
    }

    fn spawn(mut command: Command) -> Self {
        let mut process = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let log = Log::of(BufReader::new(process.stderr.take().expect("piped")));
        let mut out = BufReader::new(process.stdout.take().expect("piped"));
        let mut greeting = String::new();
        out.read_line(&mut greeting).expect("a greeting");
        let address = greeting
            .trim()
            .strip_prefix("tidings listens on ")
            .and_then(|url| Some(url.split_once("://")?.1))
            .unwrap_or_else(|| panic!("the address comes first: {greeting}{log:?}"))
            .parse()
            .expect("an address");
        Self {
            address,
            process,
            log,
            printed: Log::of(out),
        }
    }

    /// Sends a signal, by its name.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.process.id().to_string()])
            .status()
            .expect("`kill` starts");
        assert!(status.success());
    }

    /// Waits until it has ended.
    pub(crate) fn end(mut self) -> ExitStatus {
        self.process.wait().expect("it ends")
    }

    /// Waits until a line with these words has been logged.
    pub(crate) fn log_until(&self, words: &str) {
        let lines = self.log.lines.lock().expect("the log");
        let waiting = self.log.more.wait_timeout_while(lines, PATIENCE, |lines| {
            !lines.iter().any(|line| line.contains(words))
        });
        let (lines, waited) = waiting.expect("the log");
        assert!(!waited.timed_out(), "no `{words}` in {lines:#?}");
    }

    /// Waits until so many lines with these words have been logged, and returns all there are: a line
    /// may come a moment after what it tells of shows elsewhere.
    pub(crate) fn logged_at_least(&self, count: usize, words: &str) -> Vec<String> {
        let lines = self.log.lines.lock().expect("the log");
        let waiting = self.log.more.wait_timeout_while(lines, PATIENCE, |lines| {
            lines.iter().filter(|line| line.contains(words)).count() < count
        });
        drop(waiting.expect("the log"));
        self.logged(words)
    }

    /// The lines with these words that have been logged so far.
    pub(crate) fn logged(&self, words: &str) -> Vec<String> {
        let lines = self.log.lines.lock().expect("the log");
        let found = lines.iter().filter(|line| line.contains(words));
        found.cloned().collect()
    }

    /// Everything that it has logged, and printed after its address, so far.
    pub(crate) fn written(&self) -> String {
        let texts = [&self.log, &self.printed].map(|log| log.lines.lock().expect("it").join("\n"));
        texts.join("\n")
    }

    /// Sends a request on a connection of its own, and returns the whole answer.
    pub(crate) fn ask(&self, line: &str, content: &str) -> String {
        let mut connection = TcpStream::connect(self.address).expect("the hub listens");
        let request = format!(
            "{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\
             content-type: application/x-ndjson\r\n\r\n{content}",
            content.len()
        );
        connection.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).expect("an answer");
        answer
    }

    /// Publishes events to a topic, as lines, each with these data.
    pub(crate) fn publish(&self, topic: &str, data: impl IntoIterator<Item = String>) {
        let lines: Vec<String> = data
            .into_iter()
            .map(|data| format!("{{\"type\":\"t\",\"topics\":[\"{topic}\"],\"data\":{data}}}\n"))
            .collect();
        let answer = self.ask("POST /v1/events?userId=publisher", &lines.concat());
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert_eq!(
            answer.matches("\"cursor\":").count(),
            lines.len(),
            "{answer}"
        );
    }

    /// One figure of `/metrics`.
    pub(crate) fn figure(&self, name: &str) -> u64 {
        figure_in(&self.ask("GET /metrics", ""), name)
    }

    /// How many readers it has given up because they took nothing.
    pub(crate) fn given_up(&self) -> u64 {
        self.figure("tidings_hub_connections_ended_total{cause=\"slow_reader\"}")
    }

    /// Waits until a figure stands at a value.
    pub(crate) fn until_figure(&self, name: &str, value: u64) {
        until(|| self.figure(name) == value, name);
    }

    /// Descriptors that the process has open; those of files come and go with its log.
    #[cfg(target_os = "linux")]
    pub(crate) fn descriptors(&self) -> usize {
        self.open().count()
    }

    /// Sockets that the process has open.
    #[cfg(target_os = "linux")]
    pub(crate) fn sockets(&self) -> usize {
        let targets = self.open().filter_map(|link| std::fs::read_link(link).ok());
        let sockets = targets.filter(|target| target.to_string_lossy().starts_with("socket:"));
        sockets.count()
    }

    #[cfg(target_os = "linux")]
    fn open(&self) -> impl Iterator<Item = std::path::PathBuf> {
        let folder = format!("/proc/{}/fd", self.process.id());
        let entries = std::fs::read_dir(folder).expect("it runs");
        entries.map(|entry| entry.expect("it runs").path())
    }

    /// Threads whose name begins so; Linux keeps fifteen bytes of a name.
    #[cfg(target_os = "linux")]
    pub(crate) fn threads_named(&self, begin: &str) -> usize {
        let folder = format!("/proc/{}/task", self.process.id());
        let threads = std::fs::read_dir(folder).expect("it runs");
        let names = threads.filter_map(|thread| {
            let thread = thread.ok()?.path().join("comm");
            std::fs::read_to_string(thread).ok()
        });
        names.filter(|name| name.starts_with(begin)).count()
    }

    /// Processor time that it has used, in hundredths of a second.
    #[cfg(target_os = "linux")]
    pub(crate) fn processor_ticks(&self) -> u64 {
        let file = format!("/proc/{}/stat", self.process.id());
        let stat = std::fs::read_to_string(file).expect("it runs");
        // The name of the program stands in brackets, and may hold spaces.
        let (_, after_name) = stat.rsplit_once(')').expect("a name");
        let fields = after_name.split_whitespace().skip(11).take(2);
        fields
            .map(|ticks| ticks.parse::<u64>().expect("a number"))
            .sum()
    }

    /// Bytes of memory that it has.
    #[cfg(target_os = "linux")]
    pub(crate) fn resident_bytes(&self) -> u64 {
        let file = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(file).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let amount = line.and_then(|line| line.split_whitespace().next());
        amount
            .and_then(|kib| kib.parse::<u64>().ok())
            .expect("an amount")
            * 1024
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.process.kill();
        let _status = self.process.wait();
    }
}

const IN_PRODUCTION: [&str; 5] = ["serve", "--listen", "127.0.0.1:0", "--data-dir", "data"];

const ARGUMENTS: [&str; 4] = ["serve", "--dev", "--listen", "127.0.0.1:0"];

/// A figure in the text of `/metrics`.
pub(crate) fn figure_in(text: &str, name: &str) -> u64 {
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    let found = lines.find(|(known, _)| *known == name);
    let (_, value) = found.unwrap_or_else(|| panic!("no `{name}` in {text}"));
    value.trim().parse().expect("a number")
}

/// Looks again and again until something holds.
pub(crate) fn until(holds: impl Fn() -> bool, what: &str) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "not in time: {what}");
        std::thread::yield_now();
    }
}
