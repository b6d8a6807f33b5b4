//! Names of requests, by which a person and an operator talk about the same thing.

use std::fmt;

use http::HeaderValue;

/// Random name of one request: 64 bits, 16 hexadecimal digits.
///
/// The hub makes it and never takes it from a client, so nobody can write into the log with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId(u64);

impl RequestId {
    /// A fresh name. Without a source of randomness it is zero: a request is worth more than its
    /// name.
    pub fn random() -> Self {
        Self(getrandom::u64().unwrap_or_default())
    }

    /// The name as a header value.
    pub fn header_value(self) -> HeaderValue {
        HeaderValue::try_from(self.to_string())
            .unwrap_or_else(|_| HeaderValue::from_static("unnamed"))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_do_not_repeat() {
        let one = RequestId::random();
        assert_eq!(one.to_string().len(), 16);
        assert_eq!(one.header_value().as_bytes(), one.to_string().as_bytes());
        assert_ne!(one, RequestId::random());
    }
}
