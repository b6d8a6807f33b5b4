//! What can go wrong with a request, and whether trying again makes sense.

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use crate::limits::ASKED_WAIT_MAX;

/// A request that came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The hub cannot be reached.
    #[error("cannot connect to `{authority}`")]
    Connect {
        /// Which hub.
        authority: String,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// Whoever is there does not speak TLS, or is not believed to be the hub.
    #[error("`{authority}` cannot be talked to over TLS")]
    Untrusted {
        /// Which hub.
        authority: String,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// Nothing came in time.
    #[error("no answer from `{authority}` within {within:?}")]
    Timeout {
        /// Which hub.
        authority: String,
        /// How long was waited.
        within: Duration,
    },
    /// The connection broke; whether the request was carried out is not known.
    #[error("the connection to `{authority}` broke")]
    Broken {
        /// Which hub.
        authority: String,
        /// Why.
        #[source]
        cause: hyper::Error,
    },
    /// The hub said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Whatever answered is not a hub that this client understands.
    #[error("the answer of `{authority}` is not one of a hub: {problem}")]
    NotAHub {
        /// Who answered.
        authority: String,
        /// What is wrong with the answer.
        problem: String,
    },
    /// The request cannot be written down, such as a token with a line break.
    #[error("the request cannot be made: {0}")]
    Invalid(&'static str),
}

impl RequestError {
    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Timeout { .. } | Self::Broken { .. } => true,
            Self::Refused(refusal) => refusal.is_transient(),
            Self::Untrusted { .. } | Self::NotAHub { .. } | Self::Invalid(_) => false,
        }
    }

    /// How long the hub asks to wait before that.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(refusal) => refusal.retry_after,
            _ => None,
        }
    }
}

/// A refusal of the hub: a problem document (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail} ({status}{})", if code.is_empty() { String::new() } else { format!(" {code}") })]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The stable word for programs; empty if something else than a hub answered.
    pub code: String,
    /// What is wrong, for people.
    pub detail: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// How long the hub asks to wait.
    pub retry_after: Option<Duration>,
    /// The hub's name of the request, for its log.
    pub request_id: Option<String>,
}

/// A problem document, as far as it matters here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Document {
    status: Option<u16>,
    #[serde(default)]
    code: String,
    #[serde(default)]
    title: String,
    detail: Option<String>,
    hint: Option<String>,
    request_id: Option<String>,
    retry_after_ms: Option<u64>,
}

impl Document {
    /// The refusal that the document states; `status` is that of the answer around it.
    pub(crate) fn refusal(self, status: u16) -> Refusal {
        Refusal {
            status: self.status.unwrap_or(status),
            code: self.code,
            detail: self.detail.unwrap_or(self.title),
            hint: self.hint,
            retry_after: self.retry_after_ms.map(Duration::from_millis),
            request_id: self.request_id,
        }
    }
}

impl Refusal {
    /// Whether the same request may succeed later: the status says so.
    pub fn is_transient(&self) -> bool {
        match self.status {
            408 | 425 | 429 => true,
            501 | 505 => false,
            status => status >= 500,
        }
    }

    /// The refusal of an answer that is no success.
    pub(crate) fn of(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let seconds = headers
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        let mut refusal = serde_json::from_slice::<Document>(body).map_or_else(
            |_| Self {
                status: status.as_u16(),
                code: String::new(),
                detail: status
                    .canonical_reason()
                    .unwrap_or("refused")
                    .to_lowercase(),
                hint: None,
                retry_after: None,
                request_id: None,
            },
            |document| document.refusal(status.as_u16()),
        );
        refusal.retry_after = refusal
            .retry_after
            .or(seconds)
            .map(|wait| wait.min(ASKED_WAIT_MAX));
        refusal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, retry_after: Option<&'static str>, body: &str) -> Refusal {
        let mut headers = HeaderMap::new();
        if let Some(value) = retry_after {
            headers.insert(RETRY_AFTER, value.parse().expect("a value"));
        }
        let status = StatusCode::from_u16(status).expect("a status");
        Refusal::of(status, &headers, body.as_bytes())
    }

    #[test]
    fn a_problem_document_is_read() {
        let refusal = of(
            503,
            Some("3"),
            r#"{"type":"t","title":"Busy","status":503,"detail":"the log is busy","code":"log_busy",
                "hint":"wait","requestId":"r1","retryAfterMs":1500}"#,
        );
        assert_eq!(refusal.to_string(), "the log is busy (503 log_busy)");
        assert_eq!(refusal.retry_after, Some(Duration::from_millis(1_500)));
        assert_eq!(refusal.hint.as_deref(), Some("wait"));
        assert_eq!(refusal.request_id.as_deref(), Some("r1"));
    }

    #[test]
    fn an_answer_of_something_else_is_a_refusal_too() {
        let refusal = of(502, Some("7"), "<html>bad gateway</html>");
        assert_eq!(refusal.to_string(), "bad gateway (502)");
        assert_eq!(refusal.retry_after, Some(Duration::from_secs(7)));
        assert_eq!(
            of(503, Some("99999999"), "").retry_after,
            Some(ASKED_WAIT_MAX)
        );
        assert_eq!(
            of(503, Some("Fri, 01 Jan 2027 00:00:00 GMT"), "").retry_after,
            None
        );
    }

    #[test]
    fn only_some_refusals_are_worth_another_try() {
        for status in [408, 425, 429, 500, 502, 503, 504, 507] {
            assert!(of(status, None, "").is_transient(), "{status}");
        }
        for status in [204, 301, 400, 401, 403, 404, 405, 409, 410, 413, 501] {
            assert!(!of(status, None, "").is_transient(), "{status}");
        }
    }
}
