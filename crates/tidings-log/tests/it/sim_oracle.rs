//! What a log owes after any accident: the oracle of the crash simulation.
//!
//! It knows every event that anybody was ever told of, by an answer, the feed or a read, and every
//! group whose outcome nobody knows. After each opening it compares all of that with what is there.

mod answers;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tidings_core::event::{Draft, Event};
use tidings_core::gap::GapReason;
use tidings_core::lineage::Standing;
use tidings_core::port::{EventStore, Health, Sequencer};
use tidings_core::position::{Offset, Position};
use tidings_core::scope::Scope;
use tidings_core::time::Timestamp;
use tidings_testkit::reading::{events_of, holes_of, query, read_to_the_end, scope};

use answers::KnownId;

/// A repeat within this time is recognised, one after it is new.
pub(crate) const DEDUPE_WINDOW: Duration = Duration::from_millis(600_500);
/// Nothing younger is removed. Longer than the window, so that no removed event is still recognised.
pub(crate) const AGE: Duration = Duration::from_millis(7_200_500);

/// Everything that the outside world knows of one log.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    /// How many events the log keeps at least, if it may remove younger ones than by age.
    events_max: Option<u64>,
    /// Every event that somebody was told of.
    told: BTreeMap<Offset, Arc<Event>>,
    /// Groups whose outcome is not known, in the order of their calls; only what each would add.
    open: Vec<Vec<Draft>>,
    /// Up to here events may have been removed while there was no space for an index of them: after
    /// a crash nobody can prove what they were not.
    unproven_through: Offset,
    /// Places that somebody may hold as a cursor.
    cursors: Vec<Position>,
    ids: BTreeMap<[u8; 16], KnownId>,
    /// Events that came back although their publisher was never answered, for the counters.
    pub(crate) recovered_unanswered: u64,
    /// Groups that vanished whole, for the counters.
    pub(crate) vanished_groups: u64,
    /// Holes that readers were told of, for the counters.
    pub(crate) holes: u64,
}

impl Oracle {
    /// The oracle of an empty log.
    pub(crate) fn new(events_max: Option<u64>) -> Self {
        Self {
            events_max,
            ..Self::default()
        }
    }

    /// How many events the log keeps at least, if that is limited.
    pub(crate) fn events_max(&self) -> Option<u64> {
        self.events_max
    }

    /// Everything up to here may have been removed without an index.
    pub(crate) fn note_unproven(&mut self, through: Offset) {
        self.unproven_through = self.unproven_through.max(through);
    }

    /// The newest offset that anybody knows.
    pub(crate) fn end(&self) -> Offset {
        self.told.keys().next_back().copied().unwrap_or_default()
    }

    /// An event that somebody was told of.
    pub(crate) fn any_told(&self, choice: u64) -> Option<&Arc<Event>> {
        let count = self.told.len() as u64;
        let index = choice.checked_rem(count)?;
        self.told.values().nth(index as usize)
    }

    /// The events after an offset that somebody was told of.
    pub(crate) fn told_after(&self, after: Offset) -> impl Iterator<Item = &Arc<Event>> {
        self.told.range(after.next()..).map(|(_, event)| event)
    }

    /// Somebody was told of an event. An offset stands for one event for ever.
    pub(crate) fn tell(&mut self, event: &Arc<Event>) {
        let offset = event.position.offset;
        let known = self.told.entry(offset).or_insert_with(|| Arc::clone(event));
        assert_eq!(known, event, "an offset stands for one event for ever");
        self.cursors.push(event.position);
    }

    /// Compares a log that was just opened with all that is known, and settles what was open.
    pub(crate) fn check_opened(
        &mut self,
        sequencer: &dyn Sequencer,
        store: &dyn EventStore,
        now: Timestamp,
    ) {
        assert_eq!(sequencer.health(), Health::Writable);
        let found = self.read_everything(store, now);
        self.settle(&found);
        let end = found
            .last()
            .map_or_else(|| store.bounds().end, |event| event.position.offset);
        assert_eq!(sequencer.end(), end);
        assert_eq!(
            self.end(),
            end,
            "nothing that anybody was told of has vanished from the end"
        );
        self.check_lineage(sequencer);
        self.cursors.push(sequencer.lineage().position(end));
        let opened = sequencer.lineage().epochs().last().copied();
        assert_eq!(opened.map(|(_, first)| first), Some(end.next()));
    }

    /// Reads the whole log: order, and that everything told and not legitimately removed is there.
    pub(crate) fn read_everything(
        &self,
        store: &dyn EventStore,
        now: Timestamp,
    ) -> Vec<Arc<Event>> {
        let page = read_to_the_end(store, &query(Scope::Everything, Offset::ZERO));
        let found = events_of(&page);
        assert!(
            found.is_sorted_by(|a, b| a.timestamp <= b.timestamp),
            "time runs backwards"
        );
        let before_earliest = store.bounds().before_earliest;
        let held = found
            .iter()
            .filter(|event| event.position.offset > before_earliest);
        let held = held.count() as u64;
        let enough_held = self.events_max.is_some_and(|events_max| held >= events_max);
        let mut rest = found.iter().peekable();
        for (offset, event) in &self.told {
            while let Some(_unknown) = rest.next_if(|one| one.position.offset < *offset) {}
            if let Some(one) = rest.next_if(|one| one.position.offset == *offset) {
                assert_eq!(one, event, "an offset stands for one event for ever");
            } else {
                assert!(
                    *offset <= before_earliest && (enough_held || event.timestamp.plus(AGE) <= now),
                    "lost: {event:?}; earliest is after {before_earliest}, it is {now}"
                );
            }
        }
        found
    }

    /// Finds the groups whose outcome was unknown: each whole or absent.
    fn settle(&mut self, found: &[Arc<Event>]) {
        let unknown: Vec<_> = found
            .iter()
            .filter(|event| !self.told.contains_key(&event.position.offset))
            .cloned()
            .collect();
        let mut rest = unknown.as_slice();
        let mut all_so_far = true;
        for group in std::mem::take(&mut self.open) {
            let Some(first) = group.first() else {
                continue;
            };
            let here = rest
                .first()
                .is_some_and(|event| event.content == first.content);
            if !here {
                all_so_far = false;
                self.vanished_groups += 1;
                continue;
            }
            assert!(
                all_so_far,
                "a later group is there and an earlier one is not"
            );
            assert!(
                rest.len() >= group.len(),
                "part of a group: {rest:?} of {group:?}"
            );
            let (events, after) = rest.split_at(group.len());
            rest = after;
            for (draft, event) in group.iter().zip(events) {
                assert_eq!(draft.content, event.content, "part of a group: {group:?}");
                self.recovered_unanswered += 1;
                self.tell(event);
                self.remember(draft, event.position.offset, event.timestamp);
            }
        }
        assert!(rest.is_empty(), "nobody published this: {rest:?}");
    }

    fn check_lineage(&self, sequencer: &dyn Sequencer) {
        let (lineage, end) = (sequencer.lineage(), sequencer.end());
        for cursor in &self.cursors {
            assert_eq!(
                lineage.standing(*cursor, end),
                Standing::Good(cursor.offset),
                "a cursor that was handed out stays good: {cursor}"
            );
        }
        for pair in lineage.epochs().windows(2) {
            let [(epoch, _), (_, next)] = pair else {
                continue;
            };
            let beyond = Position {
                epoch: *epoch,
                offset: *next,
            };
            let last = Position {
                epoch: *epoch,
                offset: next.previous(),
            };
            assert_eq!(lineage.standing(beyond, end), Standing::Rewound(last));
        }
    }

    /// Compares one read with what is known: exactly these events, and a hole only for a loss.
    pub(crate) fn check_read(&mut self, store: &dyn EventStore, selectors: &[&str], after: Offset) {
        let selected = scope(selectors);
        let (page, last, before_earliest) = while_nothing_is_removed(store, || {
            let page = read_to_the_end(store, &query(selected.clone(), after));
            let last = store.removed_after(&selected, after).expect("readable");
            (page, last)
        });
        let wanted = self.told.values().filter(|event| {
            event.position.offset > after && selected.matches(&event.content.audience)
        });
        let (held, removed): (Vec<_>, Vec<_>) = wanted
            .cloned()
            .partition(|event| event.position.offset > before_earliest);
        assert_eq!(events_of(&page), held, "{selectors:?} after {after}");
        let holes = holes_of(&page);
        let is_proven = after >= self.unproven_through;
        let told_rightly = match (holes.as_slice(), removed.last()) {
            ([], None) => true,
            ([hole], Some(last)) => hole.through >= last.position.offset,
            ([hole], None) => !is_proven && hole.through <= self.unproven_through,
            _ => false,
        };
        assert!(
            told_rightly,
            "{holes:?} for {selectors:?} after {after}, removed {removed:?}"
        );
        assert!(holes.iter().all(|hole| hole.reason == GapReason::Retention));
        self.holes += holes.len() as u64;
        assert_eq!(last, holes.last().copied());
    }

    /// Finds one event by its place and by its id.
    pub(crate) fn check_look_up(&self, store: &dyn EventStore, event: &Event) {
        let at = event.position.offset;
        let id = event.content.id.as_ref();
        let (found_at, found_by_id, before_earliest) = while_nothing_is_removed(store, || {
            let found_at = store.at(&Scope::Everything, at).expect("readable");
            let by_id = |id| store.by_id(&Scope::Everything, id).expect("readable");
            (found_at, id.map(by_id))
        });
        let held = |one: &&Arc<Event>| one.position.offset > before_earliest;
        assert_eq!(found_at.as_ref(), self.told.get(&at).filter(held));
        if let Some(found) = found_by_id {
            let same_id = |one: &&Arc<Event>| one.content.id.as_ref() == id;
            let newest = self.told.values().rev().find(same_id).filter(held);
            assert_eq!(found.as_ref(), newest);
        }
    }

    /// A log that takes no more writes shows what it showed before, and nothing of what failed.
    pub(crate) fn check_nothing_else_is_visible(&self, store: &dyn EventStore, now: Timestamp) {
        let found = self.read_everything(store, now);
        let unknown = found
            .iter()
            .find(|event| !self.told.contains_key(&event.position.offset));
        assert_eq!(
            unknown, None,
            "shown although nobody was told that it is committed"
        );
    }
}

/// Looks at a store, again if the keeper removed something meanwhile; with what was removed then.
fn while_nothing_is_removed<A, B>(
    store: &dyn EventStore,
    look: impl Fn() -> (A, B),
) -> (A, B, Offset) {
    loop {
        let before = store.bounds().before_earliest;
        let (a, b) = look();
        if store.bounds().before_earliest == before {
            return (a, b, before);
        }
    }
}
