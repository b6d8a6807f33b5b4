//! Publishing: authorise, fingerprint, hand to the log, wait until it is durable, count readers.

use std::sync::atomic::Ordering;

use tidings_core::audience::{Audience, Key};
use tidings_core::event::{Content, Draft};
use tidings_core::identity::Identity;
use tidings_core::limits::{GROUP_BYTES_MAX, GROUP_EVENTS_MAX};
use tidings_core::port::{AppendError, Appended};
use tidings_core::position::Position;
use tidings_core::time::Timestamp;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::fingerprint::fingerprint;
use crate::hub::Hub;
use crate::limits::LINES_PER_GROUP_MAX;
use crate::waits::TooManyWaits;

/// What a publisher is told of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The publisher's id, else the cursor.
    pub id: String,
    /// Where the event stands.
    pub position: Position,
    /// When it was appended.
    pub timestamp: Timestamp,
    /// How many connections it matched; none if a shard did not count in time, or if nothing was
    /// appended.
    pub subscribers: Option<u64>,
    /// Whether it had been published before, and this time nothing was appended.
    pub duplicate: bool,
}

/// Why a publish failed. Nothing of the group is in the log, but for `OutcomeUnknown`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The publisher may not write to an addressee.
    #[error("publishing to `{key}` is not granted")]
    NotGranted {
        /// Which event of the group.
        index: usize,
        /// Which addressee.
        key: Key,
    },
    /// More events than one group may have.
    #[error("the group has {actual} events where at most {max} are allowed")]
    TooManyEvents {
        /// Events of the group.
        actual: usize,
        /// Events allowed.
        max: usize,
    },
    /// More bytes than one group may have.
    #[error("the group has {actual} bytes where at most {max} are allowed")]
    TooLarge {
        /// Bytes of the group.
        actual: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// The hub is shutting down.
    #[error("the hub is shutting down")]
    Draining,
    /// It was to wait for readers, and too many wait already.
    #[error(transparent)]
    TooManyWaits(#[from] TooManyWaits),
    /// The log did not take it.
    #[error(transparent)]
    Append(#[from] AppendError),
}

impl Hub {
    /// Publishes one atomic group: all events or none, next to each other.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future does not take the group back: it may be committed all the same.
    pub async fn publish(
        &self,
        identity: &Identity,
        group: Vec<Content>,
    ) -> Result<Vec<Published>, PublishError> {
        self.admit(identity, group)?.commit().await
    }

    /// Counts a publish that was refused, or that the log did not take.
    pub(crate) fn counted<T>(&self, outcome: Result<T, PublishError>) -> Result<T, PublishError> {
        if outcome.is_err() {
            let refused = &self.inner.publish_figures.refused;
            refused.fetch_add(1, Ordering::Relaxed);
        }
        outcome
    }

    /// Publishes events in order, each on its own: one outcome per event. Once the log refuses, all
    /// that follow are refused for the same reason, so that a retry of the refused ones keeps their
    /// order.
    ///
    /// # Cancel safety
    ///
    /// As [`publish`](Self::publish), for each event.
    pub async fn publish_each(
        &self,
        identity: &Identity,
        events: Vec<Content>,
    ) -> Vec<Result<Published, PublishError>> {
        let mut outcomes = Vec::with_capacity(events.len());
        let mut refused = None;
        let mut events = events.into_iter().peekable();
        while events.peek().is_some() {
            let mut bytes = 0;
            let mut group = Vec::new();
            while group.len() < LINES_PER_GROUP_MAX {
                let fits = |event: &Content| {
                    group.is_empty() || bytes + event.size_bytes() <= GROUP_BYTES_MAX / 2
                };
                let Some(event) = events.next_if(fits) else {
                    break;
                };
                bytes += event.size_bytes();
                group.push(event);
            }
            self.publish_lines(identity, group, &mut outcomes, &mut refused)
                .await;
        }
        outcomes
    }

    /// Commits separate events with one group; an event that spoils the group is taken out of it,
    /// and the events before it go on their own first, which keeps the order.
    async fn publish_lines(
        &self,
        identity: &Identity,
        lines: Vec<Content>,
        outcomes: &mut Vec<Result<Published, PublishError>>,
        refused: &mut Option<PublishError>,
    ) {
        // What is still to be done, the next on top.
        let mut steps = vec![Step::Commit(lines)];
        while let Some(step) = steps.pop() {
            let mut lines = match step {
                Step::Refuse(error) => {
                    outcomes.push(Err(error));
                    continue;
                }
                Step::Commit(lines) if lines.is_empty() => continue,
                Step::Commit(lines) => lines,
            };
            if let Some(error) = refused {
                outcomes.extend(lines.iter().map(|_| Err(error.clone())));
                continue;
            }
            match self.publish(identity, lines.clone()).await {
                Ok(published) => outcomes.extend(published.into_iter().map(Ok)),
                Err(error) => match error.spoiled_by() {
                    Some((index, alone)) if index < lines.len() => {
                        steps.push(Step::Commit(lines.split_off(index + 1)));
                        let spoiled = lines.split_off(index);
                        // Another line of the group has the id. Once that one is committed, the
                        // log can say where it stands.
                        steps.push(match alone {
                            Some(error) => Step::Refuse(error),
                            None if index > 0 => Step::Commit(spoiled),
                            None => Step::Refuse(error),
                        });
                        steps.push(Step::Commit(lines));
                    }
                    _ => {
                        outcomes.extend(lines.iter().map(|_| Err(error.clone())));
                        *refused = Some(error);
                    }
                },
            }
        }
    }

    /// Whether an identity may publish a group now.
    pub(crate) fn check(&self, identity: &Identity, group: &[Content]) -> Result<(), PublishError> {
        if self.inner.draining.load(Ordering::Relaxed) {
            return Err(PublishError::Draining);
        }
        check_size(group)?;
        for (index, content) in group.iter().enumerate() {
            if let Some(key) = identity.grants.first_refused(&content.audience) {
                return Err(PublishError::NotGranted {
                    index,
                    key: key.clone(),
                });
            }
        }
        Ok(())
    }

    pub(crate) async fn commit(
        &self,
        identity: &Identity,
        group: Vec<Content>,
    ) -> Result<Vec<Published>, PublishError> {
        let ids: Vec<Option<String>> = group
            .iter()
            .map(|event| event.id.as_ref().map(ToString::to_string))
            .collect();
        let audiences = group.iter().map(|event| event.audience.clone());
        let audiences: Vec<Audience> = audiences.collect();
        let sizes: Vec<u64> = group
            .iter()
            .map(|event| event.size_bytes() as u64)
            .collect();
        let drafts = group
            .into_iter()
            .map(|content| Draft {
                dedupe: fingerprint(identity.subject.as_ref(), &content),
                content,
            })
            .collect();
        let (reply, replied) = oneshot::channel();
        self.inner.ports.sequencer.append(
            drafts,
            Box::new(move |outcome| {
                // A publisher that went away does not undo the commit.
                drop(reply.send(outcome));
            }),
        );
        let appended = replied.await.unwrap_or(Err(AppendError::OutcomeUnknown))?;
        let patience = Instant::now() + self.inner.count_wait;
        let mut published = Vec::with_capacity(appended.len());
        let bytes = sizes.iter().zip(&appended);
        let bytes = bytes.filter(|(_, appended)| !appended.duplicate);
        let bytes: u64 = bytes.map(|(bytes, _)| bytes).sum();
        let figure = &self.inner.publish_figures.bytes;
        figure.fetch_add(bytes, Ordering::Relaxed);
        for ((id, audience), appended) in ids.into_iter().zip(audiences).zip(appended) {
            let told = self.tell(id, appended, patience).await;
            if told.subscribers == Some(0) {
                let now = self.inner.ports.clock.moment();
                self.inner.threads.log.unread(&audience, told.position, now);
            }
            published.push(told);
        }
        Ok(published)
    }

    async fn tell(&self, id: Option<String>, appended: Appended, patience: Instant) -> Published {
        let Appended {
            position,
            timestamp,
            duplicate,
        } = appended;
        let figures = &self.inner.publish_figures;
        let figure = if duplicate {
            &figures.duplicate
        } else {
            &figures.published
        };
        figure.fetch_add(1, Ordering::Relaxed);
        let subscribers = if duplicate {
            None
        } else {
            self.inner.tallies.of(position.offset, patience).await
        };
        let id = id.unwrap_or_else(|| position.to_string());
        Published {
            id,
            position,
            timestamp,
            subscribers,
            duplicate,
        }
    }
}

/// A part of publishing separate events.
enum Step {
    /// Commit these together, if none of them spoils it.
    Commit(Vec<Content>),
    /// Answer for one that did.
    Refuse(PublishError),
}

impl PublishError {
    /// Which event alone is at fault, and what would be said of it if it stood alone; nothing, if
    /// that depends on the others.
    fn spoiled_by(&self) -> Option<(usize, Option<Self>)> {
        match self {
            Self::NotGranted { index, key } => {
                let key = key.clone();
                Some((*index, Some(Self::NotGranted { index: 0, key })))
            }
            Self::Append(AppendError::IdReused { index, position }) => {
                let alone = position.is_some().then(|| {
                    let position = *position;
                    AppendError::IdReused { index: 0, position }.into()
                });
                Some((*index, alone))
            }
            Self::TooManyEvents { .. }
            | Self::TooLarge { .. }
            | Self::Draining
            | Self::TooManyWaits(_)
            | Self::Append(_) => None,
        }
    }
}

fn check_size(group: &[Content]) -> Result<(), PublishError> {
    if group.len() > GROUP_EVENTS_MAX {
        return Err(PublishError::TooManyEvents {
            actual: group.len(),
            max: GROUP_EVENTS_MAX,
        });
    }
    let actual: usize = group.iter().map(Content::size_bytes).sum();
    if actual > GROUP_BYTES_MAX {
        return Err(PublishError::TooLarge {
            actual,
            max: GROUP_BYTES_MAX,
        });
    }
    Ok(())
}
