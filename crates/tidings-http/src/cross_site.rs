//! Requests that a page of another site had a browser send (CSRF).
//!
//! A browser adds cookies by itself, whoever's page it shows. So what is authenticated by one counts
//! only if the page may be known: from its origin, or because no browser sent the request at all.
//! Whoever has a bearer token had to be given it, and is not looked at here.

use http::header::{CONTENT_TYPE, ORIGIN};
use http::request::Parts;
use http::{HeaderName, Method};
use tidings_wire::problem::{Code, Problem};

use crate::cors::{self, Standing};
use crate::forwarded::Scheme;
use crate::origin::Origins;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses a request with an ambient credential if another site may have sent it.
pub(crate) fn check(
    origins: &Origins,
    request: &Parts,
    scheme: Option<Scheme>,
) -> Result<(), Problem> {
    let standing = cors::standing(origins, request, scheme);
    let is_known = match standing {
        Ok(Standing::Listed) => true,
        // The browser knows better than a comparison without the scheme, or behind a proxy.
        Ok(Standing::Own) => site(request).is_none_or(|site| site == b"same-origin"),
        Err(_) => false,
    };
    let is_safe = matches!(request.method, Method::GET | Method::HEAD | Method::OPTIONS);
    let is_allowed = if is_safe {
        // CORS withholds the answer from a page that may not read it. But a stream that is opened
        // for nobody takes one of its user's places until it ends, and any page could take them all,
        // with or without an origin: an image has none.
        is_known || site(request) != Some(b"cross-site")
    } else {
        is_known || is_from_no_browser(request)
    };
    if is_allowed {
        return Ok(());
    }
    let detail = match standing {
        Ok(_) => "the browser says that another site sent it",
        Err(cause) if request.headers.contains_key(ORIGIN) => cause.as_str(),
        Err(_) => "a cookie comes with it, and nothing says which page sent it",
    };
    Err(Problem::new(Code::CrossSite, detail))
}

/// Browsers send the origin of a page, or the site, with whatever is not safe; and a form cannot be
/// sent as JSON.
fn is_from_no_browser(request: &Parts) -> bool {
    let content_type = request.headers.get(CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|value| value.split(';').next());
    let is_json = essence.is_some_and(|text| text.trim().eq_ignore_ascii_case("application/json"));
    is_json
        && !request.headers.contains_key(ORIGIN)
        && !request.headers.contains_key(SEC_FETCH_SITE)
}

fn site(request: &Parts) -> Option<&[u8]> {
    Some(request.headers.get(SEC_FETCH_SITE)?.as_bytes())
}
