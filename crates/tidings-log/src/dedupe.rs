//! The dedupe window: which publishers' ids have been used lately, and for what.
//!
//! Bounded in time and in count. Offsets are given out in order and committed in order, so an entry
//! is pending exactly while its offset lies beyond the committed end; a write that fails is undone by
//! forgetting everything beyond it.

use std::collections::{HashMap, VecDeque};

use tidings_core::event::DedupeKey;
use tidings_core::position::{Offset, Position};
use tidings_core::time::Timestamp;

/// What the window knows of a publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// The id was not used within the window.
    New,
    /// The same publish has a place, and is durable.
    Committed(Position, Timestamp),
    /// The same publish has a place, and is not durable yet.
    Pending(Position, Timestamp),
    /// The id stands at this place for other content.
    Reused(Position),
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    content: [u8; 16],
    position: Position,
    timestamp: Timestamp,
}

/// One id in the order of use; `used_at` is the time by which it is forgotten.
#[derive(Debug, Clone, Copy)]
struct Use {
    publisher_id: [u8; 16],
    offset: Offset,
    used_at: Timestamp,
}

/// Publishers' ids of the last while.
#[derive(Debug)]
pub struct DedupeWindow {
    window_ms: u64,
    ids_max: usize,
    committed: Offset,
    entries: HashMap<[u8; 16], Entry>,
    /// Oldest first, by rising offset.
    uses: VecDeque<Use>,
}

impl DedupeWindow {
    /// An empty window that remembers for this long, and at most this many committed ids.
    pub fn new(window_ms: u64, ids_max: usize) -> Self {
        Self {
            window_ms,
            ids_max,
            committed: Offset::ZERO,
            entries: HashMap::new(),
            uses: VecDeque::new(),
        }
    }

    /// How many ids are remembered.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no id is remembered.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What is known of a publish.
    pub fn look_up(&self, key: &DedupeKey) -> Known {
        match self.entries.get(&key.publisher_id) {
            None => Known::New,
            Some(entry) if entry.content != key.content => Known::Reused(entry.position),
            Some(entry) if entry.position.offset <= self.committed => {
                Known::Committed(entry.position, entry.timestamp)
            }
            Some(entry) => Known::Pending(entry.position, entry.timestamp),
        }
    }

    /// Remembers a publish that was just given its place, which lies after all places before it.
    /// `used_at` is the time from which the window counts; it need not be the event's timestamp.
    pub fn insert(
        &mut self,
        key: &DedupeKey,
        position: Position,
        timestamp: Timestamp,
        used_at: Timestamp,
    ) {
        self.entries.insert(
            key.publisher_id,
            Entry {
                content: key.content,
                position,
                timestamp,
            },
        );
        self.uses.push_back(Use {
            publisher_id: key.publisher_id,
            offset: position.offset,
            used_at,
        });
    }

    /// Everything up to here is durable.
    pub fn commit(&mut self, through: Offset) {
        self.committed = self.committed.max(through);
    }

    /// Forgets what is not durable, because it will not become so.
    pub fn roll_back(&mut self) {
        while let Some(last) = self.uses.back().copied() {
            if last.offset <= self.committed {
                break;
            }
            self.uses.pop_back();
            self.forget(last);
        }
    }

    /// Forgets what is older than the window, and the oldest beyond the limit. Never forgets what is
    /// pending: its publisher has no answer yet.
    pub fn expire(&mut self, now: Timestamp) {
        while let Some(first) = self.uses.front().copied() {
            let old = first.used_at.0.saturating_add(self.window_ms) <= now.0;
            let pending = first.offset > self.committed;
            if pending || !(old || self.uses.len() > self.ids_max) {
                break;
            }
            self.uses.pop_front();
            self.forget(first);
        }
    }

    /// Removes the entry of a use, unless the id has been used again since.
    fn forget(&mut self, used: Use) {
        let still = self.entries.get(&used.publisher_id);
        if still.is_some_and(|entry| entry.position.offset == used.offset) {
            self.entries.remove(&used.publisher_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use tidings_core::position::Epoch;

    use super::*;

    fn key(id: u8, content: u8) -> DedupeKey {
        DedupeKey {
            publisher_id: [id; 16],
            content: [content; 16],
        }
    }

    fn at(offset: u64) -> Position {
        Position {
            epoch: Epoch::from_bits(1),
            offset: Offset(offset),
        }
    }

    fn insert(window: &mut DedupeWindow, id: u8, offset: u64, time: u64) {
        window.insert(&key(id, 0), at(offset), Timestamp(time), Timestamp(time));
    }

    #[test]
    fn d16_a_repeat_is_pending_until_the_first_is_durable() {
        let mut window = DedupeWindow::new(100, 10);
        assert_eq!(window.look_up(&key(1, 0)), Known::New);
        insert(&mut window, 1, 5, 1_000);
        assert_eq!(
            window.look_up(&key(1, 0)),
            Known::Pending(at(5), Timestamp(1_000))
        );
        window.commit(Offset(5));
        assert_eq!(
            window.look_up(&key(1, 0)),
            Known::Committed(at(5), Timestamp(1_000))
        );
        assert_eq!(window.look_up(&key(1, 9)), Known::Reused(at(5)));
    }

    #[test]
    fn what_never_became_durable_is_forgotten() {
        let mut window = DedupeWindow::new(100, 10);
        insert(&mut window, 1, 1, 0);
        window.commit(Offset(1));
        insert(&mut window, 2, 2, 0);
        insert(&mut window, 3, 3, 0);
        window.roll_back();
        assert_eq!(window.len(), 1);
        assert_eq!(window.look_up(&key(2, 0)), Known::New);
    }

    #[test]
    fn ids_are_forgotten_by_time_and_by_count_but_never_while_pending() {
        let mut window = DedupeWindow::new(100, 2);
        for (id, time) in [(1, 0), (2, 10), (3, 20)] {
            insert(&mut window, id, u64::from(id), time);
        }
        window.expire(Timestamp(1_000));
        assert_eq!(window.len(), 3, "pending");
        window.commit(Offset(3));
        window.expire(Timestamp(30));
        assert_eq!(window.look_up(&key(1, 0)), Known::New, "count");
        assert_eq!(window.len(), 2);
        window.expire(Timestamp(110));
        assert_eq!(window.len(), 1, "time");
        window.expire(Timestamp(120));
        assert!(window.is_empty());
    }
}
