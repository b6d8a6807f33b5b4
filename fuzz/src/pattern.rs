//! Patterns and topics, against the naive way of matching.

use tidings_core::pattern::{Pattern, minimal};
use tidings_core::topic::Topic;

use crate::input::lines;

/// Input: a pattern, another one, a topic, each on a line.
pub fn pattern(data: &[u8]) {
    let Some([one, other, topic_text]) = lines(data) else {
        return;
    };
    let topic = Topic::parse(topic_text);
    if let Ok(topic) = &topic {
        assert_eq!(topic.as_str(), topic_text, "a topic has one spelling");
        let has_parts = topic.segments().all(|segment| !segment.is_empty());
        assert!(has_parts && !topic_text.contains(['*', '{', '}', '\0']));
        let exact = Pattern::exactly(topic);
        assert_eq!(Pattern::parse(topic_text).as_ref(), Ok(&exact));
        assert_eq!(exact.as_topic().as_ref(), Some(topic));
        assert!(exact.matches(topic_text));
    }
    let patterns = [one, other].map(Pattern::parse);
    for (text, pattern) in [one, other].iter().zip(&patterns) {
        if let Ok(pattern) = pattern {
            assert_eq!(pattern.as_str(), *text, "a pattern has one spelling");
            assert_eq!(
                pattern.matches(topic_text),
                matches_naively(text, topic_text)
            );
            assert!(pattern.covers(pattern));
            assert_eq!(pattern.intersect(pattern).as_ref(), Some(pattern));
        }
    }
    let ([Ok(one), Ok(other)], Ok(topic)) = (patterns, topic) else {
        return;
    };
    let topic = topic.as_str();
    let [by_one, by_other] = [&one, &other].map(|pattern| pattern.matches(topic));
    let both = one.intersect(&other);
    assert_eq!(both, other.intersect(&one));
    let by_both = both.as_ref().is_some_and(|both| both.matches(topic));
    assert_eq!(by_both, by_one && by_other);
    if let Some(both) = &both {
        // An intersection is a pattern like any other, unless it is too long to be asked for.
        if both.as_str().len() <= 256 {
            assert_eq!(Pattern::parse(both.as_str()).as_ref(), Ok(both));
        }
        assert!(one.covers(both) && other.covers(both));
    }
    assert!(!one.covers(&other) || by_one || !by_other);
    assert!(!by_one || topic.starts_with(one.literal_prefix()));
    let fewest = minimal(vec![one, other]);
    let by_fewest = fewest.iter().any(|pattern| pattern.matches(topic));
    assert_eq!(by_fewest, by_one || by_other);
}

/// Whether a pattern matches, one segment after the other.
pub(crate) fn matches_naively(pattern: &str, topic: &str) -> bool {
    fn segments(wanted: &[&str], found: &[&str]) -> bool {
        match (wanted, found) {
            ([] | ["**"], []) => true,
            (["**"], [first, rest @ ..]) => !first.starts_with('@') && segments(wanted, rest),
            (["*", wanted @ ..], [first, rest @ ..]) => {
                !first.starts_with('@') && segments(wanted, rest)
            }
            ([literal, wanted @ ..], [first, rest @ ..]) => {
                literal == first && segments(wanted, rest)
            }
            _ => false,
        }
    }
    let wanted: Vec<&str> = pattern.split('/').collect();
    let found: Vec<&str> = topic.split('/').collect();
    segments(&wanted, &found)
}
