//! The limits of a request's head: what both versions of HTTP count alike, and how each is refused.
//!
//! A head of HTTP/1 beyond its bytes or its number of headers never gets here: its parser stops, and
//! [`crate::serve`] answers with the same problems.

use http::header::HOST;
use http::request::Parts;
use http::uri::{Authority, PathAndQuery};
use http::{HeaderName, HeaderValue, Version};
use tidings_wire::problem::{Code, Problem};

use crate::limits::{HEAD_BYTES_MAX, HEADERS_MAX, URL_BYTES_MAX};

/// What each header counts besides its name and its value (RFC 9113, section 6.5.2).
const HEADER_OVERHEAD_BYTES: usize = 32;

/// Refuses a head that is too long, or that proxies may read in another way.
pub(crate) fn check(parts: &Parts) -> Result<(), Problem> {
    let url = parts.uri.path_and_query();
    let url_bytes = url.map_or(0, |url| url.as_str().len());
    if url_bytes > URL_BYTES_MAX {
        let detail =
            format!("the URL has {url_bytes} bytes where at most {URL_BYTES_MAX} are allowed");
        return Err(
            Problem::new(Code::UriTooLong, detail).with_number("limit", URL_BYTES_MAX as u64)
        );
    }
    // HTTP/2 has no limit of its own for their number.
    if parts.headers.len() > HEADERS_MAX {
        return Err(too_many("headers", HEADERS_MAX));
    }
    // The parser of HTTP/1 has counted the bytes as they came.
    if parts.version == Version::HTTP_2 && list_bytes(parts) > HEAD_BYTES_MAX {
        return Err(too_many("bytes", HEAD_BYTES_MAX));
    }
    // RFC 9112, section 3.2.
    let hosts = parts.headers.get_all(HOST).iter().count();
    let wanted = usize::from(parts.version == Version::HTTP_11);
    if hosts > 1 || hosts < wanted {
        let detail = format!("expected one `Host` header, found {hosts}");
        return Err(Problem::new(Code::InvalidHeader, detail)
            .with_hint("send one `Host` header with the name by which the hub was reached"));
    }
    Ok(())
}

/// A head with more bytes or more headers than it may have.
pub(crate) fn too_many(what: &str, limit: usize) -> Problem {
    let detail = format!("the head of the request has more than {limit} {what}");
    Problem::new(Code::HeadersTooLarge, detail).with_number("limit", limit as u64)
}

/// The size of a list of headers as HTTP/2 counts it, the request line's parts included (RFC 9113,
/// section 6.5.2).
fn list_bytes(parts: &Parts) -> usize {
    let uri = &parts.uri;
    let pseudo = [
        (":method", Some(parts.method.as_str())),
        (":scheme", uri.scheme_str()),
        (":authority", uri.authority().map(Authority::as_str)),
        (":path", uri.path_and_query().map(PathAndQuery::as_str)),
    ];
    let pseudo = pseudo
        .into_iter()
        .filter_map(|(name, value)| Some(name.len() + value?.len()));
    let header = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len();
    let headers = parts.headers.iter().map(header);
    pseudo
        .chain(headers)
        .map(|bytes| bytes + HEADER_OVERHEAD_BYTES)
        .sum()
}
