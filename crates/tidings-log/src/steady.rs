//! A wall clock that does not jump.
//!
//! Intervals (the dedupe window, ages for retention) must not follow a wall clock that is set while
//! the process runs: a day forward would delete a day of events and forget every publisher's id.

use std::sync::Arc;

use tidings_core::port::Clock;
use tidings_core::time::{Moment, Timestamp};

/// The wall-clock time at the start, moved on by the monotonic clock.
#[derive(Debug, Clone)]
pub(crate) struct SteadyClock {
    clock: Arc<dyn Clock>,
    wall_at_start: Timestamp,
    start: Moment,
}

impl SteadyClock {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            wall_at_start: clock.now(),
            start: clock.moment(),
            clock,
        }
    }

    /// The wall clock as it is, jumps included.
    pub(crate) fn wall(&self) -> Timestamp {
        self.clock.now()
    }

    /// Monotonic time.
    pub(crate) fn moment(&self) -> Moment {
        self.clock.moment()
    }

    /// Wall-clock time without the jumps since the start.
    pub(crate) fn steady(&self) -> Timestamp {
        let elapsed = self.clock.moment().ms_since(self.start);
        Timestamp(self.wall_at_start.0.saturating_add(elapsed))
    }

    /// The time from which ages are counted: whichever clock makes things look younger.
    pub(crate) fn for_ages(&self) -> Timestamp {
        self.wall().min(self.steady())
    }
}
