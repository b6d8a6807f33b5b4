//! Requests with headers of a test's own, and streams that are read while they are open.

use std::fmt::Debug;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use crate::running::{Hub, PATIENCE};

/// Sends a request on a connection of its own, and returns the whole answer.
pub(crate) fn ask(hub: &Hub, line: &str, headers: &[(&str, &str)], body: &str) -> String {
    let mut reading = Reading::open(hub, line, headers, body);
    reading.read_to_end();
    reading.text
}

/// The status of such an answer.
pub(crate) fn status(hub: &Hub, line: &str, headers: &[(&str, &str)], body: &str) -> u16 {
    let answer = ask(hub, line, headers, body);
    let status = answer.get(9..12).and_then(|text| text.parse().ok());
    status.unwrap_or_else(|| panic!("no status in {answer}"))
}

/// What a request goes over: TCP, or TLS above it.
pub(crate) trait Connection: Read + Write + Debug {}

impl<T: Read + Write + Debug> Connection for T {}

/// An answer that is read as it comes.
#[derive(Debug)]
pub(crate) struct Reading {
    connection: Box<dyn Connection>,
    /// What has come so far, head and all.
    pub(crate) text: String,
}

impl Reading {
    /// Sends a request. A `host` is added unless it has one.
    pub(crate) fn open(hub: &Hub, line: &str, headers: &[(&str, &str)], body: &str) -> Self {
        let connection = TcpStream::connect(hub.address).expect("the hub listens");
        connection.set_read_timeout(Some(PATIENCE)).expect("set");
        Self::over(Box::new(connection), line, headers, body)
    }

    /// The same on a connection that is there.
    pub(crate) fn over(
        mut connection: Box<dyn Connection>,
        line: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Self {
        let mut lines = vec![format!("{line} HTTP/1.1"), "connection: close".to_owned()];
        if !headers.iter().any(|(name, _)| *name == "host") {
            lines.push("host: localhost".to_owned());
        }
        if !body.is_empty() {
            lines.push("content-type: application/json".to_owned());
            lines.push(format!("content-length: {}", body.len()));
        }
        let own = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}"));
        lines.extend(own);
        let request = format!("{}\r\n\r\n{body}", lines.join("\r\n"));
        connection.write_all(request.as_bytes()).expect("sent");
        Self {
            connection,
            text: String::new(),
        }
    }

    /// Opens a stream, and waits for its head.
    pub(crate) fn stream(hub: &Hub, query: &str, headers: &[(&str, &str)]) -> Self {
        let mut reading = Self::open(hub, &format!("GET /v1/stream?{query}"), headers, "");
        reading.until("\r\n\r\n");
        reading
    }

    /// Whether the hub has said yes.
    pub(crate) fn is_open(&self) -> bool {
        self.text.starts_with("HTTP/1.1 200 ")
    }

    /// Reads until these words have come.
    pub(crate) fn until(&mut self, words: &str) {
        while !self.text.contains(words) {
            assert!(self.read(), "no `{words}` in {}", self.text);
        }
    }

    /// Reads until the hub ends it.
    pub(crate) fn read_to_end(&mut self) {
        while self.read() {}
    }

    fn read(&mut self) -> bool {
        let mut bytes = [0; 4096];
        match self.connection.read(&mut bytes) {
            Ok(0) => false,
            Ok(count) => {
                self.text += &String::from_utf8_lossy(&bytes[..count]);
                true
            }
            // A refusal may come before the request was read to its end.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("{error}: {}", self.text),
        }
    }
}

/// A header with a token.
pub(crate) fn bearer(token: &str) -> (&'static str, String) {
    ("authorization", format!("Bearer {token}"))
}
