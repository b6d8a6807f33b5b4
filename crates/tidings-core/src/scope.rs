//! Scopes: exactly what one reader may and wants to read.

use std::fmt;
use std::sync::Arc;

use crate::audience::{Audience, Key};
use crate::event::Event;
use crate::event_type::TypeFilter;
use crate::pattern::Pattern;
use crate::priority::Priority;

/// One thing that a scope selects by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Selector {
    /// One topic, user, role or everyone.
    Key(Key),
    /// Topics by a pattern with at least one wildcard.
    Pattern(Pattern),
}

impl Selector {
    /// The selector of a pattern, which is a key where the pattern has no wildcard.
    pub fn of(pattern: Pattern) -> Self {
        match pattern.as_topic() {
            Some(topic) => Self::Key(Key::Topic(topic)),
            None => Self::Pattern(pattern),
        }
    }

    /// Whether a key is selected.
    pub fn matches(&self, key: &Key) -> bool {
        match self {
            Self::Key(wanted) => wanted == key,
            Self::Pattern(pattern) => key
                .topic()
                .is_some_and(|topic| pattern.matches(topic.as_str())),
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => key.fmt(f),
            Self::Pattern(pattern) => pattern.fmt(f),
        }
    }
}

/// What may be read: granted patterns that were asked for, plus the reader's own audience.
///
/// Every delivery, live or replayed, is matched against this and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Every event. For the hub's own reading, never for a reader.
    Everything,
    /// What these select, sorted and without repeats.
    Selected(Arc<[Selector]>),
}

impl Scope {
    /// The scope of these selectors.
    pub fn new(mut selectors: Vec<Selector>) -> Self {
        selectors.sort();
        selectors.dedup();
        Self::Selected(selectors.into())
    }

    /// Whether any addressee of an event is in the scope.
    pub fn matches(&self, audience: &Audience) -> bool {
        audience.keys().iter().any(|key| self.matches_key(key))
    }

    /// Whether one addressee is in the scope.
    pub fn matches_key(&self, key: &Key) -> bool {
        match self {
            Self::Everything => true,
            Self::Selected(selectors) => selectors.iter().any(|selector| selector.matches(key)),
        }
    }

    /// The selectors; none for the scope of everything.
    pub fn selectors(&self) -> &[Selector] {
        match self {
            Self::Everything => &[],
            Self::Selected(selectors) => selectors,
        }
    }
}

/// Whether a type filter lets an event pass: `critical` events pass every filter.
pub fn passes(filter: &TypeFilter, event: &Event) -> bool {
    event.content.priority == Priority::Critical || filter.matches(&event.content.event_type)
}
