//! Patterns against a naive matcher over segment lists.

use proptest::prelude::*;

use super::*;

pub(super) fn pattern(text: &str) -> Pattern {
    Pattern::parse(text).expect(text)
}

/// The definition, written as plainly as it can be.
fn naive(pattern: &[&str], topic: &[&str]) -> bool {
    match (pattern, topic) {
        ([], []) => true,
        (["**"], rest) => rest.iter().all(|segment| !segment.starts_with('@')),
        (["*", wanted @ ..], [first, found @ ..]) => {
            !first.starts_with('@') && naive(wanted, found)
        }
        ([literal, wanted @ ..], [first, found @ ..]) => literal == first && naive(wanted, found),
        _ => false,
    }
}

fn a_topic() -> impl Strategy<Value = String> {
    proptest::collection::vec("[ab]", 1..5).prop_map(|segments| segments.join("/"))
}

pub(super) fn a_pattern() -> impl Strategy<Value = Pattern> {
    (proptest::collection::vec("[ab*]", 0..4), any::<bool>()).prop_map(|(mut segments, deep)| {
        if deep || segments.is_empty() {
            segments.push("**".to_owned());
        }
        pattern(&segments.join("/"))
    })
}

proptest! {
    #[test]
    fn a14_matching_agrees_with_the_naive_matcher(wanted in a_pattern(), topic in a_topic()) {
        let segments: Vec<&str> = wanted.segments().collect();
        let found: Vec<&str> = topic.split('/').collect();
        prop_assert_eq!(wanted.matches(&topic), naive(&segments, &found));
    }

    #[test]
    fn the_intersection_matches_what_both_match(
        left in a_pattern(), right in a_pattern(), topic in a_topic(),
    ) {
        let both = left.intersect(&right);
        prop_assert_eq!(
            both.is_some_and(|both| both.matches(&topic)),
            left.matches(&topic) && right.matches(&topic)
        );
        prop_assert_eq!(left.intersect(&right), right.intersect(&left));
    }

    #[test]
    fn every_matching_topic_begins_with_the_literal_prefix(
        wanted in a_pattern(), topic in a_topic(),
    ) {
        if wanted.matches(&topic) {
            prop_assert!(topic.starts_with(wanted.literal_prefix()), "{}", wanted);
        }
    }
}

#[test]
fn a_deep_wildcard_also_matches_nothing_more() {
    assert!(pattern("a/**").matches("a"));
    assert!(pattern("a/**").matches("a/b/c"));
    assert!(!pattern("a/**").matches("ab"));
    assert!(!pattern("**").matches("@all"));
    assert!(!pattern("*/**").matches("a/@user"));
}

#[test]
fn malformed_patterns_are_refused() {
    for bad in [
        "", "a/**/b", "a*", "***", "a//b", "@all", "@user/*", "{sub}", "a/../b",
    ] {
        assert!(Pattern::parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a15_a_pattern_of_many_wildcards_is_matched_in_one_pass() {
    let wanted = pattern(&["*"; 32].join("/"));
    assert!(wanted.matches(&["a"; 32].join("/")));
    assert!(!wanted.matches(&["a"; 31].join("/")));
    assert!(Pattern::parse(&["*"; 1_000].join("/")).is_err());
}
