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

    /// Whether the host that the request names is this machine.
    pub(crate) fn names_this_machine(&self) -> bool {
        let authority = self.parts.uri.authority().map(http::uri::Authority::as_str);
        let host = authority.or_else(|| self.header(&http::header::HOST));
        let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
        let name = host.map(|host| match host.rsplit_once(':') {
            Some((name, port)) if is_port(port) => name,
            _ => host,
        });
        matches!(name, Some("localhost" | "127.0.0.1" | "[::1]"))
    }

    /// The first value of a header, if it is there and text.
    pub(crate) fn header(&self, name: &http::HeaderName) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }
}
