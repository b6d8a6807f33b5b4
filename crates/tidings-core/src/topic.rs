//! Topics: the names under which events are published.

use std::fmt;
use std::sync::Arc;

use crate::limits::{TOPIC_BYTES_MAX, TOPIC_SEGMENTS_MAX};
use crate::name::{self, NameFault};

/// A `/`-separated name in canonical form, such as `project/42`.
///
/// 1 to 256 bytes of UTF-8 in Normalization Form C, no control or format characters, no empty, `.`
/// or `..` segment, no `*`, `{` or `}`, and no segment that begins with `@` (those are audiences).
/// Case matters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic(Arc<str>);

/// Why a text is not a topic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// The text breaks a rule that all names share.
    #[error(transparent)]
    Name(#[from] NameFault),
    /// `a//b`, `/a` or `a/`.
    #[error("it has an empty segment")]
    EmptySegment,
    /// `.` or `..`, which proxies resolve as paths.
    #[error("it has the path segment `{0}`")]
    PathSegment(&'static str),
    /// A segment that begins with `@`.
    #[error("the segment `{0}` begins with `@`, which is reserved for users and roles")]
    Reserved(String),
    /// `*`, `{` or `}`.
    #[error("it contains `{0}`, which only patterns and templates may")]
    PatternCharacter(char),
    /// More segments than the limit.
    #[error("it has more than {TOPIC_SEGMENTS_MAX} segments")]
    TooDeep,
}

impl Topic {
    /// Takes a text as a topic if it is one, without changing it.
    pub fn parse(text: &str) -> Result<Self, TopicError> {
        check_segments(text, &['*', '{', '}'])?;
        Ok(Self(text.into()))
    }

    /// The topic as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The segments in order.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

/// The rules that topics and patterns share; `forbidden` are the characters that only the other
/// may hold.
pub(crate) fn check_segments(text: &str, forbidden: &[char]) -> Result<(), TopicError> {
    name::check(text, TOPIC_BYTES_MAX)?;
    if let Some(found) = text.chars().find(|character| forbidden.contains(character)) {
        return Err(TopicError::PatternCharacter(found));
    }
    for (index, segment) in text.split('/').enumerate() {
        if index >= TOPIC_SEGMENTS_MAX {
            return Err(TopicError::TooDeep);
        }
        match segment {
            "" => return Err(TopicError::EmptySegment),
            "." => return Err(TopicError::PathSegment(".")),
            ".." => return Err(TopicError::PathSegment("..")),
            _ if segment.starts_with('@') => return Err(TopicError::Reserved(segment.to_owned())),
            _ => {}
        }
    }
    Ok(())
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Topic({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a14_topics_have_one_spelling() {
        for good in [
            "a",
            "project/42",
            "repo/rust-lang/rust",
            "a b/c;d",
            "лента/новости",
        ] {
            assert_eq!(Topic::parse(good).expect(good).as_str(), good);
        }
        for most in [
            ["a"; TOPIC_SEGMENTS_MAX].join("/"),
            "a".repeat(TOPIC_BYTES_MAX),
        ] {
            assert!(Topic::parse(&most).is_ok(), "{most}");
        }
        let deep = ["a"; TOPIC_SEGMENTS_MAX + 1].join("/");
        let long = "a".repeat(TOPIC_BYTES_MAX + 1);
        for bad in [
            "",
            "/a",
            "a/",
            "a//b",
            "a/./b",
            "../a",
            "a%2fb",
            "a/*",
            "{sub}",
            "@all",
            "a/@user",
            "a\0b",
            "a\u{ff0f}b",
            deep.as_str(),
            long.as_str(),
        ] {
            assert!(Topic::parse(bad).is_err(), "{bad:?}");
        }
    }
}
