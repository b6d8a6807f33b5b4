//! A plain HTTP/1 client over a socket: what it sends is exactly what the test says.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tidings_wire::sse::{Item, Parser};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long anything may take before the test fails; never waited for otherwise.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A request as text.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        Self {
            line: format!("{method} {target} HTTP/1.1"),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(crate) fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    pub(crate) fn post(target: &str) -> Self {
        Self::new("POST", target)
    }

    pub(crate) fn http_10(mut self) -> Self {
        self.line = self.line.replace("HTTP/1.1", "HTTP/1.0");
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn json(self, body: &str) -> Self {
        self.body("application/json", body)
    }

    pub(crate) fn body(mut self, content_type: &str, body: &str) -> Self {
        body.as_bytes().clone_into(&mut self.body);
        self.header("content-type", content_type)
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let has = |wanted: &str| {
            self.headers
                .iter()
                .any(|(name, _)| name.eq_ignore_ascii_case(wanted))
        };
        let mut text = format!("{}\r\n", self.line);
        if !has("host") {
            text.push_str("host: hub.test\r\n");
        }
        if !self.body.is_empty() && !has("content-length") && !has("transfer-encoding") {
            write!(text, "content-length: {}\r\n", self.body.len()).expect("text");
        }
        for (name, value) in &self.headers {
            write!(text, "{name}: {value}\r\n").expect("text");
        }
        text.push_str("\r\n");
        [text.into_bytes(), self.body.clone()].concat()
    }

    /// Sends it on a connection of its own and reads the whole answer.
    pub(crate) async fn send(self, address: SocketAddr) -> Answer {
        let request = self.header("connection", "close");
        let answer = exchange(address, &request.to_bytes()).await;
        Answer::parse(&answer).unwrap_or_else(|| panic!("no answer to {}", request.line))
    }
}

/// Every byte of a text as it stands in a URL.
pub(crate) fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        write!(encoded, "%{byte:02X}").expect("text");
    }
    encoded
}

/// Sends bytes and reads until the hub closes. An empty answer means that it closed without a word.
pub(crate) async fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let talk = async {
        let mut socket = TcpStream::connect(address).await.expect("connects");
        let mut answer = Vec::new();
        let (mut read, mut write) = socket.split();
        // A hub that has refused early closes while the rest is still being sent.
        let (_, _) = tokio::join!(write.write_all(bytes), read.read_to_end(&mut answer));
        answer
    };
    timeout(PATIENCE, talk).await.expect("an answer in time")
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Reads an answer as it came over the wire.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = str::from_utf8(&bytes[..end]).expect("an ASCII head");
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().expect("a status");
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(':').expect("a header"))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let rest = &bytes[end + 4..];
        let is_chunked = headers
            .iter()
            .any(|(name, value)| name == "transfer-encoding" && value == "chunked");
        let body = if is_chunked {
            let mut chunks = Chunks::default();
            chunks.push(rest)
        } else {
            rest.to_vec()
        };
        Some(Self {
            status,
            headers,
            body,
        })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        found.next().map(|(_, value)| value.as_str())
    }

    /// All values of a header, joined.
    pub(crate) fn all(&self, name: &str) -> String {
        let found = self.headers.iter().filter(|(known, _)| known == name);
        found
            .map(|(_, value)| value.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The code of a problem document, which must be complete.
    pub(crate) fn code(&self) -> String {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{}",
            self.text()
        );
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        assert_eq!(problem["requestId"].as_str(), self.header("x-request-id"));
        assert!(problem["detail"].is_string() && problem["title"].is_string());
        problem["code"].as_str().expect("a code").to_owned()
    }
}

/// Undoes the chunked coding, in pieces of any size.
#[derive(Debug, Default)]
struct Chunks {
    held: Vec<u8>,
    ended: bool,
}

impl Chunks {
    fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(bytes);
        let mut plain = Vec::new();
        while let Some(line) = self.held.windows(2).position(|two| two == b"\r\n") {
            let size = str::from_utf8(&self.held[..line]).expect("a chunk size");
            let size = usize::from_str_radix(size, 16).expect("a chunk size");
            if self.held.len() < line + 4 + size {
                break;
            }
            plain.extend_from_slice(&self.held[line + 2..line + 2 + size]);
            self.held.drain(..line + 4 + size);
            self.ended |= size == 0;
        }
        plain
    }
}

/// A connection whose answer comes piece by piece.
pub(crate) struct Stream {
    pub(crate) head: Answer,
    socket: TcpStream,
    chunks: Option<Chunks>,
    parser: Parser,
    text: Vec<u8>,
    waiting: std::collections::VecDeque<Block>,
    ended: bool,
}

/// One block of a stream of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) kind: String,
    pub(crate) data: String,
    pub(crate) id: Option<String>,
}

impl Block {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.data).expect("JSON")
    }
}

impl Stream {
    /// Sends a request and reads the head of its answer.
    pub(crate) async fn open(address: SocketAddr, request: Request) -> Self {
        let mut socket = TcpStream::connect(address).await.expect("connects");
        socket.write_all(&request.to_bytes()).await.expect("sent");
        Self::read_head(socket).await
    }

    pub(crate) async fn read_head(mut socket: TcpStream) -> Self {
        let mut bytes = Vec::new();
        while !bytes.windows(4).any(|four| four == b"\r\n\r\n") {
            let read = timeout(PATIENCE, socket.read_buf(&mut bytes));
            assert!(
                read.await.expect("in time").expect("reads") > 0,
                "closed without a head"
            );
        }
        let end = bytes
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .expect("a head")
            + 4;
        let head = Answer::parse(&bytes[..end]).expect("a head");
        let chunks = (head.header("transfer-encoding") == Some("chunked")).then(Chunks::default);
        let mut stream = Self {
            head,
            socket,
            chunks,
            parser: Parser::default(),
            text: Vec::new(),
            waiting: std::collections::VecDeque::new(),
            ended: false,
        };
        stream.take(&bytes[end..]);
        stream
    }

    fn take(&mut self, bytes: &[u8]) {
        let plain = match &mut self.chunks {
            Some(chunks) => {
                let plain = chunks.push(bytes);
                self.ended |= chunks.ended;
                plain
            }
            None => bytes.to_vec(),
        };
        let waiting = &mut self.waiting;
        let pushed = self.parser.feed(&plain, |item| {
            if let Item::Message(message) = item {
                waiting.push_back(Block {
                    kind: message.event_type.into_owned(),
                    data: message.data.into_owned(),
                    id: message.id.map(str::to_owned),
                });
            }
        });
        pushed.expect("blocks of a sane size");
        self.text.extend_from_slice(&plain);
    }

    /// Reads more; whether there was more.
    async fn more(&mut self) -> bool {
        if self.ended {
            return false;
        }
        let mut bytes = Vec::new();
        let read = timeout(PATIENCE, self.socket.read_buf(&mut bytes))
            .await
            .expect("in time");
        let read = read.unwrap_or(0);
        self.ended |= read == 0;
        self.take(&bytes);
        read > 0
    }

    /// The next block, control events included; none at the end.
    pub(crate) async fn next(&mut self) -> Option<Block> {
        while self.waiting.is_empty() {
            if !self.more().await && self.waiting.is_empty() {
                return None;
            }
        }
        self.waiting.pop_front()
    }

    /// The next block that is no control event.
    pub(crate) async fn next_event(&mut self) -> Block {
        loop {
            let block = self.next().await.expect("the stream goes on");
            if !block.kind.starts_with("tidings.") {
                return block;
            }
        }
    }

    /// The next line of a body of lines.
    pub(crate) async fn next_line(&mut self) -> Option<Value> {
        loop {
            if let Some(at) = self.text.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.text.drain(..=at).collect();
                return Some(serde_json::from_slice(&line).expect("JSON"));
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// What has come of the body.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.text).into_owned()
    }

    /// Reads until the hub closes the connection or ends the answer.
    pub(crate) async fn until_end(&mut self) {
        while self.more().await {}
    }

    /// Reads until the body holds these bytes.
    pub(crate) async fn until(&mut self, wanted: &[u8]) {
        while !self.text.windows(wanted.len()).any(|found| found == wanted) {
            assert!(self.more().await, "ended without it");
        }
    }

    /// The connection, for another request.
    pub(crate) fn into_socket(self) -> TcpStream {
        self.socket
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).await.expect("sent");
    }

    /// Closes the sending half of the connection.
    pub(crate) async fn finish_sending(&mut self) {
        self.socket.shutdown().await.expect("half-closed");
    }
}
