//! What a memory log holds, and what retention takes away from it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tidings_core::event::Event;
use tidings_core::id::EventId;
use tidings_core::pattern::Pattern;
use tidings_core::port::Volume;
use tidings_core::position::Offset;
use tidings_core::scope::Scope;
use tidings_core::time::Moment;

use super::postings::Postings;
use super::{MemoryRetention, MemoryRule};

/// The committed events with their indexes.
#[derive(Debug)]
pub(super) struct Contents {
    retention: MemoryRetention,
    /// Without a hole: the first has the offset after `before_earliest`.
    events: VecDeque<Held>,
    before_earliest: Offset,
    size_bytes: usize,
    postings: Postings,
    /// Offsets by publishers' ids, rising.
    ids: HashMap<EventId, VecDeque<Offset>>,
}

/// An event, and when it came by the clock that nobody sets.
#[derive(Debug)]
struct Held {
    event: Arc<Event>,
    since: Moment,
}

impl Held {
    fn is_older_than(&self, age: Option<Duration>, now: Moment) -> bool {
        age.is_some_and(|age| u128::from(now.ms_since(self.since)) >= age.as_millis())
    }
}

impl Contents {
    pub(super) fn new(retention: MemoryRetention) -> Self {
        Self {
            postings: Postings::new(retention.removed_keys_max),
            retention,
            events: VecDeque::new(),
            before_earliest: Offset::ZERO,
            size_bytes: 0,
            ids: HashMap::new(),
        }
    }

    /// The newest committed offset.
    pub(super) fn end(&self) -> Offset {
        Offset(self.before_earliest.0 + self.events.len() as u64)
    }

    /// The offset before the oldest held event.
    pub(super) fn before_earliest(&self) -> Offset {
        self.before_earliest
    }

    /// How much is held, all of it in memory.
    pub(super) fn volume(&self) -> Volume {
        Volume {
            events: self.events.len() as u64,
            bytes: self.size_bytes as u64,
        }
    }

    pub(super) fn postings(&self) -> &Postings {
        &self.postings
    }

    /// The held event at an offset, whether a rule hides it or not.
    pub(super) fn get(&self, offset: Offset) -> Option<&Arc<Event>> {
        self.held(offset).map(|held| &held.event)
    }

    fn held(&self, offset: Offset) -> Option<&Held> {
        let index = offset.0.checked_sub(self.before_earliest.0 + 1)?;
        self.events.get(usize::try_from(index).ok()?)
    }

    /// The held events after an offset.
    pub(super) fn events_after(&self, after: Offset) -> Vec<Arc<Event>> {
        let skipped = after.0.saturating_sub(self.before_earliest.0);
        let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
        let events = self.events.iter().skip(skipped);
        events.map(|held| Arc::clone(&held.event)).collect()
    }

    /// All held events in order of time.
    pub(super) fn partition_point(&self, is_before: impl Fn(&Event) -> bool) -> Offset {
        let count = self.events.partition_point(|held| is_before(&held.event));
        Offset(self.before_earliest.0 + count as u64)
    }

    /// Offsets of a publisher's id, the oldest first.
    pub(super) fn offsets_of_id(&self, id: &EventId) -> impl DoubleEndedIterator<Item = Offset> {
        self.ids.get(id).into_iter().flatten().copied()
    }

    /// Whether a reader of the scope may see an event: one of its addressees is in the scope and not
    /// hidden by a rule.
    pub(super) fn is_visible(&self, scope: &Scope, event: &Event) -> bool {
        event.content.audience.keys().iter().any(|key| {
            scope.matches_key(key)
                && self
                    .postings
                    .get(key)
                    .is_some_and(|posting| !posting.hides(event.position.offset))
        })
    }

    /// Takes committed events in, which follow on the end, and removes what no longer has room.
    pub(super) fn push(&mut self, events: &[Arc<Event>], now: Moment) {
        for event in events {
            let offset = event.position.offset;
            debug_assert_eq!(offset, self.end().next(), "offsets are dense");
            for key in event.content.audience.keys() {
                self.postings.add(key, offset);
            }
            if let Some(id) = &event.content.id {
                self.ids.entry(id.clone()).or_default().push_back(offset);
            }
            self.size_bytes += event.content.size_bytes();
            self.events.push_back(Held {
                event: Arc::clone(event),
                since: now,
            });
        }
        self.remove_what_is_over(now);
        self.trim_by_count(events);
    }

    /// Removes and hides what has outlived its time.
    pub(super) fn run_retention(&mut self, now: Moment) {
        self.remove_what_is_over(now);
        for (name, posting) in self.postings.iter_mut() {
            let lives = lives_of(&self.retention.rules, name);
            let Some(age) = lives.filter_map(|rule| rule.age_max).min() else {
                continue;
            };
            let is_old = |offset: &Offset| {
                let index = offset.0 - self.before_earliest.0 - 1;
                let held = self.events.get(index as usize);
                held.is_some_and(|held| held.is_older_than(Some(age), now))
            };
            let floor = posting.visible().take_while(is_old).last();
            posting.raise_floor(floor.unwrap_or_default());
        }
    }

    fn remove_what_is_over(&mut self, now: Moment) {
        while let Some(oldest) = self.events.front() {
            let over = oldest.is_older_than(self.retention.age_max, now)
                || self.events.len() > self.retention.events_max
                || self.size_bytes > self.retention.bytes_max;
            if !over {
                break;
            }
            self.remove_oldest();
        }
    }

    fn remove_oldest(&mut self) {
        let Some(Held { event, .. }) = self.events.pop_front() else {
            return;
        };
        let offset = event.position.offset;
        self.before_earliest = offset;
        self.size_bytes -= event.content.size_bytes();
        for key in event.content.audience.keys() {
            self.postings.remove(key, offset);
        }
        if let Some(id) = &event.content.id
            && let Some(offsets) = self.ids.get_mut(id)
        {
            offsets.pop_front();
            if offsets.is_empty() {
                self.ids.remove(id);
            }
        }
    }

    /// Hides the oldest events of topics that have more than a rule allows.
    fn trim_by_count(&mut self, events: &[Arc<Event>]) {
        if self.retention.rules.is_empty() {
            return;
        }
        for key in events
            .iter()
            .flat_map(|event| event.content.audience.keys())
        {
            let Some(topic) = key.topic() else {
                continue;
            };
            let lives = lives_of(&self.retention.rules, topic.as_str());
            let Some(events_max) = lives.filter_map(|rule| rule.events_max).min() else {
                continue;
            };
            if let Some(posting) = self.postings.get_mut(key) {
                let floor = posting.visible().rev().nth(events_max);
                posting.raise_floor(floor.unwrap_or_default());
            }
        }
    }
}

/// The rules that hold for a topic. Audiences have none: a pattern never reaches them.
fn lives_of<'a>(rules: &'a [MemoryRule], name: &'a str) -> impl Iterator<Item = &'a MemoryRule> {
    let holds = |pattern: &Pattern| pattern.matches(name);
    rules.iter().filter(move |rule| holds(&rule.pattern))
}
