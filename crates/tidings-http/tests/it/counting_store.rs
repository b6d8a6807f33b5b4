//! The local store, counting how often it is asked, and with faults: it can be down, and it can stall
//! as a disk does.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use tempfile::{TempDir, tempdir};
use tidings_auth::store::LocalStore;
use tidings_core::port::{Bucket, Quota, SharedStore, Spent, StoreError, StoreFuture};
use tidings_core::revocation::{Revocation, Revocations, Revoked};
use tidings_core::time::Timestamp;

use crate::client::PATIENCE;

/// The local store. What is spent is counted on the way.
#[derive(Debug)]
pub(crate) struct CountingStore {
    real: LocalStore,
    _directory: Option<TempDir>,
    is_down: AtomicBool,
    is_stalled: Mutex<bool>,
    resumed: Condvar,
    stalls: AtomicU64,
    asked: AtomicU64,
    failed: AtomicU64,
}

impl Default for CountingStore {
    fn default() -> Self {
        let directory = tempdir().expect("a directory");
        let store = Self::open(directory.path());
        Self {
            _directory: Some(directory),
            ..store
        }
    }
}

impl CountingStore {
    /// The store of this directory.
    pub(crate) fn open(directory: &Path) -> Self {
        Self {
            real: LocalStore::open(directory).expect("readable"),
            _directory: None,
            is_down: AtomicBool::default(),
            is_stalled: Mutex::default(),
            resumed: Condvar::default(),
            stalls: AtomicU64::default(),
            asked: AtomicU64::default(),
            failed: AtomicU64::default(),
        }
    }

    /// Lets revoking and lifting hang from now on, or go on.
    pub(crate) fn set_stalled(&self, is_stalled: bool) {
        *self.is_stalled.lock().expect("whether it stalls") = is_stalled;
        self.resumed.notify_all();
    }

    /// How often it has hung.
    pub(crate) fn stalls(&self) -> u64 {
        self.stalls.load(Ordering::SeqCst)
    }

    /// Hangs as a disk does: the whole thread. It gives up before the test does.
    fn stall(&self) {
        let is_stalled = self.is_stalled.lock().expect("whether it stalls");
        if *is_stalled {
            self.stalls.fetch_add(1, Ordering::SeqCst);
            let resumed = self
                .resumed
                .wait_timeout_while(is_stalled, PATIENCE, |still| *still);
            assert!(
                !resumed.expect("a lock").1.timed_out(),
                "it hung where others wait"
            );
        }
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.is_down.load(Ordering::SeqCst) {
            self.failed.fetch_add(1, Ordering::SeqCst);
            return Err(StoreError::Unavailable("it was switched off".to_owned()));
        }
        Ok(())
    }

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
        Box::pin(async move {
            self.check()?;
            self.real.put_ticket(hash, content, ends_at, now).await
        })
    }

    fn take_ticket(&self, hash: [u8; 32], now: Timestamp) -> StoreFuture<'_, Option<Arc<[u8]>>> {
        Box::pin(async move {
            self.check()?;
            self.real.take_ticket(hash, now).await
        })
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
            self.check()?;
            self.real.spend(bucket, quota, units, now).await
        })
    }

    fn revoke(&self, revocation: Revocation) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.stall();
            self.check()?;
            self.real.revoke(revocation).await
        })
    }

    fn lift(&self, what: Revoked) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            self.stall();
            self.check()?;
            self.real.lift(what).await
        })
    }

    fn revocations(&self) -> Arc<Revocations> {
        self.real.revocations()
    }

    fn on_revocations(&self, listener: Box<dyn Fn(Arc<Revocations>) + Send + Sync>) {
        self.real.on_revocations(listener);
    }
}
