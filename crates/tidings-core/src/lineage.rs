//! The list of epochs that make up one log's history.

use crate::position::{Epoch, Offset, Position};

/// Which epochs the log has been through, and with which offset each began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lineage {
    /// Oldest first; never empty; first offsets rise, and two may be equal when one stayed empty.
    epochs: Vec<(Epoch, Offset)>,
}

/// What a cursor is worth against a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Everything up to this offset is history that this log shares.
    Good(Offset),
    /// The cursor lies beyond the end of its epoch: the log lost events that the reader may have
    /// seen. Reading goes on after this end.
    Rewound(Position),
    /// An epoch of another log, or one forgotten.
    Unknown,
}

/// The epochs handed to [`Lineage::new`] are not a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a lineage needs at least one epoch, and first offsets that do not fall")]
pub struct NotALineage;

impl Lineage {
    /// A history from its epochs, oldest first, each with its first offset.
    pub fn new(epochs: Vec<(Epoch, Offset)>) -> Result<Self, NotALineage> {
        let rising = epochs.is_sorted_by_key(|(_, first)| *first);
        if epochs.is_empty() || !rising {
            Err(NotALineage)
        } else {
            Ok(Self { epochs })
        }
    }

    /// Epochs with their first offsets, oldest first.
    pub fn epochs(&self) -> &[(Epoch, Offset)] {
        &self.epochs
    }

    /// The history after one more opening.
    #[must_use]
    pub fn opened(mut self, epoch: Epoch, first: Offset) -> Self {
        self.epochs.push((epoch, first));
        self
    }

    /// The epoch in force now.
    pub fn current(&self) -> Epoch {
        // Construction refuses an empty list.
        self.epochs
            .last()
            .map_or_else(|| Epoch::from_bits(0), |(epoch, _)| *epoch)
    }

    /// The offset as a position: with the epoch that wrote it.
    pub fn position(&self, offset: Offset) -> Position {
        let after = self.epochs.partition_point(|(_, first)| *first <= offset);
        let epoch = self
            .epochs
            .get(after.saturating_sub(1))
            .map_or_else(|| self.current(), |(epoch, _)| *epoch);
        Position { epoch, offset }
    }

    /// What a cursor is worth, when the log's committed end is `end`.
    pub fn standing(&self, cursor: Position, end: Offset) -> Standing {
        let Some(index) = self
            .epochs
            .iter()
            .position(|(epoch, _)| *epoch == cursor.epoch)
        else {
            return Standing::Unknown;
        };
        let last = match self.epochs.get(index + 1) {
            Some((_, next_first)) => next_first.previous(),
            None => end,
        };
        if cursor.offset <= last {
            Standing::Good(cursor.offset)
        } else {
            Standing::Rewound(Position {
                epoch: cursor.epoch,
                offset: last,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(bits: u64) -> Epoch {
        Epoch::from_bits(bits)
    }

    fn at(bits: u64, offset: u64) -> Position {
        Position {
            epoch: epoch(bits),
            offset: Offset(offset),
        }
    }

    /// Epoch 1 wrote 1 to 10, epoch 2 nothing, epoch 3 from 11.
    fn lineage() -> Lineage {
        Lineage::new(vec![
            (epoch(1), Offset(1)),
            (epoch(2), Offset(11)),
            (epoch(3), Offset(11)),
        ])
        .expect("lineage")
    }

    #[test]
    fn a_cursor_is_good_up_to_the_end_of_its_epoch() {
        let end = Offset(15);
        assert_eq!(lineage().standing(at(1, 0), end), Standing::Good(Offset(0)));
        assert_eq!(
            lineage().standing(at(1, 10), end),
            Standing::Good(Offset(10))
        );
        assert_eq!(
            lineage().standing(at(1, 11), end),
            Standing::Rewound(at(1, 10))
        );
        assert_eq!(
            lineage().standing(at(2, 11), end),
            Standing::Rewound(at(2, 10))
        );
        assert_eq!(
            lineage().standing(at(3, 15), end),
            Standing::Good(Offset(15))
        );
        assert_eq!(
            lineage().standing(at(3, u64::MAX), end),
            Standing::Rewound(at(3, 15))
        );
        assert_eq!(lineage().standing(at(9, 3), end), Standing::Unknown);
    }

    #[test]
    fn every_position_that_a_log_names_is_good_later() {
        let end = Offset(20);
        for offset in 0..=20 {
            let position = lineage().position(Offset(offset));
            assert_eq!(
                lineage().standing(position, end),
                Standing::Good(Offset(offset))
            );
        }
        assert_eq!(lineage().position(Offset(10)), at(1, 10));
        assert_eq!(lineage().position(Offset(11)), at(3, 11));
    }

    #[test]
    fn a_history_without_epochs_or_with_falling_offsets_is_refused() {
        assert_eq!(Lineage::new(Vec::new()), Err(NotALineage));
        assert_eq!(
            Lineage::new(vec![(epoch(1), Offset(5)), (epoch(2), Offset(4))]),
            Err(NotALineage)
        );
    }
}
