//! All API keys of a hub: made, listed, revoked, by this process and by others.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use subtle::ConstantTimeEq;
use tidings_core::audience::{Role, Subject};
use tidings_core::grant::Grants;
use tidings_core::limits::{PATTERNS_PER_CLAIM_MAX, ROLES_PER_IDENTITY_MAX};
use tidings_core::name::{self, NameFault};
use tidings_core::port::AuthFailure;
use tidings_core::time::Timestamp;
use zeroize::Zeroizing;

use super::journaled::{Entry, KIND, Key, KeyState};
use super::text::{FreshText, KeyText, SecretHash};
use crate::journal::{Journal, JournalError, Line, News, Writing};
use crate::limits::{KEY_NAME_BYTES_MAX, KEY_REMEMBERED_MS, KEYS_MAX};

type Table = HashMap<Arc<str>, Arc<Key>>;

/// All API keys of a data directory. Cloning gives another handle to the same.
///
/// Its calls read and write a small file and wait for other processes that do, so they belong on a
/// thread that may block; [`verify`](Self::verify) only looks into memory.
#[derive(Clone)]
pub struct Keys(Arc<Shared>);

struct Shared {
    journal: Mutex<Journal>,
    table: RwLock<Arc<Table>>,
}

/// What a new key is to be.
#[derive(Debug, Clone)]
pub struct KeyRequest {
    /// What it is for, in words.
    pub name: String,
    /// Whose it is.
    pub subject: Subject,
    /// With which roles.
    pub roles: Vec<Role>,
    /// What it may do.
    pub grants: Grants,
    /// When it ends, if it shall by itself.
    pub expires_at: Option<Timestamp>,
}

/// A new key: the only time that its text is seen.
pub struct CreatedKey {
    /// What is kept of it.
    pub key: Arc<Key>,
    text: Zeroizing<String>,
}

/// Why a key was not made or not revoked.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The journal says no.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The name is not one.
    #[error("the name of the key cannot be used: {0}")]
    Name(#[from] NameFault),
    /// More roles or patterns than an identity may have.
    #[error("the key would have more than {max} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many it may have.
        max: usize,
    },
    /// As many as are kept.
    #[error("there are {KEYS_MAX} keys already")]
    Full,
    /// There is none of this id.
    #[error("no key has the id `{0}`")]
    Unknown(String),
    /// The system has no randomness.
    #[error("the system gives no random bytes: {0}")]
    Randomness(getrandom::Error),
}

// === impl Keys ===

impl Keys {
    /// The keys of a data directory, which need not be there yet.
    pub fn open(data_dir: &Path) -> Result<Self, JournalError> {
        let keys = Self(Arc::new(Shared {
            journal: Mutex::new(Journal::new(data_dir, KIND)),
            table: RwLock::default(),
        }));
        let mut journal = keys.journal();
        let news = journal.news()?;
        keys.take_in(&mut journal, news)?;
        drop(journal);
        Ok(keys)
    }

    /// Takes in what other processes have changed. Whether there was anything. To be called every
    /// few hundred milliseconds; without changes, it is one look at the file's length.
    pub fn poll(&self) -> Result<bool, JournalError> {
        let mut journal = self.journal();
        let news = journal.glance()?;
        let is_changed = news != News::Nothing;
        self.take_in(&mut journal, news)?;
        Ok(is_changed)
    }

    /// Makes a key.
    pub fn create(&self, request: KeyRequest, now: Timestamp) -> Result<CreatedKey, KeyError> {
        check(&request)?;
        let mut journal = self.journal();
        let (mut writing, mut table) = self.write(&mut journal)?;
        let remembered = Duration::from_millis(KEY_REMEMBERED_MS);
        table.retain(|_, key| key.ends_at().is_none_or(|end| now < end.plus(remembered)));
        if table.len() >= KEYS_MAX {
            return Err(KeyError::Full);
        }
        let fresh = loop {
            let fresh = FreshText::make().map_err(KeyError::Randomness)?;
            if !table.contains_key(fresh.id.as_str()) {
                break fresh;
            }
        };
        let key = Arc::new(Key {
            id: fresh.id.into(),
            name: request.name,
            subject: request.subject,
            roles: request.roles,
            grants: request.grants,
            created_at: now,
            expires_at: request.expires_at,
            revoked_at: None,
            hash: fresh.hash,
        });
        writing.append(&Entry::key(&key).json())?;
        table.insert(Arc::clone(&key.id), Arc::clone(&key));
        self.finish(&mut writing, table);
        let text = fresh.text;
        Ok(CreatedKey { key, text })
    }

    /// Revokes a key, for good. One that is revoked already stays as it is.
    ///
    /// This refuses the key from now on. What was opened or issued with it ends by a revocation of
    /// `key:<id>` in the shared store, which the caller makes first.
    pub fn revoke(&self, id: &str, now: Timestamp) -> Result<Arc<Key>, KeyError> {
        let mut journal = self.journal();
        let (mut writing, mut table) = self.write(&mut journal)?;
        let Some(key) = table.get(id).cloned() else {
            return Err(KeyError::Unknown(id.to_owned()));
        };
        if key.revoked_at.is_some() {
            return Ok(key);
        }
        writing.append(&Entry::revoke(id, now).json())?;
        let revoked = revoked(&key, now);
        table.insert(Arc::clone(&revoked.id), Arc::clone(&revoked));
        self.finish(&mut writing, table);
        Ok(revoked)
    }

    /// All keys, the oldest first; those that have ended for a month.
    pub fn list(&self) -> Vec<Arc<Key>> {
        let mut keys: Vec<Arc<Key>> = self.table().values().cloned().collect();
        keys.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        keys
    }

    /// The key of a text, if it is one and is good.
    ///
    /// Whether a key has ended is only told to who knows its secret; without it, a key that is there
    /// and one that is not look the same. How much of the secret is right does not change the time
    /// that this takes; whether the id is known does, by nanoseconds, and ids are public.
    pub fn verify(&self, text: &str, now: Timestamp) -> Result<Arc<Key>, AuthFailure> {
        let presented = KeyText::parse(text).map_err(|not| {
            let problem = not.to_string();
            AuthFailure::Malformed(problem)
        })?;
        let table = self.table();
        let found = table.get(presented.id);
        let nobodys = SecretHash([0; 32]);
        let kept = found.map_or(&nobodys, |key| &key.hash);
        let is_same = bool::from(kept.0.ct_eq(&presented.hash.0));
        let key = found.filter(|_| is_same).ok_or(AuthFailure::Unknown)?;
        match key.state(now) {
            KeyState::Active => Ok(Arc::clone(key)),
            KeyState::Expired => Err(AuthFailure::Expired),
            KeyState::Revoked => Err(AuthFailure::Revoked),
        }
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        let journal = self.0.journal.lock();
        journal.unwrap_or_else(PoisonError::into_inner)
    }

    fn table(&self) -> Arc<Table> {
        let table = self.0.table.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&table)
    }

    fn publish(&self, table: Table) {
        let place = self.0.table.write();
        *place.unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
    }

    /// Takes the right to write, and a copy of the table with what others have written.
    fn write<'a>(&self, journal: &'a mut Journal) -> Result<(Writing<'a>, Table), JournalError> {
        let path = journal.path().to_owned();
        let mut writing = journal.write()?;
        let mut table = Table::clone(&self.table());
        let news = writing.news();
        if news != News::Nothing {
            if let Err(line) = apply(&mut table, news) {
                writing.forget();
                return Err(damaged(&path, &line));
            }
            // Whatever becomes of what is about to be written, this has been read and counts.
            self.publish(table.clone());
        }
        Ok((writing, table))
    }

    fn finish(&self, writing: &mut Writing<'_>, table: Table) {
        let is_mostly_history = writing.is_mostly_history(table.len());
        self.publish(table);
        if is_mostly_history {
            let table = self.table();
            // The change is kept. What could not be made smaller will be at the next one.
            let _as_large_as_before =
                writing.rewrite(table.values().map(|key| Entry::key(key).json()));
        }
    }

    fn take_in(&self, journal: &mut Journal, news: News) -> Result<(), JournalError> {
        if news == News::Nothing {
            return Ok(());
        }
        let mut table = Table::clone(&self.table());
        if let Err(line) = apply(&mut table, news) {
            journal.forget();
            return Err(damaged(journal.path(), &line));
        }
        self.publish(table);
        Ok(())
    }
}

fn check(request: &KeyRequest) -> Result<(), KeyError> {
    name::check(&request.name, KEY_NAME_BYTES_MAX)?;
    let grants = &request.grants;
    for (what, number, max) in [
        ("roles", request.roles.len(), ROLES_PER_IDENTITY_MAX),
        (
            "patterns to subscribe to",
            grants.subscribe.len(),
            PATTERNS_PER_CLAIM_MAX,
        ),
        (
            "patterns to publish to",
            grants.publish.len(),
            PATTERNS_PER_CLAIM_MAX,
        ),
    ] {
        if number > max {
            return Err(KeyError::TooMany { what, max });
        }
    }
    Ok(())
}

/// Applies lines in order, or names the first that makes no sense.
fn apply(table: &mut Table, news: News) -> Result<(), Line> {
    let lines = match news {
        News::Nothing => return Ok(()),
        News::More(lines) => lines,
        News::All(lines) => {
            table.clear();
            lines
        }
    };
    for line in lines {
        let applied = match Entry::parse(&line.json) {
            Some(Entry::Key(entry)) => entry.key().map(Arc::new),
            Some(Entry::Revoke(entry)) => table
                .get(entry.id.as_str())
                .map(|key| revoked(key, Timestamp(entry.at))),
            None => None,
        };
        let Some(key) = applied else { return Err(line) };
        table.insert(Arc::clone(&key.id), key);
    }
    Ok(())
}

fn revoked(key: &Key, at: Timestamp) -> Arc<Key> {
    Arc::new(Key {
        revoked_at: Some(key.revoked_at.unwrap_or(at)),
        ..key.clone()
    })
}

fn damaged(path: &Path, line: &Line) -> JournalError {
    JournalError::Damaged {
        path: path.to_owned(),
        line: line.number,
        problem: "does not make sense",
    }
}

impl CreatedKey {
    /// The whole key, for whoever it is made for.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl KeyError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Journal(error) => error.hint(),
            Self::Name(_) => format!("give a few words, up to {KEY_NAME_BYTES_MAX} bytes"),
            Self::TooMany { .. } => "use fewer and wider patterns".to_owned(),
            Self::Full => {
                "revoke keys that nobody uses; they are forgotten 30 days later".to_owned()
            }
            Self::Unknown(_) => "`tidings key list` shows the ids of all keys".to_owned(),
            Self::Randomness(_) => "try again".to_owned(),
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.table().len();
        f.debug_struct("Keys")
            .field("count", &count)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for CreatedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedKey")
            .field("id", &self.key.id)
            .finish_non_exhaustive()
    }
}
