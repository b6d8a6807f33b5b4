//! Tailing: one feed, from any offset, without a gap between what is there and what comes.

use std::thread;

use tidings_core::port::TailError;
use tidings_core::position::Offset;

use super::{Fixture, LogUnderTest};
use crate::append::submit;
use crate::draft::{draft, group};
use crate::recording_feed::Recording;

/// The feed sees the log as a reader of everything does.
pub fn a_tail_feeds_what_is_there_and_then_what_comes<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    for topic in ["a", "b", "@all"] {
        fixture.append([draft(topic)]);
    }
    let recording = Recording::default();
    let sequencer = fixture.log.sequencer();
    sequencer
        .tail(Offset::ZERO, recording.feed())
        .expect("tailed");
    recording.wait_for(3);
    fixture.append(["c", "d"].map(draft));
    assert_eq!(recording.wait_for(5), fixture.all());
}

/// Every offset is a place to begin, the end included.
pub fn a_tail_begins_after_any_offset<L: LogUnderTest>() {
    for after in 0..=4 {
        let fixture = Fixture::<L>::new();
        fixture.append(["a", "b"].map(draft));
        fixture.append(["c", "d"].map(draft));
        let recording = Recording::default();
        let sequencer = fixture.log.sequencer();
        sequencer
            .tail(Offset(after), recording.feed())
            .expect("tailed");
        fixture.append([draft("e")]);
        let expected: Vec<Offset> = (after + 1..=5).map(Offset).collect();
        recording.wait_for(expected.len());
        assert_eq!(recording.offsets(), expected);
    }
}

/// The splice between the past and the present is exact under load.
pub fn a_tail_set_up_among_appends_misses_and_repeats_nothing<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    let recording = Recording::default();
    thread::scope(|threads| {
        for _ in 0..4 {
            let sequencer = fixture.log.sequencer();
            threads.spawn(move || {
                for _ in 0..100 {
                    submit(&*sequencer, group([draft("a"), draft("b")]))
                        .wait()
                        .expect("committed");
                }
            });
        }
        let sequencer = fixture.log.sequencer();
        while sequencer.end() < Offset(100) {
            thread::yield_now();
        }
        sequencer
            .tail(Offset(50), recording.feed())
            .expect("tailed");
    });
    recording.wait_for(750);
    let expected: Vec<Offset> = (51..=800).map(Offset).collect();
    assert_eq!(recording.offsets(), expected);
}

/// One log feeds one hub.
pub fn a_second_tail_is_refused<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    let (first, second) = (Recording::default(), Recording::default());
    let sequencer = fixture.log.sequencer();
    sequencer.tail(Offset::ZERO, first.feed()).expect("tailed");
    let refused = sequencer.tail(Offset::ZERO, second.feed());
    assert!(matches!(refused, Err(TailError::Taken)), "{refused:?}");
    fixture.append([draft("a")]);
    first.wait_for(1);
    assert!(second.events().is_empty());
}

/// What was not appended is not fed.
pub fn duplicates_and_refused_groups_are_not_fed<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    let recording = Recording::default();
    let sequencer = fixture.log.sequencer();
    sequencer
        .tail(Offset::ZERO, recording.feed())
        .expect("tailed");
    fixture.append([draft("a").id("x")]);
    fixture.append([draft("a").id("x")]);
    assert!(fixture.try_append([draft("a").id("x").data("2")]).is_err());
    fixture.append([draft("b"), draft("a").id("x")]);
    assert_eq!(recording.wait_for(2), fixture.all());
    assert!(recording.batches().iter().all(|batch| !batch.is_empty()));
}
