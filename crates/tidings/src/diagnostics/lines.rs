//! Log lines on their way out: a thread writes them, so that whoever has something to say never waits
//! for whoever reads it.
//!
//! A terminal that is stopped, or a full pipe, would otherwise stop the threads that deliver events.
//! What waits has a limit; lines beyond it are dropped, counted, and missed in the log itself as soon
//! as there is room again.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// Takes log lines, and returns at once.
#[derive(Debug, Clone)]
pub(super) struct Lines(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// Something waits, or has been written.
    changed: Condvar,
    bytes_max: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    bytes: Vec<u8>,
    /// Lines that are being written.
    writing: bool,
    dropped: u64,
    /// Of those, how many have been told.
    told: u64,
    ended: bool,
}

/// Keeps the thread; dropping it writes what waits, if that is taken soon.
#[derive(Debug)]
#[must_use = "log lines are written as long as this lives"]
pub struct Written {
    shared: Arc<Shared>,
    patience: Duration,
}

impl Lines {
    /// Starts a thread that writes lines to `out`.
    pub(super) fn start(
        out: impl Write + Send + 'static,
        bytes_max: usize,
        patience: Duration,
    ) -> io::Result<(Self, Written)> {
        let shared = Arc::new(Shared {
            waiting: Mutex::default(),
            changed: Condvar::new(),
            bytes_max,
        });
        let writer = shared.clone();
        thread::Builder::new()
            .name("log-lines".to_owned())
            .spawn(move || writer.write_all_to(out))?;
        let lines = Self(shared.clone());
        Ok((lines, Written { shared, patience }))
    }

    /// Lines that were dropped because too much waited.
    pub(super) fn dropped(&self) -> u64 {
        self.0.lock().dropped
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_all_to(&self, mut out: impl Write) {
        let mut taken = Vec::new();
        while self.take(&mut taken) {
            // Nobody is left to tell that nobody listens.
            let _unwritten = out.write_all(&taken).and_then(|()| out.flush());
            taken.clear();
            self.wrote();
        }
    }

    /// Waits for lines and takes them; false at the end.
    fn take(&self, taken: &mut Vec<u8>) -> bool {
        let mut waiting = self.lock();
        while waiting.bytes.is_empty() && !waiting.ended {
            waiting = self
                .changed
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
        // What waits at the end is still written.
        let is_over = waiting.bytes.is_empty();
        std::mem::swap(&mut waiting.bytes, taken);
        waiting.writing = !is_over;
        !is_over
    }

    /// What was taken has been written: there is room, also for saying what had none.
    fn wrote(&self) {
        let mut waiting = self.lock();
        waiting.writing = false;
        let untold = waiting.dropped - waiting.told;
        waiting.told = waiting.dropped;
        drop(waiting);
        self.changed.notify_all();
        if untold > 0 {
            tracing::warn!(dropped = untold, "log lines were dropped: nobody took them");
        }
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        let mut waiting = self.shared.lock();
        waiting.ended = true;
        self.shared.changed.notify_all();
        let unwritten = |waiting: &mut Waiting| waiting.writing || !waiting.bytes.is_empty();
        let waited = self
            .shared
            .changed
            .wait_timeout_while(waiting, self.patience, unwritten);
        drop(waited);
    }
}

/// One line; the whole of it is written at once.
impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = self.0.lock();
        if waiting.bytes.len() + line.len() > self.0.bytes_max {
            waiting.dropped += 1;
            return Ok(line.len());
        }
        let was_empty = waiting.bytes.is_empty();
        waiting.bytes.extend_from_slice(line);
        drop(waiting);
        if was_empty {
            self.0.changed.notify_all();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    /// Writes when it is let, and shows what it wrote.
    struct Gate {
        enter: Receiver<()>,
        wrote: SyncSender<Vec<u8>>,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.enter.recv().map_err(io::Error::other)?;
            self.wrote.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn gate() -> (Gate, SyncSender<()>, Receiver<Vec<u8>>) {
        let (let_in, enter) = sync_channel(8);
        let (wrote, written) = sync_channel(8);
        (Gate { enter, wrote }, let_in, written)
    }

    #[test]
    fn nobody_waits_for_a_reader_that_takes_nothing_and_what_is_too_much_is_counted() {
        let (out, let_in, written) = gate();
        let (mut lines, end) = Lines::start(out, 10, PATIENCE).expect("a thread");
        lines.write_all(b"first\n").expect("taken");
        let shared = lines.0.clone();
        while !shared.lock().writing {
            thread::yield_now();
        }
        // It is stopped in the middle of the first line: these wait, and the last has no room.
        lines.write_all(b"second\n").expect("taken");
        lines.write_all(b"abc\n").expect("dropped");
        assert_eq!(lines.dropped(), 1);
        lines.write_all(b"ab\n").expect("taken");
        for _ in 0..2 {
            let_in.send(()).expect("it waits");
        }
        assert_eq!(written.recv().expect("a line"), b"first\n");
        assert_eq!(written.recv().expect("lines"), b"second\nab\n");
        drop(end);
    }

    #[test]
    fn the_end_waits_for_the_last_lines_and_not_for_ever() {
        let (out, let_in, written) = gate();
        let (mut lines, end) = Lines::start(out, 100, PATIENCE).expect("a thread");
        let_in.send(()).expect("room");
        lines.write_all(b"last\n").expect("taken");
        drop(end);
        assert_eq!(written.try_recv().expect("written by now"), b"last\n");

        let (out, _let_in, written) = gate();
        let (mut lines, end) = Lines::start(out, 100, Duration::ZERO).expect("a thread");
        lines.write_all(b"never\n").expect("taken");
        drop(end);
        assert!(written.try_recv().is_err(), "nobody lets it");
    }
}
