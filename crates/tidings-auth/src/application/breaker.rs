//! The circuit breaker: asks nothing of an application that does not answer, and tries again.
//!
//! A machine without a clock: the time is an argument.

use tidings_core::time::Moment;

/// When to stop asking, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Failures one after another, after which it stops.
    pub failures: u32,
    /// How long it stops, in milliseconds. Then a single question is tried.
    pub pause_ms: u64,
}

/// Whether questions are let through.
#[derive(Debug)]
pub(super) struct Breaker {
    patience: Patience,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// All are let through. So many have failed since one succeeded.
    Closed { failures: u32 },
    /// None is let through until then.
    Open { until: Moment },
    /// One has been let through, and decides.
    Trying,
}

/// What a question that was let through is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admitted {
    /// Its own sake.
    Ordinary,
    /// Finding out whether the application is back.
    Trial,
}

impl Breaker {
    /// One that lets everything through.
    pub(super) fn new(patience: Patience) -> Self {
        let state = State::Closed { failures: 0 };
        Self { patience, state }
    }

    /// Whether a question may be asked now.
    pub(super) fn admit(&mut self, now: Moment) -> Option<Admitted> {
        match self.state {
            State::Closed { .. } => Some(Admitted::Ordinary),
            State::Open { until } if now >= until => {
                self.state = State::Trying;
                Some(Admitted::Trial)
            }
            State::Open { .. } | State::Trying => None,
        }
    }

    /// Whether a question would be turned away now.
    pub(super) fn refuses(&self, now: Moment) -> bool {
        match self.state {
            State::Closed { .. } => false,
            State::Open { until } => now < until,
            State::Trying => true,
        }
    }

    /// The application has answered. Answers to questions from before it stopped change nothing.
    pub(super) fn on_answer(&mut self, admitted: Admitted) {
        match (self.state, admitted) {
            (State::Closed { .. }, _) | (State::Trying, Admitted::Trial) => {
                self.state = State::Closed { failures: 0 };
            }
            (State::Open { .. } | State::Trying, _) => {}
        }
    }

    /// It has not.
    pub(super) fn on_failure(&mut self, admitted: Admitted, now: Moment) {
        let until = now.plus_ms(self.patience.pause_ms);
        match (self.state, admitted) {
            (State::Closed { failures }, _) if failures + 1 < self.patience.failures => {
                let failures = failures + 1;
                self.state = State::Closed { failures };
            }
            (State::Closed { .. }, _) | (State::Trying, Admitted::Trial) => {
                self.state = State::Open { until };
            }
            (State::Open { .. } | State::Trying, _) => {}
        }
    }

    /// Nobody waits for the answer any longer. After a trial, the next question is one.
    pub(super) fn on_abandoned(&mut self, admitted: Admitted, now: Moment) {
        if (self.state, admitted) == (State::Trying, Admitted::Trial) {
            self.state = State::Open { until: now };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        failures: 3,
        pause_ms: 100,
    };

    fn at(ms: u64) -> Moment {
        Moment(ms)
    }

    fn opened() -> Breaker {
        let mut breaker = Breaker::new(PATIENCE);
        for _ in 0..PATIENCE.failures {
            assert_eq!(breaker.admit(at(0)), Some(Admitted::Ordinary));
            breaker.on_failure(Admitted::Ordinary, at(0));
        }
        breaker
    }

    #[test]
    fn it_opens_after_failures_in_a_row_only() {
        let mut breaker = Breaker::new(PATIENCE);
        for _ in 0..10 {
            breaker.on_failure(Admitted::Ordinary, at(0));
            breaker.on_failure(Admitted::Ordinary, at(0));
            breaker.on_answer(Admitted::Ordinary);
        }
        assert!(!breaker.refuses(at(0)));
        let mut breaker = opened();
        assert!(breaker.refuses(at(99)));
        assert_eq!(breaker.admit(at(99)), None);
    }

    #[test]
    fn one_trial_decides() {
        let mut breaker = opened();
        assert!(!breaker.refuses(at(100)));
        assert_eq!(breaker.admit(at(100)), Some(Admitted::Trial));
        assert_eq!(breaker.admit(at(100)), None, "one is enough");
        assert!(breaker.refuses(at(1_000)));
        breaker.on_failure(Admitted::Trial, at(150));
        assert_eq!(breaker.admit(at(249)), None);
        assert_eq!(breaker.admit(at(250)), Some(Admitted::Trial));
        breaker.on_answer(Admitted::Trial);
        assert_eq!(breaker.admit(at(250)), Some(Admitted::Ordinary));
        breaker.on_failure(Admitted::Ordinary, at(250));
        assert!(!breaker.refuses(at(250)), "it counts from the beginning");
    }

    #[test]
    fn an_abandoned_trial_is_tried_again_at_once() {
        let mut breaker = opened();
        assert_eq!(breaker.admit(at(100)), Some(Admitted::Trial));
        breaker.on_abandoned(Admitted::Trial, at(120));
        assert_eq!(breaker.admit(at(120)), Some(Admitted::Trial));
        let mut closed = Breaker::new(PATIENCE);
        closed.on_abandoned(Admitted::Ordinary, at(0));
        assert!(!closed.refuses(at(0)));
    }

    #[test]
    fn what_was_asked_before_it_opened_changes_nothing() {
        let mut breaker = opened();
        breaker.on_answer(Admitted::Ordinary);
        breaker.on_failure(Admitted::Ordinary, at(90));
        breaker.on_abandoned(Admitted::Ordinary, at(90));
        assert_eq!(breaker.admit(at(99)), None);
        assert_eq!(breaker.admit(at(100)), Some(Admitted::Trial));
        breaker.on_answer(Admitted::Ordinary);
        breaker.on_failure(Admitted::Ordinary, at(100));
        assert!(breaker.refuses(at(1_000)), "the trial is still out");
    }
}
