//! What a stream's handler and the server agree on: that the shard writes to the socket itself.

use std::fmt;
use std::net;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tidings_core::shard::ConnectionId;
use tidings_hub::{Framing, Unattached};

/// In a request: its socket can be had.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Offer(pub(crate) Framing);

/// In a response: a stream that wants the socket. Dropping it gives its place back.
#[derive(Clone)]
pub(crate) struct TakeOver {
    // Extensions can be cloned, a connection cannot.
    stream: Arc<Mutex<Option<(Unattached, Opened)>>>,
    framing: Framing,
}

/// What is done once the stream is registered.
type Opened = Box<dyn FnOnce(ConnectionId) + Send>;

impl TakeOver {
    pub(crate) fn new(
        unattached: Unattached,
        framing: Framing,
        opened: impl FnOnce(ConnectionId) + Send + 'static,
    ) -> Self {
        let opened: Opened = Box::new(opened);
        Self {
            stream: Arc::new(Mutex::new(Some((unattached, opened)))),
            framing,
        }
    }

    pub(crate) fn framing(&self) -> Framing {
        self.framing
    }

    /// Hands the socket to the stream's shard, once.
    pub(crate) fn attach(&self, socket: net::TcpStream, head: Bytes) {
        let stream = match self.stream.lock() {
            Ok(mut stream) => stream.take(),
            Err(poisoned) => poisoned.into_inner().take(),
        };
        if let Some((unattached, opened)) = stream {
            unattached.attach(socket, head, opened);
        }
    }
}

impl fmt::Debug for TakeOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TakeOver")
            .field("framing", &self.framing)
            .finish_non_exhaustive()
    }
}
