//! Merging the postings of several keys of one segment.

use std::io;

use crate::floors::Floors;
use crate::index::Index;
use crate::matcher::Matcher;

/// One event of any of the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Match {
    /// Its offset.
    pub(crate) offset: u64,
    /// What it takes in its record.
    pub(crate) bytes: u32,
    /// Whether it lies above the floor of one of its keys.
    pub(crate) is_visible: bool,
}

/// The events of all keys of a scope after an offset, by rising offset, each once.
pub(crate) fn of(
    index: &dyn Index,
    matcher: &Matcher,
    after: u64,
    floors: &Floors,
) -> io::Result<Vec<Match>> {
    let mut keys = Vec::new();
    matcher.visit_keys(index, after, &mut |key, _| {
        keys.push(key.to_owned());
        true
    })?;
    merge(index, &keys, after, floors)
}

/// The events of these keys after an offset, by rising offset, each once.
pub(crate) fn merge(
    index: &dyn Index,
    keys: &[String],
    after: u64,
    floors: &Floors,
) -> io::Result<Vec<Match>> {
    let mut found = Vec::new();
    for key in keys {
        let floor = floors.of(key);
        found.extend(index.postings(key, after)?.into_iter().map(|one| Match {
            offset: one.offset,
            bytes: one.bytes,
            is_visible: one.offset > floor,
        }));
    }
    if keys.len() > 1 {
        // Of several sights of one event the visible one comes first and stays.
        found.sort_unstable_by_key(|one: &Match| (one.offset, !one.is_visible));
        found.dedup_by_key(|one| one.offset);
    }
    Ok(found)
}
