//! Snapshots, replay, live, lag, eviction and a full inbox in any order: no reader misses or repeats
//! anything.

use proptest::prelude::*;

use super::fixture::{World, filter, holder, scope};
use crate::position::Offset;
use crate::revocation::{Revocation, Revocations, Revoked};
use crate::shard::{Begin, ConnectionKey, DisconnectReason};
use crate::start::Replay;
use crate::time::Timestamp;

#[derive(Debug, Clone)]
enum Origin {
    Now,
    Last,
    After(usize),
}

#[derive(Debug, Clone)]
enum Step {
    Publish {
        events: Vec<(usize, usize)>,
        inbox_full: bool,
    },
    Open {
        patterns: Vec<usize>,
        types: usize,
        from: Origin,
    },
    Take(usize),
    Turn,
    Read,
    Answer,
    Leave(usize),
    Rescope {
        reader: usize,
        patterns: Vec<usize>,
        types: Option<usize>,
    },
    Revoke(Vec<usize>),
    Disconnect(usize),
    Wait(u64),
}

const KEYS: [&str; 6] = ["a/1", "a/2", "b/1", "@user/u1", "@all", "a/1+b/1"];
const PATTERNS: [&str; 6] = ["a/1", "a/*", "**", "@user/u1", "@all", "*/1"];
const TYPES: [&str; 3] = ["x", "y", "y!"];
const FILTERS: [&[&str]; 3] = [&[], &["x"], &["z*"]];

fn a_step() -> impl Strategy<Value = Step> {
    let events = proptest::collection::vec((0..KEYS.len(), 0..TYPES.len()), 1..6);
    prop_oneof![
        4 => (events, proptest::bool::weighted(0.1))
            .prop_map(|(events, inbox_full)| Step::Publish { events, inbox_full }),
        2 => (
            proptest::collection::vec(0..PATTERNS.len(), 1..3),
            0..FILTERS.len(),
            prop_oneof![
                Just(Origin::Now),
                Just(Origin::Last),
                (0_usize..40).prop_map(Origin::After)
            ],
        )
            .prop_map(|(patterns, types, from)| Step::Open { patterns, types, from }),
        6 => (0_usize..8).prop_map(Step::Take),
        4 => Just(Step::Turn),
        2 => Just(Step::Read),
        3 => Just(Step::Answer),
        1 => (0_usize..8).prop_map(Step::Leave),
        3 => (
            0_usize..8,
            proptest::collection::vec(0..PATTERNS.len(), 1..3),
            proptest::option::weighted(0.2, 0..FILTERS.len()),
        )
            .prop_map(|(reader, patterns, types)| Step::Rescope { reader, patterns, types }),
        1 => proptest::collection::vec(0..CREDENTIALS.len(), 0..2).prop_map(Step::Revoke),
        1 => (0_usize..8).prop_map(Step::Disconnect),
        1 => (0_u64..20_000).prop_map(Step::Wait),
    ]
}

const CREDENTIALS: [&str; 4] = ["key:a", "key:b", "key:c", "key:d"];

/// What a reader reads after an offset.
struct Phase {
    after: Offset,
    patterns: Vec<&'static str>,
    types: &'static [&'static str],
}

struct Reader {
    key: ConnectionKey,
    credential: &'static str,
    phases: Vec<Phase>,
    /// What its snapshot must hold, if it began with one.
    newest: Option<Vec<u64>>,
    /// With what it must end, if it must.
    bye: Option<&'static str>,
}

impl Reader {
    /// What the model says that it must get.
    fn expected(&self, world: &World) -> Vec<u64> {
        let ends = self
            .phases
            .iter()
            .skip(1)
            .map(|phase| phase.after.0)
            .chain([u64::MAX]);
        let phases = self.phases.iter().zip(ends);
        phases
            .flat_map(|(phase, end)| {
                let expected = world.expected(&phase.patterns, phase.types, phase.after);
                expected
                    .into_iter()
                    .take_while(move |offset| *offset <= end)
            })
            .collect()
    }
}

/// Whether more has been told than hello and a part of a snapshot.
fn is_live(told: &[String]) -> bool {
    let words = told.get(1..).unwrap_or_default();
    words.iter().any(|word| !word.ends_with('?'))
}

/// The offsets of the snapshot among words.
fn snapshot(told: &[String]) -> Vec<u64> {
    let words = told[1..].iter().map_while(|word| word.strip_suffix('?'));
    words.filter_map(|word| word.parse().ok()).collect()
}

fn rescope(
    world: &mut World,
    reader: &mut Reader,
    patterns: Vec<&'static str>,
    types: Option<usize>,
) {
    let told = world.told(reader.key);
    let types = types.map_or(reader.phases[reader.phases.len() - 1].types, |index| {
        FILTERS[index]
    });
    let cursor = world
        .shard
        .connection(reader.key)
        .map(|connection| connection.cursor);
    let Ok(after) = world.rescope_as(reader.key, reader.credential, &patterns, types) else {
        assert!(reader.bye.is_some(), "it is its own");
        return;
    };
    assert!(Some(after) >= cursor && after <= world.shard.head().max(cursor.unwrap_or_default()));
    let is_live = is_live(&told);
    if let Some(newest) = reader.newest.as_mut().filter(|_| !is_live) {
        // What is left of the snapshot is what is read now.
        *newest = snapshot(&told);
        let through = newest.last().copied().unwrap_or(0);
        let left = world.newest_offsets(&scope(&patterns), &filter(types), after);
        newest.extend(left.into_iter().filter(|offset| *offset > through));
    }
    reader.phases.push(Phase {
        after,
        patterns,
        types,
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_reader_gets_exactly_its_events_in_order(
        window in 1_usize..12, steps in proptest::collection::vec(a_step(), 1..120),
    ) {
        let mut world = World::new(window);
        let mut readers: Vec<Reader> = Vec::new();
        let mut revoked: Vec<&str> = Vec::new();
        for step in steps {
            match step {
                Step::Publish { events, inbox_full } => {
                    let events: Vec<_> =
                        events.iter().map(|(key, kind)| (KEYS[*key], TYPES[*kind])).collect();
                    world.publish(&events, inbox_full);
                }
                Step::Open { patterns, types, from } => {
                    let patterns: Vec<_> = patterns.iter().map(|index| PATTERNS[*index]).collect();
                    let types = FILTERS[types];
                    let head = world.shard.head();
                    let mut newest = None;
                    let (begin, after) = match from {
                        Origin::Now => (Begin::Now { unknown: false }, head),
                        Origin::Last => {
                            newest = Some(world.newest_offsets(&scope(&patterns), &filter(types), head));
                            (Begin::Last { unknown: false }, head)
                        }
                        Origin::After(after) => {
                            let offset = Offset((after as u64).min(world.end().0));
                            (Begin::After { offset, gap: None, replay: Replay::Complete }, offset)
                        }
                    };
                    let credential = CREDENTIALS[readers.len() % CREDENTIALS.len()];
                    world.holder = holder("reader", credential);
                    let key = world.open(&patterns, types, begin);
                    let bye = revoked.contains(&credential).then_some("credential_revoked");
                    let phases = vec![Phase { after, patterns, types }];
                    readers.push(Reader { key, credential, phases, newest, bye });
                }
                Step::Take(index) => {
                    if let Some(reader) = readers.get(index) {
                        world.take(reader.key);
                    }
                }
                Step::Turn => {
                    world.turn();
                }
                Step::Read => {
                    world.read_one();
                }
                Step::Answer => {
                    world.answer_one();
                }
                Step::Leave(index) => {
                    if index < readers.len() {
                        let reader = readers.swap_remove(index);
                        world.shard.left(reader.key, world.now);
                    }
                }
                Step::Rescope { reader, patterns, types } => {
                    if let Some(reader) = readers.get_mut(reader) {
                        let patterns = patterns.iter().map(|index| PATTERNS[*index]).collect();
                        rescope(&mut world, reader, patterns, types);
                    }
                }
                Step::Revoke(credentials) => {
                    revoked = credentials.iter().map(|index| CREDENTIALS[*index]).collect();
                    world.shard.revoke(revocations(&revoked).into());
                    // A turn looks at more than there are; some are told, and the others stay.
                    world.turn();
                    for reader in &mut readers {
                        if revoked.contains(&reader.credential) {
                            reader.bye.get_or_insert("credential_revoked");
                        }
                    }
                }
                Step::Disconnect(index) => {
                    if let Some(reader) = readers.get_mut(index) {
                        let reason = DisconnectReason::parse("enough").expect("a reason");
                        let id = world.ids[&reader.key];
                        let found = world.shard.disconnect(id, &reason, world.now);
                        prop_assert!(found || reader.bye.is_some());
                        reader.bye.get_or_insert("disconnected");
                    }
                }
                Step::Wait(ms) => world.advance(ms),
            }
        }
        world.settle();
        for reader in &readers {
            let told = world.told(reader.key);
            let expected = reader.expected(&world);
            let offsets = world.offsets(reader.key);
            if let Some(bye) = reader.bye {
                prop_assert!(expected.starts_with(&offsets), "{:?}", told);
                let last = told.last().and_then(|word| word.split_once(':'));
                prop_assert_eq!(last.map(|(_, code)| code), Some(bye));
            } else {
                prop_assert_eq!(offsets, expected, "{:?}", told);
                prop_assert_eq!(&snapshot(&told), reader.newest.as_deref().unwrap_or_default(), "{:?}", told);
            }
            let told = told
                .iter()
                .filter_map(|word| word.strip_prefix("ping@").unwrap_or(word).parse::<u64>().ok());
            prop_assert!(told.is_sorted(), "ids run backwards: {:?}", world.got[&reader.key]);
        }
    }
}

fn revocations(names: &[&str]) -> Revocations {
    Revocations::new(names.iter().map(|name| Revocation {
        what: Revoked::parse(name).expect("a name"),
        at: Timestamp(0),
        until: Timestamp(u64::MAX),
        issued_before: None,
    }))
}
