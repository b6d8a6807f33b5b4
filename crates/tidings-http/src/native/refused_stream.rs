//! A refusal that an `EventSource` can see: it shows no status and no body but that of a stream.

use http::header::ACCEPT;
use http::{Response, Version};
use tidings_core::event_type::EventType;
use tidings_wire::sse;

use super::stream;
use crate::call::Call;
use crate::limits::REFUSED_STREAM_RETRY_MS;
use crate::profile::Refusals;
use crate::reply::{self, Body, Refusal};
use crate::request_id::RequestId;

/// Tells a refusal in the way that the profile and the client have chosen.
pub(crate) struct Teller {
    event_type: Option<EventType>,
    request_id: RequestId,
    version: Version,
}

/// What tells the refusal of a call, if it is refused: an event for whoever asks for a stream by name,
/// where the profile says so. Programs that take anything get the status.
pub(crate) fn teller(call: &Call) -> Teller {
    let accept = call.header(&ACCEPT).unwrap_or_default();
    let event_type = match &call.profile.profile.refusals {
        Refusals::Event(event_type) if accept.contains("text/event-stream") => {
            Some(event_type.clone())
        }
        Refusals::Event(_) | Refusals::Status => None,
    };
    Teller {
        event_type,
        request_id: call.request_id,
        version: call.parts.version,
    }
}

impl Teller {
    /// A stream of one event with the problem document, which asks the client to come back late.
    pub(crate) fn tell(self, refusal: Refusal) -> Result<Response<Body>, Refusal> {
        let Some(event_type) = self.event_type else {
            return Err(refusal);
        };
        let problem = refusal.problem.with_request_id(self.request_id.to_string());
        let retry_ms = problem.retry_after_ms().unwrap_or(REFUSED_STREAM_RETRY_MS);
        let mut block = Vec::new();
        sse::push_refusal(&event_type, &problem, retry_ms, &mut block);
        let mut response = stream::head(reply::whole_body(block), self.version);
        for item in refusal.told {
            item.tell(response.headers_mut());
        }
        Ok(response)
    }
}
