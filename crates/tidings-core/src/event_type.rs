//! Event types, and the filter that readers put on them.

use std::fmt;
use std::sync::Arc;

use crate::limits::{EVENT_TYPE_BYTES_MAX, TYPE_GLOBS_MAX};

/// Types of the hub's own control events begin with this; publishers may not use it.
pub const RESERVED_PREFIX: &str = "tidings.";

/// What kind of thing happened, such as `chapter.created`: 1 to 128 of `A-Za-z0-9._:/-`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventType(Arc<str>);

/// Why a text is not an event type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventTypeError {
    /// Nothing at all.
    #[error("it is empty")]
    Empty,
    /// Longer than the limit.
    #[error("it has {0} bytes where at most {EVENT_TYPE_BYTES_MAX} are allowed")]
    TooLong(usize),
    /// A character outside `A-Za-z0-9._:/-`.
    #[error("it contains {0:?} where only `A-Za-z0-9._:/-` are allowed")]
    Character(char),
    /// The hub's own prefix.
    #[error("it begins with `tidings.`, which is reserved for the hub's control events")]
    Reserved,
}

impl EventType {
    /// Takes a text as a publisher's event type.
    pub fn parse(text: &str) -> Result<Self, EventTypeError> {
        check_characters(text, false)?;
        if text.starts_with(RESERVED_PREFIX) {
            return Err(EventTypeError::Reserved);
        }
        Ok(Self(text.into()))
    }

    /// The type as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventType({})", self.0)
    }
}

/// An event type in which each `*` stands for any characters, also none: `chapter.*`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TypeGlob(Arc<str>);

impl TypeGlob {
    /// Takes a text as a glob of event types.
    pub fn parse(text: &str) -> Result<Self, EventTypeError> {
        check_characters(text, true)?;
        Ok(Self(text.into()))
    }

    /// The glob as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a type matches. At worst the product of both lengths, which are limited.
    pub fn matches(&self, event_type: &str) -> bool {
        let (glob, text) = (self.0.as_bytes(), event_type.as_bytes());
        let (mut at_glob, mut at_text) = (0, 0);
        // Where to go on after the latest `*` took one more character.
        let mut retry: Option<(usize, usize)> = None;
        while at_text < text.len() {
            match glob.get(at_glob) {
                Some(b'*') => {
                    retry = Some((at_glob + 1, at_text));
                    at_glob += 1;
                }
                Some(wanted) if text.get(at_text) == Some(wanted) => {
                    at_glob += 1;
                    at_text += 1;
                }
                _ => {
                    let Some((after_star, taken)) = retry else {
                        return false;
                    };
                    retry = Some((after_star, taken + 1));
                    at_glob = after_star;
                    at_text = taken + 1;
                }
            }
        }
        glob.iter().skip(at_glob).all(|rest| *rest == b'*')
    }
}

/// Which event types a reader wants; empty means all. Every connection has one, so it is one word.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct TypeFilter(Option<Arc<Box<[TypeGlob]>>>);

/// More globs than one filter may hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it has {0} event types where at most {TYPE_GLOBS_MAX} are allowed")]
pub struct TooManyTypes(pub usize);

impl TypeFilter {
    /// A filter of these globs, in canonical order.
    pub fn new(mut globs: Vec<TypeGlob>) -> Result<Self, TooManyTypes> {
        globs.sort();
        globs.dedup();
        if globs.len() > TYPE_GLOBS_MAX {
            return Err(TooManyTypes(globs.len()));
        }
        // Most filters are none: those cost nothing.
        Ok(Self((!globs.is_empty()).then(|| Arc::new(globs.into()))))
    }

    /// Whether a type passes.
    pub fn matches(&self, event_type: &EventType) -> bool {
        let mut globs = self.globs().iter();
        self.is_everything() || globs.any(|glob| glob.matches(event_type.as_str()))
    }

    /// Whether every type passes.
    pub fn is_everything(&self) -> bool {
        self.0.is_none()
    }

    /// The globs, in canonical order.
    pub fn globs(&self) -> &[TypeGlob] {
        self.0.as_deref().map_or(&[], |globs| globs)
    }
}

fn check_characters(text: &str, star: bool) -> Result<(), EventTypeError> {
    if text.is_empty() {
        return Err(EventTypeError::Empty);
    }
    if text.len() > EVENT_TYPE_BYTES_MAX {
        return Err(EventTypeError::TooLong(text.len()));
    }
    let allowed = |character: char| {
        character.is_ascii_alphanumeric()
            || matches!(character, '.' | '_' | ':' | '/' | '-')
            || (star && character == '*')
    };
    match text.chars().find(|character| !allowed(*character)) {
        Some(found) => Err(EventTypeError::Character(found)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_short_words_and_the_hubs_prefix_is_reserved() {
        for good in [
            "a",
            "chapter.created",
            "com.example/Order:v2-x_y",
            "tidingsx",
        ] {
            assert!(EventType::parse(good).is_ok(), "{good}");
        }
        assert!(EventType::parse(&"a".repeat(EVENT_TYPE_BYTES_MAX)).is_ok());
        let long = "a".repeat(EVENT_TYPE_BYTES_MAX + 1);
        for bad in ["", "a b", "a\nb", "tidings.hello", "é", "a*", long.as_str()] {
            assert!(EventType::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn globs_match_like_shell_globs() {
        let cases = [
            ("chapter.*", "chapter.created", true),
            ("chapter.*", "chapter.", true),
            ("chapter.*", "novel.created", false),
            ("*", "anything", true),
            ("*.created", "a.b.created", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("exact", "exact", true),
            ("exact", "exactly", false),
        ];
        for (glob, text, expected) in cases {
            assert_eq!(
                TypeGlob::parse(glob).expect(glob).matches(text),
                expected,
                "{glob} {text}"
            );
        }
    }

    #[test]
    fn a_filter_has_a_limit() {
        let globs = |n: usize| (0..n).map(|i| TypeGlob::parse(&format!("t{i}")).expect("glob"));
        assert!(TypeFilter::new(globs(TYPE_GLOBS_MAX).collect()).is_ok());
        assert!(TypeFilter::new(globs(TYPE_GLOBS_MAX + 1).collect()).is_err());
    }
}
