//! The mailbox sink: a response body that takes one delivery after the other from a reader.
//!
//! The reader hands over the next delivery only when this one is taken, so a client that does not
//! read holds one delivery and a cursor.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::Frame;
use tidings_hub::Reader;

use crate::request_id::RequestId;

/// In a response: its body is a mailbox and goes on for as long as the connection, so that whoever has the
/// connection may write it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Endless;

/// The body of a stream that no shard can write. Dropping it closes the connection.
#[derive(Debug)]
pub(crate) struct Mailbox {
    reader: Reader,
    request_id: RequestId,
    progress: Progress,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Open,
    /// The last delivery has been handed over; hyper has yet to see the end.
    SaidAll,
    Ended,
}

impl Mailbox {
    pub(crate) fn new(reader: Reader, request_id: RequestId) -> Self {
        Self {
            reader,
            request_id,
            progress: Progress::Open,
        }
    }
}

impl http_body::Body for Mailbox {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        while self.progress == Progress::Open {
            match self.reader.poll_next(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => self.progress = Progress::SaidAll,
                Poll::Ready(Some(delivery)) => {
                    if delivery.last {
                        self.progress = Progress::SaidAll;
                    }
                    if !delivery.bytes.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(delivery.bytes))));
                    }
                }
            }
        }
        self.progress = Progress::Ended;
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.progress == Progress::Ended
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        let cause = match self.progress {
            Progress::Open => "the client is gone",
            Progress::SaidAll | Progress::Ended => "the hub said goodbye",
        };
        tracing::debug!(
            connection = %self.reader.connection_id(), request = %self.request_id, cause,
            "stream ended"
        );
    }
}
