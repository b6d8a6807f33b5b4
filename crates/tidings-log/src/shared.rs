//! What the committer, the keeper and the readers of one log have in common.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tidings_core::distribution::Distribution;
use tidings_core::lineage::Lineage;
use tidings_core::port::Health;
use tidings_core::time::Moment;

use crate::active::Spare;
use crate::disk::Disk;
use crate::feed::FeedSlot;
use crate::floors::Floors;
use crate::options::Options;
use crate::queue::{Queue, Shut};
use crate::retention::Retention;
use crate::segment::Inventory;
use crate::steady::SteadyClock;

/// From the sync of a fast disk to one that has come to a stand, in microseconds.
const COMMIT_MICROS_BOUNDS: [u64; 12] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 2_500_000,
];

/// The common state of one open log.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dir: PathBuf,
    pub(crate) clock: SteadyClock,
    pub(crate) log_id: u64,
    pub(crate) lineage: Arc<Lineage>,
    pub(crate) retention: Retention,
    pub(crate) removed_index_bytes_max: u64,
    pub(crate) segment_bytes: u64,
    pub(crate) queue: Queue,
    pub(crate) feed: Mutex<FeedSlot>,
    pub(crate) keeper: Signal,
    inventory: RwLock<Arc<Inventory>>,
    floors: RwLock<Arc<Floors>>,
    spare: Mutex<Option<Spare>>,
    keeper_turn: Mutex<KeeperTurn>,
    health: Mutex<Health>,
    end: AtomicU64,
    /// In microseconds.
    pub(crate) commit_times: Distribution<{ COMMIT_MICROS_BOUNDS.len() }>,
}

impl Shared {
    pub(crate) fn new(
        options: &Options,
        clock: SteadyClock,
        log_id: u64,
        lineage: Lineage,
        inventory: Inventory,
        end: u64,
    ) -> Self {
        Self {
            disk: Arc::clone(&options.disk),
            dir: options.dir.clone(),
            clock,
            log_id,
            lineage: Arc::new(lineage),
            retention: options.retention.clone(),
            removed_index_bytes_max: options.removed_index_bytes_max,
            segment_bytes: options.segment_bytes,
            queue: Queue::new(options.queue_bytes_max, options.queue_wait_ms_max),
            feed: Mutex::default(),
            keeper: Signal::default(),
            inventory: RwLock::new(Arc::new(inventory)),
            floors: RwLock::default(),
            spare: Mutex::default(),
            keeper_turn: Mutex::default(),
            health: Mutex::new(Health::Writable),
            end: AtomicU64::new(end),
            commit_times: Distribution::new(COMMIT_MICROS_BOUNDS),
        }
    }

    /// The newest committed offset. Whoever sees it also finds the event.
    pub(crate) fn end(&self) -> u64 {
        self.end.load(Ordering::Acquire)
    }

    pub(crate) fn set_end(&self, end: u64) {
        self.end.store(end, Ordering::Release);
    }

    pub(crate) fn inventory(&self) -> Arc<Inventory> {
        let inventory = self
            .inventory
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&inventory)
    }

    /// Changes the list of segments; readers keep the one that they have.
    pub(crate) fn change_inventory(&self, change: impl FnOnce(&mut Inventory)) {
        let mut inventory = self
            .inventory
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut inventory));
    }

    pub(crate) fn floors(&self) -> Arc<Floors> {
        let floors = self.floors.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&floors)
    }

    pub(crate) fn set_floors(&self, floors: Floors) {
        *self.floors.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(floors);
    }

    pub(crate) fn spare(&self) -> MutexGuard<'_, Option<Spare>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Held by whoever does the keeper's work.
    pub(crate) fn keeper_turn(&self) -> MutexGuard<'_, KeeperTurn> {
        self.keeper_turn
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn health(&self) -> Health {
        self.lock_health().clone()
    }

    fn lock_health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether there is space, unless the log is poisoned.
    pub(crate) fn set_full(&self, full: bool) {
        let mut health = self.lock_health();
        if !matches!(*health, Health::Poisoned(_)) {
            *health = if full { Health::Full } else { Health::Writable };
        }
    }

    /// Takes no more writes; the first cause stays.
    pub(crate) fn poison(&self, cause: String) {
        self.queue.shut(Shut::Poisoned);
        let mut health = self.lock_health();
        if !matches!(*health, Health::Poisoned(_)) {
            *health = Health::Poisoned(cause);
        }
    }
}

/// What the keeper remembers from one round to the next.
#[derive(Debug, Default)]
pub(crate) struct KeeperTurn {
    /// When floors by size were worked out last, and for which committed end.
    pub(crate) floors: Option<(Moment, u64)>,
}

/// Wakes a thread that otherwise looks from time to time.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    state: Mutex<SignalState>,
    raised: Condvar,
}

#[derive(Debug, Default)]
struct SignalState {
    raised: bool,
    closed: bool,
}

impl Signal {
    fn state(&self) -> MutexGuard<'_, SignalState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn raise(&self) {
        self.state().raised = true;
        self.raised.notify_all();
    }

    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.raised.notify_all();
    }

    /// Waits until the time is over, whether the signal is raised or not; false once it is closed.
    pub(crate) fn pause(&self, time: Duration) -> bool {
        let open = |state: &mut SignalState| !state.closed;
        let waited = self.raised.wait_timeout_while(self.state(), time, open);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !state.closed
    }

    /// Waits until the signal is raised or the time is over; false once it is closed.
    pub(crate) fn wait(&self, time: Duration) -> bool {
        let idle = |state: &mut SignalState| !state.raised && !state.closed;
        let waited = self.raised.wait_timeout_while(self.state(), time, idle);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.raised = false;
        !state.closed
    }
}
