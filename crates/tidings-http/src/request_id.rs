//! Names of requests, by which a person and an operator talk about the same thing.

use std::fmt;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderValue;

/// Random name of one request: 64 bits, 16 hexadecimal digits.
///
/// The hub makes it and never takes it from a client, so nobody can write into the log with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId(u64);

/// Where the names of this process begin. Without a source of randomness that is zero: a request is
/// worth more than its name.
static SEED: LazyLock<u64> = LazyLock::new(|| getrandom::u64().unwrap_or_default());

/// How many names there are.
static NAMED: AtomicU64 = AtomicU64::new(0);

impl RequestId {
    /// A fresh name: the next number, mixed so that it looks like no other (`SplitMix64`, which gives
    /// each number once). No secret, so no call of the kernel for each.
    pub fn random() -> Self {
        let number = NAMED.fetch_add(1, Ordering::Relaxed);
        let mut mixed = SEED.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self(mixed ^ (mixed >> 31))
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
