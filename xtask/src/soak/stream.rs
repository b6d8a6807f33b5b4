//! One stream over a socket of its own, so that it can be cut in every way.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use memchr::memmem;
use tidings_testkit::plain_client::Block;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

/// How long a hub may take to answer a request for a stream.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// What the kernel takes for a reader that reads slowly.
const SLOW_READER_BYTES: u32 = 4_096;

/// An open stream.
#[derive(Debug)]
pub(super) struct Stream {
    socket: TcpStream,
    /// What came and is not a whole chunk yet.
    raw: Vec<u8>,
    /// What came in chunks and is not a whole block yet.
    text: Vec<u8>,
}

/// What a reader asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish<'a> {
    pub(super) topics: &'a str,
    pub(super) token: &'a str,
    pub(super) last_event_id: Option<&'a str>,
    /// Whether it will read slowly.
    pub(super) is_slow: bool,
    /// Whether the HTTP library keeps the socket, because the request has a body.
    pub(super) is_kept: bool,
}

/// How a request for a stream was answered.
#[derive(Debug)]
pub(super) enum Opened {
    Stream(Stream),
    /// With another status than 200.
    Refused(u16, String),
}

impl Stream {
    /// Asks for a stream.
    pub(super) async fn open(address: SocketAddr, wish: Wish<'_>) -> Result<Opened> {
        timeout(ANSWER_WITHIN, Self::ask(address, wish))
            .await
            .context("no answer in time")?
    }

    async fn ask(address: SocketAddr, wish: Wish<'_>) -> Result<Opened> {
        let socket = TcpSocket::new_v4()?;
        if wish.is_slow {
            socket.set_recv_buffer_size(SLOW_READER_BYTES)?;
        }
        let mut socket = socket.connect(address).await.context("cannot connect")?;
        let resumed = wish
            .last_event_id
            .map(|id| format!("last-event-id: {id}\r\n"));
        let body = if wish.is_kept {
            "content-length: 1\r\n\r\n-"
        } else {
            "\r\n"
        };
        let request = format!(
            "GET /v1/stream?audience=none&topics={} HTTP/1.1\r\nhost: localhost\r\n\
             authorization: Bearer {}\r\n{}{body}",
            wish.topics,
            wish.token,
            resumed.unwrap_or_default(),
        );
        socket.write_all(request.as_bytes()).await?;
        let mut raw = Vec::new();
        let end = loop {
            if let Some(at) = memmem::find(&raw, b"\r\n\r\n") {
                break at + 4;
            }
            if socket.read_buf(&mut raw).await? == 0 {
                bail!("closed before the answer");
            }
        };
        let head = String::from_utf8_lossy(&raw[..end]).into_owned();
        let status = head.get(9..12).and_then(|status| status.parse().ok());
        let status = status.with_context(|| format!("no answer of HTTP: {head}"))?;
        raw.drain(..end);
        if status != 200 {
            // Only for whoever reads about it.
            drop(timeout(Duration::from_secs(1), socket.read_buf(&mut raw)).await);
            let body = String::from_utf8_lossy(&raw).into_owned();
            return Ok(Opened::Refused(status, body));
        }
        Ok(Opened::Stream(Self {
            socket,
            raw,
            text: Vec::new(),
        }))
    }

    /// The next block that has come whole; none when the stream has ended, however it did.
    ///
    /// Dropped before it is done, it loses nothing.
    pub(super) async fn next(&mut self) -> Option<Block> {
        loop {
            if let Some(end) = memmem::find(&self.text, b"\n\n") {
                let block = Block::parse(&self.text[..end]);
                self.text.drain(..end + 2);
                return Some(block);
            }
            if !self.take_chunk() && self.socket.read_buf(&mut self.raw).await.ok()? == 0 {
                return None;
            }
        }
    }

    /// Moves the next chunk to the text, if it has come whole.
    fn take_chunk(&mut self) -> bool {
        let Some((begin, end)) = chunk(&self.raw) else {
            return false;
        };
        self.text.extend_from_slice(&self.raw[begin..end]);
        self.raw.drain(..end + 2);
        end > begin
    }

    /// Ends the connection with a reset.
    pub(super) fn reset(self) -> Result<()> {
        self.socket.set_zero_linger()?;
        Ok(())
    }

    /// Closes the half that this side sends on.
    pub(super) async fn half_close(&mut self) -> Result<()> {
        self.socket.shutdown().await?;
        Ok(())
    }
}

/// Where the data of a whole chunk begins and ends (RFC 9112, section 7.1).
fn chunk(raw: &[u8]) -> Option<(usize, usize)> {
    let line = memmem::find(raw, b"\r\n")?;
    let size = str::from_utf8(&raw[..line]).ok()?;
    let size = usize::from_str_radix(size, 16).ok()?;
    let (begin, end) = (line + 2, line + 2 + size);
    (raw.len() >= end + 2).then_some((begin, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_is_taken_when_it_has_come_whole() {
        let raw = b"5\r\nid: 7\r\n0\r\n\r\n";
        for cut in 0..10 {
            assert_eq!(chunk(&raw[..cut]), None, "{cut}");
        }
        assert_eq!(chunk(&raw[..10]), Some((3, 8)));
        assert_eq!(chunk(&raw[10..]), Some((3, 3)));
    }
}
