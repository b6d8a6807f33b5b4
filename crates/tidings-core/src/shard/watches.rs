//! Watches: counts of the readers that somebody waits for, kept while connections come and go.
//!
//! A watch is counted once when it begins. From then on each connection that comes, goes or changes
//! what it reads is compared with it, so nothing is counted again and nothing is asked in a loop. While
//! nobody waits, none of this costs anything, and taking in and delivering events never does.

use crate::awaited::Awaited;
use crate::shard::Shard;
use crate::shard::connection::{Connection, ConnectionKey};
use crate::shard::selectors::SelectorTable;

/// Names a watch; whoever begins it chooses a number that no other watch has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WatchId(pub u64);

/// The watches of a shard.
#[derive(Debug, Default)]
pub(super) struct Watches {
    watches: Vec<Watch>,
    /// Selectors that a watch matches: room that is used again.
    found: Vec<u32>,
}

#[derive(Debug)]
struct Watch {
    id: WatchId,
    awaited: Awaited,
    readers: u64,
    has_changed: bool,
}

impl<S> Shard<S> {
    /// Begins to count the readers of something.
    pub fn watch(&mut self, id: WatchId, awaited: Awaited) {
        let mut members = Vec::new();
        let mut found = std::mem::take(&mut self.watches.found);
        self.selectors.matching(awaited.audience(), &mut found);
        for selector in &found {
            if let Some(entry) = self.selectors.get(*selector) {
                members.extend_from_slice(&entry.members);
            }
        }
        self.watches.found = found;
        members.sort_unstable();
        members.dedup();
        members.retain(|slot| {
            let connection = self.connections.get(*slot as usize);
            connection.is_some_and(|connection| awaited.passes(&connection.types))
        });
        self.watches.watches.push(Watch {
            id,
            awaited,
            readers: members.len() as u64,
            has_changed: true,
        });
    }

    /// Nobody waits for this any more.
    pub fn unwatch(&mut self, id: WatchId) {
        self.watches.watches.retain(|watch| watch.id != id);
    }

    /// Tells each count that has changed since it was told the last time.
    pub fn tell_watches(&mut self, mut tell: impl FnMut(WatchId, u64)) {
        for watch in &mut self.watches.watches {
            if std::mem::take(&mut watch.has_changed) {
                tell(watch.id, watch.readers);
            }
        }
    }

    /// A connection has joined its selectors.
    pub(super) fn watch_comes(&mut self, key: ConnectionKey) {
        self.compare(key, |readers| readers + 1);
    }

    /// A connection is about to leave its selectors.
    pub(super) fn watch_goes(&mut self, key: ConnectionKey) {
        self.compare(key, |readers| readers.saturating_sub(1));
    }

    fn compare(&mut self, key: ConnectionKey, count: impl Fn(u64) -> u64) {
        if self.watches.watches.is_empty() {
            return;
        }
        let Some(connection) = self.connections.get(key.slot()) else {
            return;
        };
        let Watches { watches, found } = &mut self.watches;
        for watch in watches {
            if reads(connection, &watch.awaited, &self.selectors, found) {
                watch.readers = count(watch.readers);
                watch.has_changed = true;
            }
        }
    }
}

/// Whether a connection would be given what is waited for.
fn reads<S>(
    connection: &Connection<S>,
    awaited: &Awaited,
    selectors: &SelectorTable,
    found: &mut Vec<u32>,
) -> bool {
    if !awaited.passes(&connection.types) {
        return false;
    }
    selectors.matching(awaited.audience(), found);
    let mut memberships = connection.memberships.iter();
    memberships.any(|(id, _)| found.binary_search(id).is_ok())
}
