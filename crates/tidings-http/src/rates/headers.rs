//! What an answer tells of a limit: `RateLimit` and `RateLimit-Policy`
//! (draft-ietf-httpapi-ratelimit-headers-10), lists of structured fields.

use http::{HeaderMap, HeaderName, HeaderValue};
use tidings_core::port::{Quota, Spent};

use super::Limit;

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
        for (header, text) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, left)] {
            if let Ok(value) = HeaderValue::try_from(text) {
                headers.append(header, value);
            }
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
        let all = |name| headers.get_all(name).iter().collect::<Vec<_>>();
        assert_eq!(
            all(RATE_LIMIT),
            ["\"requests\";r=3;t=2", "\"published_bytes\";r=0;t=2"]
        );
        assert_eq!(
            all(RATE_LIMIT_POLICY),
            [
                "\"requests\";q=120;w=60",
                "\"published_bytes\";q=9;qu=\"content-bytes\";w=60"
            ]
        );
    }
}
