//! Holders: whose a live connection is, in as few bytes as judging it later needs.

use std::num::NonZeroU64;

use sha2::{Digest, Sha256};

use crate::audience::Subject;
use crate::credential::{Credential, CredentialId};
use crate::identity::Identity;
use crate::time::Timestamp;

/// A credential's name in eight bytes: the beginning of its SHA-256.
///
/// Two names that share it are told apart nowhere on a live connection. By chance one of a million
/// revoked names meets one of 50,000 connections with odds of 1 in 370 million; that connection would
/// end, and be let in again when it comes back, because names are compared in full there. Whoever may
/// choose names needs 2^63 tries to meet a given one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(NonZeroU64);

impl Fingerprint {
    /// The fingerprint of a name.
    pub fn of(id: &CredentialId) -> Self {
        let digest = Sha256::digest(id.to_string());
        let mut first = [0; 8];
        for (to, from) in first.iter_mut().zip(digest) {
            *to = from;
        }
        Self(NonZeroU64::new(u64::from_le_bytes(first)).unwrap_or(NonZeroU64::MIN))
    }
}

/// Whose a connection is, and what must be known of the credential that opened or last renewed it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holder {
    subject: Option<Subject>,
    credential: Option<Fingerprint>,
    /// In Unix milliseconds. What was issued in the first of them is taken for of unknown age.
    issued_at: Option<NonZeroU64>,
}

impl Holder {
    /// The holder of a credential. Subjects are shared where the caller has one to share.
    pub fn new(subject: Option<Subject>, credential: &Credential) -> Self {
        Self {
            subject,
            credential: credential.id.as_ref().map(Fingerprint::of),
            issued_at: credential.issued_at.and_then(|at| NonZeroU64::new(at.0)),
        }
    }

    /// The holder that an identity is.
    pub fn of(identity: &Identity) -> Self {
        Self::new(identity.subject.clone(), &identity.credential)
    }

    /// Who; nobody, for a connection that was let in without a credential.
    pub fn subject(&self) -> Option<&Subject> {
        self.subject.as_ref()
    }

    /// The fingerprint of its credential's name, if that has one.
    pub fn credential(&self) -> Option<Fingerprint> {
        self.credential
    }

    /// When its credential was issued, if that is known.
    pub fn issued_at(&self) -> Option<Timestamp> {
        self.issued_at.map(|at| Timestamp(at.get()))
    }

    /// Whether what belongs to this holder belongs to that subject. What is nobody's is nobody's.
    pub fn is(&self, subject: Option<&Subject>) -> bool {
        self.subject.is_some() && self.subject.as_ref() == subject
    }

    /// The same subject with another credential. The subject's text stays the one that is shared.
    pub(crate) fn renew(&mut self, renewed: Self) {
        let subject = self.subject.take().filter(|own| renewed.is(Some(own)));
        *self = Self {
            subject: subject.or(renewed.subject),
            ..renewed
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(subject: &str, id: Option<&str>, issued_at: Option<u64>) -> Holder {
        let credential = Credential {
            id: id.map(|id| CredentialId::parse(id).expect(id)),
            issued_at: issued_at.map(Timestamp),
            ..Credential::default()
        };
        Holder::new(Subject::parse(subject).ok(), &credential)
    }

    #[test]
    fn m1_a_holder_is_small() {
        assert!(size_of::<Holder>() <= 32);
    }

    #[test]
    fn fingerprints_tell_names_apart_and_never_change() {
        let fingerprint = |text: &str| Fingerprint::of(&CredentialId::parse(text).expect(text));
        assert_eq!(fingerprint("key:k1"), fingerprint("key:k1"));
        assert_ne!(fingerprint("key:k1"), fingerprint("key:k2"));
        assert_ne!(fingerprint("token:a:b"), fingerprint("token:b:a"));
    }

    #[test]
    fn what_is_nobodys_belongs_to_nobody() {
        let mine = holder("u1", None, None);
        assert!(mine.is(Subject::parse("u1").ok().as_ref()));
        assert!(!mine.is(Subject::parse("u2").ok().as_ref()));
        assert!(!mine.is(None));
        assert!(!holder("", None, None).is(None));
    }

    #[test]
    fn renewing_keeps_the_text_and_takes_the_rest() {
        let mut mine = holder("u1", Some("key:k1"), Some(5));
        let before = mine.subject().map(|subject| subject.as_str().as_ptr());
        mine.renew(holder("u1", Some("key:k2"), Some(9)));
        assert_eq!(mine, holder("u1", Some("key:k2"), Some(9)));
        assert_eq!(
            mine.subject().map(|subject| subject.as_str().as_ptr()),
            before
        );
        assert_eq!(mine.issued_at(), Some(Timestamp(9)));
    }
}
