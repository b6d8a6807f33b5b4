//! Answers of one HTTP/2 connection that its peer has asked for and does not take.
//!
//! A peer may open as many requests as there may be streams and give none of the answers any room.
//! Pages are large, so all of them together have a limit; and since the library behind HTTP/2 keeps
//! what it was handed for as long as it must, it gets them piece by piece.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::{Buf as _, Bytes};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::{BodyExt as _, Full};
use tidings_wire::problem::{self, Code, Problem};

use crate::limits::{H2_PIECE_BYTES_MAX, H2_UNTAKEN_BYTES_MAX, H2_UNTAKEN_RETRY_MS};
use crate::reply::{self, Body};

/// Bytes of the answers that wait for one peer. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Untaken(Arc<AtomicUsize>);

impl Untaken {
    /// Lets an answer go to the peer piece by piece, or says instead that too many wait for it
    /// already. Small ones and streams pass as they are: what they hold has other limits.
    pub(super) async fn admit(&self, response: Response<Body>) -> Response<Body> {
        let length = response.body().size_hint().exact().unwrap_or(0) as usize;
        if length <= H2_PIECE_BYTES_MAX {
            return response;
        }
        let Some(share) = self.grow(length) else {
            return refused(response);
        };
        let (parts, body) = response.into_parts();
        let whole = match body.collect().await {
            Ok(body) => body.to_bytes(),
            Err(never) => match never {},
        };
        let pieces = Pieces {
            rest: whole,
            _share: share,
        };
        Response::from_parts(parts, Body::new(pieces))
    }

    fn grow(&self, bytes: usize) -> Option<Share> {
        let grown = |waiting: usize| {
            let waiting = waiting + bytes;
            (waiting <= H2_UNTAKEN_BYTES_MAX).then_some(waiting)
        };
        let (own, relaxed) = (&self.0, Ordering::Relaxed);
        let is_grown = own.fetch_update(relaxed, relaxed, grown).is_ok();
        is_grown.then(|| Share {
            of: self.clone(),
            bytes,
        })
    }
}

/// Bytes of one answer, no longer counted when it is dropped.
#[derive(Debug)]
struct Share {
    of: Untaken,
    bytes: usize,
}

impl Drop for Share {
    fn drop(&mut self) {
        self.of.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// What is left of an answer.
#[derive(Debug)]
struct Pieces {
    rest: Bytes,
    _share: Share,
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.rest.len().min(H2_PIECE_BYTES_MAX);
        // A slice would keep all of the answer for as long as the piece is not taken.
        let piece = Bytes::copy_from_slice(&self.rest[..length]);
        self.rest.advance(length);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

/// What is told in place of an answer. What the answer says of its origin and of limits stays.
fn refused(response: Response<Body>) -> Response<Body> {
    let problem = Problem::new(Code::AtCapacity, "too many answers wait on this connection")
        .with_hint("take the answers, or ask for fewer at a time")
        .with_retry_after_ms(H2_UNTAKEN_RETRY_MS);
    let (mut parts, _) = response.into_parts();
    parts.status = reply::status(&problem);
    let content_type = HeaderValue::from_static(problem::CONTENT_TYPE);
    parts.headers.insert(CONTENT_TYPE, content_type);
    reply::retry_after(H2_UNTAKEN_RETRY_MS, &mut parts.headers);
    let body = Full::new(problem.to_bytes().into());
    Response::from_parts(parts, Body::new(body))
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    fn answer(bytes: usize) -> Response<Body> {
        let body = (0..bytes).map(|at| at as u8).collect::<Vec<_>>();
        reply::whole(StatusCode::OK, "text/plain", body)
    }

    #[tokio::test]
    async fn n9_answers_that_wait_for_one_peer_have_a_limit_together() {
        let untaken = Untaken::default();
        let quarter = H2_UNTAKEN_BYTES_MAX / 4;
        let mut waiting = Vec::new();
        for _ in 0..4 {
            let admitted = untaken.admit(answer(quarter)).await;
            assert_eq!(admitted.status(), 200);
            waiting.push(admitted);
        }
        let refused = untaken.admit(answer(H2_PIECE_BYTES_MAX + 1)).await;
        assert_eq!(refused.status(), 503);
        assert!(refused.headers().contains_key("retry-after"));
        let body = refused.into_body().collect().await.expect("a body");
        let problem = String::from_utf8(body.to_bytes().into()).expect("text");
        assert!(problem.contains("at_capacity"), "{problem}");
        // A small one is let through, and so is a large one when another has gone.
        assert_eq!(untaken.admit(answer(100)).await.status(), 200);
        waiting.pop();
        assert_eq!(untaken.admit(answer(quarter)).await.status(), 200);
    }

    #[tokio::test]
    async fn an_answer_comes_whole_in_pieces_that_hold_nothing_else() {
        let untaken = Untaken::default();
        let length = 3 * H2_PIECE_BYTES_MAX + 7;
        let whole = answer(length).into_body().collect().await;
        let whole = whole.expect("a body").to_bytes();
        let mut body = untaken.admit(answer(length)).await.into_body();
        assert_eq!(body.size_hint().exact(), Some(length as u64));
        let mut came = Vec::new();
        while let Some(frame) = body.frame().await {
            let piece = frame.expect("no error").into_data().expect("data");
            assert!(piece.len() <= H2_PIECE_BYTES_MAX);
            assert!(piece.is_unique(), "it holds more than itself");
            came.extend_from_slice(&piece);
        }
        assert_eq!(came, whole);
        drop(body);
        assert_eq!(untaken.0.load(Ordering::Relaxed), 0);
    }
}
