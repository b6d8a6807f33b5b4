//! How connections end: with an honest last word, and with nothing lost on the way to it.

use super::fixture::World;
use crate::limits::{DISMISSAL_WAIT_MS_MAX, SENDS_PER_TURN_MAX};
use crate::position::Offset;
use crate::shard::{Begin, DrainPlan, Mode};
use crate::start::Replay;
use crate::time::Timestamp;

const NOW: Begin = Begin::Now { unknown: false };
const LAST: Begin = Begin::Last { unknown: false };
const PLAN: DrainPlan = DrainPlan {
    spread_ms: 10_000,
    retry_after_ms: 1_000,
};
const SILENT: Mode = Mode::stream(1_000_000);

fn page(wait_ms: u32) -> Mode {
    Mode::Page {
        events_max: 10,
        wait_ms,
    }
}

#[test]
fn late_news_of_a_sink_that_is_full_again_does_not_overwrite_what_lies_in_it() {
    let mut world = World::new(100);
    let reader = world.open(&["a"], &[], NOW);
    world.take(reader);
    world.publish(&[("a", "x")], false);
    world.turn();
    world.shard.drain(
        DrainPlan {
            spread_ms: 0,
            ..PLAN
        },
        world.now,
    );
    world.turn();
    // The reader took hello before the event was put there; only the news of it is late.
    world.shard.drained(reader, world.now);
    world.settle();
    assert_eq!(world.got[&reader], ["hello@0:none", "1", "bye@1:drain"]);
}

#[test]
fn whoever_comes_during_a_drain_is_told_to_leave_like_the_others() {
    let mut world = World::new(100);
    world.shard.drain(PLAN, world.now);
    let late = world.open(&["a"], &[], NOW);
    world.advance(PLAN.spread_ms);
    world.settle();
    assert_eq!(world.closed, [(late, "drain")]);
}

#[test]
fn a_farewell_before_the_snapshot_does_not_claim_that_it_was_told() {
    let mut world = World::new(100);
    world.publish(&[("a/1", "x"), ("a/2", "x")], false);
    let drained = world.open(&["a/*"], &[], LAST);
    world.take(drained);
    world.turn();
    let failed = world.open(&["a/*"], &[], LAST);
    world.take(failed);
    world.shard.drain(PLAN, world.now);
    world.advance(PLAN.spread_ms);
    world.turn();
    world.fail_one();
    world.settle();
    for reader in [drained, failed] {
        assert_eq!(world.got[&reader], ["hello@2:complete", "bye@?:drain"]);
    }
}

#[test]
fn a_farewell_amid_a_snapshot_does_not_claim_what_is_left_of_it() {
    let mut world = World::new(100);
    world.publish(&[("a/1", "x"), ("a/2", "x"), ("a/3", "x")], false);
    let reader = world.open(&["a/*"], &[], LAST);
    world.take(reader);
    while world.turn() || world.answer_one() {}
    world.shard.drain(PLAN, world.now);
    world.advance(PLAN.spread_ms);
    world.settle();
    assert_eq!(
        world.got[&reader],
        ["hello@3:complete", "1?", "2?", "bye@?:drain"]
    );
}

#[test]
fn a_failed_read_ends_a_stream_with_a_word_and_a_page_without_an_answer() {
    let mut world = World::new(100);
    world.publish(&[("a", "x")], false);
    let after = Begin::After {
        offset: Offset::ZERO,
        gap: None,
        replay: Replay::Complete,
    };
    let stream = world.open(&["a"], &[], after);
    world.take(stream);
    let page = world.open_as(&["a"], &[], after, page(0), None);
    world.turn();
    world.fail_one();
    world.fail_one();
    world.settle();
    assert_eq!(world.got[&stream], ["hello@0:complete", "bye@0:log_failed"]);
    assert!(!world.last.contains_key(&page), "a page that was not read");
    assert_eq!(world.closed.len(), 2);
}

#[test]
fn a_credential_that_ends_at_once_ends_the_stream_on_time() {
    let mut world = World::new(100);
    let expires_at = Timestamp(world.now.wall.0 + 100);
    let reader = world.open_as(&["a"], &[], NOW, SILENT, Some(expires_at));
    world.take(reader);
    world.advance(99);
    world.turn();
    assert!(world.closed.is_empty());
    assert_eq!(
        world.shard.next_deadline(),
        Some(world.now.moment.plus_ms(1))
    );
    world.advance(1);
    world.turn();
    assert_eq!(world.closed, [(reader, "credential_expired")]);
}

#[test]
fn what_is_read_while_the_credential_ends_is_not_handed_over() {
    let mut world = World::new(100);
    world.publish(&[("a", "x")], false);
    let after = Begin::After {
        offset: Offset::ZERO,
        gap: None,
        replay: Replay::Complete,
    };
    let expires_at = Timestamp(world.now.wall.0 + 100);
    let reader = world.open_as(&["a"], &[], after, SILENT, Some(expires_at));
    world.take(reader);
    world.turn();
    world.read_one();
    world.advance(100);
    world.turn();
    assert_eq!(world.closed.len(), 1, "its answer is not waited for");
    world.settle();
    assert_eq!(
        world.got[&reader],
        ["hello@0:complete", "bye@0:credential_expired"]
    );
}

#[test]
fn a_long_poll_ends_with_its_credential_and_claims_only_what_it_has_seen() {
    let mut world = World::new(100);
    let expires_at = Timestamp(world.now.wall.0 + 1_000);
    let poll = world.open_as(&["a"], &[], NOW, page(25_000), Some(expires_at));
    world.turn();
    world.publish(&[("b", "x")], false);
    world.advance(1_000);
    world.settle();
    assert_eq!(world.closed, [(poll, "credential_expired")]);
    assert_eq!(world.last[&poll].cursor.offset, Offset::ZERO);
}

#[test]
fn a_turn_has_a_limit_of_deadlines_though_all_come_up_at_once() {
    let mut world = World::new(100);
    let readers: Vec<_> = (0..SENDS_PER_TURN_MAX * 2)
        .map(|_| world.open(&["a"], &[], NOW))
        .collect();
    for reader in &readers {
        world.take(*reader);
    }
    while world.turn() {}
    let before = world.shard.totals().deliveries;
    world.advance(15_000);
    assert!(world.turn(), "there is more to do");
    assert_eq!(
        world.shard.totals().deliveries - before,
        SENDS_PER_TURN_MAX as u64
    );
    world.settle();
    assert!(readers.iter().all(|reader| world.got[reader].len() == 2));
}

#[test]
fn n4_a_reader_that_takes_nothing_is_given_up_with_a_word_behind_what_waits() {
    let mut world = World::with_patience(100, 10_000);
    let slow = world.open(&["a"], &[], NOW);
    let swift = world.open(&["a"], &[], NOW);
    world.take(slow);
    world.take(swift);
    world.publish(&[("a", "x")], false);
    world.turn();
    world.take(swift);
    world.advance(9_999);
    world.turn();
    assert_eq!(world.closed, [], "it has a little time left");
    // Its last sign of life was the taking of its hello, a moment ago; the event still waits.
    world.advance(1);
    world.turn();
    assert_eq!(world.closed, [(slow, "slow_reader")]);
    let last = world.sunk(slow);
    assert!(last.last);
    assert_eq!(&last.bytes[..], b"1;bye@1:slow_reader;");
    world.publish(&[("a", "x")], false);
    world.settle();
    assert_eq!(world.offsets(swift), [1, 2]);
}

#[test]
fn n4_a_reader_that_takes_a_part_now_and_then_stays() {
    let mut world = World::with_patience(100, 10_000);
    let reader = world.open(&["a"], &[], NOW);
    world.take(reader);
    world.publish(&[("a", "x")], false);
    world.turn();
    for _ in 0..10 {
        world.advance(9_000);
        world.shard.progressed(reader, world.now);
        world.turn();
    }
    assert_eq!(world.closed, []);
    world.advance(10_000);
    world.turn();
    assert_eq!(world.closed, [(reader, "slow_reader")]);
}

#[test]
fn n4_a_reader_that_was_told_to_go_and_takes_nothing_is_given_up_all_the_same() {
    for is_drained in [true, false] {
        let mut world = World::with_patience(100, 10_000);
        let expires_at = (!is_drained).then(|| Timestamp(world.now.wall.0 + 2_000));
        let reader = world.open_as(&["a"], &[], NOW, SILENT, expires_at);
        world.publish(&[("a", "x")], false);
        world.turn();
        if is_drained {
            world.drain();
        }
        world.advance(2_000);
        assert!(
            !world.turn(),
            "once it has been told, there is nothing to do"
        );
        assert_eq!(world.closed, [], "what it was given still waits");
        for _ in 0..20 {
            let next = world.shard.next_deadline().expect("it is not forgotten");
            world.advance(next.ms_since(world.now.moment));
            world.turn();
            if world.shard.is_empty() {
                break;
            }
        }
        // It is told what it was to hear, not that it was slow.
        let (code, at) = if is_drained {
            ("drain", 10_000)
        } else {
            ("credential_expired", 2_000 + DISMISSAL_WAIT_MS_MAX)
        };
        assert_eq!(world.closed, [(reader, code)]);
        let last = format!("hello@0:none;bye@0:{code};");
        assert_eq!(world.sunk(reader).bytes, last.as_bytes());
        assert_eq!(world.now.moment.0, at);
    }
}

#[test]
fn deadlines_of_connections_that_are_gone_do_not_pile_up() {
    let mut world = World::new(100);
    let stays = world.open(&["a"], &[], NOW);
    for _ in 0..10_000 {
        let goes = world.open_as(&["a"], &[], NOW, page(55_000), None);
        world.shard.left(goes, world.now);
    }
    assert!(world.shard.deadlines.len() < 1_000);
    world.settle();
    world.advance(15_000);
    world.settle();
    assert_eq!(world.got[&stays], ["hello@0:none", "ping@0"]);
}
