//! A log that refuses some appends, whatever it could do.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tidings_core::event::Draft;
use tidings_core::lineage::Lineage;
use tidings_core::port::{
    AppendError, AppendReply, Backlog, CommitFeed, Health, Sequencer, TailError,
};
use tidings_core::position::Offset;
use tidings_log::memory::MemoryLog;

/// Says for each append, counted from zero, why it is refused, if it is.
type Contrariness = dyn Fn(usize) -> Option<AppendError> + Send + Sync;

/// A memory log behind a contrary front.
pub(crate) struct ContraryLog {
    log: Arc<MemoryLog>,
    appends: AtomicUsize,
    contrariness: Box<Contrariness>,
}

impl ContraryLog {
    pub(crate) fn new(
        log: Arc<MemoryLog>,
        contrariness: impl Fn(usize) -> Option<AppendError> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            log,
            appends: AtomicUsize::new(0),
            contrariness: Box::new(contrariness),
        })
    }

    /// How many appends there were.
    pub(crate) fn appends(&self) -> usize {
        self.appends.load(Ordering::SeqCst)
    }
}

impl fmt::Debug for ContraryLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContraryLog")
    }
}

impl Sequencer for ContraryLog {
    fn append(&self, group: Vec<Draft>, reply: AppendReply) {
        match (self.contrariness)(self.appends.fetch_add(1, Ordering::SeqCst)) {
            Some(error) => reply(Err(error)),
            None => self.log.append(group, reply),
        }
    }

    fn tail(&self, after: Offset, feed: Box<dyn CommitFeed>) -> Result<(), TailError> {
        self.log.tail(after, feed)
    }

    fn end(&self) -> Offset {
        self.log.end()
    }

    fn lineage(&self) -> Arc<Lineage> {
        self.log.lineage()
    }

    fn health(&self) -> Health {
        self.log.health()
    }

    fn backlog(&self) -> Backlog {
        self.log.backlog()
    }
}
