//! A stream over TLS, once hyper is left: what its mailbox gives is written to the connection, and
//! nothing else is kept for it.
//!
//! No shard can write to such a socket, since nothing but the TLS library has its keys. In hyper it would
//! cost buffers for requests that never come.

use std::io;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use tidings_hub::Framing;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::watch;

use super::Stage;
use super::connection::cut;
use crate::reply::Body;

/// A stream that is about to begin.
#[derive(Debug)]
pub(super) struct SecureStream<T> {
    pub(super) socket: T,
    pub(super) head: Bytes,
    pub(super) body: Body,
    pub(super) framing: Framing,
}

impl<T: AsyncRead + AsyncWrite + Unpin> SecureStream<T> {
    /// Writes the stream until one side ends it.
    ///
    /// # Cancel safety
    ///
    /// The connection ends with the future.
    pub(super) async fn run(self, mut stage: watch::Receiver<Stage>) -> io::Result<()> {
        tokio::select! {
            ended = self.write() => ended,
            () = cut(&mut stage) => Ok(()),
        }
    }

    async fn write(self) -> io::Result<()> {
        let Self {
            mut socket,
            head,
            mut body,
            framing,
        } = self;
        socket.write_all(&head).await?;
        drop(head);
        socket.flush().await?;
        loop {
            let mut more = [0];
            tokio::select! {
                biased;
                frame = body.frame() => {
                    let data = match frame {
                        Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
                        Some(Err(never)) => match never {},
                        None => break,
                    };
                    // One record for a small delivery, and one write.
                    socket.write_all(&framed(&data, framing)).await?;
                    socket.flush().await?;
                }
                // The client is gone, or asks for something else: nobody will ever answer that.
                read = socket.read(&mut more) => return read.map(drop),
            }
        }
        if framing == Framing::Chunked {
            socket.write_all(b"0\r\n\r\n").await?;
        }
        socket.shutdown().await
    }
}

/// Bytes as they stand in an answer. There is no empty chunk but the last.
fn framed(data: &Bytes, framing: Framing) -> Bytes {
    match framing {
        Framing::Chunked if data.is_empty() => Bytes::new(),
        Framing::Chunked => {
            let size = format!("{:x}\r\n", data.len());
            [size.as_bytes(), data, b"\r\n"].concat().into()
        }
        Framing::UntilClose => data.clone(),
    }
}
