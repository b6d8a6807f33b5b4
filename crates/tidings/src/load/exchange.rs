//! One request at a time on a socket that stays open, by either version of HTTP, that never waits.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::os::fd::{AsRawFd as _, RawFd};

use super::h2::{Connection, News};
use super::head::{Head, HeadSoFar};
use super::limits::ANSWER_BYTES_MAX;
use super::publishing::PublishPlan;

const READ_BYTES: usize = 16 * 1024;

/// A socket with at most one request on its way.
pub(super) struct Exchange {
    socket: TcpStream,
    /// The socket is one that nobody watches yet.
    is_new: bool,
    spoken: Spoken,
    answer: Vec<u8>,
    buffer: Vec<u8>,
}

/// An answer that is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answered {
    pub(super) status: u16,
    /// The connection ends with it.
    pub(super) closes: bool,
}

/// What is spoken on the socket.
enum Spoken {
    Http1(Http1),
    Http2(Box<Http2>),
}

#[derive(Default)]
struct Http1 {
    request: Vec<u8>,
    /// Bytes of the request that are sent.
    sent: usize,
    head_so_far: HeadSoFar,
    head: Option<Head>,
}

struct Http2 {
    connection: Connection,
    /// The stream of the request, and how far its answer has come.
    stream: u32,
    status: Option<u16>,
    is_over: bool,
    reset: Option<u32>,
}

impl Exchange {
    /// Connects.
    pub(super) fn connect(plan: &PublishPlan) -> io::Result<Self> {
        let socket = TcpStream::connect(plan.target.address)?;
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        let spoken = if plan.is_http2() {
            Spoken::Http2(Box::new(Http2 {
                connection: Connection::new(),
                stream: 0,
                status: None,
                is_over: false,
                reset: None,
            }))
        } else {
            Spoken::Http1(Http1::default())
        };
        Ok(Self {
            socket,
            is_new: true,
            spoken,
            answer: Vec::new(),
            buffer: vec![0; READ_BYTES],
        })
    }

    /// The socket, if it has not been asked for since it was made.
    pub(super) fn new_socket(&mut self) -> Option<RawFd> {
        std::mem::take(&mut self.is_new).then(|| self.socket.as_raw_fd())
    }

    /// The socket.
    pub(super) fn socket(&mut self) -> RawFd {
        self.is_new = false;
        self.socket.as_raw_fd()
    }

    /// Begins a request to a topic with this body. The one before has been answered.
    pub(super) fn ask(&mut self, plan: &PublishPlan, topic: usize, body: &[u8]) -> io::Result<()> {
        self.answer.clear();
        match &mut self.spoken {
            Spoken::Http1(http1) => {
                let mut request = std::mem::take(&mut http1.request);
                request.clear();
                plan.write_head(topic, body.len(), &mut request);
                request.extend_from_slice(body);
                *http1 = Http1 {
                    request,
                    ..Http1::default()
                };
            }
            Spoken::Http2(http2) => {
                let fields = plan.fields(topic).ok_or(io::ErrorKind::InvalidInput)?;
                http2.stream = http2.connection.post(fields, body);
                (http2.status, http2.is_over, http2.reset) = (None, false, None);
            }
        }
        self.send()
    }

    /// Whether a part of the request is still to be sent.
    pub(super) fn is_sending(&mut self) -> bool {
        match &mut self.spoken {
            Spoken::Http1(http1) => http1.sent < http1.request.len(),
            Spoken::Http2(http2) => {
                !http2.connection.out().is_empty() || http2.connection.is_sending()
            }
        }
    }

    /// Sends and reads what can be; the answer, once it is whole.
    pub(super) fn go_on(&mut self) -> io::Result<Option<Answered>> {
        self.send()?;
        let answered = self.receive()?;
        // What was read may ask for an answer, or make room for the rest of the request.
        self.send()?;
        Ok(answered)
    }

    /// Answers what the hub asks while no request is on its way, where the protocol has such.
    pub(super) fn rest(&mut self) -> io::Result<()> {
        match self.spoken {
            Spoken::Http1(_) => Ok(()),
            Spoken::Http2(_) => self.go_on().map(|_| ()),
        }
    }

    /// The body of the answer.
    pub(super) fn answer(&self) -> &[u8] {
        &self.answer
    }

    fn send(&mut self) -> io::Result<()> {
        match &mut self.spoken {
            Spoken::Http1(http1) => {
                let rest = http1.request.get(http1.sent..).unwrap_or_default();
                http1.sent += write(&mut self.socket, rest)?;
            }
            Spoken::Http2(http2) => {
                let sent = write(&mut self.socket, http2.connection.out())?;
                http2.connection.out().drain(..sent);
            }
        }
        Ok(())
    }

    /// Reads as much as is there.
    fn receive(&mut self) -> io::Result<Option<Answered>> {
        loop {
            let length = match self.socket.read(&mut self.buffer) {
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let arrived = self.buffer.get(..length).unwrap_or_default();
            let answered = match &mut self.spoken {
                Spoken::Http1(http1) => http1.take(arrived, &mut self.answer)?,
                Spoken::Http2(http2) => http2.take(arrived, &mut self.answer)?,
            };
            if answered.is_some() {
                return Ok(answered);
            }
            if length == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            // Less than was asked for is all there was.
            if length < self.buffer.len() {
                return Ok(None);
            }
        }
    }
}

impl Http1 {
    fn take(&mut self, mut arrived: &[u8], answer: &mut Vec<u8>) -> io::Result<Option<Answered>> {
        let is_end = arrived.is_empty();
        if self.head.is_none() {
            let head = self.head_so_far.take(&mut arrived);
            self.head = head.map_err(io::Error::other)?;
        }
        let Some(head) = &mut self.head else {
            return Ok(None);
        };
        while let Some(piece) = head.body.next(&mut arrived).map_err(io::Error::other)? {
            keep(piece, answer);
        }
        let is_over = head.body.is_over() || (is_end && head.body.is_endless());
        Ok(is_over.then_some(Answered {
            status: head.status,
            closes: head.closes || is_end,
        }))
    }
}

impl Http2 {
    fn take(&mut self, arrived: &[u8], answer: &mut Vec<u8>) -> io::Result<Option<Answered>> {
        let Self {
            connection,
            stream: own,
            status,
            is_over,
            reset,
        } = self;
        let was_over = *is_over;
        let taken = connection.take(arrived, |stream, news| {
            if stream != *own || *is_over {
                return;
            }
            match news {
                News::Head { status: told, ends } => {
                    *status = Some(told);
                    *is_over = ends;
                }
                News::Data { bytes, ends } => {
                    keep(bytes, answer);
                    *is_over = ends;
                }
                News::Reset(code) => *reset = Some(code),
            }
        });
        taken.map_err(io::Error::other)?;
        if let Some(code) = reset {
            let text = format!("the hub gave the request up with code {code}");
            return Err(io::Error::other(text));
        }
        let answered = status.filter(|_| *is_over && !was_over);
        Ok(answered.map(|status| Answered {
            status,
            closes: false,
        }))
    }
}

fn keep(piece: &[u8], answer: &mut Vec<u8>) {
    let room = ANSWER_BYTES_MAX.saturating_sub(answer.len());
    answer.extend_from_slice(piece.get(..room).unwrap_or(piece));
}

/// Writes as much as a socket takes.
fn write(socket: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    let mut sent = 0;
    while let Some(rest) = bytes.get(sent..).filter(|rest| !rest.is_empty()) {
        match socket.write(rest) {
            Ok(more) => sent += more,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(sent)
}
