//! What is shared and what is not held back: packed blocks, urgent events, lingering.

use super::fixture::World;
use crate::coding::Coding;
use crate::limits::SENDS_PER_TURN_MAX;
use crate::position::Offset;
use crate::shard::Begin;
use crate::start::Replay;

const NOW: Begin = Begin::Now { unknown: false };

/// All that a reader was given, as it went out.
fn text(world: &World, key: crate::shard::ConnectionKey) -> String {
    // The fixture cuts it into words.
    world.got[&key].join(";").replace(";>;<", ";><")
}

#[test]
fn everything_in_a_packed_stream_is_packed_from_its_beginning_to_its_end() {
    let mut world = World::new(2);
    world.publish(&[("a", "x"), ("a", "x"), ("a", "x")], false);
    world.coding = Coding::Gzip;
    let begin = Begin::After {
        offset: Offset::ZERO,
        gap: None,
        replay: Replay::Complete,
    };
    let reader = world.open(&["a"], &[], begin);
    world.settle();
    world.publish(&[("a", "x"), ("a", "x")], false);
    world.settle();
    world.advance(15_000);
    world.settle();
    world.drain();
    world.settle();
    let plain = "hello@0:complete;1;2;3;4;5;ping@5;bye@5:drain;";
    let expected = format!(
        "(<hello@0:complete;><1;2;3;><4;5;><ping@5;><bye@5:drain;>{})",
        plain.len()
    );
    assert_eq!(text(&world, reader), expected);
}

#[test]
fn readers_of_different_codings_share_no_block() {
    let mut world = World::new(10);
    let plain = world.open(&["a"], &[], NOW);
    world.coding = Coding::Zstd;
    let packed = world.open(&["a"], &[], NOW);
    world.settle();
    world.publish(&[("a", "x"), ("a", "x")], false);
    world.settle();
    assert_eq!(text(&world, plain), "hello@0:none;1;2");
    assert_eq!(text(&world, packed), "(<hello@0:none;><1;2;>");
}

#[test]
fn events_wait_for_others_and_urgent_ones_take_them_along() {
    let mut world = World::with_times(100, u64::MAX, 20);
    let reader = world.open(&["a"], &[], NOW);
    let other = world.open(&["b"], &[], NOW);
    world.settle();
    world.advance(20);
    world.settle();
    world.publish(&[("a", "x"), ("b", "x")], false);
    assert!(!world.turn(), "the ring rests");
    world.advance(19);
    world.turn();
    assert!(!world.take(reader), "not yet");
    world.publish(&[("a", "x")], false);
    world.turn();
    world.advance(1);
    world.turn();
    assert!(world.take(reader));
    assert!(world.take(other));
    assert_eq!(world.last[&reader].events, 2, "they shared a delivery");

    world.publish(&[("a", "x"), ("b", "x")], false);
    world.turn();
    assert!(!world.take(reader));
    // Critical: it goes at once, with what waits before it, for its own readers alone.
    world.publish(&[("a", "x!")], false);
    world.turn();
    assert!(world.take(reader));
    assert_eq!(world.last[&reader].events, 2);
    assert!(!world.take(other));
    world.advance(20);
    world.turn();
    assert!(world.take(other));
    assert_eq!(world.offsets(reader), [1, 3, 4, 6]);
}

#[test]
fn readers_of_urgent_events_are_served_before_those_who_waited_longer() {
    let mut world = World::new(1_000);
    let many: Vec<_> = (0..600).map(|_| world.open(&["a"], &[], NOW)).collect();
    let one = world.open(&["b"], &[], NOW);
    world.settle();
    world.publish(&[("a", "x")], false);
    world.publish(&[("b", "x!")], false);
    assert!(world.turn(), "there are more readers than sends in a turn");
    assert!(world.take(one));
    assert_eq!(world.offsets(one), [2]);
    world.settle();
    assert!(many.iter().all(|reader| world.offsets(*reader) == [1]));
}

#[test]
fn what_was_gathered_for_one_is_not_all_that_there_is_for_the_next() {
    let mut world = World::new(100);
    let swift = world.open(&["a"], &[], NOW);
    let slow = world.open(&["a"], &[], NOW);
    world.settle();
    world.publish(&[("a", "x")], false);
    world.turn();
    world.take(swift);
    world.publish(&[("a", "x")], false);
    world.turn();
    assert_eq!(&world.sunk(swift).bytes[..], b"2;");
    world.take(slow);
    world.publish(&[("a", "x")], false);
    world.turn();
    assert_eq!(&world.sunk(slow).bytes[..], b"2;3;");
}

#[test]
fn a_large_event_goes_by_itself() {
    let mut world = World::new(100);
    let reader = world.open(&["a"], &[], NOW);
    world.settle();
    world.publish(&[("a", "x"), ("a", "large"), ("a", "x"), ("a", "x")], false);
    let mut events = Vec::new();
    for _ in 0..3 {
        world.turn();
        assert!(world.take(reader));
        events.push(world.last[&reader].events);
    }
    assert_eq!(events, [1, 1, 2]);
    world.settle();
    assert_eq!(world.offsets(reader), [1, 2, 3, 4]);
}

#[test]
fn an_urgent_event_that_finds_a_full_sink_goes_out_as_soon_as_there_is_room() {
    let mut world = World::with_times(100, u64::MAX, 20);
    let reader = world.open(&["a"], &[], NOW);
    world.publish(&[("a", "x!")], false);
    world.turn();
    world.take(reader);
    assert!(!world.turn());
    assert_eq!(&world.sunk(reader).bytes[..], b"1;");
}

#[test]
fn a_reader_whose_events_are_urgent_by_turns_stands_in_each_ring_once() {
    let mut world = World::with_times(100, u64::MAX, 100);
    let reader = world.open(&["a"], &[], NOW);
    world.settle();
    for _ in 0..30 {
        world.publish(&[("a", "x")], false);
        world.publish(&[("a", "x!")], false);
        assert!(!world.turn(), "the ring rests");
        world.take(reader);
        assert!(world.shard.ready.len() <= 1, "{:?}", world.shard.ready);
    }
    world.publish(&[("a", "x")], false);
    world.advance(100);
    world.settle();
    assert_eq!(world.offsets(reader).len(), 61);
}

#[test]
fn however_many_events_are_urgent_the_others_have_their_turn() {
    let mut world = World::new(10_000);
    let patient = world.open(&["a"], &[], NOW);
    let urgent: Vec<_> = (0..SENDS_PER_TURN_MAX + 10)
        .map(|_| world.open(&["b"], &[], NOW))
        .collect();
    world.settle();
    world.publish(&[("a", "x")], false);
    for _ in 0..10 {
        world.publish(&[("b", "x!")], false);
        assert!(world.turn(), "there is always something urgent");
        for reader in &urgent {
            world.take(*reader);
        }
    }
    assert_eq!(&world.sunk(patient).bytes[..], b"1;");
}

#[test]
fn what_lies_behind_does_not_wait_for_what_may_come() {
    let mut world = World::with_times(2, u64::MAX, 20);
    world.publish(&[("a", "x"); 30], false);
    let begin = Begin::After {
        offset: Offset::ZERO,
        gap: None,
        replay: Replay::Complete,
    };
    let reader = world.open(&["a"], &[], begin);
    // Without any time going by.
    world.settle();
    assert_eq!(world.offsets(reader).len(), 30);
    assert!(world.reads > 3, "it came in parts");
}
