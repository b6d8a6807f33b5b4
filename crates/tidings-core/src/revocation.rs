//! Revocations: who and what counts no longer, although its credential is good by itself.

use std::collections::HashMap;
use std::fmt;

use crate::audience::Subject;
use crate::credential::{Credential, CredentialId, NotACredentialId};
use crate::holder::{Fingerprint, Holder};
use crate::time::Timestamp;

/// Who or what is revoked.
///
/// As text: `subject:<subject>`, or the text of a [`CredentialId`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Revoked {
    /// All credentials of a subject.
    Subject(Subject),
    /// One credential, and what was opened or issued with it.
    Credential(CredentialId),
}

impl Revoked {
    /// Reads the text form back.
    pub fn parse(text: &str) -> Result<Self, NotACredentialId> {
        match text.strip_prefix("subject:") {
            Some(subject) => Subject::parse(subject)
                .map(Self::Subject)
                .map_err(|_| NotACredentialId),
            None => CredentialId::parse(text).map(Self::Credential),
        }
    }
}

impl fmt::Display for Revoked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subject(subject) => write!(f, "subject:{subject}"),
            Self::Credential(id) => id.fmt(f),
        }
    }
}

/// One revocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// Who or what.
    pub what: Revoked,
    /// Since when.
    pub at: Timestamp,
    /// When it may be forgotten, because nothing that it concerns is valid any longer.
    pub until: Timestamp,
    /// Of a subject's credentials, only those count no longer that were issued before this time,
    /// and those of which that is not known. None spares no credential.
    pub issued_before: Option<Timestamp>,
}

/// All revocations that are in force.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Revocations {
    entries: HashMap<Revoked, Revocation>,
    /// The names of the revoked credentials as live connections keep them. Of two that share a
    /// fingerprint one is missing here: with a million, the odds are 1 in 37 million.
    by_fingerprint: HashMap<Fingerprint, Revoked>,
}

impl Revocations {
    /// These, of which a later one of the same replaces an earlier one.
    pub fn new(entries: impl IntoIterator<Item = Revocation>) -> Self {
        let entries = entries.into_iter();
        let entries: HashMap<_, _> = entries.map(|entry| (entry.what.clone(), entry)).collect();
        let credentials = entries.keys().filter_map(|what| match what {
            Revoked::Subject(_) => None,
            Revoked::Credential(id) => Some((Fingerprint::of(id), what.clone())),
        });
        Self {
            by_fingerprint: credentials.collect(),
            entries,
        }
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Revocation> {
        self.entries.values()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The revocation that concerns a credential of a subject at a time, if there is one.
    pub fn find(
        &self,
        subject: Option<&Subject>,
        credential: &Credential,
        now: Timestamp,
    ) -> Option<&Revocation> {
        if self.entries.is_empty() {
            return None;
        }
        let by_id = credential.id.clone().map(Revoked::Credential);
        let by_subject = subject.cloned().map(Revoked::Subject);
        [by_id, by_subject]
            .into_iter()
            .flatten()
            .filter_map(|what| self.entries.get(&what))
            .find(|found| found.concerns(credential.issued_at, now))
    }

    /// Whether one of them concerns the holder of a live connection now.
    pub fn concern(&self, holder: &Holder, now: Timestamp) -> bool {
        if self.entries.is_empty() {
            return false;
        }
        let concerns = |what: &Revoked| {
            let entry = self.entries.get(what);
            entry.is_some_and(|entry| entry.concerns(holder.issued_at(), now))
        };
        let by_id = holder
            .credential()
            .and_then(|fingerprint| self.by_fingerprint.get(&fingerprint));
        by_id.is_some_and(concerns)
            || holder
                .subject()
                .is_some_and(|subject| concerns(&Revoked::Subject(subject.clone())))
    }
}

impl Revocation {
    /// Whether it concerns a credential that was issued then, now.
    pub fn concerns(&self, issued_at: Option<Timestamp>, now: Timestamp) -> bool {
        let is_old = match (self.issued_before, issued_at) {
            (Some(before), Some(issued)) => issued < before,
            _ => true,
        };
        now < self.until && is_old
    }
}

#[cfg(test)]
mod tests;
