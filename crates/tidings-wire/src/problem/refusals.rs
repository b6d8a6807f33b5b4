//! Which problem document each refusal becomes. Exhaustive: a new kind of refusal does not compile
//! until it has its code here.

use tidings_core::limits::PATTERNS_READ_PER_CONNECTION_MAX;
use tidings_core::pattern::Pattern;
use tidings_core::port::{AppendError, AuthFailure, ReadError};
use tidings_core::subscription::SubscribeRefused;

use super::{Code, Problem};
use crate::publish::{LineTooLong, PublishError, UnsupportedMediaType};
use crate::query::QueryError;

/// Wait after a log failure before trying again makes sense: about as long as a restart takes.
const RETRY_AFTER_RESTART_MS: u64 = 5_000;

/// Wait for space in a full log: retention and operators work in minutes.
const RETRY_AFTER_FULL_MS: u64 = 30_000;

impl From<&PublishError> for Problem {
    fn from(error: &PublishError) -> Self {
        let problem = Self::new(error.code(), error.to_string()).with_text("path", &error.path);
        match error.hint() {
            Some(hint) => problem.with_hint(hint),
            None => problem,
        }
    }
}

impl From<LineTooLong> for Problem {
    fn from(error: LineTooLong) -> Self {
        Self::new(Code::BodyTooLarge, error.to_string()).with_number("limit", error.max as u64)
    }
}

impl From<&UnsupportedMediaType> for Problem {
    fn from(error: &UnsupportedMediaType) -> Self {
        Self::new(Code::UnsupportedMediaType, error.to_string())
    }
}

impl From<&QueryError> for Problem {
    fn from(error: &QueryError) -> Self {
        let problem =
            Self::new(error.code(), error.to_string()).with_text("parameter", &error.parameter);
        match error.hint() {
            Some(hint) => problem.with_hint(hint),
            None => problem,
        }
    }
}

impl From<&AppendError> for Problem {
    fn from(error: &AppendError) -> Self {
        let detail = error.to_string();
        match error {
            AppendError::IdReused { index, position } => {
                let problem = Self::new(Code::IdReused, "the id was used for other content")
                    .with_number("index", *index as u64);
                match position {
                    Some(position) => problem.with_text("cursor", position.to_string()),
                    None => problem,
                }
            }
            AppendError::Busy { retry_after_ms } => {
                Self::new(Code::LogBusy, detail).with_retry_after_ms(*retry_after_ms)
            }
            AppendError::Full => {
                Self::new(Code::LogFull, detail).with_retry_after_ms(RETRY_AFTER_FULL_MS)
            }
            AppendError::NotWritable => {
                Self::new(Code::LogNotWritable, detail).with_retry_after_ms(RETRY_AFTER_RESTART_MS)
            }
            AppendError::OutcomeUnknown => {
                Self::new(Code::OutcomeUnknown, detail).with_retry_after_ms(RETRY_AFTER_RESTART_MS)
            }
            AppendError::TooLarge { max, .. } => {
                Self::new(Code::GroupTooLarge, detail).with_number("limit", *max as u64)
            }
        }
    }
}

impl From<&ReadError> for Problem {
    fn from(_: &ReadError) -> Self {
        // The cause names files and is for the operator's log alone.
        Self::new(Code::LogUnreadable, "the log could not be read")
            .with_retry_after_ms(RETRY_AFTER_RESTART_MS)
    }
}

/// The hints help who made a mistake. They say what every reader of the documentation knows, and
/// nothing of how this hub is set up, or how far a forged credential came.
impl From<&AuthFailure> for Problem {
    fn from(error: &AuthFailure) -> Self {
        let invalid = |hint| Self::new(Code::InvalidToken, error.to_string()).with_hint(hint);
        match error {
            AuthFailure::Malformed(_) => invalid(
                "send it whole and as it was issued; a token is three parts, separated by dots",
            ),
            AuthFailure::NotTrusted => invalid(
                "check that the hub knows the secret or the key that it is made with, to the last byte, \
                 and takes its algorithm; `tidings auth explain` tells more",
            ),
            AuthFailure::Expired => invalid(
                "get a new token and try again; who came by a cookie signs in to the application again",
            ),
            AuthFailure::NotYetValid => {
                invalid("compare the clocks of the hub and of the issuer, and the claim `nbf`")
            }
            AuthFailure::Claim { .. } => {
                invalid("correct the claim where the token is issued, and get a new token")
            }
            AuthFailure::Unknown => invalid(
                "get a new one: a ticket opens one stream, within 30 seconds; an API key counts \
                     until it ends or is revoked",
            ),
            AuthFailure::Revoked => invalid("sign in again, or ask whoever revoked it"),
            // It is good as it is (RFC 6750, section 3.1): a new one of its kind would not do more.
            AuthFailure::NotForThis(_) => Self::new(Code::NotGranted, error.to_string())
                .with_hint("present the credential with which it was made"),
            AuthFailure::Denied => invalid("sign in to the application and try again"),
            AuthFailure::Unavailable => Self::new(Code::AuthUnavailable, error.to_string())
                .with_retry_after_ms(RETRY_AFTER_RESTART_MS),
        }
    }
}

impl From<&SubscribeRefused> for Problem {
    fn from(error: &SubscribeRefused) -> Self {
        let detail = error.to_string();
        match error {
            SubscribeRefused::NotGranted(patterns) => Self::new(Code::NotGranted, detail)
                .with_hint("present a credential whose subscribe grant covers the topics")
                .with_texts("topics", patterns.iter().map(Pattern::to_string).collect()),
            SubscribeRefused::Nothing => Self::new(Code::InvalidQuery, detail).with_hint(
                "name topics with `topics=`; with `audience=none`, and for an anonymous reader, \
                     there is nothing besides",
            ),
            SubscribeRefused::TooMany(count) => Self::new(Code::TooManyPatterns, detail)
                .with_hint(
                    "ask for fewer topics at a time, or have fewer and wider patterns granted: each \
                     pattern that is asked for counts once for every grant that it meets",
                )
                .with_number("patterns", *count as u64)
                .with_number("limit", PATTERNS_READ_PER_CONNECTION_MAX as u64),
        }
    }
}
