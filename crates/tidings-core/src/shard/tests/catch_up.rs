//! A shard that missed part of its feed gets in step again, whatever is published meanwhile.

use super::fixture::World;
use crate::limits::SHARD_FEED_BATCHES_MAX;
use crate::position::Offset;
use crate::shard::Begin;

const NOW: Begin = Begin::Now { unknown: false };

#[test]
fn what_is_committed_while_the_answer_is_under_way_is_not_lost() {
    let mut world = World::new(100);
    let reader = world.open(&["a"], &[], NOW);
    world.publish(&[("a", "x")], true);
    world.publish(&[("a", "x")], false);
    // The store is read before the third event, and the answer comes after it.
    world.read_one();
    world.publish(&[("a", "x")], false);
    world.settle();
    assert_eq!(world.offsets(reader), [1, 2, 3]);
    assert_eq!(world.shard.totals().overflows, 1);
}

#[test]
fn catching_up_ends_though_something_is_published_during_every_read() {
    let mut world = World::new(100);
    let reader = world.open(&["a"], &[], NOW);
    world.publish(&[("a", "x")], true);
    world.publish(&[("a", "x")], false);
    let mut counted = 0;
    for _ in 0..10 {
        world.read_one();
        counted += world.publish(&[("a", "x")], false).len();
        world.answer_one();
        world.turn();
        world.take(reader);
    }
    // The first read met the feed; what came after it was taken in as usual.
    assert_eq!(counted, 9);
    assert_eq!(world.shard.head(), Offset(12));
    assert_eq!(world.shard.totals().overflows, 1);
    world.settle();
    assert_eq!(world.offsets(reader), (1..=12).collect::<Vec<_>>());
}

#[test]
fn a_second_hole_in_the_feed_during_the_catch_up_is_read_too() {
    let mut world = World::new(4);
    let reader = world.open(&["a"], &[], NOW);
    for _ in 0..10 {
        world.publish(&[("a", "x"); 2], true);
        world.publish(&[("a", "x")], false);
        world.read_one();
    }
    world.settle();
    assert_eq!(world.offsets(reader), (1..=30).collect::<Vec<_>>());
    assert_eq!(world.shard.totals().overflows, 1);
}

#[test]
fn more_batches_than_may_wait_are_read_from_the_store() {
    const BATCHES: u64 = SHARD_FEED_BATCHES_MAX as u64 * 2 + 10;
    let mut world = World::new(BATCHES as usize * 2);
    let reader = world.open(&["a"], &[], NOW);
    world.publish(&[("a", "x")], true);
    for _ in 1..BATCHES {
        world.publish(&[("a", "x")], false);
    }
    world.settle();
    assert_eq!(world.offsets(reader), (1..=BATCHES).collect::<Vec<_>>());
    // Five events a read, up to the first of those that waited.
    assert!(world.reads as u64 * 5 >= SHARD_FEED_BATCHES_MAX as u64 * 2);
    assert!((world.reads as u64) * 5 < BATCHES + 5);
}

#[test]
fn a_hole_in_the_missed_part_is_told_to_readers_for_whom_nothing_follows() {
    let mut world = World::new(100);
    let quiet = world.open(&["quiet"], &[], NOW);
    world.settle();
    world.publish(&[("quiet", "x"), ("busy", "x")], true);
    world.removed_through = Offset(2);
    world.publish(&[("busy", "x")], false);
    world.settle();
    assert_eq!(world.got[&quiet], ["hello@0:none", "gap..2"]);
}
