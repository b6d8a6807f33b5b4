//! The states of connections, derived from what happened to them.

use crate::audience::Key;
use crate::delivery::Sink;
use crate::shard::Shard;
use crate::shard::connection::Connection;
use crate::time::Moment;

/// No event for this long makes a connection idle.
const IDLE_AFTER_MS: u64 = 60_000;

/// A sink that has been full for this long makes a connection stale.
const STALE_AFTER_MS: u64 = 10_000;

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConnectionState {
    /// Registered; its first word is on the way.
    Connecting,
    /// Taking events.
    Connected,
    /// Well, but there was nothing for it for a while.
    Idle,
    /// It does not take what it is given.
    Stale,
    /// It has been told to go.
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
}

/// How many connections are in each state, in the order of [`ConnectionState::ALL`].
pub type Census = [u64; ConnectionState::ALL.len()];

impl<S: Sink> Shard<S> {
    /// Counts connections by state.
    pub fn census(&self, now: Moment) -> Census {
        let mut census = Census::default();
        for connection in self.connections.iter() {
            if let Some(count) = census.get_mut(state(connection, now) as usize) {
                *count += 1;
            }
        }
        census
    }

    /// How many connections read a key.
    pub fn readers_of(&self, key: &Key) -> usize {
        self.selectors.readers_of(key, &mut Vec::new())
    }
}

fn state<S: Sink>(connection: &Connection<S>, now: Moment) -> ConnectionState {
    let silent_ms = now.ms_since(connection.last_delivery);
    if connection.has_farewell() || connection.leave_at().is_some() {
        ConnectionState::Disconnecting
    } else if !connection.sink.is_free() && silent_ms >= STALE_AFTER_MS {
        ConnectionState::Stale
    } else if !connection.greeted && !connection.is_page() {
        ConnectionState::Connecting
    } else if now.ms_since(connection.last_event) >= IDLE_AFTER_MS {
        ConnectionState::Idle
    } else {
        ConnectionState::Connected
    }
}
