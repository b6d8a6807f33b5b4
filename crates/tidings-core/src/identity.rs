//! Identities: who a request is, once proven.

use crate::audience::{Key, Role, Subject};
use crate::credential::Credential;
use crate::grant::Grants;
use crate::pattern::Pattern;
use crate::time::Timestamp;

/// Who a request is and what it may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who; nobody, for a request that is let in without a credential.
    pub subject: Option<Subject>,
    /// With which roles.
    pub roles: Vec<Role>,
    /// What it may do.
    pub grants: Grants,
    /// What the profile reads that it came by, where that hangs on who it is; granted as well.
    pub home: Vec<Pattern>,
    /// When what it opens ends: with its credential, or where its issuer's policy says so, after a
    /// session. Never for some.
    pub expires_at: Option<Timestamp>,
    /// How it was proven, as a word for people: `jwt`, `development`.
    pub method: &'static str,
    /// What must be known of the credential behind it.
    pub credential: Credential,
}

impl Identity {
    /// The keys by which events reach this identity without any topic. Nobody hears what is for
    /// everyone, unless that is granted.
    pub fn audience_keys(&self) -> impl Iterator<Item = Key> {
        let hears_everyone = self.subject.is_some() || self.grants.hear_everyone;
        hears_everyone
            .then_some(Key::Everyone)
            .into_iter()
            .chain(self.subject.clone().map(Key::User))
            .chain(self.roles.iter().cloned().map(Key::Role))
    }
}
