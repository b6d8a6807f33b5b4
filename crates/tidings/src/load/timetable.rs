//! When publishes are due. Publishers share one timetable: whoever is free takes the next turn.
//!
//! With a rate, turns are due at fixed times whether or not the hub keeps up, and each is timed from
//! when it was due; a hub that stalls is not spared those that waited. Without one, a turn is due
//! when a publisher is free for it.

use std::time::Duration;

use super::clock::micros;

/// How long after the end a turn may still begin. A hub that does not keep up would otherwise be
/// loaded for far longer than was asked.
const LATE_MAX_US: u64 = 1_000_000;

/// A timetable.
#[derive(Debug)]
pub(super) struct Timetable {
    /// When the first turn is due.
    pub(super) begin_us: u64,
    /// When no turn is due any more.
    pub(super) end_us: u64,
    /// What is due from here on is timed.
    pub(super) timed_from_us: u64,
    /// Events per second; without it, as fast as answers come.
    pub(super) rate: Option<f64>,
    /// Events of one turn.
    pub(super) batch: u64,
    /// Events in all.
    pub(super) events: u64,
    /// How far it is worked through.
    pub(super) progress: Progress,
}

/// How far a timetable is worked through.
#[derive(Debug, Default)]
pub(super) struct Progress {
    next: u64,
    /// Events of turns for which no publisher was free in time.
    unsent: u64,
}

/// A publish that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    /// Number of its first event.
    pub(super) first: u64,
    pub(super) events: u64,
    pub(super) due_us: u64,
}

impl Timetable {
    /// The next turn, until there is none.
    pub(super) fn take(&mut self, now_us: u64) -> Option<Turn> {
        loop {
            let first = self.progress.next;
            self.progress.next = first.saturating_add(self.batch);
            let due_us = match self.rate {
                Some(rate) => {
                    let after = Duration::try_from_secs_f64(first as f64 / rate);
                    self.begin_us.saturating_add(after.map_or(u64::MAX, micros))
                }
                None => now_us.max(self.begin_us),
            };
            let events = self.events.saturating_sub(first).min(self.batch);
            if due_us >= self.end_us || events == 0 {
                return None;
            }
            if now_us < self.end_us.saturating_add(LATE_MAX_US) {
                return Some(Turn {
                    first,
                    events,
                    due_us,
                });
            }
            self.progress.unsent += events;
        }
    }

    /// Events that were due and that no publisher was free for before the end.
    pub(super) fn unsent(&self) -> u64 {
        self.progress.unsent
    }

    /// Whether what is due then is timed.
    pub(super) fn is_timed(&self, due_us: u64) -> bool {
        due_us >= self.timed_from_us
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timetable(rate: Option<f64>, batch: u64, events: u64) -> Timetable {
        Timetable {
            begin_us: 1_000,
            end_us: 1_001_000,
            timed_from_us: 501_000,
            rate,
            batch,
            events,
            progress: Progress::default(),
        }
    }

    #[test]
    fn turns_of_a_rate_are_due_whether_or_not_anybody_came() {
        let mut timetable = timetable(Some(10.0), 1, u64::MAX);
        let turns: Vec<Turn> = std::iter::from_fn(|| timetable.take(0)).collect();
        assert_eq!(turns.len(), 10);
        let due: Vec<u64> = turns.iter().map(|turn| turn.due_us).collect();
        assert_eq!(due.get(..3), Some(&[1_000, 101_000, 201_000][..]));
        let timed = due.iter().filter(|due| timetable.is_timed(**due)).count();
        assert_eq!(timed, 5);
    }

    #[test]
    fn a_batch_is_due_with_its_first_event() {
        let mut timetable = timetable(Some(10.0), 4, u64::MAX);
        let turns: Vec<(u64, u64)> = std::iter::from_fn(|| timetable.take(0))
            .map(|turn| (turn.first, turn.due_us))
            .collect();
        assert_eq!(turns, [(0, 1_000), (4, 401_000), (8, 801_000)]);
    }

    #[test]
    fn turns_that_nobody_was_free_for_are_given_up_and_counted() {
        let mut timetable = timetable(Some(10.0), 2, u64::MAX);
        assert!(timetable.take(2_000_999).is_some());
        assert_eq!(timetable.take(2_001_000), None);
        assert_eq!(timetable.unsent(), 8);
    }

    #[test]
    fn a_number_of_events_ends_it() {
        let mut few = timetable(None, 4, 6);
        few.end_us = u64::MAX;
        let sizes: Vec<u64> = std::iter::from_fn(|| few.take(5_000))
            .map(|turn| turn.events)
            .collect();
        assert_eq!(sizes, [4, 2]);
    }
}
