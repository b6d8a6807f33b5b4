//! Tickets: random secrets, each of which opens one stream within half a minute.
//!
//! A browser's `EventSource` sends no header, so what opens its stream stands in the address and
//! may end up in a log. A ticket may: by the time somebody reads it there, it is used up.
//!
//! The shared store keeps a ticket under its SHA-256. Two hashes are never compared: the store finds
//! one or it does not, and whoever measures how long that takes learns something about the hash of a
//! text that they chose, which leads to no other.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use tidings_core::identity::Identity;
use tidings_core::pattern::Pattern;
use tidings_core::port::{AuthFailure, Presented, Purpose, SharedStore, StoreError};
use tidings_core::time::Timestamp;
use zeroize::Zeroizing;

mod content;

use content::Content;

use crate::limits::{TICKET_CONTENT_BYTES_MAX, TICKET_LIFETIME_MS};
use crate::provider::{ProofFuture, Proven, Provider};
use crate::reading::{NotForReading, Reader};

/// 256 bits: nobody finds one by trying.
const TICKET_BYTES: usize = 32;

/// Issues tickets, and takes them as a provider. Cloning gives another handle to the same.
#[derive(Debug, Clone)]
pub struct Tickets {
    store: Arc<dyn SharedStore>,
}

/// What a ticket shall be bound to besides its identity.
#[derive(Debug, Clone, Default)]
pub struct TicketRequest {
    /// The `Origin` of the page that may use it; none for any.
    pub origin: Option<String>,
    /// What may be read with it, of what the identity may read; none for all of that.
    pub patterns: Option<Vec<Pattern>>,
}

/// A new ticket: the only time that its text is seen.
pub struct Ticket {
    /// When it can no longer be used. What it opened goes on.
    pub expires_at: Timestamp,
    text: Zeroizing<String>,
}

/// Why there is no ticket.
#[derive(Debug, thiserror::Error)]
pub enum TicketError {
    /// Not for this identity, or not for what it asks for.
    #[error(transparent)]
    NotForReading(#[from] NotForReading),
    /// Roles and patterns are too many to keep.
    #[error("the ticket would stand for more than {TICKET_CONTENT_BYTES_MAX} bytes")]
    TooLarge,
    /// The store does not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system has no randomness.
    #[error("the system gives no random bytes: {0}")]
    Randomness(getrandom::Error),
}

impl Tickets {
    /// An office whose tickets are kept in this store.
    pub fn new(store: Arc<dyn SharedStore>) -> Self {
        Self { store }
    }

    /// Issues a ticket for what an identity may read.
    ///
    /// # Cancel safety
    ///
    /// A dropped call may leave a ticket behind that nobody knows.
    pub async fn issue(
        &self,
        identity: &Identity,
        request: TicketRequest,
        now: Timestamp,
    ) -> Result<Ticket, TicketError> {
        let reader = Reader::new(identity, request.patterns.as_deref(), now)?;
        let own_end = now.plus(Duration::from_millis(TICKET_LIFETIME_MS));
        let expires_at = reader.expires_at.map_or(own_end, |end| end.min(own_end));
        let content = Content {
            reader,
            origin: request.origin,
        };
        let content = content.to_bytes();
        if content.len() > TICKET_CONTENT_BYTES_MAX {
            return Err(TicketError::TooLarge);
        }
        let mut secret = Zeroizing::new([0_u8; TICKET_BYTES]);
        getrandom::fill(&mut *secret).map_err(TicketError::Randomness)?;
        let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(*secret));
        let put = self
            .store
            .put_ticket(hash(&secret), content.into(), expires_at, now);
        put.await?;
        Ok(Ticket { expires_at, text })
    }

    async fn redeem(&self, presented: &Presented<'_>) -> Result<Option<Proven>, AuthFailure> {
        let Some(text) = presented.ticket else {
            return Ok(None);
        };
        // Before it is used up: whoever sent it to the wrong place can still use it.
        if presented.purpose != Purpose::Read {
            let purpose = "a ticket opens a stream and nothing else";
            return Err(AuthFailure::NotForThis(purpose));
        }
        // Ended, used up, never issued, another page's: whoever tries tickets learns nothing.
        let secret = read(text).ok_or(AuthFailure::Unknown)?;
        let taken = self.store.take_ticket(hash(&secret), presented.now).await;
        let taken = taken.map_err(|_| AuthFailure::Unavailable)?;
        let content = taken.and_then(|bytes| Content::from_bytes(&bytes));
        let content = content.ok_or(AuthFailure::Unknown)?;
        if let Some(origin) = &content.origin
            && presented.header("origin") != Some(origin.as_bytes())
        {
            return Err(AuthFailure::Unknown);
        }
        Ok(Some(content.reader.proven()))
    }
}

fn hash(secret: &[u8; TICKET_BYTES]) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// The secret of a text, which has exactly one spelling.
fn read(text: &str) -> Option<Zeroizing<[u8; TICKET_BYTES]>> {
    let mut secret = Zeroizing::new([0; TICKET_BYTES]);
    let written = URL_SAFE_NO_PAD.decode_slice(text, &mut *secret).ok()?;
    (written == TICKET_BYTES).then_some(secret)
}

impl Provider for Tickets {
    fn name(&self) -> &'static str {
        "ticket"
    }

    fn prove<'a>(&'a self, presented: Presented<'a>) -> ProofFuture<'a> {
        Box::pin(async move { self.redeem(&presented).await })
    }
}

impl Ticket {
    /// The whole ticket, for whoever it is issued to.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
