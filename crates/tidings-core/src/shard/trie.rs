//! Finding the subscribed patterns that match a topic, in steps of its segments.

use std::collections::HashMap;

use crate::pattern::Pattern;

/// Patterns by their segments. The work for a topic is bounded by the nodes on its branches, never
/// by the number of patterns.
#[derive(Debug, Default)]
pub(super) struct Trie {
    root: Node,
}

#[derive(Debug, Default)]
struct Node {
    literal: HashMap<Box<str>, Self>,
    star: Option<Box<Self>>,
    /// The pattern that ends here.
    here: Option<u32>,
    /// The pattern that ends here with `**`.
    deep: Option<u32>,
}

impl Trie {
    pub(super) fn insert(&mut self, pattern: &Pattern, selector: u32) {
        let mut node = &mut self.root;
        for segment in pattern.segments() {
            match segment {
                "**" => {
                    node.deep = Some(selector);
                    return;
                }
                "*" => node = node.star.get_or_insert_default(),
                literal => node = node.literal.entry(literal.into()).or_default(),
            }
        }
        node.here = Some(selector);
    }

    pub(super) fn remove(&mut self, pattern: &Pattern) {
        self.root.remove(&mut pattern.segments());
    }

    /// Calls back with every selector whose pattern matches.
    pub(super) fn matches(&self, topic: &str, found: &mut impl FnMut(u32)) {
        self.root.matches(Some(topic), found);
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.root.is_empty()
    }
}

impl Node {
    fn is_empty(&self) -> bool {
        self.literal.is_empty() && self.star.is_none() && self.here.is_none() && self.deep.is_none()
    }

    fn remove<'a>(&mut self, segments: &mut impl Iterator<Item = &'a str>) {
        match segments.next() {
            None => self.here = None,
            Some("**") => self.deep = None,
            Some("*") => {
                if let Some(star) = &mut self.star {
                    star.remove(segments);
                    if star.is_empty() {
                        self.star = None;
                    }
                }
            }
            Some(literal) => {
                if let Some(child) = self.literal.get_mut(literal) {
                    child.remove(segments);
                    if child.is_empty() {
                        self.literal.remove(literal);
                    }
                }
            }
        }
    }

    /// `rest` is what of the topic is still to be matched; none at its end.
    fn matches(&self, rest: Option<&str>, found: &mut impl FnMut(u32)) {
        if let Some(deep) = self.deep {
            found(deep);
        }
        let Some(rest) = rest else {
            if let Some(here) = self.here {
                found(here);
            }
            return;
        };
        let (segment, rest) = match rest.split_once('/') {
            Some((segment, rest)) => (segment, Some(rest)),
            None => (rest, None),
        };
        if let Some(child) = self.literal.get(segment) {
            child.matches(rest, found);
        }
        if let Some(star) = &self.star {
            star.matches(rest, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trie_finds_what_each_pattern_alone_would_match() {
        let patterns = ["a/*", "a/**", "*/b", "**", "a/*/c", "*/*", "x/**"]
            .map(|text| Pattern::parse(text).expect(text));
        let mut trie = Trie::default();
        for (index, pattern) in patterns.iter().enumerate() {
            trie.insert(pattern, index as u32);
        }
        for topic in ["a", "a/b", "a/b/c", "x", "x/y/z", "b/b", "q/r/s/t"] {
            let mut found = Vec::new();
            trie.matches(topic, &mut |selector| found.push(selector as usize));
            found.sort_unstable();
            let expected: Vec<usize> = (0..patterns.len())
                .filter(|index| patterns[*index].matches(topic))
                .collect();
            assert_eq!(found, expected, "{topic}");
        }
        for pattern in &patterns {
            trie.remove(pattern);
        }
        assert!(trie.is_empty());
    }
}
