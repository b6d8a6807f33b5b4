//! The socket sink: a plain HTTP/1 response body, written to its socket by the shard itself.
//!
//! An idle one is a descriptor and nothing else. What the kernel does not take at once waits here as
//! the rest of one delivery; everything behind it is the connection's cursor.

use std::io::{self, Write};
use std::net::{self, IpAddr};

use bytes::Bytes;
use mio::net::TcpStream;
use tidings_core::delivery::{Delivery, Sink, Taken};

use crate::admission::{Admission, SocketPlace};
use crate::chunk::{Chunk, Framing};
use crate::seat::Seat;

#[cfg(test)]
mod tests;

/// A socket for a connection that is registered already.
#[derive(Debug)]
pub(crate) struct Socket {
    /// Prepared, and not blocking.
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

/// The shard's end of a connection whose transport is a socket, or what a test plays as one.
#[derive(Debug)]
pub(crate) struct SocketSink<W = TcpStream> {
    /// None until the response head is on its way. While it is here, it has a place at the gate of its
    /// admission.
    stream: Option<W>,
    framing: Framing,
    rest: Option<Box<Rest>>,
    /// Count against limits and load for as long as the socket is open.
    admission: Admission,
    _seat: Seat,
}

impl SocketSink {
    /// Takes the socket. The head goes out together with what waits.
    pub(crate) fn attach(&mut self, socket: Socket) -> &mut TcpStream {
        let stream = TcpStream::from_std(socket.stream);
        self.attach_stream(stream, socket.head, socket.place)
    }
}

impl<W> SocketSink<W> {
    /// A sink whose socket comes later; what it is given meanwhile waits.
    pub(crate) fn new(framing: Framing, admission: Admission, seat: Seat) -> Self {
        Self {
            stream: None,
            framing,
            rest: None,
            admission,
            _seat: seat,
        }
    }

    fn attach_stream(&mut self, stream: W, head: Bytes, place: SocketPlace) -> &mut W {
        let mut text = Vec::from(head);
        match self.rest.take().map(|rest| *rest) {
            Some(Rest::Delivery { chunk, .. }) => chunk.append_to(&mut text),
            Some(Rest::Framed(framed)) => text.extend_from_slice(&framed),
            None => {}
        }
        self.rest = Some(Box::new(Rest::Framed(text)));
        self.close();
        self.admission.take_socket(place);
        self.stream.insert(stream)
    }

    /// Closes the socket, if it is here, and gives its place back.
    fn close(&mut self) {
        if self.stream.take().is_some() {
            self.admission.leave_socket();
        }
    }

    /// The socket, once it is here.
    pub(crate) fn stream(&mut self) -> Option<&mut W> {
        self.stream.as_mut()
    }

    /// From where its reader comes.
    pub(crate) fn address(&self) -> IpAddr {
        self.admission.address()
    }

    /// Whether something still waits to be taken.
    pub(crate) fn is_unfinished(&self) -> bool {
        self.rest.is_some()
    }
}

impl<W> Drop for SocketSink<W> {
    fn drop(&mut self) {
        self.close();
    }
}

impl<W: Write> SocketSink<W> {
    /// Writes what waits, as far as the socket takes it.
    pub(crate) fn resume(&mut self) -> Progress {
        let (Some(stream), Some(rest)) = (&mut self.stream, &mut self.rest) else {
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

impl<W: Write> Sink for SocketSink<W> {
    fn is_free(&self) -> bool {
        self.stream.is_some() && self.rest.is_none()
    }

    fn deliver(&mut self, delivery: Delivery) -> Taken {
        let chunk = Chunk::new(self.framing, delivery.bytes, delivery.last);
        let written = match &mut self.stream {
            Some(stream) => write_chunk(stream, &chunk, 0),
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
        if let Some(stream) = &mut self.stream {
            // Whoever took nothing for so long is not waited for.
            drop(write_text(stream, &text));
        }
    }
}

/// Writes a chunk from a place on, as far as the socket takes it.
fn write_chunk(stream: &mut impl Write, chunk: &Chunk, from: usize) -> io::Result<usize> {
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
fn write_text(stream: &mut impl Write, text: &[u8]) -> io::Result<usize> {
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
