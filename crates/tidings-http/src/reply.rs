//! Answers: the one body type, and how refusals become responses.

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, RETRY_AFTER, VARY,
    WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty, Full};
use tidings_wire::problem::{self, Category, Code, Problem};

use crate::rates::Item;
use crate::request_id::RequestId;

/// The body of every answer. It cannot fail: what goes wrong in the middle is said in the body.
pub type Body = UnsyncBoxBody<Bytes, std::convert::Infallible>;

/// Answers that depend on who asks are for nobody else, and for no cache.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// What an answer to an identity depends on, besides the origin.
const VARY_IDENTITY: HeaderValue = HeaderValue::from_static("authorization, cookie");

/// Answers hold what publishers wrote. A browser that is led to one takes it for nothing but what its type
/// says, runs and loads nothing of it, and shows it in no page of others.
const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const NOTHING_ACTIVE: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// A refusal on its way out: a problem, the methods that would be allowed, and what is left of the
/// limits that the request was counted by.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) problem: Box<Problem>,
    pub(crate) allow: Option<String>,
    pub(crate) told: Vec<Item>,
}

impl<P: Into<Problem>> From<P> for Refusal {
    fn from(problem: P) -> Self {
        Self {
            problem: Box::new(problem.into()),
            allow: None,
            told: Vec::new(),
        }
    }
}

impl Refusal {
    /// The same refusal, with what is left of one more limit.
    pub(crate) fn telling(mut self, item: Item) -> Self {
        self.told.push(item);
        self
    }

    /// The same refusal, with the route where its client can poll while it may not have a stream.
    pub(crate) fn pointing_to(mut self, polling: Option<&'static str>) -> Self {
        let is_limited = self.problem.code().category() == Category::RateLimit;
        if let Some(path) = polling.filter(|_| is_limited) {
            let problem = *self.problem;
            *self.problem = problem
                .with_hint(format!("poll `{path}` until a stream is to be had again"))
                .with_text("poll", path);
        }
        self
    }

    /// The refusal as a response, named after its request.
    pub(crate) fn into_response(self, request_id: RequestId) -> Response<Body> {
        let problem = self.problem.with_request_id(request_id.to_string());
        let mut response = whole(status(&problem), problem::CONTENT_TYPE, problem.to_bytes());
        let headers = response.headers_mut();
        if let Some(retry_after_ms) = problem.retry_after_ms() {
            retry_after(retry_after_ms, headers);
        }
        if let Some(challenge) = challenge(&problem) {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(allow) = self.allow.and_then(|allow| allow.try_into().ok()) {
            headers.insert(ALLOW, allow);
        }
        for item in self.told {
            item.tell(headers);
        }
        response
    }
}

/// Says when to try again, in whole seconds.
pub(crate) fn retry_after(ms: u64, headers: &mut HeaderMap) {
    headers.insert(RETRY_AFTER, ms.div_ceil(1_000).into());
}

/// The status of a problem.
pub(crate) fn status(problem: &Problem) -> StatusCode {
    StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// What a refused bearer is told in the header (RFC 6750, section 3).
fn challenge(problem: &Problem) -> Option<HeaderValue> {
    let error = match problem.code() {
        Code::AuthenticationRequired => {
            return Some(HeaderValue::from_static("Bearer realm=\"tidings\""));
        }
        Code::InvalidToken => "invalid_token",
        Code::NotGranted => "insufficient_scope",
        _ => return None,
    };
    // The grammar allows printable ASCII without quotes and backslashes.
    let description: String = problem
        .detail()
        .chars()
        .filter(|character| matches!(character, ' '..='~') && !matches!(character, '"' | '\\'))
        .collect();
    HeaderValue::try_from(format!(
        "Bearer realm=\"tidings\", error=\"{error}\", error_description=\"{description}\""
    ))
    .ok()
}

/// An answer that is complete, and kept by no cache.
pub(crate) fn whole(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Body> {
    with_body(status, content_type, whole_body(body))
}

/// A body that is complete.
pub(crate) fn whole_body(body: impl Into<Bytes>) -> Body {
    Body::new(Full::new(body.into()).map_err(|never| match never {}))
}

/// An answer with a body that comes piece by piece.
pub(crate) fn with_body(
    status: StatusCode,
    content_type: &'static str,
    body: Body,
) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, NO_STORE);
    headers.insert(X_CONTENT_TYPE_OPTIONS, NO_SNIFF);
    headers.insert(CONTENT_SECURITY_POLICY, NOTHING_ACTIVE);
    headers.append(VARY, VARY_IDENTITY);
    response
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::new(Empty::new()));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(problem: Problem) -> Response<Body> {
        Refusal::from(problem).into_response(RequestId::random())
    }

    #[test]
    fn bearers_are_told_in_the_words_of_rfc_6750() {
        let challenge = |code, detail: &str| {
            let response = refused(Problem::new(code, detail));
            let challenge = response.headers().get(WWW_AUTHENTICATE)?;
            Some(challenge.to_str().expect("text").to_owned())
        };
        assert_eq!(
            challenge(Code::AuthenticationRequired, "no credential").as_deref(),
            Some("Bearer realm=\"tidings\"")
        );
        assert_eq!(
            challenge(Code::InvalidToken, "a \"quoted\\\" é\n word").as_deref(),
            Some(
                "Bearer realm=\"tidings\", error=\"invalid_token\", \
                 error_description=\"a quoted  word\""
            )
        );
        assert_eq!(challenge(Code::NotFound, "nothing"), None);
    }

    #[test]
    fn retry_after_is_rounded_up_to_seconds() {
        let problem = Problem::new(Code::LogBusy, "busy").with_retry_after_ms(1_001);
        let response = refused(problem);
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[RETRY_AFTER], "2");
    }

    #[test]
    fn a22_no_refusal_is_kept_by_a_cache() {
        for code in Code::ALL {
            let response = refused(Problem::new(*code, "whatever"));
            assert_eq!(response.headers()[CACHE_CONTROL], "no-store", "{code}");
            assert_eq!(response.status().as_u16(), code.status());
        }
    }
}
