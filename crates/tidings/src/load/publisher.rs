//! One publisher: a keep-alive socket of its own, with one request in flight.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use memchr::memmem;

use super::head::HeadSoFar;
use super::limits::{ANSWER_BYTES_MAX, ANSWER_MAX_SECONDS, REFUSAL_BYTES_MAX};
use super::probe::Probe;
use super::publishing::{Format, PublishPlan};
use super::timetable::Turn;

/// A socket that has rested for this long is replaced, before the hub's patience with it ends.
const REST_MAX: Duration = Duration::from_secs(4);

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
    used: Instant,
    request: Vec<u8>,
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
            used: Instant::now(),
            request: Vec::new(),
            body: Vec::new(),
            answer: Vec::new(),
            buffer: vec![0; READ_BYTES],
            accepted: vec![0; plan.topics()],
        })
    }

    /// Publishes the events of a turn in one request, and waits for the answer.
    pub(super) fn publish(
        &mut self,
        plan: &PublishPlan,
        turn: Turn,
    ) -> Result<Outcome, PublishError> {
        if self.used.elapsed() > REST_MAX {
            self.socket = connect(plan)?;
        }
        self.write_request(plan, turn);
        let (status, closes) = self.exchange().map_err(|source| PublishError::Io {
            to: plan.target.host.clone(),
            source,
        })?;
        self.used = Instant::now();
        if closes {
            self.socket = connect(plan)?;
        }
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

    /// Sends the request and reads the answer: its status, and whether the connection ends with it.
    fn exchange(&mut self) -> io::Result<(u16, bool)> {
        self.socket.write_all(&self.request)?;
        self.answer.clear();
        let mut head_so_far = HeadSoFar::default();
        let mut head = None;
        loop {
            let length = self.socket.read(&mut self.buffer)?;
            let mut arrived = self.buffer.get(..length).unwrap_or_default();
            if head.is_none() {
                head = head_so_far.take(&mut arrived).map_err(io::Error::other)?;
            }
            if let Some(head) = &mut head {
                while let Some(piece) = head.body.next(&mut arrived).map_err(io::Error::other)? {
                    let room = ANSWER_BYTES_MAX.saturating_sub(self.answer.len());
                    self.answer
                        .extend_from_slice(piece.get(..room).unwrap_or(piece));
                }
                if head.body.is_over() || (length == 0 && head.body.is_endless()) {
                    return Ok((head.status, head.closes || length == 0));
                }
            }
            if length == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
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
        socket.set_read_timeout(Some(Duration::from_secs(ANSWER_MAX_SECONDS)))?;
        Ok(socket)
    };
    connect().map_err(|source| PublishError::Io {
        to: plan.target.host.clone(),
        source,
    })
}
