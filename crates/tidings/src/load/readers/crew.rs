//! One thread with its readers: a poll, one buffer for all of them, and one order at a time.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError};
use std::time::Duration;

use mio::{Events, Poll, Token, Waker};

use super::reader::{Progress, Reader, Reading};
use super::{Order, ReadPlan};
use crate::load::clock::now_us;
use crate::load::ledger::{Ledger, Noted};
use crate::load::limits::{READ_BYTES, RETURN_AFTER_US, RETURNS_MAX};
use crate::load::probe::ProbeFinder;
use crate::load::scanner::Told;
use crate::load::tally::Tally;

const WAKE: Token = Token(usize::MAX);
const EVENTS_AT_ONCE: usize = 1_024;

/// The longest wait for anything; an order wakes the thread earlier.
const TURN: Duration = Duration::from_secs(1);

/// A thread with its readers.
pub(super) struct Crew {
    pub(super) plan: Arc<ReadPlan>,
    pub(super) readers: Vec<Reader>,
    poll: Poll,
    events: Events,
    buffer: Vec<u8>,
    finder: ProbeFinder,
    /// Events due from the one on until before the other are timed.
    pub(super) window: (u64, u64),
    pub(super) tally: Tally,
    /// Readers that are to connect.
    pub(super) waiting: VecDeque<usize>,
    /// Readers that come back at a time.
    pub(super) returning: BinaryHeap<Reverse<(u64, usize)>>,
    /// Readers that have begun to connect and have no response head.
    pub(super) opening: usize,
    /// When anything happened last.
    pub(super) stirred_us: u64,
    pub(super) aim: Option<Aim>,
    /// Until when readers connect only to leave again.
    pub(super) storm_until: Option<u64>,
    /// Since when readers do as their streams ask: leave, and come back at their own time.
    pub(super) sent_away_us: Option<u64>,
}

/// What every reader is to have.
pub(super) struct Aim {
    /// Events of each topic.
    pub(super) expected: Vec<u64>,
    pub(super) began_us: u64,
    /// Readers that do not have them.
    pub(super) incomplete: usize,
}

impl Crew {
    pub(super) fn new(plan: Arc<ReadPlan>, numbers: Vec<usize>) -> io::Result<(Self, Waker)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        let reader = |number| Reader::new(number, plan.topics);
        let crew = Self {
            readers: numbers.into_iter().map(reader).collect(),
            plan,
            poll,
            events: Events::with_capacity(EVENTS_AT_ONCE),
            buffer: vec![0; READ_BYTES],
            finder: ProbeFinder::new(),
            window: (u64::MAX, u64::MAX),
            tally: Tally::default(),
            waiting: VecDeque::new(),
            returning: BinaryHeap::new(),
            opening: 0,
            stirred_us: 0,
            aim: None,
            storm_until: None,
            sent_away_us: None,
        };
        Ok((crew, waker))
    }

    /// Works until nobody can give orders any more, or the poll fails.
    pub(super) fn work(&mut self, orders: &Receiver<Arc<Order>>, answers: &SyncSender<Tally>) {
        loop {
            let worked = match orders.try_recv() {
                Ok(order) => self.obey(&order).map(|tally| answers.send(tally).is_ok()),
                Err(TryRecvError::Empty) => self.turn(TURN).map(|()| true),
                Err(TryRecvError::Disconnected) => return,
            };
            // Whoever waits for an answer notices that none can come.
            if !worked.is_ok_and(|asked| asked) {
                return;
            }
        }
    }

    /// Waits for something to happen, and deals with it.
    pub(super) fn turn(&mut self, longest: Duration) -> io::Result<()> {
        self.admit();
        let now = now_us();
        let until_return = self.returning.peek().map(|Reverse((due_us, _))| {
            // Late by less than the grain of the poll.
            Duration::from_micros(due_us.saturating_sub(now)) + Duration::from_millis(1)
        });
        let timeout = until_return.map_or(longest, |until| until.min(longest));
        match self.poll.poll(&mut self.events, Some(timeout)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            polled => polled?,
        }
        // The list is put back, with its memory, when it has been worked through.
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in events.iter().filter(|event| event.token() != WAKE) {
            let Token(index) = event.token();
            if let Some(reader) = self.readers.get_mut(index) {
                reader.is_closing |= event.is_read_closed();
            }
            self.look(index);
        }
        self.events = events;
        Ok(())
    }

    /// Lets one reader read, unless it has stopped.
    pub(super) fn look(&mut self, index: usize) {
        let Self {
            readers,
            tally,
            window,
            plan,
            finder,
            buffer,
            stirred_us,
            ..
        } = self;
        let Some(reader) = readers.get_mut(index) else {
            return;
        };
        if reader.reading == Reading::Stopped || reader.is_away() {
            return;
        }
        let (is_timed, was_open) = (reader.reading == Reading::Always, reader.is_open());
        let mut told = |ledger: &mut Ledger, told, now_us: u64| {
            *stirred_us = now_us;
            let Told::Probe(probe) = told else {
                tally.gaps += 1;
                return;
            };
            tally.events += 1;
            tally.last_us = now_us;
            match ledger.note(probe) {
                Noted::InOrder => {}
                Noted::OutOfOrder => tally.out_of_order += 1,
                Noted::Repeated => tally.repeated += 1,
            }
            if is_timed && (window.0..window.1).contains(&probe.due_us) {
                let latency = now_us.saturating_sub(probe.due_us);
                tally.deliveries.record(latency);
            }
        };
        let progress = reader.look(plan, finder, buffer, &mut told);
        self.check_complete(index);
        match progress {
            Progress::Same => {}
            Progress::Opened => self.opened(index),
            Progress::Ended(cause) if was_open => {
                self.tally.open -= 1;
                self.tally.interrupted += 1;
                self.lost(index, cause);
            }
            // The head and the end may come in one piece.
            Progress::Ended(cause) | Progress::Refused(cause) => {
                self.opening -= 1;
                self.lost(index, cause);
            }
        }
    }

    /// Notes whether a reader has everything, once it is known what that is.
    pub(super) fn check_complete(&mut self, index: usize) {
        let (Some(aim), Some(reader)) = (&mut self.aim, self.readers.get_mut(index)) else {
            return;
        };
        let expected = aim.expected.get(reader.topic as usize).copied();
        if !reader.is_complete && reader.ledger.seen() >= expected.unwrap_or(0) {
            reader.is_complete = true;
            aim.incomplete -= 1;
            let took = now_us().saturating_sub(aim.began_us);
            self.tally.returns.record(took);
        }
    }

    fn opened(&mut self, index: usize) {
        let now = now_us();
        self.opening -= 1;
        self.stirred_us = now;
        let Some(reader) = self.readers.get_mut(index) else {
            return;
        };
        reader.is_known = true;
        reader.returns = 0;
        self.tally.openings.record(now - reader.begun_us);
        match self.storm_until {
            None => {
                self.tally.open += 1;
                self.came_back(now);
            }
            Some(until_us) => {
                reader.leave();
                if now < until_us {
                    self.waiting.push_back(index);
                }
            }
        }
    }

    /// A connection is gone, or did not come about.
    fn lost(&mut self, index: usize, cause: String) {
        if self.sent_away_us.is_some() {
            return self.sent_away(index);
        }
        let Some(reader) = self.readers.get_mut(index) else {
            return;
        };
        reader.leave();
        reader.returns += 1;
        let storms = self.storm_until.is_some();
        if storms || !reader.is_known || reader.returns > RETURNS_MAX {
            self.tally.failed += 1;
        }
        self.tally.cause = Some(cause);
        if (storms || reader.is_known) && reader.returns <= RETURNS_MAX {
            self.returning
                .push(Reverse((now_us() + RETURN_AFTER_US, index)));
        }
    }

    /// Begins as many connections as may be opening.
    fn admit(&mut self) {
        let now = now_us();
        while self
            .returning
            .peek()
            .is_some_and(|Reverse((due_us, _))| *due_us <= now)
        {
            let due = self.returning.pop();
            self.waiting.extend(due.map(|Reverse((_, index))| index));
        }
        while self.opening < self.plan.opening
            && let Some(index) = self.waiting.pop_front()
        {
            let Some(reader) = self.readers.get_mut(index) else {
                continue;
            };
            let brief = self.storm_until.is_some();
            let (registry, token) = (self.poll.registry(), Token(index));
            match reader.connect(&self.plan, registry, token, brief, now_us()) {
                Ok(()) => self.opening += 1,
                Err(error) => self.lost(index, error.to_string()),
            }
        }
    }

    /// Closes all connections and forgets who was to come back.
    pub(super) fn leave(&mut self) {
        for reader in &mut self.readers {
            reader.leave();
        }
        self.waiting.clear();
        self.returning.clear();
        self.opening = 0;
        self.tally.open = 0;
    }

    /// Whether nobody is on the way to a connection.
    pub(super) fn is_settled(&self) -> bool {
        self.opening == 0 && self.waiting.is_empty() && self.returning.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread;

    use super::*;
    use crate::load::target::{Target, TopicTemplate};

    fn crew(address: &str) -> Crew {
        let plan = ReadPlan {
            target: Target::resolve(&format!("http://{address}/{{topic}}")).expect("a URL"),
            topic: TopicTemplate::new("bench/{n}".to_owned()),
            topics: 1,
            token: None,
            first: 0,
            readers: 1,
            threads: 1,
            opening: 1,
            source_addresses: 0,
            patience_us: 1_000_000,
        };
        Crew::new(Arc::new(plan), vec![0]).expect("a poll").0
    }

    #[test]
    fn a_reader_that_had_stopped_notices_that_its_connection_has_ended_meanwhile() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let mut crew = crew(&listener.local_addr().expect("an address").to_string());
        let hub = thread::spawn(move || {
            let mut connection = listener.accept().expect("a reader").0;
            let mut request = [0; 1_024];
            let _request = connection.read(&mut request).expect("a request");
            let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
            connection.write_all(head).expect("a head");
            connection
        });
        crew.obey(&Order::Open).expect("opened");
        let mut connection = hub.join().expect("a connection");
        crew.obey(&Order::Stop { readers: 1 }).expect("stopped");
        connection.write_all(b"data: 1\n\n").expect("an event");
        drop(connection);
        let is_closing = |crew: &Crew| crew.readers.iter().all(|reader| reader.is_closing);
        while !is_closing(&crew) {
            crew.turn(TURN).expect("a turn");
        }
        assert_eq!(crew.tally.interrupted, 0, "it reads nothing yet");
        for reader in &mut crew.readers {
            reader.reading = Reading::Again;
        }
        crew.look(0);
        assert_eq!(crew.tally.interrupted, 1);
        assert!(
            crew.readers.iter().all(Reader::is_away),
            "it is to come back"
        );
    }
}
