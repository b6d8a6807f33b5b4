//! One publisher: a keep-alive socket of its own, with one request in flight, that never waits.

use std::io;
use std::os::fd::RawFd;

use memchr::memmem;

use super::clock::now_us;
use super::exchange::Exchange;
use super::limits::{ANSWER_MAX_US, REFUSAL_BYTES_MAX};
use super::probe::Probe;
use super::publishing::{Format, PublishPlan};
use super::timetable::Turn;

/// A socket that has rested for this long is replaced, before the hub's patience with it ends.
const REST_MAX_US: u64 = 4_000_000;

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
    exchange: Exchange,
    used_us: u64,
    turn: Option<Turn>,
    body: Vec<u8>,
    /// Accepted events of each topic.
    pub(super) accepted: Vec<u32>,
}

impl Publisher {
    /// Connects.
    pub(super) fn connect(plan: &PublishPlan, number: u32) -> Result<Self, PublishError> {
        Ok(Self {
            number,
            exchange: connect(plan)?,
            used_us: now_us(),
            turn: None,
            body: Vec::new(),
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
        self.write_body(plan, turn);
        self.turn = Some(turn);
        let asked = self
            .exchange
            .ask(plan, plan.topic_of(turn.first), &self.body);
        asked.map_err(|source| failed(plan, source))
    }

    /// The socket, if it has not been asked for since it was made.
    pub(super) fn new_socket(&mut self) -> Option<RawFd> {
        self.exchange.new_socket()
    }

    /// The socket.
    pub(super) fn socket(&mut self) -> RawFd {
        self.exchange.socket()
    }

    /// Goes on with another socket.
    pub(super) fn reconnect(&mut self, plan: &PublishPlan) -> Result<(), PublishError> {
        self.exchange = connect(plan)?;
        Ok(())
    }

    /// Goes on with what was begun; its turn and what the hub said, once the answer is whole.
    pub(super) fn go_on(
        &mut self,
        plan: &PublishPlan,
    ) -> Result<Option<(Turn, Outcome)>, PublishError> {
        let Some(turn) = self.turn else {
            if self.exchange.rest().is_err() {
                // The next turn begins with another connection.
                self.used_us = 0;
            }
            return Ok(None);
        };
        let answered = self.exchange.go_on();
        let Some(answered) = answered.map_err(|source| failed(plan, source))? else {
            if now_us().saturating_sub(self.used_us) > ANSWER_MAX_US {
                return Err(failed(plan, io::ErrorKind::TimedOut.into()));
            }
            return Ok(None);
        };
        self.turn = None;
        self.used_us = now_us();
        // An answer to half a request leaves the other half in the way of the next one.
        let outcome = self.judge(plan, turn, answered.status)?;
        if answered.closes || self.exchange.is_sending() {
            self.reconnect(plan)?;
        }
        Ok(Some((turn, outcome)))
    }

    fn judge(
        &mut self,
        plan: &PublishPlan,
        turn: Turn,
        status: u16,
    ) -> Result<Outcome, PublishError> {
        let receipts = match plan.format {
            Format::Ndjson => memmem::find_iter(self.exchange.answer(), RECEIPT).count() as u64,
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

    fn write_body(&mut self, plan: &PublishPlan, turn: Turn) {
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
    }

    fn answer_text(&self) -> String {
        let answer = self.exchange.answer();
        let shown = answer.len().min(REFUSAL_BYTES_MAX);
        let text = String::from_utf8_lossy(answer.get(..shown).unwrap_or_default());
        text.trim().to_owned()
    }
}

fn connect(plan: &PublishPlan) -> Result<Exchange, PublishError> {
    Exchange::connect(plan).map_err(|source| failed(plan, source))
}

pub(super) fn failed(plan: &PublishPlan, source: io::Error) -> PublishError {
    PublishError::Io {
        to: plan.target.host.clone(),
        source,
    }
}
