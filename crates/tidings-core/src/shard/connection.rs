//! One connection of a shard.

use std::fmt;

use crate::coding::{CheckSum, Coding};
use crate::delivery::Sink;
use crate::event_type::TypeFilter;
use crate::gap::Gap;
use crate::holder::Holder;
use crate::pattern::Pattern;
use crate::port::{Farewell, Shape, Voice};
use crate::position::Offset;
use crate::provenance::{Metadata, ProfileIndex, Protocol};
use crate::shard::Transport;
use crate::shard::small::{Coarse, Given};
use crate::time::{Moment, Timestamp};

/// Names a connection within its shard. The generation tells it from an earlier one in the slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionKey {
    slot: u32,
    generation: u32,
}

impl ConnectionKey {
    pub(super) fn new(slot: usize, generation: u32) -> Self {
        Self {
            slot: slot as u32,
            generation,
        }
    }

    /// The key as a number, for what can carry only that; slots stay below 2^31.
    pub fn to_bits(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.slot)
    }

    /// The key of a number.
    pub fn from_bits(bits: u64) -> Self {
        Self {
            slot: bits as u32,
            generation: (bits >> 32) as u32,
        }
    }

    pub(super) fn slot(self) -> usize {
        self.slot as usize
    }
}

impl fmt::Display for ConnectionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.slot, self.generation)
    }
}

/// Later than every credential ends.
pub(super) const NEVER_EXPIRES: Timestamp = Timestamp(u64::MAX);

/// Later than every deadline.
pub(super) const NO_DEADLINE: Moment = Moment(u64::MAX);

/// The public name of a connection: `node.shard.slot.generation.random`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId {
    pub(super) node: u32,
    pub(super) shard: u16,
    pub(super) key: ConnectionKey,
    pub(super) random: u32,
}

/// The text names no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not the id of a connection")]
pub struct NotAConnectionId;

impl ConnectionId {
    /// Reads the text form back; any other spelling is refused.
    pub fn parse(text: &str) -> Result<Self, NotAConnectionId> {
        let mut parts = text.split('.');
        let mut next = |radix| {
            let part = parts.next().ok_or(NotAConnectionId)?;
            u32::from_str_radix(part, radix).map_err(|_| NotAConnectionId)
        };
        let id = Self {
            node: next(16)?,
            shard: u16::try_from(next(10)?).map_err(|_| NotAConnectionId)?,
            key: ConnectionKey {
                slot: next(10)?,
                generation: next(10)?,
            },
            random: next(16)?,
        };
        // What is left over, signs and leading zeros show here.
        (id.to_string() == text)
            .then_some(id)
            .ok_or(NotAConnectionId)
    }

    /// The node that the connection is at.
    pub fn node(&self) -> u32 {
        self.node
    }

    /// The shard of the node.
    pub fn shard(&self) -> u16 {
        self.shard
    }

    /// The slot of the shard.
    pub fn slot(&self) -> u32 {
        self.key.slot
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            node,
            shard,
            key,
            random,
        } = self;
        write!(f, "{node:x}.{shard}.{key}.{random:08x}")
    }
}

/// How a connection reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A stream that goes on; hello, gaps, pings and bye are part of it.
    Stream {
        /// When it gives signs of life.
        heartbeat: Heartbeat,
        /// How the hub speaks in it.
        voice: Voice,
    },
    /// One page: the first delivery is the answer, and the last.
    Page {
        /// At most this many events.
        events_max: u32,
        /// How long to wait for the first one.
        wait_ms: u32,
    },
}

/// When a stream gives signs of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    /// At least this often.
    pub every_ms: u32,
    /// Also while events come: some clients listen for nothing else. Otherwise any delivery counts as
    /// a sign of life.
    pub is_steady: bool,
}

impl Mode {
    /// A stream in the first voice of the encoder, with a sign of life wherever nothing else is
    /// delivered for so long.
    pub const fn stream(heartbeat_ms: u32) -> Self {
        Self::Stream {
            heartbeat: Heartbeat {
                every_ms: heartbeat_ms,
                is_steady: false,
            },
            voice: Voice(0),
        }
    }
}

/// Where a connection waits for its turn: in each ring once at most, however often it is woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Queued {
    No,
    /// In the ready ring.
    Ready,
    /// In the urgent ring.
    Urgent,
    /// In the urgent ring; its place in the ready ring is passed over.
    Both,
    /// Nowhere; its place in the ready ring is passed over, unless it is woken before.
    Passed,
}

impl Queued {
    /// It has come up in the ready ring; returns whether it is its turn.
    pub(super) fn comes_up_ready(&mut self) -> bool {
        let before = *self;
        *self = match before {
            Self::Both | Self::Urgent => Self::Urgent,
            Self::No | Self::Ready | Self::Passed => Self::No,
        };
        before == Self::Ready
    }

    /// It has come up in the urgent ring, and it is its turn.
    pub(super) fn comes_up_urgently(&mut self) {
        *self = match *self {
            Self::Both | Self::Passed => Self::Passed,
            Self::Urgent | Self::No => Self::No,
            Self::Ready => Self::Ready,
        };
    }
}

/// How soon a connection is to be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    Patient,
    Hurried,
}

/// Everything that a shard keeps of a connection. All that grows with the connection's lag is its
/// distance from the head. Each byte counts as often as there are connections.
#[derive(Debug)]
pub(super) struct Connection<S> {
    pub(super) key: ConnectionKey,
    pub(super) sink: S,
    /// Whose it is.
    pub(super) holder: Holder,
    pub(super) types: TypeFilter,
    /// Selectors of the scope, each with this connection's place among its members.
    pub(super) memberships: Box<[(u32, u32)]>,
    /// Everything up to here has been considered and, where it matched, delivered.
    pub(super) cursor: Offset,
    /// The latest event that counted it as a match.
    pub(super) counted_for: Offset,
    pub(super) opened_at: Moment,
    /// When it last took something, or was given something.
    pub(super) last_delivery: Moment,
    /// When the credential ends, if ever.
    pub(super) expires_at: Timestamp,
    /// The deadline in force, if any; others in the heap are outdated.
    pub(super) deadline: Moment,
    pub(super) seldom: Option<Box<Seldom>>,
    /// What the stream's blocks so far are checked by.
    pub(super) check_sum: CheckSum,
    pub(super) mode: Mode,
    /// Makes its public id hard to guess.
    pub(super) random: u32,
    /// The latest delivery that held an event.
    pub(super) last_event: Coarse,
    pub(super) given: Given,
    pub(super) profile: ProfileIndex,
    pub(super) protocol: Protocol,
    pub(super) shape: Shape,
    pub(super) coding: Coding,
    pub(super) queued: Queued,
    /// Whether something that nothing may hold back lies after the cursor.
    pub(super) pace: Pace,
    /// Whether a reader thread reads for it.
    pub(super) reading: bool,
    /// Whether the sink has taken the hello.
    pub(super) greeted: bool,
    pub(super) reauth_told: bool,
    /// Which steady sign of life was the latest, by its number from the opening on; the low bits tell it
    /// from the one that is due.
    pub(super) beat: u8,
}

/// What few connections have at any time.
#[derive(Debug, Default)]
pub(super) struct Seldom {
    /// The newest event of each key, up to the cursor, has yet to be handed over where it lies after
    /// this offset. It comes before everything else, and until then the cursor may not be told.
    pub(super) snapshot_after: Option<Offset>,
    /// A gap that the first page has to tell.
    pub(super) gap: Option<Gap>,
    /// When a drain asks it to leave.
    pub(super) leave_at: Option<Moment>,
    /// Said as soon as the sink has room, then the connection ends.
    pub(super) farewell: Option<Farewell>,
    /// When the connection is cut, if its farewell has not been said by then.
    pub(super) cut_at: Option<Moment>,
    /// The patterns that were asked for, if less is granted; else the memberships tell them.
    pub(super) asked: Option<Box<[Pattern]>>,
    /// What its client says of it.
    pub(super) metadata: Metadata,
    /// What a reader thread reads for it is not what it is to read any more.
    pub(super) read_is_stale: bool,
}

impl Seldom {
    fn is_nothing(&self) -> bool {
        self.snapshot_after.is_none()
            && self.gap.is_none()
            && self.leave_at.is_none()
            && self.farewell.is_none()
            && self.asked.is_none()
            && self.metadata.is_empty()
            && !self.read_is_stale
    }
}

impl<S> Connection<S> {
    pub(super) fn events_max(&self) -> usize {
        match self.mode {
            Mode::Stream { .. } => usize::MAX,
            // A page of none would ask for more without end.
            Mode::Page { events_max, .. } => events_max.max(1) as usize,
        }
    }

    /// How the hub speaks to it; to a page, not at all.
    pub(super) fn voice(&self) -> Option<Voice> {
        match self.mode {
            Mode::Stream { voice, .. } => Some(voice),
            Mode::Page { .. } => None,
        }
    }

    pub(super) fn is_page(&self) -> bool {
        matches!(self.mode, Mode::Page { .. })
    }

    pub(super) fn transport(&self) -> Transport {
        match self.mode {
            Mode::Stream { .. } => Transport::Stream,
            Mode::Page { .. } => Transport::Page,
        }
    }

    pub(super) fn seldom(&mut self) -> &mut Seldom {
        self.seldom.get_or_insert_default()
    }

    pub(super) fn snapshot_after(&self) -> Option<Offset> {
        self.seldom.as_ref()?.snapshot_after
    }

    /// All of the snapshot has been handed over.
    pub(super) fn snapshot_ends(&mut self) {
        self.seldom().snapshot_after = None;
        self.tidy();
    }

    /// The patterns that were asked for, if they are more than what is granted.
    pub(super) fn asked(&self) -> Option<&[Pattern]> {
        self.seldom.as_ref()?.asked.as_deref()
    }

    /// The asked patterns are these from now on, if they are more than what is granted.
    pub(super) fn keep_asked(&mut self, asked: Option<Box<[Pattern]>>) {
        if asked.is_some() || self.seldom.is_some() {
            self.seldom().asked = asked;
            self.tidy();
        }
    }

    /// What is being read for it is for nobody.
    pub(super) fn distrust_read(&mut self) {
        if self.reading {
            self.seldom().read_is_stale = true;
        }
    }

    /// A read has come back; returns whether it is still what is to be read.
    pub(super) fn take_read(&mut self) -> bool {
        self.reading = false;
        let Some(seldom) = &mut self.seldom else {
            return true;
        };
        let was_stale = std::mem::take(&mut seldom.read_is_stale);
        self.tidy();
        !was_stale
    }

    /// Gives back the room for what it seldom has.
    fn tidy(&mut self) {
        if self
            .seldom
            .as_ref()
            .is_some_and(|seldom| seldom.is_nothing())
        {
            self.seldom = None;
        }
    }

    pub(super) fn has_gap(&self) -> bool {
        self.seldom
            .as_ref()
            .is_some_and(|seldom| seldom.gap.is_some())
    }

    pub(super) fn take_gap(&mut self) -> Option<Gap> {
        self.seldom.as_mut()?.gap.take()
    }

    pub(super) fn leave_at(&self) -> Option<Moment> {
        self.seldom.as_ref()?.leave_at
    }

    pub(super) fn has_farewell(&self) -> bool {
        self.seldom
            .as_ref()
            .is_some_and(|seldom| seldom.farewell.is_some())
    }

    /// When it is cut, if it has been told to go and nobody has heard it.
    pub(super) fn cut_at(&self) -> Option<Moment> {
        self.seldom.as_ref()?.cut_at
    }

    pub(super) fn take_farewell(&mut self) -> Option<Farewell> {
        self.seldom.as_mut()?.farewell.take()
    }

    /// What its client says of it.
    pub(super) fn metadata(&self) -> Metadata {
        let seldom = self.seldom.as_ref();
        seldom
            .map(|seldom| seldom.metadata.clone())
            .unwrap_or_default()
    }

    /// When the credential ends, if it does.
    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        (self.expires_at != NEVER_EXPIRES).then_some(self.expires_at)
    }
}

impl<S: Sink> Connection<S> {
    /// Whether it has taken nothing of what waits for it in this time.
    pub(super) fn is_slow(&self, now: Moment, slow_reader_ms: u64) -> bool {
        !self.sink.is_free() && now.ms_since(self.last_delivery) >= slow_reader_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let id = ConnectionId {
            node: 0xab,
            shard: 3,
            key: ConnectionKey::new(70_000, 9),
            random: 0xf,
        };
        assert_eq!(id.to_string(), "ab.3.70000.9.0000000f");
        assert_eq!(ConnectionId::parse("ab.3.70000.9.0000000f"), Ok(id));
        for bad in [
            "",
            "ab.3.70000.9",
            "ab.3.70000.9.f",
            "ab.3.70000.9.0000000f.",
            "ab.3.70000.9.0000000f.1",
            "AB.3.70000.9.0000000f",
            "+ab.3.70000.9.0000000f",
            "ab.03.70000.9.0000000f",
            "ab.70000.3.9.0000000f",
            "ab.3.70000.5000000000.0000000f",
        ] {
            assert_eq!(ConnectionId::parse(bad), Err(NotAConnectionId), "{bad}");
        }
    }
}
