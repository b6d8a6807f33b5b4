//! Deadlines of a shard: at most one per connection is in force.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::shard::connection::ConnectionKey;
use crate::time::Moment;

/// Deadlines by time. An entry that its connection has replaced stays until it comes up, and is then
/// recognised as outdated by whoever takes it.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    heap: BinaryHeap<Reverse<(Moment, ConnectionKey)>>,
}

impl Deadlines {
    pub(super) fn set(&mut self, at: Moment, key: ConnectionKey) {
        self.heap.push(Reverse((at, key)));
    }

    /// How many there are, outdated ones among them.
    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }

    /// Lets go of those that are outdated.
    pub(super) fn retain(&mut self, is_in_force: impl Fn(Moment, ConnectionKey) -> bool) {
        self.heap
            .retain(|Reverse((at, key))| is_in_force(*at, *key));
    }

    pub(super) fn next(&self) -> Option<Moment> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// The next entry that has come up.
    pub(super) fn due(&mut self, now: Moment) -> Option<(Moment, ConnectionKey)> {
        self.next().filter(|at| *at <= now)?;
        self.heap.pop().map(|Reverse(entry)| entry)
    }
}
