//! The newest event of each key of a scope, a slice at a time.
//!
//! Offsets are collected first, no more than the slice has room for, and only the events of the slice
//! are read. A type filter makes it necessary to look at events of every key; none of them is kept.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use tidings_core::event::Event;
use tidings_core::port::{NewestPage, Query};
use tidings_core::position::Offset;
use tidings_core::scope::passes;

use crate::floors::Floors;
use crate::index::{KeyEntry, Stretch};
use crate::matcher::Matcher;
use crate::read::{decode, fetch};
use crate::record::RecordHeader;
use crate::segment::{Inventory, Records, Segment};
use crate::shared::Shared;

/// A slice of a snapshot, as the port describes it.
pub(crate) fn newest_per_key(
    shared: &Shared,
    query: &Query,
    through: Offset,
) -> io::Result<NewestPage> {
    // The end before the list: the list holds at least everything up to that end.
    let end = shared.end();
    loop {
        let inventory = shared.inventory();
        let mut search = Search {
            query,
            after: query.after.0,
            through: through.0.min(end),
            matcher: Matcher::new(&query.scope),
            floors: shared.floors(),
            told: HashSet::new(),
            offsets: BTreeSet::new(),
            group: None,
            found_damage: false,
        };
        search.collect(&inventory)?;
        let page = search.slice(&inventory)?;
        if !search.found_damage {
            return Ok(page);
        }
        // What is damaged is known from now on, and the event before it is the newest of its key. It
        // may have had its place in an earlier slice.
        if query.after > Offset::ZERO {
            let cause = "a snapshot met a damaged record; the next one leaves it out";
            return Err(io::Error::new(io::ErrorKind::InvalidData, cause));
        }
    }
}

/// What one call carries along.
struct Search<'a> {
    query: &'a Query,
    after: u64,
    through: u64,
    matcher: Matcher,
    floors: Arc<Floors>,
    /// Keys whose newest event has been found: what older segments hold of them does not count.
    told: HashSet<String>,
    /// The oldest of what has been found: what the slice has room for, and one more.
    offsets: BTreeSet<u64>,
    /// The record read last. Events of one record often follow each other.
    group: Option<(RecordHeader, Bytes)>,
    /// Whether a record that was not known to be damaged is.
    found_damage: bool,
}

impl Search<'_> {
    fn events_max(&self) -> usize {
        // A slice that may hold nothing would never get anywhere.
        self.query.events_max.max(1)
    }

    /// What the slice has room for, and one more that tells whether anything is left.
    fn offsets_max(&self) -> usize {
        self.events_max().saturating_add(1)
    }

    fn collect(&mut self, inventory: &Inventory) -> io::Result<()> {
        let segments = inventory.after(self.after).iter();
        let held: Vec<_> = segments.filter(|segment| segment.is_held()).collect();
        for (index, segment) in held.into_iter().enumerate().rev() {
            // There a key that belongs to a later slice need not be looked at: nothing asks whether
            // it was found.
            let is_oldest = index == 0;
            let mut damaged = segment.index().damaged();
            damaged.extend(segment.found_damaged());
            for (key, entry) in self.candidates(segment)? {
                if is_oldest && self.belongs_later(entry.first) {
                    continue;
                }
                let Some(offset) = self.newest_of(segment, &damaged, &key, entry)? else {
                    continue;
                };
                self.told.insert(key);
                self.offsets.insert(offset);
                if self.offsets.len() > self.offsets_max() {
                    self.offsets.pop_last();
                }
            }
        }
        Ok(())
    }

    fn belongs_later(&self, offset: u64) -> bool {
        let last = self.offsets.last();
        self.offsets.len() == self.offsets_max() && last.is_some_and(|last| *last < offset)
    }

    /// The keys of the scope whose newest event may be in the segment, each once.
    fn candidates(&self, segment: &Segment) -> io::Result<Vec<(String, KeyEntry)>> {
        let mut candidates = segment.ask(|index| {
            let mut candidates = Vec::new();
            self.matcher
                .visit_keys(index, self.after, &mut |key, entry| {
                    if entry.first <= self.through && !self.told.contains(key) {
                        candidates.push((key.to_owned(), entry));
                    }
                    true
                })?;
            Ok(candidates)
        })?;
        // Several patterns may select one key. By place, because neighbours may share a record.
        candidates.sort_unstable_by(|(left, one), (right, other)| {
            (one.last, left).cmp(&(other.last, right))
        });
        candidates.dedup_by(|(left, _), (right, _)| left == right);
        Ok(candidates)
    }

    /// The newest event of a key in a segment that is a part of what is left of the snapshot.
    fn newest_of(
        &mut self,
        segment: &Segment,
        damaged: &[Stretch],
        key: &str,
        entry: KeyEntry,
    ) -> io::Result<Option<u64>> {
        let above = self.floors.of(key).max(self.after);
        let is_damaged = |offset: u64| {
            let holds = |one: &Stretch| (one.from..=one.through).contains(&offset);
            damaged.iter().any(holds)
        };
        let all_types = self.query.types.is_everything();
        if all_types && (above + 1..=self.through).contains(&entry.last) && !is_damaged(entry.last)
        {
            return Ok(Some(entry.last));
        }
        let postings = segment.ask(|index| index.postings(key, above))?;
        for posting in postings.iter().rev() {
            if posting.offset > self.through || is_damaged(posting.offset) {
                continue;
            }
            let wanted = all_types
                || self
                    .read(segment, posting.offset)?
                    .is_some_and(|event| passes(&self.query.types, &event));
            if wanted {
                return Ok(Some(posting.offset));
            }
        }
        Ok(None)
    }

    /// Reads the events of the slice.
    fn slice(&mut self, inventory: &Inventory) -> io::Result<NewestPage> {
        let mut page = NewestPage {
            considered: Offset(self.after.max(self.through)),
            ..NewestPage::default()
        };
        let mut bytes = 0;
        for offset in std::mem::take(&mut self.offsets) {
            let full = !page.events.is_empty() && bytes >= self.query.bytes_max;
            if full || page.events.len() >= self.events_max() {
                let last = page.events.last();
                page.considered = last.map_or(self.query.after, |event| event.position.offset);
                page.more = true;
                break;
            }
            let Some(segment) = inventory.after(offset - 1).first() else {
                continue;
            };
            if let Some(event) = self.read(segment, offset)? {
                bytes += event.content.size_bytes();
                page.events.push(Arc::new(alone(event)));
            }
        }
        Ok(page)
    }

    /// The event at an offset; none if its record is damaged, which is remembered.
    fn read(&mut self, segment: &Segment, offset: u64) -> io::Result<Option<Event>> {
        let holds =
            |(header, _): &(RecordHeader, Bytes)| (header.base..=header.last()).contains(&offset);
        if !self.group.as_ref().is_some_and(holds)
            && let Records::Held(file) = &segment.records
        {
            self.group = fetch(segment, &**file, offset)?;
        }
        let found = self.group.as_ref().and_then(|(header, bytes)| {
            let raw = header.event(bytes, offset)?;
            decode(header, offset, &raw, bytes)
        });
        if found.is_none() {
            self.found_damage = true;
            segment.note_damage(Stretch {
                from: offset,
                through: offset,
            });
        }
        Ok(found)
    }
}

/// The event without the rest of its record, which a slice of events must not keep in memory.
fn alone(mut event: Event) -> Event {
    event.content.data = Bytes::copy_from_slice(&event.content.data);
    event.content.metadata = Bytes::copy_from_slice(&event.content.metadata);
    event
}
