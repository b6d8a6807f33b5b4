//! Seats: a connection's place at a shard, from when the shard is chosen until nobody reads any more.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tidings_core::shard::{ConnectionId, Registered};

use crate::inbox::Inbox;

/// A connection's share in the load of a shard, from when the shard is chosen.
#[derive(Debug)]
pub(crate) struct Seat(Arc<Inbox>);

impl Seat {
    pub(crate) fn take(inbox: &Arc<Inbox>) -> Self {
        inbox.load.fetch_add(1, Ordering::Relaxed);
        Self(inbox.clone())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.load.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A registered connection. Tells the shard that its reader is gone, whenever and wherever it is
/// dropped: also on the way to a reader that no longer waits for it.
#[derive(Debug)]
pub(crate) struct Registration {
    inbox: Arc<Inbox>,
    registered: Registered,
}

impl Registration {
    pub(crate) fn new(inbox: Arc<Inbox>, registered: Registered) -> Self {
        Self { inbox, registered }
    }

    /// The connection's public id.
    pub(crate) fn id(&self) -> ConnectionId {
        self.registered.id
    }

    /// Tells the shard that its reader has taken what it was given.
    pub(crate) fn drained(&self) {
        self.inbox.drained(self.registered.key);
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.inbox.left(self.registered.key);
    }
}
