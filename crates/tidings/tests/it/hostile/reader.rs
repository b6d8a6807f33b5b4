//! A reader of a stream over a blocking socket, with as little room as is wanted.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};

use crate::running::PATIENCE;

/// A socket that has asked for a stream.
pub(super) struct Reader {
    pub(super) socket: TcpStream,
    pub(super) text: Vec<u8>,
}

/// What a reader is to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish<'a> {
    /// Who it is.
    pub(super) user: &'a str,
    /// The address of this machine that it comes from; none for the usual.
    pub(super) from: Option<Ipv4Addr>,
    /// Bytes that the kernel takes for it while it does not read; none for the usual.
    pub(super) room: Option<usize>,
    /// Whether the shard writes to its socket itself.
    pub(super) is_taken_over: bool,
}

/// A reader like any other.
pub(super) const USUAL: Wish<'static> = Wish {
    user: "me",
    from: None,
    room: None,
    is_taken_over: true,
};

impl Reader {
    /// Asks for a stream of a topic.
    pub(super) fn ask(address: SocketAddr, topic: &str, since: &str, wish: Wish<'_>) -> Self {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None);
        let socket = socket.expect("a socket");
        if let Some(room) = wish.room {
            socket.set_recv_buffer_size(room).expect("a setting");
        }
        if let Some(from) = wish.from {
            let from = SocketAddr::from((from, 0)).into();
            socket.bind(&from).expect("an address of this machine");
        }
        socket.connect(&address.into()).expect("the hub listens");
        let mut socket = TcpStream::from(socket);
        socket.set_read_timeout(Some(PATIENCE)).expect("a setting");
        // A socket is not taken from a request with a body.
        let body = if wish.is_taken_over {
            "\r\n"
        } else {
            "content-length: 1\r\n\r\n-"
        };
        let user = wish.user;
        let request = format!(
            "GET /v1/stream?userId={user}&topics={topic}&since={since} HTTP/1.1\r\n\
             host: localhost\r\n{body}"
        );
        socket.write_all(request.as_bytes()).expect("sent");
        Self {
            socket,
            text: Vec::new(),
        }
    }

    /// Reads what is there, at least a byte; whether there was any.
    pub(super) fn read(&mut self) -> bool {
        let mut piece = [0; 16 * 1024];
        let read = self
            .socket
            .read(&mut piece)
            .expect("open, or closed in order");
        self.text.extend_from_slice(&piece[..read]);
        read > 0
    }

    /// Reads on until these words have come.
    pub(super) fn until(&mut self, words: &str) {
        let mut searched = 0;
        while !contains(&self.text[searched..], words) {
            searched = self.text.len().saturating_sub(words.len());
            assert!(self.read(), "ended without `{words}`");
        }
    }

    /// Reads on until so many more signs of life have come.
    pub(super) fn until_pings(&mut self, more: usize) {
        let begin = self.text.len();
        for _ in 0..more {
            let searched = self.text.len();
            while !contains(&self.text[searched..], "event: tidings.ping") {
                assert!(self.read(), "ended after {begin} bytes");
            }
        }
    }

    /// Reads to the end.
    pub(super) fn until_end(&mut self) {
        while self.read() {}
    }

    /// Reads what is left, to an end in order or not, and counts its bytes.
    pub(super) fn rest(&mut self) -> usize {
        let before = self.text.len();
        // What was read before a reset is kept.
        drop(self.socket.read_to_end(&mut self.text));
        self.text.len() - before
    }

    /// The numbers of the events that have come whole, in order.
    pub(super) fn numbers(&self) -> Vec<usize> {
        let text = String::from_utf8_lossy(&self.text);
        let data = text.split("\"data\":\"").skip(1);
        let numbers = data.filter_map(|data| data.split_once(':')?.0.parse().ok());
        numbers.collect()
    }

    /// The newest position that it was told.
    pub(super) fn cursor(&self) -> String {
        let text = String::from_utf8_lossy(&self.text);
        let mut ids = text.lines().filter_map(|line| line.strip_prefix("id: "));
        ids.next_back().expect("an id").to_owned()
    }

    /// Closes the connection with a reset.
    pub(super) fn reset(self) {
        let linger = SockRef::from(&self.socket).set_linger(Some(Duration::ZERO));
        linger.expect("a setting");
    }
}

fn contains(text: &[u8], words: &str) -> bool {
    text.windows(words.len())
        .any(|found| found == words.as_bytes())
}
