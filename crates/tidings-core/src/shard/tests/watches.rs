//! Watches: what somebody who waits for readers is told is what publishing would count.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::fixture::World;
use crate::awaited::Awaited;
use crate::position::Offset;
use crate::shard::{Begin, ConnectionKey, WatchId};

const NOW: Begin = Begin::Now { unknown: false };

/// What of events there is to wait for: addressees and a type.
const EVENTS: [(&str, &str); 6] = [
    ("a/1", "order.paid"),
    ("a/1+b", "other"),
    ("b", "order.paid!"),
    ("@user/reader", "other"),
    ("@all+a/2", "other"),
    ("nobody/here", "other"),
];

const SCOPES: [&[&str]; 5] = [
    &["a/1"],
    &["a/*", "a/1"],
    &["a/**", "b", "@all"],
    &["@user/reader", "@all"],
    &["c"],
];

const FILTERS: [&[&str]; 3] = [&[], &["order.*"], &["none.of.them"]];

/// What can happen.
#[derive(Debug, Clone)]
enum Step {
    Open(usize, usize),
    Leave(usize),
    Rescope(usize, usize, usize),
    Watch(usize),
    Unwatch(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let (scope, filter) = (0..SCOPES.len(), 0..FILTERS.len());
    prop_oneof![
        (scope.clone(), filter.clone()).prop_map(|(scope, filter)| Step::Open(scope, filter)),
        (0..8_usize).prop_map(Step::Leave),
        (0..8_usize, scope, filter)
            .prop_map(|(at, scope, filter)| Step::Rescope(at, scope, filter)),
        (0..EVENTS.len()).prop_map(Step::Watch),
        (0..EVENTS.len()).prop_map(Step::Unwatch),
    ]
}

/// A shard, its watches, and what they have told.
struct Watched {
    world: World,
    open: Vec<ConnectionKey>,
    told: BTreeMap<WatchId, u64>,
}

impl Watched {
    fn new() -> Self {
        Self {
            world: World::new(100),
            open: Vec::new(),
            told: BTreeMap::new(),
        }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Open(scope, filter) => {
                let key = self.world.open(SCOPES[scope], FILTERS[filter], NOW);
                self.open.push(key);
            }
            Step::Leave(at) if at < self.open.len() => {
                let key = self.open.swap_remove(at);
                self.world.shard.left(key, self.world.now);
            }
            Step::Rescope(at, scope, filter) if at < self.open.len() => {
                let (scope, filter) = (SCOPES[scope], FILTERS[filter]);
                let changed = self.world.rescope(self.open[at], scope, filter);
                changed.expect("the reader's own");
            }
            Step::Watch(event) => self.watch(event),
            Step::Unwatch(event) => {
                let id = WatchId(event as u64);
                self.world.shard.unwatch(id);
                self.told.remove(&id);
            }
            Step::Leave(_) | Step::Rescope(..) => {}
        }
        let told = &mut self.told;
        self.world.shard.tell_watches(|id, readers| {
            told.insert(id, readers);
        });
    }

    fn watch(&mut self, event: usize) {
        let id = WatchId(event as u64);
        if self.told.contains_key(&id) {
            return;
        }
        let (keys, event_type) = EVENTS[event];
        let content = super::fixture::event(Offset(1), keys, event_type).content;
        self.world.shard.watch(id, Awaited::by_event(&content));
    }

    /// Publishes what each watch waits for, and compares.
    fn check(&mut self) {
        for (id, told) in self.told.clone() {
            let event = EVENTS[id.0 as usize];
            let matched = self.world.publish(&[event], false);
            assert_eq!(matched, [told], "{event:?}");
        }
    }
}

proptest! {
    #[test]
    fn a_watch_counts_what_publishing_counts(steps in prop::collection::vec(step(), 1..40)) {
        let mut watched = Watched::new();
        for step in &steps {
            watched.take(step);
            watched.check();
        }
    }
}

#[test]
fn a_count_is_told_when_it_changes_and_not_again() {
    let mut watched = Watched::new();
    let told = |watched: &mut Watched| {
        let mut all = Vec::new();
        let tell = |id: WatchId, readers| all.push((id.0, readers));
        watched.world.shard.tell_watches(tell);
        all
    };
    assert_eq!(told(&mut watched), []);
    watched.watch(0);
    watched.watch(5);
    assert_eq!(told(&mut watched), [(0, 0), (5, 0)], "from the beginning");
    assert_eq!(told(&mut watched), []);
    let both = watched.world.open(SCOPES[1], FILTERS[0], NOW);
    assert_eq!(told(&mut watched), [(0, 1)], "once for two selectors");
    watched.world.open(SCOPES[0], FILTERS[2], NOW);
    assert_eq!(told(&mut watched), [], "its filter holds the event back");
    watched.world.shard.left(both, watched.world.now);
    assert_eq!(told(&mut watched), [(0, 0)]);
    watched.world.shard.unwatch(WatchId(0));
    watched.world.open(SCOPES[0], FILTERS[0], NOW);
    assert_eq!(told(&mut watched), []);
}

#[test]
fn a_reader_of_a_topic_counts_whatever_types_it_filters() {
    let mut watched = Watched::new();
    let topic = crate::topic::Topic::parse("a/1").expect("a topic");
    let id = WatchId(0);
    watched.world.shard.watch(id, Awaited::of_topic(&topic));
    watched.world.open(SCOPES[0], FILTERS[2], NOW);
    let mut told = None;
    watched
        .world
        .shard
        .tell_watches(|_, readers| told = Some(readers));
    assert_eq!(told, Some(1));
}
