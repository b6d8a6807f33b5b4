//! A publish between its check and its commit: it is granted, and may wait for readers first.

use tidings_core::awaited::{Awaited, ReaderWait};
use tidings_core::event::Content;
use tidings_core::identity::Identity;

use crate::hub::Hub;
use crate::publish::{PublishError, Published};

/// A group that may be published. It is not, unless it is committed; a drain that begins meanwhile does
/// not refuse it.
#[derive(Debug)]
#[must_use = "nothing is published before the commit"]
pub struct Admitted<'a> {
    hub: &'a Hub,
    identity: &'a Identity,
    group: Vec<Content>,
}

impl Hub {
    /// Checks whether an identity may publish a group now: all of its events or none, next to each
    /// other.
    pub fn admit<'a>(
        &'a self,
        identity: &'a Identity,
        group: Vec<Content>,
    ) -> Result<Admitted<'a>, PublishError> {
        self.counted(self.check(identity, &group))?;
        Ok(Admitted {
            hub: self,
            identity,
            group,
        })
    }
}

impl Admitted<'_> {
    /// Waits until each event that waits has its readers at this node, as long as the most patient of
    /// them does; or until the hub drains. What is said for an event stands at its place in the group.
    ///
    /// # Errors
    ///
    /// Too many wait already. Time that is over is no error: the group is published either way.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is published, and nobody waits any more.
    pub async fn until_read(&self, waits: &[Option<ReaderWait>]) -> Result<(), PublishError> {
        let waiting = self.group.iter().zip(waits);
        let waiting = waiting.filter_map(|(content, wait)| Some((content, (*wait)?)));
        let patience = waiting.clone().map(|(_, wait)| wait.patience()).max();
        let Some(patience) = patience else {
            return Ok(());
        };
        let wanted = waiting.map(|(content, wait)| (Awaited::by_event(content), wait.readers()));
        let outcome = self.hub.until_read(wanted.collect(), patience).await;
        self.hub.counted(outcome.map_err(PublishError::from))
    }

    /// Publishes the group.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future does not take the group back: it may be committed all the same.
    pub async fn commit(self) -> Result<Vec<Published>, PublishError> {
        let committed = self.hub.commit(self.identity, self.group).await;
        self.hub.counted(committed)
    }
}
