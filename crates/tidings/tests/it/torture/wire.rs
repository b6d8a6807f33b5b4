//! The torture's own view of the protocol: small and independent of the product's client, so that one
//! error cannot hide in both.

use std::fmt::Write as _;
use std::net::SocketAddr;

use anyhow::Result;
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpStream;

use super::ledger::Name;

/// One keep-alive connection.
pub(crate) type Connection = SendRequest<Full<Bytes>>;

/// Connects to the program. The connection's task ends with the connection.
pub(crate) async fn connect(address: SocketAddr) -> Result<Connection> {
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(socket)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

/// Publishes one event, and answers the status and the body of the response.
pub(crate) async fn publish(
    connection: &mut Connection,
    token: &str,
    body: String,
) -> Result<(StatusCode, Bytes)> {
    let request = Request::builder()
        .method(Method::POST)
        .uri("/v1/events")
        .header(header::HOST, "localhost")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::from(body))?;
    let response = connection.send_request(request).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    Ok((status, body))
}

/// Whether a request that failed may have reached the program.
pub(crate) fn was_sent(error: &anyhow::Error) -> bool {
    let unsent = |error: &hyper::Error| error.is_canceled();
    !error.downcast_ref::<hyper::Error>().is_some_and(unsent)
}

/// One block of a stream.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) event: String,
    pub(crate) data: String,
    pub(crate) id: Option<String>,
}

/// An open stream.
#[derive(Debug)]
pub(crate) struct Stream {
    body: Incoming,
    waiting: Vec<u8>,
    read: usize,
}

/// What was answered where a stream was asked for.
pub(crate) type Refusal = String;

impl Stream {
    /// Opens a stream, after this id if there is one.
    pub(crate) async fn open(
        address: SocketAddr,
        path: &str,
        token: &str,
        last_event_id: Option<&str>,
    ) -> Result<Result<Self, Refusal>> {
        let mut request = Request::builder()
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::ACCEPT, "text/event-stream");
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let mut connection = connect(address).await?;
        let response = connection
            .send_request(request.body(Full::default())?)
            .await?;
        if response.status() != StatusCode::OK {
            let status = response.status();
            let body = response.into_body().collect().await?.to_bytes();
            return Ok(Err(format!("{status} {}", String::from_utf8_lossy(&body))));
        }
        Ok(Ok(Self {
            body: response.into_body(),
            waiting: Vec::new(),
            read: 0,
        }))
    }

    /// The next block, or nothing when the connection is gone.
    pub(crate) async fn next(&mut self) -> Option<Block> {
        loop {
            let unread = self.waiting.get(self.read..).unwrap_or_default();
            if let Some(end) = unread.windows(2).position(|two| two == b"\n\n") {
                let block = parse(&String::from_utf8_lossy(
                    unread.get(..end).unwrap_or_default(),
                ));
                self.read += end + 2;
                return Some(block);
            }
            self.waiting.drain(..self.read);
            self.read = 0;
            let frame = self.body.frame().await?.ok()?;
            if let Ok(bytes) = frame.into_data() {
                self.waiting.extend_from_slice(&bytes);
            }
        }
    }
}

fn parse(text: &str) -> Block {
    let mut block = Block::default();
    for line in text.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut block.event),
            "data" => block.data.push_str(value),
            "id" => block.id = Some(value.to_owned()),
            _ => {}
        }
    }
    block
}

/// The offset in a cursor, `1042-k3x9f2`.
pub(crate) fn offset_of(cursor: &str) -> Option<u64> {
    cursor.split_once('-')?.0.parse().ok()
}

/// A text of this length that only this event has.
pub(crate) fn text(event: Name, length: usize) -> String {
    let word = format!("{event} ünd ");
    let mut text = word.repeat(length / word.len() + 1);
    text.push_str("end");
    text
}

/// A hash as hexadecimal text.
pub(crate) fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}
