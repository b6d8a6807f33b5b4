//! Draining: every connection is asked to move away, spread over time, before the process ends.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tidings_core::shard::DrainPlan;

use crate::hub::Hub;
use crate::limits::DRAIN_LOOK_MS;

impl Hub {
    /// Refuses new work, asks all connections to leave, and returns when they have left or when
    /// `grace` is over. Readers should come back after `retry_after`.
    ///
    /// # Cancel safety
    ///
    /// The drain goes on if the future is dropped; only the waiting ends.
    pub async fn drain(&self, spread: Duration, grace: Duration, retry_after: Duration) {
        self.inner.draining.store(true, Ordering::SeqCst);
        self.inner.waits.end();
        let plan = DrainPlan {
            spread_ms: spread.as_millis() as u64,
            retry_after_ms: retry_after.as_millis() as u64,
        };
        for inbox in &self.inner.threads.inboxes {
            inbox.drain(plan);
        }
        let deadline = tokio::time::Instant::now() + grace;
        while self.inner.gate.count() > 0 && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(DRAIN_LOOK_MS)).await;
        }
    }
}
