//! A peer of HTTP/2 that writes its own frames, so that it may do what no library does.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::world::World;

// Kinds of frames (RFC 9113, section 6).
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;

pub(crate) const ACK: u8 = 1;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) payload: Vec<u8>,
}

/// A client that writes its own frames.
pub(crate) struct Peer(TcpStream);

impl Peer {
    pub(crate) async fn connect(world: &World) -> Self {
        let socket = TcpStream::connect(world.address).await.expect("connects");
        Self::begin(socket, &[]).await
    }

    /// Begins on a connection, with these settings.
    pub(crate) async fn begin(mut socket: TcpStream, settings: &[u8]) -> Self {
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        socket.write_all(preface).await.expect("sent");
        let mut peer = Self(socket);
        peer.send(&frame(SETTINGS, 0, 0, settings)).await;
        peer
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.expect("sent");
    }

    /// The next frame; none at the end.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await.ok()?;
        let [l2, l1, l0, kind, flags, ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, l2, l1, l0]) as usize];
        self.0.read_exact(&mut payload).await.ok()?;
        Some(Frame {
            kind,
            flags,
            payload,
        })
    }

    /// The next frame of this kind.
    pub(crate) async fn next_of(&mut self, kind: u8) -> Frame {
        loop {
            let frame = self.next().await.expect("the connection goes on");
            if frame.kind == kind {
                return frame;
            }
        }
    }

    /// Whether the connection still answers.
    pub(crate) async fn is_alive(&mut self) -> bool {
        self.send(&frame(PING, 0, 0, &[7; 8])).await;
        let pong = self.next_of(PING).await;
        pong.flags == ACK && pong.payload == [7; 8]
    }
}

/// The bytes of a frame.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// A header that is not to be indexed, of a name and a value below 127 bytes (RFC 7541, section 6.2).
fn field(name: &str, value: &str) -> Vec<u8> {
    let length = |text: &str| [u8::try_from(text.len()).expect("short")];
    let (name_length, value_length) = (length(name), length(value));
    let pieces: [&[u8]; 5] = [
        &[0],
        &name_length,
        name.as_bytes(),
        &value_length,
        value.as_bytes(),
    ];
    pieces.concat()
}

/// A request for a target that ends with its head.
pub(crate) fn get(stream: u32, target: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut head = [
        field(":method", "GET"),
        field(":scheme", "http"),
        field(":path", target),
        field(":authority", "hub.test"),
    ]
    .concat();
    for (name, value) in headers {
        head.extend(field(name, value));
    }
    frame(HEADERS, END_STREAM | END_HEADERS, stream, &head)
}
