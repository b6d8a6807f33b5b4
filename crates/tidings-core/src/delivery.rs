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

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is on its way, and there is room for the next.
    Free,
    /// It waits, or a part of it does. Whoever takes it tells the shard, which calls
    /// [`Shard::drained`](crate::shard::Shard::drained).
    Full,
    /// There is nobody to take it, now or later.
    Gone,
}

/// The transport's end of a connection: room for one delivery at a time.
pub trait Sink {
    /// Whether it has room.
    fn is_free(&self) -> bool;

    /// Takes a delivery. Called only when it has room.
    fn deliver(&mut self, delivery: Delivery) -> Taken;

    /// Says a last word behind what waits to be taken, if that is possible without waiting: the
    /// connection ends whether or not it is heard. Called only when there is no room.
    fn cut_short(&mut self, last: Bytes);
}
