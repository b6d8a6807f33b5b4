//! Log lines that would repeat with each connection, said once in a while.

use std::sync::atomic::{AtomicU64, Ordering};

use tidings_core::time::Moment;

use crate::limits::REPEATED_LOG_MS_MIN;

/// Lets one occasion in [`REPEATED_LOG_MS_MIN`] through, and counts the others.
#[derive(Debug, Default)]
pub(crate) struct Seldom {
    /// Milliseconds of the moment before which nothing is said.
    silent_until: AtomicU64,
    suppressed: AtomicU64,
}

impl Seldom {
    /// Whether to say it: then, how many occasions have gone by unsaid.
    pub(crate) fn say(&self, now: Moment) -> Option<u64> {
        let silent_until = self.silent_until.load(Ordering::Relaxed);
        let next = now.plus_ms(REPEATED_LOG_MS_MIN).0;
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
