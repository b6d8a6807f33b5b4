//! What a reader gets that is given up in the middle of a delivery, in the moment it has room again.

use tidings_core::coding::Coding;
use tidings_core::position::Offset;
use tidings_core::priority::Priority;
use tidings_core::shard::Begin;

use super::log::{filter, scope};
use super::model::{Phase, Plan};
use super::world::{Open, World};
use crate::chunk::Framing;

const PATIENCE_MS: u64 = 10_000;

/// A stream of which this much of an event was taken when its time was over.
fn cut_after(taken: usize, framing: Framing, coding: Coding) {
    let mut world = World::new(10, PATIENCE_MS, 0);
    world.open(Open {
        plan: Plan {
            phases: vec![Phase {
                after: Offset::ZERO,
                scope: scope(&["a"]),
                types: filter(&[]),
            }],
            shape: 0,
            start: Offset::ZERO,
            hello: "hello@0:none".to_owned(),
            gap: None,
            has_snapshot: false,
        },
        begin: Begin::Now { unknown: false },
        framing,
        coding,
        expires_in_ms: None,
        whim: 1,
    });
    world.attach(0);
    world.make_room(0, usize::MAX);
    world.advance(0);
    world.run();
    world.make_room(0, taken);
    world.publish(
        &[("a", "x", Priority::Normal), ("a", "x", Priority::Normal)],
        false,
    );
    world.run();
    let left = world.left(0);
    assert!(left > 0, "the sink is full");
    world.stall(PATIENCE_MS);
    world.make_room(0, usize::MAX);
    world.run();
    let (told, is_whole) = world.readers[0].told(&world.log);
    assert_eq!(told.id, Some(Offset(2)));
    assert_eq!(told.bye.as_deref(), Some("slow_reader"));
    assert!(is_whole, "{taken} bytes were taken before");
}

#[test]
fn n4_who_is_cut_short_in_mid_delivery_gets_the_rest_of_it_before_the_last_word() {
    for taken in 0..6 {
        cut_after(taken, Framing::Chunked, Coding::Identity);
        cut_after(taken, Framing::Chunked, Coding::Gzip);
        cut_after(taken, Framing::UntilClose, Coding::Identity);
        cut_after(taken, Framing::UntilClose, Coding::Zstd);
    }
}
