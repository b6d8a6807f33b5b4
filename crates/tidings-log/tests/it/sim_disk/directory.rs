//! Directories of the simulated disk: names, durable names, and the changes between them.

use std::collections::BTreeMap;

/// Names of one directory.
#[derive(Debug, Clone, Default)]
pub(super) struct Directory {
    /// What the running program sees.
    pub(super) names: BTreeMap<String, u64>,
    /// What is there for certain after the power went.
    pub(super) durable: BTreeMap<String, u64>,
    /// What was changed since the last sync, in order.
    pub(super) changes: Vec<Change>,
}

/// A change of a directory that is not durable yet.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Link(String, u64),
    Unlink(String),
    Rename(String, String, u64),
}

impl Change {
    pub(super) fn apply(&self, names: &mut BTreeMap<String, u64>) {
        match self {
            Self::Link(name, file) => {
                names.insert(name.clone(), *file);
            }
            Self::Unlink(name) => {
                names.remove(name);
            }
            Self::Rename(from, to, file) => {
                names.remove(from);
                names.insert(to.clone(), *file);
            }
        }
    }
}

impl Directory {
    pub(super) fn change(&mut self, change: Change) {
        change.apply(&mut self.names);
        self.changes.push(change);
    }
}
