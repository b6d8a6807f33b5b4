//! What a credential that only opens streams takes over from the one that it is made with.
//!
//! Tickets and stream tokens travel in addresses, which end up in logs and histories. So they hold
//! what their owner may read and nothing else, and can be narrowed but never widened. No token is made
//! with one, which would keep it alive for ever. A token may be exchanged for a ticket: that is good
//! for one stream, within half a minute, and what it opens ends with the token.

use tidings_core::audience::{Role, Subject};
use tidings_core::credential::{Credential, CredentialId, Serves};
use tidings_core::grant::Grants;
use tidings_core::identity::Identity;
use tidings_core::limits::PATTERNS_PER_CONNECTION_MAX;
use tidings_core::pattern::{Pattern, minimal};
use tidings_core::time::Timestamp;

use crate::provider::Proven;

/// Why nothing that opens streams is made for an identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotForReading {
    /// It was proven by a ticket or a stream token.
    #[error("a ticket or a stream token cannot be used to get a stream token")]
    ByReading,
    /// Its credential has ended, or will before the second is over.
    #[error("the credential has ended")]
    Ended,
    /// More patterns than a connection can ask for.
    #[error("more than {PATTERNS_PER_CONNECTION_MAX} patterns are asked for: {0}")]
    TooManyPatterns(usize),
    /// Nothing of what was asked for may be read.
    #[error("reading is not granted: {}", list(.0))]
    NotGranted(Vec<Pattern>),
}

fn list(patterns: &[Pattern]) -> String {
    let quoted: Vec<String> = patterns.iter().map(|one| format!("`{one}`")).collect();
    quoted.join(", ")
}

/// What is taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reader {
    pub(crate) subject: Option<Subject>,
    pub(crate) roles: Vec<Role>,
    pub(crate) subscribe: Vec<Pattern>,
    pub(crate) hear_everyone: bool,
    pub(crate) expires_at: Option<Timestamp>,
    /// The credential behind it: revoking that one ends what was opened with this one.
    pub(crate) behind: Option<CredentialId>,
    pub(crate) issued_at: Option<Timestamp>,
}

impl Reader {
    /// Takes over what an identity may read; of that, only what is asked for, if anything is.
    pub(crate) fn new(
        identity: &Identity,
        asked: Option<&[Pattern]>,
        now: Timestamp,
    ) -> Result<Self, NotForReading> {
        if identity.expires_at.is_some_and(|end| end <= now) {
            return Err(NotForReading::Ended);
        }
        let granted = &identity.grants.subscribe;
        Ok(Self {
            subject: identity.subject.clone(),
            roles: identity.roles.clone(),
            subscribe: match asked {
                None => minimal(granted.clone()),
                Some(asked) => narrowed(granted, asked)?,
            },
            hear_everyone: identity.grants.hear_everyone,
            expires_at: identity.expires_at,
            behind: identity.credential.id.clone(),
            issued_at: identity.credential.issued_at,
        })
    }

    /// What is proven by it.
    pub(crate) fn proven(self) -> Proven {
        Proven {
            subject: self.subject,
            roles: self.roles,
            grants: Grants {
                subscribe: self.subscribe,
                hear_everyone: self.hear_everyone,
                ..Grants::default()
            },
            expires_at: self.expires_at,
            credential: Credential {
                id: self.behind,
                issued_at: self.issued_at,
                is_ambient: false,
                serves: Serves::Reading,
            },
            is_final: true,
            ..Proven::default()
        }
    }
}

/// What is granted of what is asked for. Asking for nothing leaves what is addressed to the reader.
fn narrowed(granted: &[Pattern], asked: &[Pattern]) -> Result<Vec<Pattern>, NotForReading> {
    if asked.len() > PATTERNS_PER_CONNECTION_MAX {
        return Err(NotForReading::TooManyPatterns(asked.len()));
    }
    let both = asked.iter().flat_map(|asked| {
        granted
            .iter()
            .filter_map(|granted| granted.intersect(asked))
    });
    let both = minimal(both.collect());
    if both.is_empty() && !asked.is_empty() {
        return Err(NotForReading::NotGranted(asked.to_vec()));
    }
    Ok(both)
}
