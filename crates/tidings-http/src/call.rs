//! One request on its way through the hub.

use http::request::Parts;

use crate::body::RequestBody;
use crate::peer::Peer;
use crate::request_id::RequestId;

/// A request with what is known about where it comes from and what it is called.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) parts: Parts,
    pub(crate) body: RequestBody,
    pub(crate) peer: Peer,
    pub(crate) request_id: RequestId,
}

impl Call {
    /// The raw query; empty if there is none.
    pub(crate) fn query(&self) -> &str {
        self.parts.uri.query().unwrap_or_default()
    }

    /// The only value of a header, if it is there and text.
    pub(crate) fn header(&self, name: &http::HeaderName) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }
}
