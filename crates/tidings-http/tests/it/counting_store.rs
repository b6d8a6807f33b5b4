//! A shared store in memory that counts, and that can be made to fail.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tidings_core::port::{Bucket, Quota, SharedStore, Spent, StoreError, StoreFuture};
use tidings_core::revocation::{Revocation, Revocations, Revoked};
use tidings_core::time::Timestamp;

/// What is left of a bucket, in units times the milliseconds of a period, and since when.
#[derive(Debug, Clone, Copy)]
struct Left {
    scaled: u64,
    at: Timestamp,
}

/// Counts as the port says.
#[derive(Debug, Default)]
pub(crate) struct CountingStore {
    buckets: Mutex<HashMap<Bucket, Left>>,
    is_down: AtomicBool,
    asked: AtomicU64,
    failed: AtomicU64,
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

    fn spend_now(&self, bucket: Bucket, quota: Quota, units: u32, now: Timestamp) -> Spent {
        let (per_ms, period) = (u64::from(quota.units), u64::from(quota.period_ms));
        let full = per_ms * period;
        let mut buckets = self.buckets.lock().expect("the buckets");
        let left = buckets.entry(bucket).or_insert(Left {
            scaled: full,
            at: now,
        });
        let come_back = now.0.saturating_sub(left.at.0) * per_ms;
        left.scaled = (left.scaled + come_back).min(full);
        left.at = now;
        let wanted = u64::from(units) * period;
        let is_allowed = wanted <= left.scaled;
        let missing = if is_allowed {
            left.scaled -= wanted;
            full - left.scaled
        } else {
            wanted - left.scaled
        };
        Spent {
            is_allowed,
            remaining: (left.scaled / period) as u32,
            wait_ms: missing.div_ceil(per_ms),
        }
    }
}

impl SharedStore for CountingStore {
    fn put_ticket(
        &self,
        _hash: [u8; 32],
        _content: Arc<[u8]>,
        _ends_at: Timestamp,
        _now: Timestamp,
    ) -> StoreFuture<'_, ()> {
        unreachable!("no route makes tickets")
    }

    fn take_ticket(&self, _hash: [u8; 32], _now: Timestamp) -> StoreFuture<'_, Option<Arc<[u8]>>> {
        unreachable!("the surface takes no tickets by itself")
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
            Ok(self.spend_now(bucket, quota, units, now))
        })
    }

    fn revoke(&self, _revocation: Revocation) -> StoreFuture<'_, ()> {
        unreachable!("no route revokes")
    }

    fn lift(&self, _what: Revoked) -> StoreFuture<'_, bool> {
        unreachable!("no route lifts a revocation")
    }

    fn revocations(&self) -> Arc<Revocations> {
        Arc::default()
    }

    fn on_revocations(&self, listener: Box<dyn Fn(Arc<Revocations>) + Send + Sync>) {
        listener(Arc::default());
    }
}
