//! SKELETON of the hub's public API (bodies follow on another branch; signatures are the contract).
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use bytes::Bytes;
use tidings_core::audience::Key;
use tidings_core::event::{Content, Event};
use tidings_core::gap::Gap;
use tidings_core::id::EventId;
use tidings_core::identity::Identity;
use tidings_core::pattern::Pattern;
use tidings_core::port::{Clock, Encoder, EventStore, ReadError, Sequencer, Shape};
use tidings_core::position::{Offset, Position};
use tidings_core::start::Start;
use tidings_core::subscription::Subscription;
use tidings_core::time::Timestamp;
use tidings_core::topic::Topic;

/// What the hub is built from.
#[derive(Debug, Clone)]
pub struct Ports {
    pub sequencer: Arc<dyn Sequencer>,
    pub store: Arc<dyn EventStore>,
    pub encoder: Arc<dyn Encoder>,
    pub clock: Arc<dyn Clock>,
}

#[derive(Debug, Clone)]
pub struct Options {
    pub shards: usize,
    pub reader_threads: usize,
    pub window_events: usize,
    pub window_bytes: usize,
    pub connections: usize,
    pub connections_per_identity: usize,
    pub connections_per_address: usize,
    /// Random number that names this node in connection ids.
    pub node: u32,
}
impl Default for Options { fn default() -> Self { unimplemented!() } }

/// Cloneable handle.
#[derive(Debug, Clone)]
pub struct Hub { inner: Arc<()> }

#[derive(Debug, thiserror::Error)]
#[error("the hub could not start")]
pub struct StartError;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The publisher's id or the cursor as text.
    pub id: String,
    pub position: Position,
    pub timestamp: Timestamp,
    /// Matched connections, or none if a shard did not count in time, or for a duplicate.
    pub subscribers: Option<u64>,
    pub duplicate: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    #[error("publishing to `{key}` is not granted")]
    NotGranted { index: usize, key: Key },
    #[error("the id of event {index} was used for other content")]
    IdReused { index: usize, position: Position },
    #[error("the group has {actual} events where at most {max} are allowed")]
    TooManyEvents { actual: usize, max: usize },
    #[error("the group has {actual} bytes where at most {max} are allowed")]
    TooLarge { actual: usize, max: usize },
    #[error("the log is busy")]
    Busy { retry_after_ms: u64 },
    #[error("the log has no space left")]
    Full,
    #[error("the log is not writable")]
    NotWritable,
    #[error("the outcome is not known")]
    OutcomeUnknown,
    #[error("the hub is draining")]
    Draining,
}

/// How a reader reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// A stream that goes on; hello, pings, gaps and bye are in it, encoded.
    Stream { heartbeat_ms: u64 },
    /// One page: the first delivery is the answer and the last.
    Page { events_max: usize, wait_ms: u64 },
}

#[derive(Debug, Clone)]
pub struct OpenRequest {
    pub identity: Arc<Identity>,
    pub subscription: Subscription,
    pub start: Start,
    /// Where to start if `start` means nothing here (a foreign cursor): `since`, else `Start::Now`.
    pub fallback: Start,
    pub shape: Shape,
    pub mode: Mode,
    pub address: IpAddr,
    /// `meta_*` parameters.
    pub metadata: Vec<(String, String)>,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("no grant allows reading any of the requested topics")]
    NotGranted(Vec<Pattern>),
    #[error("the subscription selects nothing")]
    SelectsNothing,
    #[error("too many connections {scope}: at most {max} are allowed")]
    TooManyConnections { scope: LimitScope, max: usize, retry_after_ms: u64 },
    #[error("the hub is busy")]
    Busy { retry_after_ms: u64 },
    #[error("the hub is draining")]
    Draining,
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Whose connections are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitScope { Hub, Identity, Address }
impl std::fmt::Display for LimitScope {
    fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { unimplemented!() }
}

/// The reading end of one connection. Dropping it closes the connection.
#[derive(Debug)]
pub struct Reader { _p: () }

/// What a sink hands over at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Encoded events and control events, ready to be written.
    pub bytes: Bytes,
    /// How many events they hold.
    pub events: usize,
    /// Everything up to here has been considered (the considered cursor of a page).
    pub cursor: Position,
    /// In a page: what is missing before its first event.
    pub gap: Option<Gap>,
    /// In a page: whether there is more to read now.
    pub more: bool,
    /// Nothing follows.
    pub last: bool,
}

impl Reader {
    /// The connection's public id.
    pub fn connection_id(&self) -> &str { unimplemented!() }
    /// What was granted, if less than asked.
    pub fn narrowed(&self) -> Option<&[Pattern]> { unimplemented!() }
    /// Next delivery; `None` after the last.
    pub fn poll_next(&mut self, _cx: &mut Context<'_>) -> Poll<Option<Delivery>> { unimplemented!() }
    /// # Cancel safety
    /// Cancel safe.
    pub async fn next(&mut self) -> Option<Delivery> { std::future::poll_fn(|cx| self.poll_next(cx)).await }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventName { Id(EventId), Position(Position) }

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicState {
    pub earliest: Option<Position>,
    pub head: Option<Position>,
    /// Connections that read the topic now, over all shards.
    pub subscribers: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness { Ready, Full, Poisoned(String), Draining }

/// A snapshot of counters for `/metrics`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    pub events_published: u64,
    pub events_duplicate: u64,
    pub publishes_refused: u64,
    pub events_delivered: u64,
    pub bytes_delivered: u64,
    pub gaps_told: u64,
    pub store_reads: u64,
    pub feed_overflows: u64,
    pub connections_opened: u64,
    pub connections_closed: u64,
    pub connections: u64,
    pub window_events: u64,
    pub window_bytes: u64,
    pub end_offset: Offset2,
}
pub type Offset2 = u64;

impl Hub {
    pub fn start(_options: Options, _ports: Ports) -> Result<Self, StartError> { unimplemented!() }
    /// Publishes one atomic group.
    pub async fn publish(&self, _identity: &Identity, _group: Vec<Content>) -> Result<Vec<Published>, PublishError> { unimplemented!() }
    /// Publishes events in order, each on its own: one outcome per event (index is 0 in errors).
    pub async fn publish_each(&self, _identity: &Identity, _events: Vec<Content>) -> Vec<Result<Published, PublishError>> { unimplemented!() }
    /// Opens a connection. Returns once its shard has registered it: whatever is published later is delivered.
    pub async fn open(&self, _request: OpenRequest) -> Result<Reader, OpenError> { unimplemented!() }
    /// One event that the identity may read; unknown and forbidden look the same.
    pub async fn event(&self, _identity: &Identity, _name: EventName) -> Result<Option<Arc<Event>>, ReadError> { unimplemented!() }
    /// State of a topic; the caller checks that the identity may read it with `may_read`.
    pub async fn topic(&self, _topic: &Topic) -> Result<TopicState, ReadError> { unimplemented!() }
    pub fn readiness(&self) -> Readiness { unimplemented!() }
    pub fn figures(&self) -> Figures { unimplemented!() }
    /// Text cursor of the committed end.
    pub fn head(&self) -> Position { unimplemented!() }
    pub fn position(&self, _offset: Offset) -> Position { unimplemented!() }
    /// Refuses new work, says bye to every connection spread over `spread_ms`, and waits until all are gone or `grace_ms` is over.
    pub async fn drain(&self, _spread_ms: u64, _grace_ms: u64) { unimplemented!() }
}
