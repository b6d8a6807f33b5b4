//! The reference model: a log as a `Vec`, so simple that it is right.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tidings_core::audience::Key;
use tidings_core::event::{Draft, Event};
use tidings_core::gap::Hole;
use tidings_core::id::EventId;
use tidings_core::port::{AppendError, Bounds, Extent, Page, Query};
use tidings_core::position::Offset;
use tidings_core::scope::{Scope, passes};
use tidings_core::time::Timestamp;

use crate::append::Outcome;
use crate::reading::{events_of, holes_of};

/// What a log should hold, and how long it should remember ids.
#[derive(Debug)]
pub(super) struct Model {
    /// Everything ever committed, removed events included.
    events: Vec<Arc<Event>>,
    removed_through: Offset,
    dedupe_window: Duration,
    ids: BTreeMap<[u8; 16], Remembered>,
}

#[derive(Debug, Clone, Copy)]
struct Remembered {
    content: [u8; 16],
    index: usize,
    used_at: Timestamp,
}

impl Model {
    pub(super) fn new(dedupe_window: Duration) -> Self {
        Self {
            events: Vec::new(),
            removed_through: Offset::ZERO,
            dedupe_window,
            ids: BTreeMap::new(),
        }
    }

    pub(super) fn end(&self) -> Offset {
        self.events
            .last()
            .map_or(Offset::ZERO, |event| event.position.offset)
    }

    pub(super) fn newest_at(&self, through: Offset) -> Option<&Arc<Event>> {
        let at_most = |event: &&Arc<Event>| event.position.offset <= through;
        self.events.iter().take_while(at_most).last()
    }

    /// Compares the outcome of an append with what it must be, and takes it over.
    pub(super) fn check_append(&mut self, group: &[Draft], outcome: &Outcome, now: Timestamp) {
        let window = self.dedupe_window;
        self.ids.retain(|_, known| known.used_at.plus(window) > now);
        let mut ids = self.ids.clone();
        let mut expected = Vec::new();
        let mut next = self.events.len();
        for (index, draft) in group.iter().enumerate() {
            let known = draft
                .dedupe
                .and_then(|key| Some((key, ids.get(&key.publisher_id)?)));
            if let Some((key, known)) = known {
                if key.content != known.content {
                    assert!(
                        matches!(outcome, Err(AppendError::IdReused { index: i, .. }) if *i == index),
                        "draft {index} reuses an id: {outcome:?}"
                    );
                    return;
                }
                expected.push((known.index, true));
                continue;
            }
            if let Some(key) = draft.dedupe {
                let remembered = Remembered {
                    content: key.content,
                    index: next,
                    used_at: now,
                };
                ids.insert(key.publisher_id, remembered);
            }
            expected.push((next, false));
            next += 1;
        }
        let appended = outcome.as_ref().expect("the group is committed");
        assert_eq!(appended.len(), expected.len());
        let last = self
            .events
            .last()
            .map_or(Timestamp(0), |event| event.timestamp);
        for ((answer, draft), (index, duplicate)) in appended.iter().zip(group).zip(expected) {
            assert_eq!(answer.duplicate, duplicate, "{draft:?}");
            if !duplicate {
                assert!(answer.position.offset > self.end(), "{answer:?}");
                assert_eq!(answer.timestamp, now.max(last));
                self.events.push(Arc::new(Event {
                    position: answer.position,
                    timestamp: answer.timestamp,
                    content: draft.content.clone(),
                }));
            }
            let event = self.events.get(index).expect("known");
            assert_eq!(answer.position, event.position);
            assert_eq!(answer.timestamp, event.timestamp);
        }
        self.ids = ids;
    }

    /// Takes over how much was removed, which must be nothing younger than the age.
    pub(super) fn check_bounds(&mut self, bounds: Bounds, now: Timestamp, age: Duration) {
        assert_eq!(bounds.end, self.end());
        assert!(bounds.before_earliest >= self.removed_through, "{bounds:?}");
        assert!(bounds.before_earliest <= bounds.end, "{bounds:?}");
        if let Some(event) = self.newest_at(bounds.before_earliest)
            && event.position.offset > self.removed_through
        {
            assert!(
                event.timestamp.plus(age) <= now,
                "{event:?} was removed early"
            );
        }
        self.removed_through = bounds.before_earliest;
    }

    fn held(&self) -> impl DoubleEndedIterator<Item = &Arc<Event>> {
        let removed_through = self.removed_through;
        self.events
            .iter()
            .filter(move |event| event.position.offset > removed_through)
    }

    fn readable(&self, scope: &Scope) -> impl DoubleEndedIterator<Item = &Arc<Event>> {
        let scope = scope.clone();
        self.held()
            .filter(move |event| scope.matches(&event.content.audience))
    }

    fn last_removed(&self, scope: &Scope) -> Option<Offset> {
        let removed = self.events.iter().rev().filter(|event| {
            event.position.offset <= self.removed_through && scope.matches(&event.content.audience)
        });
        removed.map(|event| event.position.offset).next()
    }

    /// Compares a whole read with what it must find.
    pub(super) fn check_read(&self, query: &Query, page: &Page) {
        let wanted = |event: &&Arc<Event>| {
            event.position.offset > query.after && passes(&query.types, event)
        };
        let expected: Vec<_> = self
            .readable(&query.scope)
            .filter(wanted)
            .cloned()
            .collect();
        assert_eq!(events_of(page), expected, "{query:?}");
        self.check_holes(query, &holes_of(page));
        assert_eq!(page.considered, self.end().max(query.after));
    }

    /// Only a prefix of the log is ever removed here, so there is one hole or none.
    pub(super) fn check_holes(&self, query: &Query, holes: &[Hole]) {
        match self.last_removed(&query.scope) {
            Some(last) if last > query.after => {
                let [hole] = holes else {
                    panic!("one hole through {last} at least: {holes:?}");
                };
                assert!(hole.through >= last, "{hole:?} ends before {last}");
                assert!(hole.through <= self.removed_through, "{hole:?}");
            }
            _ => assert_eq!(holes, [], "nothing is missing after {}", query.after),
        }
    }

    pub(super) fn by_id(&self, scope: &Scope, id: &EventId) -> Option<Arc<Event>> {
        self.readable(scope)
            .rev()
            .find(|event| event.content.id.as_ref() == Some(id))
            .cloned()
    }

    pub(super) fn first_by_id(&self, scope: &Scope, id: &EventId) -> Option<Arc<Event>> {
        self.readable(scope)
            .find(|event| event.content.id.as_ref() == Some(id))
            .cloned()
    }

    pub(super) fn at(&self, scope: &Scope, offset: Offset) -> Option<Arc<Event>> {
        self.readable(scope)
            .find(|event| event.position.offset == offset)
            .cloned()
    }

    pub(super) fn before_time(&self, time: Timestamp) -> Offset {
        let first = self.held().find(|event| event.timestamp >= time);
        first.map_or_else(|| self.end(), |event| event.position.offset.previous())
    }

    /// The whole snapshot.
    pub(super) fn newest_per_key(&self, query: &Query, through: Offset) -> Vec<Arc<Event>> {
        let mut newest: BTreeMap<&Key, &Arc<Event>> = BTreeMap::new();
        for event in self.readable(&query.scope) {
            if event.position.offset <= through && passes(&query.types, event) {
                let keys = event.content.audience.keys().iter();
                let selected = keys.filter(|key| query.scope.matches_key(key));
                newest.extend(selected.map(|key| (key, event)));
            }
        }
        let mut events: Vec<_> = newest.into_values().cloned().collect();
        events.sort_by_key(|event| event.position.offset);
        events.dedup_by_key(|event| event.position.offset);
        events.retain(|event| event.position.offset > query.after);
        events
    }

    pub(super) fn extent(&self, key: &Key) -> Option<Extent> {
        let mut offsets = self
            .held()
            .filter(|event| event.content.audience.keys().contains(key))
            .map(|event| event.position.offset);
        let earliest = offsets.next()?;
        let head = offsets.next_back().unwrap_or(earliest);
        Some(Extent { earliest, head })
    }
}
