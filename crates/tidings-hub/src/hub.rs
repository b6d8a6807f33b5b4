//! The hub's handle, and how it is put together from its ports.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tidings_core::port::{Health, TailError};
use tidings_core::position::{Offset, Position};
use tokio::sync::Semaphore;

use crate::admission::{Allowed, Gate};
use crate::commit_feed::{Feed, WindowBudget};
use crate::figures::{Figures, PublishFigures};
use crate::health::WindowFigures;
use crate::limits::SURVEYS_AT_ONCE_MAX;
use crate::options::{Options, Ports};
use crate::tally::Tallies;
use crate::threads::Threads;
use crate::waits::Waits;

/// Why the hub could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A thread or its poll could not be made.
    #[error("a thread of the hub could not be started: {0}")]
    Thread(#[from] io::Error),
    /// The log could not be followed.
    #[error(transparent)]
    Tail(#[from] TailError),
}

/// Whether the hub takes work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// It does.
    Ready,
    /// Reads go on; publishes are refused until there is space.
    Full,
    /// Something has failed, and only starting the process again mends it: the log, whose reads go
    /// on, or a shard, whose connections have moved to the others. Says why.
    Poisoned(String),
    /// It is shutting down.
    Draining,
}

/// The hub. Clones are handles to the same one; it stops when the last is dropped.
#[derive(Debug, Clone)]
pub struct Hub {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) ports: Ports,
    pub(crate) threads: Threads,
    pub(crate) tallies: Arc<Tallies>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) publish_figures: PublishFigures,
    pub(crate) waits: Waits,
    pub(crate) draining: AtomicBool,
    pub(crate) seed: u64,
    pub(crate) count_wait: Duration,
    pub(crate) opened: std::sync::atomic::AtomicU64,
    /// Places for surveys of all connections.
    pub(crate) surveys: Semaphore,
    pub(crate) window: Arc<WindowFigures>,
}

impl Hub {
    /// Starts the hub's threads and follows the log from its present end.
    pub fn start(options: &Options, ports: Ports) -> Result<Self, StartError> {
        let end = ports.sequencer.end();
        let threads = Threads::start(options, &ports, end)?;
        let tallies = Arc::new(Tallies::default());
        let window = Arc::new(WindowFigures::default());
        let feed = Feed {
            inboxes: threads.inboxes.clone(),
            tallies: tallies.clone(),
            budget: WindowBudget::new(
                options.window_events,
                options.window_bytes,
                end,
                Arc::clone(&window),
            ),
            end,
        };
        ports.sequencer.tail(end, Box::new(feed))?;
        let gate = Gate::new(Allowed {
            hub: options.connections,
            per_identity: options.connections_per_identity,
            per_address: options.connections_per_address,
        });
        Ok(Self {
            inner: Arc::new(Inner {
                ports,
                threads,
                tallies,
                gate: Arc::new(gate),
                publish_figures: PublishFigures::default(),
                waits: Waits::default(),
                draining: AtomicBool::new(false),
                seed: options.seed,
                count_wait: Duration::from_millis(options.count_wait_ms),
                opened: std::sync::atomic::AtomicU64::new(0),
                surveys: Semaphore::new(SURVEYS_AT_ONCE_MAX),
                window,
            }),
        })
    }

    /// Whether the hub takes work.
    pub fn readiness(&self) -> Readiness {
        if self.inner.draining.load(Ordering::Relaxed) {
            return Readiness::Draining;
        }
        if self
            .inner
            .threads
            .inboxes
            .iter()
            .any(|inbox| inbox.is_shut())
        {
            return Readiness::Poisoned("a shard has failed".to_owned());
        }
        match self.inner.ports.sequencer.health() {
            Health::Writable => Readiness::Ready,
            Health::Full => Readiness::Full,
            Health::Poisoned(why) => Readiness::Poisoned(why),
        }
    }

    /// The newest committed position.
    pub fn head(&self) -> Position {
        self.position(self.inner.ports.sequencer.end())
    }

    /// An offset as a position of the log's history.
    pub fn position(&self, offset: Offset) -> Position {
        self.inner.ports.sequencer.lineage().position(offset)
    }

    /// Lets so many connections in from now on. Those that are there stay, also where they are more.
    pub fn allow(&self, allowed: Allowed) {
        self.inner.gate.allow(allowed);
    }

    /// How many sockets the shards have taken over from the transport and still hold.
    pub fn sockets(&self) -> usize {
        self.inner.gate.sockets()
    }

    /// What the hub counts of itself.
    pub fn figures(&self) -> Figures {
        let published = &self.inner.publish_figures;
        let (store_reads, store_reads_shared) = self.inner.threads.readers.counts();
        let mut figures = Figures {
            events_published: published.published.load(Ordering::Relaxed),
            bytes_published: published.bytes.load(Ordering::Relaxed),
            events_duplicate: published.duplicate.load(Ordering::Relaxed),
            publishes_refused: published.refused.load(Ordering::Relaxed),
            store_reads,
            store_reads_shared,
            connections_refused: self.inner.gate.refused(),
            connections: self.inner.gate.count() as u64,
            sockets: self.inner.gate.sockets() as u64,
            waits: self.inner.waits.count() as u64,
            commit_times: self.inner.ports.sequencer.commit_times(),
            replayed: self.inner.threads.readers.replayed(),
            end_offset: self.inner.ports.sequencer.end().0,
            ..Figures::default()
        };
        for shard in &self.inner.threads.shard_figures {
            shard.add_to(&mut figures);
        }
        figures
    }
}
