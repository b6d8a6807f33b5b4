//! What streams are told, one behaviour each.

use super::fixture::World;
use crate::audience::Key;
use crate::limits::REAUTH_NOTICE_MS;
use crate::port::Voice;
use crate::position::Offset;
use crate::scope::Selector;
use crate::shard::{Begin, DrainPlan, Heartbeat, Mode};
use crate::start::Replay;
use crate::time::Timestamp;

const NOW: Begin = Begin::Now { unknown: false };

fn after(offset: u64) -> Begin {
    Begin::After {
        offset: Offset(offset),
        gap: None,
        replay: Replay::Complete,
    }
}

#[test]
fn hello_is_first_and_says_where_the_stream_starts() {
    let mut world = World::new(100);
    world.publish(&[("a", "x"), ("a", "x")], false);
    let live = world.open(&["a"], &[], NOW);
    let resumed = world.open(&["a"], &[], after(1));
    let foreign = world.open(&["a"], &[], Begin::Now { unknown: true });
    world.settle();
    assert_eq!(world.got[&live], ["hello@2:none"]);
    assert_eq!(world.got[&resumed], ["hello@1:complete", "2"]);
    assert_eq!(world.got[&foreign], ["hello@2:gap", "gap..2"]);
}

#[test]
fn a_match_is_counted_once_for_each_connection() {
    let mut world = World::new(100);
    world.open(&["a", "**", "@all"], &[], NOW);
    world.open(&["a"], &["x"], NOW);
    world.open(&["b"], &[], NOW);
    assert_eq!(
        world.publish(&[("a", "x"), ("a", "y"), ("a", "y!")], false),
        [2, 1, 2]
    );
    assert_eq!(
        world.publish(&[("a+b+@all", "x"), ("c", "x")], false),
        [3, 1]
    );
    assert_eq!(
        world
            .shard
            .readers_by(&Selector::Key(Key::parse("a").expect("key"))),
        2
    );
}

#[test]
fn a_reader_behind_the_window_returns_to_the_log() {
    let mut world = World::new(2);
    let slow = world.open(&["a"], &[], NOW);
    for _ in 0..5 {
        world.publish(&[("a", "x"), ("b", "x")], false);
        world.turn();
    }
    assert_eq!(world.reads, 0);
    world.settle();
    assert!(world.reads > 0, "the log was not read");
    assert_eq!(world.offsets(slow), [1, 3, 5, 7, 9]);
}

#[test]
fn a_quiet_reader_needs_no_log_however_far_the_window_moves() {
    let mut world = World::new(2);
    let quiet = world.open(&["quiet"], &[], NOW);
    for _ in 0..50 {
        world.publish(&[("busy", "x")], false);
        world.settle();
    }
    world.publish(&[("quiet", "x")], false);
    world.settle();
    assert_eq!(world.offsets(quiet), [51]);
    assert_eq!(world.reads, 0);
}

#[test]
fn a_silent_stream_is_told_the_head_by_pings() {
    let mut world = World::new(100);
    let quiet = world.open(&["quiet"], &[], NOW);
    world.settle();
    world.publish(&[("busy", "x"), ("busy", "x")], false);
    world.advance(15_000);
    world.settle();
    assert_eq!(world.got[&quiet], ["hello@0:none", "ping@2"]);
}

#[test]
fn a_long_replay_of_which_nothing_passes_the_filter_shows_its_progress() {
    let mut world = World::new(1);
    world.publish(&[("a", "y"); 20], false);
    let reader = world.open(&["a"], &["x"], after(0));
    world.take(reader);
    world.turn();
    world.advance(15_000);
    // Reading goes on and on; the deadline finds it under way.
    world.turn();
    assert_eq!(world.got[&reader], ["hello@0:complete"]);
    world.empty_read(reader, Offset(7));
    world.turn();
    world.take(reader);
    assert_eq!(world.got[&reader][1..], ["ping@7"]);
    world.settle();
    assert_eq!(world.shard.totals().events_delivered, 0);
}

#[test]
fn a_cursor_ahead_of_the_shard_never_falls_back() {
    let mut world = World::new(100);
    world.publish(&[("a", "x"), ("b", "x")], true);
    let reader = world.open(&["a"], &[], after(2));
    world.take(reader);
    world.advance(15_000);
    world.turn();
    world.take(reader);
    world.publish(&[("a", "x")], false);
    world.settle();
    assert_eq!(world.got[&reader], ["hello@2:complete", "ping@2", "3"]);
}

#[test]
fn a_full_inbox_loses_nothing_and_counts_nothing() {
    let mut world = World::new(100);
    let reader = world.open(&["a"], &[], NOW);
    world.publish(&[("a", "x")], true);
    assert!(world.publish(&[("a", "x")], false).is_empty());
    world.settle();
    assert_eq!(world.offsets(reader), [1, 2]);
    assert_eq!(world.shard.totals().overflows, 1);
}

#[test]
fn a_snapshot_comes_without_ids_and_the_stream_goes_on_from_its_head() {
    let mut world = World::new(100);
    world.publish(
        &[("a/1", "x"), ("a/2", "x"), ("a/1", "x"), ("b", "x")],
        false,
    );
    let reader = world.open(&["a/*"], &[], Begin::Last { unknown: false });
    world.publish(&[("a/2", "x")], false);
    world.settle();
    assert_eq!(
        world.got[&reader],
        ["hello@4:complete", "2?", "3?", "ping@4", "5"]
    );
}

#[test]
fn a_snapshot_of_many_keys_is_handed_over_slice_by_slice() {
    let mut world = World::new(1);
    world.publish(
        &[("a/1", "x"), ("a/2", "x"), ("a/3", "x"), ("a/4", "x")],
        false,
    );
    world.publish(&[("a/5", "x"), ("a/1", "x")], false);
    let reader = world.open(&["a/*"], &[], Begin::Last { unknown: false });
    world.take(reader);
    while world.turn() || world.answer_one() {}
    assert_eq!(
        world.reads, 1,
        "the next slice is read when this one is taken"
    );
    assert_eq!(world.sunk(reader).events, 2);
    // Neither silence nor what is published meanwhile comes in between.
    world.publish(&[("a/2", "x")], false);
    world.advance(60_000);
    world.settle();
    assert_eq!(
        world.got[&reader],
        [
            "hello@6:complete",
            "2?",
            "3?",
            "4?",
            "5?",
            "6?",
            "ping@6",
            "7"
        ]
    );
}

#[test]
fn a_steady_stream_gives_signs_of_life_also_while_events_come() {
    let steady = |is_steady| Mode::Stream {
        heartbeat: Heartbeat {
            every_ms: 8_000,
            is_steady,
        },
        voice: Voice(0),
    };
    let mut world = World::new(100);
    let is_steady = world.open_as(&["a"], &[], NOW, steady(true), None);
    let other = world.open_as(&["a"], &[], NOW, steady(false), None);
    for _ in 0..32 {
        world.publish(&[("a", "x")], false);
        world.settle();
        world.advance(1_000);
        world.settle();
    }
    let pings = |reader| -> Vec<u64> {
        let words = world.got[&reader].iter();
        let told = words.filter_map(|word| word.strip_prefix("ping@"));
        told.map(|offset| offset.parse().expect("an offset"))
            .collect()
    };
    assert_eq!(pings(other), [], "events are signs of life enough");
    let told = pings(is_steady);
    // Every eight seconds, up to an eighth early: after the seventh or the eighth event, and so on.
    assert_eq!(told.len(), 4, "{told:?}");
    for (index, offset) in told.iter().enumerate() {
        let latest = (index as u64 + 1) * 8;
        assert!(
            (latest - latest / 8 - 1..=latest).contains(offset),
            "{told:?}"
        );
    }
}

#[test]
fn a_credential_is_announced_before_its_end_and_ends_the_stream() {
    let mut world = World::new(100);
    let lifetime_ms = REAUTH_NOTICE_MS + 5_000;
    let expires_at = Timestamp(world.now.wall.0 + lifetime_ms);
    let mode = Mode::stream(1_000_000);
    let reader = world.open_as(&["a"], &[], NOW, mode, Some(expires_at));
    world.settle();
    assert_eq!(world.got[&reader], ["hello@0:none"]);
    world.advance(4_999);
    world.settle();
    assert_eq!(world.got[&reader].len(), 1, "not too early");
    world.advance(1);
    world.settle();
    assert_eq!(world.got[&reader][1..], ["reauth"]);
    world.advance(REAUTH_NOTICE_MS);
    world.settle();
    assert_eq!(world.got[&reader][2..], ["bye@0:credential_expired"]);
    assert_eq!(world.closed, [(reader, "credential_expired")]);
}

#[test]
fn d10_a_clock_set_back_does_not_end_a_credential_early() {
    let mut world = World::new(100);
    let expires_at = Timestamp(world.now.wall.0 + 10_000);
    let mode = Mode::stream(1_000_000);
    let reader = world.open_as(&["a"], &[], NOW, mode, Some(expires_at));
    world.settle();
    world.advance(9_000);
    world.now.wall = Timestamp(world.now.wall.0 - 3_600_000);
    world.advance(2_000);
    world.settle();
    assert!(world.closed.is_empty());
    world.advance(3_600_000);
    world.settle();
    assert_eq!(world.closed, [(reader, "credential_expired")]);
}

#[test]
fn a_drain_says_bye_to_all_within_its_spread_and_a_full_sink_gets_it_later() {
    let mut world = World::new(100);
    let readers: Vec<_> = (0..50).map(|_| world.open(&["a"], &[], NOW)).collect();
    let blocked = readers[0];
    for reader in &readers[1..] {
        world.take(*reader);
    }
    world.shard.drain(
        DrainPlan {
            spread_ms: 10_000,
            retry_after_ms: 1_000,
        },
        world.now,
    );
    let mut gone = Vec::new();
    for _ in 0..10 {
        world.advance(1_000);
        world.turn();
        gone.push(world.closed.len());
    }
    assert_eq!(world.closed.len(), 49, "all but the blocked one");
    assert!(gone[0] > 0 && gone[4] < 49, "not spread: {gone:?}");
    world.settle();
    assert_eq!(
        world.got[&blocked].last().map(String::as_str),
        Some("bye@0:drain")
    );
    assert!(world.shard.is_empty());
}

#[test]
fn a_reader_that_left_is_forgotten_everywhere() {
    let mut world = World::new(100);
    let first = world.open(&["a", "b/*"], &["x"], NOW);
    let second = world.open(&["a", "b/*"], &[], NOW);
    world.shard.left(first, world.now);
    assert_eq!(world.publish(&[("a", "x"), ("b/1", "x")], false), [1, 1]);
    world.shard.left(second, world.now);
    assert_eq!(world.publish(&[("a", "x")], false), [0]);
    assert!(world.shard.is_empty());
    world.settle();
}
