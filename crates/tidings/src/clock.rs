//! The real clock.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tidings_core::port::Clock;
use tidings_core::time::{Moment, Timestamp};

/// The operating system's clocks.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self {
            started: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // A clock set before 1970 reads as 1970: wrong, but it runs forward again once it is set.
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp(since.as_millis() as u64)
    }

    fn moment(&self) -> Moment {
        Moment(self.started.elapsed().as_millis() as u64)
    }
}
