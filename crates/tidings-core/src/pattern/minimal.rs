//! Leaving out patterns that others cover, without comparing each with each: what a reader asks for,
//! intersected with what it is granted, comes to tens of thousands.

use std::collections::HashMap;

use super::Pattern;

/// Steps that are spent on one pattern. Where patterns differ in many places by a wildcard alone, the
/// ways through the tree double at each; what is not known to be covered by then stays.
const STEPS_PER_PATTERN_MAX: usize = 256;

/// Leaves only the patterns that no other of the list covers, in order of their text.
///
/// The work is linear in the number of patterns: a pattern that is covered only by one of hundreds
/// which are alike but for their wildcards may stay, which changes nothing of what they match.
pub fn minimal(patterns: Vec<Pattern>) -> Vec<Pattern> {
    // Most readers ask for one thing.
    if patterns.len() < 2 {
        return patterns;
    }
    counted(patterns).0
}

fn counted(mut patterns: Vec<Pattern>) -> (Vec<Pattern>, usize) {
    patterns.sort_unstable();
    patterns.dedup();
    let tree = Tree::of(&patterns);
    let mut steps = 0;
    let is_covered: Vec<bool> = (0..)
        .zip(&patterns)
        .map(|(own, pattern)| {
            let segments: Vec<&str> = pattern.segments().collect();
            let mut left = STEPS_PER_PATTERN_MAX;
            let is_covered = tree.covers(ROOT, &segments, own, &mut left);
            steps += STEPS_PER_PATTERN_MAX - left;
            is_covered
        })
        .collect();
    let mut is_covered = is_covered.into_iter();
    patterns.retain(|_| is_covered.next() == Some(false));
    (patterns, steps)
}

const ROOT: usize = 0;

/// All patterns by their segments.
struct Tree<'a> {
    children: HashMap<(usize, &'a str), usize>,
    /// Which pattern ends at a node.
    ends: Vec<Option<usize>>,
}

impl<'a> Tree<'a> {
    fn of(patterns: &'a [Pattern]) -> Self {
        let mut children = HashMap::new();
        let mut ends = vec![None];
        for (index, pattern) in patterns.iter().enumerate() {
            let mut node = ROOT;
            for segment in pattern.segments() {
                node = *children.entry((node, segment)).or_insert_with(|| {
                    ends.push(None);
                    ends.len() - 1
                });
            }
            ends[node] = Some(index);
        }
        Self { children, ends }
    }

    /// Whether a pattern other than its own covers these segments below a node.
    fn covers(&self, node: usize, segments: &[&'a str], own: usize, left: &mut usize) -> bool {
        let Some(fewer) = left.checked_sub(1) else {
            return false;
        };
        *left = fewer;
        let child = |segment| self.children.get(&(node, segment)).copied();
        let is_other_end = |node: usize| self.ends[node].is_some_and(|index| index != own);
        // `a/**` covers `a` too.
        if child("**").is_some_and(is_other_end) {
            return true;
        }
        match segments {
            [] => is_other_end(node),
            ["**", ..] => false,
            ["*", rest @ ..] => child("*").is_some_and(|node| self.covers(node, rest, own, left)),
            [literal, rest @ ..] => ["*", literal].into_iter().any(|segment| {
                child(segment).is_some_and(|node| self.covers(node, rest, own, left))
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{a_pattern, pattern};
    use super::*;

    /// The definition.
    fn naive(mut patterns: Vec<Pattern>) -> Vec<Pattern> {
        patterns.sort();
        patterns.dedup();
        let all = patterns.clone();
        patterns.retain(|one| !all.iter().any(|other| other != one && other.covers(one)));
        patterns
    }

    proptest! {
        #[test]
        fn a14_what_is_left_agrees_with_the_definition(
            list in proptest::collection::vec(a_pattern(), 0..40)
        ) {
            prop_assert_eq!(minimal(list.clone()), naive(list));
        }
    }

    #[test]
    fn a_list_keeps_only_what_no_other_covers() {
        let list = ["a/b", "a/**", "a/*", "c", "a", "a/b/**", "a/b"].map(pattern);
        assert_eq!(minimal(list.to_vec()), ["a/**", "c"].map(pattern).to_vec());
        assert_eq!(minimal(Vec::new()), Vec::new());
    }

    #[test]
    fn a15_the_most_that_can_be_asked_and_granted_takes_a_few_steps_each() {
        let (asked, granted) = (100, 320);
        let both = (0..asked).flat_map(|asked| {
            (0..granted).map(move |granted| pattern(&format!("team/{granted}/*/{asked}/**")))
        });
        let both: Vec<Pattern> = both.collect();
        let (left, steps) = counted(both.clone());
        assert_eq!(left.len(), asked * granted, "none covers another");
        assert!(steps <= 8 * left.len(), "{steps} steps");
        let with_one_for_all = both.into_iter().chain([pattern("team/**")]).collect();
        let (left, steps) = counted(with_one_for_all);
        assert_eq!(left, [pattern("team/**")]);
        assert!(steps <= 8 * asked * granted, "{steps} steps");
    }

    #[test]
    fn a15_patterns_that_differ_by_wildcards_alone_cost_a_limited_number_of_steps() {
        // Each bit says where a wildcard stands; the last segment is each one's own.
        let texts = (0_u32..4_096).map(|bits| {
            let places = (0..12).map(|bit| if bits >> bit & 1 == 1 { "*" } else { "a" });
            let own = bits.to_string();
            places.chain([own.as_str()]).collect::<Vec<_>>().join("/")
        });
        let list: Vec<Pattern> = texts.map(|text| pattern(&text)).collect();
        let (left, steps) = counted(list.clone());
        assert_eq!(left.len(), list.len());
        assert!(steps <= STEPS_PER_PATTERN_MAX * list.len(), "{steps} steps");
        assert!(steps > 64 * list.len(), "the limit was reached: {steps}");
    }
}
