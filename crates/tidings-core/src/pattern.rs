//! Patterns: what readers ask for and what grants allow.

mod minimal;

use std::fmt;
use std::sync::Arc;

use crate::topic::{Topic, TopicError, check_segments};

pub use minimal::minimal;

/// A topic in which `*` stands for one segment and a final `**` for any further ones, also none.
///
/// A wildcard never matches a segment that begins with `@`; topics have none, so audiences cannot
/// be reached by a pattern.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern(Arc<str>);

/// Why a text is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// The text breaks a rule of topics.
    #[error(transparent)]
    Topic(#[from] TopicError),
    /// `**` before the end.
    #[error("`**` stands before the end; only the last segment may be `**`")]
    DeepWildcardInside,
    /// `a*` or the like.
    #[error("the segment `{0}` mixes `*` with other characters; a wildcard is a whole segment")]
    MixedSegment(String),
}

impl Pattern {
    /// Takes a text as a pattern if it is one, without changing it.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        check_segments(text, &['{', '}'])?;
        let mut segments = text.split('/').peekable();
        while let Some(segment) = segments.next() {
            match segment {
                "**" if segments.peek().is_some() => return Err(PatternError::DeepWildcardInside),
                "*" | "**" => {}
                _ if segment.contains('*') => {
                    return Err(PatternError::MixedSegment(segment.to_owned()));
                }
                _ => {}
            }
        }
        Ok(Self(text.into()))
    }

    /// The pattern that matches one topic and nothing else.
    pub fn exactly(topic: &Topic) -> Self {
        Self(topic.as_str().into())
    }

    /// The pattern as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The segments in order, wildcards included.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// The topic that this pattern names, if it has no wildcard.
    pub fn as_topic(&self) -> Option<Topic> {
        (!self.0.contains('*'))
            .then(|| Topic::parse(&self.0).ok())
            .flatten()
    }

    /// Whether a topic matches. Linear in the topic's length.
    pub fn matches(&self, topic: &str) -> bool {
        let mut wanted = self.segments();
        let mut found = topic.split('/');
        loop {
            match (wanted.next(), found.next()) {
                (Some("**") | None, None) => return true,
                (Some("**"), Some(first)) => {
                    return !first.starts_with('@') && found.all(|rest| !rest.starts_with('@'));
                }
                (Some("*"), Some(segment)) if !segment.starts_with('@') => {}
                (Some(literal), Some(segment)) if literal == segment && literal != "*" => {}
                _ => return false,
            }
        }
    }

    /// The one pattern that matches exactly what both match, or none if nothing can.
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        let mut mine = self.segments();
        let mut theirs = other.segments();
        let mut both: Vec<&str> = Vec::new();
        loop {
            match (mine.next(), theirs.next()) {
                (None | Some("**"), None) | (None, Some("**")) => break,
                (Some("**"), Some(segment)) => {
                    both.push(segment);
                    both.extend(theirs);
                    break;
                }
                (Some(segment), Some("**")) => {
                    both.push(segment);
                    both.extend(mine);
                    break;
                }
                (Some(left), Some(right)) if left == right || right == "*" => both.push(left),
                (Some("*"), Some(right)) => both.push(right),
                _ => return None,
            }
        }
        Some(Self(both.join("/").into()))
    }

    /// Whether everything that `other` matches is matched by this pattern too.
    pub fn covers(&self, other: &Self) -> bool {
        self.intersect(other).is_some_and(|both| both == *other)
    }

    /// The text before the first wildcard: every matching topic begins with it.
    pub fn literal_prefix(&self) -> &str {
        self.0.split_once('*').map_or(&self.0, |(prefix, _)| {
            // `a/**` also matches `a`, so the slash before a deep wildcard is not part of it.
            if self.0.ends_with("**") && !self.0.trim_end_matches("/**").contains('*') {
                prefix.strip_suffix('/').unwrap_or(prefix)
            } else {
                prefix
            }
        })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({})", self.0)
    }
}

#[cfg(test)]
mod tests;
