//! `GET /v1/events`: the same reading as a stream, as one page of JSON, at once or after a wait.

use http::{Response, StatusCode};
use tidings_core::coding::Coding;
use tidings_core::limits::PAGE_EVENTS_DEFAULT;
use tidings_hub::{Mode, OpenRequest};
use tidings_wire::page::{self, PageFrame};
use tidings_wire::problem::{Code, Problem};
use tidings_wire::sse::JSON;

use super::asked::{self, Kind};
use crate::app::App;
use crate::authenticate::authenticate_reader;
use crate::call::Call;
use crate::limits::UNREADABLE_RETRY_MS;
use crate::refusals;
use crate::reply::{self, Body, Refusal};

/// Answers with a page. Its cursor is the considered one, so a page may be empty and still say that
/// there is more.
pub(crate) async fn answer(app: &App, mut call: Call) -> Result<Response<Body>, Refusal> {
    let identity = authenticate_reader(app, &mut call).await?;
    let asked = asked::read(app, &call, Kind::Page)?;
    let request = OpenRequest {
        identity,
        subscription: asked.subscription,
        start: asked.start,
        fallback: asked.fallback,
        shape: JSON,
        mode: Mode::Page {
            events_max: asked.limit.unwrap_or(PAGE_EVENTS_DEFAULT) as u32,
            wait_ms: asked.wait.map_or(0, |wait| wait.as_millis() as u32),
        },
        coding: Coding::Identity,
        address: call.counted_address(),
        provenance: call.provenance(asked.metadata),
        introduce: None,
    };
    let opened = app.hub().open(request).await;
    let mut reader = opened.map_err(|error| refusals::open(app, error))?;
    let delivery = reader.next().await.ok_or_else(|| {
        tracing::warn!(request = %call.request_id, "reader ended without its page");
        Problem::new(Code::LogUnreadable, "the page could not be read")
            .with_retry_after_ms(UNREADABLE_RETRY_MS)
    })?;
    let frame = PageFrame {
        cursor: delivery.cursor,
        more: delivery.more,
        gap: delivery.gap,
    };
    let mut body = Vec::with_capacity(delivery.bytes.len() + 256);
    page::push_page(&delivery.bytes, &frame, &mut body);
    Ok(reply::whole(StatusCode::OK, page::CONTENT_TYPE, body))
}
