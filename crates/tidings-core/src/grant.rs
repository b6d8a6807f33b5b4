//! Grants: what an identity may do.

use std::fmt;

use crate::audience::{Audience, Key, Role, Subject};
use crate::name::NameFault;
use crate::pattern::{Pattern, PatternError};

/// Addressees that a publisher may write to, as one entry of a grant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PublishGrant {
    /// Topics by pattern.
    Topics(Pattern),
    /// `@user/*`, or one user.
    User(Option<Subject>),
    /// `@role/*`, or one role.
    Role(Option<Role>),
    /// `@all`.
    Everyone,
}

/// Why a text is not an entry of a grant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// Not a pattern of topics.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// The user or role is not a name.
    #[error(transparent)]
    Name(#[from] NameFault),
    /// `@something`.
    #[error("`{0}` is not an audience; audiences are `@user/*`, `@role/*` and `@all`")]
    Audience(String),
}

impl PublishGrant {
    /// Takes a text as an entry of a publish grant.
    pub fn parse(text: &str) -> Result<Self, GrantError> {
        if text == "@all" {
            Ok(Self::Everyone)
        } else if let Some(user) = text.strip_prefix("@user/") {
            Ok(Self::User(if user == "*" {
                None
            } else {
                Some(Subject::parse(user)?)
            }))
        } else if let Some(role) = text.strip_prefix("@role/") {
            Ok(Self::Role(if role == "*" {
                None
            } else {
                Some(Role::parse(role)?)
            }))
        } else if text.starts_with('@') {
            Err(GrantError::Audience(text.to_owned()))
        } else {
            Ok(Self::Topics(Pattern::parse(text)?))
        }
    }

    /// Whether this entry allows publishing to one addressee.
    pub fn allows(&self, key: &Key) -> bool {
        match (self, key) {
            (Self::Topics(pattern), Key::Topic(topic)) => pattern.matches(topic.as_str()),
            (Self::User(granted), Key::User(user)) => {
                granted.as_ref().is_none_or(|granted| granted == user)
            }
            (Self::Role(granted), Key::Role(role)) => {
                granted.as_ref().is_none_or(|granted| granted == role)
            }
            (Self::Everyone, Key::Everyone) => true,
            _ => false,
        }
    }
}

impl fmt::Display for PublishGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topics(pattern) => pattern.fmt(f),
            Self::User(None) => f.write_str("@user/*"),
            Self::User(Some(user)) => write!(f, "@user/{user}"),
            Self::Role(None) => f.write_str("@role/*"),
            Self::Role(Some(role)) => write!(f, "@role/{role}"),
            Self::Everyone => f.write_str("@all"),
        }
    }
}

/// All that an identity may do. Nothing unless granted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grants {
    /// To whom it may publish.
    pub publish: Vec<PublishGrant>,
    /// Which topics it may read; its own audience needs no grant.
    pub subscribe: Vec<Pattern>,
    /// Whether what is for everyone reaches it even if it is nobody; whoever is somebody hears it
    /// anyway.
    pub hear_everyone: bool,
    /// Whether it may administer, which includes every publish.
    pub administer: bool,
}

impl Grants {
    /// The first addressee to which publishing is not granted, if there is one.
    pub fn first_refused<'a>(&self, audience: &'a Audience) -> Option<&'a Key> {
        if self.administer {
            return None;
        }
        audience
            .keys()
            .iter()
            .find(|key| !self.publish.iter().any(|grant| grant.allows(key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audience(keys: &[&str]) -> Audience {
        Audience::new(keys.iter().map(|key| Key::parse(key).expect(key)).collect())
    }

    #[test]
    fn each_addressee_needs_its_grant() {
        let publish = ["project/*", "@user/*", "@role/ADMIN"];
        let grants = Grants {
            publish: publish
                .map(|text| PublishGrant::parse(text).expect(text))
                .to_vec(),
            ..Grants::default()
        };
        let refused = |keys: &[&str]| grants.first_refused(&audience(keys)).map(Key::to_string);
        assert_eq!(refused(&["project/1", "@user/u1", "@role/ADMIN"]), None);
        assert_eq!(refused(&["project/1", "other"]).as_deref(), Some("other"));
        assert_eq!(refused(&["@role/USER"]).as_deref(), Some("@role/USER"));
        assert_eq!(refused(&[]).as_deref(), Some("@all"));
    }

    #[test]
    fn a_pattern_never_grants_an_audience_and_administrators_publish_anywhere() {
        let all = Grants {
            publish: vec![PublishGrant::parse("**").expect("pattern")],
            ..Grants::default()
        };
        for key in ["@all", "@user/u1", "@role/r"] {
            assert!(all.first_refused(&audience(&[key])).is_some(), "{key}");
        }
        let admin = Grants {
            administer: true,
            ..Grants::default()
        };
        assert_eq!(admin.first_refused(&audience(&["@all", "a/b"])), None);
        assert!(PublishGrant::parse("@everyone").is_err());
    }
}
