//! One publisher: a keep-alive socket of its own, with one request in flight, that never waits.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::os::fd::{AsRawFd as _, RawFd};

use memchr::memmem;

use super::clock::now_us;
use super::head::{Head, HeadSoFar};
use super::limits::{ANSWER_BYTES_MAX, ANSWER_MAX_US, REFUSAL_BYTES_MAX};
use super::probe::Probe;
use super::publishing::{Format, PublishPlan};
use super::timetable::Turn;

/// A socket that has rested for this long is replaced, before the hub's patience with it ends.
const REST_MAX_US: u64 = 4_000_000;

const READ_BYTES: usize = 16 * 1024;

/// What stands in the receipt of every accepted event.
const RECEIPT: &[u8] = b"\"cursor\":";

/// Why a publish came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishError {
    /// The hub cannot be reached, or went away before its answer.
    #[error("cannot publish at `{to}`")]
    Io {
        to: String,
        #[source]
        source: io::Error,
    },
    /// The hub answered that it will not.
    #[error("the hub refused a publish: {status} {answer}")]
    Refused { status: u16, answer: String },
    /// Some events of a body were accepted, and which is not known.
    #[error("the hub accepted {accepted} of {sent} events of one body: {answer}")]
    Partly {
        accepted: u64,
        sent: u64,
        answer: String,
    },
}

/// What a hub said to a publish.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Accepted,
    /// Not now: too many requests, or unavailable.
    Refused,
}

/// A publisher.
pub(super) struct Publisher {
    number: u32,
    socket: TcpStream,
    /// The socket is one that nobody watches yet.
    is_new: bool,
    used_us: u64,
    request: Vec<u8>,
    /// Bytes of the request that are sent.
    sent: usize,
    turn: Option<Turn>,
    head_so_far: HeadSoFar,
    head: Option<Head>,
    body: Vec<u8>,
    answer: Vec<u8>,
    buffer: Vec<u8>,
    /// Accepted events of each topic.
    pub(super) accepted: Vec<u32>,
}

impl Publisher {
    /// Connects.
    pub(super) fn connect(plan: &PublishPlan, number: u32) -> Result<Self, PublishError> {
        Ok(Self {
            number,
            socket: connect(plan)?,
            is_new: true,
            used_us: now_us(),
            request: Vec::new(),
            sent: 0,
            turn: None,
            head_so_far: HeadSoFar::default(),
            head: None,
            body: Vec::new(),
            answer: Vec::new(),
            buffer: vec![0; READ_BYTES],
            accepted: vec![0; plan.topics()],
        })
    }

    /// Begins to publish the events of a turn in one request.
    pub(super) fn begin(&mut self, plan: &PublishPlan, turn: Turn) -> Result<(), PublishError> {
        let now = now_us();
        if now.saturating_sub(self.used_us) > REST_MAX_US {
            self.reconnect(plan)?;
        }
        self.used_us = now;
        self.write_request(plan, turn);
        self.sent = 0;
        self.turn = Some(turn);
        self.head_so_far = HeadSoFar::default();
        self.head = None;
        self.answer.clear();
        self.send().map_err(|source| failed(plan, source))
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

    fn reconnect(&mut self, plan: &PublishPlan) -> Result<(), PublishError> {
        self.socket = connect(plan)?;
        self.is_new = true;
        Ok(())
    }

    /// Whether a part of the request is still to be sent.
    fn is_sending(&self) -> bool {
        self.sent < self.request.len()
    }

    /// Goes on with what was begun; its turn and what the hub said, once the answer is whole.
    pub(super) fn go_on(
        &mut self,
        plan: &PublishPlan,
    ) -> Result<Option<(Turn, Outcome)>, PublishError> {
        let Some(turn) = self.turn else {
            return Ok(None);
        };
        let answered = self.send().and_then(|()| self.receive());
        let Some((status, closes)) = answered.map_err(|source| failed(plan, source))? else {
            if now_us().saturating_sub(self.used_us) > ANSWER_MAX_US {
                return Err(failed(plan, io::ErrorKind::TimedOut.into()));
            }
            return Ok(None);
        };
        self.turn = None;
        self.used_us = now_us();
        // An answer to half a request leaves the other half in the way of the next one.
        if closes || self.is_sending() {
            self.reconnect(plan)?;
        }
        self.judge(plan, turn, status)
            .map(|outcome| Some((turn, outcome)))
    }

    fn judge(
        &mut self,
        plan: &PublishPlan,
        turn: Turn,
        status: u16,
    ) -> Result<Outcome, PublishError> {
        let receipts = match plan.format {
            Format::Ndjson => memmem::find_iter(&self.answer, RECEIPT).count() as u64,
            Format::Tidings | Format::Raw => turn.events,
        };
        match status {
            200..300 if receipts == turn.events => {
                for event in turn.first..turn.first + turn.events {
                    if let Some(accepted) = self.accepted.get_mut(plan.topic_of(event)) {
                        *accepted += 1;
                    }
                }
                Ok(Outcome::Accepted)
            }
            200..300 => Err(PublishError::Partly {
                accepted: receipts,
                sent: turn.events,
                answer: self.answer_text(),
            }),
            429 | 503 => Ok(Outcome::Refused),
            status => Err(PublishError::Refused {
                status,
                answer: self.answer_text(),
            }),
        }
    }

    fn write_request(&mut self, plan: &PublishPlan, turn: Turn) {
        self.body.clear();
        for event in turn.first..turn.first + turn.events {
            let topic = plan.topic_of(event);
            // Events of one topic in one body follow each other.
            let before = (event - turn.first) / plan.topics() as u64;
            let serial = self.accepted.get(topic).copied().unwrap_or(0) + before as u32 + 1;
            let probe = Probe {
                publisher: self.number,
                serial,
                due_us: turn.due_us,
            };
            plan.write_event(topic, probe, &mut self.body);
        }
        self.request.clear();
        let topic = plan.topic_of(turn.first);
        plan.write_head(topic, self.body.len(), &mut self.request);
        self.request.extend_from_slice(&self.body);
    }

    /// Sends as much of the request as the socket takes.
    fn send(&mut self) -> io::Result<()> {
        while let Some(rest) = self
            .request
            .get(self.sent..)
            .filter(|rest| !rest.is_empty())
        {
            match self.socket.write(rest) {
                Ok(sent) => self.sent += sent,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads as much of the answer as is there: its status, and whether the connection ends with it,
    /// once it is whole.
    fn receive(&mut self) -> io::Result<Option<(u16, bool)>> {
        loop {
            let length = match self.socket.read(&mut self.buffer) {
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let mut arrived = self.buffer.get(..length).unwrap_or_default();
            if self.head.is_none() {
                let head = self.head_so_far.take(&mut arrived);
                self.head = head.map_err(io::Error::other)?;
            }
            if let Some(head) = &mut self.head {
                while let Some(piece) = head.body.next(&mut arrived).map_err(io::Error::other)? {
                    let room = ANSWER_BYTES_MAX.saturating_sub(self.answer.len());
                    self.answer
                        .extend_from_slice(piece.get(..room).unwrap_or(piece));
                }
                if head.body.is_over() || (length == 0 && head.body.is_endless()) {
                    return Ok(Some((head.status, head.closes || length == 0)));
                }
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

    fn answer_text(&self) -> String {
        let shown = self.answer.len().min(REFUSAL_BYTES_MAX);
        let text = String::from_utf8_lossy(self.answer.get(..shown).unwrap_or_default());
        text.trim().to_owned()
    }
}

fn connect(plan: &PublishPlan) -> Result<TcpStream, PublishError> {
    let connect = || {
        let socket = TcpStream::connect(plan.target.address)?;
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    };
    connect().map_err(|source| failed(plan, source))
}

pub(super) fn failed(plan: &PublishPlan, source: io::Error) -> PublishError {
    PublishError::Io {
        to: plan.target.host.clone(),
        source,
    }
}
