//! Ids that publishers give their events.

use std::fmt;
use std::sync::Arc;

use crate::limits::EVENT_ID_BYTES_MAX;
use crate::position::is_cursor_shaped;

/// A publisher's own id of an event: 1 to 127 of `A-Za-z0-9._:-`, not shaped like a cursor.
///
/// It travels in SSE blocks and comes back in a header, so it holds nothing that either would
/// mangle.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(Arc<str>);

/// Why a text is not an event id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventIdError {
    /// Nothing at all.
    #[error("it is empty")]
    Empty,
    /// Longer than the limit.
    #[error("it has {0} bytes where at most {EVENT_ID_BYTES_MAX} are allowed")]
    TooLong(usize),
    /// A character outside `A-Za-z0-9._:-`.
    #[error("it contains {0:?} where only `A-Za-z0-9._:-` are allowed")]
    Character(char),
    /// `1042-k3x9f2m4q7`.
    #[error("it is shaped like a cursor")]
    CursorShaped,
}

impl EventId {
    /// Takes a text as an event id.
    pub fn parse(text: &str) -> Result<Self, EventIdError> {
        if text.is_empty() {
            return Err(EventIdError::Empty);
        }
        if text.len() > EVENT_ID_BYTES_MAX {
            return Err(EventIdError::TooLong(text.len()));
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '-');
        if let Some(found) = text.chars().find(|character| !allowed(*character)) {
            return Err(EventIdError::Character(found));
        }
        if is_cursor_shaped(text) {
            return Err(EventIdError::CursorShaped);
        }
        Ok(Self(text.into()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventId({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_safe_to_echo_and_never_look_like_cursors() {
        for good in [
            "a",
            "order-1",
            "urn:uuid:1-2",
            "2021-07-21",
            "123e4567-e89b-12d3",
        ] {
            assert!(EventId::parse(good).is_ok(), "{good}");
        }
        assert!(EventId::parse(&"a".repeat(EVENT_ID_BYTES_MAX)).is_ok());
        let long = "a".repeat(EVENT_ID_BYTES_MAX + 1);
        let shaped = ["1042-k3x9f2m4q7", "r1042-k3x9f2m4q7", "007-k3x9f2m4q7"];
        for bad in ["", "a b", "a/b", "a\n", "é", long.as_str()]
            .into_iter()
            .chain(shaped)
        {
            assert!(EventId::parse(bad).is_err(), "{bad:?}");
        }
    }
}
