//! Looking over connections for an operator, slice by slice: a shard that has many goes on delivering
//! between two slices.
//!
//! Whoever asks keeps the place where the next slice begins, so a survey costs the shard nothing while
//! it is not looked at. A connection that is there from the first slice to the last is seen once; one
//! that comes or goes meanwhile may be seen or not.

use crate::audience::{Audience, Key, Role, Subject};
use crate::delivery::Sink;
use crate::event_type::TypeFilter;
use crate::limits::{DESCRIBED_PER_SLICE_MAX, PATTERNS_PER_SLICE_MAX, SURVEYED_PER_SLICE_MAX};
use crate::pattern::Pattern;
use crate::position::Position;
use crate::provenance::{Metadata, ProfileIndex, Protocol};
use crate::scope::{Scope, Selector};
use crate::shard::connection::{Connection, ConnectionId, ConnectionKey, Queued};
use crate::shard::rescope::pattern;
use crate::shard::{Census, ConnectionState, Now, Shard, Transport};
use crate::time::{Moment, Timestamp};
use crate::topic::Topic;

/// The wall clock has been set if it is so far from where it would be by the other one.
const CLOCK_SET_MS: u64 = 1_000;

/// Which connections are meant; all of them, if nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Which {
    /// Those in this state.
    pub state: Option<ConnectionState>,
    /// Those of this subject.
    pub subject: Option<Subject>,
    /// Those that read this topic, by whichever pattern.
    pub topic: Option<Topic>,
    /// Those of this profile.
    pub profile: Option<ProfileIndex>,
}

/// What is to be found out of them, besides how many there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Describe at most so many.
    pub described_max: usize,
    /// Describe none up to this slot.
    pub described_after: Option<u32>,
    /// Name whose they are.
    pub subjects: bool,
}

/// What is known of one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionFacts {
    /// Its public name.
    pub id: ConnectionId,
    /// What it is doing.
    pub state: ConnectionState,
    /// How it is read.
    pub transport: Transport,
    /// In which protocol it was asked for.
    pub protocol: Protocol,
    /// By which profile it came.
    pub profile: ProfileIndex,
    /// Whose it is; nobody's, for some.
    pub subject: Option<Subject>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When its credential ends.
    pub expires_at: Option<Timestamp>,
    /// Everything up to here has been considered for it.
    pub cursor: Position,
    /// How many positions of the log lie between that and the shard's head, if anything there may be
    /// for it; else none, however far behind the head it stands.
    pub lag: u64,
    /// The patterns that it asks for.
    pub asked: Vec<Pattern>,
    /// What it reads: the granted part of those, and by whom it is.
    pub reads: Scope,
    /// Which event types.
    pub types: TypeFilter,
    /// Events that it was given.
    pub events: u64,
    /// Bytes that it was given, as they are packed for it, before its transport frames them.
    pub bytes: u64,
    /// What its client says of it.
    pub metadata: Metadata,
}

impl ConnectionFacts {
    /// The roles by which it reads.
    pub fn roles(&self) -> impl Iterator<Item = &Role> {
        self.reads
            .selectors()
            .iter()
            .filter_map(|selector| match selector {
                Selector::Key(Key::Role(role)) => Some(role),
                Selector::Key(_) | Selector::Pattern(_) => None,
            })
    }

    /// Whether it reads by whom it is, beside patterns.
    pub fn has_audience(&self) -> bool {
        let mut selectors = self.reads.selectors().iter();
        selectors.any(|selector| pattern(selector).is_none())
    }
}

/// How far behind the head connections are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lag {
    /// Connections that have not been given all that they may be given.
    pub behind: u64,
    /// Positions of the log between the head and that of them which is furthest behind.
    pub positions_max: u64,
}

impl Lag {
    /// Adds what was found elsewhere.
    pub fn add(&mut self, other: Self) {
        self.behind += other.behind;
        self.positions_max = self.positions_max.max(other.positions_max);
    }

    fn note(&mut self, positions: u64) {
        self.behind += u64::from(positions > 0);
        self.positions_max = self.positions_max.max(positions);
    }
}

/// What a slice has found.
#[derive(Debug, Default)]
pub struct Surveyed {
    /// How many there are.
    pub census: Census,
    /// How far behind the head they are.
    pub lag: Lag,
    /// What was wanted to be known of them, by their slots.
    pub described: Vec<(ConnectionKey, ConnectionFacts)>,
    /// Whose they are, each as often as it has one; nobody's are left out.
    pub subjects: Vec<Subject>,
    /// Where the next slice begins, if there is one.
    pub next: Option<u32>,
}

impl<S: Sink> Shard<S> {
    /// Looks at the next connections from a slot on, as many as a slice may.
    pub fn survey(&mut self, which: &Which, wanted: Wanted, from: u32, now: Now) -> Surveyed {
        let mut found = Surveyed::default();
        let readers = which.topic.as_ref().map(|topic| self.selectors_of(topic));
        let (from, places) = (from as usize, self.connections.places());
        let end = places.min(from.saturating_add(SURVEYED_PER_SLICE_MAX));
        let mut patterns = 0;
        let mut slot = from;
        while slot < end
            && found.described.len() < DESCRIBED_PER_SLICE_MAX
            && patterns < PATTERNS_PER_SLICE_MAX
        {
            let here = slot;
            slot += 1;
            let Some(connection) = self.connections.get(here) else {
                continue;
            };
            if readers.is_some() {
                patterns += connection.memberships.len();
            }
            let state = self.state(connection, now.moment);
            if !which.means(connection, state, readers.as_deref()) {
                continue;
            }
            found.census.count(connection.transport(), state);
            found.lag.note(self.lag_of(connection));
            if wanted.subjects {
                found.subjects.extend(connection.holder.subject().cloned());
            }
            let is_before = wanted
                .described_after
                .is_some_and(|last| here <= last as usize);
            if !is_before && found.described.len() < wanted.described_max {
                let key = connection.key;
                patterns += connection.memberships.len();
                found
                    .described
                    .extend(self.describe(key, now).map(|facts| (key, facts)));
            }
        }
        found.next = (slot < places).then_some(slot as u32);
        found
    }

    /// How many positions lie between a connection and the head, if it has something to do: whoever
    /// has nothing to do is caught up, wherever its cursor stands. It is at most so far behind.
    fn lag_of(&self, connection: &Connection<S>) -> u64 {
        let has_nothing_to_do =
            connection.sink.is_free() && !connection.reading && connection.queued == Queued::No;
        if has_nothing_to_do {
            0
        } else {
            self.head.0.saturating_sub(connection.cursor.0)
        }
    }

    /// What is known of the connection of a public name.
    pub fn inspect(
        &mut self,
        id: ConnectionId,
        now: Now,
    ) -> Option<(ConnectionKey, ConnectionFacts)> {
        let key = self.find(id)?;
        Some((key, self.describe(key, now)?))
    }

    /// The selectors that a topic matches, sorted.
    fn selectors_of(&self, topic: &Topic) -> Vec<u32> {
        let mut found = Vec::new();
        let audience = Audience::new(vec![Key::Topic(topic.clone())]);
        self.selectors.matching(&audience, &mut found);
        found
    }

    /// The wall-clock time of a moment: the same whenever it is asked for, until the wall clock is set.
    fn wall_of(&mut self, moment: Moment, now: Now) -> Timestamp {
        let at = |anchor: Now, moment: Moment| {
            let ahead = moment.ms_since(anchor.moment);
            let behind = anchor.moment.ms_since(moment);
            Timestamp((anchor.wall.0 + ahead).saturating_sub(behind))
        };
        let holds = |anchor: &Now| at(*anchor, now.moment).0.abs_diff(now.wall.0) < CLOCK_SET_MS;
        let anchor = self.anchor.filter(holds).unwrap_or(now);
        self.anchor = Some(anchor);
        at(anchor, moment)
    }

    fn describe(&mut self, key: ConnectionKey, now: Now) -> Option<ConnectionFacts> {
        let is_caught_up = self.nothing_waits(key);
        let opened_at = self.connection(key)?.opened_at;
        let opened_at = self.wall_of(opened_at, now);
        let connection = self.connections.get(key.slot()).filter(|c| c.key == key)?;
        // Nothing up to the head is for it, which is what a sign of life would tell it.
        let considered = if is_caught_up {
            connection.cursor.max(self.head)
        } else {
            connection.cursor
        };
        let reads = self.selectors.scope_of(&connection.memberships);
        Some(ConnectionFacts {
            id: self.id(key, connection.random),
            state: self.state(connection, now.moment),
            transport: connection.transport(),
            protocol: connection.protocol,
            profile: connection.profile,
            subject: connection.holder.subject().cloned(),
            opened_at,
            expires_at: connection.expires_at(),
            cursor: self.options.lineage.position(considered),
            lag: self.head.0.saturating_sub(considered.0),
            asked: match connection.asked() {
                Some(asked) => asked.to_vec(),
                None => reads.selectors().iter().filter_map(pattern).collect(),
            },
            reads,
            types: connection.types.clone(),
            events: connection.given.events(),
            bytes: connection.given.bytes(),
            metadata: connection.metadata(),
        })
    }
}

impl Which {
    /// Whether one of these is meant. `readers` are the selectors that match the topic.
    pub(super) fn means<S>(
        &self,
        connection: &Connection<S>,
        state: ConnectionState,
        readers: Option<&[u32]>,
    ) -> bool {
        let reads = |readers: &[u32]| {
            let mut memberships = connection.memberships.iter();
            memberships.any(|(selector, _)| readers.binary_search(selector).is_ok())
        };
        self.state.is_none_or(|wanted| wanted == state)
            && self
                .profile
                .is_none_or(|wanted| wanted == connection.profile)
            && (self.subject.is_none() || connection.holder.is(self.subject.as_ref()))
            && readers.is_none_or(reads)
    }
}
