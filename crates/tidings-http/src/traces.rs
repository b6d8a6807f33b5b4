//! Traces: a span for each publish and each stream that is opened, for whoever wants them.
//!
//! What a span becomes is the business of a [`Tracer`], which the program has or has not. Without one
//! nothing here costs anything. A span never holds a credential, a query or a payload.

use std::fmt;

use http::HeaderMap;
use tidings_core::event::Content;

use crate::request_id::RequestId;
use crate::router::{Endpoint, Served};

/// What the caller's own trace is named by (W3C Trace Context, section 3.2).
const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";

/// A request that gets a span.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'a> {
    /// `publish` or `connect`.
    pub name: &'static str,
    /// The method.
    pub method: &'a str,
    /// The path of the route, with names for what clients fill in.
    pub route: &'a str,
    /// By which profile it is answered.
    pub profile: &'a str,
    /// The trace of the caller, as it was sent.
    pub traceparent: Option<&'a str>,
    /// More of that.
    pub tracestate: Option<&'a str>,
    /// The name of the request, which log lines repeat.
    pub request_id: RequestId,
}

/// What a request came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The status of the answer.
    pub status: u16,
    /// How many events were published, if any were.
    pub events: Option<u64>,
    /// The first addressee of the first of them.
    pub addressee: Option<String>,
}

/// Makes spans of requests.
pub trait Tracer: fmt::Debug + Send + Sync {
    /// Begins a span, unless this request is not to have one.
    fn begin(&self, incoming: &Incoming<'_>) -> Option<Box<dyn Span>>;
}

/// A span that has begun. Dropped without an outcome, the client went away.
pub trait Span: Send {
    /// Ends it.
    fn end(self: Box<Self>, outcome: Outcome);
}

/// In an answer: what was published with it.
#[derive(Debug, Clone)]
pub(crate) struct PublishedFacts {
    events: u64,
    addressee: Option<String>,
}

impl PublishedFacts {
    /// The facts of a group.
    pub(crate) fn of(group: &[Content]) -> Self {
        let first = group
            .first()
            .and_then(|first| first.audience.keys().first());
        Self {
            events: group.len() as u64,
            addressee: first.map(ToString::to_string),
        }
    }
}

impl Outcome {
    /// What an answer came to.
    pub(crate) fn of<B>(response: &mut http::Response<B>) -> Self {
        let facts = response.extensions_mut().remove::<PublishedFacts>();
        let (events, addressee) =
            facts.map_or((None, None), |facts| (Some(facts.events), facts.addressee));
        Self {
            status: response.status().as_u16(),
            events,
            addressee,
        }
    }
}

/// The name of a route's spans, if it has any.
pub(crate) fn name_of(served: Served) -> Option<&'static str> {
    match served {
        Served::Own(Endpoint::Publish) => Some("publish"),
        Served::Own(Endpoint::Stream) => Some("connect"),
        Served::Own(_) | Served::Beside(_) => None,
    }
}

/// The caller's trace, as its headers tell it.
pub(crate) fn parent(headers: &HeaderMap) -> (Option<&str>, Option<&str>) {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    (text(TRACEPARENT), text(TRACESTATE))
}
