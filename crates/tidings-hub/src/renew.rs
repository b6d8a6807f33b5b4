//! Changing a live stream: another credential behind it, or another subscription.
//!
//! What is granted of a subscription is worked out by the caller's task and not by the shard, which
//! must not wait for a hundred patterns against as many grants. The shard applies it only if what it
//! was worked out from is still so.

use tidings_core::holder::Holder;
use tidings_core::identity::Identity;
use tidings_core::pattern::Pattern;
use tidings_core::position::Position;
use tidings_core::shard::{ConnectionId, Rescope, RescopeRefused};
use tidings_core::subscription::{Authorised, SubscribeRefused, SubscriptionChange};
use tidings_core::time::Timestamp;

use crate::ask::NotAsked;
use crate::hub::Hub;
use crate::inbox::Command;
use crate::limits::{BUSY_RETRY_MS, RENEWAL_TRIES_MAX};

/// What has become of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewed {
    /// The change takes effect here: what the stream told up to this position is as it was read
    /// before. Before a `since=last` snapshot is complete it is no place to come back to.
    pub cursor: Position,
    /// When the credential behind it ends now.
    pub expires_at: Option<Timestamp>,
    /// The granted part of what is asked, if it is less.
    pub narrowed: Option<Vec<Pattern>>,
}

/// Why a stream was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenewError {
    /// There is no such stream, or it is another's, or nobody's.
    #[error("there is no such stream of this identity")]
    NotFound,
    /// The credential was revoked since it was proven.
    #[error("the credential has been revoked")]
    Revoked,
    /// None of the topics is granted. If they are those that the stream asked for before, it ends.
    #[error("no grant allows reading any of the requested topics")]
    NotGranted(Vec<Pattern>),
    /// Neither topics nor the audience.
    #[error("the subscription selects nothing")]
    SelectsNothing,
    /// What is asked for comes to so many patterns that are granted. The stream stays as it is.
    #[error(transparent)]
    TooManyPatterns(SubscribeRefused),
    /// The shard has too much to do, or the stream is changed by others all the time.
    #[error("the hub is busy")]
    Busy {
        /// When trying again makes sense.
        retry_after_ms: u64,
    },
}

impl From<SubscribeRefused> for RenewError {
    fn from(refused: SubscribeRefused) -> Self {
        match refused {
            SubscribeRefused::NotGranted(patterns) => Self::NotGranted(patterns),
            SubscribeRefused::Nothing => Self::SelectsNothing,
            too_many @ SubscribeRefused::TooMany(_) => Self::TooManyPatterns(too_many),
        }
    }
}

impl From<NotAsked> for RenewError {
    fn from(not_asked: NotAsked) -> Self {
        match not_asked {
            NotAsked::Gone => Self::NotFound,
            NotAsked::Busy => BUSY,
        }
    }
}

const BUSY: RenewError = RenewError::Busy {
    retry_after_ms: BUSY_RETRY_MS,
};

impl Hub {
    /// Puts another credential of the same subject behind a stream: from the cursor of the answer on
    /// it reads what that grants of what it asked for, and it ends when that ends. If nothing of what
    /// it asked for is granted, it ends now; if that comes to too many patterns, it stays as it is,
    /// with the credential that it has. Whether the credential serves for this is the caller's
    /// business.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the stream is changed as a whole or not at all.
    pub async fn renew(
        &self,
        id: ConnectionId,
        identity: &Identity,
    ) -> Result<Renewed, RenewError> {
        self.rescope(id, identity, None).await
    }

    /// Has a stream ask for something else, with the credential of this request behind it from now
    /// on; what the change leaves out stays as it is. If nothing of what it comes to is granted, the
    /// stream stays as it is.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the stream is changed as a whole or not at all.
    pub async fn resubscribe(
        &self,
        id: ConnectionId,
        identity: &Identity,
        change: impl Into<SubscriptionChange>,
    ) -> Result<Renewed, RenewError> {
        self.rescope(id, identity, Some(change.into())).await
    }

    async fn rescope(
        &self,
        id: ConnectionId,
        identity: &Identity,
        change: Option<SubscriptionChange>,
    ) -> Result<Renewed, RenewError> {
        let subject = identity.subject.as_ref().ok_or(RenewError::NotFound)?;
        for _ in 0..RENEWAL_TRIES_MAX {
            let ask = |answer| Command::Asked(id, subject.clone(), answer);
            let asked_before = self.ask_shard_of(id, ask).await?;
            let asked_before = asked_before.ok_or(RenewError::NotFound)?;
            let asked = match &change {
                Some(change) => change.apply(&asked_before),
                None => asked_before.clone(),
            };
            let authorised = match asked.authorise(identity) {
                Err(refused) if change.is_some() => return Err(refused.into()),
                // Nothing is taken from whoever is granted too much at once.
                Err(refused @ SubscribeRefused::TooMany(_)) => return Err(refused.into()),
                authorised => authorised,
            };
            let rescope = Rescope {
                holder: Holder::of(identity),
                expires_at: identity.expires_at,
                asked_before,
                asked,
                authorised: authorised.clone().ok(),
            };
            let ask = |answer| Command::Rescope(id, Box::new(rescope), answer);
            match (self.ask_shard_of(id, ask).await?, authorised) {
                (Ok(rescoped), Ok(Authorised { narrowed, .. })) => {
                    return Ok(Renewed {
                        cursor: rescoped.cursor,
                        expires_at: identity.expires_at,
                        narrowed,
                    });
                }
                (Err(RescopeRefused::Outdated), _) => {}
                (Err(RescopeRefused::Revoked), _) => return Err(RenewError::Revoked),
                (Err(RescopeRefused::NotGranted), Err(refused)) => return Err(refused.into()),
                _ => return Err(RenewError::NotFound),
            }
        }
        Err(BUSY)
    }
}
