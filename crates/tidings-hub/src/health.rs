//! How the hub is, part by part: whatever an operator would ask first, asked of the part itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tidings_core::limits::COMMIT_QUEUE_WAIT_MS_MAX;
use tidings_core::port::{Backlog, EventStore, Health, Volume};
use tidings_core::position::{Offset, Position};
use tidings_core::shard::{Wanted, Which};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::connections::Slice;
use crate::hub::Hub;
use crate::inbox::{Command, Inbox};
use crate::limits::HEALTH_ANSWER_MS_MAX;

/// How one shard is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardHealth {
    /// It answers.
    Well,
    /// It has not answered within a second, or has too much to do to be asked.
    Late,
    /// It has ended, and its connections with it.
    Failed,
}

/// What the log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// How much.
    pub volume: Volume,
    /// The oldest event, if there is any.
    pub earliest: Option<Position>,
}

/// What the process keeps in memory of the log's end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WindowSize {
    /// Events.
    pub events: u64,
    /// Bytes, as they are reckoned.
    pub bytes: u64,
}

/// How the hub is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubHealth {
    /// Whether the log takes writes.
    pub log: Health,
    /// What waits for it.
    pub backlog: Backlog,
    /// How each shard is.
    pub shards: Vec<ShardHealth>,
    /// What the log holds, as a reader thread has found it; none if no one has within a second.
    pub stored: Option<Stored>,
    /// What is in memory of it.
    pub window: WindowSize,
    /// Whether the hub is shutting down.
    pub is_draining: bool,
}

impl HubHealth {
    /// Whether publishes are refused because those before them wait for a stalled disk.
    pub fn is_stalled(&self) -> bool {
        self.backlog.waiting_ms > COMMIT_QUEUE_WAIT_MS_MAX
    }
}

/// The size of the window, written by the thread that feeds the shards.
#[derive(Debug, Default)]
pub(crate) struct WindowFigures {
    events: AtomicU64,
    bytes: AtomicU64,
}

impl WindowFigures {
    pub(crate) fn set(&self, events: usize, bytes: usize) {
        self.events.store(events as u64, Ordering::Relaxed);
        self.bytes.store(bytes as u64, Ordering::Relaxed);
    }

    fn get(&self) -> WindowSize {
        WindowSize {
            events: self.events.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }
}

impl Hub {
    /// How the hub is. Each part has a second to answer, all of them the same one.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is changed.
    pub async fn health(&self) -> HubHealth {
        let until = Instant::now() + Duration::from_millis(HEALTH_ANSWER_MS_MAX);
        // All are asked before anybody is waited for.
        let asked: Vec<_> = self.inner.threads.inboxes.iter().map(ask).collect();
        let stored = timeout_at(until, self.stored()).await.ok().flatten();
        let mut shards = Vec::new();
        for asked in asked {
            shards.push(match asked {
                Ok(answered) => match timeout_at(until, answered).await {
                    Ok(Ok(_)) => ShardHealth::Well,
                    Ok(Err(_)) => ShardHealth::Failed,
                    Err(_) => ShardHealth::Late,
                },
                Err(not_asked) => not_asked,
            });
        }
        let sequencer = &self.inner.ports.sequencer;
        HubHealth {
            log: sequencer.health(),
            backlog: sequencer.backlog(),
            shards,
            stored,
            window: self.inner.window.get(),
            is_draining: self.inner.draining.load(Ordering::Relaxed),
        }
    }

    async fn stored(&self) -> Option<Stored> {
        let look = |store: &dyn EventStore| Ok((store.volume(), store.bounds()));
        let (volume, bounds) = self.inner.threads.readers.ask(look).await.ok()?;
        let first = Offset(bounds.before_earliest.0 + 1);
        Some(Stored {
            volume,
            earliest: (first <= bounds.end).then(|| self.position(first)),
        })
    }
}

/// Asks a shard something that costs it nothing.
fn ask(inbox: &Arc<Inbox>) -> Result<oneshot::Receiver<Slice>, ShardHealth> {
    let (answer, answered) = oneshot::channel();
    let nobody = Command::Survey(
        Arc::new(Which::default()),
        Wanted::default(),
        u32::MAX,
        answer,
    );
    match inbox.command(nobody) {
        Ok(()) => Ok(answered),
        Err(_) if inbox.is_shut() => Err(ShardHealth::Failed),
        Err(_) => Err(ShardHealth::Late),
    }
}
