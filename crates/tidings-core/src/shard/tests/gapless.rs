//! Snapshots, replay, live, lag, eviction and a full inbox in any order: no reader misses or repeats
//! anything.

use proptest::prelude::*;

use super::fixture::{World, filter, scope};
use crate::position::Offset;
use crate::shard::{Begin, ConnectionKey};
use crate::start::Replay;

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
        1 => (0_u64..20_000).prop_map(Step::Wait),
    ]
}

struct Reader {
    key: ConnectionKey,
    patterns: Vec<&'static str>,
    types: &'static [&'static str],
    start: Offset,
    /// What a snapshot must hold.
    newest: Vec<u64>,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_reader_gets_exactly_its_events_in_order(
        window in 1_usize..12, steps in proptest::collection::vec(a_step(), 1..120),
    ) {
        let mut world = World::new(window);
        let mut readers: Vec<Reader> = Vec::new();
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
                    let mut newest = Vec::new();
                    let (begin, start) = match from {
                        Origin::Now => (Begin::Now { unknown: false }, head),
                        Origin::Last => {
                            newest = world.newest_offsets(&scope(&patterns), &filter(types), head);
                            (Begin::Last { unknown: false }, head)
                        }
                        Origin::After(after) => {
                            let offset = Offset((after as u64).min(world.end().0));
                            (Begin::After { offset, gap: None, replay: Replay::Complete }, offset)
                        }
                    };
                    let key = world.open(&patterns, types, begin);
                    readers.push(Reader { key, patterns, types, start, newest });
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
                Step::Wait(ms) => world.advance(ms),
            }
        }
        world.settle();
        for reader in &readers {
            let expected = world.expected(&reader.patterns, reader.types, reader.start);
            prop_assert_eq!(world.offsets(reader.key), expected, "{:?}", &reader.patterns);
            let snapshot = world.got[&reader.key][1..].iter().map_while(|word| word.strip_suffix('?'));
            let snapshot: Vec<u64> = snapshot.filter_map(|word| word.parse().ok()).collect();
            prop_assert_eq!(&snapshot, &reader.newest, "{:?}", &reader.patterns);
            let told = world.got[&reader.key]
                .iter()
                .filter_map(|word| word.strip_prefix("ping@").unwrap_or(word).parse::<u64>().ok());
            prop_assert!(told.is_sorted(), "ids run backwards: {:?}", world.got[&reader.key]);
        }
    }
}
