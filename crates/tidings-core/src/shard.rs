//! The shard: a pure machine that owns connections and hands each the events of its scope.
//!
//! A connection is a cursor, a scope and a sink; it has no queue. Being caught up is not stored: a
//! connection is caught up when no selector of its scope has a position after its cursor. What lies
//! behind the window is read from the store, and reading there ends where the window begins to be
//! complete for the connection's selectors, so replay becomes live without a seam.
//!
//! ```text
//! take_in(batch) ─► selectors ─► ready ring ─► turn(): gather after the cursor ─► sink
//!                                    ▲                       │ behind the window
//! drained(key) ──────────────────────┤                       ▼
//! replayed(key, page) ───────────────┘◄──────────── Action::Read (reader threads)
//! ```
//!
//! Time comes in as an argument and deadlines go out through [`Shard::next_deadline`]; nothing here
//! blocks, and nothing waits.

mod catch_up;
mod close;
mod connection;
mod deadlines;
mod disconnect;
mod gather;
mod intake;
mod open;
mod outline;
mod pack;
mod replay;
mod rescope;
mod revoke;
mod selectors;
mod slots;
mod small;
mod spread;
mod states;
mod survey;
mod sweep;
mod timing;
mod trie;
mod turn;
mod watches;
mod window;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

pub use catch_up::CaughtUp;
pub use close::{Cause, Closed, Closes, DrainPlan};
pub use connection::{ConnectionId, ConnectionKey, Heartbeat, Mode, NotAConnectionId};
pub use disconnect::{DisconnectReason, ReasonError};
pub use intake::Batch;
pub use open::{Begin, Opening, Opens, Registered, unknown};
pub use outline::Outline;
pub use replay::{ReadRequest, ReplayFailed, Replayed, Snapshot, SnapshotRequest, encode_page};
pub use rescope::{Rescope, RescopeRefused, Rescoped};
pub use states::{Census, ConnectionState, Transport};
pub use survey::{ConnectionFacts, Lag, Surveyed, Wanted, Which};
pub use sweep::{Sweep, Swept};
pub use watches::WatchId;
pub use window::Framed;

use crate::lineage::Lineage;
use crate::port::{Coder, Encoder};
use crate::position::Offset;
use crate::time::{Moment, Timestamp};
use catch_up::Missed;
use connection::Connection;
use deadlines::Deadlines;
use gather::GatherMemo;
use revoke::Judgement;
use selectors::SelectorTable;
use slots::Slots;
use watches::Watches;
use window::Window;

/// Both kinds of time at one instant.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// For deadlines.
    pub moment: Moment,
    /// For people and credentials.
    pub wall: Timestamp,
}

/// What the machine asks its thread to do.
#[derive(Debug)]
pub enum Action<S> {
    /// Read the store for a connection, and answer with [`Shard::replayed`].
    Read(ConnectionKey, ReadRequest),
    /// Read a slice of a snapshot for a connection, and answer with [`Shard::snapshot`].
    Snapshot(ConnectionKey, SnapshotRequest),
    /// Read everything after this offset for the shard itself, and answer with
    /// [`Shard::caught_up`].
    CatchUp(Offset),
    /// A connection is gone and its slot is free. Its sink may still have a last word to see off.
    Closed(Closed, S),
}

/// Running totals of one shard, since it began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ShardTotals {
    /// Events handed to sinks, once per connection.
    pub events_delivered: u64,
    /// Bytes handed to sinks.
    pub bytes_delivered: u64,
    /// Deliveries handed to sinks.
    pub deliveries: u64,
    /// Connections opened.
    pub opened: u64,
    /// Connections closed.
    pub closed: u64,
    /// Of those, how many for each cause.
    pub closes: Closes,
    /// Connections opened, of each transport and by what of the past they get.
    pub opens: Opens,
    /// Times that the shard fell behind its feed and read the store.
    pub overflows: u64,
}

/// How to build a shard.
#[derive(Debug, Clone)]
pub struct ShardOptions {
    /// Which node, as part of connection ids.
    pub node: u32,
    /// Which shard of the node, as part of connection ids.
    pub index: u16,
    /// Seed of the shard's jitter.
    pub seed: u64,
    /// The newest offset when the feed begins.
    pub head: Offset,
    /// The log's history, to name positions.
    pub lineage: Arc<Lineage>,
    /// How events become bytes.
    pub encoder: Arc<dyn Encoder>,
    /// How text is packed for those who want it packed.
    pub coder: Arc<dyn Coder>,
    /// How long an event may wait for others to share a write with; not one of high priority.
    pub linger_ms: u64,
    /// How long a stream's reader may take nothing of what it was given.
    pub slow_reader_ms: u64,
}

/// A set of connections and the events that they wait for.
#[derive(Debug)]
pub struct Shard<S> {
    options: ShardOptions,
    /// The newest offset taken in.
    head: Offset,
    window: Window,
    selectors: SelectorTable,
    /// The selectors of the event in hand, between events: room that is used again and again.
    selected: Vec<u32>,
    connections: Slots<Connection<S>>,
    generation: u32,
    /// Connections that may have something to do.
    ready: VecDeque<ConnectionKey>,
    /// As above, before all of those.
    urgent: VecDeque<ConnectionKey>,
    /// Whether somebody in the ready ring was woken by an event.
    has_news: bool,
    /// Until when the ready ring rests, so that events share writes.
    rests_until: Option<Moment>,
    /// Answers of reader threads that wait for their turn.
    answers: VecDeque<(ConnectionKey, replay::Answer)>,
    deadlines: Deadlines,
    actions: Vec<Action<S>>,
    memo: GatherMemo,
    missed: Missed,
    drain: Option<DrainPlan>,
    judgement: Judgement,
    /// When it was what time, for those who are shown the times of connections.
    anchor: Option<Now>,
    /// For whose readers somebody waits.
    watches: Watches,
    totals: ShardTotals,
}

impl<S> Shard<S> {
    /// An empty shard.
    pub fn new(options: ShardOptions) -> Self {
        Self {
            head: options.head,
            window: Window::new(options.head),
            options,
            selectors: SelectorTable::default(),
            selected: Vec::new(),
            connections: Slots::default(),
            generation: 0,
            ready: VecDeque::new(),
            urgent: VecDeque::new(),
            has_news: false,
            rests_until: None,
            answers: VecDeque::new(),
            deadlines: Deadlines::default(),
            actions: Vec::new(),
            memo: GatherMemo::default(),
            missed: Missed::default(),
            drain: None,
            judgement: Judgement::default(),
            anchor: None,
            watches: Watches::default(),
            totals: ShardTotals::default(),
        }
    }

    /// The newest offset taken in.
    pub fn head(&self) -> Offset {
        self.head
    }

    /// How many connections there are.
    pub fn len(&self) -> usize {
        self.connections.len()
    }

    /// Whether there is no connection.
    pub fn is_empty(&self) -> bool {
        self.connections.len() == 0
    }

    /// Running totals.
    pub fn totals(&self) -> ShardTotals {
        self.totals
    }

    /// What the thread is to do now; empties the list.
    pub fn actions(&mut self) -> std::vec::Drain<'_, Action<S>> {
        self.actions.drain(..)
    }

    /// When [`turn`](Self::turn) must be called again though nothing else happens.
    pub fn next_deadline(&self) -> Option<Moment> {
        let rests_until = self.rests_until.filter(|_| !self.ready.is_empty());
        [self.deadlines.next(), rests_until]
            .into_iter()
            .flatten()
            .min()
    }

    /// The public name of a connection.
    fn id(&self, key: ConnectionKey, random: u32) -> ConnectionId {
        ConnectionId {
            node: self.options.node,
            shard: self.options.index,
            key,
            random,
        }
    }

    /// The connection of a public name, every part of which must be right.
    fn find(&self, id: ConnectionId) -> Option<ConnectionKey> {
        let found = self.connections.get(id.key.slot())?;
        (self.id(found.key, found.random) == id).then_some(found.key)
    }

    /// The sink of a connection.
    pub fn sink(&mut self, key: ConnectionKey) -> Option<&mut S> {
        self.connection(key).map(|connection| &mut connection.sink)
    }

    fn connection(&mut self, key: ConnectionKey) -> Option<&mut Connection<S>> {
        self.connections
            .get_mut(key.slot())
            .filter(|found| found.key == key)
    }
}
