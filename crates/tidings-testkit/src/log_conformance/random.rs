//! Random sequences of operations, compared with the reference model after each.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tidings_core::event::Draft;
use tidings_core::id::EventId;
use tidings_core::port::{Clock, Query};
use tidings_core::position::Offset;
use tidings_core::priority::Priority;
use tidings_core::scope::Scope;

use super::model::Model;
use super::{DurableLogUnderTest, Fixture, LogOptions, LogUnderTest};
use crate::draft::{draft, parse_key};
use crate::reading::{newest_to_the_end, read_to_the_end, scope, types};

/// Half a second, so that no sequence of whole seconds meets the edge of the window.
const DEDUPE_WINDOW: Duration = Duration::from_millis(600_500);
const AGE: Duration = Duration::from_millis(7_200_500);
const CASES: u32 = 48;
const OPERATIONS_MAX: usize = 40;

const KEYS: [&str; 6] = ["a", "a/b", "a/c", "b/c", "@user/u1", "@all"];
const TYPES: [&str; 3] = ["order.created", "order.paid", "alarm"];
const IDS: [&str; 3] = ["x", "y", "z"];
const SCOPES: [&[&str]; 8] = [
    &["a"],
    &["a/*"],
    &["a/**"],
    &["**"],
    &["*/c", "@all"],
    &["@user/u1"],
    &["none"],
    &["a/b", "b/c", "a"],
];
const FILTERS: [&[&str]; 4] = [&[], &["order.*"], &["*.paid"], &["none"]];

#[derive(Debug, Clone)]
struct Sketch {
    keys: Vec<usize>,
    id: Option<usize>,
    event_type: usize,
    critical: bool,
    data: u8,
}

#[derive(Debug, Clone)]
enum Operation {
    Append(Vec<Sketch>),
    Advance(u64),
    Seal,
    RunRetention,
    Restart,
    Look(Look),
}

/// One reader's questions, all with the same scope.
#[derive(Debug, Clone)]
struct Look {
    scope: Option<usize>,
    filter: usize,
    /// In the sixteenths of the log.
    after: u64,
    events_max: usize,
    bytes_max: usize,
}

fn sketch() -> impl Strategy<Value = Sketch> {
    (
        prop::collection::vec(0..KEYS.len(), 1..3),
        prop::option::weighted(0.4, 0..IDS.len()),
        0..TYPES.len(),
        prop::bool::weighted(0.1),
        0..2_u8,
    )
        .prop_map(|(keys, id, event_type, critical, data)| Sketch {
            keys,
            id,
            event_type,
            critical,
            data,
        })
}

fn look() -> impl Strategy<Value = Look> {
    (
        prop::option::weighted(0.9, 0..SCOPES.len()),
        0..FILTERS.len(),
        0..18_u64,
        prop::sample::select(vec![1, 2, 5, usize::MAX]),
        prop::sample::select(vec![1, 60, usize::MAX]),
    )
        .prop_map(|(scope, filter, after, events_max, bytes_max)| Look {
            scope,
            filter,
            after,
            events_max,
            bytes_max,
        })
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        8 => prop::collection::vec(sketch(), 0..5).prop_map(Operation::Append),
        3 => prop::sample::select(vec![1, 61, 400, 1_900]).prop_map(Operation::Advance),
        1 => Just(Operation::Seal),
        1 => Just(Operation::RunRetention),
        1 => Just(Operation::Restart),
        6 => look().prop_map(Operation::Look),
    ]
}

fn build(sketch: &Sketch) -> Draft {
    let key = |index: &usize| *KEYS.get(*index).expect("a key");
    let (first, others) = sketch.keys.split_first().expect("an addressee");
    let mut builder = draft(key(first))
        .event_type(TYPES[sketch.event_type])
        .data(sketch.data.to_string());
    for other in others {
        builder = builder.also(key(other));
    }
    if let Some(id) = sketch.id {
        builder = builder.id(IDS[id]);
    }
    if sketch.critical {
        builder = builder.priority(Priority::Critical);
    }
    builder.build()
}

/// A log that agrees with a `Vec` in everything, whatever happens to it.
pub fn any_sequence_of_operations_agrees_with_the_model<L: LogUnderTest>() {
    compare::<L>(|fixture| fixture);
}

/// The same with orderly restarts in between.
pub(super) fn compare_with_the_model_across_restarts<L: DurableLogUnderTest>() {
    compare::<L>(|fixture| Fixture {
        log: fixture.log.reopen(),
        clock: fixture.clock,
    });
}

fn compare<L: LogUnderTest>(restart: impl Fn(Fixture<L>) -> Fixture<L>) {
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    };
    let operations = prop::collection::vec(operation(), 1..OPERATIONS_MAX);
    TestRunner::new(config)
        .run(&operations, |operations| {
            let mut fixture = Fixture::<L>::with(&LogOptions {
                dedupe_window: DEDUPE_WINDOW,
                retention_age: Some(AGE),
                ..LogOptions::default()
            });
            let mut model = Model::new(DEDUPE_WINDOW);
            let mut sealed: Vec<Offset> = Vec::new();
            for operation in &operations {
                fixture = step(fixture, &mut model, &mut sealed, operation, &restart);
            }
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}

fn step<L: LogUnderTest>(
    mut fixture: Fixture<L>,
    model: &mut Model,
    sealed: &mut Vec<Offset>,
    operation: &Operation,
    restart: &impl Fn(Fixture<L>) -> Fixture<L>,
) -> Fixture<L> {
    match operation {
        Operation::Append(sketches) => {
            let group: Vec<Draft> = sketches.iter().map(build).collect();
            let outcome = fixture.try_append(group.clone());
            model.check_append(&group, &outcome, fixture.clock.now());
        }
        Operation::Advance(seconds) => fixture.clock.advance(Duration::from_secs(*seconds)),
        Operation::Seal => {
            fixture.log.seal();
            sealed.push(model.end());
        }
        Operation::RunRetention => {
            fixture.log.run_retention();
            let now = fixture.clock.now();
            let removable = |end: &&Offset| {
                let newest = model.newest_at(**end);
                newest.is_some_and(|event| event.timestamp.plus(AGE) <= now)
            };
            let due = sealed.iter().rev().find(removable).copied();
            let bounds = fixture.log.store().bounds();
            assert!(bounds.before_earliest >= due.unwrap_or_default());
        }
        Operation::Restart => fixture = restart(fixture),
        Operation::Look(look) => check_look(&fixture, model, look),
    }
    let bounds = fixture.log.store().bounds();
    model.check_bounds(bounds, fixture.clock.now(), AGE);
    fixture
}

fn check_look<L: LogUnderTest>(fixture: &Fixture<L>, model: &Model, look: &Look) {
    let store = fixture.log.store();
    let selected = look
        .scope
        .map_or(Scope::Everything, |index| scope(SCOPES[index]));
    let end = model.end();
    let after = Offset(end.0 * look.after / 16);
    let query = Query {
        scope: selected.clone(),
        types: types(FILTERS[look.filter]),
        after,
        events_max: look.events_max,
        bytes_max: look.bytes_max,
    };
    model.check_read(&query, &read_to_the_end(&*store, &query));
    let removed = store.removed_after(&selected, after).expect("readable");
    model.check_holes(&query, removed.as_slice());
    for id in IDS {
        let id = EventId::parse(id).expect("an id");
        let found = store.by_id(&selected, &id).expect("readable");
        assert_eq!(found, model.by_id(&selected, &id));
        let first = store.first_by_id(&selected, &id).expect("readable");
        assert_eq!(first, model.first_by_id(&selected, &id));
    }
    let found = store.at(&selected, after).expect("readable");
    assert_eq!(found, model.at(&selected, after));
    for through in [after, end] {
        for after in [Offset::ZERO, after] {
            let query = Query {
                after,
                ..query.clone()
            };
            let newest = newest_to_the_end(&*store, &query, through);
            assert_eq!(newest, model.newest_per_key(&query, through), "{query:?}");
        }
    }
    for key in KEYS.map(parse_key) {
        let extent = store.extent(&key).expect("readable");
        assert_eq!(extent, model.extent(&key), "{key}");
    }
    let time = model.newest_at(after).map(|event| event.timestamp);
    let time = time.unwrap_or_default();
    for time in [time, time.plus(Duration::from_millis(1))] {
        let before = store.before_time(time).expect("readable");
        assert_eq!(before, model.before_time(time));
    }
}
