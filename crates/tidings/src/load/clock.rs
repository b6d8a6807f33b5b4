//! The time of a load: microseconds of the system's monotonic clock, which all processes share.
//!
//! Due times are set as early as a microsecond apart, so waiting is done by the thread itself; the
//! timers of an async runtime have a grain of a millisecond.

use std::thread;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Now, in microseconds.
pub(super) fn now_us() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec.unsigned_abs() * 1_000_000 + now.tv_nsec.unsigned_abs() / 1_000
}

/// Waits until a time has come.
pub(super) fn wait_until(due_us: u64) {
    loop {
        let left = due_us.saturating_sub(now_us());
        if left == 0 {
            return;
        }
        thread::sleep(Duration::from_micros(left));
    }
}

/// A duration in microseconds.
pub(super) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
