//! A turn has its share of sends, and replays have theirs of it: intake comes round soon.

use super::fixture::World;
use crate::limits::{REPLAY_SENDS_PER_TURN_MAX, SENDS_PER_TURN_MAX};
use crate::position::Offset;
use crate::shard::{Begin, ConnectionKey};
use crate::start::Replay;

/// So many readers of `a` that have taken their hello, and what the shard has delivered so far.
fn readers(world: &mut World, count: usize, begin: Begin) -> (Vec<ConnectionKey>, u64) {
    let readers: Vec<_> = (0..count).map(|_| world.open(&["a"], &[], begin)).collect();
    for reader in &readers {
        world.take(*reader);
    }
    while world.turn() {}
    (readers, world.shard.totals().deliveries)
}

#[test]
fn a_turn_has_a_limit_of_sends_though_all_have_something_to_get() {
    let mut world = World::new(100);
    let now = Begin::Now { unknown: false };
    let (readers, before) = readers(&mut world, SENDS_PER_TURN_MAX * 2, now);
    world.publish(&[("a", "x")], false);
    for turn in 1..=2 {
        world.turn();
        let sent = world.shard.totals().deliveries - before;
        assert_eq!(sent, (SENDS_PER_TURN_MAX * turn) as u64, "turn {turn}");
    }
    world.settle();
    assert!(readers.iter().all(|reader| world.offsets(*reader) == [1]));
}

#[test]
fn a_turn_has_a_smaller_limit_of_sends_to_those_that_replay() {
    let mut world = World::new(1);
    world.publish(&[("a", "x"), ("a", "x")], false);
    let earliest = Begin::After {
        offset: Offset::ZERO,
        gap: None,
        replay: Replay::Complete,
    };
    let count = REPLAY_SENDS_PER_TURN_MAX * 2;
    let (readers, before) = readers(&mut world, count, earliest);
    // All of their pages have been read before the shard gets to any.
    while world.read_one() {}
    assert_eq!(world.reads, count);
    for _ in &readers {
        world.answer_one();
    }
    for turn in 1..=2 {
        world.turn();
        let sent = world.shard.totals().deliveries - before;
        assert_eq!(
            sent,
            (REPLAY_SENDS_PER_TURN_MAX * turn) as u64,
            "turn {turn}"
        );
    }
    world.settle();
    assert!(
        readers
            .iter()
            .all(|reader| world.offsets(*reader) == [1, 2])
    );
}
