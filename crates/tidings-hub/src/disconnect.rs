//! Disconnecting one connection, as an operator does.

use tidings_core::shard::{ConnectionId, DisconnectReason};

use crate::ask::NotAsked;
use crate::hub::Hub;
use crate::inbox::Command;
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

impl Hub {
    /// Tells the connection of an id to go, for a reason that its reader is told; one that takes
    /// nothing is cut after a second. Returns whether there is such a connection at this node.
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
}
