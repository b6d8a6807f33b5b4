//! Reading a memory log: matching postings merged by offset.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::sync::{Arc, PoisonError, RwLockReadGuard};

use tidings_core::audience::Key;
use tidings_core::event::Event;
use tidings_core::gap::{GapReason, Hole};
use tidings_core::id::EventId;
use tidings_core::port::{
    Bounds, EventStore, Extent, NewestPage, Page, PageItem, Query, ReadError, Volume,
};
use tidings_core::position::Offset;
use tidings_core::scope::{Scope, passes};
use tidings_core::time::Timestamp;

use super::MemoryLog;
use super::contents::Contents;
use super::postings::Posting;

/// One offset that a scope touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Touched {
    /// The scope's reader may see the event.
    Visible(Offset),
    /// The event is there, but rules hide it from this reader.
    Hidden(Offset),
}

impl MemoryLog {
    pub(super) fn contents(&self) -> RwLockReadGuard<'_, Contents> {
        let contents = self.shared.contents.read();
        contents.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contents {
    /// The last offset of the scope that is gone for good or may be.
    fn removed_through(&self, scope: &Scope) -> Offset {
        if *scope == Scope::Everything {
            return self.before_earliest();
        }
        let known = self.postings().selected(scope);
        let last = known.iter().map(|posting| posting.removed_through()).max();
        let forgotten = if scope.selectors().is_empty() {
            Offset::ZERO
        } else {
            self.postings().forgotten_through()
        };
        last.unwrap_or_default().max(forgotten)
    }

    /// The held offsets of a scope after an offset, rising, each once.
    fn touched(&self, scope: &Scope, after: Offset) -> impl Iterator<Item = Touched> {
        let mut streams: Vec<_> = self
            .postings()
            .selected(scope)
            .into_iter()
            .map(|posting| {
                let hidden = move |offset| (offset, posting.hides(offset));
                posting.after(after).map(hidden)
            })
            .collect();
        let mut heads: BinaryHeap<Reverse<(Offset, bool, usize)>> = BinaryHeap::new();
        for (index, stream) in streams.iter_mut().enumerate() {
            heads.extend(
                stream
                    .next()
                    .map(|(offset, hidden)| Reverse((offset, hidden, index))),
            );
        }
        std::iter::from_fn(move || {
            let Reverse((offset, mut all_hidden, _)) = heads.peek().copied()?;
            while let Some(Reverse((next, hidden, index))) = heads.peek().copied()
                && next == offset
            {
                heads.pop();
                all_hidden &= hidden;
                let stream = streams.get_mut(index).and_then(Iterator::next);
                heads.extend(stream.map(|(offset, hidden)| Reverse((offset, hidden, index))));
            }
            Some(if all_hidden {
                Touched::Hidden(offset)
            } else {
                Touched::Visible(offset)
            })
        })
    }

    fn read(&self, query: &Query) -> Page {
        let mut page = Page::default();
        page.more = !self.fill(&mut page, query);
        page.considered = if page.more {
            last_offset(&page, query)
        } else {
            query.after.max(self.end())
        };
        page
    }

    /// Puts what the query finds into the page; false if not all of it had room.
    fn fill(&self, page: &mut Page, query: &Query) -> bool {
        let mut bytes = 0;
        let removed_through = self.removed_through(&query.scope);
        let mut hole = (removed_through > query.after).then_some(removed_through);
        for touched in self.touched(&query.scope, query.after) {
            let offset = match touched {
                Touched::Hidden(offset) => {
                    hole = Some(offset);
                    continue;
                }
                Touched::Visible(offset) => offset,
            };
            let Some(event) = self.get(offset).filter(|event| passes(&query.types, event)) else {
                continue;
            };
            if !push_hole(page, query, hole.take()) {
                return false;
            }
            let full = bytes > 0 && bytes >= query.bytes_max;
            if full || page.items.len() >= query.events_max {
                return false;
            }
            bytes += event.content.size_bytes();
            page.items.push(PageItem::Event(Arc::clone(event)));
        }
        push_hole(page, query, hole)
    }

    fn newest_per_key(&self, query: &Query, through: Offset) -> NewestPage {
        let newest = |posting: &Posting| {
            posting
                .visible()
                .rev()
                .take_while(|offset| *offset > query.after)
                .skip_while(|offset| *offset > through)
                .find(|offset| {
                    let event = self.get(*offset);
                    event.is_some_and(|event| passes(&query.types, event))
                })
        };
        let selected = self.postings().selected(&query.scope);
        let offsets: BTreeSet<Offset> = selected.into_iter().filter_map(newest).collect();
        let mut page = NewestPage {
            considered: query.after.max(through),
            ..NewestPage::default()
        };
        let mut bytes = 0;
        for event in offsets.into_iter().filter_map(|offset| self.get(offset)) {
            let full = bytes > 0 && bytes >= query.bytes_max;
            if full || page.events.len() >= query.events_max {
                let last = page.events.last();
                page.considered = last.map_or(query.after, |event| event.position.offset);
                page.more = true;
                break;
            }
            bytes += event.content.size_bytes();
            page.events.push(Arc::clone(event));
        }
        page
    }
}

/// Puts a hole into the page if there is one; false if it had no room.
fn push_hole(page: &mut Page, query: &Query, through: Option<Offset>) -> bool {
    let Some(through) = through else {
        return true;
    };
    let room = page.items.len() < query.events_max;
    if room {
        page.items.push(PageItem::Hole(retention_hole(through)));
    }
    room
}

/// Up to where a page that is cut short has considered the log: its last item.
fn last_offset(page: &Page, query: &Query) -> Offset {
    match page.items.last() {
        Some(PageItem::Event(event)) => event.position.offset,
        Some(PageItem::Hole(hole)) => hole.through,
        None => query.after,
    }
}

fn retention_hole(through: Offset) -> Hole {
    Hole {
        through,
        reason: GapReason::Retention,
    }
}

impl EventStore for MemoryLog {
    fn read(&self, query: &Query) -> Result<Page, ReadError> {
        Ok(self.contents().read(query))
    }

    fn removed_after(&self, scope: &Scope, after: Offset) -> Result<Option<Hole>, ReadError> {
        let contents = self.contents();
        let removed_through = contents.removed_through(scope);
        let removed = Some(removed_through).filter(|removed| *removed > after);
        let hidden = contents
            .touched(scope, after)
            .filter_map(|touched| match touched {
                Touched::Hidden(offset) => Some(offset),
                Touched::Visible(_) => None,
            });
        Ok(hidden.last().or(removed).map(retention_hole))
    }

    fn by_id(&self, scope: &Scope, id: &EventId) -> Result<Option<Arc<Event>>, ReadError> {
        let contents = self.contents();
        let found = contents
            .offsets_of_id(id)
            .rev()
            .filter_map(|offset| contents.get(offset))
            .find(|event| contents.is_visible(scope, event));
        Ok(found.cloned())
    }

    fn first_by_id(&self, scope: &Scope, id: &EventId) -> Result<Option<Arc<Event>>, ReadError> {
        let contents = self.contents();
        let found = contents
            .offsets_of_id(id)
            .filter_map(|offset| contents.get(offset))
            .find(|event| contents.is_visible(scope, event));
        Ok(found.cloned())
    }

    fn at(&self, scope: &Scope, offset: Offset) -> Result<Option<Arc<Event>>, ReadError> {
        let contents = self.contents();
        let found = contents.get(offset);
        Ok(found
            .filter(|event| contents.is_visible(scope, event))
            .cloned())
    }

    fn before_time(&self, time: Timestamp) -> Result<Offset, ReadError> {
        Ok(self
            .contents()
            .partition_point(|event| event.timestamp < time))
    }

    fn newest_per_key(&self, query: &Query, through: Offset) -> Result<NewestPage, ReadError> {
        Ok(self.contents().newest_per_key(query, through))
    }

    fn extent(&self, key: &Key) -> Result<Option<Extent>, ReadError> {
        let contents = self.contents();
        let Some(posting) = contents.postings().get(key) else {
            return Ok(None);
        };
        let mut held = posting.visible();
        Ok(held.next().map(|earliest| Extent {
            earliest,
            head: held.next_back().unwrap_or(earliest),
        }))
    }

    fn bounds(&self) -> Bounds {
        let contents = self.contents();
        Bounds {
            before_earliest: contents.before_earliest(),
            end: contents.end(),
        }
    }

    fn volume(&self) -> Volume {
        self.contents().volume()
    }
}
