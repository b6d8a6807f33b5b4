//! Log lines that would repeat with each connection, said once in a while.

use std::sync::atomic::{AtomicU64, Ordering};

use tidings_core::time::Moment;

use crate::limits::REPEATED_LOG_MS_MIN;

/// Lets one occasion in a time through, and counts the others.
#[derive(Debug)]
pub(crate) struct Seldom {
    pause_ms: u64,
    /// Milliseconds of the moment before which nothing is said.
    silent_until: AtomicU64,
    suppressed: AtomicU64,
}

impl Default for Seldom {
    fn default() -> Self {
        Self::every(REPEATED_LOG_MS_MIN)
    }
}

impl Seldom {
    /// Lets one occasion in so many milliseconds through.
    pub(crate) fn every(pause_ms: u64) -> Self {
        Self {
            pause_ms,
            silent_until: AtomicU64::new(0),
            suppressed: AtomicU64::new(0),
        }
    }

    /// Whether to say it: then, how many occasions have gone by unsaid.
    pub(crate) fn say(&self, now: Moment) -> Option<u64> {
        let silent_until = self.silent_until.load(Ordering::Relaxed);
        let next = now.plus_ms(self.pause_ms).0;
        let is_mine = now.0 >= silent_until
            && self
                .silent_until
                .compare_exchange(silent_until, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if is_mine {
            Some(self.suppressed.swap(0, Ordering::Relaxed))
        } else {
            self.suppressed.fetch_add(1, Ordering::Relaxed);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_one_line_and_a_count() {
        let seldom = Seldom::default();
        assert_eq!(seldom.say(Moment(0)), Some(0));
        for ms in 0..100 {
            assert_eq!(seldom.say(Moment(ms)), None);
        }
        assert_eq!(seldom.say(Moment(REPEATED_LOG_MS_MIN)), Some(100));
    }
}
