//! Disconnecting one connection, as an operator does.

use std::sync::Arc;

use tidings_core::shard::{ConnectionId, DisconnectReason};
use tokio::sync::oneshot;

use crate::hub::Hub;
use crate::inbox::{Command, Inbox};
use crate::limits::BUSY_RETRY_MS;

/// Why it is not known whether a connection has been told to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DisconnectError {
    /// Its shard has too much to do, and was not asked.
    #[error("the hub is busy")]
    Busy {
        /// When trying again makes sense.
        retry_after_ms: u64,
    },
}

/// A shard was not asked.
pub(crate) enum NotAsked {
    /// There is none, or it has ended and its connections with it.
    Gone,
    /// It has too much to do.
    Busy,
}

impl Hub {
    /// Tells the connection of an id to go, for a reason that its reader is told; it has ended within
    /// two seconds. Returns whether there is such a connection at this node.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the connection may or may not be told.
    pub async fn disconnect(
        &self,
        id: ConnectionId,
        reason: DisconnectReason,
    ) -> Result<bool, DisconnectError> {
        let asked = self.ask_shard_of(id, |answer| Command::Disconnect(id, reason, answer));
        match asked.await {
            Ok(found) => Ok(found),
            Err(NotAsked::Gone) => Ok(false),
            Err(NotAsked::Busy) => Err(DisconnectError::Busy {
                retry_after_ms: BUSY_RETRY_MS,
            }),
        }
    }

    /// Asks the shard of a connection something about it.
    pub(crate) async fn ask_shard_of<T>(
        &self,
        id: ConnectionId,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, NotAsked> {
        let inboxes = &self.inner.threads.inboxes;
        let inbox: &Arc<Inbox> = inboxes.get(usize::from(id.shard())).ok_or(NotAsked::Gone)?;
        let (answer, answered) = oneshot::channel();
        if inbox.command(command(answer)).is_err() {
            return Err(if inbox.is_shut() {
                NotAsked::Gone
            } else {
                NotAsked::Busy
            });
        }
        answered.await.map_err(|_| NotAsked::Gone)
    }
}
