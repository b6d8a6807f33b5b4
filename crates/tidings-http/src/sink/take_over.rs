//! What a stream's handler and the server agree on: that the shard writes to the socket itself.

use std::sync::{Arc, Mutex};

use tidings_hub::{Framing, Unattached};

/// In a request: its socket can be had.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Offer(pub(crate) Framing);

/// In a response: a registered connection that wants the socket. Dropping it closes the connection.
#[derive(Debug, Clone)]
pub(crate) struct TakeOver {
    // Extensions can be cloned, a connection cannot.
    unattached: Arc<Mutex<Option<Unattached>>>,
    framing: Framing,
}

impl TakeOver {
    pub(crate) fn new(unattached: Unattached, framing: Framing) -> Self {
        Self {
            unattached: Arc::new(Mutex::new(Some(unattached))),
            framing,
        }
    }

    pub(crate) fn framing(&self) -> Framing {
        self.framing
    }

    /// The connection, once.
    pub(crate) fn take(&self) -> Option<Unattached> {
        let mut unattached = self.unattached.lock();
        unattached
            .as_mut()
            .unwrap_or_else(|poisoned| poisoned.get_mut())
            .take()
    }
}
