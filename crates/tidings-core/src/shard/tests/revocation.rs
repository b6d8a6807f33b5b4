//! Whoever may read no longer is told so and goes, soon and whatever its socket does; nobody else
//! waits for it.

use std::sync::Arc;

use super::fixture::{World, holder};
use crate::limits::{DISMISSAL_WAIT_MS_MAX, DISMISSALS_PER_TURN_MAX, HOLDERS_PER_TURN_MAX};
use crate::position::Offset;
use crate::revocation::{Revocation, Revocations, Revoked};
use crate::shard::{Begin, ConnectionId, DisconnectReason, Mode};
use crate::start::Replay;
use crate::time::Timestamp;

const NOW: Begin = Begin::Now { unknown: false };
const FROM_ZERO: Begin = Begin::After {
    offset: Offset::ZERO,
    gap: None,
    replay: Replay::Complete,
};

fn revoked(names: &[&str]) -> Arc<Revocations> {
    let entry = |name: &&str| Revocation {
        what: Revoked::parse(name).expect("a name"),
        at: Timestamp(0),
        until: Timestamp(u64::MAX),
        issued_before: None,
    };
    Arc::new(Revocations::new(names.iter().map(entry)))
}

#[test]
fn a9_streams_and_pages_of_a_revoked_credential_end_and_no_others() {
    let mut world = World::new(100);
    let page = Mode::Page {
        events_max: 10,
        wait_ms: 25_000,
    };
    let stream = world.open(&["a"], &[], NOW);
    let poll = world.open_as(&["a"], &[], NOW, page, None);
    world.holder = holder("reader", "token:main:second");
    let other = world.open(&["a"], &[], NOW);
    world.settle();
    world.shard.revoke(revoked(&["token:main:first"]));
    world.publish(&[("a", "x")], false);
    world.settle();
    assert_eq!(
        world.got[&stream],
        ["hello@0:none", "bye@0:credential_revoked"]
    );
    assert!(world.last[&poll].last && world.last[&poll].events == 0);
    assert_eq!(world.got[&other], ["hello@0:none", "1"]);
    assert_eq!(world.closed.len(), 2);
    world.shard.revoke(revoked(&["subject:reader"]));
    world.settle();
    assert!(world.shard.is_empty());
}

#[test]
fn a9_a_connection_that_was_proven_before_its_revocation_and_comes_after_it_gets_nothing() {
    let mut world = World::new(1);
    world.publish(&[("a", "x"), ("a", "x")], false);
    world.shard.revoke(revoked(&["subject:reader"]));
    while world.turn() {}
    let late = world.open(&["a"], &[], FROM_ZERO);
    world.holder = holder("other", "token:main:first");
    let other = world.open(&["a"], &[], FROM_ZERO);
    world.settle();
    assert_eq!(
        world.got[&late],
        ["hello@0:complete", "bye@0:credential_revoked"]
    );
    assert_eq!(world.offsets(other), [1, 2]);
}

#[test]
fn a9_a_revoked_reader_that_takes_nothing_is_cut_while_a_slow_one_would_be_waited_for() {
    let mut world = World::with_patience(100, 60_000);
    let slow = world.open(&["a"], &[], NOW);
    world.take(slow);
    world.publish(&[("a", "x")], false);
    world.turn();
    // Told to leave in good time, it still loses its credential.
    world.drain();
    world.turn();
    world.shard.revoke(revoked(&["subject:reader"]));
    world.turn();
    assert_eq!(world.closed, [], "its sink is full");
    for _ in 0..4 {
        world.advance(DISMISSAL_WAIT_MS_MAX / 4);
        world.shard.progressed(slow, world.now);
        world.turn();
    }
    assert_eq!(world.closed, [(slow, "credential_revoked")]);
    assert_eq!(&world.sunk(slow).bytes[..], b"1;bye@1:credential_revoked;");
}

#[test]
fn a9_a_stream_ends_with_its_credential_though_its_reader_takes_a_little_now_and_then() {
    let mut world = World::with_patience(100, 60_000);
    let expires_at = Timestamp(world.now.wall.0 + 2_000);
    let mode = Mode::stream(15_000);
    let slow = world.open_as(&["a"], &[], NOW, mode, Some(expires_at));
    let mut waited_ms = 0;
    while world.closed.is_empty() {
        assert!(waited_ms <= 2_000 + 5_000, "it is still there");
        world.advance(100);
        waited_ms += 100;
        world.shard.progressed(slow, world.now);
        world.turn();
    }
    assert_eq!(world.closed, [(slow, "credential_expired")]);
    assert_eq!(waited_ms, 2_000 + DISMISSAL_WAIT_MS_MAX);
}

#[test]
fn a9_a_read_that_never_comes_back_keeps_no_revoked_stream_open() {
    let mut world = World::new(1);
    world.publish(&[("a", "x"), ("a", "x")], false);
    let reader = world.open(&["a"], &[], FROM_ZERO);
    world.take(reader);
    while world.turn() {}
    world.shard.revoke(revoked(&["subject:reader"]));
    world.turn();
    assert_eq!(world.closed, [(reader, "credential_revoked")]);
    assert_eq!(world.reads, 0, "its read is under way");
    world.settle();
    assert_eq!(world.offsets(reader), []);
}

#[test]
fn n8_a_turn_holds_few_of_many_connections_against_revocations_and_delivers_meanwhile() {
    let mut world = World::new(100);
    let mut readers = Vec::new();
    for _ in 0..HOLDERS_PER_TURN_MAX * 2 {
        readers.push(world.open(&["a"], &[], NOW));
    }
    world.holder = holder("other", "token:main:other");
    let last = world.open(&["b"], &[], NOW);
    world.settle();
    // Nobody is concerned: a turn looks at its share.
    world.shard.revoke(revoked(&["subject:nobody"]));
    let mut turns = 0;
    while world.turn() {
        turns += 1;
    }
    assert_eq!(turns, 2, "two whole shares come before the last one");
    // All but the last are: a turn ends as many as it may, and the last gets its event in the first.
    world.shard.revoke(revoked(&["subject:reader"]));
    world.publish(&[("b", "x")], false);
    assert!(world.turn(), "there is more to do");
    assert_eq!(world.closed.len(), DISMISSALS_PER_TURN_MAX);
    assert_eq!(&world.sunk(last).bytes[..], b"1;");
    world.settle();
    assert_eq!(world.closed.len(), readers.len());
}

#[test]
fn a9_revocations_that_change_all_the_time_still_reach_every_connection() {
    let mut world = World::new(100);
    for _ in 0..HOLDERS_PER_TURN_MAX {
        world.open(&["a"], &[], NOW);
    }
    world.holder = holder("other", "token:main:other");
    let last = world.open(&["a"], &[], NOW);
    world.settle();
    world.shard.revoke(revoked(&["subject:a"]));
    world.turn();
    for name in ["subject:b", "subject:c", "subject:d"] {
        world.shard.revoke(revoked(&[name, "token:main:other"]));
        world.turn();
    }
    world.take(last);
    assert_eq!(world.closed, [(last, "credential_revoked")]);
    // Whoever was passed already is looked at again.
    world.shard.revoke(revoked(&["subject:e"]));
    world.turn();
    world.shard.revoke(revoked(&["subject:reader"]));
    world.settle();
    assert!(world.shard.is_empty());
}

#[test]
fn an_operator_ends_exactly_the_connection_of_an_id() {
    let mut world = World::new(100);
    let reader = world.open(&["a"], &[], NOW);
    let other = world.open(&["a"], &[], NOW);
    world.settle();
    let id = world.ids[&reader];
    let reason = || DisconnectReason::parse("maintenance").expect("a reason");
    let wrong = [
        ConnectionId { node: 2, ..id },
        ConnectionId { shard: 1, ..id },
        ConnectionId { random: 0, ..id },
        ConnectionId {
            key: crate::shard::ConnectionKey::from_bits(reader.to_bits() + (1 << 32)),
            ..id
        },
        ConnectionId {
            key: crate::shard::ConnectionKey::from_bits(reader.to_bits() + 9),
            ..id
        },
    ];
    for wrong in wrong {
        assert!(
            !world.shard.disconnect(wrong, &reason(), world.now),
            "{wrong}"
        );
    }
    assert!(world.shard.disconnect(id, &reason(), world.now));
    assert!(
        !world.shard.disconnect(id, &reason(), world.now),
        "it is gone"
    );
    world.publish(&[("a", "x")], false);
    world.settle();
    assert_eq!(world.got[&reader], ["hello@0:none", "bye@0:disconnected"]);
    assert_eq!(world.offsets(other), [1]);
}
