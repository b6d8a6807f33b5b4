//! The local store, counting how often it is asked, and with counters that can be made to fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tempfile::{TempDir, tempdir};
use tidings_auth::store::LocalStore;
use tidings_core::port::{Bucket, Quota, SharedStore, Spent, StoreError, StoreFuture};
use tidings_core::revocation::{Revocation, Revocations, Revoked};
use tidings_core::time::Timestamp;

/// The local store on a directory of its own. What is spent is counted on the way.
#[derive(Debug)]
pub(crate) struct CountingStore {
    real: LocalStore,
    _directory: TempDir,
    is_down: AtomicBool,
    asked: AtomicU64,
    failed: AtomicU64,
}

impl Default for CountingStore {
    fn default() -> Self {
        let directory = tempdir().expect("a directory");
        Self {
            real: LocalStore::open(directory.path()).expect("readable"),
            _directory: directory,
            is_down: AtomicBool::default(),
            asked: AtomicU64::default(),
            failed: AtomicU64::default(),
        }
    }
}

impl CountingStore {
    /// Lets it fail from now on, or no more.
    pub(crate) fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    /// How often it was asked to spend.
    pub(crate) fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }

    /// How often it failed.
    pub(crate) fn failed(&self) -> u64 {
        self.failed.load(Ordering::SeqCst)
    }
}

impl SharedStore for CountingStore {
    fn put_ticket(
        &self,
        hash: [u8; 32],
        content: Arc<[u8]>,
        ends_at: Timestamp,
        now: Timestamp,
    ) -> StoreFuture<'_, ()> {
        self.real.put_ticket(hash, content, ends_at, now)
    }

    fn take_ticket(&self, hash: [u8; 32], now: Timestamp) -> StoreFuture<'_, Option<Arc<[u8]>>> {
        self.real.take_ticket(hash, now)
    }

    fn spend(
        &self,
        bucket: Bucket,
        quota: Quota,
        units: u32,
        now: Timestamp,
    ) -> StoreFuture<'_, Spent> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            if self.is_down.load(Ordering::SeqCst) {
                self.failed.fetch_add(1, Ordering::SeqCst);
                return Err(StoreError::Unavailable("it was switched off".to_owned()));
            }
            self.real.spend(bucket, quota, units, now).await
        })
    }

    fn revoke(&self, revocation: Revocation) -> StoreFuture<'_, ()> {
        self.real.revoke(revocation)
    }

    fn lift(&self, what: Revoked) -> StoreFuture<'_, bool> {
        self.real.lift(what)
    }

    fn revocations(&self) -> Arc<Revocations> {
        self.real.revocations()
    }

    fn on_revocations(&self, listener: Box<dyn Fn(Arc<Revocations>) + Send + Sync>) {
        self.real.on_revocations(listener);
    }
}
