//! Anything that can happen to a shard and its sockets, in any order, in virtual time.

use std::cell::RefCell;
use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tidings_core::coding::Coding;
use tidings_core::gap::{Gap, GapReason};
use tidings_core::position::Offset;
use tidings_core::priority::Priority;
use tidings_core::shard::{Begin, unknown};
use tidings_core::start::Replay;

use super::log::{filter, position, scope};
use super::model::{Phase, Plan};
use super::rights::{CREDENTIALS, Terms};
use super::world::{Open, World};
use crate::chunk::Framing;

#[derive(Debug, Clone)]
enum Origin {
    Now,
    Unknown,
    Last,
    After(u64),
    AfterGap(u64),
}

#[derive(Debug, Clone)]
struct Asked {
    patterns: Vec<usize>,
    types: usize,
    from: Origin,
    shape: u8,
    coding: Coding,
    framing: Framing,
    expires_in_ms: Option<u64>,
    whim: u64,
}

#[derive(Debug, Clone)]
enum Step {
    Publish {
        events: Vec<(usize, usize, Priority)>,
        is_inbox_full: bool,
    },
    Remove(u64),
    Open(Asked),
    Attach(usize),
    Room {
        reader: usize,
        bytes: usize,
        is_noticed: bool,
    },
    AllBut {
        reader: usize,
        bytes: usize,
    },
    TooLate {
        reader: usize,
        bytes: usize,
    },
    Leave(usize),
    Doom(usize, usize),
    Disconnect(usize),
    Rescope {
        reader: usize,
        rescope: Change,
    },
    Revoke(Vec<usize>),
    Drain(u64),
    Run,
    Read {
        fails: bool,
    },
    Answer,
    Wait(u64),
    Stall(u64),
}

/// What a reader reads from a moment on.
#[derive(Debug, Clone)]
struct Change {
    patterns: Vec<usize>,
    types: Option<usize>,
    terms: Terms,
}

/// How long a reader may take nothing, where there is a limit.
const PATIENCE_MS: u64 = 10_000;

const KEYS: [&str; 6] = ["a/1", "a/2", "b/1", "@user/u1", "@all", "a/1+b/1"];
const PATTERNS: [&str; 6] = ["a/1", "a/*", "**", "@user/u1", "@all", "*/1"];
const TYPES: [&str; 12] = [
    "x", "x", "x", "x", "x", "y", "y", "y", "y", "y", "wide", "large",
];
const FILTERS: [&[&str]; 4] = [&[], &[], &["x"], &["y", "l*"]];

fn priority() -> impl Strategy<Value = Priority> {
    prop_oneof![
        6 => Just(Priority::Normal),
        1 => Just(Priority::High),
        1 => Just(Priority::Critical),
    ]
}

fn asked() -> impl Strategy<Value = Asked> {
    let from = prop_oneof![
        3 => Just(Origin::Now),
        1 => Just(Origin::Unknown),
        2 => Just(Origin::Last),
        4 => (0_u64..60).prop_map(Origin::After),
        1 => (0_u64..60).prop_map(Origin::AfterGap),
    ];
    let coding = prop_oneof![
        4 => Just(Coding::Identity),
        1 => Just(Coding::Gzip),
        1 => Just(Coding::Zstd),
    ];
    let framing = prop_oneof![3 => Just(Framing::Chunked), 1 => Just(Framing::UntilClose)];
    // Many want the same, and share what they get.
    let everything = PATTERNS.iter().position(|pattern| *pattern == "**");
    let patterns = prop_oneof![
        Just(everything.into_iter().collect()),
        proptest::collection::vec(0..PATTERNS.len(), 1..3),
    ];
    let expires = proptest::option::weighted(0.15, 0_u64..90_000);
    let shape = prop_oneof![3 => Just(0_u8), 1 => Just(1_u8)];
    let how = (0..FILTERS.len(), shape, any::<u64>());
    (patterns, from, coding, framing, expires, how).prop_map(
        |(patterns, from, coding, framing, expires_in_ms, (types, shape, whim))| Asked {
            patterns,
            types,
            from,
            shape,
            coding,
            framing,
            expires_in_ms,
            whim,
        },
    )
}

fn change() -> impl Strategy<Value = Change> {
    let patterns = proptest::collection::vec(0..PATTERNS.len(), 1..4);
    let types = proptest::option::weighted(0.2, 0..FILTERS.len());
    let expires = proptest::option::weighted(0.15, 1_u64..90_000);
    let terms = (0..CREDENTIALS, expires, proptest::bool::weighted(0.95));
    (patterns, types, terms).prop_map(
        |(patterns, types, (credential, expires_in_ms, is_granted))| Change {
            patterns,
            types,
            terms: Terms {
                credential,
                expires_in_ms,
                is_granted,
            },
        },
    )
}

fn a_step() -> impl Strategy<Value = Step> {
    let reader = 0_usize..10;
    let event = (0..KEYS.len(), 0..TYPES.len(), priority());
    let events = proptest::collection::vec(event, 1..16);
    let room = prop_oneof![0_usize..8, 0_usize..60, 0_usize..40_000, Just(usize::MAX)];
    prop_oneof![
        8 => (events, proptest::bool::weighted(0.06))
            .prop_map(|(events, is_inbox_full)| Step::Publish { events, is_inbox_full }),
        1 => (0_u64..60).prop_map(Step::Remove),
        5 => asked().prop_map(Step::Open),
        5 => reader.clone().prop_map(Step::Attach),
        10 => (reader.clone(), room, proptest::bool::weighted(0.9)).prop_map(
            |(reader, bytes, is_noticed)| Step::Room { reader, bytes, is_noticed }
        ),
        2 => (reader.clone(), 0_usize..3)
            .prop_map(|(reader, bytes)| Step::AllBut { reader, bytes }),
        1 => (reader.clone(), 0_usize..200)
            .prop_map(|(reader, bytes)| Step::TooLate { reader, bytes }),
        1 => reader.clone().prop_map(Step::Leave),
        1 => (reader.clone(), 0_usize..20_000).prop_map(|(reader, bytes)| Step::Doom(reader, bytes)),
        1 => reader.clone().prop_map(Step::Disconnect),
        8 => (reader, change()).prop_map(|(reader, rescope)| Step::Rescope { reader, rescope }),
        1 => proptest::collection::vec(0..CREDENTIALS, 0..2).prop_map(Step::Revoke),
        8 => Just(Step::Run),
        4 => proptest::bool::weighted(0.3).prop_map(|fails| Step::Read { fails }),
        4 => Just(Step::Answer),
        3 => (0_u64..30).prop_map(Step::Wait),
        2 => (0_u64..20_000).prop_map(Step::Wait),
        1 => (0_u64..20_000).prop_map(Step::Stall),
    ]
}

/// The steps of a case: in some, everybody is asked to leave in the middle.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let drain = proptest::option::weighted(0.2, (0_usize..100, 0_u64..5_000));
    (proptest::collection::vec(a_step(), 1..100), drain).prop_map(|(mut steps, drain)| {
        if let Some((at, spread_ms)) = drain {
            steps.insert(at.min(steps.len()), Step::Drain(spread_ms));
        }
        steps
    })
}

fn open(world: &mut World, asked: &Asked) {
    let patterns: Vec<&str> = asked
        .patterns
        .iter()
        .map(|index| PATTERNS[*index])
        .collect();
    let (scope, types) = (scope(&patterns), filter(FILTERS[asked.types]));
    let head = world.shard.head();
    let mut has_snapshot = false;
    let mut gap = None;
    let (begin, start, greeting) = match asked.from {
        Origin::Now => (Begin::Now { unknown: false }, head, ":none"),
        Origin::Unknown => {
            assert_eq!(unknown(position(head)).reason, GapReason::Unknown);
            gap = Some(format!("gap@0:{head}:unknown"));
            (Begin::Now { unknown: true }, head, "?:gap")
        }
        Origin::Last => {
            has_snapshot = true;
            (Begin::Last { unknown: false }, head, "?:complete")
        }
        Origin::After(after) => {
            let offset = Offset(after.min(world.log.end().0));
            let replay = Replay::Complete;
            (
                Begin::After {
                    offset,
                    gap: None,
                    replay,
                },
                offset,
                ":complete",
            )
        }
        Origin::AfterGap(after) => {
            let offset = Offset(after.min(world.log.end().0));
            gap = Some(format!("gap@0:{offset}:retention"));
            let told = Gap {
                from: None,
                to: position(offset),
                reason: GapReason::Retention,
            };
            (
                Begin::After {
                    offset,
                    gap: Some(told),
                    replay: Replay::Gap,
                },
                offset,
                "?:gap",
            )
        }
    };
    world.open(Open {
        plan: Plan {
            phases: vec![Phase {
                after: start,
                scope,
                types,
            }],
            shape: asked.shape,
            start,
            hello: format!("hello@{start}{greeting}"),
            gap,
            has_snapshot,
        },
        begin,
        framing: asked.framing,
        coding: asked.coding,
        expires_in_ms: asked.expires_in_ms,
        whim: asked.whim,
    });
}

fn take(world: &mut World, step: Step) {
    match step {
        Step::Publish {
            events,
            is_inbox_full,
        } => {
            let events: Vec<_> = events
                .iter()
                .map(|(keys, event_type, priority)| (KEYS[*keys], TYPES[*event_type], *priority))
                .collect();
            world.publish(&events, is_inbox_full);
        }
        Step::Remove(through) => world.log.remove(Offset(through)),
        Step::Open(asked) => open(world, &asked),
        Step::Attach(index) => world.attach(index),
        Step::Room {
            reader,
            bytes,
            is_noticed,
        } => {
            world.make_room(reader, bytes);
            if is_noticed {
                world.advance(reader);
            }
        }
        Step::AllBut { reader, bytes } => {
            let left = world.left(reader);
            world.make_room(reader, left.saturating_sub(bytes));
            world.advance(reader);
        }
        Step::TooLate { reader, bytes } => {
            world.stall(PATIENCE_MS);
            world.make_room(reader, bytes);
            world.run();
        }
        Step::Leave(index) => world.leave(index),
        Step::Doom(index, bytes) => world.doom(index, bytes),
        Step::Disconnect(index) => world.disconnect(index),
        Step::Rescope { reader, rescope } => {
            let patterns: Vec<&str> = rescope.patterns.iter().map(|at| PATTERNS[*at]).collect();
            world.rescope(
                reader,
                &patterns,
                rescope.types.map(|at| FILTERS[at]),
                &rescope.terms,
            );
        }
        Step::Revoke(credentials) => world.revoke(credentials),
        Step::Drain(spread_ms) => world.drain(spread_ms),
        Step::Run => world.run(),
        Step::Read { fails } => {
            world.read_one(fails);
        }
        Step::Answer => {
            world.answer_one();
        }
        Step::Wait(ms) => world.wait(ms),
        Step::Stall(ms) => world.stall(ms),
    }
}

/// More cases than proptest makes by itself; many more with `PROPTEST_CASES`.
fn config() -> ProptestConfig {
    let by_itself = ProptestConfig::default();
    let cases = by_itself.cases.max(600);
    let failure_persistence = None;
    ProptestConfig {
        cases,
        failure_persistence,
        ..by_itself
    }
}

/// What has happened in all cases together.
#[derive(Debug, Default)]
struct Seen {
    causes: BTreeSet<&'static str>,
    deaths: usize,
    overflows: u64,
    /// How often somebody was given another scope, and how often while it was being read for.
    changes: usize,
    changes_amid_reads: usize,
}

fn play(seen: &RefCell<Seen>, window: u64, patience_ms: u64, linger_ms: u64, steps: Vec<Step>) {
    let mut world = World::new(window, patience_ms, linger_ms);
    for step in steps {
        take(&mut world, step);
    }
    world.settle();
    world.compare();
    world.revoke(Vec::new());
    world.come_back();
    world.settle();
    world.compare();
    world.drain(0);
    world.wait(1_000);
    world.settle();
    world.compare();
    let mut seen = seen.borrow_mut();
    seen.causes.extend(
        world
            .readers
            .iter()
            .map(|reader| reader.cause().expect("all have gone")),
    );
    seen.deaths += world
        .readers
        .iter()
        .filter(|reader| reader.peer.borrow().is_dead)
        .count();
    seen.overflows += world.shard.totals().overflows;
    seen.changes += world.changes;
    seen.changes_amid_reads += world.changes_amid_reads;
    world.end();
}

#[test]
fn every_stream_is_what_the_model_says_whatever_its_socket_does() {
    let patience = prop_oneof![2 => Just(u64::MAX), 1 => Just(PATIENCE_MS)];
    let linger = prop_oneof![Just(0_u64), Just(20_u64)];
    let window = prop_oneof![2 => 1_u64..24, 1 => Just(u64::MAX)];
    let seen = RefCell::default();
    TestRunner::new(config())
        .run(
            &(window, patience, linger, steps()),
            |(window, patience_ms, linger_ms, steps)| {
                play(&seen, window, patience_ms, linger_ms, steps);
                Ok(())
            },
        )
        .unwrap_or_else(|failed| panic!("{failed}"));
    let seen = seen.into_inner();
    let causes = [
        "credential_expired",
        "credential_revoked",
        "disconnected",
        "drain",
        "left",
        "log_failed",
        "not_granted",
        "slow_reader",
    ];
    assert!(seen.causes.iter().eq(&causes), "{seen:?}");
    assert!(seen.deaths > 0 && seen.overflows > 0, "{seen:?}");
    assert!(seen.changes > seen.changes_amid_reads, "{seen:?}");
    assert!(seen.changes_amid_reads > 0, "{seen:?}");
}
