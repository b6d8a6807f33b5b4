//! A client that knows as little as possible: one publish, one stream, no reconnect of its own.
//!
//! Tests of loss and order use it instead of the product's client, so that one error cannot hide in
//! both, and benchmarks because it costs little.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use memchr::memmem;
use thiserror::Error;
use tokio::net::TcpStream;

/// One keep-alive connection.
#[derive(Debug)]
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    token: String,
}

/// A response that was read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its whole body.
    pub body: Bytes,
}

/// An open event stream.
#[derive(Debug)]
pub struct Stream {
    body: Incoming,
    waiting: Vec<u8>,
    read: usize,
}

/// One block of a stream: an event, a control event, or an id alone.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Block {
    /// The field `event`, empty if there is none.
    pub event: String,
    /// The lines of the field `data`.
    pub data: String,
    /// The field `id`.
    pub id: Option<String>,
}

/// Why a request has no answer.
#[derive(Debug, Error)]
pub enum RequestError {
    /// The address does not take connections.
    #[error("cannot connect")]
    Connect(#[from] std::io::Error),
    /// The connection ended before the answer.
    #[error("the connection ended before the answer")]
    Ended(#[from] hyper::Error),
    /// The request cannot be written.
    #[error("the request is not valid HTTP")]
    Request(#[from] http::Error),
}

/// Why a stream is not open.
#[derive(Debug, Error)]
pub enum OpenError {
    /// There was no answer.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The answer is no stream.
    #[error("the stream was refused with {}: {}", .0.status, String::from_utf8_lossy(&.0.body))]
    Refused(Answer),
}

// === impl RequestError ===

impl RequestError {
    /// Whether the request may have reached the hub.
    pub fn was_sent(&self) -> bool {
        matches!(self, Self::Ended(error) if !error.is_canceled())
    }
}

// === impl Connection ===

impl Connection {
    /// Connects with this bearer token. A task drives the connection and ends with it.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is done, it leaves no connection behind.
    pub async fn open(address: SocketAddr, token: &str) -> Result<Self, RequestError> {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(socket)).await?;
        tokio::spawn(connection);
        Ok(Self {
            sender,
            token: token.to_owned(),
        })
    }

    /// Publishes a body of this media type.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is done, the publish may or may not happen.
    pub async fn publish(
        &mut self,
        media_type: &str,
        body: impl Into<Bytes>,
    ) -> Result<Answer, RequestError> {
        let request = self
            .request("/v1/events")
            .method(Method::POST)
            .header(header::CONTENT_TYPE, media_type)
            .body(Full::new(body.into()))?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        Ok(Answer { status, body })
    }

    /// Opens the stream at this path and query, after the block with this id if there is one.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is done, it leaves no stream behind.
    pub async fn stream(
        mut self,
        path: &str,
        last_event_id: Option<&str>,
    ) -> Result<Stream, OpenError> {
        let mut request = self
            .request(path)
            .header(header::ACCEPT, "text/event-stream");
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let request = request.body(Full::default()).map_err(RequestError::from)?;
        let response = self
            .sender
            .send_request(request)
            .await
            .map_err(RequestError::from)?;
        let status = response.status();
        let body = response.into_body();
        if status != StatusCode::OK {
            let body = body.collect().await.map_err(RequestError::from)?.to_bytes();
            return Err(OpenError::Refused(Answer { status, body }));
        }
        Ok(Stream {
            body,
            waiting: Vec::new(),
            read: 0,
        })
    }

    fn request(&self, path: &str) -> http::request::Builder {
        Request::builder()
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
    }
}

// === impl Stream ===

impl Stream {
    /// The next block, or nothing when the connection is gone.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is done, it loses nothing: the next call goes on where it was.
    pub async fn next(&mut self) -> Option<Block> {
        self.next_text().await.map(Block::parse)
    }

    /// The text of the next block, or nothing when the connection is gone.
    ///
    /// # Cancel safety
    ///
    /// As [`next`](Self::next).
    pub async fn next_text(&mut self) -> Option<&[u8]> {
        let mut searched = self.read;
        let end = loop {
            let unsearched = self.waiting.get(searched..).unwrap_or_default();
            if let Some(at) = memmem::find(unsearched, b"\n\n") {
                break searched + at;
            }
            self.waiting.drain(..self.read);
            self.read = 0;
            searched = self.waiting.len().saturating_sub(1);
            let frame = self.body.frame().await?.ok()?;
            if let Ok(bytes) = frame.into_data() {
                self.waiting.extend_from_slice(&bytes);
            }
        };
        let begin = std::mem::replace(&mut self.read, end + 2);
        self.waiting.get(begin..end)
    }
}

// === impl Block ===

impl Block {
    /// Reads the fields of one block's text.
    pub fn parse(text: &[u8]) -> Self {
        let mut block = Self::default();
        for line in String::from_utf8_lossy(text).lines() {
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => value.clone_into(&mut block.event),
                "data" => {
                    if !block.data.is_empty() {
                        block.data.push('\n');
                    }
                    block.data.push_str(value);
                }
                "id" => block.id = Some(value.to_owned()),
                _ => {}
            }
        }
        block
    }

    /// Whether this is an event that somebody published, and no word of the hub about the stream.
    pub fn is_published(&self) -> bool {
        !self.event.is_empty() && !self.event.starts_with("tidings.")
    }
}

/// The offset in a cursor such as `1042-k3x9f2`.
pub fn offset_of(cursor: &str) -> Option<u64> {
    cursor.split_once('-')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_read_by_field() {
        let block = Block::parse(b": ping\nevent: a.b\ndata: 1\ndata:2\nid: 7-abc");
        let expected = Block {
            event: "a.b".to_owned(),
            data: "1\n2".to_owned(),
            id: Some("7-abc".to_owned()),
        };
        assert_eq!(block, expected);
        assert!(block.is_published());
        assert!(!Block::parse(b"event: tidings.ping").is_published());
        assert!(!Block::parse(b"id: 7-abc").is_published());
    }

    #[test]
    fn a_cursor_begins_with_its_offset() {
        assert_eq!(offset_of("1042-k3x9f2"), Some(1_042));
        assert_eq!(offset_of("order-17"), None);
    }
}
