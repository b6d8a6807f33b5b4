//! Taking a stream's socket out of hyper, for its shard to write to.
//!
//! The handler of a stream answers with an ordinary response that carries the prepared stream as
//! an extension, so that everything around the handler treats it as any other. Only here, outside of
//! all of it, is the answer kept from hyper: hyper waits for an answer that never comes, and is left
//! as soon as it has written all it had to write.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, DATE, TRANSFER_ENCODING};
use http::{HeaderValue, Method, Request, Response, Version};
use hyper::body::{Body as _, Incoming};
use tidings_core::time::Timestamp;
use tidings_hub::Framing;

use super::head;
use crate::reply::Body;
use crate::sink::{Endless, Offer, TakeOver};

/// What a connection's service leaves for whoever drives the connection.
#[derive(Debug, Default)]
pub(super) struct Desk {
    wanted: Mutex<Option<Wanted>>,
    /// Whether hyper has begun to write something that it has not seen through.
    unflushed: AtomicBool,
    /// Whether the last request was refused, maybe before its body was read.
    refused_early: AtomicBool,
}

/// A stream that wants its connection, and the head that goes out first.
#[derive(Debug)]
pub(super) enum Wanted {
    /// For its shard.
    Socket(TakeOver, Bytes),
    /// For a body, which its shard cannot write.
    Body(Body, Framing, Bytes),
}

impl Desk {
    /// Notes whether all that hyper had to write has been written.
    pub(super) fn set_unflushed(&self, unflushed: bool) {
        self.unflushed.store(unflushed, Ordering::Relaxed);
    }

    /// Notes whether the last request was refused, maybe before its body was read.
    pub(super) fn set_refused_early(&self, refused_early: bool) {
        self.refused_early.store(refused_early, Ordering::Relaxed);
    }

    /// Whether the client may still be sending what nobody wants.
    pub(super) fn is_refused_early(&self) -> bool {
        self.refused_early.load(Ordering::Relaxed)
    }

    /// The stream that wants the socket, if there is one.
    pub(super) fn wanted(&self) -> Option<Wanted> {
        self.lock().take()
    }

    /// Whether the socket can be taken now.
    fn is_due(&self) -> bool {
        !self.unflushed.load(Ordering::Relaxed) && self.lock().is_some()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Wanted>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes an answer on to hyper, unless it wants the connection. `framing` is how the body of one
    /// would be written that has no socket to want.
    pub(super) async fn pass(
        &self,
        mut response: Response<Body>,
        framing: Option<Framing>,
        now: Timestamp,
    ) -> Result<Response<Body>, Infallible> {
        let extensions = response.extensions_mut();
        let (take_over, endless) = (
            extensions.remove::<TakeOver>(),
            extensions.remove::<Endless>(),
        );
        let wanted = if let Some(take_over) = take_over {
            let head = head(&response, take_over.framing(), now);
            Wanted::Socket(take_over, head)
        } else if let (Some(framing), Some(Endless)) = (framing, endless) {
            let head = head(&response, framing, now);
            Wanted::Body(response.into_body(), framing, head)
        } else {
            return Ok(response);
        };
        *self.lock() = Some(wanted);
        std::future::pending().await
    }
}

/// What a handler is offered for a request: its socket, if all that is left to do with it is to
/// write. A body would still have to be read; the answer to `HEAD` is complete.
pub(super) fn offer(request: &Request<Incoming>) -> Option<Offer> {
    let is_bare = request.method() == Method::GET && request.body().is_end_stream();
    match request.version() {
        Version::HTTP_11 if is_bare => Some(Offer(Framing::Chunked)),
        Version::HTTP_10 if is_bare => Some(Offer(Framing::UntilClose)),
        _ => None,
    }
}

fn head(response: &Response<Body>, framing: Framing, now: Timestamp) -> Bytes {
    let mut headers = response.headers().clone();
    let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(now.0));
    if let Ok(date) = HeaderValue::try_from(date) {
        headers.insert(DATE, date);
    }
    headers.remove(CONTENT_LENGTH);
    let version = match framing {
        Framing::Chunked => {
            headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
            "HTTP/1.1"
        }
        Framing::UntilClose => "HTTP/1.0",
    };
    let mut out = Vec::with_capacity(512);
    head::append(version, response.status(), &headers, &mut out);
    out.extend_from_slice(b"\r\n");
    out.into()
}

/// A connection of hyper's that ends, in order, also when its socket can be taken.
#[derive(Debug)]
pub(super) struct UntilTaken<C> {
    pub(super) connection: C,
    pub(super) desk: Arc<Desk>,
}

impl<C> Future for UntilTaken<C>
where
    C: Future<Output = hyper::Result<()>> + Unpin,
{
    type Output = hyper::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let ended = Pin::new(&mut self.connection).poll(cx);
        if ended.is_pending() && self.desk.is_due() {
            return Poll::Ready(Ok(()));
        }
        ended
    }
}
