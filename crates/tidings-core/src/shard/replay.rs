//! Reading behind the window: what a shard asks of reader threads, and what it does with answers.

use bytes::Bytes;

use crate::coding::{CheckSum, Coding};
use crate::delivery::{Sink, Taken};
use crate::event_type::TypeFilter;
use crate::gap::Gap;
use crate::limits::REPLAY_SENDS_PER_TURN_MAX;
use crate::lineage::Lineage;
use crate::port::{Coder, Control, Encoder, Page, PageItem, Shape};
use crate::position::Offset;
use crate::scope::Scope;
use crate::shard::connection::ConnectionKey;
use crate::shard::pack::Block;
use crate::shard::{Action, Now, Shard, close, pack};

/// A read of the store for one connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReadRequest {
    /// What the reader may read.
    pub scope: Scope,
    /// Which types it wants.
    pub types: TypeFilter,
    /// After which offset.
    pub after: Offset,
    /// How events are written.
    pub shape: Shape,
    /// How text is packed.
    pub coding: Coding,
    /// For a page, at most this many events; a stream takes as many as fit a send.
    pub page_events_max: Option<usize>,
}

/// A read of a slice of the newest events of each key for one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRequest {
    /// What the reader may read.
    pub scope: Scope,
    /// Which types it wants.
    pub types: TypeFilter,
    /// How events are written.
    pub shape: Shape,
    /// How text is packed.
    pub coding: Coding,
    /// After which offset: where the slice before it ended.
    pub after: Offset,
    /// No event after this one: the rest comes live.
    pub through: Offset,
    /// For a page, at most this many events; a stream takes as many as fit a read.
    pub page_events_max: Option<usize>,
}

/// The answer to a [`ReadRequest`], encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// Events, and in a stream the gaps between them.
    pub bytes: Bytes,
    /// What their text is checked by.
    pub check_sum: CheckSum,
    /// How many events.
    pub events: usize,
    /// Everything up to here has been considered.
    pub considered: Offset,
    /// In a page: what is missing before its first event.
    pub gap: Option<Gap>,
    /// Whether there is more to read now.
    pub more: bool,
}

/// The answer to a [`SnapshotRequest`], encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The events, without ids.
    pub text: Vec<u8>,
    /// How many events.
    pub events: usize,
    /// What is left of the snapshot lies after this offset.
    pub considered: Offset,
    /// Whether anything is left.
    pub more: bool,
}

/// The store could not be read for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplayFailed;

/// What a reader thread may come back with.
#[derive(Debug)]
pub(super) enum Answer {
    Replayed(Replayed),
    Snapshot(Snapshot),
    Failed,
}

/// Writes a page as a connection of this shape reads it. For the reader threads.
pub fn encode_page(
    page: &Page,
    request: &ReadRequest,
    lineage: &Lineage,
    encoder: &dyn Encoder,
    coder: &dyn Coder,
) -> Replayed {
    let is_page = request.page_events_max.is_some();
    let mut out = Vec::with_capacity(page.items.len() * 512);
    let mut replayed = Replayed {
        bytes: Bytes::new(),
        check_sum: CheckSum::default(),
        events: 0,
        considered: request.after,
        gap: None,
        more: page.more,
    };
    for (index, item) in page.items.iter().enumerate() {
        match item {
            PageItem::Event(event) => {
                encoder.event(request.shape, event, Some(event.position), &mut out);
                replayed.events += 1;
                replayed.considered = event.position.offset;
            }
            // A page has room for one gap, before its first event. A later one opens the next page.
            PageItem::Hole(_) if is_page && index > 0 => {
                replayed.more = true;
                replayed.bytes = Bytes::from(out);
                return replayed;
            }
            PageItem::Hole(hole) => {
                let gap = Gap {
                    from: Some(lineage.position(replayed.considered)),
                    to: lineage.position(hole.through),
                    reason: hole.reason,
                };
                replayed.considered = hole.through;
                if is_page {
                    replayed.gap = Some(gap);
                } else {
                    encoder.gap(&gap, &mut out);
                }
            }
        }
    }
    replayed.considered = replayed.considered.max(page.considered);
    if !out.is_empty() {
        let block = pack::one(coder, request.coding, out);
        (replayed.bytes, replayed.check_sum) = (block.bytes, block.check_sum);
    }
    replayed
}

impl<S: Sink> Shard<S> {
    /// Takes a reader thread's answer for a connection.
    pub fn replayed(&mut self, key: ConnectionKey, answer: Result<Replayed, ReplayFailed>) {
        let answer = answer.map_or(Answer::Failed, Answer::Replayed);
        self.answers.push_back((key, answer));
    }

    /// Takes a reader thread's snapshot for a connection.
    pub fn snapshot(&mut self, key: ConnectionKey, answer: Result<Snapshot, ReplayFailed>) {
        let answer = answer.map_or(Answer::Failed, Answer::Snapshot);
        self.answers.push_back((key, answer));
    }

    /// Asks a reader thread for what lies behind the window.
    pub(super) fn ask_store(&mut self, key: ConnectionKey) {
        let Some(connection) = self
            .connections
            .get_mut(key.slot())
            .filter(|c| c.key == key)
        else {
            return;
        };
        connection.reading = true;
        let request = ReadRequest {
            scope: self.selectors.scope_of(&connection.memberships),
            types: connection.types.clone(),
            after: connection.cursor,
            shape: connection.shape,
            coding: connection.coding,
            page_events_max: connection.is_page().then(|| connection.events_max()),
        };
        self.actions.push(Action::Read(key, request));
    }

    /// Asks a reader thread for a slice of the newest event of each key up to the connection's cursor.
    pub(super) fn ask_snapshot(&mut self, key: ConnectionKey, after: Offset) {
        let Some(connection) = self
            .connections
            .get_mut(key.slot())
            .filter(|c| c.key == key)
        else {
            return;
        };
        connection.reading = true;
        let request = SnapshotRequest {
            scope: self.selectors.scope_of(&connection.memberships),
            types: connection.types.clone(),
            shape: connection.shape,
            coding: connection.coding,
            after,
            through: connection.cursor,
            page_events_max: connection.is_page().then(|| connection.events_max()),
        };
        self.actions.push(Action::Snapshot(key, request));
    }

    /// Hands over answers, at most a turn's share of them.
    pub(super) fn serve_answers(&mut self, now: Now) {
        for _ in 0..REPLAY_SENDS_PER_TURN_MAX {
            let Some((key, answer)) = self.answers.pop_front() else {
                return;
            };
            let Some(connection) = self.connection(key) else {
                continue;
            };
            if !connection.take_read() {
                // It was for what the connection read before; it is read again for what it reads now.
                self.enqueue(key);
                continue;
            }
            match answer {
                Answer::Replayed(replayed) => self.serve_replayed(key, replayed, now),
                Answer::Snapshot(snapshot) => self.serve_snapshot(key, snapshot, now),
                Answer::Failed => self.bid_farewell(key, close::read_failed(), now),
            }
        }
    }

    fn serve_replayed(&mut self, key: ConnectionKey, replayed: Replayed, now: Now) {
        let Some(connection) = self.connection(key) else {
            return;
        };
        if connection.is_page() {
            self.serve_page(key, replayed, now);
            return;
        }
        connection.cursor = replayed.considered;
        if replayed.bytes.is_empty() {
            // A filter that lets little pass must not make a long replay look dead.
            self.say_ping(key, now);
            self.enqueue(key);
            return;
        }
        let Replayed {
            bytes,
            check_sum,
            events,
            considered,
            ..
        } = replayed;
        let block = Block { bytes, check_sum };
        if self.hand_over(key, block, events, considered, now) == Taken::Free {
            self.enqueue(key);
        }
    }

    fn serve_page(&mut self, key: ConnectionKey, replayed: Replayed, now: Now) {
        let Some(connection) = self.connection(key) else {
            return;
        };
        // A gap known from the start comes first; what follows it is the next page.
        if connection.has_gap() && replayed.gap.is_some() {
            let cursor = connection.cursor;
            self.answer_page(key, Bytes::new(), 0, cursor, true, now);
            return;
        }
        if replayed.gap.is_some() {
            connection.seldom().gap = replayed.gap;
        }
        connection.cursor = replayed.considered;
        if replayed.events > 0 || connection.has_gap() || replayed.more {
            let Replayed {
                bytes,
                events,
                considered,
                more,
                ..
            } = replayed;
            self.answer_page(key, bytes, events, considered, more, now);
        } else {
            self.enqueue(key);
        }
    }

    fn serve_snapshot(&mut self, key: ConnectionKey, snapshot: Snapshot, now: Now) {
        let encoder = self.options.encoder.clone();
        let coder = self.options.coder.clone();
        let lineage = self.options.lineage.clone();
        let Some(connection) = self.connection(key) else {
            return;
        };
        let Snapshot {
            mut text,
            events,
            considered,
            more,
        } = snapshot;
        let through = if more { considered } else { connection.cursor };
        if connection.is_page() {
            // Reading on after this slice gives every event of the keys that are left, their newest
            // among them. So the page's cursor claims no more than the page holds, and so does a gap.
            if let Some(gap) = connection
                .seldom
                .as_mut()
                .and_then(|seldom| seldom.gap.as_mut())
            {
                gap.to = lineage.position(through);
            }
            self.answer_page(key, text.into(), events, through, more, now);
            return;
        }
        if more {
            connection.seldom().snapshot_after = Some(considered);
            let block = pack::one(coder.as_ref(), connection.coding, text);
            if self.hand_over(key, block, events, through, now) == Taken::Free {
                self.enqueue(key);
            }
            return;
        }
        connection.snapshot_ends();
        // The events of a snapshot carry no id; the ping after them says where the stream stands.
        let ping = Control::Ping {
            cursor: lineage.position(through),
            time: now.wall,
        };
        if let Some(voice) = connection.voice() {
            encoder.control(voice, &ping, &mut text);
        }
        let block = pack::one(coder.as_ref(), connection.coding, text);
        if self.hand_over(key, block, events, through, now) == Taken::Free {
            self.enqueue(key);
        }
    }
}
