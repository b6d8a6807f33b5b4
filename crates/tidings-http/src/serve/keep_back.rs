//! Keeping hyper's own refusals off the wire.
//!
//! A head that hyper cannot read is answered by hyper itself, with a status and no body, before any
//! code of the hub sees it. The hub owes a problem document instead. So the connection holds that
//! answer back, and whoever serves the connection decides what is sent when hyper is done with it.
//!
//! Nothing can be lost by this: what is held back is only ever delayed. It must be, byte for byte,
//! what hyper writes in this case, at the very end of what it has to write; if anything is written
//! after it all the same, it goes first.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// No refusal of hyper's is longer: a status line and three short headers.
const REFUSAL_BYTES_MAX: usize = 160;

/// A connection that holds back an empty refusal.
#[derive(Debug)]
pub(super) struct KeepBack<T> {
    io: T,
    kept: Vec<u8>,
}

impl<T> KeepBack<T> {
    pub(super) fn new(io: T) -> Self {
        Self {
            io,
            kept: Vec::new(),
        }
    }

    /// The connection, and what was held back of it: empty, or one refusal.
    pub(super) fn into_parts(self) -> (T, Vec<u8>) {
        (self.io, self.kept)
    }
}

impl<T: AsyncWrite + Unpin> KeepBack<T> {
    /// Writes what was held back.
    fn poll_release(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.kept.is_empty() {
            let written = ready!(Pin::new(&mut self.io).poll_write(cx, &self.kept))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.kept.drain(..written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for KeepBack<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for KeepBack<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_release(cx))?;
        let Some(before) = refusal_at_end(bytes) else {
            return Pin::new(&mut self.io).poll_write(cx, bytes);
        };
        if before > 0 {
            return Pin::new(&mut self.io).poll_write(cx, &bytes[..before]);
        }
        self.kept.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let end = pieces.iter().rposition(|piece| !piece.is_empty());
        let Some((last, before)) = end.and_then(|end| pieces[..=end].split_last()) else {
            return self.poll_write(cx, &[]);
        };
        if refusal_at_end(last).is_none() {
            ready!(self.poll_release(cx))?;
            return Pin::new(&mut self.io).poll_write_vectored(cx, pieces);
        }
        // The piece with the refusal is written by itself, after all others.
        match before.iter().find(|piece| !piece.is_empty()) {
            Some(first) => {
                ready!(self.poll_release(cx))?;
                Pin::new(&mut self.io).poll_write(cx, first)
            }
            None => self.poll_write(cx, last),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.kept.is_empty() {
            return Pin::new(&mut self.io).poll_shutdown(cx);
        }
        // An answer is still to come.
        Poll::Ready(Ok(()))
    }
}

/// Where in these bytes a refusal of hyper's begins that goes on to their end.
fn refusal_at_end(bytes: &[u8]) -> Option<usize> {
    let head = bytes.strip_suffix(b"\r\n\r\n")?;
    let tail = &head[head.len().saturating_sub(REFUSAL_BYTES_MAX)..];
    let begin = tail.windows(7).rposition(|seven| seven == b"HTTP/1.")?;
    let mut lines = str::from_utf8(&tail[begin..]).ok()?.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?;
    let (mut lengths, mut others) = (0, 0);
    for line in lines {
        match line {
            "content-length: 0" => lengths += 1,
            "connection: close" => {}
            _ if line.starts_with("date: ") => {}
            _ => others += 1,
        }
    }
    let is_refusal = matches!(status, "400" | "414" | "431") && (lengths, others) == (1, 0);
    is_refusal.then(|| head.len() - tail.len() + begin)
}

#[cfg(test)]
mod tests;
