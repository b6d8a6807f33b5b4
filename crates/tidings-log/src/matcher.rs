//! Matching audience keys by their text, as records and indexes hold them.

use std::collections::HashSet;
use std::io;

use tidings_core::audience::Key;
use tidings_core::pattern::Pattern;
use tidings_core::scope::{Scope, Selector};

use crate::floors::Floors;
use crate::index::{Index, KeyEntry, Stretch};

/// Whether a selector selects the key with this text.
pub(crate) fn selects(selector: &Selector, key: &str) -> bool {
    match selector {
        Selector::Key(wanted) => key_is(wanted, key),
        // No pattern has a segment that begins with `@`, and no wildcard matches one.
        Selector::Pattern(pattern) => pattern.matches(key),
    }
}

fn key_is(key: &Key, text: &str) -> bool {
    match key {
        Key::Topic(topic) => topic.as_str() == text,
        Key::User(user) => text.strip_prefix("@user/") == Some(user.as_str()),
        Key::Role(role) => text.strip_prefix("@role/") == Some(role.as_str()),
        Key::Everyone => text == "@all",
    }
}

/// A scope, prepared for matching texts.
#[derive(Debug)]
pub(crate) struct Matcher {
    everything: bool,
    keys: HashSet<String>,
    patterns: Vec<Pattern>,
}

/// How an event stands to a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Not for it.
    Foreign,
    /// For it, but below the floor.
    Hidden,
    /// For it.
    Visible,
}

impl Matcher {
    pub(crate) fn new(scope: &Scope) -> Self {
        let mut matcher = Self {
            everything: matches!(scope, Scope::Everything),
            keys: HashSet::new(),
            patterns: Vec::new(),
        };
        for selector in scope.selectors() {
            match selector {
                Selector::Key(key) => {
                    matcher.keys.insert(key.to_string());
                }
                Selector::Pattern(pattern) => matcher.patterns.push(pattern.clone()),
            }
        }
        matcher
    }

    /// Whether every event is in the scope.
    pub(crate) fn is_everything(&self) -> bool {
        self.everything
    }

    /// Whether a key is in the scope.
    pub(crate) fn matches(&self, key: &str) -> bool {
        self.everything
            || self.keys.contains(key)
            || self.patterns.iter().any(|pattern| pattern.matches(key))
    }

    /// How an event with these keys stands to a reader of the scope.
    pub(crate) fn sight<'a>(
        &self,
        keys: impl Iterator<Item = &'a str>,
        offset: u64,
        floors: &Floors,
    ) -> Sight {
        let mut sight = Sight::Foreign;
        for key in keys.filter(|key| self.matches(key)) {
            if floors.is_empty() || floors.of(key) < offset {
                return Sight::Visible;
            }
            sight = Sight::Hidden;
        }
        sight
    }

    /// Visits the keys of an index that are in the scope and have events after an offset, each at
    /// least once; `visit` answers whether to go on.
    pub(crate) fn visit_keys(
        &self,
        index: &dyn Index,
        after: u64,
        visit: &mut dyn FnMut(&str, KeyEntry) -> bool,
    ) -> io::Result<()> {
        let mut go_on = true;
        for key in &self.keys {
            if let Some(entry) = index.key(key)?.filter(|entry| entry.last > after) {
                go_on = visit(key, entry);
            }
            if !go_on {
                return Ok(());
            }
        }
        let every = self.everything.then_some((None, ""));
        let patterns = self.patterns.iter();
        let patterns = patterns.map(|pattern| (Some(pattern), pattern.literal_prefix()));
        for (pattern, prefix) in patterns.chain(every) {
            index.visit_keys(prefix, &mut |key, entry| {
                let wanted = pattern.is_none_or(|pattern| pattern.matches(key));
                if wanted && entry.last > after {
                    go_on = visit(key, entry);
                }
                go_on
            })?;
            if !go_on {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The last offset after `after` at which the index knows an event of the scope.
    pub(crate) fn last_in(&self, index: &dyn Index, after: u64) -> io::Result<Option<u64>> {
        let mut last = None;
        self.visit_keys(index, after, &mut |_, entry| {
            last = last.max(Some(entry.last));
            true
        })?;
        Ok(last)
    }

    /// The last offset in a stretch of unreadable records at which an event of the scope stands, or
    /// may stand: what cannot be proven is possible.
    pub(crate) fn last_possible_in(
        &self,
        index: &dyn Index,
        stretch: Stretch,
    ) -> io::Result<Option<u64>> {
        let unindexed =
            |damage: &Stretch| damage.from <= stretch.through && stretch.from <= damage.through;
        if self.everything || index.damaged().iter().any(unindexed) {
            return Ok(Some(stretch.through));
        }
        let (mut last, mut fault) = (None, None);
        let before = stretch.from.saturating_sub(1);
        self.visit_keys(index, before, &mut |key, entry| {
            if entry.first <= stretch.through {
                match index.postings(key, before) {
                    Ok(postings) => {
                        let inside = postings.iter().rev();
                        let mut inside = inside.filter(|one| one.offset <= stretch.through);
                        last = last.max(inside.next().map(|one| one.offset));
                    }
                    Err(error) => fault = Some(error),
                }
            }
            fault.is_none()
        })?;
        fault.map_or(Ok(last), Err)
    }
}
