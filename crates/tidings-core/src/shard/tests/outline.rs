//! Connections in short, and how many read the same.

use super::fixture::{World, scope};
use crate::scope::Selector;
use crate::shard::{Begin, ConnectionKey};

const NOW: Begin = Begin::Now { unknown: false };

fn outline(world: &World, key: ConnectionKey) -> (String, usize) {
    let outline = world.shard.outline(key).expect("it is there");
    let subject = outline.subject.expect("a subject");
    assert_eq!(subject.as_str(), "reader");
    (
        outline.first.expect("a selector").to_string(),
        outline.topics,
    )
}

#[test]
fn a_connection_is_known_by_its_first_topic_or_pattern_and_else_by_whom_it_is() {
    let mut world = World::new(10);
    for (scope, first, topics) in [
        (&["@all", "b", "a/1", "a/*"][..], "a/1", 3),
        (&["@all", "@user/reader", "a/**"], "a/**", 1),
        (&["@all", "@user/reader"], "@user/reader", 0),
    ] {
        let key = world.open(scope, &[], NOW);
        assert_eq!(outline(&world, key), (first.to_owned(), topics));
        world.shard.left(key, world.now);
        assert_eq!(world.shard.outline(key), None);
    }
}

#[test]
fn readers_of_a_topic_come_by_any_pattern_and_readers_of_a_pattern_by_that_one() {
    let mut world = World::new(10);
    for scope in [&["a/1"][..], &["a/1", "a/*"], &["a/*"], &["a/**"], &["b"]] {
        world.open(scope, &[], NOW);
    }
    let count = |text: &str| {
        let scope = scope(&[text]);
        let selector: &Selector = scope.selectors().first().expect("one");
        world.shard.readers_by(selector)
    };
    let counts = ["a/1", "a/2", "a/*", "a/**", "b", "c", "c/*"].map(count);
    assert_eq!(counts, [4, 3, 2, 1, 1, 0, 0]);
}
