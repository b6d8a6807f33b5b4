//! The selectors of a shard: each subscribed key or pattern once, with its members and positions.

use std::collections::{HashMap, VecDeque};

use slab::Slab;

use crate::audience::{Audience, Key};
use crate::position::Offset;
use crate::scope::{Scope, Selector};
use crate::shard::trie::Trie;

/// Selectors whose stale positions are dropped per batch, besides those that the batch touches.
const SWEPT_PER_BATCH: usize = 8;

/// One subscribed key or pattern.
#[derive(Debug)]
pub(super) struct Entry {
    selector: Selector,
    /// The slots of the connections that read by it. A connection leaves before its slot is another's.
    pub(super) members: Vec<u32>,
    /// How many members have an event-type filter.
    pub(super) filtered: usize,
    /// Offsets in the window that it matches, rising.
    positions: VecDeque<Offset>,
    /// Matching events up to here may be missing from the positions: evicted, or older than the
    /// selector.
    unknown_through: Offset,
    /// The latest batch for which the members were put into the ready ring.
    pub(super) woken_for: u64,
    /// As above, for a batch with an event that nothing may hold back.
    pub(super) woken_urgently_for: u64,
}

impl Entry {
    /// The first position after a cursor.
    pub(super) fn first_after(&self, cursor: Offset) -> Option<Offset> {
        match self.positions.back() {
            Some(newest) if *newest > cursor => {
                let at = self
                    .positions
                    .partition_point(|position| *position <= cursor);
                self.positions.get(at).copied()
            }
            _ => None,
        }
    }

    /// Where its positions after a cursor begin.
    pub(super) fn index_after(&self, cursor: Offset) -> usize {
        self.positions
            .partition_point(|position| *position <= cursor)
    }

    /// The position of an index.
    pub(super) fn position(&self, index: usize) -> Option<Offset> {
        self.positions.get(index).copied()
    }

    /// Notes a matching event: in the window, or already behind it.
    pub(super) fn note(&mut self, offset: Offset, in_window: bool) {
        if in_window {
            self.positions.push_back(offset);
        } else {
            self.unknown_through = self.unknown_through.max(offset);
        }
    }

    fn forget(&mut self, evicted_through: Offset) {
        while let Some(oldest) = self.positions.front().filter(|at| **at <= evicted_through) {
            self.unknown_through = self.unknown_through.max(*oldest);
            self.positions.pop_front();
        }
    }
}

/// All selectors of a shard.
#[derive(Debug, Default)]
pub(super) struct SelectorTable {
    entries: Slab<Entry>,
    keys: HashMap<Key, u32>,
    patterns: HashMap<Selector, u32>,
    trie: Trie,
    /// Where the sweep of stale positions goes on.
    sweep: usize,
}

impl SelectorTable {
    /// What a connection with these memberships reads.
    pub(super) fn scope_of(&self, memberships: &[(u32, u32)]) -> Scope {
        let selector = |(id, _): &(u32, u32)| Some(self.get(*id)?.selector.clone());
        Scope::new(memberships.iter().filter_map(selector).collect())
    }

    pub(super) fn get(&self, id: u32) -> Option<&Entry> {
        self.entries.get(id as usize)
    }

    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut Entry> {
        self.entries.get_mut(id as usize)
    }

    /// Adds a member to a selector, which begins to take positions at the shard's head. Returns the
    /// selector and the member's place in it.
    pub(super) fn join(
        &mut self,
        selector: &Selector,
        member: u32,
        filtered: bool,
        head: Offset,
    ) -> (u32, u32) {
        let known = match selector {
            Selector::Key(key) => self.keys.get(key),
            Selector::Pattern(_) => self.patterns.get(selector),
        };
        let id = known
            .copied()
            .unwrap_or_else(|| self.intern(selector, head));
        let place = self.entries.get_mut(id as usize).map_or(0, |entry| {
            entry.members.push(member);
            entry.filtered += usize::from(filtered);
            entry.members.len() - 1
        });
        (id, place as u32)
    }

    /// Removes a member from its place. Returns the member that took the place, if one did.
    pub(super) fn leave(&mut self, id: u32, place: u32, filtered: bool) -> Option<u32> {
        let entry = self.entries.get_mut(id as usize)?;
        entry.members.swap_remove(place as usize);
        entry.filtered -= usize::from(filtered);
        let moved = entry.members.get(place as usize).copied();
        if entry.members.is_empty() {
            let entry = self.entries.remove(id as usize);
            match &entry.selector {
                Selector::Key(key) => {
                    self.keys.remove(key);
                }
                Selector::Pattern(pattern) => {
                    self.trie.remove(pattern);
                    self.patterns.remove(&entry.selector);
                }
            }
        }
        moved
    }

    /// Collects the selectors that an audience matches, each once.
    pub(super) fn matching(&self, audience: &Audience, found: &mut Vec<u32>) {
        found.clear();
        for key in audience.keys() {
            if let Some(id) = self.keys.get(key) {
                found.push(*id);
            }
            if let Key::Topic(topic) = key {
                self.trie.matches(topic.as_str(), &mut |id| found.push(id));
            }
        }
        found.sort_unstable();
        found.dedup();
    }

    /// Whether a reader at this cursor finds all it wants of a selector in the window.
    pub(super) fn is_complete_after(
        &mut self,
        id: u32,
        cursor: Offset,
        evicted_through: Offset,
    ) -> bool {
        self.entries.get_mut(id as usize).is_some_and(|entry| {
            // Positions are dropped when somebody looks, not when the window moves: moving it must
            // not cost a step per selector.
            entry.forget(evicted_through);
            cursor >= entry.unknown_through
        })
    }

    /// Sends every reader before an offset to the log.
    pub(super) fn distrust(&mut self, through: Offset) {
        for (_, entry) in &mut self.entries {
            entry.unknown_through = entry.unknown_through.max(through);
        }
    }

    /// Drops positions that the window has let go: of one selector.
    pub(super) fn forget(&mut self, id: u32, evicted_through: Offset) {
        if let Some(entry) = self.entries.get_mut(id as usize) {
            entry.forget(evicted_through);
        }
    }

    /// Drops positions that the window has let go: of the next few selectors, so that those which
    /// no event touches any more do not keep theirs for ever.
    pub(super) fn sweep(&mut self, evicted_through: Offset) {
        for _ in 0..SWEPT_PER_BATCH.min(self.entries.len()) {
            self.sweep = (self.sweep + 1) % self.entries.capacity().max(1);
            if let Some(entry) = self.entries.get_mut(self.sweep) {
                entry.forget(evicted_through);
            }
        }
    }

    /// How many connections read a key.
    pub(super) fn readers_of(&self, key: &Key, seen: &mut Vec<u32>) -> usize {
        let mut found = Vec::new();
        self.matching(&Audience::new(vec![key.clone()]), &mut found);
        seen.clear();
        if let [only] = found.as_slice() {
            return self.get(*only).map_or(0, |entry| entry.members.len());
        }
        for id in found {
            if let Some(entry) = self.get(id) {
                seen.extend_from_slice(&entry.members);
            }
        }
        seen.sort_unstable();
        seen.dedup();
        seen.len()
    }

    /// How many connections read by a pattern.
    pub(super) fn readers_by(&self, pattern: &Selector) -> usize {
        let id = self.patterns.get(pattern);
        let entry = id.and_then(|id| self.get(*id));
        entry.map_or(0, |entry| entry.members.len())
    }

    /// What a selector selects.
    pub(super) fn selector(&self, id: u32) -> Option<&Selector> {
        Some(&self.get(id)?.selector)
    }

    fn intern(&mut self, selector: &Selector, head: Offset) -> u32 {
        let id = self.entries.insert(Entry {
            selector: selector.clone(),
            members: Vec::new(),
            filtered: 0,
            positions: VecDeque::new(),
            unknown_through: head,
            woken_for: 0,
            woken_urgently_for: 0,
        }) as u32;
        match selector {
            Selector::Key(key) => {
                self.keys.insert(key.clone(), id);
            }
            Selector::Pattern(pattern) => {
                self.trie.insert(pattern, id);
                self.patterns.insert(selector.clone(), id);
            }
        }
        id
    }
}
