//! Connections in a few words, for those who read logs: whose each is, and what it reads.

use crate::audience::Subject;
use crate::scope::Selector;
use crate::shard::Shard;
use crate::shard::connection::{Connection, ConnectionKey};
use crate::shard::rescope::pattern;

/// Whose a connection is and what it reads, in short.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    /// Whose; nobody's, for some.
    pub subject: Option<Subject>,
    /// The first of the topics and patterns that it reads, or what it reads by whom it is, if that is
    /// all.
    pub first: Option<Selector>,
    /// How many topics and patterns it reads.
    pub topics: usize,
}

impl<S> Shard<S> {
    /// A connection in short.
    pub fn outline(&self, key: ConnectionKey) -> Option<Outline> {
        let connection = self.connections.get(key.slot());
        connection
            .filter(|found| found.key == key)
            .map(|connection| self.outline_of(connection))
    }

    pub(super) fn outline_of(&self, connection: &Connection<S>) -> Outline {
        let (mut first, mut topics) = (None, 0);
        for (id, _) in &connection.memberships {
            let Some(selector) = self.selectors.selector(*id) else {
                continue;
            };
            let is_topic = pattern(selector).is_some();
            if first.is_none() || is_topic && topics == 0 {
                first = Some(selector.clone());
            }
            topics += usize::from(is_topic);
        }
        Outline {
            subject: connection.holder.subject().cloned(),
            first,
            topics,
        }
    }

    /// How many connections read by a selector: a key by whatever pattern, a pattern by itself.
    pub fn readers_by(&self, selector: &Selector) -> usize {
        match selector {
            Selector::Key(key) => self.selectors.readers_of(key, &mut Vec::new()),
            Selector::Pattern(_) => self.selectors.readers_by(selector),
        }
    }
}
