//! Lookups: one event, one topic.

use std::sync::Arc;

use tidings_core::audience::Key;
use tidings_core::event::Event;
use tidings_core::id::EventId;
use tidings_core::identity::Identity;
use tidings_core::port::ReadError;
use tidings_core::position::Position;
use tidings_core::scope::{Scope, Selector};
use tidings_core::start::{Resumed, resume};
use tidings_core::topic::Topic;
use tokio::sync::oneshot;

use crate::hub::Hub;
use crate::inbox::Command;

/// How somebody names an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventName {
    /// By its publisher's id; the newest, if several publishers used it.
    Id(EventId),
    /// By its cursor.
    Position(Position),
}

/// What is known of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicState {
    /// The oldest event that is held.
    pub earliest: Option<Position>,
    /// The newest event that is held.
    pub head: Option<Position>,
    /// How many connections read it now.
    pub subscribers: u64,
}

impl Hub {
    /// One event, if the identity may read it: an unknown one and a forbidden one look the same.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is changed.
    pub async fn event(
        &self,
        identity: &Identity,
        name: EventName,
    ) -> Result<Option<Arc<Event>>, ReadError> {
        let granted = identity.grants.subscribe.iter().cloned().map(Selector::of);
        let audience = identity.audience_keys().map(Selector::Key);
        let scope = Scope::new(granted.chain(audience).collect());
        let lineage = self.inner.ports.sequencer.lineage();
        self.inner
            .threads
            .readers
            .ask(move |store| match name {
                EventName::Id(id) => store.by_id(&scope, &id),
                EventName::Position(position) => {
                    match resume(position, &lineage, store.bounds().end) {
                        Resumed::After(offset) if lineage.position(offset) == position => {
                            store.at(&scope, offset)
                        }
                        Resumed::After(_) | Resumed::Gap(_) | Resumed::Unknown => Ok(None),
                    }
                }
            })
            .await
    }

    /// What is known of a topic. Whether the asker may know is the caller's business.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is changed.
    pub async fn topic(&self, topic: &Topic) -> Result<TopicState, ReadError> {
        let key = Key::Topic(topic.clone());
        let subscribers = self.readers_of(&key).await;
        let extent = self
            .inner
            .threads
            .readers
            .ask(move |store| store.extent(&key))
            .await?;
        Ok(TopicState {
            earliest: extent.map(|extent| self.position(extent.earliest)),
            head: extent.map(|extent| self.position(extent.head)),
            subscribers,
        })
    }

    async fn readers_of(&self, key: &Key) -> u64 {
        let mut sum = 0;
        for inbox in &self.inner.threads.inboxes {
            let (answer, counted) = oneshot::channel();
            if inbox
                .command(Command::ReadersBy(Selector::Key(key.clone()), answer))
                .is_ok()
            {
                sum += counted.await.unwrap_or(0) as u64;
            }
        }
        sum
    }
}
