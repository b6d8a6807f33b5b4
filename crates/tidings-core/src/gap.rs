//! Gaps: the word to a reader on what it can no longer get.

use std::fmt;

use crate::position::{Offset, Position};

/// Why part of what a reader asked for cannot be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GapReason {
    /// Removed by age, size or count.
    Retention,
    /// The reader was too far behind a bounded buffer outside the log.
    Overrun,
    /// The log lost its newest part, which the reader may have seen.
    Rewound,
    /// The cursor belongs to no history that this log knows.
    Unknown,
    /// Removed on request.
    Purged,
    /// Unreadable on disk.
    Damaged,
}

impl GapReason {
    /// All reasons.
    pub const ALL: [Self; 6] = [
        Self::Retention,
        Self::Overrun,
        Self::Rewound,
        Self::Unknown,
        Self::Purged,
        Self::Damaged,
    ];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retention => "retention",
            Self::Overrun => "overrun",
            Self::Rewound => "rewound",
            Self::Unknown => "unknown",
            Self::Purged => "purged",
            Self::Damaged => "damaged",
        }
    }
}

impl fmt::Display for GapReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A stretch of the log in which a reader's events are missing, as the store finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hole {
    /// The last offset of the stretch; it begins after whatever came before it.
    pub through: Offset,
    /// Why.
    pub reason: GapReason,
}

/// A gap as a reader is told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The reader's cursor before it; none if the cursor meant nothing here.
    pub from: Option<Position>,
    /// Where reading goes on after.
    pub to: Position,
    /// Why.
    pub reason: GapReason,
}
