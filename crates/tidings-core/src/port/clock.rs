//! The clock port.

use crate::time::{Moment, Timestamp};

/// Both kinds of time. Real, or set by a test.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Wall-clock time. May jump either way.
    fn now(&self) -> Timestamp;

    /// Monotonic time. Never runs backwards.
    fn moment(&self) -> Moment;
}
