//! The states of connections, derived from what happened to them.
//!
//! No state is stored, so nothing has to be kept in step: each is a question about what a connection
//! keeps anyway. [`ConnectionState`] says when each of them holds; the first that does, in the order
//! `disconnecting`, `stale`, `connecting`, `idle`, `connected`, is the state.

use crate::delivery::Sink;
use crate::limits::{IDLE_AFTER_MS, STALE_PART_OF_SLOW};
use crate::shard::Shard;
use crate::shard::connection::Connection;
use crate::time::Moment;

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConnectionState {
    /// A stream whose greeting its transport has not taken yet. A page has none, and is never this.
    Connecting,
    /// Taking what it is given, an event within the last minute among it; or new.
    Connected,
    /// As above, but there was no event for it for a minute. The next one ends this.
    Idle,
    /// For half of the time after which it is given up it has taken nothing of what it was given.
    /// The next byte that it takes ends this.
    Stale,
    /// It has been told to go, or is about to be in a drain. Nothing ends this but its end.
    Disconnecting,
}

impl ConnectionState {
    /// All states.
    pub const ALL: [Self; 5] = [
        Self::Connecting,
        Self::Connected,
        Self::Idle,
        Self::Stale,
        Self::Disconnecting,
    ];

    /// The word for people and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Idle => "idle",
            Self::Stale => "stale",
            Self::Disconnecting => "disconnecting",
        }
    }

    /// The state of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// How a connection is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// As a stream.
    Stream,
    /// As one page, which may be waited for.
    Page,
}

impl Transport {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Stream, Self::Page];

    /// The word for people and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stream => "sse",
            Self::Page => "poll",
        }
    }
}

/// How many connections there are of each transport and state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Census([[u64; ConnectionState::ALL.len()]; Transport::ALL.len()]);

impl Census {
    /// Those of one transport in one state.
    pub fn of(&self, transport: Transport, state: ConnectionState) -> u64 {
        let states = self.0.get(transport as usize);
        states
            .and_then(|states| states.get(state as usize))
            .copied()
            .unwrap_or(0)
    }

    /// Those in one state.
    pub fn in_state(&self, state: ConnectionState) -> u64 {
        Transport::ALL
            .map(|transport| self.of(transport, state))
            .iter()
            .sum()
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.0.as_flattened().iter().sum()
    }

    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: &Self) {
        for (sum, count) in self
            .0
            .as_flattened_mut()
            .iter_mut()
            .zip(other.0.as_flattened())
        {
            *sum += count;
        }
    }

    pub(super) fn count(&mut self, transport: Transport, state: ConnectionState) {
        let states = self.0.get_mut(transport as usize);
        if let Some(count) = states.and_then(|states| states.get_mut(state as usize)) {
            *count += 1;
        }
    }
}

impl<S: Sink> Shard<S> {
    /// What a connection is doing.
    pub(super) fn state(&self, connection: &Connection<S>, now: Moment) -> ConnectionState {
        let stale_ms = self.options.slow_reader_ms / STALE_PART_OF_SLOW;
        if connection.has_farewell() || connection.leave_at().is_some() {
            ConnectionState::Disconnecting
        } else if connection.is_slow(now, stale_ms) {
            ConnectionState::Stale
        } else if !connection.greeted && !connection.is_page() {
            ConnectionState::Connecting
        } else if connection.last_event.is_past(now, IDLE_AFTER_MS) {
            ConnectionState::Idle
        } else {
            ConnectionState::Connected
        }
    }
}
