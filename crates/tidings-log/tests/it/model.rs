//! The log against a list in memory, with openings at random points.

use proptest::prelude::*;
use tidings_core::port::{EventStore, Sequencer};
use tidings_core::position::Offset;
use tidings_core::scope::Scope;

use crate::support::{Bench, append, draft, events, read_all, scope};

#[derive(Debug, Clone)]
enum Step {
    /// Groups of events, each for one or two of a few keys, with this many bytes.
    Append(Vec<(usize, usize, usize)>),
    Reopen,
    Keep,
}

const KEYS: [&str; 6] = ["a/1", "a/2", "a/2/x", "b", "@user/u", "@all"];
const SCOPES: [&[&str]; 7] = [
    &["a/1"],
    &["a/*"],
    &["a/**"],
    &["b", "@user/u"],
    &["*"],
    &["**", "@all"],
    &["nobody"],
];

fn step() -> impl Strategy<Value = Step> {
    let event = (0..KEYS.len(), 0..KEYS.len(), 0_usize..3_000);
    prop_oneof![
        8 => proptest::collection::vec(event, 1..6).prop_map(Step::Append),
        1 => Just(Step::Reopen),
        1 => Just(Step::Keep),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_log_reads_as_a_list_would(steps in proptest::collection::vec(step(), 1..60)) {
        let bench = Bench::new();
        let mut log = bench.open();
        let mut model: Vec<(Vec<&str>, String)> = Vec::new();
        for step in steps {
            match step {
                Step::Append(group) => {
                    let mut drafts = Vec::new();
                    for (left, right, bytes) in group {
                        let data = format!("{}-{}", model.len(), "x".repeat(bytes));
                        drafts.push(draft(&[KEYS[left], KEYS[right]], None, &data));
                        model.push((vec![KEYS[left], KEYS[right]], data));
                    }
                    append(&log, drafts).expect("appended");
                }
                Step::Reopen => {
                    drop(log);
                    log = bench.open();
                }
                Step::Keep => log.retain_now(),
            }
        }
        prop_assert_eq!(log.end(), Offset(model.len() as u64));
        for after in [0, model.len() as u64 / 2, model.len() as u64] {
            let every: Vec<_> = wanted(&model, after, |_| true);
            prop_assert_eq!(events(&read_all(&log, &Scope::Everything, after)), every);
            for selectors in SCOPES {
                let scope = scope(selectors);
                let found = read_all(&log, &scope, after);
                let expected = wanted(&model, after, |key| {
                    let key = tidings_core::audience::Key::parse(key).expect("key");
                    scope.matches_key(&key)
                });
                prop_assert_eq!(found.len(), expected.len(), "no holes");
                prop_assert_eq!(events(&found), expected);
                prop_assert_eq!(log.removed_after(&scope, Offset(after)).expect("read"), None);
            }
        }
    }
}

fn wanted(
    model: &[(Vec<&str>, String)],
    after: u64,
    matches: impl Fn(&str) -> bool,
) -> Vec<(u64, String)> {
    let numbered = model.iter().zip(1..);
    numbered
        .filter(|((keys, _), offset)| *offset > after && keys.iter().any(|key| matches(key)))
        .map(|((_, data), offset)| (offset, data.clone()))
        .collect()
}
