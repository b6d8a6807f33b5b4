//! Disconnecting one connection by its public name, for a reason that its reader is told.

use crate::delivery::Sink;
use crate::limits::DISCONNECT_REASON_BYTES_MAX;
use crate::port::Farewell;
use crate::shard::connection::ConnectionId;
use crate::shard::{Now, Shard, close};

/// Why an operator ends a connection, in words for its reader: at most 256 bytes, in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisconnectReason(String);

/// Why a text is not a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReasonError {
    /// Longer than the limit.
    #[error("it has {0} bytes where at most {DISCONNECT_REASON_BYTES_MAX} are allowed")]
    TooLong(usize),
    /// A line break or the like.
    #[error("it contains a control character")]
    Control,
}

impl DisconnectReason {
    /// Takes a text as a reason, without changing it.
    pub fn parse(text: &str) -> Result<Self, ReasonError> {
        if text.len() > DISCONNECT_REASON_BYTES_MAX {
            return Err(ReasonError::TooLong(text.len()));
        }
        if text.chars().any(char::is_control) {
            return Err(ReasonError::Control);
        }
        Ok(Self(text.to_owned()))
    }

    /// What the reader is told.
    pub(super) fn farewell(&self) -> Farewell {
        Farewell {
            code: "disconnected",
            reason: self.0.clone(),
            ..close::for_good()
        }
    }
}

impl<S: Sink> Shard<S> {
    /// Ends a connection. Returns whether there is one of exactly this name.
    pub fn disconnect(&mut self, id: ConnectionId, reason: &DisconnectReason, now: Now) -> bool {
        let Some(key) = self.find(id) else {
            return false;
        };
        self.dismiss(key, reason.farewell(), now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_a_line_of_bounded_length() {
        let longest = "a".repeat(DISCONNECT_REASON_BYTES_MAX);
        assert!(DisconnectReason::parse(&longest).is_ok());
        let longer = longest + "a";
        let too_long = Err(ReasonError::TooLong(DISCONNECT_REASON_BYTES_MAX + 1));
        assert_eq!(DisconnectReason::parse(&longer), too_long);
        assert_eq!(DisconnectReason::parse("a\nb"), Err(ReasonError::Control));
        assert!(DisconnectReason::parse("").is_ok());
    }
}
