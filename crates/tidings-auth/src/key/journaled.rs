//! An API key as it is kept: what it may do and what became of it, and its lines in the journal.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use tidings_core::audience::{Role, Subject};
use tidings_core::grant::{Grants, PublishGrant};
use tidings_core::pattern::Pattern;
use tidings_core::time::Timestamp;

use super::text::SecretHash;
use crate::journal::Kind;

/// The journal of keys.
pub(super) const KIND: Kind = Kind {
    name: "keys",
    version: 1,
};

/// One API key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its public part.
    pub id: Arc<str>,
    /// What it is for, in words.
    pub name: String,
    /// Whose it is.
    pub subject: Subject,
    /// With which roles.
    pub roles: Vec<Role>,
    /// What it may do.
    pub grants: Grants,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends, if it does by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
    pub(super) hash: SecretHash,
}

/// What became of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It is good.
    Active,
    /// It has ended by itself.
    Expired,
    /// Somebody revoked it.
    Revoked,
}

impl KeyState {
    /// The state in one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

impl Key {
    /// What became of it by now.
    pub fn state(&self, now: Timestamp) -> KeyState {
        if self.revoked_at.is_some() {
            KeyState::Revoked
        } else if self.expires_at.is_some_and(|end| end <= now) {
            KeyState::Expired
        } else {
            KeyState::Active
        }
    }

    /// When it ended or will, whichever way.
    pub(super) fn ends_at(&self) -> Option<Timestamp> {
        [self.expires_at, self.revoked_at]
            .into_iter()
            .flatten()
            .min()
    }
}

/// What a line of the journal says.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum Entry {
    Key(Box<KeyLine>),
    Revoke(RevokeLine),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct KeyLine {
    id: String,
    hash: String,
    name: String,
    subject: String,
    roles: Vec<String>,
    subscribe: Vec<String>,
    publish: Vec<String>,
    hear_everyone: bool,
    admin: bool,
    created_at: u64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    expires_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    revoked_at: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RevokeLine {
    pub(super) id: String,
    pub(super) at: u64,
}

impl Entry {
    pub(super) fn key(key: &Key) -> Self {
        let millis = |time: Timestamp| time.0;
        Self::Key(Box::new(KeyLine {
            id: key.id.to_string(),
            hash: URL_SAFE_NO_PAD.encode(key.hash.0),
            name: key.name.clone(),
            subject: key.subject.to_string(),
            roles: key.roles.iter().map(ToString::to_string).collect(),
            subscribe: texts(&key.grants.subscribe),
            publish: texts(&key.grants.publish),
            hear_everyone: key.grants.hear_everyone,
            admin: key.grants.administer,
            created_at: key.created_at.0,
            expires_at: key.expires_at.map(millis),
            revoked_at: key.revoked_at.map(millis),
        }))
    }

    pub(super) fn revoke(id: &str, at: Timestamp) -> Self {
        Self::Revoke(RevokeLine {
            id: id.to_owned(),
            at: at.0,
        })
    }

    pub(super) fn parse(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).expect("texts, numbers and lists are JSON")
    }
}

fn texts<T: ToString>(entries: &[T]) -> Vec<String> {
    entries.iter().map(ToString::to_string).collect()
}

impl KeyLine {
    /// The key that the line is of, if it is one that could have been made.
    pub(super) fn key(self) -> Option<Key> {
        let hash = URL_SAFE_NO_PAD.decode(self.hash).ok()?.try_into().ok()?;
        let roles = self.roles.iter().map(|role| Role::parse(role).ok());
        let subscribe = self.subscribe.iter().map(|text| Pattern::parse(text).ok());
        let publish = self.publish.iter();
        let publish = publish.map(|text| PublishGrant::parse(text).ok());
        Some(Key {
            id: self.id.into(),
            name: self.name,
            subject: Subject::parse(&self.subject).ok()?,
            roles: roles.collect::<Option<_>>()?,
            grants: Grants {
                subscribe: subscribe.collect::<Option<_>>()?,
                publish: publish.collect::<Option<_>>()?,
                hear_everyone: self.hear_everyone,
                administer: self.admin,
            },
            created_at: Timestamp(self.created_at),
            expires_at: self.expires_at.map(Timestamp),
            revoked_at: self.revoked_at.map(Timestamp),
            hash: SecretHash(hash),
        })
    }
}
