//! Opening a connection: authorise, find the start, register with a shard.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tidings_core::identity::Identity;
use tidings_core::pattern::Pattern;
use tidings_core::port::{ReadError, Shape};
use tidings_core::scope::Scope;
use tidings_core::shard::{Begin, Mode, Opening};
use tidings_core::start::Start;
use tidings_core::subscription::{SubscribeRefused, Subscription};
use tokio::sync::oneshot;

use crate::admission::LimitScope;
use crate::begin::Resolver;
use crate::hub::Hub;
use crate::inbox::{Command, Inbox};
use crate::limits::{BUSY_RETRY_MS, LIMIT_RETRY_MS};
use crate::mailbox::{Reader, Seat, mailbox};

/// A request to read.
#[derive(Debug, Clone)]
pub struct OpenRequest {
    /// Who reads.
    pub identity: Arc<Identity>,
    /// What is asked for.
    pub subscription: Subscription,
    /// Where to start.
    pub start: Start,
    /// Where to start if that means nothing here, such as another hub's cursor.
    pub fallback: Start,
    /// How events are written.
    pub shape: Shape,
    /// A stream or a page.
    pub mode: Mode,
    /// From where the connection comes, for the limit per address.
    pub address: IpAddr,
}

/// Why a connection was not opened.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OpenError {
    /// None of the requested topics is granted.
    #[error("no grant allows reading any of the requested topics")]
    NotGranted(Vec<Pattern>),
    /// Neither topics nor an audience.
    #[error("the subscription selects nothing")]
    SelectsNothing,
    /// A limit of connections is reached.
    #[error("there are too many connections {scope}: at most {max} are allowed")]
    TooManyConnections {
        /// Whose.
        scope: LimitScope,
        /// How many are allowed.
        max: usize,
        /// When trying again makes sense.
        retry_after_ms: u64,
    },
    /// The shard has too much to do.
    #[error("the hub is busy")]
    Busy {
        /// When trying again makes sense.
        retry_after_ms: u64,
    },
    /// The hub is shutting down.
    #[error("the hub is shutting down")]
    Draining,
    /// The start could not be looked up.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl From<SubscribeRefused> for OpenError {
    fn from(refused: SubscribeRefused) -> Self {
        match refused {
            SubscribeRefused::NotGranted(patterns) => Self::NotGranted(patterns),
            SubscribeRefused::Nothing => Self::SelectsNothing,
        }
    }
}

impl Hub {
    /// Opens a connection. Once this returns, its shard has registered it: whatever is published
    /// from then on and matches is delivered.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the connection is closed again.
    pub async fn open(&self, request: OpenRequest) -> Result<Reader, OpenError> {
        if self.inner.draining.load(Ordering::Relaxed) {
            return Err(OpenError::Draining);
        }
        let authorised = request.subscription.authorise(&request.identity)?;
        let subject = &request.identity.subject;
        let admission = self
            .inner
            .gate
            .admit(subject, request.address)
            .map_err(|refused| OpenError::TooManyConnections {
                scope: refused.scope,
                max: refused.max,
                retry_after_ms: LIMIT_RETRY_MS,
            })?;
        let begin = self.resolve(&request, authorised.scope.clone()).await?;
        let narrowed = authorised.narrowed.clone();
        let (sink, end) = mailbox();
        let opening = Opening {
            sink,
            mode: request.mode,
            shape: request.shape,
            authorised,
            types: request.subscription.types,
            begin,
            expires_at: request.identity.expires_at,
            random: self.random(),
        };
        let busy = OpenError::Busy {
            retry_after_ms: BUSY_RETRY_MS,
        };
        let inbox = self.least_loaded().ok_or_else(|| busy.clone())?;
        let (answer, registered) = oneshot::channel();
        let seat = Seat::take(&inbox);
        let command = Command::Open(Box::new(opening), seat, answer);
        inbox.command(command).map_err(|_| busy.clone())?;
        let registration = registered.await.map_err(|_| busy)?;
        Ok(Reader::new(end, registration, narrowed, admission))
    }

    async fn resolve(&self, request: &OpenRequest, scope: Scope) -> Result<Begin, ReadError> {
        let immediate = match request.start {
            Start::Now => Some(Begin::Now { unknown: false }),
            Start::Last => Some(Begin::Last { unknown: false }),
            Start::Foreign if request.fallback == Start::Now => Some(Begin::Now { unknown: true }),
            _ => None,
        };
        if let Some(begin) = immediate {
            return Ok(begin);
        }
        let (start, fallback) = (request.start.clone(), request.fallback.clone());
        let lineage = self.inner.ports.sequencer.lineage();
        let now = self.inner.ports.clock.now();
        let lookup = move |store: &dyn tidings_core::port::EventStore| {
            let resolver = Resolver {
                store,
                lineage: &lineage,
                scope: &scope,
                now,
            };
            resolver.resolve(&start, &fallback)
        };
        self.inner.threads.readers.ask(lookup).await
    }

    fn least_loaded(&self) -> Option<Arc<Inbox>> {
        let inboxes = self.inner.threads.inboxes.iter();
        inboxes
            .filter(|inbox| !inbox.is_shut())
            .min_by_key(|inbox| inbox.load.load(Ordering::Relaxed))
            .cloned()
    }

    /// Bits for a connection's id: not a secret, but not the next number either.
    fn random(&self) -> u64 {
        let serial = self.inner.opened.fetch_add(1, Ordering::Relaxed);
        let mut mixed = self
            .inner
            .seed
            .wrapping_add(serial.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 31)
    }
}
