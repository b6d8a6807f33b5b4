//! What publishers have to be answered: new or a repeat, and of which event.

use std::collections::BTreeMap;
use std::sync::Arc;

use tidings_core::event::{Draft, Event};
use tidings_core::port::{AppendError, Appended};
use tidings_core::position::Offset;
use tidings_core::time::Timestamp;
use tidings_testkit::append::Outcome;

use super::{DEDUPE_WINDOW, Oracle};

/// An id that the log has to recognise.
#[derive(Debug, Clone, Copy)]
pub(super) struct KnownId {
    content: [u8; 16],
    offset: Offset,
    used_at: Timestamp,
}

/// What the answer to one draft has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    New,
    /// The event at this offset.
    Known(Offset),
    /// Whatever becomes of the draft with this number, counted over the whole burst.
    SameAs(usize),
}

/// Groups that were queued one after the other, as far as their answers have been looked at.
#[derive(Debug, Default)]
struct Burst {
    /// What each draft was answered.
    places: Vec<Option<Appended>>,
    /// Ids that were new in this burst: the number of the draft, and its content.
    fresh: BTreeMap<[u8; 16], (usize, [u8; 16])>,
}

impl Burst {
    /// None of a group's drafts got a place, and none of its ids was used.
    fn refuse(&mut self, group: &[Draft]) {
        let first = self.places.len();
        self.fresh.retain(|_, (number, _)| *number < first);
        self.places.extend(group.iter().map(|_| None));
    }
}

impl Oracle {
    /// Takes in the outcomes of groups that were queued in this order, none of them waiting for the
    /// one before.
    pub(crate) fn check_outcomes(&mut self, groups: &[(Vec<Draft>, Outcome)], now: Timestamp) {
        self.ids
            .retain(|_, known| known.used_at.plus(DEDUPE_WINDOW) > now);
        let mut burst = Burst::default();
        for (group, outcome) in groups {
            let (expected, reused) = self.expect(group, &mut burst);
            match outcome {
                Ok(appended) => {
                    assert_eq!(reused, None, "a reused id is refused: {group:?}");
                    assert_eq!(appended.len(), group.len());
                    burst.places.extend(appended.iter().copied().map(Some));
                    self.check_committed(group, &expected, appended, &burst, now);
                }
                Err(AppendError::IdReused { index, .. }) => {
                    assert_eq!(reused, Some(*index), "{group:?}");
                    burst.refuse(group);
                }
                // Refused because of an id of a group that failed: nothing of it is there.
                Err(AppendError::OutcomeUnknown) if reused.is_some() => burst.refuse(group),
                Err(AppendError::OutcomeUnknown) => {
                    burst.places.extend(group.iter().map(|_| None));
                    let added = group.iter().zip(&expected);
                    let added = added.filter(|(_, what)| **what == Expected::New);
                    let added = added.map(|(draft, _)| draft.clone());
                    self.open.push(added.collect());
                }
                Err(
                    AppendError::Busy { .. }
                    | AppendError::Full
                    | AppendError::NotWritable
                    | AppendError::TooLarge { .. },
                ) => burst.refuse(group),
            }
        }
    }

    /// What a group has to be answered, and the first draft that reuses an id.
    fn expect(&self, group: &[Draft], burst: &mut Burst) -> (Vec<Expected>, Option<usize>) {
        let first = burst.places.len();
        let mut reused = None;
        let mut expected = Vec::with_capacity(group.len());
        for (index, draft) in group.iter().enumerate() {
            let Some(key) = draft.dedupe else {
                expected.push(Expected::New);
                continue;
            };
            let (what, content) = if let Some(known) = self.ids.get(&key.publisher_id) {
                (Expected::Known(known.offset), known.content)
            } else if let Some((number, content)) = burst.fresh.get(&key.publisher_id) {
                (Expected::SameAs(*number), *content)
            } else {
                let place = (first + index, key.content);
                burst.fresh.insert(key.publisher_id, place);
                (Expected::New, key.content)
            };
            if content != key.content {
                reused = reused.or(Some(index));
            }
            expected.push(what);
        }
        (expected, reused)
    }

    fn check_committed(
        &mut self,
        group: &[Draft],
        expected: &[Expected],
        appended: &[Appended],
        burst: &Burst,
        now: Timestamp,
    ) {
        for ((draft, what), answer) in group.iter().zip(expected).zip(appended) {
            let offset = answer.position.offset;
            let is_new = *what == Expected::New;
            assert_eq!(answer.duplicate, !is_new, "{draft:?}");
            match what {
                Expected::New => {
                    assert!(offset > self.end(), "offset {offset} of {draft:?}");
                    self.tell(&Arc::new(Event {
                        position: answer.position,
                        timestamp: answer.timestamp,
                        content: draft.content.clone(),
                    }));
                    self.remember(draft, offset, now);
                }
                Expected::Known(known) => assert_eq!(offset, *known, "{draft:?}"),
                Expected::SameAs(number) => {
                    let first = burst.places.get(*number).copied().flatten();
                    let first = first.expect("the first one is committed too");
                    assert_eq!(answer.position, first.position);
                }
            }
            let told = self.told.get(&offset);
            let told = told.map(|event| (event.position, event.timestamp));
            assert_eq!(told, Some((answer.position, answer.timestamp)));
        }
    }

    /// The id of an event has to be recognised from here on.
    pub(super) fn remember(&mut self, draft: &Draft, offset: Offset, used_at: Timestamp) {
        if let Some(key) = draft.dedupe {
            let known = KnownId {
                content: key.content,
                offset,
                used_at,
            };
            self.ids.insert(key.publisher_id, known);
        }
    }
}
