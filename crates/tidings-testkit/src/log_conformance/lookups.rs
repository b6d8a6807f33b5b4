//! Finding single events: by id, by offset, by time, the newest of each key, and the extent of a key.

use tidings_core::id::EventId;
use tidings_core::port::{Extent, Query};
use tidings_core::position::Offset;
use tidings_core::priority::Priority;
use tidings_core::scope::Scope;

use super::{Fixture, LogUnderTest};
use crate::draft::{draft, parse_key};
use crate::reading::{newest_to_the_end, offsets_of, query, scope, types};

/// Ids are a publisher's own: the newest that the reader may read is meant.
pub fn the_newest_event_of_an_id_in_the_scope_is_found<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    fixture.append([draft("a").id("x").publisher("u1")]);
    fixture.append([draft("b").id("x").publisher("u2")]);
    fixture.append([draft("a").id("y"), draft("a")]);
    let find = |selected: Scope, id: &str| {
        let id = EventId::parse(id).expect("an id");
        let found = fixture.log.store().by_id(&selected, &id);
        found.expect("readable").map(|event| {
            assert_eq!(event.content.id, Some(id));
            event.position.offset.0
        })
    };
    let x = EventId::parse("x").expect("an id");
    let first = fixture.log.store().first_by_id(&scope(&["*"]), &x);
    let first = first.expect("readable").expect("held");
    assert_eq!(first.position.offset.0, 1, "the oldest");
    assert_eq!(find(scope(&["a"]), "x"), Some(1));
    assert_eq!(find(scope(&["b"]), "x"), Some(2));
    assert_eq!(find(scope(&["*"]), "x"), Some(2));
    assert_eq!(find(Scope::Everything, "x"), Some(2));
    assert_eq!(find(scope(&["a"]), "y"), Some(3));
    assert_eq!(find(scope(&["b"]), "y"), None, "not in the scope");
    assert_eq!(find(scope(&["c", "@all"]), "x"), None);
    assert_eq!(find(Scope::Everything, "z"), None, "never used");
}

/// What a reader may not read looks like what does not exist.
pub fn an_event_is_found_at_its_offset_only_in_scope<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    fixture.append([draft("a"), draft("@user/u1").also("b")]);
    let all = fixture.all();
    let store = fixture.log.store();
    let find = |selected: Scope, offset: u64| {
        let found = store.at(&selected, Offset(offset)).expect("readable");
        assert!(found.is_none() || found.as_ref() == all.get(offset as usize - 1));
        found.is_some()
    };
    assert!(find(Scope::Everything, 1) && find(Scope::Everything, 2));
    assert!(find(scope(&["a"]), 1) && !find(scope(&["a"]), 2));
    assert!(find(scope(&["@user/u1"]), 2) && find(scope(&["b"]), 2));
    assert!(!find(scope(&["@user/u2"]), 2));
    for nowhere in [0, 3, u64::MAX] {
        assert!(!find(Scope::Everything, nowhere), "{nowhere}");
    }
}

/// Inclusive, so that two events of one millisecond are never split.
pub fn a_time_is_found_before_its_first_event<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    for events in [2, 1, 3] {
        fixture.append((0..events).map(|_| draft("a")));
        fixture.advance_minutes(1);
    }
    let times: Vec<_> = fixture.all().iter().map(|event| event.timestamp).collect();
    let store = fixture.log.store();
    let before = |time| store.before_time(time).expect("readable").0;
    let millisecond = std::time::Duration::from_millis(1);
    assert_eq!(before(times[0].minus(millisecond)), 0);
    assert_eq!(before(times[0]), 0);
    assert_eq!(before(times[0].plus(millisecond)), 2);
    assert_eq!(before(times[2]), 2);
    assert_eq!(before(times[2].plus(millisecond)), 3);
    assert_eq!(before(times[5]), 3);
    assert_eq!(before(times[5].plus(millisecond)), 6, "the end");
}

/// One per key; an event that is the newest of two keys comes once.
pub fn the_newest_event_of_each_key_comes_once_and_in_order<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    fixture.append([draft("a/1"), draft("a/2"), draft("b"), draft("@all")]);
    fixture.append([draft("a/1").also("b"), draft("a/3")]);
    let newest = |selected: Scope| {
        let store = fixture.log.store();
        let everything = query(selected, Offset::ZERO);
        offsets_of(&newest_to_the_end(&*store, &everything, fixture.end()))
    };
    assert_eq!(newest(scope(&["a/*"])), [2, 5, 6]);
    assert_eq!(newest(scope(&["a/*", "b"])), [2, 5, 6]);
    assert_eq!(newest(scope(&["b", "@all"])), [4, 5]);
    assert_eq!(newest(Scope::Everything), [2, 4, 5, 6]);
    assert_eq!(newest(scope(&["c"])), [0; 0]);
}

/// The newest that passes, not the newest if it passes.
pub fn the_newest_per_key_obeys_filter_and_position<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    fixture.append([draft("a").event_type("x"), draft("b").event_type("x")]);
    fixture.append([draft("a").event_type("y"), draft("c").event_type("x")]);
    fixture.append([
        draft("b").event_type("y").priority(Priority::Critical),
        draft("a").event_type("x"),
    ]);
    let newest = |globs: &[&str], through: u64| {
        let store = fixture.log.store();
        let query = Query {
            types: types(globs),
            ..query(scope(&["**"]), Offset::ZERO)
        };
        offsets_of(&newest_to_the_end(&*store, &query, Offset(through)))
    };
    assert_eq!(newest(&[], 6), [4, 5, 6]);
    assert_eq!(newest(&[], 4), [2, 3, 4], "at or before the position");
    assert_eq!(newest(&["x"], 5), [1, 4, 5], "critical passes");
    assert_eq!(newest(&["y"], 4), [3]);
    assert_eq!(newest(&[], 0), [0; 0]);
}

/// However they are cut, and whatever is published in between.
pub fn slices_of_the_newest_per_key_are_bounded_and_agree_with_the_whole<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    for round in 0..2 {
        for topic in 0..10 {
            let data = format!("\"{}\"", "x".repeat(100 * (topic + round)));
            fixture.append([draft(&format!("a/{topic}")).data(data)]);
        }
    }
    let through = fixture.end();
    let store = fixture.log.store();
    let mut next = Query {
        events_max: 3,
        ..query(scope(&["a/*"]), Offset::ZERO)
    };
    let mut sizes = Vec::new();
    loop {
        let slice = store.newest_per_key(&next, through).expect("readable");
        sizes.push(slice.events.len());
        assert_eq!(
            slice.events[0].position.offset,
            next.after.max(Offset(10)).next()
        );
        next.after = slice.considered;
        if !slice.more {
            break;
        }
        // A key that is told, and one that is not: both are as they were at `through`.
        fixture.append([draft("a/0"), draft("a/9")]);
    }
    assert_eq!(sizes, [3, 3, 3, 1]);
    for bytes_max in [1, 150, 1_000, 4_000] {
        let by_bytes = Query {
            bytes_max,
            ..query(scope(&["a/*"]), Offset::ZERO)
        };
        let newest = newest_to_the_end(&*store, &by_bytes, through);
        assert_eq!(offsets_of(&newest), (11..=20).collect::<Vec<_>>());
        let first = store.newest_per_key(&by_bytes, through).expect("readable");
        assert!(first.more, "{bytes_max} bytes are not enough for all");
    }
}

/// Of exactly this key.
pub fn the_extent_of_a_key_is_its_oldest_and_newest_event<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    for key in ["a", "b", "a/b", "@all", "a", "b"] {
        fixture.append([draft(key)]);
    }
    let extent = |key: &str| {
        let found = fixture.log.store().extent(&parse_key(key));
        found
            .expect("readable")
            .map(|Extent { earliest, head }| (earliest.0, head.0))
    };
    assert_eq!(extent("a"), Some((1, 5)));
    assert_eq!(extent("b"), Some((2, 6)));
    assert_eq!(extent("a/b"), Some((3, 3)));
    assert_eq!(extent("@all"), Some((4, 4)));
    assert_eq!(extent("c"), None);
    assert_eq!(extent("@user/u1"), None);
}
