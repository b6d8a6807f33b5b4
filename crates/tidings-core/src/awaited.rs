//! Readers that somebody waits for: before an event is published, or to learn that a topic is read.

use std::time::Duration;

use crate::audience::{Audience, Key};
use crate::event::Content;
use crate::event_type::{EventType, TypeFilter};
use crate::limits::{READER_WAIT_MS_MAX, READERS_AWAITED_MAX};
use crate::priority::Priority;
use crate::topic::Topic;

/// For how many readers to wait, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReaderWait {
    readers: u64,
    patience: Duration,
}

/// The wait is beyond its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReaderWaitError {
    /// No readers, or more than anybody waits for.
    #[error("expected 1 to {READERS_AWAITED_MAX} subscribers, found {0}")]
    Readers(u64),
    /// Longer than clients and proxies wait for an answer.
    #[error("expected a wait of at most {} s", READER_WAIT_MS_MAX / 1_000)]
    TooLong,
}

impl ReaderWait {
    /// A wait within its limits.
    pub fn new(readers: u64, patience: Duration) -> Result<Self, ReaderWaitError> {
        if readers == 0 || readers > READERS_AWAITED_MAX {
            return Err(ReaderWaitError::Readers(readers));
        }
        if patience > Duration::from_millis(READER_WAIT_MS_MAX) {
            return Err(ReaderWaitError::TooLong);
        }
        Ok(Self { readers, patience })
    }

    /// How many readers are enough.
    pub fn readers(self) -> u64 {
        self.readers
    }

    /// How long to wait for them.
    pub fn patience(self) -> Duration {
        self.patience
    }

    /// The same wait, but no longer than this.
    #[must_use]
    pub fn within(self, most: Duration) -> Self {
        Self {
            patience: self.patience.min(most),
            ..self
        }
    }
}

/// Who counts as a reader: connections that an event like this would match.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Awaited {
    audience: Audience,
    /// The type that a reader's filter must let pass; none if no filter holds the event back.
    event_type: Option<EventType>,
}

impl Awaited {
    /// Readers of an event.
    pub fn by_event(content: &Content) -> Self {
        let passes_filters = content.priority == Priority::Critical;
        Self {
            audience: content.audience.clone(),
            event_type: (!passes_filters).then(|| content.event_type.clone()),
        }
    }

    /// Readers of a topic, whatever types they filter.
    pub fn of_topic(topic: &Topic) -> Self {
        Self {
            audience: Audience::new(vec![Key::Topic(topic.clone())]),
            event_type: None,
        }
    }

    /// Whom the event is for.
    pub fn audience(&self) -> &Audience {
        &self.audience
    }

    /// Whether a reader's filter lets the event pass.
    pub fn passes(&self, filter: &TypeFilter) -> bool {
        let event_type = self.event_type.as_ref();
        event_type.is_none_or(|event_type| filter.matches(event_type))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_has_limits() {
        let longest = Duration::from_millis(READER_WAIT_MS_MAX);
        let wait = ReaderWait::new(READERS_AWAITED_MAX, longest).expect("the largest");
        assert_eq!(
            (wait.readers(), wait.patience()),
            (READERS_AWAITED_MAX, longest)
        );
        assert_eq!(wait.within(Duration::ZERO).patience(), Duration::ZERO);
        assert_eq!(
            ReaderWait::new(0, longest),
            Err(ReaderWaitError::Readers(0))
        );
        let many = READERS_AWAITED_MAX + 1;
        assert_eq!(
            ReaderWait::new(many, longest),
            Err(ReaderWaitError::Readers(many))
        );
        let longer = longest + Duration::from_millis(1);
        assert_eq!(ReaderWait::new(1, longer), Err(ReaderWaitError::TooLong));
    }
}
