//! Gathering: the events after a cursor as bytes, shared by all who stand at the same place.
//!
//! In steady state nothing is allocated here: one event is handed out as it lies in the window, and
//! several are copied together into a buffer that is used again when everybody has sent them.

use bytes::{Bytes, BytesMut};

use crate::coding::Coding;
use crate::event_type::TypeFilter;
use crate::limits::{LARGE_FRAME_BYTES, SEND_BYTES_MAX};
use crate::port::{Coder, Encoder, Shape};
use crate::position::Offset;
use crate::scope::passes;
use crate::shard::connection::Connection;
use crate::shard::pack::Block;
use crate::shard::selectors::SelectorTable;
use crate::shard::window::Window;

/// Positions looked at in one gathering, so that a filter that lets little pass cannot hold a turn.
const CONSIDERED_MAX: usize = 4_096;

/// Positions after which a turn ends: a few milliseconds of matching event types.
pub(super) const CONSIDERED_PER_TURN_MAX: u64 = 16 * CONSIDERED_MAX as u64;

/// What lies after a cursor.
#[derive(Debug, Clone, Default)]
pub(super) struct Gathered {
    pub(super) block: Block,
    pub(super) events: usize,
    /// The last offset that was considered.
    pub(super) through: Offset,
    /// Whether there is more after it now.
    pub(super) more: bool,
}

/// Where a gathering begins and what shapes it; equal places give equal bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Place {
    /// The selectors that have something after the cursor, each with its first position there.
    from: Vec<(u32, Offset)>,
    types: TypeFilter,
    shape: Option<Shape>,
    coding: Coding,
    events_max: usize,
}

/// What a gathering reads from.
pub(super) struct Source<'a> {
    pub(super) selectors: &'a SelectorTable,
    pub(super) window: &'a Window,
    pub(super) head: Offset,
    pub(super) encoder: &'a dyn Encoder,
    pub(super) coder: &'a dyn Coder,
}

/// The latest gathering, for the next reader in the same place. Void once a batch is taken in or a
/// selector may have changed its number.
#[derive(Debug, Default)]
pub(super) struct GatherMemo {
    /// Where the latest gathering began, if it still holds.
    place: Place,
    is_valid: bool,
    latest: Gathered,
    /// Where the reader in hand stands; becomes the place of the next gathering.
    candidate: Place,
    /// How many positions have been looked at since the shard began.
    considered: u64,
    scratch: Scratch,
}

/// Buffers that are used again and again.
#[derive(Debug, Default)]
struct Scratch {
    /// The contributing selectors, each with the index of its next position.
    sources: Vec<(u32, usize)>,
    frames: Vec<Bytes>,
    out: BytesMut,
    text: Vec<u8>,
    packed: Vec<u8>,
}

impl GatherMemo {
    pub(super) fn clear(&mut self) {
        self.is_valid = false;
    }

    pub(super) fn considered(&self) -> u64 {
        self.considered
    }

    /// The events after a connection's cursor, or none if there is nothing to consider.
    pub(super) fn gather<S>(
        &mut self,
        connection: &Connection<S>,
        source: &Source<'_>,
    ) -> Option<Gathered> {
        let from = &mut self.candidate.from;
        from.clear();
        from.extend(connection.memberships.iter().filter_map(|(id, _)| {
            let first = source.selectors.get(*id)?.first_after(connection.cursor)?;
            Some((*id, first))
        }));
        if from.is_empty() {
            return None;
        }
        let candidate = &mut self.candidate;
        if candidate.types != connection.types {
            candidate.types = connection.types.clone();
        }
        candidate.shape = Some(connection.shape);
        candidate.coding = connection.coding;
        candidate.events_max = connection.events_max();
        if !self.is_valid || self.place != self.candidate {
            // Let go of the last one first: its buffer may be free then.
            self.latest = Gathered::default();
            let considered;
            (self.latest, considered) = self.scratch.collect(&self.candidate, connection, source);
            self.considered += considered as u64;
            std::mem::swap(&mut self.place, &mut self.candidate);
            self.is_valid = true;
        }
        Some(self.latest.clone())
    }
}

impl Scratch {
    fn collect<S>(
        &mut self,
        place: &Place,
        connection: &Connection<S>,
        source: &Source<'_>,
    ) -> (Gathered, usize) {
        self.frames.clear();
        self.sources.clear();
        self.sources.extend(place.from.iter().filter_map(|(id, _)| {
            let entry = source.selectors.get(*id)?;
            Some((*id, entry.index_after(connection.cursor)))
        }));
        let mut size = 0;
        let mut through = connection.cursor;
        let mut more = false;
        let mut considered = 0;
        while let Some(offset) = next_position(&mut self.sources, source.selectors) {
            let full = self.frames.len() >= place.events_max || size >= SEND_BYTES_MAX;
            if full || considered >= CONSIDERED_MAX {
                more = true;
                break;
            }
            // The caller has dropped the positions whose events have left the window.
            let framed = source.window.get(offset);
            if let Some(framed) = framed.filter(|framed| passes(&place.types, framed.event())) {
                let frame = framed.frame(connection.shape, source.encoder);
                let is_large = frame.len() >= LARGE_FRAME_BYTES;
                if is_large && !self.frames.is_empty() {
                    // It goes by itself, uncopied, the next time.
                    more = true;
                    break;
                }
                size += frame.len();
                self.frames.push(frame);
                if is_large {
                    size = SEND_BYTES_MAX;
                }
            }
            considered += 1;
            through = offset;
        }
        let gathered = Gathered {
            events: self.frames.len(),
            block: self.block(place.coding, source.coder),
            through: if more { through } else { source.head },
            more,
        };
        (gathered, considered)
    }

    /// The frames as one block.
    fn block(&mut self, coding: Coding, coder: &dyn Coder) -> Block {
        if coding != Coding::Identity {
            self.text.clear();
            for frame in self.frames.drain(..) {
                self.text.extend_from_slice(&frame);
            }
            if self.text.is_empty() {
                return Block::default();
            }
            self.packed.clear();
            let check_sum = coder.block(coding, &self.text, &mut self.packed);
            self.make_room(self.packed.len());
            self.out.extend_from_slice(&self.packed);
            return Block {
                bytes: self.out.split().freeze(),
                check_sum,
            };
        }
        let bytes = match self.frames.len() {
            0 => Bytes::new(),
            // One event is handed over as it lies in the window.
            1 => self.frames.pop().unwrap_or_default(),
            _ => {
                self.make_room(self.frames.iter().map(Bytes::len).sum());
                for frame in self.frames.drain(..) {
                    self.out.extend_from_slice(&frame);
                }
                self.out.split().freeze()
            }
        };
        Block {
            bytes,
            ..Block::default()
        }
    }

    /// Room for so many bytes: in the buffer of the block before, if nobody holds it any more. The
    /// room is always that of a whole send, so that the next block fits as well.
    fn make_room(&mut self, bytes: usize) {
        if self.out.capacity() < bytes && !self.out.try_reclaim(bytes) {
            self.out = BytesMut::with_capacity(bytes.max(SEND_BYTES_MAX + LARGE_FRAME_BYTES));
        }
    }
}

/// The next position of all sources in order, each position once.
fn next_position(sources: &mut [(u32, usize)], selectors: &SelectorTable) -> Option<Offset> {
    let position = |(id, index): &(u32, usize)| selectors.get(*id)?.position(*index);
    let next = sources.iter().filter_map(position).min()?;
    for source in sources {
        if position(source) == Some(next) {
            source.1 += 1;
        }
    }
    Some(next)
}
