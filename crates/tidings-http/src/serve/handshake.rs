//! The beginning of a connection to a port that speaks TLS.

use std::io;
use std::time::Duration;

use tidings_wire::problem::{Code, Problem};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::connection::ConnectionError;
use super::stall::Stalling;
use super::unread;
use super::wire::{Measured, Wire};
use crate::app::App;
use crate::limits::{TLS_HANDSHAKE_BYTES_MAX, TLS_HANDSHAKE_MS_MAX, TLS_SEND_BUFFER_BYTES_MAX};
use crate::metrics::HandshakeLabels;
use crate::peer::Peer;
use crate::tls::Tls;

/// How the beginning of a connection went, in the words of its figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Completed,
    Failed,
    TimedOut,
    /// There was no place for another.
    Refused,
    /// The client speaks HTTP without TLS.
    Plain,
    /// The client said nothing and went away, as probes of TCP do.
    Silent,
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Refused => "refused",
            Self::Plain => "plain_http",
            Self::Silent => "silent",
        }
    }
}

/// Shakes hands with a client; none if there was nobody to shake hands with.
///
/// # Cancel safety
///
/// The connection ends with the future.
pub(super) async fn shake_hands(
    app: &App,
    tls: &Tls,
    socket: TcpStream,
    peer: Peer,
) -> Result<Option<Wire>, ConnectionError> {
    let Ok(_place) = tls.places.try_acquire() else {
        count(app, Outcome::Refused);
        return Ok(None);
    };
    let within = Duration::from_millis(TLS_HANDSHAKE_MS_MAX);
    let (outcome, ended) = match timeout(within, begin(tls, socket)).await {
        Ok(Ok(Begun::Tls(wire))) => (Outcome::Completed, Ok(Some(wire))),
        Ok(Ok(Begun::Nothing)) => (Outcome::Silent, Ok(None)),
        Ok(Ok(Begun::Plain(socket))) => {
            count(app, Outcome::Plain);
            let response = app.refuse_unread(in_the_clear(), peer);
            unread::answer(socket, response, b"").await?;
            return Ok(None);
        }
        Ok(Err(error)) => (Outcome::Failed, Err(error.into())),
        Err(_) => (Outcome::TimedOut, Err(ConnectionError::NoHandshake)),
    };
    count(app, outcome);
    ended
}

/// What a client has begun with.
enum Begun {
    Tls(Wire),
    Plain(TcpStream),
    Nothing,
}

async fn begin(tls: &Tls, socket: TcpStream) -> io::Result<Begun> {
    // Nothing is set up for a client that has not said anything.
    let mut first = [0];
    if socket.peek(&mut first).await? == 0 {
        return Ok(Begun::Nothing);
    }
    // Records of TLS begin with their type, which is no letter; methods of HTTP are letters.
    if first[0].is_ascii_alphabetic() {
        return Ok(Begun::Plain(socket));
    }
    let measured = Measured::new(Stalling::new(socket), TLS_HANDSHAKE_BYTES_MAX);
    let mut stream = tls.acceptor().accept(measured).await?;
    let (measured, session) = stream.get_mut();
    measured.lift();
    session.set_buffer_limit(Some(TLS_SEND_BUFFER_BYTES_MAX));
    Ok(Begun::Tls(Wire::Tls(Box::new(stream))))
}

fn in_the_clear() -> Problem {
    let detail = "the request came in the clear, and this port takes TLS";
    Problem::new(Code::InvalidRequest, detail).with_hint("use `https://`")
}

fn count(app: &App, outcome: Outcome) {
    let labels = HandshakeLabels {
        outcome: outcome.as_str(),
    };
    app.metrics()
        .operation
        .tls_handshakes
        .get_or_create(&labels)
        .inc();
}
