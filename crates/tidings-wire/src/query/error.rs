//! Why a query parameter is refused.

use std::time::Duration;

use tidings_core::event_type::{EventTypeError, TooManyTypes};
use tidings_core::limits::PATTERNS_PER_CONNECTION_MAX;
use tidings_core::pattern::PatternError;

use crate::limits::{QUERY_PARAMETERS_MAX, SHOWN_CHARACTERS_MAX};
use crate::problem::Code;
use crate::shown::shown;

/// A refused parameter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{fault}", place(.parameter))]
pub struct QueryError {
    /// Its name; empty for the query string as a whole.
    pub parameter: String,
    /// What is wrong with it.
    pub fault: QueryFault,
}

/// What is wrong with a parameter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryFault {
    /// A percent-encoding of no text.
    #[error("it is not percent-encoded UTF-8")]
    Encoding,
    /// More parameters than a request has any use for.
    #[error("the query has more than {QUERY_PARAMETERS_MAX} parameters")]
    TooMany,
    /// A name that the route does not know.
    #[error("the route does not know it")]
    Unknown {
        /// The known name that was most likely meant.
        nearest: Option<String>,
    },
    /// Not what belongs there.
    #[error("expected {expected}, found {}", shown(.found))]
    Value {
        /// What belongs there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// A count outside its range.
    #[error("expected a number from {min} to {max}, found {}", shown(.found))]
    OutOfRange {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
        /// What stands there.
        found: String,
    },
    /// A wait that no connection would survive.
    #[error("expected at most `{}s`, found {}", .max.as_secs(), shown(.found))]
    TooLong {
        /// The longest.
        max: Duration,
        /// What stands there.
        found: String,
    },
    /// Something that begins as a time does, and is none.
    #[error("expected a time as in RFC 3339 with its offset, found {}", shown(.0))]
    Time(String),
    /// Not a pattern of topics.
    #[error("not a pattern: {reason}: {}", shown(.value))]
    Pattern {
        /// The text.
        value: String,
        /// The broken rule.
        reason: PatternError,
    },
    /// More patterns than one connection may ask for.
    #[error("{0} patterns where at most {PATTERNS_PER_CONNECTION_MAX} are allowed")]
    TooManyPatterns(usize),
    /// Not a glob of event types.
    #[error("not an event type: {reason}: {}", shown(.value))]
    Type {
        /// The text.
        value: String,
        /// The broken rule.
        reason: EventTypeError,
    },
    /// More globs than one filter may hold.
    #[error(transparent)]
    TooManyTypes(TooManyTypes),
}

/// The words that say which parameter, if it is one.
fn place(parameter: &str) -> String {
    if parameter.is_empty() {
        String::new()
    } else {
        format!("the parameter {}: ", shown(parameter))
    }
}

impl QueryError {
    /// An error of a parameter; a name too long for a message is cut.
    pub(crate) fn new(parameter: &str, fault: QueryFault) -> Self {
        Self {
            parameter: parameter.chars().take(SHOWN_CHARACTERS_MAX).collect(),
            fault,
        }
    }

    /// The problem code that answers it.
    pub fn code(&self) -> Code {
        match &self.fault {
            QueryFault::Pattern { .. } => Code::InvalidPattern,
            QueryFault::TooManyPatterns(_) => Code::TooManyPatterns,
            QueryFault::Type { .. } => Code::InvalidType,
            QueryFault::Encoding
            | QueryFault::TooMany
            | QueryFault::Unknown { .. }
            | QueryFault::Value { .. }
            | QueryFault::OutOfRange { .. }
            | QueryFault::TooLong { .. }
            | QueryFault::Time(_)
            | QueryFault::TooManyTypes(_) => Code::InvalidQuery,
        }
    }

    /// How to get it right, where this case says more than its code.
    pub fn hint(&self) -> Option<String> {
        match &self.fault {
            QueryFault::Unknown { nearest } => {
                nearest.as_ref().map(|nearest| format!("use `{nearest}`"))
            }
            QueryFault::Time(text) if text.contains(' ') => {
                Some("write the `+` of an offset as `%2B` in a URL".to_owned())
            }
            QueryFault::Time(_) => Some("write it as `2026-11-21T12:00:00Z`".to_owned()),
            QueryFault::Type { .. } => {
                Some("separate types by commas; `*` stands for any characters".to_owned())
            }
            QueryFault::TooManyTypes(_) => Some("use `*`, as in `chapter.*`".to_owned()),
            QueryFault::Encoding
            | QueryFault::TooMany
            | QueryFault::Value { .. }
            | QueryFault::OutOfRange { .. }
            | QueryFault::TooLong { .. }
            | QueryFault::Pattern { .. }
            | QueryFault::TooManyPatterns(_) => None,
        }
    }
}
