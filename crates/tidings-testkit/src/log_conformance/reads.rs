//! Reading forward: scopes, pages and filters.

use tidings_core::event_type::TypeFilter;
use tidings_core::port::{PageItem, Query};
use tidings_core::position::Offset;
use tidings_core::priority::Priority;
use tidings_core::scope::Scope;

use super::{Fixture, LogUnderTest};
use crate::draft::{data_of_bytes, draft};
use crate::reading::{check_page, events_of, offsets_of, query, read_to_the_end, scope, types};

/// Exact keys, patterns and everything; an audience is never reached by a pattern.
pub fn a_scope_selects_by_topic_pattern_and_audience<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    let keys = [
        "a", "a/b", "a/b/c", "d/b", "ab", "@user/u1", "@role/A", "@all",
    ];
    for key in keys {
        fixture.append([draft(key)]);
    }
    let cases: [(&[&str], &[u64]); 15] = [
        (&["a"], &[1]),
        (&["a/b"], &[2]),
        (&["a/*"], &[2]),
        (&["a/**"], &[1, 2, 3]),
        (&["*/b"], &[2, 4]),
        (&["*"], &[1, 5]),
        (&["**"], &[1, 2, 3, 4, 5]),
        (&["*/*/*"], &[3]),
        (&["@user/u1"], &[6]),
        (&["@role/A", "@all"], &[7, 8]),
        (&["@user/u2"], &[]),
        (&["a/b", "a/*", "@all"], &[2, 8]),
        (&["d/**", "ab"], &[4, 5]),
        (&["nothing/here"], &[]),
        (&[], &[]),
    ];
    for (selectors, expected) in cases {
        let found = offsets_of(&fixture.events(scope(selectors), 0));
        assert_eq!(found, expected, "{selectors:?}");
    }
    let all: Vec<u64> = (1..=8).collect();
    assert_eq!(offsets_of(&fixture.all()), all);
    for after in 0..=8 {
        let found = offsets_of(&fixture.events(Scope::Everything, after));
        assert_eq!(Some(found.as_slice()), all.get(after as usize..));
    }
}

/// However many of its addressees match.
pub fn an_event_with_several_matching_addressees_comes_once<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    fixture.append([draft("a/1").also("a/2").also("b").also("@all")]);
    fixture.append([draft("a/2")]);
    let wide = scope(&["a/*", "a/1", "b", "@all"]);
    assert_eq!(offsets_of(&fixture.events(wide, 0)), [1, 2]);
    assert_eq!(offsets_of(&fixture.events(scope(&["b"]), 0)), [1]);
    assert_eq!(offsets_of(&fixture.all()), [1, 2]);
}

/// Any page size finds the same; whether there is more is said truly.
pub fn a_page_holds_at_most_so_many_events_and_says_that_there_are_more<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    for n in 0..30 {
        fixture.append([draft(if n % 3 == 0 { "a" } else { "b" })]);
    }
    let store = fixture.log.store();
    for selected in [scope(&["a"]), scope(&["a", "b"]), Scope::Everything] {
        let whole = query(selected, Offset::ZERO);
        let expected = read_to_the_end(&*store, &whole);
        for events_max in [1, 2, 7, 29, 30, 31] {
            let paged = Query {
                events_max,
                ..whole.clone()
            };
            let page = store.read(&paged).expect("readable");
            check_page(&paged, &page);
            assert_eq!(page.items.len(), events_max.min(expected.items.len()));
            if page.items.len() < expected.items.len() {
                assert!(page.more, "{events_max}");
            }
            assert_eq!(read_to_the_end(&*store, &paged), expected, "{events_max}");
        }
    }
}

/// The first event of a page comes whatever its size; further ones only while there is room.
pub fn a_page_stops_at_its_bytes_but_always_moves_on<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    for size in [10, 5_000, 10, 10, 5_000, 5_000] {
        fixture.append([draft("a").data(data_of_bytes(size))]);
    }
    let store = fixture.log.store();
    let whole = query(scope(&["a"]), Offset::ZERO);
    let expected = read_to_the_end(&*store, &whole);
    let first = events_of(&expected)
        .first()
        .map(|event| event.content.size_bytes());
    let exactly_one = first.expect("an event");
    for bytes_max in [1, exactly_one, 30, 100, 5_000, 6_000, 100_000] {
        let paged = Query {
            bytes_max,
            ..whole.clone()
        };
        assert_eq!(read_to_the_end(&*store, &paged), expected, "{bytes_max}");
        let page = store.read(&paged).expect("readable");
        let sizes: Vec<usize> = events_of(&page)
            .iter()
            .map(|event| event.content.size_bytes())
            .collect();
        let before_last: usize = sizes.iter().rev().skip(1).sum();
        assert!(!sizes.is_empty() && (before_last < bytes_max || sizes.len() == 1));
    }
}

/// A reader of silent topics keeps a fresh cursor.
pub fn a_quiet_scope_is_considered_to_the_end<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    fixture.append([draft("a")]);
    for _ in 0..20 {
        fixture.append([draft("b")]);
    }
    for quiet in [scope(&["a"]), scope(&["c/**"]), scope(&[])] {
        assert_eq!(fixture.page(quiet, 1).considered, Offset(21));
    }
    let filtered = Query {
        types: types(&["other.*"]),
        ..query(Scope::Everything, Offset::ZERO)
    };
    let page = read_to_the_end(&*fixture.log.store(), &filtered);
    assert_eq!((page.items.len(), page.considered), (0, Offset(21)));
}

/// There is nothing after the end, and asking for it is no error.
pub fn reading_at_or_beyond_the_end_finds_nothing<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    fixture.append(["a", "b"].map(draft));
    let store = fixture.log.store();
    for after in [2, 3, 1_000, u64::MAX] {
        for selected in [Scope::Everything, scope(&["a"]), scope(&["**"])] {
            let beyond = query(selected.clone(), Offset(after));
            let page = store.read(&beyond).expect("readable");
            check_page(&beyond, &page);
            assert!(page.items.is_empty() && !page.more, "{page:?}");
            let removed = store.removed_after(&selected, Offset(after));
            assert_eq!(removed.expect("readable"), None);
        }
    }
}

/// `critical` passes type filters, and nothing else does; scopes hold for it too.
pub fn types_are_filtered_and_critical_events_pass<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    for (topic, event_type, priority) in [
        ("a", "order.created", Priority::Normal),
        ("a", "order.paid", Priority::High),
        ("a", "user.created", Priority::Low),
        ("a", "alarm", Priority::Critical),
        ("b", "alarm", Priority::Critical),
    ] {
        fixture.append([draft(topic).event_type(event_type).priority(priority)]);
    }
    let find = |globs: &[&str]| {
        let filtered = Query {
            types: types(globs),
            ..query(scope(&["a"]), Offset::ZERO)
        };
        let page = read_to_the_end(&*fixture.log.store(), &filtered);
        assert_eq!(page.considered, Offset(5));
        offsets_of(&events_of(&page))
    };
    assert!(TypeFilter::default().is_everything());
    assert_eq!(find(&[]), [1, 2, 3, 4]);
    assert_eq!(find(&["order.*"]), [1, 2, 4]);
    assert_eq!(find(&["*.created", "order.paid"]), [1, 2, 3, 4]);
    assert_eq!(find(&["nothing"]), [4]);
}

/// Each of many topics is read exactly, and patterns over them too.
pub fn one_topic_among_many_is_found<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    let topic = |n: u64| format!("group{}/item{n}", n % 7);
    for batch in 0..4 {
        fixture.append((0..100).map(|n| draft(&topic(batch * 100 + n))));
    }
    for n in [0, 1, 99, 100, 250, 399] {
        let found = fixture.events(scope(&[&topic(n)]), 0);
        assert_eq!(offsets_of(&found), [n + 1]);
    }
    let expected: Vec<u64> = (0..400).filter(|n| n % 7 == 3).map(|n| n + 1).collect();
    let found = fixture.page(scope(&["group3/*"]), 0);
    assert_eq!(offsets_of(&events_of(&found)), expected);
    assert!(
        found
            .items
            .iter()
            .all(|item| matches!(item, PageItem::Event(_)))
    );
}
