//! Identities: who a request is, once proven.

use crate::audience::{Key, Role, Subject};
use crate::grant::Grants;
use crate::time::Timestamp;

/// Who a request is and what it may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who.
    pub subject: Subject,
    /// With which roles.
    pub roles: Vec<Role>,
    /// What it may do.
    pub grants: Grants,
    /// When the credential behind it ends; never for some.
    pub expires_at: Option<Timestamp>,
    /// How it was proven, as a word for people: `jwt`, `development`.
    pub method: &'static str,
}

impl Identity {
    /// The keys by which events reach this identity without any topic.
    pub fn audience_keys(&self) -> impl Iterator<Item = Key> {
        [Key::Everyone, Key::User(self.subject.clone())]
            .into_iter()
            .chain(self.roles.iter().cloned().map(Key::Role))
    }
}
