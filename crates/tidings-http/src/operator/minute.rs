//! The last minute: totals from time to time, so that what rises can be told as a rate.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tidings_core::time::Moment;
use tidings_wire::operator::Rates;

use crate::limits::{MINUTE_MS, MINUTE_SAMPLE_MS};

/// What only rises.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) opened: u64,
    pub(crate) closed: u64,
    pub(crate) published: u64,
    pub(crate) delivered: u64,
    /// Answers, those to probes not counted.
    pub(crate) answers: u64,
    /// Of those, refusals for want of room, and failures.
    pub(crate) failures: u64,
}

/// Samples of the last minute, and one from before it.
#[derive(Debug, Default)]
pub(crate) struct Minute(Mutex<VecDeque<(Moment, Totals)>>);

/// What has happened since a minute ago, or since the hub began, if that is less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Past {
    elapsed_ms: u64,
    by: Totals,
}

impl Minute {
    fn samples(&self) -> MutexGuard<'_, VecDeque<(Moment, Totals)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a sample, unless the last one is recent.
    pub(crate) fn note(&self, now: Moment, totals: Totals) {
        let mut samples = self.samples();
        if samples
            .back()
            .is_some_and(|(at, _)| now.ms_since(*at) < MINUTE_SAMPLE_MS)
        {
            return;
        }
        samples.push_back((now, totals));
        // The newest of those that are old enough is the one to compare with.
        while samples
            .get(1)
            .is_some_and(|(at, _)| now.ms_since(*at) >= MINUTE_MS)
        {
            samples.pop_front();
        }
    }

    /// What has happened.
    pub(crate) fn past(&self, now: Moment, totals: Totals) -> Past {
        let samples = self.samples();
        let old = samples
            .iter()
            .rev()
            .find(|(at, _)| now.ms_since(*at) >= MINUTE_MS);
        let (at, then) = old
            .or_else(|| samples.front())
            .copied()
            .unwrap_or((now, totals));
        Past {
            elapsed_ms: now.ms_since(at),
            by: Totals {
                opened: totals.opened.saturating_sub(then.opened),
                closed: totals.closed.saturating_sub(then.closed),
                published: totals.published.saturating_sub(then.published),
                delivered: totals.delivered.saturating_sub(then.delivered),
                answers: totals.answers.saturating_sub(then.answers),
                failures: totals.failures.saturating_sub(then.failures),
            },
        }
    }
}

impl Past {
    /// How many answers there were.
    pub(crate) fn answers(&self) -> u64 {
        self.by.answers
    }

    /// The share of answers that failed.
    pub(crate) fn error_rate(&self) -> f64 {
        self.by.failures as f64 / self.by.answers.max(1) as f64
    }

    /// What happened, for each second.
    pub(crate) fn rates(&self) -> Rates {
        // A hub that has just begun is reckoned with a whole second.
        let seconds = self.elapsed_ms.max(1_000) as f64 / 1_000.0;
        Rates {
            opens: self.by.opened as f64 / seconds,
            closes: self.by.closed as f64 / seconds,
            published: self.by.published as f64 / seconds,
            delivered: self.by.delivered as f64 / seconds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(number: u64) -> Totals {
        Totals {
            opened: number,
            closed: number / 2,
            published: number * 10,
            delivered: number * 100,
            answers: number,
            failures: number / 4,
        }
    }

    fn is(found: f64, expected: f64) -> bool {
        (found - expected).abs() < 1e-9
    }

    #[test]
    fn rates_are_those_of_the_last_minute() {
        let minute = Minute::default();
        let second = |second: u64| Moment(second * 1_000);
        assert_eq!(minute.past(second(0), totals(9)).rates(), Rates::default());
        // One a second for ten minutes, then four a second for one.
        for at in 0..600 {
            minute.note(second(at), totals(at));
        }
        for at in 0..60 {
            minute.note(second(600 + at), totals(600 + 4 * at));
        }
        let past = minute.past(second(660), totals(840));
        assert_eq!(past.elapsed_ms, 60_000);
        let rates = past.rates();
        assert!(is(rates.opens, 4.0) && is(rates.closes, 2.0));
        assert!(is(rates.published, 40.0) && is(rates.delivered, 400.0));
        assert_eq!(past.answers(), 240);
        assert!(is(past.error_rate(), 0.25));
        let samples = minute.samples().len() as u64;
        assert!(samples <= MINUTE_MS / MINUTE_SAMPLE_MS + 2, "{samples}");
    }

    #[test]
    fn before_a_minute_is_over_it_is_the_time_since_the_beginning() {
        let minute = Minute::default();
        minute.note(Moment(0), totals(0));
        assert!(is(minute.past(Moment(10), totals(8)).rates().opens, 8.0));
        minute.note(Moment(10_000), totals(8));
        assert!(is(
            minute.past(Moment(20_000), totals(8)).rates().opens,
            0.4
        ));
        assert!(is(minute.past(Moment(20_000), totals(0)).error_rate(), 0.0));
        // Nobody has looked for an hour, and nothing was noted.
        let late = minute.past(Moment(3_610_000), totals(3_608));
        assert!(is(late.rates().opens, 1.0));
    }
}
