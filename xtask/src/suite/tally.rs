//! How many checks of a suite passed and failed.

use std::fmt;
use std::ops::Add;

/// How many checks of a suite passed and failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Checks that hold.
    pub(crate) passed: u64,
    /// Checks that do not.
    pub(crate) failed: u64,
}

impl Tally {
    /// One failed check.
    pub(crate) const FAILED: Self = Self {
        passed: 0,
        failed: 1,
    };

    /// Whether something was checked and all of it holds.
    pub(crate) fn is_good(self) -> bool {
        self.failed == 0 && self.passed > 0
    }
}

impl Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suite_that_ran_nothing_is_not_good() {
        assert!(!Tally::default().is_good());
        assert!(
            !Tally {
                passed: 3,
                failed: 1
            }
            .is_good()
        );
        assert!(
            Tally {
                passed: 3,
                failed: 0
            }
            .is_good()
        );
    }
}
