//! What all request bodies together may hold in memory: each has its own limit, but many at once
//! would still add up to more than the process has.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::limits::BODIES_BYTES_MAX;

/// The bytes that are left for bodies. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Budget(Arc<AtomicUsize>);

impl Default for Budget {
    fn default() -> Self {
        Self(Arc::new(AtomicUsize::new(BODIES_BYTES_MAX)))
    }
}

impl Budget {
    /// Leaves no more than so many bytes for bodies. Called before any is read.
    pub(crate) fn limit_to(&self, bytes: usize) {
        self.0.fetch_min(bytes, Ordering::Relaxed);
    }

    /// A share without any bytes yet.
    pub(crate) fn share(&self) -> Share {
        Share {
            budget: self.clone(),
            bytes: 0,
        }
    }
}

/// Bytes of one body, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Budget,
    bytes: usize,
}

impl Share {
    /// Takes more bytes, if there are as many left.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let left = &self.budget.0;
        let taken = left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(bytes)
            })
            .is_ok();
        if taken {
            self.bytes += bytes;
        }
        taken
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.0.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m4_where_there_is_little_memory_bodies_get_a_part_of_it() {
        let budget = Budget::default();
        budget.limit_to(100);
        budget.limit_to(BODIES_BYTES_MAX);
        let mut share = budget.share();
        assert!(share.grow(100));
        assert!(!share.grow(1));
        drop(share);
        assert!(budget.share().grow(100));
    }

    #[test]
    fn m4_all_bodies_together_stay_within_the_budget() {
        let budget = Budget::default();
        let (mut one, mut other) = (budget.share(), budget.share());
        assert!(one.grow(BODIES_BYTES_MAX - 10));
        assert!(other.grow(10));
        assert!(!other.grow(1));
        drop(one);
        assert!(other.grow(BODIES_BYTES_MAX - 10));
        assert!(!other.grow(1));
    }
}
