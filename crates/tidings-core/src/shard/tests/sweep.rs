//! What an operator has done to many connections at once.

use super::fixture::{World, holder};
use crate::limits::WORDS_PER_SLICE_MAX;
use crate::shard::{Begin, ConnectionKey, DisconnectReason, Mode, Sweep, Swept};

const NOW: Begin = Begin::Now { unknown: false };

impl World {
    /// All slices of a sweep: how many it was done to, and how many had no room for it.
    fn sweep(&mut self, sweep: &Sweep) -> (u64, u64) {
        let mut sum = Swept {
            next: Some(0),
            ..Swept::default()
        };
        while let Some(from) = sum.next {
            let swept = self.shard.sweep(sweep, from, self.now);
            assert!(swept.done <= WORDS_PER_SLICE_MAX as u64);
            sum.done += swept.done;
            sum.passed_over += swept.passed_over;
            sum.next = swept.next;
        }
        // What has ended is collected.
        self.turn();
        (sum.done, sum.passed_over)
    }

    fn open_taken(&mut self, patterns: &[&str]) -> ConnectionKey {
        let key = self.open(patterns, &[], NOW);
        self.take(key);
        key
    }
}

#[test]
fn streams_are_pinged_out_of_turn_and_their_own_signs_of_life_stay_theirs() {
    let mut world = World::new(100);
    let quiet = world.open_taken(&["a"]);
    let busy = world.open(&["a"], &[], NOW);
    let behind = world.open_taken(&["b"]);
    let page = Mode::Page {
        events_max: 1,
        wait_ms: 50_000,
    };
    world.open_as(&["a"], &[], NOW, page, None);
    world.publish(&[("b", "x"), ("c", "x")], false);
    assert_eq!(world.sweep(&Sweep::Ping), (2, 1));
    world.settle();
    assert_eq!(world.got[&quiet], ["hello@0:none", "ping@2"]);
    // What waits for it is not told as told.
    assert_eq!(world.got[&behind], ["hello@0:none", "ping@0", "1"]);
    assert_eq!(world.got[&busy], ["hello@0:none"]);
    let id = world.ids[&busy];
    assert_eq!(world.shard.ping(id, world.now), Some(true));
    assert_eq!(
        world.shard.ping(id, world.now),
        Some(false),
        "it lies there"
    );
    world.shard.left(busy, world.now);
    assert_eq!(world.shard.ping(id, world.now), None);
}

#[test]
fn a_ping_out_of_turn_takes_no_steady_one_away() {
    let mut world = World::new(100);
    let steady = Mode::Stream {
        heartbeat: crate::shard::Heartbeat {
            every_ms: 10_000,
            is_steady: true,
        },
        voice: crate::port::Voice(0),
    };
    let key = world.open_as(&["a"], &[], NOW, steady, None);
    world.take(key);
    world.advance(5_000);
    assert_eq!(world.sweep(&Sweep::Ping), (1, 0));
    world.settle();
    world.advance(5_000);
    world.settle();
    assert_eq!(world.got[&key], ["hello@0:none", "ping@0", "ping@0"]);
}

#[test]
fn those_that_are_stale_end_and_no_others() {
    let mut world = World::with_patience(100, 10_000);
    let stale = world.open_taken(&["a"]);
    let swift = world.open_taken(&["a"]);
    world.publish(&[("a", "x")], false);
    world.turn();
    world.take(swift);
    world.advance(4_999);
    assert_eq!(world.sweep(&Sweep::EndStale), (0, 0));
    world.advance(1);
    assert_eq!(world.sweep(&Sweep::EndStale), (1, 0));
    assert_eq!(world.closed, [(stale, "slow_reader")]);
    assert_eq!(&world.sunk(stale).bytes[..], b"1;bye@1:slow_reader;");
    assert_eq!(world.sweep(&Sweep::EndStale), (0, 0), "once");
    world.publish(&[("a", "x")], false);
    world.settle();
    assert_eq!(world.offsets(swift), [1, 2]);
}

#[test]
fn all_of_a_subject_end_with_the_reason_and_once() {
    let mut world = World::new(100);
    let mine: Vec<_> = (0..=WORDS_PER_SLICE_MAX)
        .map(|_| world.open_taken(&["a"]))
        .collect();
    let slow = world.open(&["a"], &[], NOW);
    world.holder = holder("other", "token:main:first");
    let others = world.open_taken(&["a"]);
    let reason = DisconnectReason::parse("enough").expect("a reason");
    let subject = holder("reader", "key:k")
        .subject()
        .cloned()
        .expect("somebody");
    let sweep = Sweep::Disconnect(subject, reason);
    assert_eq!(world.sweep(&sweep), (mine.len() as u64 + 1, 0));
    assert_eq!(world.sweep(&sweep), (0, 0), "all are on their way");
    world.settle();
    for key in mine.iter().chain([&slow]) {
        assert_eq!(world.got[key], ["hello@0:none", "bye@0:disconnected"]);
    }
    world.publish(&[("a", "x")], false);
    world.settle();
    assert_eq!(world.offsets(others), [1]);
}
