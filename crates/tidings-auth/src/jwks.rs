//! The keys of an issuer, as it publishes them or as the settings name them.

mod key;
mod read;
mod small_order;
mod source;

use std::collections::HashMap;
use std::fmt;

use serde_json::Value;

use crate::jwt::{Algorithm, Compact, object};
use crate::limits::{KEY_SET_KEYS_MAX, KEYS_TRIED_MAX};

pub use key::KeyFault;

pub(crate) use key::Key;
pub(crate) use source::Source;

/// Keys, of which each knows its algorithms.
pub(crate) struct KeySet {
    keys: Vec<Key>,
    ignored: Vec<KeyFault>,
}

/// Why a text is no key set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeySetFault {
    /// No JSON object with a list of keys.
    #[error("it is no JSON web key set")]
    Form,
    /// More keys than anybody needs.
    #[error("it has {0} keys where at most {KEY_SET_KEYS_MAX} are read")]
    TooMany(usize),
}

impl KeySet {
    /// These keys.
    pub(crate) fn new(keys: Vec<Key>) -> Self {
        let ignored = Vec::new();
        Self { keys, ignored }
    }

    /// Reads a published key set (RFC 7517, section 5). Keys that cannot be used are left out: that
    /// is what the standard asks for, since issuers add new kinds before everybody knows them.
    pub(crate) fn parse(json: &[u8], algorithms: &[Algorithm]) -> Result<Self, KeySetFault> {
        let set = object::read(json).ok_or(KeySetFault::Form)?;
        let Some(Value::Array(entries)) = set.get("keys") else {
            return Err(KeySetFault::Form);
        };
        if entries.len() > KEY_SET_KEYS_MAX {
            return Err(KeySetFault::TooMany(entries.len()));
        }
        let mut all = Self::new(Vec::new());
        for entry in entries {
            let key = entry.as_object().ok_or(KeyFault::Form);
            match key.and_then(|entries| read::json_key(entries, algorithms)) {
                Ok(key) => all.keys.push(key),
                Err(fault) => all.ignored.push(fault),
            }
        }
        all.drop_ambiguous();
        Ok(all)
    }

    /// Reads one key from the settings: PEM, a JSON web key, or a set of them. Here a key that cannot
    /// be used is a mistake.
    pub(crate) fn parse_static(text: &str, algorithms: &[Algorithm]) -> Result<Self, KeyFault> {
        if text.trim_start().starts_with("-----BEGIN") {
            return read::pem_key(text, algorithms).map(|key| Self::new(vec![key]));
        }
        let entries = object::read(text.as_bytes()).ok_or(KeyFault::Form)?;
        if !entries.contains_key("keys") {
            return read::json_key(&entries, algorithms).map(|key| Self::new(vec![key]));
        }
        let set = Self::parse(text.as_bytes(), algorithms).map_err(|_| KeyFault::Form)?;
        match set.ignored.first() {
            Some(fault) => Err(fault.clone()),
            None => Ok(set),
        }
    }

    /// All keys of both.
    pub(crate) fn extend(&mut self, other: Self) {
        self.keys.extend(other.keys);
        self.drop_ambiguous();
    }

    /// Why keys of a published set are not used.
    pub(crate) fn ignored(&self) -> &[KeyFault] {
        &self.ignored
    }

    /// How many keys there are.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Keys that no name finds.
    pub(crate) fn nameless(&self) -> usize {
        self.keys.iter().filter(|key| key.id.is_none()).count()
    }

    /// Whether one of the keys made the token's signature by the algorithm that the token names. A
    /// key without a name is tried for every token, and a token without one tries several keys.
    pub(crate) fn accepts(&self, token: &Compact<'_>) -> bool {
        let is_candidate = |key: &&Key| {
            let is_named = match (&token.key_id, &key.id) {
                (Some(wanted), Some(id)) => **wanted == **id,
                _ => true,
            };
            is_named && key.serves(token.algorithm)
        };
        let mut candidates = self.keys.iter().filter(is_candidate).take(KEYS_TRIED_MAX);
        candidates.any(|key| key.verifies(token.algorithm, token.message, &token.signature))
    }

    /// Two keys of one name for one algorithm: nobody knows which is meant, so neither counts. The
    /// same name for different algorithms is fine (RFC 7517, section 4.5).
    fn drop_ambiguous(&mut self) {
        let mut seen: HashMap<(String, Algorithm), usize> = HashMap::new();
        for key in &self.keys {
            let Some(id) = &key.id else { continue };
            for algorithm in key.algorithms() {
                *seen.entry((id.to_string(), algorithm)).or_default() += 1;
            }
        }
        self.keys.retain_mut(|key| {
            let Some(id) = key.id.as_deref().map(str::to_owned) else {
                return true;
            };
            key.retain(|algorithm| seen.get(&(id.clone(), algorithm)) == Some(&1))
        });
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySet")
            .field("keys", &self.keys.len())
            .field("ignored", &self.ignored)
            .finish()
    }
}
