//! Asking a shard something.

use tidings_core::shard::ConnectionId;
use tokio::sync::oneshot;

use crate::hub::Hub;
use crate::inbox::Command;

/// A shard was not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotAsked {
    /// There is none, or it has ended and its connections with it.
    Gone,
    /// It has too much to do.
    Busy,
}

impl Hub {
    /// Asks, and waits for the answer. Which node the id names is for the shard to find out.
    pub(crate) async fn ask_shard_of<T>(
        &self,
        id: ConnectionId,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, NotAsked> {
        self.ask_shard(usize::from(id.shard()), command).await
    }

    /// Asks the shard of a number, and waits for the answer.
    pub(crate) async fn ask_shard<T>(
        &self,
        shard: usize,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, NotAsked> {
        let inboxes = &self.inner.threads.inboxes;
        let inbox = inboxes.get(shard).ok_or(NotAsked::Gone)?;
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
