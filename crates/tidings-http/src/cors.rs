//! Cross-origin answers (the Fetch standard's CORS protocol), the same on every route.
//!
//! A browser decides who may read an answer; this only tells it. An origin gets its own name back if
//! it is listed or the hub's own, together with the leave to use credentials. With `*` there are
//! never credentials. Any other origin gets no word at all, and the log says why.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ORIGIN,
    VARY,
};
use http::{HeaderMap, HeaderValue, request};

use crate::forwarded::Scheme;
use crate::host;
use crate::limits::PREFLIGHT_AGE_SECONDS;
use crate::origin::{Origin, OriginError, Origins};

/// Request headers that a page may send; the safelisted ones need no leave.
const ALLOWED_HEADERS: HeaderValue =
    HeaderValue::from_static("authorization, last-event-id, cache-control, content-type");

/// Response headers that a page may read besides the safelisted ones.
const EXPOSED_HEADERS: HeaderValue = HeaderValue::from_static(
    "ratelimit, ratelimit-policy, retry-after, www-authenticate, x-request-id",
);

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

/// Judges the origin of a request, to a route that looks at cookies or does not.
pub(crate) fn judge(
    origins: &Origins,
    takes_cookies: bool,
    request: &request::Parts,
    scheme: Option<Scheme>,
) -> Verdict {
    let Some(first) = request.headers.get(ORIGIN) else {
        return Verdict::Absent;
    };
    // Where no cookie counts, a page can do no more than whoever has written it.
    if *origins == Origins::Any || !takes_cookies && origins.lists_none() {
        return Verdict::AllowedToAll;
    }
    match standing(origins, request, scheme) {
        Ok(_) => Verdict::Allowed(first.clone()),
        Err(cause) => Verdict::Refused(cause),
    }
}

/// Why the page of a request may have its user's credentials used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Its origin is listed.
    Listed,
    /// It is the hub's own.
    Own,
}

/// Looks the origin of a request up, whose absence is malformed. Where everyone may read, nobody is
/// listed.
pub(crate) fn standing(
    origins: &Origins,
    request: &request::Parts,
    scheme: Option<Scheme>,
) -> Result<Standing, Cause> {
    let mut sent = request.headers.get_all(ORIGIN).iter();
    let origin = match sent.next().map(|first| first.to_str().map(Origin::parse)) {
        Some(Ok(Ok(origin))) if sent.next().is_none() => origin,
        Some(Ok(Err(OriginError::Null))) => return Err(Cause::Null),
        _ => return Err(Cause::Malformed),
    };
    if origins.lists(&origin) {
        Ok(Standing::Listed)
    } else if host::serves(request, scheme, &origin) {
        Ok(Standing::Own)
    } else {
        Err(Cause::NotListed)
    }
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
