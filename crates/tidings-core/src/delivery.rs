//! Deliveries and sinks: how a shard hands bytes over without knowing a transport.

use bytes::Bytes;

use crate::gap::Gap;
use crate::position::Position;

/// What is handed to one connection at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Encoded events and control events, shared with other connections where they are the same.
    pub bytes: Bytes,
    /// How many events the bytes hold.
    pub events: usize,
    /// Everything up to here has been considered for this reader, these bytes included.
    pub cursor: Position,
    /// In a page: what is missing before its first event. A stream has it in its bytes.
    pub gap: Option<Gap>,
    /// In a page: whether there is more to read now.
    pub more: bool,
    /// Whether nothing follows.
    pub last: bool,
}

/// The transport's end of a connection: room for one delivery at a time.
pub trait Sink {
    /// Whether it has room.
    fn is_free(&self) -> bool;

    /// Takes a delivery. Called only when it has room; whoever empties it tells the shard, which
    /// calls [`Shard::drained`](crate::shard::Shard::drained).
    fn deliver(&mut self, delivery: Delivery);
}
