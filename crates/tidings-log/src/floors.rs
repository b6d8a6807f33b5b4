//! Read floors: how rules per selector shorten what the log as a whole retains.
//!
//! Nothing is rewritten. An event at or below the floor of a key is as removed for whoever reads it by
//! that key; another of its keys may still show it.

use tidings_core::scope::Selector;

use crate::matcher::selects;

/// The floor of each rule.
#[derive(Debug, Clone, Default)]
pub(crate) struct Floors {
    rules: Vec<(Selector, u64)>,
}

impl Floors {
    /// The floors of rules; those that hide nothing do not count.
    pub(crate) fn new(mut rules: Vec<(Selector, u64)>) -> Self {
        rules.retain(|(_, floor)| *floor > 0);
        Self { rules }
    }

    /// Whether nothing is hidden.
    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The floor of one rule.
    pub(crate) fn rule(&self, selector: &Selector) -> u64 {
        let found = self.rules.iter().find(|(rule, _)| rule == selector);
        found.map_or(0, |(_, floor)| *floor)
    }

    /// The last hidden offset of a key, or zero.
    pub(crate) fn of(&self, key: &str) -> u64 {
        let matching = self.rules.iter().filter(|(rule, _)| selects(rule, key));
        matching.map(|(_, floor)| *floor).max().unwrap_or(0)
    }
}
