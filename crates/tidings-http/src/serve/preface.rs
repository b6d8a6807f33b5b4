//! Telling HTTP/2 with prior knowledge from HTTP/1 by the first bytes of a connection.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

/// The connection preface of HTTP/2 (RFC 9113, section 3.4).
pub(super) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

/// Reads until it is certain what the peer speaks; nothing that was read is lost. None if the peer
/// closes before it says anything.
pub(super) async fn recognise<T: AsyncRead + Unpin>(
    mut io: T,
) -> io::Result<Option<(Protocol, Prefixed<T>)>> {
    let mut read = [0; PREFACE.len()];
    let mut length = 0;
    let protocol = loop {
        let came = io.read(&mut read[length..]).await?;
        length += came;
        if length == 0 {
            return Ok(None);
        }
        if !PREFACE.starts_with(&read[..length]) || came == 0 {
            break Protocol::Http1;
        }
        if length == PREFACE.len() {
            break Protocol::Http2;
        }
    };
    let prefix = Bytes::copy_from_slice(&read[..length]);
    Ok(Some((protocol, Prefixed { prefix, io })))
}

/// A connection of which the first bytes were read already.
#[derive(Debug)]
pub(super) struct Prefixed<T> {
    prefix: Bytes,
    io: T,
}

impl<T> Prefixed<T> {
    /// A connection of which nothing was read.
    pub(super) fn nothing(io: T) -> Self {
        Self {
            prefix: Bytes::new(),
            io,
        }
    }

    /// The connection itself.
    pub(super) fn inner(&self) -> &T {
        &self.io
    }

    /// The connection, and whether the bytes that were read first have all been handed out.
    pub(super) fn into_parts(self) -> (T, bool) {
        (self.io, self.prefix.is_empty())
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Prefixed<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.prefix.is_empty() {
            return Pin::new(&mut self.io).poll_read(cx, buffer);
        }
        let length = self.prefix.len().min(buffer.remaining());
        buffer.put_slice(&self.prefix[..length]);
        self.prefix.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Prefixed<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// Hands out these pieces, one per read.
    struct Pieces(VecDeque<Vec<u8>>);

    impl AsyncRead for Pieces {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            if let Some(mut piece) = self.0.pop_front() {
                let rest = piece.split_off(piece.len().min(buffer.remaining()));
                buffer.put_slice(&piece);
                if !rest.is_empty() {
                    self.0.push_front(rest);
                }
            }
            Poll::Ready(Ok(()))
        }
    }

    async fn check(text: &[u8], piece_bytes: usize) -> Option<Protocol> {
        let pieces = Pieces(text.chunks(piece_bytes).map(<[u8]>::to_vec).collect());
        let (protocol, mut io) = recognise(pieces).await.expect("no error")?;
        let mut all = Vec::new();
        io.read_to_end(&mut all).await.expect("no error");
        assert_eq!(all, text, "bytes were lost");
        Some(protocol)
    }

    #[tokio::test]
    async fn the_first_bytes_tell_the_protocol_in_pieces_of_any_size() {
        let http2 = [PREFACE.as_slice(), b"\0\0\0\x04\0\0\0\0\0"].concat();
        for piece_bytes in 1..30 {
            assert_eq!(check(&http2, piece_bytes).await, Some(Protocol::Http2));
            for http1 in [
                "POST /v1/events HTTP/1.1\r\n",
                "PRI * HTTP/1.1\r\n\r\n",
                "P",
                "PRI * HT",
            ] {
                let found = check(http1.as_bytes(), piece_bytes).await;
                assert_eq!(found, Some(Protocol::Http1), "{http1}");
            }
        }
        assert_eq!(check(b"", 1).await, None);
    }
}
