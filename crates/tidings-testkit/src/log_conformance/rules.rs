//! Rules: a shorter life for the topics of a pattern, among others that stay.

use std::time::Duration;

use tidings_core::pattern::Pattern;
use tidings_core::port::PageItem;
use tidings_core::position::Offset;

use super::{Fixture, LogOptions, LogUnderTest};
use crate::draft::{draft, parse_key};
use crate::reading::{offsets_of, scope};

/// `short/*` lives ten minutes. Events 1 to 6 alternate `short/1` and `long`; 3 and 4 are 20 minutes
/// younger than 1 and 2, and so on; the newest two are fresh.
pub(super) fn with_a_rule<L: LogUnderTest>() -> Fixture<L> {
    let rule = Pattern::parse("short/*").expect("a pattern");
    let mut fixture = Fixture::<L>::with(&LogOptions {
        retention_age: Some(Duration::from_secs(24 * 3_600)),
        rules: vec![(rule, Duration::from_secs(600))],
        ..LogOptions::default()
    });
    for round in 0..3 {
        if round > 0 {
            fixture.advance_minutes(20);
        }
        fixture.append(["short/1", "long"].map(draft));
        fixture.log.seal();
    }
    fixture.log.run_retention();
    fixture
}

/// Others keep theirs, whole.
pub fn a_rule_shortens_the_life_of_its_topics_only<L: LogUnderTest>() {
    let fixture = with_a_rule::<L>();
    assert_eq!(offsets_of(&fixture.events(scope(&["short/1"]), 0)), [5]);
    assert_eq!(offsets_of(&fixture.events(scope(&["long"]), 0)), [2, 4, 6]);
    for after in 0..=6 {
        assert_eq!(fixture.holes(scope(&["long", "short/2"]), after), []);
        let holes = fixture.holes(scope(&["short/*"]), after).len();
        assert_eq!(holes, usize::from(after < 3), "after {after}");
    }
    let store = fixture.log.store();
    let selected = scope(&["short/**"]);
    assert_eq!(store.at(&selected, Offset(1)).expect("readable"), None);
    assert!(store.at(&selected, Offset(5)).expect("readable").is_some());
    let extent = store.extent(&parse_key("short/1")).expect("readable");
    assert_eq!(extent.map(|held| held.earliest), Some(Offset(5)));
    assert_eq!(store.bounds().before_earliest, Offset::ZERO);
}

/// A reader of both gets the holes where they are.
pub fn a_rule_leaves_holes_between_the_events_that_stay<L: LogUnderTest>() {
    let fixture = with_a_rule::<L>();
    let page = fixture.page(scope(&["short/1", "long"]), 0);
    let shape: Vec<(bool, u64)> = page
        .items
        .iter()
        .map(|item| match item {
            PageItem::Event(event) => (true, event.position.offset.0),
            PageItem::Hole(hole) => (false, hole.through.0),
        })
        .collect();
    let expected = [
        (false, 1),
        (true, 2),
        (false, 3),
        (true, 4),
        (true, 5),
        (true, 6),
    ];
    assert_eq!(shape, expected);
}
