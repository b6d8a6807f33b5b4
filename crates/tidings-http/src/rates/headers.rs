//! What an answer tells of a limit: `RateLimit` and `RateLimit-Policy`
//! (draft-ietf-httpapi-ratelimit-headers-10), lists of structured fields.

use http::{HeaderMap, HeaderName, HeaderValue, Response};
use tidings_core::port::{Quota, Spent};
use tidings_hub::LimitScope;

use super::Limit;
use crate::reply::{Body, Refusal};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// What came of spending, as the one who spent it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) limit: Limit,
    pub(crate) quota: Quota,
    pub(crate) spent: Spent,
}

impl Told {
    pub(crate) fn is_allowed(&self) -> bool {
        self.spent.is_allowed
    }

    /// Adds the headers beside those of other limits.
    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        let name = self.limit.as_str();
        let unit = match self.limit {
            Limit::PublishedBytes => ";qu=\"content-bytes\"",
            _ => "",
        };
        let window = self.quota.period_ms.div_ceil(1_000);
        let policy = format!("\"{name}\";q={}{unit};w={window}", self.quota.units);
        let wait = self.spent.wait_ms.div_ceil(1_000);
        let left = format!("\"{name}\";r={};t={wait}", self.spent.remaining);
        append(policy, left, headers);
    }
}

/// All connections that a limit allows, which are taken. They come back when a reader leaves, so
/// there is no window, and nobody knows when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) scope: LimitScope,
    pub(crate) max: usize,
}

impl Taken {
    /// The word for the limit, which is that of its setting: in headers and in figures.
    pub(crate) fn name(self) -> &'static str {
        match self.scope {
            LimitScope::Hub => "connections",
            LimitScope::Identity => "connections_per_identity",
            LimitScope::Address => "connections_per_address",
        }
    }

    fn tell(self, headers: &mut HeaderMap) {
        let name = self.name();
        let policy = format!("\"{name}\";q={};qu=\"concurrent-requests\"", self.max);
        append(policy, format!("\"{name}\";r=0"), headers);
    }
}

/// What a refusal tells of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Item {
    /// Of one that comes back with time.
    Rate(Told),
    /// Of one that comes back when a reader leaves.
    Connections(Taken),
}

impl Item {
    /// Adds the headers beside those of other limits.
    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        match self {
            Self::Rate(told) => told.tell(headers),
            Self::Connections(taken) => taken.tell(headers),
        }
    }
}

/// An answer with what is left of the limits that its request was counted by, also if it refuses.
pub(crate) fn telling(
    answer: Result<Response<Body>, Refusal>,
    told: impl IntoIterator<Item = Told>,
) -> Result<Response<Body>, Refusal> {
    let told = told.into_iter();
    match answer {
        Ok(mut response) => {
            told.for_each(|told| told.tell(response.headers_mut()));
            Ok(response)
        }
        Err(refusal) => Err(told.map(Item::Rate).fold(refusal, Refusal::telling)),
    }
}

fn append(policy: String, left: String, headers: &mut HeaderMap) {
    for (header, text) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, left)] {
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.append(header, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_told_as_structured_fields() {
        let mut headers = HeaderMap::new();
        for (limit, units, remaining) in [(Limit::Requests, 120, 3), (Limit::PublishedBytes, 9, 0)]
        {
            let told = Told {
                limit,
                quota: Quota {
                    units,
                    period_ms: 60_000,
                },
                spent: Spent {
                    is_allowed: true,
                    remaining,
                    wait_ms: 1_001,
                },
            };
            told.tell(&mut headers);
        }
        let taken = Taken {
            scope: LimitScope::Identity,
            max: 100,
        };
        Item::Connections(taken).tell(&mut headers);
        let all = |name| headers.get_all(name).iter().collect::<Vec<_>>();
        assert_eq!(
            all(RATE_LIMIT),
            [
                "\"requests\";r=3;t=2",
                "\"published_bytes\";r=0;t=2",
                "\"connections_per_identity\";r=0"
            ]
        );
        assert_eq!(
            all(RATE_LIMIT_POLICY),
            [
                "\"requests\";q=120;w=60",
                "\"published_bytes\";q=9;qu=\"content-bytes\";w=60",
                "\"connections_per_identity\";q=100;qu=\"concurrent-requests\""
            ]
        );
    }
}
