//! Postings: which offsets each key has, which of them a rule hides, and what was removed of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use tidings_core::audience::Key;
use tidings_core::position::Offset;
use tidings_core::scope::{Scope, Selector};

/// The offsets of one key.
#[derive(Debug, Default)]
pub(super) struct Posting {
    /// Of the events that the log holds, rising.
    offsets: VecDeque<Offset>,
    /// A rule hides everything up to here from readers of this key.
    floor: Offset,
    /// The last offset of this key that the log has removed.
    removed_through: Offset,
}

/// All keys that have or had events.
#[derive(Debug)]
pub(super) struct Postings {
    /// By the key's text, in which topics of one prefix lie next to each other.
    keys: BTreeMap<Arc<str>, Posting>,
    /// Keys without a held event, by what they have lost.
    emptied: BTreeSet<(Offset, Arc<str>)>,
    emptied_max: usize,
    /// Keys that are no longer known may have lost events up to here.
    forgotten_through: Offset,
}

impl Posting {
    /// The held offsets in a stretch, hidden ones included, rising.
    pub(super) fn after(&self, after: Offset) -> impl Iterator<Item = Offset> {
        let first = self.offsets.partition_point(|offset| *offset <= after);
        self.offsets.range(first..).copied()
    }

    /// The offsets that readers of the key may see, rising.
    pub(super) fn visible(&self) -> impl DoubleEndedIterator<Item = Offset> {
        let first = self.offsets.partition_point(|offset| *offset <= self.floor);
        self.offsets.range(first..).copied()
    }

    /// Whether a rule hides an offset.
    pub(super) fn hides(&self, offset: Offset) -> bool {
        offset <= self.floor
    }

    /// The last offset that is gone for good.
    pub(super) fn removed_through(&self) -> Offset {
        self.removed_through
    }

    /// Hides everything up to an offset from readers of the key.
    pub(super) fn raise_floor(&mut self, floor: Offset) {
        self.floor = self.floor.max(floor);
    }
}

impl Postings {
    pub(super) fn new(emptied_max: usize) -> Self {
        Self {
            keys: BTreeMap::new(),
            emptied: BTreeSet::new(),
            emptied_max,
            forgotten_through: Offset::ZERO,
        }
    }

    /// Adds an offset, which lies after all others of the key.
    pub(super) fn add(&mut self, key: &Key, offset: Offset) {
        let name: Arc<str> = key.to_string().into();
        let posting = self.keys.entry(Arc::clone(&name)).or_default();
        if posting.offsets.is_empty() && posting.removed_through > Offset::ZERO {
            self.emptied.remove(&(posting.removed_through, name));
        }
        posting.offsets.push_back(offset);
    }

    /// Removes the oldest offset of a key, because the log no longer holds the event.
    pub(super) fn remove(&mut self, key: &Key, offset: Offset) {
        let name = key.to_string();
        let Some((name, posting)) = self.keys.get_key_value(name.as_str()) else {
            return;
        };
        debug_assert_eq!(posting.offsets.front(), Some(&offset), "oldest first");
        let name = Arc::clone(name);
        if let Some(posting) = self.keys.get_mut(&name) {
            posting.offsets.pop_front();
            posting.removed_through = offset;
            if posting.offsets.is_empty() {
                self.emptied.insert((offset, name));
            }
        }
        while self.emptied.len() > self.emptied_max {
            if let Some((removed_through, name)) = self.emptied.pop_first() {
                self.keys.remove(&name);
                self.forgotten_through = self.forgotten_through.max(removed_through);
            }
        }
    }

    /// Up to where keys that are no longer known may have lost events.
    pub(super) fn forgotten_through(&self) -> Offset {
        self.forgotten_through
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Posting> {
        self.keys.get(key.to_string().as_str())
    }

    pub(super) fn get_mut(&mut self, key: &Key) -> Option<&mut Posting> {
        self.keys.get_mut(key.to_string().as_str())
    }

    /// All keys, by name.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Posting)> {
        self.keys
            .iter_mut()
            .map(|(name, posting)| (&**name, posting))
    }

    /// The postings that a scope selects, each once. All of them for the scope of everything.
    pub(super) fn selected(&self, scope: &Scope) -> Vec<&Posting> {
        if *scope == Scope::Everything {
            return self.keys.values().collect();
        }
        let mut selected = BTreeMap::new();
        for selector in scope.selectors() {
            match selector {
                Selector::Key(key) => {
                    let name = key.to_string();
                    if let Some((name, posting)) = self.keys.get_key_value(name.as_str()) {
                        selected.insert(name, posting);
                    }
                }
                Selector::Pattern(pattern) => {
                    let prefix = pattern.literal_prefix();
                    let from = (Bound::Included(prefix), Bound::Unbounded);
                    let candidates = self.keys.range::<str, _>(from);
                    selected.extend(
                        candidates
                            .take_while(|(name, _)| name.starts_with(prefix))
                            .filter(|(name, _)| pattern.matches(name)),
                    );
                }
            }
        }
        selected.into_values().collect()
    }
}
