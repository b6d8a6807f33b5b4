//! What one reader has seen of each publisher, against what was accepted.

use super::limits::HOLES_MAX;
use super::probe::Probe;

/// How an event stands to those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Noted {
    /// It is new, and later than all before.
    InOrder,
    /// It is new, and a later one of the same publisher came first.
    OutOfOrder,
    /// The reader has had it before.
    Repeated,
}

/// A stretch of serials of one publisher that were passed over.
#[derive(Debug, Clone, Copy)]
struct Hole {
    publisher: u32,
    first: u32,
    last: u32,
}

/// What one reader has seen.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// The latest serial of each publisher.
    latest: Vec<u32>,
    holes: Vec<Hole>,
    /// Serials of holes beyond those that are remembered.
    forgotten: u64,
    /// Different events.
    seen: u64,
}

impl Ledger {
    /// Notes an event.
    pub(super) fn note(&mut self, probe: Probe) -> Noted {
        let publisher = probe.publisher as usize;
        if self.latest.len() <= publisher {
            self.latest.resize(publisher + 1, 0);
        }
        let Some(latest) = self.latest.get_mut(publisher) else {
            return Noted::Repeated;
        };
        if probe.serial <= *latest {
            return self.note_late(probe);
        }
        let first = *latest + 1;
        *latest = probe.serial;
        self.seen += 1;
        if first < probe.serial {
            self.remember(Hole {
                publisher: probe.publisher,
                first,
                last: probe.serial - 1,
            });
        }
        Noted::InOrder
    }

    /// Different events that it has seen.
    pub(super) fn seen(&self) -> u64 {
        self.seen
    }

    /// How many events are missing, of which each publisher's accepted number is given.
    pub(super) fn missing(&self, accepted: impl Iterator<Item = u32>) -> u64 {
        let holes: u64 = self
            .holes
            .iter()
            .map(|hole| u64::from(hole.last - hole.first) + 1)
            .sum();
        let tails: u64 = accepted
            .enumerate()
            .map(|(publisher, accepted)| {
                let latest = self.latest.get(publisher).copied().unwrap_or(0);
                u64::from(accepted.saturating_sub(latest))
            })
            .sum();
        holes + tails + self.forgotten
    }

    fn note_late(&mut self, probe: Probe) -> Noted {
        let within = |hole: &Hole| {
            hole.publisher == probe.publisher && (hole.first..=hole.last).contains(&probe.serial)
        };
        let Some(at) = self.holes.iter().position(within) else {
            return Noted::Repeated;
        };
        let hole = self.holes.swap_remove(at);
        self.seen += 1;
        if hole.first < probe.serial {
            let last = probe.serial - 1;
            self.remember(Hole { last, ..hole });
        }
        if probe.serial < hole.last {
            let first = probe.serial + 1;
            self.remember(Hole { first, ..hole });
        }
        Noted::OutOfOrder
    }

    fn remember(&mut self, hole: Hole) {
        if self.holes.len() < HOLES_MAX {
            self.holes.push(hole);
        } else {
            self.forgotten += u64::from(hole.last - hole.first) + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(ledger: &mut Ledger, publisher: u32, serial: u32) -> Noted {
        ledger.note(Probe {
            publisher,
            serial,
            due_us: 0,
        })
    }

    #[test]
    fn loss_repeats_and_disorder_are_told_apart_for_each_publisher() {
        let mut ledger = Ledger::default();
        let order = [
            (0, 1),
            (1, 1),
            (0, 2),
            (0, 6),
            (0, 4),
            (0, 6),
            (0, 4),
            (1, 1),
        ];
        let noted: Vec<Noted> = order
            .into_iter()
            .map(|(publisher, serial)| note(&mut ledger, publisher, serial))
            .collect();
        assert_eq!(noted.get(..4), Some(&[Noted::InOrder; 4][..]));
        assert_eq!(noted.get(4), Some(&Noted::OutOfOrder));
        assert_eq!(noted.get(5..), Some(&[Noted::Repeated; 3][..]));
        // Publisher 0 lacks 3, 5 and 7; publisher 2 has not been seen at all.
        assert_eq!(ledger.missing([7, 1, 2].into_iter()), 5);
        assert_eq!(ledger.seen(), 5);
        for serial in [3, 5, 7] {
            note(&mut ledger, 0, serial);
        }
        assert_eq!(ledger.missing([7, 1].into_iter()), 0);
    }

    #[test]
    fn holes_beyond_those_that_are_remembered_stay_missing() {
        let mut ledger = Ledger::default();
        let holes = HOLES_MAX as u32 + 10;
        for hole in 1..=holes {
            note(&mut ledger, 0, hole * 2);
        }
        assert_eq!(ledger.holes.len(), HOLES_MAX);
        assert_eq!(ledger.missing([holes * 2].into_iter()), u64::from(holes));
    }
}
