//! Priorities: how eagerly an event is handed over, never whether.

use std::fmt;

/// How urgent an event is. No priority reorders events, and none is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Priority {
    /// May be superseded by a later event of the same conflation key.
    Low,
    /// In order, batched as is convenient.
    #[default]
    Normal,
    /// Flushed at once; ends the wait of everything before it.
    High,
    /// As `high`, and passes event-type and metadata filters (not patterns or grants).
    Critical,
}

impl Priority {
    /// All priorities, the least urgent first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Normal, Self::High, Self::Critical];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The priority that a word on the wire names.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|priority| priority.as_str() == text)
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
