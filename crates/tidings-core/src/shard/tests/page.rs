//! Pages: polls and long polls are connections that end with their first delivery.

use super::fixture::World;
use crate::gap::GapReason;
use crate::position::Offset;
use crate::shard::{Begin, ConnectionKey, Mode};
use crate::start::Replay;

fn open(world: &mut World, after: Option<u64>, events_max: u32, wait_ms: u32) -> ConnectionKey {
    let begin = match after {
        None => Begin::Now { unknown: true },
        Some(offset) => Begin::After {
            offset: Offset(offset),
            gap: None,
            replay: Replay::Complete,
        },
    };
    world.open_as(
        &["a"],
        &[],
        begin,
        Mode::Page {
            events_max,
            wait_ms,
        },
        None,
    )
}

#[test]
fn a_poll_is_answered_at_once_even_if_there_is_nothing() {
    let mut world = World::new(100);
    world.publish(&[("b", "x"), ("b", "x")], false);
    let poll = open(&mut world, Some(0), 10, 0);
    world.settle();
    let page = &world.last[&poll];
    assert_eq!(
        (page.events, page.cursor.offset, page.more),
        (0, Offset(2), false)
    );
    assert_eq!(world.closed, [(poll, "answered")]);
}

#[test]
fn a_page_holds_no_more_than_asked_and_says_that_there_is_more() {
    let mut world = World::new(100);
    world.open(&["a"], &[], Begin::Now { unknown: false });
    world.publish(&[("a", "x"); 5], false);
    let poll = open(&mut world, Some(1), 3, 0);
    world.settle();
    assert_eq!(world.offsets(poll), [2, 3, 4]);
    let page = &world.last[&poll];
    assert_eq!((page.cursor.offset, page.more), (Offset(4), true));
}

#[test]
fn a_long_poll_waits_for_the_first_event_and_no_longer_than_asked() {
    let mut world = World::new(100);
    let lucky = open(&mut world, Some(0), 10, 25_000);
    let unlucky = world.open_as(
        &["quiet"],
        &[],
        Begin::After {
            offset: Offset(0),
            gap: None,
            replay: Replay::Complete,
        },
        Mode::Page {
            events_max: 10,
            wait_ms: 25_000,
        },
        None,
    );
    world.settle();
    assert!(world.closed.is_empty());
    world.publish(&[("a", "x")], false);
    world.settle();
    assert_eq!(world.offsets(lucky), [1]);
    assert_eq!(world.closed, [(lucky, "answered")]);
    world.advance(25_000);
    world.settle();
    let page = &world.last[&unlucky];
    assert_eq!((page.events, page.cursor.offset), (0, Offset(1)));
}

#[test]
fn a_gap_is_told_at_once_though_the_poll_would_wait() {
    let mut world = World::new(100);
    world.publish(&[("a", "x")], false);
    let poll = open(&mut world, None, 10, 25_000);
    world.settle();
    let gap = world.last[&poll].gap.expect("gap");
    assert_eq!(
        (gap.from, gap.to.offset, gap.reason),
        (None, Offset(1), GapReason::Unknown)
    );
}

#[test]
fn a_page_of_the_newest_claims_no_more_than_it_holds() {
    let mut world = World::new(100);
    let keys = ["a/1", "a/2", "a/3", "a/2", "a/4", "b", "a/4"];
    world.publish(&keys.map(|key| (key, "x")), false);
    let mode = Mode::Page {
        events_max: 2,
        wait_ms: 25_000,
    };
    let poll = |world: &mut World, begin| {
        let poll = world.open_as(&["a/*"], &[], begin, mode, None);
        world.settle();
        poll
    };
    let first = poll(&mut world, Begin::Last { unknown: true });
    assert_eq!(world.got[&first], ["1?", "3?"]);
    let page = &world.last[&first];
    assert_eq!((page.cursor.offset, page.more), (Offset(3), true));
    let gap = page.gap.expect("its cursor meant nothing");
    assert_eq!((gap.from, gap.to.offset), (None, Offset(3)));

    // Whatever is left comes, with what else has happened to those keys.
    let after = Begin::After {
        offset: Offset(3),
        gap: None,
        replay: Replay::Complete,
    };
    let second = poll(&mut world, after);
    assert_eq!(world.offsets(second), [4, 5]);

    let small = world.open_as(
        &["a/1", "a/4"],
        &[],
        Begin::Last { unknown: false },
        mode,
        None,
    );
    world.settle();
    assert_eq!(world.got[&small], ["1?", "7?"]);
    let page = &world.last[&small];
    assert_eq!((page.cursor.offset, page.more), (Offset(7), false));
}

#[test]
fn filters_that_let_nothing_pass_cannot_hold_a_turn() {
    const READERS: usize = 40;
    let mut world = World::new(10_000);
    world.open(&["a"], &[], Begin::Now { unknown: false });
    world.publish(&vec![("a", "x"); 5_000], false);
    for reader in 0..READERS {
        // A filter of its own each, so that nobody shares another's work.
        let begin = Begin::After {
            offset: Offset(0),
            gap: None,
            replay: Replay::Complete,
        };
        let mode = Mode::Page {
            events_max: 10,
            wait_ms: 0,
        };
        world.open_as(&["a"], &[&format!("never{reader}.*")], begin, mode, None);
    }
    assert!(world.turn(), "there is more to do");
    assert!(world.closed.len() < READERS, "all was done in one turn");
    while world.turn() {}
    assert_eq!(world.closed.len(), READERS);
    for (page, _) in &world.closed {
        assert_eq!(world.sunk(*page).cursor.offset, Offset(5_000));
    }
}

#[test]
fn a_page_of_no_events_still_moves_on() {
    let mut world = World::new(100);
    world.open(&["a"], &[], Begin::Now { unknown: false });
    world.publish(&[("a", "x"); 2], false);
    let poll = open(&mut world, Some(0), 0, 0);
    world.settle();
    assert_eq!(world.offsets(poll), [1]);
    assert!(world.last[&poll].more);
}
