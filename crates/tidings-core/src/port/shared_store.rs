//! The shared store port: small things that all nodes of a hub must agree on.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::revocation::{Revocation, Revocations, Revoked};
use crate::time::Timestamp;

/// Why the store did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A limit of what it keeps is reached.
    #[error("the store is full: at most {max} {what} are kept")]
    Full {
        /// Of what.
        what: &'static str,
        /// How many it keeps.
        max: usize,
    },
    /// It does not answer, or could not keep what it was given.
    #[error("the store is not available: {0}")]
    Unavailable(String),
}

/// The answer of a store.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// What is counted together: a kind, and whose.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Bucket {
    /// What is counted, as a word: `tickets`.
    pub kind: &'static str,
    /// Whose, in a form that cannot be taken for another's of the same kind.
    pub whose: Arc<str>,
}

/// How much may be spent: `units` at once, and again so much every `period_ms`, steadily.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Quota {
    /// Units of one period; more than zero.
    pub units: u32,
    /// Milliseconds of one period; more than zero.
    pub period_ms: u32,
}

/// What came of spending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    /// Whether it was allowed. What was refused costs nothing.
    pub is_allowed: bool,
    /// Units that are left now.
    pub remaining: u32,
    /// When the same will be allowed, for what was refused; otherwise when all units are back.
    pub wait_ms: u64,
}

/// Keeps tickets, counters and revocations.
///
/// Duties: of any number of simultaneous `take_ticket` with one hash, exactly one gets the ticket,
/// and none after `ends_at`. What `revoke` and `lift` answered survives a restart, and every listener
/// is told within two seconds, also of what other processes and nodes revoked. Counters need not
/// survive anything.
pub trait SharedStore: Send + Sync + fmt::Debug {
    /// Keeps a ticket under its hash until it is taken or ends.
    ///
    /// # Cancel safety
    ///
    /// A dropped call may or may not have kept it.
    fn put_ticket(
        &self,
        hash: [u8; 32],
        content: Arc<[u8]>,
        ends_at: Timestamp,
        now: Timestamp,
    ) -> StoreFuture<'_, ()>;

    /// Takes a ticket out, for good.
    ///
    /// # Cancel safety
    ///
    /// A dropped call may have taken it.
    fn take_ticket(&self, hash: [u8; 32], now: Timestamp) -> StoreFuture<'_, Option<Arc<[u8]>>>;

    /// Spends units of a bucket if they are there; none is a look at what is left.
    ///
    /// # Cancel safety
    ///
    /// A dropped call may have spent them.
    fn spend(
        &self,
        bucket: Bucket,
        quota: Quota,
        units: u32,
        now: Timestamp,
    ) -> StoreFuture<'_, Spent>;

    /// Keeps a revocation, in place of an earlier one of the same.
    ///
    /// # Cancel safety
    ///
    /// A dropped call may or may not have kept it.
    fn revoke(&self, revocation: Revocation) -> StoreFuture<'_, ()>;

    /// Forgets a revocation. Whether there was one.
    ///
    /// # Cancel safety
    ///
    /// A dropped call may or may not have forgotten it.
    fn lift(&self, what: Revoked) -> StoreFuture<'_, bool>;

    /// The revocations that are in force, as far as this node knows.
    fn revocations(&self) -> Arc<Revocations>;

    /// Calls a listener with the present revocations, and again whenever they change.
    fn on_revocations(&self, listener: Box<dyn Fn(Arc<Revocations>) + Send + Sync>);
}
