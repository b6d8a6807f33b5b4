//! Where a reader starts: what it may ask, and what that comes to against a log.

use std::time::Duration;

use crate::gap::{Gap, GapReason};
use crate::id::EventId;
use crate::lineage::{Lineage, Standing};
use crate::position::{Offset, Position};
use crate::time::Timestamp;

/// Where a reader asks to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// With what is published from now on.
    Now,
    /// With the oldest retained event.
    Earliest,
    /// With the newest event of each topic, then live.
    Last,
    /// After a cursor.
    After(Position),
    /// At a time, inclusive.
    Since(Timestamp),
    /// This long ago.
    Ago(Duration),
    /// After the event with a publisher's id.
    AfterId(EventId),
    /// After something that cannot be a cursor or an id of this hub.
    Foreign,
}

/// What a reader is told about its request to resume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replay {
    /// It asked for nothing from the past.
    None,
    /// It gets all that it asked for.
    Complete,
    /// Something it asked for is gone; a gap says what.
    Gap,
}

impl Replay {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::None, Self::Complete, Self::Gap];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Complete => "complete",
            Self::Gap => "gap",
        }
    }
}

/// Where a resumed reader stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resumed {
    /// Read on after this offset.
    After(Offset),
    /// Say this gap, then read on after its end.
    Gap(Gap),
    /// The cursor means nothing here: fall back, and say so.
    Unknown,
}

/// What a cursor comes to against a log whose committed end is `end`.
pub fn resume(cursor: Position, lineage: &Lineage, end: Offset) -> Resumed {
    match lineage.standing(cursor, end) {
        Standing::Good(offset) => Resumed::After(offset),
        Standing::Rewound(to) => Resumed::Gap(Gap {
            from: Some(to),
            to,
            reason: GapReason::Rewound,
        }),
        Standing::Unknown => Resumed::Unknown,
    }
}
