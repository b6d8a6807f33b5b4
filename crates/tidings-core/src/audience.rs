//! Whom an event is for.

use std::fmt;
use std::sync::Arc;

use crate::limits::{ROLE_BYTES_MAX, SUBJECT_BYTES_MAX};
use crate::name::{self, NameFault};
use crate::topic::Topic;

/// Who somebody is, as the identity provider says it: `u1`, `auth0|5f7c`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(Arc<str>);

/// A role of the application, such as `ADMIN`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Role(Arc<str>);

impl Subject {
    /// Takes a text as a subject if it is in canonical form.
    pub fn parse(text: &str) -> Result<Self, NameFault> {
        name::check(text, SUBJECT_BYTES_MAX).map(|()| Self(text.into()))
    }

    /// The subject as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Role {
    /// Takes a text as a role if it is in canonical form.
    pub fn parse(text: &str) -> Result<Self, NameFault> {
        name::check(text, ROLE_BYTES_MAX).map(|()| Self(text.into()))
    }

    /// The role as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One addressee of an event, typed: a user named like a topic is still a user.
///
/// As text: `project/42`, `@user/u1`, `@role/ADMIN`, `@all`. The text is unambiguous because no
/// topic begins with `@`; it is what the log stores and what people are shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// Readers of a topic.
    Topic(Topic),
    /// One user, wherever connected.
    User(Subject),
    /// Everyone with a role.
    Role(Role),
    /// Every reader.
    Everyone,
}

/// The text is not an audience key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is not an audience key such as `project/42`, `@user/u1`, `@role/ADMIN` or `@all`")]
pub struct NotAKey;

impl Key {
    /// Reads a key's text form back.
    pub fn parse(text: &str) -> Result<Self, NotAKey> {
        if text == "@all" {
            Ok(Self::Everyone)
        } else if let Some(user) = text.strip_prefix("@user/") {
            Subject::parse(user).map(Self::User).map_err(|_| NotAKey)
        } else if let Some(role) = text.strip_prefix("@role/") {
            Role::parse(role).map(Self::Role).map_err(|_| NotAKey)
        } else {
            Topic::parse(text).map(Self::Topic).map_err(|_| NotAKey)
        }
    }

    /// The topic, if the key is one.
    pub fn topic(&self) -> Option<&Topic> {
        match self {
            Self::Topic(topic) => Some(topic),
            Self::User(_) | Self::Role(_) | Self::Everyone => None,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic(topic) => topic.fmt(f),
            Self::User(user) => write!(f, "@user/{user}"),
            Self::Role(role) => write!(f, "@role/{role}"),
            Self::Everyone => f.write_str("@all"),
        }
    }
}

/// All addressees of one event: never empty, sorted, without repeats.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Audience(Arc<[Key]>);

impl Audience {
    /// These keys; none at all means everyone.
    pub fn new(mut keys: Vec<Key>) -> Self {
        if keys.is_empty() {
            keys.push(Key::Everyone);
        }
        keys.sort();
        keys.dedup();
        Self(keys.into())
    }

    /// The keys in order.
    pub fn keys(&self) -> &[Key] {
        &self.0
    }

    /// The named topics, which every reader of the event may see.
    pub fn topics(&self) -> impl Iterator<Item = &Topic> {
        self.0.iter().filter_map(Key::topic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_their_text() {
        for text in ["project/42", "@user/u1", "@user/a/b", "@role/ADMIN", "@all"] {
            assert_eq!(Key::parse(text).expect(text).to_string(), text);
        }
        for bad in ["@", "@user/", "@user", "@everyone", "@all/x", "a//b"] {
            assert_eq!(Key::parse(bad), Err(NotAKey), "{bad}");
        }
    }

    #[test]
    fn subjects_and_roles_have_limits() {
        let long = |bytes: usize| "a".repeat(bytes);
        assert!(Subject::parse(&long(SUBJECT_BYTES_MAX)).is_ok());
        assert!(Subject::parse(&long(SUBJECT_BYTES_MAX + 1)).is_err());
        assert!(Role::parse(&long(ROLE_BYTES_MAX)).is_ok());
        assert!(Role::parse(&long(ROLE_BYTES_MAX + 1)).is_err());
    }

    #[test]
    fn no_addressee_means_everyone() {
        assert_eq!(Audience::new(Vec::new()).keys(), [Key::Everyone]);
    }
}
