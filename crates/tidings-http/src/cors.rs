//! Cross-origin answers (the Fetch standard's CORS protocol), the same on every route.
//!
//! A browser decides who may read an answer; this only tells it. An origin gets its own name back if
//! it is listed or the hub's own, together with the leave to use credentials. With `*` there are
//! never credentials. Any other origin gets no word at all, and the log says why.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HOST,
    ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, request};

use crate::limits::PREFLIGHT_AGE_SECONDS;
use crate::origin::{Origin, OriginError, Origins};

/// Request headers that a page may send; the safelisted ones need no leave.
const ALLOWED_HEADERS: HeaderValue =
    HeaderValue::from_static("authorization, last-event-id, cache-control, content-type");

/// Response headers that a page may read besides the safelisted ones.
const EXPOSED_HEADERS: HeaderValue =
    HeaderValue::from_static("retry-after, www-authenticate, x-request-id");

/// What a preflight's answer depends on.
const VARY_PREFLIGHT: HeaderValue = HeaderValue::from_static(
    "origin, access-control-request-method, access-control-request-headers",
);

const VARY_ORIGIN: HeaderValue = HeaderValue::from_static("origin");

/// What becomes of a request's origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// No browser asks on behalf of another page.
    Absent,
    /// This origin may read the answer, with credentials.
    Allowed(HeaderValue),
    /// Everyone may, without credentials.
    AllowedToAll,
    /// It may not.
    Refused(Cause),
}

/// Why an origin is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// `null`: a sandboxed page, a local file, or a redirect between origins.
    Null,
    /// Not an origin at all, or several.
    Malformed,
    /// Neither listed nor the hub's own.
    NotListed,
}

impl Cause {
    /// The cause for people.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Null => "the origin is `null`, which any sandboxed page can claim",
            Self::Malformed => "the origin header is malformed",
            Self::NotListed => "the origin is neither listed nor the hub's own",
        }
    }
}

/// Judges the origin of a request.
pub(crate) fn judge(origins: &Origins, request: &request::Parts) -> Verdict {
    let mut sent = request.headers.get_all(ORIGIN).iter();
    let Some(first) = sent.next() else {
        return Verdict::Absent;
    };
    if *origins == Origins::Any {
        return Verdict::AllowedToAll;
    }
    let origin = match first.to_str().map(Origin::parse) {
        Ok(Ok(origin)) if sent.next().is_none() => origin,
        Ok(Err(OriginError::Null)) => return Verdict::Refused(Cause::Null),
        _ => return Verdict::Refused(Cause::Malformed),
    };
    if origins.lists(&origin) || is_own(&origin, request) {
        Verdict::Allowed(first.clone())
    } else {
        Verdict::Refused(Cause::NotListed)
    }
}

/// Whether the page was served under the very host that the request names. Behind a proxy that
/// rewrites the host, list the public origin.
fn is_own(origin: &Origin, request: &request::Parts) -> bool {
    let authority = request.uri.authority().map(http::uri::Authority::as_str);
    let host = || {
        request
            .headers
            .get(HOST)
            .and_then(|host| host.to_str().ok())
    };
    let named = authority.or_else(host);
    let is_web = origin.as_str().starts_with("http");
    is_web && named.is_some_and(|named| named.eq_ignore_ascii_case(origin.authority()))
}

/// Adds what an answer says about its readers.
pub(crate) fn tell(verdict: &Verdict, headers: &mut HeaderMap) {
    headers.append(VARY, VARY_ORIGIN);
    if tell_origin(verdict, headers) {
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
    }
}

/// Adds what a preflight's answer says: which methods and headers the path takes.
pub(crate) fn tell_preflight(verdict: &Verdict, methods: HeaderValue, headers: &mut HeaderMap) {
    headers.append(VARY, VARY_PREFLIGHT);
    if tell_origin(verdict, headers) {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS);
        headers.insert(
            ACCESS_CONTROL_MAX_AGE,
            HeaderValue::from(PREFLIGHT_AGE_SECONDS),
        );
    }
}

/// Names the origin that may read; whether there is one.
fn tell_origin(verdict: &Verdict, headers: &mut HeaderMap) -> bool {
    match verdict {
        Verdict::Allowed(origin) => {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(
                ACCESS_CONTROL_ALLOW_CREDENTIALS,
                HeaderValue::from_static("true"),
            );
            true
        }
        Verdict::AllowedToAll => {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            true
        }
        Verdict::Absent | Verdict::Refused(_) => false,
    }
}

#[cfg(test)]
mod tests;
