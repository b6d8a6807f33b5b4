//! Reader threads: the only ones that wait for the store, on behalf of shards and lookups.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use tidings_core::distribution::{Counted, Distribution};
use tidings_core::limits::{STORE_READ_EVENTS_MAX, STORE_READS_WAITING_MAX};
use tidings_core::port::{EventStore, ReadError};
use tidings_core::position::Offset;
use tidings_core::shard::{
    CaughtUp, ConnectionKey, ReadRequest, ReplayFailed, Replayed, SnapshotRequest,
};

use crate::inbox::{Answer, Inbox};
use crate::limits::CATCH_UP_RETRY;
use crate::options::Ports;
use crate::recent_reads::RecentReads;
use crate::store_reads;

/// Who waits for a read.
type Waiter = (Arc<Inbox>, ConnectionKey);

/// Anything that somebody wants to know of the store.
type Lookup = Box<dyn FnOnce(&dyn EventStore) + Send>;

enum Job {
    /// The request is in `wanted`, with all who wait for it.
    Read(ReadRequest),
    Snapshot(SnapshotRequest, Waiter),
    CatchUp(Offset, Arc<Inbox>),
    Ask(Lookup),
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// Reads that are not done: whoever wants the same joins them.
    wanted: HashMap<ReadRequest, Vec<Waiter>>,
    /// Reads that were done a moment ago.
    recent: RecentReads,
    stopped: bool,
}

struct Shared {
    queue: Mutex<Queue>,
    filled: Condvar,
    ports: Ports,
    reads: AtomicU64,
    joined: AtomicU64,
    /// Events of each read for a connection.
    replayed: Distribution<{ REPLAY_EVENTS_BOUNDS.len() }>,
}

/// From a reader that missed nothing to a read as large as they are.
const REPLAY_EVENTS_BOUNDS: [u64; 6] = [0, 1, 10, 100, 500, STORE_READ_EVENTS_MAX as u64];

/// A handle to the reader threads.
#[derive(Clone)]
pub(crate) struct Readers(Arc<Shared>);

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Readers")
    }
}

/// Too much waits to be read already, or the hub has stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReadersBusy;

impl Readers {
    /// Readers of these ports, without a thread yet.
    pub(crate) fn new(ports: Ports) -> Self {
        Self(Arc::new(Shared {
            queue: Mutex::default(),
            filled: Condvar::new(),
            ports,
            reads: AtomicU64::new(0),
            joined: AtomicU64::new(0),
            replayed: Distribution::new(REPLAY_EVENTS_BOUNDS),
        }))
    }

    pub(crate) fn start(&self, threads: usize) -> std::io::Result<()> {
        for index in 0..threads.max(1) {
            let shared = self.0.clone();
            thread::Builder::new()
                .name(format!("reader-{index}"))
                .spawn(move || shared.run())?;
        }
        Ok(())
    }

    /// Reads for a connection; all who want the same are answered by one read.
    pub(crate) fn read(&self, request: ReadRequest, waiter: Waiter) {
        let now = self.0.ports.clock.moment();
        let mut queue = self.0.lock();
        if let Some(block) = queue.recent.get(&request, now) {
            drop(queue);
            self.0.joined.fetch_add(1, Ordering::Relaxed);
            waiter.0.answer(Answer::Replayed(waiter.1, Ok(block)));
            return;
        }
        if let Some(waiters) = queue.wanted.get_mut(&request) {
            waiters.push(waiter);
            self.0.joined.fetch_add(1, Ordering::Relaxed);
            return;
        }
        if queue.jobs.len() >= STORE_READS_WAITING_MAX || queue.stopped {
            drop(queue);
            waiter
                .0
                .answer(Answer::Replayed(waiter.1, Err(ReplayFailed)));
            return;
        }
        queue.wanted.insert(request.clone(), vec![waiter]);
        queue.jobs.push_back(Job::Read(request));
        drop(queue);
        self.0.filled.notify_one();
    }

    /// Reads a slice of the newest events of each key for a connection.
    pub(crate) fn snapshot(&self, request: SnapshotRequest, waiter: Waiter) {
        let (inbox, key) = waiter.clone();
        if self.push(Job::Snapshot(request, waiter)).is_err() {
            inbox.answer(Answer::Snapshot(key, Err(ReplayFailed)));
        }
    }

    /// Reads for a shard that missed part of its feed. Goes first: its connections all wait.
    pub(crate) fn catch_up(&self, after: Offset, inbox: Arc<Inbox>) {
        self.0.lock().jobs.push_front(Job::CatchUp(after, inbox));
        self.0.filled.notify_one();
    }

    /// Events of the reads for connections that were behind.
    pub(crate) fn replayed(&self) -> Counted {
        self.0.replayed.counted()
    }

    /// Runs a lookup on a reader thread.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future abandons the answer; the lookup itself still runs.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        lookup: impl FnOnce(&dyn EventStore) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        let job = Job::Ask(Box::new(move |store| {
            // Whoever asked may be gone.
            drop(answer.send(lookup(store)));
        }));
        self.push(job)
            .map_err(|ReadersBusy| ReadError("too many reads are waiting".into()))?;
        answered
            .await
            .unwrap_or_else(|_| Err(ReadError("the read was given up".into())))
    }

    /// Reads done, and requests that another's read answered.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (
            self.0.reads.load(Ordering::Relaxed),
            self.0.joined.load(Ordering::Relaxed),
        )
    }

    pub(crate) fn stop(&self) {
        self.0.lock().stopped = true;
        self.0.filled.notify_all();
    }

    fn push(&self, job: Job) -> Result<(), ReadersBusy> {
        let mut queue = self.0.lock();
        if queue.jobs.len() >= STORE_READS_WAITING_MAX || queue.stopped {
            return Err(ReadersBusy);
        }
        queue.jobs.push_back(job);
        drop(queue);
        self.0.filled.notify_one();
        Ok(())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        while let Some(job) = self.next() {
            if !matches!(job, Job::Ask(_)) {
                self.reads.fetch_add(1, Ordering::Relaxed);
            }
            match job {
                Job::Read(request) => {
                    let answer = store_reads::replay(&self.ports, &request);
                    if let Ok(replayed) = &answer {
                        self.replayed.note(replayed.events as u64);
                    }
                    for (inbox, key) in self.done(request, answer.as_ref().ok()) {
                        inbox.answer(Answer::Replayed(key, answer.clone()));
                    }
                }
                Job::Snapshot(request, (inbox, key)) => {
                    let answer = store_reads::snapshot(&self.ports, &request);
                    inbox.answer(Answer::Snapshot(key, answer));
                }
                Job::CatchUp(after, inbox) => {
                    inbox.answer(Answer::CaughtUp(self.catch_up(after)));
                }
                Job::Ask(lookup) => {
                    // If it panics, whoever asked is told by the answer's sender being dropped.
                    let _: Result<(), ReplayFailed> = store_reads::attempt(|| {
                        lookup(self.ports.store.as_ref());
                        Ok(())
                    });
                }
            }
        }
    }

    /// Keeps what was read for others; answers who waits for it.
    fn done(&self, request: ReadRequest, block: Option<&Replayed>) -> Vec<Waiter> {
        let now = self.ports.clock.moment();
        let mut queue = self.lock();
        let waiters = queue.wanted.remove(&request).unwrap_or_default();
        if let Some(block) = block {
            queue.recent.keep(request, block, now);
        }
        waiters
    }

    /// Waits for a job; none once stopped.
    fn next(&self) -> Option<Job> {
        let mut queue = self.lock();
        loop {
            if queue.stopped {
                return None;
            }
            if let Some(job) = queue.jobs.pop_front() {
                return Some(job);
            }
            queue = self
                .filled
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn catch_up(&self, after: Offset) -> CaughtUp {
        store_reads::missed(&self.ports, after).unwrap_or_else(|ReplayFailed| {
            // Nothing was considered, so the shard asks again; not as fast as it can.
            thread::sleep(CATCH_UP_RETRY);
            CaughtUp {
                events: Vec::new(),
                hole_through: None,
                considered: after,
            }
        })
    }
}
