//! A connection whose peer leaves written bytes untaken ends after a time.
//!
//! Neither keep-alive nor TCP's own time-out ends a peer that acknowledges with a closed window, so
//! the deadline is here, below every protocol. A reader that comes back reads on from its cursor.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::limits::WRITE_STALL_MS_MAX;

/// A connection with a deadline for each write. It holds a timer only while a write waits.
#[derive(Debug)]
pub(super) struct Stalling<T> {
    io: T,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<T> Stalling<T> {
    pub(super) fn new(io: T) -> Self {
        Self { io, stalled: None }
    }

    pub(super) fn into_inner(self) -> T {
        self.io
    }

    /// Passes a write's outcome on, unless it has waited too long.
    fn watch<R>(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if outcome.is_ready() {
            self.stalled = None;
            return outcome;
        }
        let deadline = self
            .stalled
            .get_or_insert_with(|| Box::pin(sleep(Duration::from_millis(WRITE_STALL_MS_MAX))));
        deadline.as_mut().poll(cx).map(|()| {
            let cause = "the peer does not take what is written to it";
            Err(io::Error::new(io::ErrorKind::TimedOut, cause))
        })
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Stalling<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Stalling<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.watch(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write_vectored(cx, pieces);
        self.watch(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.io).poll_flush(cx);
        if outcome.is_pending() {
            return self.watch(cx, outcome);
        }
        outcome
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn n4_a_peer_that_takes_nothing_is_given_up() {
        let (near, _far) = duplex(16);
        let mut io = Stalling::new(near);
        let begun = tokio::time::Instant::now();
        let error = io.write_all(&[0; 64]).await.expect_err("stalls");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(
            begun.elapsed().as_millis() as u64 / 100,
            WRITE_STALL_MS_MAX / 100
        );
    }

    #[tokio::test(start_paused = true)]
    async fn n4_a_slow_peer_that_takes_something_is_not() {
        let (near, mut far) = duplex(16);
        let mut io = Stalling::new(near);
        let reads = tokio::spawn(async move {
            let mut total = 0;
            let mut some = [0; 8];
            while total < 64 {
                sleep(Duration::from_millis(WRITE_STALL_MS_MAX - 1_000)).await;
                total += far.read(&mut some).await.expect("reads");
            }
        });
        io.write_all(&[0; 64]).await.expect("written in the end");
        reads.await.expect("reads");
    }
}
