//! Idempotent publishing: a repeat is recognised, and only a repeat.

use std::thread;
use std::time::Duration;

use tidings_core::port::{AppendError, Appended};
use tidings_core::position::Offset;

use super::{Fixture, LogOptions, LogUnderTest};
use crate::append::submit;
use crate::draft::{draft, group};
use crate::recording_feed::Recording;

fn as_duplicate(first: Appended) -> Appended {
    Appended {
        duplicate: true,
        ..first
    }
}

/// A repeat has the position and the time of the first one, however late it comes.
pub fn a_repeat_is_answered_with_the_first_one<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    let first = fixture.append([draft("a").id("x")]);
    fixture.append([draft("a")]);
    for _ in 0..3 {
        fixture.advance_minutes(1);
        let again = fixture.append([draft("a").id("x")]);
        assert_eq!(again, [as_duplicate(first[0])]);
    }
    assert_eq!(fixture.all().len(), 2);
}

/// The new events of a group with a repeat are appended.
pub fn a_repeat_among_new_events_is_the_only_duplicate<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    let first = fixture.append([draft("a").id("x")]);
    let mixed = fixture.append([draft("b"), draft("a").id("x"), draft("c").id("y")]);
    assert_eq!(mixed[1], as_duplicate(first[0]));
    assert!(!mixed[0].duplicate && !mixed[2].duplicate);
    assert!(mixed[0].position.offset < mixed[2].position.offset);
    assert_eq!(fixture.all().len(), 3);
}

/// Also before the first one is committed.
pub fn the_same_id_twice_in_one_group_is_appended_once<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    let appended = fixture.append([draft("a").id("x"), draft("a"), draft("a").id("x")]);
    assert!(!appended[0].duplicate);
    assert_eq!(appended[2], as_duplicate(appended[0]));
    assert_eq!(fixture.all().len(), 2);
}

/// A thousand at the same time are one event, and all are told the same place.
pub fn d16_a_thousand_concurrent_repeats_append_one_event<L: LogUnderTest>() {
    const THREADS: usize = 8;
    const REPEATS_PER_THREAD: usize = 125;
    let fixture = Fixture::<L>::new();
    let answers: Vec<Appended> = thread::scope(|threads| {
        let workers: Vec<_> = (0..THREADS)
            .map(|_| {
                let sequencer = fixture.log.sequencer();
                threads.spawn(move || {
                    let pending: Vec<_> = (0..REPEATS_PER_THREAD)
                        .map(|_| submit(&*sequencer, group([draft("a").id("x")])))
                        .collect();
                    let committed = pending
                        .into_iter()
                        .map(|one| one.wait().expect("committed"));
                    committed.flatten().collect::<Vec<_>>()
                })
            })
            .collect();
        let joined = workers
            .into_iter()
            .map(|worker| worker.join().expect("no panic"));
        joined.flatten().collect()
    });
    assert_eq!(answers.len(), THREADS * REPEATS_PER_THREAD);
    assert_eq!(answers.iter().filter(|one| !one.duplicate).count(), 1);
    let place = (answers[0].position, answers[0].timestamp);
    assert!(
        answers
            .iter()
            .all(|one| (one.position, one.timestamp) == place)
    );
    assert_eq!(fixture.all().len(), 1);
}

/// A repeat in flight waits for the first one: whoever is answered knows that it is out.
pub fn the_reply_of_a_repeat_comes_after_the_first_one_was_fed<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    let recording = Recording::default();
    let sequencer = fixture.log.sequencer();
    sequencer
        .tail(Offset::ZERO, recording.feed())
        .expect("tailed");
    for n in 0..50 {
        let id = format!("x{n}");
        let first = fixture.submit([draft("a").id(&id)]);
        let repeat = fixture.submit([draft("a").id(&id)]);
        let appended = repeat.wait().expect("committed")[0];
        assert!(appended.duplicate);
        assert!(recording.holds(appended.position.offset));
        assert_eq!(
            first.wait().expect("committed")[0].position,
            appended.position
        );
    }
}

/// The refusal names the draft and the event; the rest of the group is forgotten with its ids.
pub fn a_reused_id_is_refused_and_nothing_of_its_group_is_kept<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    let first = fixture.append([draft("a").id("x").data("1")]);
    let refused = fixture.try_append([draft("b").id("y"), draft("a").id("x").data("2")]);
    assert_eq!(
        refused,
        Err(AppendError::IdReused {
            index: 1,
            position: Some(first[0].position)
        })
    );
    assert_eq!(fixture.all().len(), 1);
    let later = fixture.append([draft("b").id("y").data("other")]);
    assert!(
        !later[0].duplicate,
        "an id of a refused group was never used"
    );
}

/// Two contents under one id contradict each other, also in one group.
pub fn a_reused_id_within_one_group_is_refused<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    let refused = fixture.try_append([draft("a").id("x").data("1"), draft("a").id("x").data("2")]);
    assert!(
        matches!(
            refused,
            Err(AppendError::IdReused {
                index: 1,
                position: None
            })
        ),
        "{refused:?}"
    );
    assert_eq!(fixture.end(), Offset::ZERO);
    assert!(!fixture.append([draft("a").id("x").data("2")])[0].duplicate);
}

/// The window is as long as it is said to be.
pub fn an_id_is_forgotten_after_the_window_and_not_before<L: LogUnderTest>() {
    let fixture = Fixture::<L>::with(&LogOptions {
        dedupe_window: Duration::from_secs(600),
        ..LogOptions::default()
    });
    let first = fixture.append([draft("a").id("x").data("1")]);
    fixture.clock.advance(Duration::from_secs(599));
    assert_eq!(
        fixture.append([draft("a").id("x").data("1")]),
        [as_duplicate(first[0])]
    );
    fixture.clock.advance(Duration::from_secs(2));
    let second = fixture.append([draft("a").id("x").data("2")]);
    assert!(!second[0].duplicate);
    assert!(second[0].position.offset > first[0].position.offset);
    let again = fixture.append([draft("a").id("x").data("2")]);
    assert_eq!(again, [as_duplicate(second[0])]);
}

/// The memory of ids has a limit, and forgets the oldest.
pub fn only_so_many_ids_are_remembered<L: LogUnderTest>() {
    let fixture = Fixture::<L>::with(&LogOptions {
        dedupe_ids_max: 100,
        ..LogOptions::default()
    });
    let publish = |n: usize| fixture.append([draft("a").id(&format!("x{n}"))])[0].duplicate;
    for n in 0..300 {
        assert!(!publish(n));
    }
    assert!((201..300).all(publish), "the newest are remembered");
    assert!(!publish(0), "the oldest is forgotten");
}

/// An id is the publisher's own: who and which program belong to it.
pub fn ids_of_different_publishers_never_meet<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    let appended = fixture.append([
        draft("a").id("x").publisher("u1").data("1"),
        draft("a").id("x").publisher("u2").data("2"),
        draft("a").id("x").publisher("u1").source("s").data("3"),
    ]);
    assert!(appended.iter().all(|one| !one.duplicate));
    assert_eq!(fixture.all().len(), 3);
}

/// The same content without an id is said twice on purpose.
pub fn events_without_an_id_are_never_duplicates<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    let appended = fixture.append([draft("a"), draft("a")]);
    assert!(appended.iter().all(|one| !one.duplicate));
    assert_eq!(fixture.all().len(), 2);
}
