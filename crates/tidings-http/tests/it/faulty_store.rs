//! A store whose next reads fail when a test says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tidings_core::audience::Key;
use tidings_core::event::Event;
use tidings_core::gap::Hole;
use tidings_core::id::EventId;
use tidings_core::port::{Bounds, EventStore, Extent, NewestPage, Page, Query, ReadError, Volume};
use tidings_core::position::Offset;
use tidings_core::scope::Scope;
use tidings_core::time::Timestamp;
use tidings_log::memory::MemoryLog;

/// The memory log, of which so many reads will fail.
#[derive(Debug)]
pub(crate) struct FaultyStore {
    log: Arc<MemoryLog>,
    pub(crate) failing: AtomicUsize,
}

impl FaultyStore {
    pub(crate) fn new(log: Arc<MemoryLog>) -> Self {
        let failing = AtomicUsize::new(0);
        Self { log, failing }
    }
}

impl EventStore for FaultyStore {
    fn read(&self, query: &Query) -> Result<Page, ReadError> {
        let less = |left: usize| left.checked_sub(1);
        let left = &self.failing;
        if left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less)
            .is_ok()
        {
            return Err(ReadError("/secret/path: the test says so".into()));
        }
        self.log.read(query)
    }

    fn removed_after(&self, scope: &Scope, after: Offset) -> Result<Option<Hole>, ReadError> {
        self.log.removed_after(scope, after)
    }

    fn by_id(&self, scope: &Scope, id: &EventId) -> Result<Option<Arc<Event>>, ReadError> {
        self.log.by_id(scope, id)
    }

    fn first_by_id(&self, scope: &Scope, id: &EventId) -> Result<Option<Arc<Event>>, ReadError> {
        self.log.first_by_id(scope, id)
    }

    fn at(&self, scope: &Scope, offset: Offset) -> Result<Option<Arc<Event>>, ReadError> {
        self.log.at(scope, offset)
    }

    fn before_time(&self, time: Timestamp) -> Result<Offset, ReadError> {
        self.log.before_time(time)
    }

    fn newest_per_key(&self, query: &Query, through: Offset) -> Result<NewestPage, ReadError> {
        self.log.newest_per_key(query, through)
    }

    fn extent(&self, key: &Key) -> Result<Option<Extent>, ReadError> {
        self.log.extent(key)
    }

    fn bounds(&self) -> Bounds {
        self.log.bounds()
    }

    fn volume(&self) -> Volume {
        self.log.volume()
    }
}
