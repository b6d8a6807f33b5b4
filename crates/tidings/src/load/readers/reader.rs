//! One reader: its connection, as far as it has come, and what it has seen.

use std::fmt::Write as _;
use std::io::{self, Read as _, Write as _};

use mio::event::Source as _;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use super::ReadPlan;
use crate::load::body::Body;
use crate::load::clock::now_us;
use crate::load::head::HeadSoFar;
use crate::load::ledger::Ledger;
use crate::load::limits::REFUSAL_BYTES_MAX;
use crate::load::probe::ProbeFinder;
use crate::load::scanner::{Scanner, Told};
use crate::load::socket::{begin_connect, close_without_rest, source_address};

/// How far a connection has come.
#[derive(Debug)]
enum Stage {
    /// There is none.
    Away,
    Connecting,
    /// The request is sent.
    Asked(HeadSoFar),
    /// The stream is open.
    Open(Body),
    /// The hub answered with something else than a stream.
    Refused {
        status: u16,
        body: Body,
        text: Vec<u8>,
    },
}

/// Whether a reader reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    Always,
    /// Not for now.
    Stopped,
    /// It had stopped: what it gets is not timed with the others'.
    Again,
}

/// What has become of a connection after a look at it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// It goes on.
    Same,
    /// The response head has arrived: the reader is subscribed.
    Opened,
    /// It ended or failed, and why.
    Ended(String),
    /// The hub refused, and why.
    Refused(String),
}

/// One reader.
#[derive(Debug)]
pub(super) struct Reader {
    number: usize,
    pub(super) topic: u32,
    socket: Option<TcpStream>,
    stage: Stage,
    scanner: Scanner,
    pub(super) ledger: Ledger,
    pub(super) reading: Reading,
    /// The hub has closed its side, so that an end stands behind what waits to be read.
    pub(super) is_closing: bool,
    /// It has had a stream, so that it comes back when it loses it.
    pub(super) is_known: bool,
    /// How often in a row it came back in vain.
    pub(super) returns: u32,
    /// When the present connection was begun.
    pub(super) begun_us: u64,
    /// It has everything that was accepted.
    pub(super) is_complete: bool,
}

impl Reader {
    pub(super) fn new(number: usize, topics: u32) -> Self {
        Self {
            number,
            topic: (number % topics as usize) as u32,
            socket: None,
            stage: Stage::Away,
            scanner: Scanner::default(),
            ledger: Ledger::default(),
            reading: Reading::Always,
            is_closing: false,
            is_known: false,
            returns: 0,
            begun_us: 0,
            is_complete: false,
        }
    }

    /// The number among all readers of the load.
    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// After how long it comes back, as its stream has asked for.
    pub(super) fn retry_ms(&self) -> Option<u64> {
        self.scanner.retry_ms()
    }

    /// Whether there is no connection.
    pub(super) fn is_away(&self) -> bool {
        matches!(self.stage, Stage::Away)
    }

    /// Whether there is a connection without a response head.
    pub(super) fn is_opening(&self) -> bool {
        matches!(
            self.stage,
            Stage::Connecting | Stage::Asked(_) | Stage::Refused { .. }
        )
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open(_))
    }

    /// Begins to connect.
    pub(super) fn connect(
        &mut self,
        plan: &ReadPlan,
        registry: &Registry,
        token: Token,
        brief: bool,
        now_us: u64,
    ) -> io::Result<()> {
        let from = source_address(self.number, plan.source_addresses);
        let mut socket = begin_connect(plan.target.address, from)?;
        if brief {
            close_without_rest(&socket)?;
        }
        socket.register(registry, token, Interest::READABLE | Interest::WRITABLE)?;
        self.socket = Some(socket);
        self.is_closing = false;
        self.stage = Stage::Connecting;
        self.begun_us = now_us;
        Ok(())
    }

    /// Closes the connection, if there is one.
    pub(super) fn leave(&mut self) {
        self.socket = None;
        self.stage = Stage::Away;
        self.scanner.interrupt();
    }

    /// Reads what has arrived, or sends the request when the connection is made.
    pub(super) fn look(
        &mut self,
        plan: &ReadPlan,
        finder: &ProbeFinder,
        buffer: &mut [u8],
        told: &mut impl FnMut(&mut Ledger, Told, u64),
    ) -> Progress {
        if matches!(self.stage, Stage::Connecting) {
            return match self.ask(plan) {
                Ok(()) => Progress::Same,
                Err(error) => Progress::Ended(error.to_string()),
            };
        }
        let mut opened = false;
        while let Some(socket) = self.socket.as_mut() {
            match socket.read(buffer) {
                Ok(0) => return self.ended(),
                Ok(length) => {
                    let arrived = buffer.get(..length).unwrap_or_default();
                    match self.take(arrived, now_us(), finder, told) {
                        Progress::Same => {}
                        Progress::Opened => opened = true,
                        over => return over,
                    }
                    // Less than was asked for is all there was; more rings again. An end that has
                    // come does not: it has rung already, perhaps while the reader had stopped.
                    if length < buffer.len() && !self.is_closing {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Progress::Ended(error.to_string()),
            }
        }
        if opened {
            Progress::Opened
        } else {
            Progress::Same
        }
    }

    fn ask(&mut self, plan: &ReadPlan) -> io::Result<()> {
        let request = self.request(plan);
        let Some(socket) = self.socket.as_mut() else {
            return Ok(());
        };
        if let Some(error) = socket.take_error()? {
            return Err(error);
        }
        match socket.write(request.as_bytes()) {
            Ok(sent) if sent == request.len() => {
                self.stage = Stage::Asked(HeadSoFar::default());
                Ok(())
            }
            Ok(_) => Err(io::Error::other("the request does not fit into the socket")),
            // The event was for something else; one for the connection follows.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected
                ) =>
            {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn request(&self, plan: &ReadPlan) -> String {
        let topic = plan.topic.topic(self.topic);
        let path = plan.target.path(&topic, self.topic);
        let host = &plan.target.host;
        let mut text = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\nCache-Control: no-cache\r\n"
        );
        // Writing to memory cannot fail.
        if let Some(token) = &plan.token {
            let _written = write!(text, "Authorization: Bearer {token}\r\n");
        }
        if let Ok(id) = str::from_utf8(self.scanner.last_id())
            && !id.is_empty()
        {
            let _written = write!(text, "Last-Event-ID: {id}\r\n");
        }
        text.push_str("\r\n");
        text
    }

    /// Takes in what was read.
    fn take(
        &mut self,
        mut arrived: &[u8],
        now_us: u64,
        finder: &ProbeFinder,
        told: &mut impl FnMut(&mut Ledger, Told, u64),
    ) -> Progress {
        let mut progress = Progress::Same;
        if let Stage::Asked(head) = &mut self.stage {
            let head = match head.take(&mut arrived) {
                Ok(Some(head)) => head,
                Ok(None) => return Progress::Same,
                Err(error) => return Progress::Refused(error.to_string()),
            };
            if head.status == 200 {
                self.stage = Stage::Open(head.body);
                progress = Progress::Opened;
            } else {
                self.stage = Stage::Refused {
                    status: head.status,
                    body: head.body,
                    text: Vec::new(),
                };
            }
        }
        match &mut self.stage {
            Stage::Open(body) => loop {
                match body.next(&mut arrived) {
                    Ok(Some(piece)) => {
                        let ledger = &mut self.ledger;
                        self.scanner
                            .scan(piece, finder, |one| told(ledger, one, now_us));
                    }
                    Ok(None) if body.is_over() => return self.ended(),
                    Ok(None) => return progress,
                    Err(error) => return Progress::Ended(error.to_string()),
                }
            },
            Stage::Refused { body, text, .. } => {
                while let Ok(Some(piece)) = body.next(&mut arrived) {
                    let room = REFUSAL_BYTES_MAX.saturating_sub(text.len());
                    text.extend_from_slice(piece.get(..room).unwrap_or(piece));
                }
                if body.is_over() {
                    return self.ended();
                }
            }
            _ => {}
        }
        progress
    }

    /// What it means that nothing more comes.
    fn ended(&self) -> Progress {
        match &self.stage {
            Stage::Refused { status, text, .. } => {
                let text = String::from_utf8_lossy(text);
                Progress::Refused(format!("{status} {}", text.trim()).trim().to_owned())
            }
            _ => Progress::Ended("the hub closed the connection".to_owned()),
        }
    }
}
