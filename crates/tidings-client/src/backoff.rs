//! How long to wait before the next attempt: full jitter, never less than the hub asks for.

use std::time::Duration;

use crate::limits::{ASKED_WAIT_MAX, BACKOFF_BASE, BACKOFF_MAX};

/// Waits that grow with every failure, each a random part of its bound, so that clients that were
/// cut off together do not come back together.
#[derive(Debug, Clone)]
pub struct Backoff {
    base: Duration,
    max: Duration,
    failures: u32,
    least: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new(BACKOFF_BASE, BACKOFF_MAX)
    }
}

impl Backoff {
    /// Waits that begin below `base` and stay below `max`.
    pub fn new(base: Duration, max: Duration) -> Self {
        Self {
            base,
            max,
            failures: 0,
            least: Duration::ZERO,
        }
    }

    /// Things go well: the next failure is a first one.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// From now on every wait has at least this length (`retry:` of a stream).
    pub fn at_least(&mut self, least: Duration) {
        self.least = least.min(ASKED_WAIT_MAX);
    }

    /// The wait after one more failure. `asked` is what the hub asked for this once.
    pub fn after_failure(&mut self, asked: Option<Duration>) -> Duration {
        self.wait(asked, random_part())
    }

    fn wait(&mut self, asked: Option<Duration>, part: f64) -> Duration {
        let doubled = 2_u32.saturating_pow(self.failures);
        let bound = self.base.saturating_mul(doubled).min(self.max);
        self.failures = self.failures.saturating_add(1);
        let least = asked.map_or(self.least, |asked| asked.min(ASKED_WAIT_MAX));
        least + bound.mul_f64(part)
    }
}

/// A random part of a duration.
pub fn random_of(duration: Duration) -> Duration {
    duration.mul_f64(random_part())
}

/// A number from 0 up to 1.
fn random_part() -> f64 {
    // Without a source of randomness half is as good a part as any.
    let bits = getrandom::u64().unwrap_or(u64::MAX / 2);
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn waits_double_up_to_their_bound_and_begin_anew() {
        let mut backoff = Backoff::new(SECOND, SECOND * 5);
        let mut longest = || backoff.wait(None, 1.0);
        let waits = [longest(), longest(), longest(), longest(), longest()];
        assert_eq!(waits, [1, 2, 4, 5, 5].map(|seconds| SECOND * seconds));
        backoff.reset();
        assert_eq!(backoff.wait(None, 1.0), SECOND);
        assert_eq!(backoff.wait(None, 0.0), Duration::ZERO);
        for _ in 0..100 {
            assert!(backoff.after_failure(None) < SECOND * 5);
        }
    }

    #[test]
    fn no_wait_is_shorter_than_the_hub_asks() {
        let mut backoff = Backoff::new(SECOND, SECOND);
        backoff.at_least(SECOND * 7);
        assert_eq!(backoff.wait(None, 0.0), SECOND * 7);
        assert_eq!(backoff.wait(Some(SECOND * 9), 0.5), SECOND * 9 + SECOND / 2);
        backoff.at_least(Duration::MAX);
        assert_eq!(backoff.wait(None, 0.0), ASKED_WAIT_MAX);
        assert_eq!(backoff.wait(Some(Duration::MAX), 0.0), ASKED_WAIT_MAX);
    }

    #[test]
    fn random_parts_are_parts() {
        for _ in 0..1_000 {
            assert!(random_of(SECOND) < SECOND);
        }
    }
}
