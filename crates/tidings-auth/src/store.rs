//! The shared store of a hub that is one process: tickets and counters in memory, revocations in a
//! journal.
//!
//! - Tickets are in memory only. A restart forgets them, which refuses them: a ticket that cannot be
//!   used is asked for again, and one that could be used twice would be a theft.
//! - Counters are in memory only. They are buckets that leak: what is spent drains away steadily, and
//!   what does not fit is refused (the same as GCRA, in whole numbers). `governor` does not serve for
//!   them: its refusal does not say how many units are left and it cannot be asked for none, so a
//!   group of events that has to fit two limits whole or cost neither could not be looked at first. A
//!   changed quota would also begin anew, because what its limiters keep of a key is a time that means
//!   something under their own quota alone.
//! - Revocations are in a [journal](crate::journal), because commands beside the hub make them too.
//!
//! No thread of its own looks after changes of other processes: whoever runs the hub calls
//! [`LocalStore::poll`] every few hundred milliseconds. Without a change that is one look at the
//! length of a file.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidings_core::port::{Bucket, Quota, SharedStore, Spent, StoreError, StoreFuture};
use tidings_core::revocation::{Revocation, Revocations, Revoked};
use tidings_core::time::Timestamp;

mod buckets;
mod revoking;
mod tickets;

use buckets::Buckets;
use revoking::Revoking;
use tickets::WaitingTickets;

use crate::journal::JournalError;

/// The shared store of a hub that is one process.
#[derive(Debug)]
pub struct LocalStore {
    tickets: Mutex<WaitingTickets>,
    buckets: Mutex<Buckets>,
    revoking: Revoking,
}

impl LocalStore {
    /// The store of a data directory, which need not be there before something is revoked.
    pub fn open(data_dir: &Path) -> Result<Self, JournalError> {
        Ok(Self {
            tickets: Mutex::default(),
            buckets: Mutex::default(),
            revoking: Revoking::open(data_dir)?,
        })
    }

    /// Takes in what other processes have revoked and lifted, and forgets revocations that have
    /// ended. Whether anything changed; the listeners know already. Reads a small file if it changed,
    /// so it belongs on a thread that may block. After an error, what was known stays in force.
    pub fn poll(&self, now: Timestamp) -> Result<bool, JournalError> {
        self.revoking.poll(now)
    }

    fn tickets(&self) -> MutexGuard<'_, WaitingTickets> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn buckets(&self) -> MutexGuard<'_, Buckets> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every future is ready at once. Those of `revoke` and `lift` write and sync a small file: on a
/// runtime, they belong on a thread that may block.
impl SharedStore for LocalStore {
    fn put_ticket(
        &self,
        hash: [u8; 32],
        content: Arc<[u8]>,
        ends_at: Timestamp,
        now: Timestamp,
    ) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.tickets().put(hash, content, ends_at, now) })
    }

    fn take_ticket(&self, hash: [u8; 32], now: Timestamp) -> StoreFuture<'_, Option<Arc<[u8]>>> {
        Box::pin(async move { Ok(self.tickets().take(&hash, now)) })
    }

    fn spend(
        &self,
        bucket: Bucket,
        quota: Quota,
        units: u32,
        now: Timestamp,
    ) -> StoreFuture<'_, Spent> {
        Box::pin(async move { self.buckets().spend(bucket, quota, units, now) })
    }

    fn revoke(&self, revocation: Revocation) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.revoking.revoke(revocation) })
    }

    fn lift(&self, what: Revoked) -> StoreFuture<'_, bool> {
        Box::pin(async move { self.revoking.lift(&what) })
    }

    fn revocations(&self) -> Arc<Revocations> {
        self.revoking.current()
    }

    /// A listener is called by whoever makes or finds a change, one change after the other, and must
    /// not add a listener, revoke or lift.
    fn on_revocations(&self, listener: Box<dyn Fn(Arc<Revocations>) + Send + Sync>) {
        self.revoking.listen(listener);
    }
}

/// What a journal's error comes to for whoever asked the store.
fn unavailable(error: &JournalError) -> StoreError {
    StoreError::Unavailable(error.chain())
}
