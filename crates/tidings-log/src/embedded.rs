//! The embedded log: one handle, both ports.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tidings_core::audience::Key;
use tidings_core::distribution::Counted;
use tidings_core::event::{Draft, Event};
use tidings_core::gap::Hole;
use tidings_core::id::EventId;
use tidings_core::limits::GROUP_BYTES_MAX;
use tidings_core::lineage::Lineage;
use tidings_core::port::{
    AppendError, AppendReply, Backlog, Bounds, CommitFeed, EventStore, Extent, Health, NewestPage,
    Page, Query, ReadError, Sequencer, TailError, Volume,
};
use tidings_core::position::Offset;
use tidings_core::scope::Scope;
use tidings_core::time::Timestamp;

use crate::committer::Committer;
use crate::dedupe::DedupeWindow;
use crate::disk::DiskLock;
use crate::feed;
use crate::keeper;
use crate::limits::{SEGMENT_BYTES_MIN, SEGMENTS_PER_BYTE_LIMIT};
use crate::look_up;
use crate::newest;
use crate::options::{KeeperMode, OpenError, Options, RecoveryReport};
use crate::queue::{Queued, Shut};
use crate::read::{self, unreadable};
use crate::recover::{self, Recovered, io_error};
use crate::retention;
use crate::segment::Inventory;
use crate::shared::Shared;
use crate::steady::SteadyClock;

/// The embedded durable log. A cheap handle; the log closes with the last one.
#[derive(Debug, Clone)]
pub struct EmbeddedLog(Arc<Handle>);

struct Handle {
    shared: Arc<Shared>,
    report: RecoveryReport,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Held by the committer too, which may outlive the handle for a moment.
    lock: Mutex<Option<Arc<dyn DiskLock>>>,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("dir", &self.shared.dir)
            .field("end", &self.shared.end())
            .finish_non_exhaustive()
    }
}

// === impl EmbeddedLog ===

impl EmbeddedLog {
    /// Opens the log of a directory, or makes one. Blocks until everything committed is readable.
    ///
    /// # Errors
    ///
    /// Nothing that exists is changed when the log is in use, of a newer format, or not one log.
    pub fn open(options: &Options) -> Result<Self, OpenError> {
        if options.segment_bytes < SEGMENT_BYTES_MIN {
            return Err(OpenError::SegmentsTooSmall {
                bytes: options.segment_bytes,
                min: SEGMENT_BYTES_MIN,
            });
        }
        let mut options = options.clone();
        if let Some(bytes) = options.retention.bytes {
            let fitting = (bytes / SEGMENTS_PER_BYTE_LIMIT).max(SEGMENT_BYTES_MIN);
            options.segment_bytes = options.segment_bytes.min(fitting);
        }
        let Recovered {
            lock,
            log_id,
            lineage,
            inventory,
            active,
            end,
            last_timestamp,
            report,
        } = recover::recover(&options)?;
        let lock: Arc<dyn DiskLock> = Arc::from(lock);
        let clock = SteadyClock::new(Arc::clone(&options.clock));
        let dedupe = dedupe_window(&options, &inventory, &lineage, end, clock.steady())
            .map_err(io_error("reading an index in", &options.dir))?;
        let shared = Arc::new(Shared::new(
            &options, clock, log_id, lineage, inventory, end,
        ));
        let committer = Committer {
            shared: Arc::clone(&shared),
            active,
            dedupe,
            last_timestamp: Timestamp(last_timestamp),
        };
        let handle = Handle {
            shared: Arc::clone(&shared),
            report,
            threads: Mutex::default(),
            lock: Mutex::new(Some(Arc::clone(&lock))),
        };
        // What was hidden before stays hidden from the first read on.
        retention::raise_floors(&shared, true);
        // There may be index files to write, and there is a next segment to make.
        shared.keeper.raise();
        if options.keeper == KeeperMode::Thread {
            handle.spawn_keeper(shared)?;
        }
        handle.spawn_committer(lock, committer)?;
        Ok(Self(Arc::new(handle)))
    }

    /// What the opening found.
    pub fn recovered(&self) -> &RecoveryReport {
        &self.0.report
    }

    /// Applies retention at once, and does whatever else the keeper would do next.
    pub fn retain_now(&self) {
        keeper::round(&self.0.shared, 0);
    }

    /// Writes what is queued and lets go of the directory. Reads still work; appends are refused.
    pub fn close(&self) {
        self.0.close();
    }
}

// === impl Handle ===

impl Handle {
    fn spawn_keeper(&self, shared: Arc<Shared>) -> Result<(), OpenError> {
        let dir = shared.dir.clone();
        let keeper = std::thread::Builder::new()
            .name("log-keeper".to_owned())
            .spawn(move || keeper::run(&shared))
            .map_err(io_error("starting a thread for", &dir))?;
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.push(keeper);
        Ok(())
    }

    fn spawn_committer(
        &self,
        lock: Arc<dyn DiskLock>,
        committer: Committer,
    ) -> Result<(), OpenError> {
        let dir = self.shared.dir.clone();
        let committer = std::thread::Builder::new()
            .name("log-committer".to_owned())
            .spawn(move || {
                let guard = PoisonOnPanic(Arc::clone(&committer.shared));
                committer.run();
                drop(guard);
                drop(lock);
            })
            .map_err(io_error("starting a thread for", &dir))?;
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.push(committer);
        Ok(())
    }

    fn close(&self) {
        self.shared.queue.shut(Shut::Closing);
        self.shared.keeper.close();
        // Joined without the lock, since the committer's replies may close the log too.
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let own = std::thread::current().id();
        for thread in threads {
            // The last handle may be dropped by a reply, on the committer's own thread, which ends
            // by itself.
            if thread.thread().id() != own {
                drop(thread.join());
            }
        }
        *self.lock.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close();
    }
}

/// A committer that panics must not leave publishers waiting for nobody.
struct PoisonOnPanic(Arc<Shared>);

impl Drop for PoisonOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.poison("the committer has failed".to_owned());
            for group in self.0.queue.drain() {
                (group.reply)(Err(AppendError::NotWritable));
            }
        }
    }
}

/// The publishers' ids of the last while, from the indexes.
fn dedupe_window(
    options: &Options,
    inventory: &Inventory,
    lineage: &Lineage,
    end: u64,
    now: Timestamp,
) -> io::Result<DedupeWindow> {
    let oldest = now.0.saturating_sub(options.dedupe_window_ms);
    let mut uses = Vec::new();
    for segment in inventory.segments.iter().rev() {
        if segment.summary().newest < oldest && segment.summary().events > 0 {
            break;
        }
        if uses.len() >= options.dedupe_ids_max {
            break;
        }
        let found = segment.ask(|index| index.dedupe_uses())?;
        uses.extend(found.into_iter().filter(|one| one.timestamp >= oldest));
    }
    uses.sort_unstable_by_key(|one| one.offset);
    let mut window = DedupeWindow::new(options.dedupe_window_ms, options.dedupe_ids_max);
    for one in uses {
        let time = Timestamp(one.timestamp);
        window.insert(&one.key, lineage.position(Offset(one.offset)), time, time);
    }
    window.commit(Offset(end));
    window.expire(now);
    Ok(window)
}

impl Sequencer for EmbeddedLog {
    fn append(&self, group: Vec<Draft>, reply: AppendReply) {
        if group.is_empty() {
            reply(Ok(Vec::new()));
            return;
        }
        let queued = Queued::new(group, reply);
        let actual = queued.record_bytes();
        if actual > GROUP_BYTES_MAX {
            (queued.reply)(Err(AppendError::TooLarge {
                actual,
                max: GROUP_BYTES_MAX,
            }));
            return;
        }
        let now = self.0.shared.clock.moment();
        if let Err((reply, error)) = self.0.shared.queue.push(queued, now) {
            reply(Err(error));
        }
    }

    fn tail(&self, after: Offset, feed: Box<dyn CommitFeed>) -> Result<(), TailError> {
        feed::tail(&self.0.shared, after, feed)
    }

    fn end(&self) -> Offset {
        Offset(self.0.shared.end())
    }

    fn lineage(&self) -> Arc<Lineage> {
        Arc::clone(&self.0.shared.lineage)
    }

    fn health(&self) -> Health {
        self.0.shared.health()
    }

    fn backlog(&self) -> Backlog {
        let shared = &self.0.shared;
        shared.queue.backlog(shared.clock.moment())
    }

    fn commit_times(&self) -> Counted {
        self.0.shared.commit_times.counted()
    }
}

impl EventStore for EmbeddedLog {
    fn read(&self, query: &Query) -> Result<Page, ReadError> {
        read::read(&self.0.shared, query)
    }

    fn removed_after(&self, scope: &Scope, after: Offset) -> Result<Option<Hole>, ReadError> {
        look_up::removed_after(&self.0.shared, scope, after).map_err(|error| unreadable(&error))
    }

    fn by_id(&self, scope: &Scope, id: &EventId) -> Result<Option<Arc<Event>>, ReadError> {
        look_up::by_id(&self.0.shared, scope, id).map_err(|error| unreadable(&error))
    }

    fn first_by_id(&self, scope: &Scope, id: &EventId) -> Result<Option<Arc<Event>>, ReadError> {
        look_up::first_by_id(&self.0.shared, scope, id).map_err(|error| unreadable(&error))
    }

    fn at(&self, scope: &Scope, offset: Offset) -> Result<Option<Arc<Event>>, ReadError> {
        look_up::at(&self.0.shared, scope, offset).map_err(|error| unreadable(&error))
    }

    fn before_time(&self, time: Timestamp) -> Result<Offset, ReadError> {
        look_up::before_time(&self.0.shared, time).map_err(|error| unreadable(&error))
    }

    fn newest_per_key(&self, query: &Query, through: Offset) -> Result<NewestPage, ReadError> {
        newest::newest_per_key(&self.0.shared, query, through).map_err(|error| unreadable(&error))
    }

    fn extent(&self, key: &Key) -> Result<Option<Extent>, ReadError> {
        look_up::extent(&self.0.shared, key).map_err(|error| unreadable(&error))
    }

    fn bounds(&self) -> Bounds {
        look_up::bounds(&self.0.shared)
    }

    fn volume(&self) -> Volume {
        retention::volume(&self.0.shared)
    }
}
