//! `GET /v1/stream`: events as they come, as server-sent events.

use std::sync::Arc;

use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, USER_AGENT, VARY,
};
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, Version};
use tidings_core::coding::Coding;
use tidings_core::pattern::Pattern;
use tidings_core::shard::Heartbeat;
use tidings_hub::{Introduce, Introduction, Mode, OpenRequest};
use tidings_wire::coding::{content_encoding, negotiate};
use tidings_wire::problem::{Code, Problem};
use tidings_wire::sse::{SSE_ENVELOPE, SSE_PAYLOAD};

use super::asked::{self, Kind};
use crate::app::App;
use crate::authenticate::authenticate_reader;
use crate::call::Call;
use crate::profile::{Frame, TopicTemplate};
use crate::reply::{self, Body, Refusal};
use crate::sink::{Endless, Mailbox, Offer, TakeOver};
use crate::{refusals, segment};

const EVENT_STREAM: &str = "text/event-stream; charset=utf-8";

/// No cache may keep a stream, and no proxy may recode it, which would hold events back.
const STREAM_CACHE_CONTROL: HeaderValue =
    HeaderValue::from_static("no-cache, no-store, no-transform");

/// nginx buffers a response unless it is told not to.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Answers with a stream. The head is sent once the connection is registered, so whatever is
/// published after a client has seen it is delivered. `HEAD` is answered without a connection.
///
/// `segment` is the raw text of the path's segment that the client fills in, if the profile has one.
pub(crate) async fn answer(
    app: &App,
    mut call: Call,
    segment: &str,
) -> Result<Response<Body>, Refusal> {
    let identity = authenticate_reader(app, &mut call).await?;
    let mut asked = asked::read(app, &call, Kind::Stream)?;
    let spoken = Arc::clone(&call.profile);
    let profile = &spoken.profile;
    if let Some(topics) = &profile.topics {
        let patterns = &mut asked.subscription.patterns;
        patterns.extend(of_path(topics, segment)?);
        patterns.extend(identity.home.iter().cloned());
    }
    let version = call.parts.version;
    let coding = coding(app, &call);
    if call.parts.method == Method::HEAD {
        let body = reply::empty(StatusCode::OK).into_body();
        return Ok(coded_head(body, version, coding));
    }
    let own = Heartbeat {
        every_ms: app.settings().heartbeat_ms,
        is_steady: false,
    };
    let request = OpenRequest {
        identity,
        subscription: asked.subscription,
        start: asked.start,
        fallback: asked.fallback,
        shape: match profile.frame {
            Frame::Envelope => SSE_ENVELOPE,
            Frame::Payload => SSE_PAYLOAD,
        },
        mode: Mode::Stream {
            heartbeat: profile.heartbeat.unwrap_or(own),
            voice: spoken.voice,
        },
        coding,
        address: call.counted_address(),
        provenance: call.provenance(asked.metadata),
        introduce: Some(introduce(&call)),
    };
    if let Some(Offer(framing)) = call.parts.extensions.get::<Offer>().copied() {
        let opening = app.hub().open_socket(request, framing);
        let unattached = opening.await.map_err(|error| refusals::open(app, error))?;
        let mut response = coded_head(reply::empty(StatusCode::OK).into_body(), version, coding);
        let take_over = TakeOver::new(unattached, framing, |_| {});
        response.extensions_mut().insert(take_over);
        return Ok(response);
    }
    let reader = app.hub().open(request).await;
    let reader = reader.map_err(|error| refusals::open(app, error))?;
    let mailbox = Mailbox::new(reader, call.request_id);
    let mut response = coded_head(Body::new(mailbox), version, coding);
    response.extensions_mut().insert(Endless);
    Ok(response)
}

/// Who is let in, for the log.
fn introduce(call: &Call) -> Introduce {
    let profile = Arc::clone(&call.profile);
    let (request_id, client) = (call.request_id, call.source.client);
    Introduce::new(move || Introduction {
        profile: profile.profile.name.clone(),
        request: request_id.to_string(),
        client,
    })
}

/// The topics that a path asks for.
fn of_path(topics: &TopicTemplate, raw: &str) -> Result<Option<Pattern>, Problem> {
    let refused = |detail: String| {
        Problem::new(
            Code::InvalidTopic,
            format!("the path names no topic: {detail}"),
        )
    };
    let segment = segment::decode(raw).map_err(|error| refused(error.to_string()))?;
    topics
        .asked(&segment)
        .map_err(|error| refused(error.to_string()))
}

/// How the client wants its stream packed, if this hub packs any.
fn coding(app: &App, call: &Call) -> Coding {
    if !app.settings().compress {
        return Coding::Identity;
    }
    // Several headers of a name are one list.
    let mut accepted = String::new();
    for value in call.parts.headers.get_all(ACCEPT_ENCODING) {
        accepted.push_str(value.to_str().unwrap_or_default());
        accepted.push(',');
    }
    let accepted = (!accepted.is_empty()).then_some(accepted.as_str());
    negotiate(accepted, call.header(&USER_AGENT))
}

/// The head of a stream in a coding that was negotiated.
fn coded_head(body: Body, version: Version, coding: Coding) -> Response<Body> {
    let mut response = head(body, version);
    let headers = response.headers_mut();
    if let Some(name) = content_encoding(coding) {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(name));
    }
    headers.append(VARY, HeaderValue::from_static("accept-encoding"));
    response
}

/// The head of a stream.
pub(super) fn head(body: Body, version: Version) -> Response<Body> {
    let mut response = reply::with_body(StatusCode::OK, EVENT_STREAM, body);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, STREAM_CACHE_CONTROL);
    headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    // HTTP/2 forbids the header, and HTTP/1.0 would take it for a promise.
    if version == Version::HTTP_11 {
        headers.insert(CONNECTION, HeaderValue::from_static("keep-alive"));
    }
    response
}
