//! Registering a connection, and its first word.

use crate::coding::{CheckSum, Coding};
use crate::delivery::{Sink, Taken};
use crate::event_type::TypeFilter;
use crate::gap::Gap;
use crate::holder::Holder;
use crate::pattern::Pattern;
use crate::port::{Control, Hello, Shape, Voice};
use crate::position::{Offset, Position};
use crate::provenance::Provenance;
use crate::scope::Scope;
use crate::shard::connection::{
    Connection, ConnectionId, ConnectionKey, Mode, NEVER_EXPIRES, NO_DEADLINE, Pace, Queued, Seldom,
};
use crate::shard::small::{Coarse, Given};
use crate::shard::spread::Jitter;
use crate::shard::{Now, Shard, Transport, pack};
use crate::start::Replay;
use crate::subscription::{Authorised, Subscription};
use crate::time::Timestamp;

/// Where a connection starts, resolved against the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// At the shard's head.
    Now {
        /// A gap to tell first: a cursor that meant nothing ends up here.
        unknown: bool,
    },
    /// With the newest event of each key, then live.
    Last {
        /// A gap to tell first, as above.
        unknown: bool,
    },
    /// After an offset.
    After {
        /// The offset.
        offset: Offset,
        /// A gap to tell first; the offset is its end.
        gap: Option<Gap>,
        /// Whether the reader gets all that it asked for.
        replay: Replay,
    },
}

/// A connection that asks to be registered.
#[derive(Debug)]
pub struct Opening<S> {
    /// Where its deliveries go; empty.
    pub sink: S,
    /// How it reads.
    pub mode: Mode,
    /// How its events are written.
    pub shape: Shape,
    /// What it asks for.
    pub asked: Subscription,
    /// What it may read of that.
    pub authorised: Authorised,
    /// Where it starts.
    pub begin: Begin,
    /// Whose it is.
    pub holder: Holder,
    /// Where it comes from.
    pub provenance: Provenance,
    /// When its credential ends.
    pub expires_at: Option<Timestamp>,
    /// How its text is packed.
    pub coding: Coding,
    /// Random bits that make its id hard to guess.
    pub random: u32,
}

/// A registered connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registered {
    /// Its name within the shard.
    pub key: ConnectionKey,
    /// Its public name.
    pub id: ConnectionId,
    /// Whether it gets what of the past it asked for.
    pub replay: Replay,
}

/// How many connections were opened, of each [`Transport`] and with each [`Replay`].
pub type Opens = [[u64; Replay::ALL.len()]; Transport::ALL.len()];

/// Room for a hello, so that writing it does not move it again and again; longer ones do.
const HELLO_BYTES: usize = 512;

impl<S: Sink> Shard<S> {
    /// Registers a connection and hands it its hello. Whatever is taken in from here on and matches
    /// is delivered to it; nothing, if its credential was revoked since it was proven.
    pub fn open(&mut self, opening: Opening<S>, now: Now) -> Registered {
        self.memo.clear();
        self.generation = self.generation.wrapping_add(1);
        let key = ConnectionKey::new(self.connections.next(), self.generation);
        let head = self.head;
        let (cursor, gap, replay) = match opening.begin {
            Begin::Now { unknown: false } => (head, None, Replay::None),
            Begin::Now { unknown: true } | Begin::Last { unknown: true } => (
                head,
                Some(unknown(self.options.lineage.position(head))),
                Replay::Gap,
            ),
            Begin::Last { unknown: false } => (head, None, Replay::Complete),
            Begin::After {
                offset,
                gap,
                replay,
            } => (offset, gap, replay),
        };
        let Subscription {
            patterns, types, ..
        } = opening.asked;
        let memberships = self.join(key, &opening.authorised.scope, &types);
        // Nobody changes what a page reads.
        let is_page = matches!(opening.mode, Mode::Page { .. });
        let asked = kept(patterns, &opening.authorised).filter(|_| !is_page);
        let snapshot = matches!(opening.begin, Begin::Last { .. });
        let leave_at = self.drain.map(|plan| {
            // Whoever comes while the others leave was admitted just before.
            let mut jitter = Jitter(self.options.seed ^ u64::from(self.generation));
            now.moment.plus_ms(jitter.below(plan.spread_ms))
        });
        let Provenance {
            profile,
            protocol,
            metadata,
        } = opening.provenance;
        let is_plain = !snapshot && leave_at.is_none() && asked.is_none() && metadata.is_empty();
        let seldom = (!is_plain).then(|| {
            Box::new(Seldom {
                snapshot_after: snapshot.then_some(Offset::ZERO),
                leave_at,
                asked,
                metadata,
                ..Seldom::default()
            })
        });
        let connection = Connection {
            key,
            sink: opening.sink,
            mode: opening.mode,
            shape: opening.shape,
            holder: opening.holder,
            types,
            memberships,
            cursor,
            seldom,
            check_sum: CheckSum::default(),
            random: opening.random,
            last_event: Coarse::at(now.moment),
            given: Given::default(),
            profile,
            protocol,
            coding: opening.coding,
            queued: Queued::No,
            pace: Pace::Patient,
            reading: false,
            greeted: false,
            counted_for: Offset::ZERO,
            opened_at: now.moment,
            last_delivery: now.moment,
            expires_at: opening.expires_at.unwrap_or(NEVER_EXPIRES),
            reauth_told: false,
            beat: 0,
            deadline: NO_DEADLINE,
        };
        let slot = self.connections.insert(connection);
        debug_assert_eq!(slot, key.slot());
        self.totals.opened += 1;
        self.count_open(is_page, replay);
        self.watch_comes(key);
        let id = self.id(key, opening.random);
        if let Mode::Stream { heartbeat, voice } = opening.mode {
            let hello = Hello {
                connection_id: id.to_string(),
                cursor: self.options.lineage.position(cursor),
                cursor_is_told: gap.is_none() && !snapshot,
                // A reader that was here a moment ago may know more than this shard yet.
                head: self.options.lineage.position(head.max(cursor)),
                replay,
                narrowed: opening.authorised.narrowed,
                heartbeat_ms: u64::from(heartbeat.every_ms),
                expires_at: opening.expires_at,
                server_time: now.wall,
            };
            self.greet(key, voice, hello, gap, now);
        } else if let Some(connection) = self.connection(key).filter(|_| gap.is_some()) {
            connection.seldom().gap = gap;
        }
        self.enqueue(key);
        self.arm(key, now);
        self.judge(key, now);
        Registered { key, id, replay }
    }

    fn count_open(&mut self, is_page: bool, replay: Replay) {
        let transport = if is_page {
            Transport::Page
        } else {
            Transport::Stream
        };
        let opens = self.totals.opens.get_mut(transport as usize);
        if let Some(count) = opens.and_then(|opens| opens.get_mut(replay as usize)) {
            *count += 1;
        }
    }

    /// Makes a connection a member of every selector of a scope, once.
    pub(super) fn join(
        &mut self,
        key: ConnectionKey,
        scope: &Scope,
        types: &TypeFilter,
    ) -> Box<[(u32, u32)]> {
        let (filtered, head, member) = (!types.is_everything(), self.head, key.slot() as u32);
        scope
            .selectors()
            .iter()
            .map(|selector| self.selectors.join(selector, member, filtered, head))
            .collect()
    }

    /// Writes hello, and a gap that is known already, as the first delivery.
    fn greet(
        &mut self,
        key: ConnectionKey,
        voice: Voice,
        hello: Hello,
        gap: Option<Gap>,
        now: Now,
    ) {
        let encoder = self.options.encoder.clone();
        let Some(connection) = self.connection(key) else {
            return;
        };
        let mut text = Vec::with_capacity(HELLO_BYTES);
        encoder.control(voice, &Control::Hello(hello), &mut text);
        if let Some(gap) = gap {
            encoder.gap(&gap, &mut text);
        }
        let (coding, cursor) = (connection.coding, connection.cursor);
        let block = pack::first(self.options.coder.as_ref(), coding, text);
        let _: Taken = self.hand_over(key, block, 0, cursor, now);
    }
}

/// What a connection keeps of the patterns that it asked for: nothing, if it is given all of them.
pub(super) fn kept(patterns: Vec<Pattern>, authorised: &Authorised) -> Option<Box<[Pattern]>> {
    authorised.narrowed.is_some().then(|| patterns.into())
}

/// The gap of a cursor that belongs to no known history, for a reader that goes on at `to`.
pub fn unknown(to: Position) -> Gap {
    Gap {
        from: None,
        to,
        reason: crate::gap::GapReason::Unknown,
    }
}
