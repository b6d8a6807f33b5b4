//! A stream that reads something else from a cursor on, whatever it is doing at that moment.

use super::fixture::{World, holder, scope};
use crate::event_type::TypeFilter;
use crate::pattern::Pattern;
use crate::position::Offset;
use crate::revocation::{Revocation, Revocations, Revoked};
use crate::shard::{Begin, ConnectionKey, Mode, Rescope, RescopeRefused};
use crate::start::Replay;
use crate::subscription::{Authorised, Subscription};
use crate::time::Timestamp;

const NOW: Begin = Begin::Now { unknown: false };
const LAST: Begin = Begin::Last { unknown: false };
const FROM_ZERO: Begin = Begin::After {
    offset: Offset::ZERO,
    gap: None,
    replay: Replay::Complete,
};
const STREAM: Mode = Mode::stream(1_000_000);

fn subscription(patterns: &[&str], audience: bool) -> Subscription {
    let pattern = |text: &&str| Pattern::parse(text).expect("a pattern");
    Subscription {
        patterns: patterns.iter().map(pattern).collect(),
        audience,
        types: TypeFilter::default(),
    }
}

/// A renewal by the usual reader which grants these patterns of what is asked.
fn renewal(world: &World, key: ConnectionKey, granted: &[&str]) -> Rescope {
    let holder = holder("reader", "token:main:second");
    let asked = world.shard.asked(world.ids[&key], holder.subject());
    let asked = asked.unwrap_or_else(|| subscription(&[], false));
    Rescope {
        asked_before: asked.clone(),
        asked,
        expires_at: None,
        holder,
        authorised: Some(Authorised {
            scope: scope(granted),
            narrowed: Some(Vec::new()),
        }),
    }
}

#[test]
fn a_quiet_stream_reads_something_else_from_the_head_on() {
    let mut world = World::new(100);
    let reader = world.open(&["a"], &[], NOW);
    world.settle();
    world.publish(&[("b", "x"), ("b", "x")], false);
    while world.turn() {}
    assert_eq!(world.rescope(reader, &["b"], &[]), Ok(Offset(2)));
    world.publish(&[("a", "x"), ("b", "x")], false);
    world.settle();
    assert_eq!(world.offsets(reader), [4]);
    assert_eq!(world.reads, 0, "all of it is in the window");
}

#[test]
fn between_the_cursor_and_the_head_a_new_selector_reads_the_store() {
    let mut world = World::new(100);
    let reader = world.open(&["a"], &[], NOW);
    // Its hello is not taken yet, so what comes waits.
    world.publish(&[("a", "x"), ("b", "x"), ("a+b", "x"), ("c", "x")], false);
    world.turn();
    assert_eq!(world.rescope(reader, &["b", "c"], &[]), Ok(Offset(0)));
    world.publish(&[("b", "x"), ("a", "x")], false);
    world.settle();
    assert_eq!(world.offsets(reader), [2, 3, 4, 5]);
    assert!(world.reads > 0);
}

#[test]
fn what_lies_in_the_sink_was_told_by_the_old_scope_and_what_follows_by_the_new() {
    let mut world = World::new(100);
    let reader = world.open(&["a"], &[], NOW);
    world.take(reader);
    world.publish(&[("a", "x")], false);
    world.turn();
    world.publish(&[("a", "x"), ("a+b", "x")], false);
    assert_eq!(world.rescope(reader, &["b"], &[]), Ok(Offset(1)));
    world.settle();
    assert_eq!(world.offsets(reader), [1, 3]);
}

#[test]
fn a_read_that_is_under_way_for_the_old_scope_is_not_handed_over() {
    for is_answered in [false, true] {
        let mut world = World::new(1);
        world.publish(
            &[("a", "x"), ("b", "x"), ("a", "x"), ("b", "x"), ("c", "x")],
            false,
        );
        let reader = world.open(&["a"], &[], FROM_ZERO);
        world.take(reader);
        while world.turn() {}
        world.read_one();
        if is_answered {
            // It lies in the shard already, and waits for its turn.
            world.answer_one();
        }
        assert_eq!(world.rescope(reader, &["b"], &[]), Ok(Offset(0)));
        world.settle();
        assert_eq!(world.offsets(reader), [2, 4], "{is_answered}");
        assert_eq!(world.reads, 2);
    }
}

#[test]
fn a_renewal_that_changes_nothing_does_not_make_a_stream_read_again() {
    let mut world = World::new(1);
    world.publish(&[("a", "x"), ("b", "x")], false);
    let reader = world.open(&["a"], &[], FROM_ZERO);
    world.take(reader);
    while world.turn() {}
    world.read_one();
    assert_eq!(world.rescope(reader, &["a"], &[]), Ok(Offset(0)));
    world.settle();
    assert_eq!((world.offsets(reader), world.reads), (vec![1], 1));
}

#[test]
fn a_read_that_fails_for_the_old_scope_is_made_again_for_the_new() {
    let mut world = World::new(1);
    world.publish(&[("a", "x"), ("b", "x")], false);
    let reader = world.open(&["a"], &[], FROM_ZERO);
    world.take(reader);
    while world.turn() {}
    world.fail_one();
    assert_eq!(world.rescope(reader, &["a", "b"], &[]), Ok(Offset(0)));
    world.settle();
    assert_eq!(world.offsets(reader), [1, 2]);
}

#[test]
fn a_snapshot_goes_on_with_what_is_read_now() {
    let mut world = World::new(100);
    let events = [
        ("a/1", "x"),
        ("b/1", "x"),
        ("a/2", "x"),
        ("b/2", "x"),
        ("a/3", "x"),
    ];
    world.publish(&events, false);
    let reader = world.open(&["a/*"], &[], LAST);
    world.take(reader);
    while world.turn() || world.answer_one() {}
    // Two of three are in its sink; what is left of the new scope's follows, and nothing twice. The
    // snapshot stays what it was at its beginning: what came since is told live.
    world.publish(&[("c", "x"), ("c", "x")], false);
    assert_eq!(
        world.rescope(reader, &["b/*", "a/3", "c"], &[]),
        Ok(Offset(5))
    );
    world.publish(&[("a/2", "x"), ("b/1", "x")], false);
    world.settle();
    assert_eq!(
        world.got[&reader],
        [
            "hello@5:complete",
            "1?",
            "3?",
            "4?",
            "5?",
            "ping@5",
            "6",
            "7",
            "9"
        ]
    );
}

#[test]
fn a_slice_of_a_snapshot_that_is_read_for_the_old_scope_is_not_handed_over() {
    let mut world = World::new(100);
    world.publish(&[("a", "x"), ("b", "x")], false);
    let reader = world.open(&["a"], &[], LAST);
    world.take(reader);
    while world.turn() {}
    world.read_one();
    assert_eq!(world.rescope(reader, &["b"], &[]), Ok(Offset(2)));
    world.settle();
    assert_eq!(world.got[&reader], ["hello@2:complete", "2?", "ping@2"]);
}

#[test]
fn a_selector_of_both_keeps_what_it_knows_and_its_members_keep_their_places() {
    let mut world = World::new(100);
    let readers: Vec<_> = (0..4).map(|_| world.open(&["a", "b"], &[], NOW)).collect();
    world.publish(&[("a", "x")], false);
    for turn in 0..6 {
        for (index, reader) in readers.iter().enumerate() {
            let patterns = [["a", "b"], ["a", "c"], ["b", "a"]][(turn + index) % 3];
            world
                .rescope(*reader, &patterns, &[])
                .expect("it is theirs");
        }
    }
    world.shard.left(readers[1], world.now);
    world.publish(&[("a", "x")], false);
    world.settle();
    for index in [0, 2, 3] {
        assert_eq!(world.offsets(readers[index]), [1, 2]);
    }
    assert_eq!(
        world
            .shard
            .selectors
            .get(0)
            .map(|entry| entry.members.len()),
        Some(3)
    );
}

#[test]
fn types_change_as_well_and_are_counted() {
    let mut world = World::new(100);
    let reader = world.open(&["a"], &["x"], NOW);
    world.settle();
    world
        .rescope(reader, &["a"], &["y"])
        .expect("it is its own");
    assert_eq!(world.publish(&[("a", "x"), ("a", "y")], false), [0, 1]);
    world.settle();
    world.rescope(reader, &["a"], &[]).expect("it is its own");
    assert_eq!(world.publish(&[("a", "x"), ("a", "y")], false), [1, 1]);
    world.settle();
    assert_eq!(world.offsets(reader), [2, 3, 4]);
}

#[test]
fn what_was_passed_over_and_is_read_now_comes_without_another_event() {
    let mut world = World::new(100);
    let reader = world.open(&["a"], &["x"], NOW);
    world.settle();
    // It passes no filter, so nobody is woken, and nothing says that it has been considered.
    world.publish(&[("a", "y")], false);
    while world.turn() {}
    assert_eq!(world.rescope(reader, &["a"], &[]), Ok(Offset(0)));
    world.settle();
    assert_eq!(world.offsets(reader), [1]);
}

#[test]
fn only_the_holders_subject_changes_a_stream_and_nobody_changes_a_page() {
    let mut world = World::new(100);
    let mine = world.open(&["a"], &[], NOW);
    let page = Mode::Page {
        events_max: 1,
        wait_ms: 10_000,
    };
    let poll = world.open_as(&["a"], &[], NOW, page, None);
    world.holder = crate::holder::Holder::default();
    let nobodys = world.open(&["a"], &[], NOW);
    let refused = Err(RescopeRefused::NotFound);
    for reader in [poll, nobodys] {
        let rescope = renewal(&world, reader, &["b"]);
        assert_eq!(world.rescope_with(reader, rescope), refused);
    }
    for holder in [holder("other", "token:main:first"), world.holder.clone()] {
        let rescope = Rescope {
            holder,
            ..renewal(&world, mine, &["b"])
        };
        assert_eq!(world.rescope_with(mine, rescope.clone()), refused);
        assert_eq!(world.rescope_with(nobodys, rescope), refused);
    }
    world.publish(&[("b", "x"), ("a", "x")], false);
    world.settle();
    assert_eq!(world.offsets(mine), [2]);
}

#[test]
fn a_stream_remembers_what_it_asked_for_where_less_was_granted() {
    let mut world = World::new(100);
    let reader = world.open(&["a/1"], &[], NOW);
    world.settle();
    let id = world.ids[&reader];
    let reads = holder("reader", "token:main:first");
    let asked = |world: &World| {
        let asked = world.shard.asked(id, reads.subject());
        let mut asked = asked.expect("it is there");
        asked.patterns.sort();
        asked
    };
    // Nothing was narrowed: what is read is what was asked.
    assert_eq!(asked(&world), subscription(&["a/1"], false));
    let wider = Rescope {
        asked: subscription(&["a/*", "b"], true),
        ..renewal(&world, reader, &["a/2", "@user/u1"])
    };
    world.rescope_with(reader, wider).expect("it is its own");
    assert_eq!(asked(&world), subscription(&["a/*", "b"], true));
    let mut whole = renewal(&world, reader, &["a/*", "b", "@all"]);
    whole.authorised.as_mut().expect("granted").narrowed = None;
    world.rescope_with(reader, whole).expect("it is its own");
    assert_eq!(asked(&world), subscription(&["a/*", "b"], true));
    assert!(
        world
            .shard
            .connection(reader)
            .is_some_and(|c| c.seldom.is_none())
    );
}

#[test]
fn what_was_worked_out_for_another_subscription_is_not_applied() {
    let mut world = World::new(100);
    let reader = world.open(&["a"], &[], NOW);
    world.settle();
    let early = renewal(&world, reader, &["a"]);
    world.rescope(reader, &["b"], &[]).expect("it is its own");
    assert_eq!(
        world.rescope_with(reader, early),
        Err(RescopeRefused::Outdated)
    );
    world.publish(&[("a", "x"), ("b", "x")], false);
    world.settle();
    assert_eq!(world.offsets(reader), [2]);
}

#[test]
fn a_credential_that_grants_nothing_of_it_ends_the_stream_with_a_word() {
    let mut world = World::new(100);
    let reader = world.open(&["a"], &[], NOW);
    world.settle();
    let nothing = Rescope {
        authorised: None,
        ..renewal(&world, reader, &[])
    };
    let refused = world.rescope_with(reader, nothing);
    assert_eq!(refused, Err(RescopeRefused::NotGranted));
    world.publish(&[("a", "x")], false);
    world.settle();
    assert_eq!(world.got[&reader], ["hello@0:none", "bye@0:not_granted"]);
    let gone = world.rescope(reader, &["a"], &[]);
    assert_eq!(gone, Err(RescopeRefused::NotFound));
}

#[test]
fn a9_a_credential_that_was_revoked_after_it_was_proven_renews_nothing() {
    let mut world = World::new(100);
    let reader = world.open(&["a"], &[], NOW);
    world.settle();
    let entry = Revocation {
        what: Revoked::parse("token:main:second").expect("a name"),
        at: Timestamp(0),
        until: Timestamp(u64::MAX),
        issued_before: None,
    };
    world.shard.revoke(Revocations::new([entry]).into());
    let refused = world.rescope(reader, &["b"], &[]);
    assert_eq!(refused, Err(RescopeRefused::Revoked));
    world.publish(&[("a", "x"), ("b", "x")], false);
    world.settle();
    assert_eq!(world.offsets(reader), [1], "its own credential is good");
}

#[test]
fn a9_a_renewed_stream_is_held_against_revocations_of_its_new_credential() {
    let mut world = World::new(100);
    let reader = world.open(&["a"], &[], NOW);
    world.settle();
    world.rescope(reader, &["a"], &[]).expect("it is its own");
    let entry = |name: &str| Revocation {
        what: Revoked::parse(name).expect("a name"),
        at: Timestamp(0),
        until: Timestamp(u64::MAX),
        issued_before: None,
    };
    world
        .shard
        .revoke(Revocations::new([entry("token:main:first")]).into());
    world.settle();
    assert_eq!(world.closed, [], "the first one is not behind it any more");
    world
        .shard
        .revoke(Revocations::new([entry("token:main:second")]).into());
    world.settle();
    assert_eq!(world.closed, [(reader, "credential_revoked")]);
}

#[test]
fn a9_a_renewed_stream_is_warned_again_and_ends_with_the_new_credential() {
    let mut world = World::new(100);
    let first = Timestamp(world.now.wall.0 + 90_000);
    let reader = world.open_as(&["a"], &[], NOW, STREAM, Some(first));
    world.settle();
    world.advance(40_000);
    world.settle();
    assert_eq!(world.got[&reader], ["hello@0:none", "reauth"]);
    let renewed = Rescope {
        expires_at: Some(Timestamp(first.0 + 60_000)),
        ..renewal(&world, reader, &["a"])
    };
    world.rescope_with(reader, renewed).expect("it is its own");
    world.settle();
    world.advance(49_999);
    world.settle();
    assert_eq!(world.got[&reader], ["hello@0:none", "reauth"]);
    world.advance(1);
    world.settle();
    assert_eq!(world.got[&reader], ["hello@0:none", "reauth", "reauth"]);
    // A credential that ends sooner is taken at its word as well.
    let sooner = Rescope {
        expires_at: Some(Timestamp(world.now.wall.0 + 2_000)),
        ..renewal(&world, reader, &["a"])
    };
    world.rescope_with(reader, sooner).expect("it is its own");
    world.advance(2_000);
    world.settle();
    assert_eq!(world.closed, [(reader, "credential_expired")]);
}
