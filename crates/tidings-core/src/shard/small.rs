//! What a connection keeps in fewer bytes than it is reckoned with: each byte counts as often as there
//! are connections.

use crate::time::Moment;

/// A moment to the second, in four bytes: good for 136 years.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Coarse(u32);

const MS_PER_SECOND: u64 = 1_000;

impl Coarse {
    /// The last one that is not later.
    pub(super) fn at(moment: Moment) -> Self {
        Self((moment.0 / MS_PER_SECOND) as u32)
    }

    /// Whether so much has passed since, give or take a second.
    pub(super) fn is_past(self, now: Moment, ms: u64) -> bool {
        u64::from(Self::at(now).0.wrapping_sub(self.0)) * MS_PER_SECOND >= ms
    }
}

/// What a connection has been given, in ten bytes: four thousand million events and 256 TiB, at which
/// it stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Given {
    events: [u8; 4],
    bytes: [u8; 6],
}

impl Given {
    pub(super) fn add(&mut self, events: usize, bytes: usize) {
        let sum = u64::from(u32::from_le_bytes(self.events)).saturating_add(events as u64);
        self.events = u32::try_from(sum).unwrap_or(u32::MAX).to_le_bytes();
        let sum = self.bytes().saturating_add(bytes as u64).min((1 << 48) - 1);
        for (kept, byte) in self.bytes.iter_mut().zip(sum.to_le_bytes()) {
            *kept = byte;
        }
    }

    pub(super) fn events(&self) -> u64 {
        u64::from(u32::from_le_bytes(self.events))
    }

    pub(super) fn bytes(&self) -> u64 {
        let mut bytes = [0; 8];
        for (byte, kept) in bytes.iter_mut().zip(self.bytes) {
            *byte = kept;
        }
        u64::from_le_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m1_they_are_small() {
        assert_eq!((size_of::<Coarse>(), size_of::<Given>()), (4, 10));
    }

    #[test]
    fn a_coarse_moment_is_past_in_time() {
        for since in [0, 999, 5_000_000_000_123] {
            let coarse = Coarse::at(Moment(since));
            assert!(!coarse.is_past(Moment(since + 59_000), 60_000));
            assert!(coarse.is_past(Moment(since + 61_000), 60_000));
        }
    }

    #[test]
    fn what_was_given_is_added_up_and_never_wraps() {
        let mut given = Given::default();
        given.add(2, 70_000);
        given.add(1, usize::MAX >> 20);
        let bytes = 70_000 + (usize::MAX >> 20) as u64;
        assert_eq!((given.events(), given.bytes()), (3, bytes));
        given.add(usize::MAX, usize::MAX);
        assert_eq!(
            (given.events(), given.bytes()),
            (u64::from(u32::MAX), (1 << 48) - 1)
        );
    }
}
