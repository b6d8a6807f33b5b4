//! What must be known of a credential once it has been checked: never the credential itself.

use std::fmt;
use std::sync::Arc;

use crate::time::Timestamp;

/// What is known of the credential behind an identity.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Credential {
    /// Its name, if it has one: by it, it can be revoked.
    pub id: Option<CredentialId>,
    /// When it was issued, if that is known. What is opened with a ticket or a stream token was
    /// issued when the credential behind it was.
    pub issued_at: Option<Timestamp>,
    /// Whether browsers send it along by themselves, as they do a cookie: then a foreign page can
    /// have it sent, and whatever changes anything needs to know the page.
    pub is_ambient: bool,
    /// What it serves for.
    pub serves: Serves,
}

/// What a credential serves for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Serves {
    /// All that its identity may do.
    #[default]
    Anything,
    /// Reading and nothing else: tickets and stream tokens, which travel where others may see them.
    Reading,
}

/// The public name of one credential.
///
/// As text: `token:<issuer>:<id>` or `key:<id>`. An issuer's name has no colon, so the text is
/// unambiguous.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CredentialId {
    /// A token, by its `jti` and the name of its issuer in the settings.
    Token {
        /// The name of its issuer.
        issuer: Arc<str>,
        /// Its `jti`.
        id: Arc<str>,
    },
    /// An API key, by its public part.
    Key(Arc<str>),
}

/// The text names no credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is not the name of a credential such as `token:<issuer>:<id>` or `key:<id>`")]
pub struct NotACredentialId;

impl CredentialId {
    /// Reads the text form back.
    pub fn parse(text: &str) -> Result<Self, NotACredentialId> {
        if let Some(id) = text.strip_prefix("key:").filter(|id| !id.is_empty()) {
            return Ok(Self::Key(id.into()));
        }
        let token = text
            .strip_prefix("token:")
            .and_then(|rest| rest.split_once(':'));
        match token {
            Some((issuer, id)) if !issuer.is_empty() && !id.is_empty() => Ok(Self::Token {
                issuer: issuer.into(),
                id: id.into(),
            }),
            _ => Err(NotACredentialId),
        }
    }
}

impl fmt::Display for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token { issuer, id } => write!(f, "token:{issuer}:{id}"),
            Self::Key(id) => write!(f, "key:{id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a17_names_survive_their_text_and_never_meet() {
        for text in ["token:main:a", "token:main:a:b", "key:tk1", "key:a:b"] {
            assert_eq!(CredentialId::parse(text).expect(text).to_string(), text);
        }
        for bad in [
            "", "key:", "token:", "token:a", "token:a:", "token::a", "ticket:a",
        ] {
            assert_eq!(CredentialId::parse(bad), Err(NotACredentialId), "{bad}");
        }
        let one = CredentialId::parse("token:a:b:c").expect("a name");
        let (issuer, id): (Arc<str>, Arc<str>) = ("a".into(), "b:c".into());
        assert_eq!(one, CredentialId::Token { issuer, id });
    }
}
