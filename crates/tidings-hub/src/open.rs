//! Opening a connection: authorise, find the start, register with a shard.

use std::net::{self, IpAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use tidings_core::coding::Coding;
use tidings_core::holder::Holder;
use tidings_core::identity::Identity;
use tidings_core::pattern::Pattern;
use tidings_core::port::{ReadError, Shape};
use tidings_core::position::Position;
use tidings_core::provenance::Provenance;
use tidings_core::scope::Scope;
use tidings_core::shard::{Begin, ConnectionId, Mode, Opening};
use tidings_core::start::{Replay, Resumed, Start, resume};
use tidings_core::subscription::{Authorised, SubscribeRefused, Subscription};
use tokio::sync::oneshot;

use crate::admission::{Admission, Gate, LimitScope};
use crate::any_sink::AnySink;
use crate::begin::Resolver;
use crate::chunk::Framing;
use crate::connection_log::Introduce;
use crate::hub::Hub;
use crate::inbox::{Arrival, Command, Inbox};
use crate::limits::{BUSY_RETRY_MS, LIMIT_RETRY_MS};
use crate::mailbox::{Reader, mailbox};
use crate::seat::{Registration, Seat};
use crate::socket::{Socket, SocketSink};

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
    /// How their text is packed.
    pub coding: Coding,
    /// A stream or a page.
    pub mode: Mode,
    /// From where the connection comes, for the limit per address.
    pub address: IpAddr,
    /// What else is known of where it comes from, for operators.
    pub provenance: Provenance,
    /// Who is let in, for the log; none for what is not worth a line.
    pub introduce: Option<Introduce>,
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
    /// What is asked for comes to so many patterns that are granted.
    #[error(transparent)]
    TooManyPatterns(SubscribeRefused),
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
            too_many @ SubscribeRefused::TooMany(_) => Self::TooManyPatterns(too_many),
        }
    }
}

/// A stream that is admitted and has its shard, and waits for its socket. Dropping it gives its place
/// back.
#[derive(Debug)]
pub struct Unattached {
    opening: Box<Opening<AnySink>>,
    introduce: Option<Introduce>,
    inbox: Arc<Inbox>,
    gate: Arc<Gate>,
}

impl Unattached {
    /// Hands the socket over, with a response head that has yet to be written to it. It does not block,
    /// and has been prepared ([`prepare_socket`](crate::prepare_socket)). The shard
    /// registers the connection, calls `opened` with its id, and only then writes the head: whatever
    /// is published after a client has seen it is delivered. From here on the connection belongs to
    /// its shard alone.
    pub fn attach(
        self,
        stream: net::TcpStream,
        head: Bytes,
        opened: impl FnOnce(ConnectionId) + Send + 'static,
    ) {
        let place = self.gate.place_socket();
        let socket = Socket {
            stream,
            head,
            place,
        };
        self.inbox.arrive(Arrival {
            opening: self.opening,
            introduce: self.introduce,
            socket,
            opened: Box::new(opened),
        });
    }
}

/// What both kinds of connections begin with.
struct Begun {
    begin: Begin,
    authorised: Authorised,
    admission: Admission,
    inbox: Arc<Inbox>,
    seat: Seat,
}

impl Begun {
    /// Whose the connection is; its subject's text is the one that is counted by.
    fn holder(&self, request: &OpenRequest) -> Holder {
        let subject = self.admission.subject().cloned();
        Holder::new(subject, &request.identity.credential)
    }
}

impl Hub {
    /// Opens a connection whose deliveries somebody takes one by one. Once this returns, its shard
    /// has registered it: whatever is published from then on and matches is delivered.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the connection is closed again.
    pub async fn open(&self, request: OpenRequest) -> Result<Reader, OpenError> {
        let begun = self.begin(&request).await?;
        let narrowed = begun.authorised.narrowed.clone();
        let holder = begun.holder(&request);
        let introduce = request.introduce.clone();
        let (sink, end) = mailbox(begun.admission, begun.seat);
        let sink = AnySink::Mailbox(sink);
        let opening = self.opening(request, begun.begin, begun.authorised, holder, sink);
        let registration = register(&begun.inbox, opening, introduce).await?;
        Ok(Reader::new(end, registration, narrowed))
    }

    /// Prepares a stream whose shard will write to its socket.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, nothing is left of it.
    pub async fn open_socket(
        &self,
        request: OpenRequest,
        framing: Framing,
    ) -> Result<Unattached, OpenError> {
        let begun = self.begin(&request).await?;
        if begun.inbox.is_full() {
            return Err(BUSY);
        }
        let holder = begun.holder(&request);
        let introduce = request.introduce.clone();
        let sink = AnySink::Socket(SocketSink::new(framing, begun.admission, begun.seat));
        let opening = self.opening(request, begun.begin, begun.authorised, holder, sink);
        Ok(Unattached {
            opening: Box::new(opening),
            introduce,
            inbox: begun.inbox,
            gate: self.inner.gate.clone(),
        })
    }

    /// Authorises, admits, finds the start and a shard.
    async fn begin(&self, request: &OpenRequest) -> Result<Begun, OpenError> {
        if self.inner.draining.load(Ordering::Relaxed) {
            return Err(OpenError::Draining);
        }
        let authorised = request.subscription.authorise(&request.identity)?;
        let subject = request.identity.subject.as_ref();
        let admission = self
            .inner
            .gate
            .admit(subject, request.address)
            .map_err(|refused| OpenError::TooManyConnections {
                scope: refused.scope,
                max: refused.max,
                retry_after_ms: LIMIT_RETRY_MS,
            })?;
        let begin = self.resolve(request, authorised.scope.clone()).await?;
        let inbox = self.least_loaded().ok_or(BUSY)?;
        let seat = Seat::take(&inbox);
        Ok(Begun {
            begin,
            authorised,
            admission,
            inbox,
            seat,
        })
    }

    fn opening(
        &self,
        request: OpenRequest,
        begin: Begin,
        authorised: Authorised,
        holder: Holder,
        sink: AnySink,
    ) -> Opening<AnySink> {
        Opening {
            sink,
            mode: request.mode,
            shape: request.shape,
            asked: request.subscription,
            authorised,
            begin,
            holder,
            provenance: request.provenance,
            expires_at: request.identity.expires_at,
            coding: request.coding,
            random: self.random() as u32,
        }
    }

    async fn resolve(&self, request: &OpenRequest, scope: Scope) -> Result<Begin, ReadError> {
        let immediate = match request.start {
            Start::Now => Some(Begin::Now { unknown: false }),
            Start::Last => Some(Begin::Last { unknown: false }),
            Start::Foreign if request.fallback == Start::Now => Some(Begin::Now { unknown: true }),
            Start::After(cursor) => self.at_the_end(cursor),
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

    /// Where a cursor begins after which there is nothing: most of those that come back after a
    /// moment have missed nothing, and need no look at the store.
    fn at_the_end(&self, cursor: Position) -> Option<Begin> {
        let sequencer = &self.inner.ports.sequencer;
        let end = sequencer.end();
        match resume(cursor, &sequencer.lineage(), end) {
            Resumed::After(offset) if offset == end => Some(Begin::After {
                offset,
                gap: None,
                replay: Replay::Complete,
            }),
            _ => None,
        }
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

/// The hub has no shard, or its shard has too much to do.
const BUSY: OpenError = OpenError::Busy {
    retry_after_ms: BUSY_RETRY_MS,
};

/// Has a shard register a connection.
async fn register(
    inbox: &Inbox,
    opening: Opening<AnySink>,
    introduce: Option<Introduce>,
) -> Result<Registration, OpenError> {
    let (answer, registered) = oneshot::channel();
    inbox
        .command(Command::Open(Box::new(opening), introduce, answer))
        .map_err(|_| BUSY)?;
    registered.await.map_err(|_| BUSY)
}
