//! The played log: every event that there is, and reading it in small pages.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use tidings_core::audience::{Audience, Key};
use tidings_core::event::{Content, Event};
use tidings_core::event_type::{EventType, TypeFilter, TypeGlob};
use tidings_core::gap::{GapReason, Hole};
use tidings_core::lineage::Lineage;
use tidings_core::pattern::Pattern;
use tidings_core::port::{Encoder, Page, PageItem};
use tidings_core::position::{Epoch, Offset, Position};
use tidings_core::priority::Priority;
use tidings_core::scope::{Scope, Selector, passes};
use tidings_core::shard::{CaughtUp, Framed, Snapshot, SnapshotRequest};
use tidings_core::subscription::Subscription;
use tidings_core::time::Timestamp;

use super::plain::PlainEncoder;

const EPOCH: u64 = 7;

/// Events of one read of a stream, and of one slice of a snapshot: few, so that there are many reads.
const READ_MAX: usize = 5;
const SLICE_MAX: usize = 2;

/// Events that one read looks at.
const LOOKED_AT_MAX: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) events: Vec<Arc<Event>>,
    /// Where what can no longer be read ended, each time that it moved.
    pub(super) removed: Vec<u64>,
}

impl Log {
    pub(super) fn end(&self) -> Offset {
        Offset(self.events.len() as u64)
    }

    pub(super) fn append(
        &mut self,
        keys: &str,
        event_type: &str,
        priority: Priority,
    ) -> Arc<Framed> {
        let offset = Offset(self.end().0 + 1);
        let keys = keys.split('+').map(|key| Key::parse(key).expect("key"));
        let event = Arc::new(Event {
            position: position(offset),
            timestamp: Timestamp(offset.0),
            content: Content {
                id: None,
                event_type: EventType::parse(event_type).expect("type"),
                priority,
                source: "".into(),
                audience: Audience::new(keys.collect()),
                data: Bytes::from_static(b"null"),
                metadata: Bytes::new(),
            },
        });
        self.events.push(event.clone());
        Arc::new(Framed::new(event))
    }

    /// Nothing up to an offset can be read any more.
    pub(super) fn remove(&mut self, through: Offset) {
        let through = through.min(self.end());
        if through > self.removed_through() {
            self.removed.push(through.0);
        }
    }

    pub(super) fn removed_through(&self) -> Offset {
        Offset(self.removed.last().copied().unwrap_or(0))
    }

    /// What a reader is to get, told naively.
    pub(super) fn expected(&self, scope: &Scope, types: &TypeFilter, after: Offset) -> Vec<u64> {
        self.events
            .iter()
            .filter(|event| event.position.offset > after)
            .filter(|event| scope.matches(&event.content.audience) && passes(types, event))
            .map(|event| event.position.offset.0)
            .collect()
    }

    /// The newest event of each key, told naively.
    pub(super) fn newest(&self, scope: &Scope, types: &TypeFilter, through: Offset) -> Vec<u64> {
        let mut newest = HashMap::new();
        for event in &self.events[..through.0 as usize] {
            for key in event.content.audience.keys() {
                if scope.matches_key(key) && passes(types, event) {
                    newest.insert(key, event.position.offset.0);
                }
            }
        }
        let offsets: BTreeSet<u64> = newest.into_values().collect();
        offsets.into_iter().collect()
    }

    pub(super) fn snapshot(&self, request: &SnapshotRequest) -> Snapshot {
        let newest = self.newest(&request.scope, &request.types, request.through);
        let left: Vec<u64> = newest
            .into_iter()
            .filter(|at| *at > request.after.0)
            .collect();
        let slice = &left[..left.len().min(SLICE_MAX)];
        let mut text = Vec::new();
        for offset in slice {
            let event = &self.events[*offset as usize - 1];
            PlainEncoder.event(request.shape, event, None, &mut text);
        }
        let more = left.len() > SLICE_MAX;
        let considered = if more {
            Offset(slice[SLICE_MAX - 1])
        } else {
            request.through
        };
        Snapshot {
            text,
            events: slice.len(),
            considered,
            more,
        }
    }

    pub(super) fn read(&self, scope: &Scope, types: &TypeFilter, after: Offset) -> Page {
        let mut page = Page {
            considered: after,
            ..Page::default()
        };
        let removed_through = self.removed_through();
        if removed_through > after {
            page.items.push(PageItem::Hole(Hole {
                through: removed_through,
                reason: GapReason::Damaged,
            }));
            page.considered = removed_through;
        }
        let from = page.considered.0 as usize;
        for (looked_at, event) in self.events[from..].iter().enumerate() {
            if page.items.len() >= READ_MAX || looked_at >= LOOKED_AT_MAX {
                page.more = true;
                return page;
            }
            page.considered = event.position.offset;
            if scope.matches(&event.content.audience) && passes(types, event) {
                page.items.push(PageItem::Event(event.clone()));
            }
        }
        page
    }

    pub(super) fn missed(&self, after: Offset) -> CaughtUp {
        let page = self.read(&Scope::Everything, &TypeFilter::default(), after);
        let mut found = CaughtUp {
            events: Vec::new(),
            hole_through: None,
            considered: page.considered,
        };
        for item in page.items {
            match item {
                PageItem::Event(event) => found.events.push(Arc::new(Framed::new(event))),
                PageItem::Hole(hole) => found.hole_through = Some(hole.through),
            }
        }
        found
    }
}

pub(super) fn lineage() -> Lineage {
    Lineage::new(vec![(Epoch::from_bits(EPOCH), Offset(1))]).expect("lineage")
}

pub(super) fn position(offset: Offset) -> Position {
    Position {
        epoch: Epoch::from_bits(EPOCH),
        offset,
    }
}

pub(super) fn scope(patterns: &[&str]) -> Scope {
    let selector = |text: &&str| match Key::parse(text) {
        Ok(key) => Selector::Key(key),
        Err(_) => Selector::of(Pattern::parse(text).expect("pattern")),
    };
    Scope::new(patterns.iter().map(selector).collect())
}

pub(super) fn filter(types: &[&str]) -> TypeFilter {
    let glob = |text: &&str| TypeGlob::parse(text).expect("glob");
    TypeFilter::new(types.iter().map(glob).collect()).expect("filter")
}

/// All of these types, without naming what else is asked for.
pub(super) fn all(types: TypeFilter) -> Subscription {
    Subscription {
        patterns: Vec::new(),
        audience: false,
        types,
    }
}
