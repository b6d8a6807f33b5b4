//! A hub made of raw TCP, that does exactly what its script says.

use std::time::Duration;

use tidings_client::{Client, Options};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Two positions that look like ones of a hub.
pub(crate) const ONE: &str = "1-k3x9f2m4q7";
pub(crate) const TWO: &str = "2-k3x9f2m4q7";
pub(crate) const THREE: &str = "3-k3x9f2m4q7";

/// The head of a stream.
pub(crate) const STREAM: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n\r\n";

/// A listener on a free port, and a client of it that does not wait long.
pub(crate) async fn hub() -> (TcpListener, Client) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let options = Options {
        backoff_base: Duration::from_millis(1),
        backoff_max: Duration::from_millis(2),
        ..Options::default()
    };
    let client = Client::with_options(&url, Some("the.to.ken"), options).expect("a client");
    (listener, client)
}

/// One request on one connection.
pub(crate) struct Request {
    pub(crate) socket: TcpStream,
    /// The head, in lower case.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

/// The next connection's first request.
pub(crate) async fn accept(listener: &TcpListener) -> Request {
    let (socket, _) = listener.accept().await.expect("a connection");
    next_request(socket).await
}

/// The next request of a connection.
pub(crate) async fn next_request(mut socket: TcpStream) -> Request {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        let read = socket.read_buf(&mut bytes).await.expect("readable");
        assert!(read > 0, "the client went away in the middle of a head");
    };
    let mut body = bytes.split_off(end);
    let head = String::from_utf8(bytes).expect("UTF-8").to_lowercase();
    let length: usize =
        header_of(&head, "content-length").map_or(0, |text| text.parse().expect("a number"));
    while body.len() < length {
        socket.read_buf(&mut body).await.expect("readable");
    }
    Request { socket, head, body }
}

fn header_of(head: &str, name: &str) -> Option<String> {
    let line = head
        .lines()
        .find(|line| line.starts_with(&format!("{name}:")))?;
    Some(line[name.len() + 1..].trim().to_owned())
}

impl Request {
    /// The request line's target.
    pub(crate) fn target(&self) -> &str {
        self.head.split(' ').nth(1).expect("a request line")
    }

    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        header_of(&self.head, name)
    }

    /// Writes bytes.
    pub(crate) async fn say(&mut self, text: &str) {
        self.socket
            .write_all(text.as_bytes())
            .await
            .expect("written");
    }

    /// Writes a whole answer.
    pub(crate) async fn answer(&mut self, status: &str, headers: &str, body: &str) {
        let length = body.len();
        self.say(&format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        ))
        .await;
    }
}

/// The greeting of a stream whose heartbeat is this long.
pub(crate) fn hello(heartbeat_ms: u64) -> String {
    format!(
        "event: tidings.hello\ndata: {{\"connectionId\":\"c1\",\"cursor\":\"{ONE}\",\
         \"head\":\"{ONE}\",\"replay\":\"none\",\"heartbeatMs\":{heartbeat_ms},\
         \"expiresAt\":null,\"serverTime\":1}}\nid: {ONE}\n\n"
    )
}

/// The block of an event.
pub(crate) fn event(id: &str, data: &str) -> String {
    format!("event: a\ndata: {data}\nid: {id}\n\n")
}
