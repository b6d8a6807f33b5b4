//! The socket sink: a plain HTTP/1 response body, written to its socket by the shard itself.
//!
//! An idle one is a descriptor and nothing else. What the kernel does not take at once waits here as
//! the rest of one delivery; everything behind it is the connection's cursor.

use std::io::{self, Write as _};
use std::net;

use bytes::Bytes;
use mio::net::TcpStream;
use tidings_core::delivery::{Delivery, Sink, Taken};

use crate::admission::{Admission, SocketPlace};
use crate::chunk::{Chunk, Framing};
use crate::seat::Seat;
use crate::tcp;

/// A socket for a connection that is registered already.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) stream: net::TcpStream,
    /// The response head, to be written before the first delivery.
    pub(crate) head: Bytes,
    pub(crate) place: SocketPlace,
}

/// What the socket has yet to take.
#[derive(Debug)]
enum Rest {
    /// A delivery, of whose chunk so many bytes are written.
    Delivery { chunk: Chunk, written: usize },
    /// Bytes that are framed already.
    Framed(Vec<u8>),
}

/// How far the socket took what waited for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// All of it.
    Done,
    /// A part.
    Some,
    /// Nothing: it is full, or nothing waited.
    None,
    /// The peer is gone.
    Gone,
}

/// The shard's end of a connection whose transport is a socket.
#[derive(Debug)]
pub(crate) struct SocketSink {
    /// None until the response head is on its way.
    stream: Option<(TcpStream, SocketPlace)>,
    framing: Framing,
    rest: Option<Box<Rest>>,
    /// Count against limits and load for as long as the socket is open.
    _admission: Admission,
    _seat: Seat,
}

impl SocketSink {
    /// A sink whose socket comes later; what it is given meanwhile waits.
    pub(crate) fn new(framing: Framing, admission: Admission, seat: Seat) -> Self {
        Self {
            stream: None,
            framing,
            rest: None,
            _admission: admission,
            _seat: seat,
        }
    }

    /// Takes the socket. The head goes out together with what waits.
    pub(crate) fn attach(&mut self, socket: Socket) -> io::Result<&mut TcpStream> {
        tcp::prepare(&socket.stream)?;
        let mut text = Vec::from(socket.head);
        match self.rest.take().map(|rest| *rest) {
            Some(Rest::Delivery { chunk, .. }) => chunk.append_to(&mut text),
            Some(Rest::Framed(framed)) => text.extend_from_slice(&framed),
            None => {}
        }
        self.rest = Some(Box::new(Rest::Framed(text)));
        let stream = TcpStream::from_std(socket.stream);
        let (stream, _) = self.stream.insert((stream, socket.place));
        Ok(stream)
    }

    /// The socket, once it is here.
    pub(crate) fn stream(&mut self) -> Option<&mut TcpStream> {
        self.stream.as_mut().map(|(stream, _)| stream)
    }

    /// Whether something still waits to be taken.
    pub(crate) fn is_unfinished(&self) -> bool {
        self.rest.is_some()
    }

    /// Writes what waits, as far as the socket takes it.
    pub(crate) fn resume(&mut self) -> Progress {
        let (Some((stream, _)), Some(rest)) = (&mut self.stream, &mut self.rest) else {
            return Progress::None;
        };
        let written = match &mut **rest {
            Rest::Delivery { chunk, written } => write_chunk(stream, chunk, *written).map(|more| {
                *written += more;
                (more, *written == chunk.len())
            }),
            Rest::Framed(text) => write_text(stream, text).map(|more| {
                text.drain(..more);
                (more, text.is_empty())
            }),
        };
        match written {
            Ok((_, true)) => {
                self.rest = None;
                Progress::Done
            }
            Ok((0, false)) => Progress::None,
            Ok(_) => Progress::Some,
            Err(_) => Progress::Gone,
        }
    }
}

impl Sink for SocketSink {
    fn is_free(&self) -> bool {
        self.stream.is_some() && self.rest.is_none()
    }

    fn deliver(&mut self, delivery: Delivery) -> Taken {
        let chunk = Chunk::new(self.framing, delivery.bytes, delivery.last);
        let written = match &mut self.stream {
            Some((stream, _)) => write_chunk(stream, &chunk, 0),
            None => Ok(0),
        };
        match written {
            Ok(written) if written == chunk.len() && self.stream.is_some() => Taken::Free,
            Ok(written) => {
                self.rest = Some(Box::new(Rest::Delivery { chunk, written }));
                Taken::Full
            }
            Err(_) => Taken::Gone,
        }
    }

    fn cut_short(&mut self, last: Bytes) {
        let mut text = Vec::new();
        match self.rest.take().map(|rest| *rest) {
            Some(Rest::Delivery { chunk, written }) => {
                chunk.append_to(&mut text);
                text.drain(..written);
            }
            Some(Rest::Framed(framed)) => text = framed,
            None => {}
        }
        Chunk::new(self.framing, last, true).append_to(&mut text);
        if let Some((stream, _)) = &mut self.stream {
            // Whoever took nothing for so long is not waited for.
            drop(write_text(stream, &text));
        }
    }
}

/// Writes a chunk from a place on, as far as the socket takes it.
fn write_chunk(stream: &mut TcpStream, chunk: &Chunk, from: usize) -> io::Result<usize> {
    let mut written = from;
    while written < chunk.len() {
        match chunk.with_slices(written, |slices| stream.write_vectored(slices)) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(more) => written += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(written - from)
}

/// Writes bytes as they are, as far as the socket takes them.
fn write_text(stream: &mut TcpStream, text: &[u8]) -> io::Result<usize> {
    let mut written = 0;
    while let Some(left) = text.get(written..).filter(|left| !left.is_empty()) {
        match stream.write(left) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(more) => written += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(written)
}
