//! A publisher that costs as little as possible: one blocking socket, one thread, no HTTP library.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use anyhow::{Context, Result, bail, ensure};

/// Body of a benchmark's event: its data has this many bytes, on one of many topics.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EventShape {
    /// Bytes of the body of one event.
    pub(crate) bytes: usize,
    /// Topics that events are spread over.
    pub(crate) topics: u64,
}

impl EventShape {
    /// The body of the event with this number.
    pub(crate) fn body(self, number: u64) -> String {
        let topic = number % self.topics;
        let head = format!(
            "{{\"type\":\"bench.event\",\"topics\":[\"bench/{topic}\"],\"data\":{{\"n\":{number},\"text\":\""
        );
        let tail = "\"}}";
        let filler = self.bytes.saturating_sub(head.len() + tail.len());
        format!("{head}{}{tail}", "x".repeat(filler))
    }

    /// The NDJSON body of so many events from this number on.
    pub(crate) fn lines(self, first: u64, count: u64) -> String {
        let line = |number| self.body(number) + "\n";
        (first..first + count).map(line).collect()
    }
}

/// One event per line.
pub(crate) const NDJSON: &str = "application/x-ndjson";

/// A keep-alive connection that publishes.
#[derive(Debug)]
pub(crate) struct BlockingPublisher {
    socket: TcpStream,
    head: String,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl BlockingPublisher {
    /// Connects, for bodies of one media type.
    pub(crate) fn connect(address: SocketAddr, token: &str, media_type: &str) -> Result<Self> {
        let socket = TcpStream::connect(address).context("cannot connect to the hub")?;
        socket.set_nodelay(true)?;
        let head = format!(
            "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: {media_type}\r\n"
        );
        Ok(Self {
            socket,
            head,
            request: Vec::new(),
            answer: Vec::new(),
        })
    }

    /// Publishes a body and checks that each of its `events` is answered with a cursor.
    pub(crate) fn publish(&mut self, body: &str, events: u64) -> Result<()> {
        self.request.clear();
        write!(
            self.request,
            "{}Content-Length: {}\r\n\r\n{body}",
            self.head,
            body.len()
        )?;
        self.socket
            .write_all(&self.request)
            .context("the hub took no more")?;
        self.read_answer()?;
        let answered = count(&self.answer, b"\"cursor\":");
        ensure!(
            answered == events,
            "the hub answered {answered} of {events} events: {}",
            self.answer_text()
        );
        Ok(())
    }

    fn read_answer(&mut self) -> Result<()> {
        self.answer.clear();
        let mut chunk = [0; 16 * 1024];
        loop {
            let read = self
                .socket
                .read(&mut chunk)
                .context("the hub did not answer")?;
            ensure!(
                read > 0,
                "the hub closed the connection: {}",
                self.answer_text()
            );
            self.answer
                .extend_from_slice(chunk.get(..read).unwrap_or_default());
            if self.is_complete()? {
                return Ok(());
            }
        }
    }

    fn is_complete(&self) -> Result<bool> {
        let Some(at) = find(&self.answer, b"\r\n\r\n") else {
            return Ok(false);
        };
        let head =
            String::from_utf8_lossy(self.answer.get(..at).unwrap_or_default()).to_ascii_lowercase();
        if !head.starts_with("http/1.1 2") {
            bail!("the hub refused: {}", self.answer_text());
        }
        let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
        match field("content-length:") {
            Some(length) => Ok(self.answer.len() >= at + 4 + length.trim().parse::<usize>()?),
            None => Ok(self.answer.ends_with(b"\r\n0\r\n\r\n")),
        }
    }

    fn answer_text(&self) -> String {
        String::from_utf8_lossy(&self.answer).into_owned()
    }
}

/// Where a text first occurs.
pub(crate) fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, wanted)
}

fn count(bytes: &[u8], wanted: &[u8]) -> u64 {
    memchr::memmem::find_iter(bytes, wanted).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_the_bytes_it_should_have() {
        let shape = EventShape {
            bytes: 300,
            topics: 10,
        };
        for number in [0, 7, 123_456_789] {
            let body = shape.body(number);
            assert_eq!(body.len(), 300);
            assert!(
                serde_json::from_str::<serde_json::Value>(&body).is_ok(),
                "{body}"
            );
        }
        assert_eq!(shape.lines(5, 3).lines().count(), 3);
    }
}
