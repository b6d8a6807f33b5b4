//! The sequencer port: what gives events their order and makes them durable.

use std::sync::Arc;

use crate::distribution::Counted;
use crate::event::{Draft, Event};
use crate::lineage::Lineage;
use crate::port::ReadError;
use crate::position::{Offset, Position};
use crate::time::Timestamp;

/// What became of one draft of a committed group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The event's place; for a duplicate, that of the first one.
    pub position: Position,
    /// When it was appended; for a duplicate, the first one.
    pub timestamp: Timestamp,
    /// Whether the same publish had been committed before and nothing was appended.
    pub duplicate: bool,
}

/// Why a group was not committed. Unless it says otherwise, nothing of the group is in the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// An id of the group was used for other content within the dedupe window.
    #[error("the id of event {index} of the group was used for other content")]
    IdReused {
        /// Which draft of the group.
        index: usize,
        /// The event that has the id; none if that is an earlier draft of the same refused group.
        position: Option<Position>,
    },
    /// Too much is waiting for the log, or it has stalled. Try again later.
    #[error("the log is busy")]
    Busy {
        /// When trying again makes sense.
        retry_after_ms: u64,
    },
    /// There is no space left. Goes away by itself when there is.
    #[error("the log has no space left")]
    Full,
    /// The log takes no more writes until the process is started again.
    #[error("the log is not writable")]
    NotWritable,
    /// The group was handed to the log, which failed before it could tell whether it was kept. A
    /// repeat with the same id is safe.
    #[error("the log failed before the outcome was known")]
    OutcomeUnknown,
    /// The group is larger than the log takes in one piece.
    #[error("the group has {actual} bytes where at most {max} are allowed")]
    TooLarge {
        /// Bytes of the group.
        actual: usize,
        /// Bytes allowed.
        max: usize,
    },
}

/// Called exactly once with the outcome, one entry per draft in the group's order. Must not block.
pub type AppendReply = Box<dyn FnOnce(Result<Vec<Appended>, AppendError>) + Send>;

/// Where committed events go. Must not block for long: it runs on the sequencer's own thread.
pub trait CommitFeed: Send {
    /// Takes events that have just been committed, in log order, each event exactly once over the
    /// life of the feed.
    fn committed(&mut self, events: &[Arc<Event>]);
}

/// Why a tail could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TailError {
    /// The log already has a feed; one log feeds one hub.
    #[error("the log is tailed already")]
    Taken,
    /// The events between the position and the end could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Whether the log takes writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It does.
    Writable,
    /// Not at the moment; reads go on, and it recovers by itself.
    Full,
    /// Not until the process is started again; reads go on. Says why, for the operator.
    Poisoned(String),
}

/// What waits for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backlog {
    /// Bytes that wait to be committed, those that are being written among them.
    pub bytes: u64,
    /// How long the oldest of them has waited.
    pub waiting_ms: u64,
}

/// Gives events their order, and makes them durable.
///
/// Duties:
/// - A group is atomic: all of its events become visible together, next to each other, or none.
/// - Groups appended by one thread one after the other are committed in that order.
/// - Nothing is shown to the feed, answered, or readable from the matching store before it is
///   durable.
/// - The feed gets a group's events before the group's reply is called.
/// - A draft whose dedupe key is known is not appended again; its reply waits until the first one
///   is durable. Also within one group, and across a restart within the dedupe window.
/// - After a failed sync nothing is acknowledged any more.
pub trait Sequencer: Send + Sync + std::fmt::Debug {
    /// Queues a group. Never blocks; the outcome comes through the reply. An empty group is
    /// answered with an empty list.
    fn append(&self, group: Vec<Draft>, reply: AppendReply);

    /// Feeds everything committed after an offset, first what is there, then whatever comes.
    fn tail(&self, after: Offset, feed: Box<dyn CommitFeed>) -> Result<(), TailError>;

    /// The newest committed offset.
    fn end(&self) -> Offset;

    /// The log's history of epochs.
    fn lineage(&self) -> Arc<Lineage>;

    /// Whether the log takes writes.
    fn health(&self) -> Health;

    /// What waits for it.
    fn backlog(&self) -> Backlog;

    /// How long commits have taken, in microseconds: from the first byte written until all are durable.
    /// Nothing, for a log that has nothing to wait for.
    fn commit_times(&self) -> Counted {
        Counted::default()
    }
}
