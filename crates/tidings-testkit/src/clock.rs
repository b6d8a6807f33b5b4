//! A clock that tests set: both kinds of time stand still until somebody moves them.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tidings_core::port::Clock;
use tidings_core::time::{Moment, Timestamp};

/// Wall-clock and monotonic time under a test's control.
#[derive(Debug)]
pub struct ManualClock {
    times: Mutex<Times>,
}

#[derive(Debug, Clone, Copy)]
struct Times {
    wall: Timestamp,
    monotonic: Moment,
}

impl ManualClock {
    /// A clock whose wall time is this; its monotonic time begins somewhere else on purpose.
    pub fn at(wall: Timestamp) -> Self {
        let monotonic = Moment(5_000);
        Self {
            times: Mutex::new(Times { wall, monotonic }),
        }
    }

    /// Lets time pass: both kinds move on together.
    pub fn advance(&self, by: Duration) {
        let mut times = self.lock();
        times.wall = times.wall.plus(by);
        times.monotonic = times.monotonic.plus_ms(by.as_millis() as u64);
    }

    /// Sets the wall clock, either way, as an administrator or a time server may.
    pub fn set_wall(&self, wall: Timestamp) {
        self.lock().wall = wall;
    }

    fn lock(&self) -> MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for ManualClock {
    /// Some day in 2026.
    fn default() -> Self {
        Self::at(Timestamp(1_780_000_000_000))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.lock().wall
    }

    fn moment(&self) -> Moment {
        self.lock().monotonic
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_time_jumps_alone_and_passes_together() {
        let clock = ManualClock::at(Timestamp(1_000));
        let start = clock.moment();
        clock.advance(Duration::from_millis(250));
        assert_eq!(clock.now(), Timestamp(1_250));
        assert_eq!(clock.moment().ms_since(start), 250);
        clock.set_wall(Timestamp(7));
        assert_eq!(clock.now(), Timestamp(7));
        assert_eq!(clock.moment().ms_since(start), 250);
    }
}
