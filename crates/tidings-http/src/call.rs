//! One request on its way through the hub.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use http::Version;
use http::request::Parts;
use tidings_core::provenance::{Metadata, Protocol, Provenance};

use crate::body::RequestBody;
use crate::forwarded::{self, Source};
use crate::host;
use crate::peer::Peer;
use crate::profile::Spoken;
use crate::request_id::RequestId;

/// A request with what is known about where it comes from and what it is called.
pub(crate) struct Call {
    pub(crate) parts: Parts,
    pub(crate) body: RequestBody,
    pub(crate) peer: Peer,
    pub(crate) source: Source,
    pub(crate) request_id: RequestId,
    /// By which profile it is answered.
    pub(crate) profile: Arc<Spoken>,
}

impl Call {
    /// The raw query; empty if there is none.
    pub(crate) fn query(&self) -> &str {
        self.parts.uri.query().unwrap_or_default()
    }

    /// Whether a program of this machine asks, and asks this machine: nothing stands between them,
    /// and the host that it names is this machine. A page of a foreign name that was made to lead
    /// here names that one.
    pub(crate) fn is_of_this_machine(&self) -> bool {
        self.peer.is_loopback()
            && !forwarded::is_forwarded(&self.parts.headers)
            && host::is_this_machine(&self.parts)
    }

    /// What limits per address count the request for.
    pub(crate) fn counted_address(&self) -> IpAddr {
        forwarded::counted(self.source.client)
    }

    /// Where a connection that it asks for comes from, for operators.
    pub(crate) fn provenance(&self, metadata: Metadata) -> Provenance {
        Provenance {
            profile: self.profile.index,
            protocol: match self.parts.version {
                Version::HTTP_09 | Version::HTTP_10 => Protocol::Http10,
                Version::HTTP_2 => Protocol::Http2,
                _ => Protocol::Http11,
            },
            metadata,
        }
    }

    /// The first value of a header, if it is there and text.
    pub(crate) fn header(&self, name: &http::HeaderName) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }
}

/// The query, the headers and the body may hold credentials and payloads, and are not shown.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.parts.method)
            .field("path", &self.parts.uri.path())
            .field("source", &self.source)
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use http_body_util::{BodyExt as _, Full};

    use super::*;

    #[test]
    fn a12_a_call_shows_nothing_that_was_sent_in_confidence() {
        let request = http::Request::post("http://hub.test/v1/events?ticket=canary-1")
            .header("authorization", "Bearer canary-2")
            .header("cookie", "session=canary-3");
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        let body = Full::from("canary-4").map_err(|never: std::convert::Infallible| match never {});
        let client = Ipv4Addr::LOCALHOST.into();
        let call = Call {
            parts,
            body: RequestBody::new(body),
            peer: Peer::new((client, 80).into()),
            source: Source {
                client,
                scheme: None,
            },
            request_id: RequestId::random(),
            profile: Arc::new(Spoken::native()),
        };
        let shown = format!("{call:#?}");
        assert!(
            shown.contains("/v1/events") && !shown.contains("canary"),
            "{shown}"
        );
    }
}
