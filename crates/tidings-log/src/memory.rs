//! The memory log: both log ports without a disk, for tests and for hubs that keep nothing.
//!
//! It has the duties of the embedded log except to outlive its process: what is committed is in
//! memory, and that is all. It has no thread; whoever appends also delivers, in turn.
//!
//! ```text
//! append ─► dedupe ─► contents ─► outbox ─► feed, then reply
//!                        ▲
//! read ──────────────────┘
//! ```

mod contents;
mod outbox;
mod postings;
mod store;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tidings_core::event::{Draft, Event};
use tidings_core::limits::{
    COMMIT_QUEUE_WAIT_MS_MAX, DEDUPE_IDS_DEFAULT, DEDUPE_WINDOW_MS_DEFAULT, GROUP_BYTES_MAX,
};
use tidings_core::lineage::Lineage;
use tidings_core::pattern::Pattern;
use tidings_core::port::{
    AppendError, AppendReply, Appended, Backlog, Clock, CommitFeed, Health, Sequencer, TailError,
};
use tidings_core::position::{Epoch, Offset, Position};
use tidings_core::time::Timestamp;

use crate::dedupe::{DedupeWindow, Known};
use contents::Contents;
use outbox::{Delivery, Outbox};

/// How a memory log is set.
#[derive(Debug, Clone)]
pub struct MemoryOptions {
    /// How long a publisher's own id is remembered.
    pub dedupe_window: Duration,
    /// How many of them.
    pub dedupe_ids_max: usize,
    /// What is kept.
    pub retention: MemoryRetention,
}

/// What a memory log keeps. Of several limits, the first to be reached counts.
#[derive(Debug, Clone)]
pub struct MemoryRetention {
    /// How long an event is kept at most.
    pub age_max: Option<Duration>,
    /// How many events are kept.
    pub events_max: usize,
    /// How many bytes of content are kept.
    pub bytes_max: usize,
    /// Shorter lives for some topics.
    pub rules: Vec<MemoryRule>,
    /// How many keys without a held event are remembered with what they have lost. Beyond it,
    /// readers from before their loss are told of a hole to be on the safe side.
    pub removed_keys_max: usize,
}

/// A shorter life for the topics of a pattern. An event that also has another addressee stays
/// readable through that one.
#[derive(Debug, Clone)]
pub struct MemoryRule {
    /// Which topics.
    pub pattern: Pattern,
    /// How long an event of such a topic can be read.
    pub age_max: Option<Duration>,
    /// How many of the newest events of each such topic can be read.
    pub events_max: Option<usize>,
}

impl Default for MemoryOptions {
    fn default() -> Self {
        Self {
            dedupe_window: Duration::from_millis(DEDUPE_WINDOW_MS_DEFAULT),
            dedupe_ids_max: DEDUPE_IDS_DEFAULT,
            retention: MemoryRetention::default(),
        }
    }
}

impl Default for MemoryRetention {
    /// Some hundred thousand small events, or 256 MiB of larger ones.
    fn default() -> Self {
        Self {
            age_max: None,
            events_max: 250_000,
            bytes_max: 256 * 1024 * 1024,
            rules: Vec::new(),
            removed_keys_max: 100_000,
        }
    }
}

/// A log in memory. Clones are the same log.
#[derive(Clone)]
pub struct MemoryLog {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Arc<dyn Clock>,
    lineage: Arc<Lineage>,
    /// Locked before `contents` where both are needed.
    writer: Mutex<Writer>,
    contents: RwLock<Contents>,
}

struct Writer {
    dedupe: DedupeWindow,
    outbox: Outbox,
    last_timestamp: Timestamp,
}

// === impl MemoryLog ===

impl MemoryLog {
    /// An empty log whose only epoch is this one, which should be random.
    pub fn open(options: MemoryOptions, clock: Arc<dyn Clock>, epoch: Epoch) -> Self {
        let window_ms = options.dedupe_window.as_millis() as u64;
        let first = vec![(epoch, Offset(1))];
        // One epoch is always a lineage.
        let lineage = Lineage::new(first).map_or_else(|_| unreachable!("one epoch"), Arc::new);
        Self {
            shared: Arc::new(Shared {
                clock,
                lineage,
                writer: Mutex::new(Writer {
                    dedupe: DedupeWindow::new(window_ms, options.dedupe_ids_max),
                    outbox: Outbox::default(),
                    last_timestamp: Timestamp(0),
                }),
                contents: RwLock::new(Contents::new(options.retention)),
            }),
        }
    }

    /// Removes what has outlived its time. Every append does so too, for a log that stays silent
    /// somebody has to.
    pub fn run_retention(&self) {
        let now = self.shared.clock.moment();
        self.contents_mut().run_retention(now);
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        let writer = self.shared.writer.lock();
        writer.unwrap_or_else(PoisonError::into_inner)
    }

    fn contents_mut(&self) -> std::sync::RwLockWriteGuard<'_, Contents> {
        let contents = self.shared.contents.write();
        contents.unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a group into the log, or says why not. The group is visible to readers after this.
    fn commit(
        &self,
        writer: &mut Writer,
        group: Vec<Draft>,
    ) -> Result<(Vec<Appended>, Vec<Arc<Event>>), AppendError> {
        let moment = self.shared.clock.moment();
        // The window counts time that passes, so that setting the clock forgets nothing.
        let used_at = Timestamp(moment.0);
        let timestamp = self.shared.clock.now().max(writer.last_timestamp);
        writer.dedupe.expire(used_at);
        let mut position = Position {
            epoch: self.shared.lineage.current(),
            offset: self.contents().end(),
        };
        let end = position.offset;
        let mut appended = Vec::with_capacity(group.len());
        let mut events = Vec::with_capacity(group.len());
        for (index, draft) in group.into_iter().enumerate() {
            let known = draft.dedupe.map(|key| writer.dedupe.look_up(&key));
            match known {
                Some(
                    Known::Committed(position, timestamp) | Known::Pending(position, timestamp),
                ) => {
                    appended.push(Appended {
                        position,
                        timestamp,
                        duplicate: true,
                    });
                }
                Some(Known::Reused(position)) => {
                    writer.dedupe.roll_back();
                    // An earlier draft of this group will never stand where it was to stand.
                    let position = (position.offset <= end).then_some(position);
                    return Err(AppendError::IdReused { index, position });
                }
                Some(Known::New) | None => {
                    position.offset = position.offset.next();
                    if let Some(key) = draft.dedupe {
                        writer.dedupe.insert(&key, position, timestamp, used_at);
                    }
                    appended.push(Appended {
                        position,
                        timestamp,
                        duplicate: false,
                    });
                    events.push(Arc::new(Event {
                        position,
                        timestamp,
                        content: draft.content,
                    }));
                }
            }
        }
        self.contents_mut().push(&events, moment);
        writer.last_timestamp = timestamp;
        writer.dedupe.commit(position.offset);
        writer.dedupe.expire(used_at);
        Ok((appended, events))
    }
}

impl Sequencer for MemoryLog {
    fn append(&self, group: Vec<Draft>, reply: AppendReply) {
        let size_bytes = group.iter().map(size_bytes).sum();
        if group.is_empty() {
            return reply(Ok(Vec::new()));
        }
        if size_bytes > GROUP_BYTES_MAX {
            return reply(Err(AppendError::TooLarge {
                actual: size_bytes,
                max: GROUP_BYTES_MAX,
            }));
        }
        let mut writer = self.writer();
        if !writer.outbox.has_room(size_bytes) {
            drop(writer);
            return reply(Err(AppendError::Busy {
                retry_after_ms: COMMIT_QUEUE_WAIT_MS_MAX,
            }));
        }
        let delivery = match self.commit(&mut writer, group) {
            Ok((appended, events)) => Delivery::Group {
                events,
                outcome: Ok(appended),
                reply,
                size_bytes,
            },
            Err(refused) => Delivery::Group {
                events: Vec::new(),
                outcome: Err(refused),
                reply,
                size_bytes,
            },
        };
        writer.outbox.push(delivery);
        drop(writer);
        self.deliver();
    }

    fn tail(&self, after: Offset, feed: Box<dyn CommitFeed>) -> Result<(), TailError> {
        let mut writer = self.writer();
        if !writer.outbox.take_feed_place() {
            return Err(TailError::Taken);
        }
        // No group is committed while the writer is locked: the backlog ends where deliveries that
        // come after it in the outbox begin.
        let backlog = self.contents().events_after(after);
        writer.outbox.push(Delivery::Tail { feed, backlog });
        drop(writer);
        self.deliver();
        Ok(())
    }

    fn end(&self) -> Offset {
        self.contents().end()
    }

    fn lineage(&self) -> Arc<Lineage> {
        Arc::clone(&self.shared.lineage)
    }

    fn health(&self) -> Health {
        Health::Writable
    }

    /// Nothing waits for a disk; what waits is on its way to the feed.
    fn backlog(&self) -> Backlog {
        Backlog {
            bytes: self.writer().outbox.size_bytes() as u64,
            waiting_ms: 0,
        }
    }
}

impl fmt::Debug for MemoryLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryLog")
            .field("epoch", &self.shared.lineage.current())
            .field("end", &self.end())
            .finish_non_exhaustive()
    }
}

/// What a draft counts for: its content, and its addressees, of which each is a posting.
fn size_bytes(draft: &Draft) -> usize {
    const POSTING_BYTES: usize = 16;
    let keys = draft.content.audience.keys().len();
    draft.content.size_bytes() + keys * POSTING_BYTES
}
