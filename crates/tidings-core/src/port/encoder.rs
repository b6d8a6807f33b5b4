//! The encoder port: how the hub gets bytes without knowing a protocol.

use crate::event::Event;
use crate::gap::Gap;
use crate::pattern::Pattern;
use crate::position::Position;
use crate::start::Replay;
use crate::time::Timestamp;

/// A way to write events as bytes: one frame shape of one transport. A small index that the encoder
/// hands out; the window keeps one encoded text per shape in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape(pub u8);

impl Shape {
    /// How many shapes there may be.
    pub const COUNT_MAX: usize = 4;
}

/// How the hub speaks in a stream: how it greets, gives signs of life and takes its leave. A small
/// index that the encoder hands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Voice(pub u8);

/// The first word on a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The connection's public name.
    pub connection_id: String,
    /// Where it starts.
    pub cursor: Position,
    /// Whether the block may carry the cursor as its id: not if a gap or a snapshot follows.
    pub cursor_is_told: bool,
    /// The newest position its shard knows.
    pub head: Position,
    /// Whether it gets what it asked for.
    pub replay: Replay,
    /// What it may read, if less than it asked for.
    pub narrowed: Option<Vec<Pattern>>,
    /// How often a sign of life comes.
    pub heartbeat_ms: u64,
    /// When its credential ends.
    pub expires_at: Option<Timestamp>,
    /// Wall-clock time at the hub.
    pub server_time: Timestamp,
}

/// The last word on a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Farewell {
    /// A stable word: `drain`, `slow_reader`, `log_failed`, `credential_expired`,
    /// `credential_revoked`, `not_granted`, `disconnected`.
    pub code: &'static str,
    /// For people.
    pub reason: String,
    /// When to come back; never, if none.
    pub retry_after_ms: Option<u64>,
    /// Over how long all those told so should spread.
    pub spread_ms: u64,
    /// This connection's own share of the spread, for clients that obey `retry:` alone.
    pub retry_ms: Option<u64>,
}

/// What the hub itself says in a stream, each stream in its own voice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// Always first.
    Hello(Hello),
    /// A sign of life, with the position through which everything has been told.
    Ping {
        /// Everything up to here is in the stream.
        cursor: Position,
        /// Wall-clock time at the hub.
        time: Timestamp,
    },
    /// The credential is about to end.
    Reauth {
        /// When.
        expires_at: Timestamp,
    },
    /// Always last.
    Bye {
        /// Everything up to here is in the stream; none if a snapshot that was to come is not.
        cursor: Option<Position>,
        /// Why, and when to come back.
        farewell: Farewell,
    },
}

/// Writes events and control events as bytes.
///
/// Duties: the bytes of an event depend on nothing but the event, the shape and the id, so that all
/// connections can share them; writing cannot fail.
pub trait Encoder: Send + Sync + std::fmt::Debug {
    /// Appends an event. `told` is the position through which the stream has told everything once
    /// this event is written; none inside a snapshot, where no such position exists.
    fn event(&self, shape: Shape, event: &Event, told: Option<Position>, out: &mut Vec<u8>);

    /// Appends the word that something is missing, which is the same in every voice, so that readers
    /// of what lies behind the window can share it.
    fn gap(&self, gap: &Gap, out: &mut Vec<u8>);

    /// Appends what the hub says to one connection.
    fn control(&self, voice: Voice, control: &Control, out: &mut Vec<u8>);
}
