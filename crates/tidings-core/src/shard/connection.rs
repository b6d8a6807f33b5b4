//! One connection of a shard.

use std::fmt;

use crate::delivery::Sink;
use crate::event_type::TypeFilter;
use crate::gap::Gap;
use crate::port::{Farewell, Shape};
use crate::position::Offset;
use crate::scope::Scope;
use crate::time::{Moment, Timestamp};

/// Names a connection within its shard. The generation tells it from an earlier one in the slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionKey {
    slot: u32,
    generation: u32,
}

impl ConnectionKey {
    pub(super) fn new(slot: usize, generation: u32) -> Self {
        Self {
            slot: slot as u32,
            generation,
        }
    }

    /// The key as a number, for what can carry only that; slots stay below 2^31.
    pub fn to_bits(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.slot)
    }

    /// The key of a number.
    pub fn from_bits(bits: u64) -> Self {
        Self {
            slot: bits as u32,
            generation: (bits >> 32) as u32,
        }
    }

    pub(super) fn slot(self) -> usize {
        self.slot as usize
    }
}

impl fmt::Display for ConnectionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.slot, self.generation)
    }
}

/// How a connection reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A stream that goes on; hello, gaps, pings and bye are part of it.
    Stream {
        /// A sign of life at least this often.
        heartbeat_ms: u64,
    },
    /// One page: the first delivery is the answer, and the last.
    Page {
        /// At most this many events.
        events_max: usize,
        /// How long to wait for the first one.
        wait_ms: u64,
    },
}

/// Everything that a shard keeps of a connection. All that grows with the connection's lag is its
/// distance from the head.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, not one state"
)]
pub(super) struct Connection<S> {
    pub(super) key: ConnectionKey,
    pub(super) sink: S,
    pub(super) mode: Mode,
    pub(super) shape: Shape,
    pub(super) scope: Scope,
    pub(super) types: TypeFilter,
    /// Selectors of the scope, each with this connection's place among its members.
    pub(super) memberships: Vec<(u32, u32)>,
    /// Everything up to here has been considered and, where it matched, delivered.
    pub(super) cursor: Offset,
    /// The newest event of each key, up to the cursor, has yet to be handed over where it lies after
    /// this offset. It comes before everything else, and until then the cursor may not be told.
    pub(super) snapshot_after: Option<Offset>,
    /// A gap that the first page has to tell.
    pub(super) gap: Option<Gap>,
    /// Whether it stands in the ready ring.
    pub(super) queued: bool,
    /// Whether a reader thread reads for it.
    pub(super) reading: bool,
    /// Whether the sink has taken the hello.
    pub(super) greeted: bool,
    /// The latest event that counted it as a match.
    pub(super) counted_for: Offset,
    pub(super) opened_at: Moment,
    /// When it last took something, or was given something.
    pub(super) last_delivery: Moment,
    /// The latest delivery that held an event.
    pub(super) last_event: Moment,
    /// When the credential ends: on the clock, and when that will be if the clock does not jump.
    pub(super) expiry: Option<(Timestamp, Moment)>,
    pub(super) reauth_told: bool,
    /// The deadline in force; others in the heap are outdated.
    pub(super) deadline: Option<Moment>,
    /// When a drain asks it to leave.
    pub(super) leave_at: Option<Moment>,
    /// Said as soon as the sink has room, then the connection ends.
    pub(super) farewell: Option<Farewell>,
}

impl<S> Connection<S> {
    pub(super) fn events_max(&self) -> usize {
        match self.mode {
            Mode::Stream { .. } => usize::MAX,
            // A page of none would ask for more without end.
            Mode::Page { events_max, .. } => events_max.max(1),
        }
    }

    pub(super) fn is_page(&self) -> bool {
        matches!(self.mode, Mode::Page { .. })
    }
}

impl<S: Sink> Connection<S> {
    /// Whether it has taken nothing of what waits for it in this time.
    pub(super) fn is_slow(&self, now: Moment, slow_reader_ms: u64) -> bool {
        !self.sink.is_free() && now.ms_since(self.last_delivery) >= slow_reader_ms
    }
}
