//! Revocations: kept in a journal, known in memory, told to whoever listens.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use tidings_core::port::StoreError;
use tidings_core::revocation::{Revocation, Revocations, Revoked};
use tidings_core::time::Timestamp;

use super::unavailable;
use crate::journal::{Journal, JournalError, Kind, Line, News};
use crate::limits::REVOCATIONS_MAX;

const KIND: Kind = Kind {
    name: "revocations",
    version: 1,
};

type Entries = HashMap<Revoked, Revocation>;
type Listener = Box<dyn Fn(Arc<Revocations>) + Send + Sync>;

/// The revocations of a data directory.
pub(super) struct Revoking {
    /// Held while something changes and while it is told, so that changes are told in their order.
    state: Mutex<State>,
    current: RwLock<Arc<Revocations>>,
    listeners: Mutex<Vec<Listener>>,
}

struct State {
    journal: Journal,
    entries: Entries,
}

/// What a line of the journal says.
enum Change {
    Revoke(Revocation),
    Lift(Revoked),
}

/// The same as it is written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Entry {
    Revoke(RevokeLine),
    Lift(LiftLine),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RevokeLine {
    what: String,
    at: u64,
    until: u64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    issued_before: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LiftLine {
    what: String,
}

// === impl Revoking ===

impl Revoking {
    pub(super) fn open(data_dir: &Path) -> Result<Self, JournalError> {
        let mut state = State {
            journal: Journal::new(data_dir, KIND),
            entries: Entries::new(),
        };
        let news = state.journal.news()?;
        state.take_in(news)?;
        let current = Revocations::new(state.entries.values().cloned());
        Ok(Self {
            state: Mutex::new(state),
            current: RwLock::new(Arc::new(current)),
            listeners: Mutex::default(),
        })
    }

    pub(super) fn poll(&self, now: Timestamp) -> Result<bool, JournalError> {
        let mut state = self.state();
        let news = state.journal.glance()?;
        let is_told = state.take_in(news)?;
        let is_forgotten = state.forget_ended(now);
        let is_changed = is_told || is_forgotten;
        if is_changed {
            self.publish(&state.entries);
        }
        Ok(is_changed)
    }

    pub(super) fn revoke(&self, revocation: Revocation) -> Result<(), StoreError> {
        self.change(|entries| {
            entries.retain(|_, entry| revocation.at < entry.until);
            let is_new = !entries.contains_key(&revocation.what);
            if is_new && entries.len() >= REVOCATIONS_MAX {
                return Err(StoreError::Full {
                    what: "revocations",
                    max: REVOCATIONS_MAX,
                });
            }
            entries.insert(revocation.what.clone(), revocation.clone());
            Ok((Some(Change::Revoke(revocation)), ()))
        })
    }

    pub(super) fn lift(&self, what: &Revoked) -> Result<bool, StoreError> {
        self.change(|entries| {
            let was_there = entries.remove(what).is_some();
            Ok((was_there.then(|| Change::Lift(what.clone())), was_there))
        })
    }

    /// Makes one change to what is known by then, writes it, and tells it.
    fn change<T>(
        &self,
        change: impl FnOnce(&mut Entries) -> Result<(Option<Change>, T), StoreError>,
    ) -> Result<T, StoreError> {
        let mut state = self.state();
        let State { journal, entries } = &mut *state;
        let path = journal.path().to_owned();
        let mut writing = journal.write().map_err(|error| unavailable(&error))?;
        let mut draft = entries.clone();
        let news = writing.news();
        if news != News::Nothing {
            if let Err(line) = apply(&mut draft, news) {
                writing.forget();
                return Err(unavailable(&damaged(&path, &line)));
            }
            // Whatever becomes of what is about to be written, this has been read and counts.
            if *entries != draft {
                entries.clone_from(&draft);
                self.publish(entries);
            }
        }
        let (change, answer) = change(&mut draft)?;
        if let Some(change) = change {
            let written = writing.append(&change.json());
            written.map_err(|error| unavailable(&error))?;
            *entries = draft;
            self.publish(entries);
            if writing.is_mostly_history(entries.len()) {
                let lines = entries.values().cloned();
                // The change is kept. What could not be made smaller will be at the next one.
                let _as_large_as_before =
                    writing.rewrite(lines.map(|entry| Change::Revoke(entry).json()));
            }
        }
        Ok(answer)
    }

    pub(super) fn current(&self) -> Arc<Revocations> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current)
    }

    pub(super) fn listen(&self, listener: Listener) {
        let mut listeners = self.listeners();
        listener(self.current());
        listeners.push(listener);
    }

    /// Tells the listeners. The lock around them is held until all know, so that whoever comes to
    /// listen meanwhile misses nothing.
    fn publish(&self, entries: &Entries) {
        let listeners = self.listeners();
        let fresh = Arc::new(Revocations::new(entries.values().cloned()));
        let place = self.current.write();
        *place.unwrap_or_else(PoisonError::into_inner) = Arc::clone(&fresh);
        for listener in listeners.iter() {
            listener(Arc::clone(&fresh));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listeners(&self) -> MutexGuard<'_, Vec<Listener>> {
        let listeners = self.listeners.lock();
        listeners.unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl State ===

impl State {
    fn take_in(&mut self, news: News) -> Result<bool, JournalError> {
        if news == News::Nothing {
            return Ok(false);
        }
        let mut entries = self.entries.clone();
        if let Err(line) = apply(&mut entries, news) {
            self.journal.forget();
            return Err(damaged(self.journal.path(), &line));
        }
        // A file that was only written anew says nothing new.
        let is_changed = self.entries != entries;
        self.entries = entries;
        Ok(is_changed)
    }

    fn forget_ended(&mut self, now: Timestamp) -> bool {
        let before = self.entries.len();
        self.entries.retain(|_, entry| now < entry.until);
        self.entries.len() < before
    }
}

/// Applies lines in order, or names the first that makes no sense.
fn apply(entries: &mut Entries, news: News) -> Result<(), Line> {
    let lines = match news {
        News::Nothing => return Ok(()),
        News::More(lines) => lines,
        News::All(lines) => {
            entries.clear();
            lines
        }
    };
    for line in lines {
        match Change::parse(&line.json) {
            Some(Change::Revoke(revocation)) => {
                entries.insert(revocation.what.clone(), revocation);
            }
            Some(Change::Lift(what)) => {
                entries.remove(&what);
            }
            None => return Err(line),
        }
    }
    Ok(())
}

fn damaged(path: &Path, line: &Line) -> JournalError {
    JournalError::Damaged {
        path: path.to_owned(),
        line: line.number,
        problem: "does not make sense",
    }
}

// === impl Change ===

impl Change {
    fn parse(json: &str) -> Option<Self> {
        match serde_json::from_str(json).ok()? {
            Entry::Revoke(line) => Some(Self::Revoke(Revocation {
                what: Revoked::parse(&line.what).ok()?,
                at: Timestamp(line.at),
                until: Timestamp(line.until),
                issued_before: line.issued_before.map(Timestamp),
            })),
            Entry::Lift(line) => Revoked::parse(&line.what).ok().map(Self::Lift),
        }
    }

    fn json(&self) -> String {
        let entry = match self {
            Self::Revoke(revocation) => Entry::Revoke(RevokeLine {
                what: revocation.what.to_string(),
                at: revocation.at.0,
                until: revocation.until.0,
                issued_before: revocation.issued_before.map(|time| time.0),
            }),
            Self::Lift(what) => Entry::Lift(LiftLine {
                what: what.to_string(),
            }),
        };
        serde_json::to_string(&entry).expect("texts and numbers are JSON")
    }
}

impl fmt::Debug for Revoking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revoking")
            .field("current", &self.current())
            .finish_non_exhaustive()
    }
}
