//! As much of HTTP/2 as a load needs, without TLS and with prior knowledge (RFC 9113, section 3.3): one
//! connection that asks, hands over what comes, and answers what the hub is owed.
//!
//! The hub may send as much as it likes at once, so no window of the load slows it down; the hub's own
//! windows are kept. It is asked to keep no table of headers for its answers, so that the status of an
//! answer can be read without the history of the connection.

mod frames;
mod hpack;

use frames::{Frame, Frames, Kind, WHOLE_WINDOW};

pub(super) use hpack::Fields;

/// What a connection begins with (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Settings (RFC 9113, section 6.5.2).
const HEADER_TABLE_SIZE: u16 = 1;
const ENABLE_PUSH: u16 = 2;
const INITIAL_WINDOW_SIZE: u16 = 4;

/// The window that every connection and stream begins with.
const FIRST_WINDOW: i64 = 65_535;

/// Bytes of one frame that every peer takes.
const FRAME_BYTES_MAX: usize = 16_384;

/// Bytes received after which the connection's window is filled up again.
const REFILL_BYTES: u32 = 1 << 30;

/// What is wrong with what the hub sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum H2Error {
    /// No frames, or not as they may be.
    #[error("the answer is not HTTP/2")]
    NotHttp2,
    /// The hub ended the connection, with this code.
    #[error("the hub closed the connection with code {0}")]
    GoneAway(u32),
}

/// What came for a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News<'a> {
    /// The response head; whether nothing follows.
    Head { status: u16, ends: bool },
    /// A part of the body; whether nothing follows.
    Data { bytes: &'a [u8], ends: bool },
    /// The hub gave the stream up, with this code.
    Reset(u32),
}

/// The load's side of one connection.
#[derive(Debug)]
pub(super) struct Connection {
    frames: Frames,
    /// What is to be sent, requests and answers to the hub's own questions.
    out: Vec<u8>,
    next_stream: u32,
    /// Windows of the hub: of the connection, and what a stream begins with.
    window: i64,
    first_window: i64,
    received: u32,
    /// The body that is being sent: its stream, that stream's window, and the rest of it.
    sending: Option<Sending>,
}

#[derive(Debug)]
struct Sending {
    stream: u32,
    window: i64,
    body: Vec<u8>,
    sent: usize,
}

impl Connection {
    /// A connection that has yet to send its first words.
    pub(super) fn new() -> Self {
        let mut connection = Self {
            frames: Frames::default(),
            out: PREFACE.to_vec(),
            next_stream: 1,
            window: FIRST_WINDOW,
            first_window: FIRST_WINDOW,
            received: 0,
            sending: None,
        };
        let settings = [
            (HEADER_TABLE_SIZE, 0),
            (ENABLE_PUSH, 0),
            (INITIAL_WINDOW_SIZE, WHOLE_WINDOW),
        ];
        let mut payload = Vec::new();
        for (name, value) in settings {
            payload.extend_from_slice(&name.to_be_bytes());
            payload.extend_from_slice(&value.to_be_bytes());
        }
        frames::put(Kind::Settings, 0, 0, &payload, &mut connection.out);
        connection.widen(WHOLE_WINDOW - FIRST_WINDOW as u32);
        connection
    }

    /// What is to be sent, to be taken from its beginning.
    pub(super) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Asks without a body; the number of the stream.
    pub(super) fn get(&mut self, fields: &Fields) -> u32 {
        self.head(fields, true)
    }

    /// Asks with a body, which is sent as the hub's windows allow; the number of the stream. The body
    /// before is sent, or given up.
    pub(super) fn post(&mut self, fields: &Fields, body: &[u8]) -> u32 {
        let stream = self.head(fields, false);
        self.sending = Some(Sending {
            stream,
            window: self.first_window,
            body: body.to_vec(),
            sent: 0,
        });
        self.send_body();
        stream
    }

    /// Whether a part of a body waits for the hub's windows.
    pub(super) fn is_sending(&self) -> bool {
        self.sending.is_some()
    }

    /// Takes in what was read, and tells what came for which stream.
    pub(super) fn take(
        &mut self,
        input: &[u8],
        mut tell: impl FnMut(u32, News<'_>),
    ) -> Result<(), H2Error> {
        let mut frames = std::mem::take(&mut self.frames);
        let taken = frames.take(input, |frame| self.frame(frame, &mut tell));
        self.frames = frames;
        taken?;
        self.send_body();
        Ok(())
    }

    fn head(&mut self, fields: &Fields, ends: bool) -> u32 {
        let stream = self.next_stream;
        self.next_stream += 2;
        let flags = frames::END_HEADERS | if ends { frames::END_STREAM } else { 0 };
        frames::put(Kind::Headers, flags, stream, fields.block(), &mut self.out);
        stream
    }

    fn frame(
        &mut self,
        frame: Frame<'_>,
        tell: &mut impl FnMut(u32, News<'_>),
    ) -> Result<(), H2Error> {
        let Frame {
            kind,
            flags,
            stream,
            payload,
        } = frame;
        let ends = flags & frames::END_STREAM != 0;
        match kind {
            Kind::Data => {
                let length = payload.len() as u32;
                let bytes = frames::unpadded(flags, payload).ok_or(H2Error::NotHttp2)?;
                tell(stream, News::Data { bytes, ends });
                self.received += length;
                if self.received > REFILL_BYTES {
                    let received = std::mem::take(&mut self.received);
                    self.widen(received);
                }
            }
            Kind::Headers => {
                // A head that goes on in another frame is longer than any of a hub.
                if flags & frames::END_HEADERS == 0 {
                    return Err(H2Error::NotHttp2);
                }
                let block = frames::unpadded(flags, payload).ok_or(H2Error::NotHttp2)?;
                // Trailers have no status, and end the stream.
                match hpack::status(block) {
                    Some(status) => tell(stream, News::Head { status, ends }),
                    None if ends => tell(stream, News::Data { bytes: &[], ends }),
                    None => return Err(H2Error::NotHttp2),
                }
            }
            Kind::Reset => tell(stream, News::Reset(number(payload)?)),
            Kind::GoAway => {
                let code = number(payload.get(4..).unwrap_or_default())?;
                return Err(H2Error::GoneAway(code));
            }
            Kind::Settings if flags & frames::ACK == 0 => {
                self.settings(payload)?;
                frames::put(Kind::Settings, frames::ACK, 0, &[], &mut self.out);
            }
            Kind::Ping if flags & frames::ACK == 0 => {
                frames::put(Kind::Ping, frames::ACK, 0, payload, &mut self.out);
            }
            Kind::WindowUpdate => {
                let more = i64::from(number(payload)?);
                match &mut self.sending {
                    _ if stream == 0 => self.window += more,
                    Some(sending) if sending.stream == stream => sending.window += more,
                    _ => {}
                }
            }
            Kind::Settings | Kind::Ping | Kind::Other => {}
        }
        Ok(())
    }

    fn settings(&mut self, payload: &[u8]) -> Result<(), H2Error> {
        for setting in payload.chunks(6) {
            let (name, value) = setting.split_at_checked(2).ok_or(H2Error::NotHttp2)?;
            if name == INITIAL_WINDOW_SIZE.to_be_bytes() {
                let window = i64::from(number(value)?);
                if let Some(sending) = &mut self.sending {
                    sending.window += window - self.first_window;
                }
                self.first_window = window;
            }
        }
        Ok(())
    }

    /// Puts as much of the body into frames as the windows allow.
    fn send_body(&mut self) {
        let Some(sending) = &mut self.sending else {
            return;
        };
        loop {
            let rest = sending.body.get(sending.sent..).unwrap_or_default();
            let room = usize::try_from(self.window.min(sending.window)).unwrap_or(0);
            let length = rest.len().min(FRAME_BYTES_MAX).min(room);
            let ends = length == rest.len();
            if length == 0 && !ends {
                return;
            }
            let flags = if ends { frames::END_STREAM } else { 0 };
            let piece = rest.get(..length).unwrap_or_default();
            frames::put(Kind::Data, flags, sending.stream, piece, &mut self.out);
            let used = i64::try_from(length).unwrap_or(i64::MAX);
            self.window -= used;
            sending.window -= used;
            sending.sent += length;
            if ends {
                self.sending = None;
                return;
            }
        }
    }

    /// Lets the hub send so many bytes more on this connection.
    fn widen(&mut self, bytes: u32) {
        frames::put(
            Kind::WindowUpdate,
            0,
            0,
            &bytes.to_be_bytes(),
            &mut self.out,
        );
    }
}

/// The number of 32 bits that a payload begins with.
fn number(payload: &[u8]) -> Result<u32, H2Error> {
    let first = payload.first_chunk().ok_or(H2Error::NotHttp2)?;
    Ok(u32::from_be_bytes(*first))
}

#[cfg(test)]
mod tests;
