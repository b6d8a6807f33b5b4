//! Holes: whoever misses something is told, and nobody else.

use std::time::Duration;

use tidings_core::gap::GapReason;
use tidings_core::id::EventId;
use tidings_core::port::{PageItem, Query};
use tidings_core::position::Offset;
use tidings_core::scope::Scope;

use super::{Fixture, LogOptions, LogUnderTest};
use crate::draft::{draft, parse_key};
use crate::reading::{
    check_page, events_of, holes_of, newest_to_the_end, offsets_of, query, read_to_the_end, scope,
    types,
};
use crate::recording_feed::Recording;

/// Events 1 to 4 (`a`, `b`, `a`, `old`) have been removed, 5 to 7 (`a`, `c`, `a`) are held.
fn partly_removed<L: LogUnderTest>() -> Fixture<L> {
    let mut fixture = about_to_be_removed::<L>();
    fixture.log.run_retention();
    let bounds = fixture.log.store().bounds();
    assert_eq!((bounds.before_earliest, bounds.end), (Offset(4), Offset(7)));
    let volume = fixture.log.store().volume();
    assert_eq!(volume.events, 3, "what is held is counted");
    assert!(volume.bytes > 0);
    fixture
}

/// The same before retention has run.
fn about_to_be_removed<L: LogUnderTest>() -> Fixture<L> {
    let mut fixture = Fixture::<L>::with(&LogOptions {
        retention_age: Some(Duration::from_secs(3_600)),
        ..LogOptions::default()
    });
    for key in ["a", "b", "a", "old"] {
        fixture.append([draft(key)
            .id(&format!("id-{key}"))
            .publisher(&fixture.end().to_string())]);
    }
    fixture.log.seal();
    fixture.advance_minutes(30);
    for key in ["a", "c", "a"] {
        fixture.append([draft(key)]);
    }
    fixture.log.seal();
    fixture.advance_minutes(40);
    fixture
}

/// One hole, from before the removed part to before what is held.
pub fn what_was_removed_leaves_a_hole_for_its_readers<L: LogUnderTest>() {
    let fixture = partly_removed::<L>();
    let cases: [(&[&str], u64, &[u64]); 6] = [
        (&["a"], 3, &[5, 7]),
        (&["b"], 2, &[]),
        (&["a", "c"], 3, &[5, 6, 7]),
        (&["*"], 4, &[5, 6, 7]),
        (&["b", "c"], 2, &[6]),
        (&["old"], 4, &[]),
    ];
    for (selectors, last_removed, held) in cases {
        let page = fixture.page(scope(selectors), 0);
        let Some((PageItem::Hole(hole), events)) = page.items.split_first() else {
            panic!("{selectors:?} begins with a hole: {page:?}");
        };
        assert_eq!(hole.reason, GapReason::Retention);
        assert!(hole.through.0 >= last_removed, "{selectors:?}: {hole:?}");
        assert_eq!(offsets_of(&events_of(&page)), held, "{selectors:?}");
        assert_eq!(events.len(), held.len(), "one hole: {page:?}");
        assert_eq!(page.considered, Offset(7));
    }
    assert_eq!(fixture.holes(Scope::Everything, 0).len(), 1);
}

/// Wherever its reader stood.
pub fn a_quiet_topic_never_gets_a_hole<L: LogUnderTest>() {
    let fixture = partly_removed::<L>();
    for quiet in [&["c"][..], &["never"], &["c/**", "x/*"], &["@user/u1"], &[]] {
        for after in 0..=7 {
            assert_eq!(fixture.holes(scope(quiet), after), [], "{quiet:?} {after}");
            let removed = fixture
                .log
                .store()
                .removed_after(&scope(quiet), Offset(after));
            assert_eq!(removed.expect("readable"), None, "{quiet:?} {after}");
        }
    }
}

/// A cursor at or after the last removed event of the scope has missed nothing.
pub fn a_reader_past_the_removed_part_gets_no_hole<L: LogUnderTest>() {
    let fixture = partly_removed::<L>();
    for (selector, last_removed) in [("a", 3), ("b", 2), ("old", 4), ("**", 4)] {
        for after in 0..=7 {
            let holes = fixture.holes(scope(&[selector]), after).len();
            let expected = usize::from(after < last_removed);
            assert_eq!(holes, expected, "{selector} after {after}");
        }
    }
}

/// Also after several rounds of removal, and for each page size.
pub fn adjacent_holes_are_one_and_cover_no_event<L: LogUnderTest>() {
    let mut fixture = Fixture::<L>::with(&LogOptions {
        retention_age: Some(Duration::from_secs(3_600)),
        ..LogOptions::default()
    });
    for _ in 0..6 {
        fixture.append(["a", "b", "a", "c"].map(draft));
        fixture.log.seal();
        fixture.advance_minutes(25);
        fixture.log.run_retention();
    }
    let bounds = fixture.log.store().bounds();
    assert!(bounds.before_earliest > Offset(4) && bounds.before_earliest < bounds.end);
    let store = fixture.log.store();
    for selectors in [&["a"][..], &["a", "c"], &["**"]] {
        for after in 0..=bounds.end.0 {
            for events_max in [1, 2, usize::MAX] {
                let paged = Query {
                    events_max,
                    ..query(scope(selectors), Offset(after))
                };
                let page = read_to_the_end(&*store, &paged);
                check_page(&query(scope(selectors), Offset(after)), &page);
                assert!(holes_of(&page).len() <= 1, "{page:?}");
                let held = events_of(&page);
                assert!(
                    held.iter()
                        .all(|event| event.position.offset > bounds.before_earliest)
                );
            }
        }
    }
}

/// `removed_after` and `read` tell the same story.
pub fn the_last_hole_is_the_one_that_a_read_reports<L: LogUnderTest>() {
    let fixture = partly_removed::<L>();
    for selected in [
        scope(&["a"]),
        scope(&["b", "c"]),
        scope(&["**"]),
        Scope::Everything,
    ] {
        for after in 0..=7 {
            let read = fixture.holes(selected.clone(), after).last().copied();
            let store = fixture.log.store();
            let removed = store
                .removed_after(&selected, Offset(after))
                .expect("readable");
            assert_eq!(removed, read, "{selected:?} after {after}");
        }
    }
}

/// Nobody remembers the types of removed events, so a filter must not claim that none is missing.
pub fn event_types_do_not_hide_a_hole<L: LogUnderTest>() {
    let fixture = partly_removed::<L>();
    let filtered = Query {
        types: types(&["never.seen"]),
        ..query(scope(&["a"]), Offset::ZERO)
    };
    let page = read_to_the_end(&*fixture.log.store(), &filtered);
    assert_eq!(holes_of(&page).len(), 1);
    assert!(events_of(&page).is_empty());
}

/// By no call.
pub fn removed_events_are_not_found_in_any_way<L: LogUnderTest>() {
    let fixture = partly_removed::<L>();
    let store = fixture.log.store();
    for offset in 1..=4 {
        let found = store
            .at(&Scope::Everything, Offset(offset))
            .expect("readable");
        assert_eq!(found, None);
    }
    for id in ["id-a", "id-b", "id-old"] {
        let id = EventId::parse(id).expect("an id");
        let found = store.by_id(&Scope::Everything, &id).expect("readable");
        assert_eq!(found, None);
    }
    let extent = |key| store.extent(&parse_key(key)).expect("readable");
    assert_eq!(extent("b"), None);
    let held = extent("a").expect("some of it is held");
    assert_eq!((held.earliest, held.head), (Offset(5), Offset(7)));
    let everywhere = query(scope(&["**"]), Offset::ZERO);
    let newest = newest_to_the_end(&*store, &everywhere, Offset(7));
    assert_eq!(offsets_of(&newest), [6, 7]);
    let start = fixture.all()[0].timestamp.minus(Duration::from_secs(3_600));
    assert_eq!(store.before_time(start).expect("readable"), Offset(4));
}

/// A page of one item may be a hole.
pub fn a_hole_counts_as_an_item_of_its_page<L: LogUnderTest>() {
    let fixture = partly_removed::<L>();
    let one = Query {
        events_max: 1,
        ..query(scope(&["a"]), Offset::ZERO)
    };
    let page = fixture.log.store().read(&one).expect("readable");
    check_page(&one, &page);
    assert!(
        matches!(page.items.as_slice(), [PageItem::Hole(_)]),
        "{page:?}"
    );
    assert!(page.more && page.considered < Offset(5), "{page:?}");
}

/// When all has been removed, offsets go on where they were.
pub fn an_emptied_log_keeps_its_end_and_goes_on<L: LogUnderTest>() {
    let mut fixture = partly_removed::<L>();
    fixture.advance_minutes(120);
    fixture.log.run_retention();
    let bounds = fixture.log.store().bounds();
    assert_eq!((bounds.before_earliest, bounds.end), (Offset(7), Offset(7)));
    let page = fixture.page(scope(&["a"]), 0);
    assert_eq!(holes_of(&page).len(), 1);
    assert_eq!((page.items.len(), page.considered), (1, Offset(7)));
    assert_eq!(fixture.append_one(draft("a")), Offset(8));
    assert_eq!(offsets_of(&fixture.all()), [8]);
    assert_eq!(fixture.holes(scope(&["a"]), 7), []);
}

/// Row D9: what goes while somebody reads it is told on the next page.
pub fn d9_a_reader_that_retention_overtakes_is_told<L: LogUnderTest>() {
    let mut fixture = about_to_be_removed::<L>();
    let first = Query {
        events_max: 1,
        ..query(scope(&["a"]), Offset::ZERO)
    };
    let page = fixture.log.store().read(&first).expect("readable");
    check_page(&first, &page);
    assert_eq!(offsets_of(&events_of(&page)), [1]);
    fixture.log.run_retention();
    let rest = fixture.page(scope(&["a"]), page.considered.0);
    assert!(matches!(rest.items.first(), Some(PageItem::Hole(hole)) if hole.through >= Offset(3)));
    assert_eq!(offsets_of(&events_of(&rest)), [5, 7]);
    assert_eq!(rest.items.len(), 3);
}

/// A hub that starts from the beginning gets what is left of it.
pub fn a_tail_from_before_the_removed_part_feeds_what_is_held<L: LogUnderTest>() {
    let fixture = partly_removed::<L>();
    let recording = Recording::default();
    let sequencer = fixture.log.sequencer();
    sequencer
        .tail(Offset::ZERO, recording.feed())
        .expect("tailed");
    fixture.append([draft("a")]);
    assert_eq!(offsets_of(&recording.wait_for(4)), [5, 6, 7, 8]);
}
