//! `POST /v1/events`: one event, an atomic group, events line by line, or `CloudEvents`.

mod addressing;
mod lines;

use std::net::IpAddr;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{Response, StatusCode};
use tidings_core::event::Content;
use tidings_core::identity::Identity;
use tidings_wire::page;
use tidings_wire::problem::{Code, Problem};
use tidings_wire::publish::{self, Body as Events, Format, Publication, PublishError};

use crate::app::App;
use crate::authenticate::{authenticate, ended};
use crate::body::read_whole;
use crate::call::Call;
use crate::limits::BODY_BYTES_MAX;
use crate::reply::{self, Body, Refusal};
use crate::traces::PublishedFacts;
use crate::{rates, refusals};

/// Takes events in whatever form the body has. Every event is committed before it is answered.
pub(crate) async fn answer(app: &App, mut call: Call) -> Result<Response<Body>, Refusal> {
    let identity = authenticate(app, &mut call).await?;
    refuse_coding(&call)?;
    let format = format(&call)?;
    let addressing = addressing::read(app, &call, format)?;
    if format == Format::Ndjson {
        return lines::answer(app, call, identity).await;
    }
    let mut share = app.bodies().share();
    let body = read_whole(
        &call.parts.headers,
        &mut call.body,
        BODY_BYTES_MAX,
        &mut share,
    )
    .await
    .map_err(|fault| refusals::body(&fault))?;
    let decoded = match format {
        Format::Json | Format::Ndjson => publish::decode(&body),
        Format::CloudEvent => publish::decode_structured(&body, &addressing).map(one),
        Format::CloudEventBatch => publish::decode_batch(&body, &addressing)
            .map(|group| Events::Group(group.into_iter().map(Publication::from).collect())),
        Format::CloudEventBinary => {
            let content_type = call.header(&CONTENT_TYPE);
            let headers = call.parts.headers.iter();
            let headers = headers.map(|(name, value)| (name.as_str(), value.as_bytes()));
            publish::decode_binary(headers, content_type, &body, &addressing).map(one)
        }
    };
    // The text of a large body is not kept while the log works.
    let bytes = body.len();
    drop(body);
    let events = decoded.map_err(|error: PublishError| Problem::from(&error))?;
    let count = match &events {
        Events::One(_) => 1,
        Events::Group(group) => group.len(),
    };
    let told = rates::count_events(app, &identity, call.source.client, count, bytes).await?;
    rates::telling(commit(app, &identity, events).await, told)
}

/// A `CloudEvent`, which has no words for how it is published.
fn one(content: Content) -> Events {
    Events::One(content.into())
}

/// Publishes one event of so many bytes, counted like any other.
pub(super) async fn publish_one(
    app: &App,
    client: IpAddr,
    identity: &Identity,
    event: Content,
    bytes: usize,
) -> Result<Response<Body>, Refusal> {
    let told = rates::count_events(app, identity, client, 1, bytes).await?;
    rates::telling(commit(app, identity, one(event)).await, told)
}

/// Hands events to the hub, once they have the readers that they wait for, and writes its answer in the
/// form of the question.
async fn commit(app: &App, identity: &Identity, events: Events) -> Result<Response<Body>, Refusal> {
    let (group, is_one) = match events {
        Events::One(event) => (vec![event], true),
        Events::Group(group) => (group, false),
    };
    let (group, waits): (Vec<Content>, Vec<_>) = group
        .into_iter()
        .map(|event| (event.content, event.wait))
        .unzip();
    // Only where somebody wants to know.
    let tracer = app.settings().tracer.as_ref();
    let facts = tracer.map(|_| PublishedFacts::of(&group));
    let admitted = app.hub().admit(identity, group);
    let admitted = admitted.map_err(refusals::publish)?;
    if waits.iter().any(Option::is_some) {
        let waited = admitted.until_read(&waits).await;
        waited.map_err(refusals::publish)?;
        if let Some(failure) = ended(app, identity) {
            return Err(Problem::from(&failure).into());
        }
    }
    let published = admitted.commit().await.map_err(refusals::publish)?;
    let published: Vec<page::Published> = published.into_iter().map(shown).collect();
    let mut body = Vec::with_capacity(published.len() * 96);
    match published.as_slice() {
        [one] if is_one => page::push_published(one, &mut body),
        group => page::push_published_group(group, &mut body),
    }
    let mut response = reply::whole(StatusCode::OK, page::CONTENT_TYPE, body);
    if let Some(facts) = facts {
        response.extensions_mut().insert(facts);
    }
    Ok(response)
}

/// The hub's answer in the words of the wire.
fn shown(published: tidings_hub::Published) -> page::Published {
    page::Published {
        id: published.id,
        cursor: published.position,
        subscribers: published.subscribers,
        duplicate: published.duplicate,
    }
}

/// The form of a request's body.
fn format(call: &Call) -> Result<Format, Problem> {
    let headers = &call.parts.headers;
    let has_attributes = publish::has_attributes(headers.keys().map(http::HeaderName::as_str));
    Format::of(call.header(&CONTENT_TYPE), has_attributes).map_err(|error| Problem::from(&error))
}

/// Compressed bodies are refused: nothing here inflates what somebody else deflated.
fn refuse_coding(call: &Call) -> Result<(), Problem> {
    match call.header(&CONTENT_ENCODING) {
        None => Ok(()),
        Some(coding) if coding.eq_ignore_ascii_case("identity") => Ok(()),
        Some(_) => Err(
            Problem::new(Code::UnsupportedMediaType, "the body is compressed")
                .with_hint("send the body without `Content-Encoding`"),
        ),
    }
}
