//! What a connection's bytes pass on their way: TCP alone, or TLS above it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::stall::Stalling;

/// A connection of either kind.
#[derive(Debug)]
pub(super) enum Wire {
    /// In the clear: its socket may be handed to a shard.
    Plain(Stalling<TcpStream>),
    /// Large beside the other.
    Tls(Box<TlsStream<Measured<Stalling<TcpStream>>>>),
}

impl Wire {
    /// Whether a socket can be had of it that speaks for itself.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self, Self::Plain(_))
    }

    /// The socket, if nothing stands between it and what is written.
    pub(super) fn into_socket(self) -> Option<TcpStream> {
        match self {
            Self::Plain(socket) => Some(socket.into_inner()),
            Self::Tls(_) => None,
        }
    }

    /// Whether the handshake has agreed on HTTP/2.
    pub(super) fn has_agreed_on_http2(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Tls(tls) => tls.get_ref().1.alpn_protocol() == Some(b"h2"),
        }
    }
}

macro_rules! pass_on {
    ($wire:expr, $socket:ident => $call:expr) => {
        match $wire.get_mut() {
            Wire::Plain($socket) => {
                let $socket = Pin::new($socket);
                $call
            }
            Wire::Tls($socket) => {
                let $socket = Pin::new($socket);
                $call
            }
        }
    };
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        pass_on!(self, socket => socket.poll_read(cx, buffer))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        pass_on!(self, socket => socket.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        pass_on!(self, socket => socket.poll_write_vectored(cx, pieces))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(socket) => socket.is_write_vectored(),
            Self::Tls(socket) => socket.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        pass_on!(self, socket => socket.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        pass_on!(self, socket => socket.poll_shutdown(cx))
    }
}

/// A connection of which only so many bytes are read, until that is lifted.
#[derive(Debug)]
pub(super) struct Measured<T> {
    io: T,
    left: u64,
}

impl<T> Measured<T> {
    /// So many bytes may be read.
    pub(super) fn new(io: T, bytes_max: u64) -> Self {
        Self {
            io,
            left: bytes_max,
        }
    }

    /// Lets any number of bytes be read.
    pub(super) fn lift(&mut self) {
        self.left = u64::MAX;
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Measured<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.io).poll_read(cx, buffer);
        let came = (buffer.filled().len() - before) as u64;
        let Some(left) = self.left.checked_sub(came) else {
            let cause = "the peer sends more than the beginning of a connection takes";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, cause)));
        };
        if self.left != u64::MAX {
            self.left = left;
        }
        outcome
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Measured<T> {
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
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    #[tokio::test]
    async fn n11_a_beginning_that_is_too_long_is_not_read_on() {
        let (near, mut far) = duplex(64);
        let mut near = Measured::new(near, 10);
        let mut read = [0; 64];
        far.write_all(&[1; 10]).await.expect("sent");
        assert_eq!(near.read(&mut read).await.expect("reads"), 10);
        far.write_all(&[1]).await.expect("sent");
        let error = near.read(&mut read).await.expect_err("too many");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[tokio::test]
    async fn what_comes_later_may_be_of_any_length() {
        let (near, mut far) = duplex(64);
        let mut near = Measured::new(near, 10);
        near.lift();
        let mut read = [0; 64];
        for _ in 0..3 {
            far.write_all(&[1; 64]).await.expect("sent");
            assert_eq!(near.read(&mut read).await.expect("reads"), 64);
        }
    }
}
