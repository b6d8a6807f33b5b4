//! Compressors that threads borrow for one block each.
//!
//! A compressor is hundreds of kilobytes of tables that cost more to make than a block costs to
//! pack, so they are kept; as many as threads that pack at once, and none per connection.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::limits::IDLE_COMPRESSORS_MAX;

/// Idle compressors of one coding.
pub(super) struct Compressors<C> {
    idle: Mutex<Vec<C>>,
}

// === impl Compressors ===

impl<C: Default> Compressors<C> {
    /// Lends a compressor. The lock is not held while it works.
    pub(super) fn with<R>(&self, work: impl FnOnce(&mut C) -> R) -> R {
        let borrowed = self.idle().pop();
        let mut compressor = borrowed.unwrap_or_default();
        let result = work(&mut compressor);
        let mut idle = self.idle();
        if idle.len() < IDLE_COMPRESSORS_MAX {
            idle.push(compressor);
        }
        result
    }

    fn idle(&self) -> MutexGuard<'_, Vec<C>> {
        // Nothing under the lock can leave the list half changed.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C> Default for Compressors<C> {
    fn default() -> Self {
        Self {
            idle: Mutex::new(Vec::with_capacity(IDLE_COMPRESSORS_MAX)),
        }
    }
}

impl<C: Default> fmt::Debug for Compressors<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} idle", self.idle().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Borrows `depth` compressors at once.
    fn borrow(compressors: &Compressors<Vec<u8>>, depth: usize) {
        if depth > 0 {
            compressors.with(|_| borrow(compressors, depth - 1));
        }
    }

    #[test]
    fn a_compressor_is_kept_for_the_next_block() {
        let compressors = Compressors::<Vec<u8>>::default();
        compressors.with(|compressor| compressor.push(1));
        assert_eq!(compressors.with(|compressor| compressor.clone()), [1]);
        assert_eq!(compressors.idle().len(), 1);
    }

    #[test]
    fn no_more_than_the_limit_are_kept_idle() {
        let compressors = Compressors::default();
        borrow(&compressors, IDLE_COMPRESSORS_MAX);
        assert_eq!(compressors.idle().len(), IDLE_COMPRESSORS_MAX);
        borrow(&compressors, IDLE_COMPRESSORS_MAX + 3);
        assert_eq!(compressors.idle().len(), IDLE_COMPRESSORS_MAX);
    }
}
