//! The event store port: reading what is committed. Calls block; they run on reader threads.

use std::sync::Arc;

use crate::audience::Key;
use crate::event::Event;
use crate::event_type::TypeFilter;
use crate::gap::Hole;
use crate::id::EventId;
use crate::position::Offset;
use crate::scope::Scope;
use crate::time::Timestamp;

/// A read forward from an offset.
#[derive(Debug, Clone)]
pub struct Query {
    /// What the reader may read.
    pub scope: Scope,
    /// Which types it wants; `critical` events pass anyway.
    pub types: TypeFilter,
    /// Events after this offset.
    pub after: Offset,
    /// At most this many items.
    pub events_max: usize,
    /// No further event once the page holds this many bytes of content.
    pub bytes_max: usize,
}

/// One thing that a read finds, in log order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageItem {
    /// An event of the scope that passes the filter.
    Event(Arc<Event>),
    /// A stretch, beginning after the previous item (or the query's offset), from which matching
    /// events are gone or may be.
    Hole(Hole),
}

/// What a read found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// Events and holes by rising offset.
    pub items: Vec<PageItem>,
    /// Everything up to here has been considered for this query. At least the query's offset.
    pub considered: Offset,
    /// Whether there is more to consider now. If not, `considered` was the committed end at some
    /// time during the call.
    pub more: bool,
}

/// A slice of a snapshot: of the newest event of each key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewestPage {
    /// The events by rising offset, each once.
    pub events: Vec<Arc<Event>>,
    /// What is left of the snapshot lies after this offset. At least the query's offset.
    pub considered: Offset,
    /// Whether anything is left.
    pub more: bool,
}

/// Which offsets the store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The offset before the oldest event that is still held: reading after it gets everything.
    pub before_earliest: Offset,
    /// The newest committed offset.
    pub end: Offset,
}

/// Which events of one key the store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The oldest.
    pub earliest: Offset,
    /// The newest.
    pub head: Offset,
}

/// How much the store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Volume {
    /// Events that are held.
    pub events: u64,
    /// Bytes of all that is kept of them and of those before them: on disk, for a log that is there.
    pub bytes: u64,
}

/// The store could not be read. A damaged record is a hole, not this.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the log could not be read: {0}")]
pub struct ReadError(pub Arc<str>);

/// Reads committed events.
///
/// Duties:
/// - Nothing is returned that is not durable, nor anything outside the scope.
/// - A hole is reported if, and only if, it cannot be proven that nothing in the scope was removed
///   from that stretch (event types are not considered: the index of removed events has none). A
///   topic in which nothing was removed never gets one.
/// - Adjacent holes of one reason are one hole. A hole never covers an event that is returned.
/// - The cost of a read depends on what matches, not on the size of the log.
pub trait EventStore: Send + Sync + std::fmt::Debug {
    /// Reads forward.
    fn read(&self, query: &Query) -> Result<Page, ReadError>;

    /// The last hole that a read of this scope after this offset would report, if any.
    fn removed_after(&self, scope: &Scope, after: Offset) -> Result<Option<Hole>, ReadError>;

    /// The newest event that has this publisher's id and is in the scope. Ids are a publisher's
    /// own, so several events may share one.
    fn by_id(&self, scope: &Scope, id: &EventId) -> Result<Option<Arc<Event>>, ReadError>;

    /// The oldest such event: whoever goes on after an id that several events share may get some of
    /// them again, and misses none.
    fn first_by_id(&self, scope: &Scope, id: &EventId) -> Result<Option<Arc<Event>>, ReadError>;

    /// The event at an offset, if it is held and in the scope.
    fn at(&self, scope: &Scope, offset: Offset) -> Result<Option<Arc<Event>>, ReadError>;

    /// The offset before the first held event whose timestamp is not before this; the end if there
    /// is none. Damaged events right before that place, if their time is unknown, count as young
    /// enough: whoever starts there is told of them.
    fn before_time(&self, time: Timestamp) -> Result<Offset, ReadError>;

    /// A slice of a snapshot: of the events that are, at or before `through`, the newest readable
    /// one of a key in the scope that passes the filter, those that the query asks for. Asked slice
    /// after slice with the same `through`, it gives each of them once.
    ///
    /// A call may cost time for each key in the scope, and memory for its name, but for no event
    /// outside the slice. It fails if it finds damage that the slices before it did not know of.
    fn newest_per_key(&self, query: &Query, through: Offset) -> Result<NewestPage, ReadError>;

    /// Which events of a key are held.
    fn extent(&self, key: &Key) -> Result<Option<Extent>, ReadError>;

    /// Which offsets are held.
    fn bounds(&self) -> Bounds;

    /// How much is held. May cost a look at each file.
    fn volume(&self) -> Volume;
}
