//! A shard with everything around it played by the test: log, reader threads, sockets, time.

use std::cell::RefCell;
use std::collections::{HashSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use mio::{Poll, Token, Waker};
use tidings_core::audience::Subject;
use tidings_core::coding::Coding;
use tidings_core::port::Shape;
use tidings_core::position::Offset;
use tidings_core::priority::Priority;
use tidings_core::provenance::Provenance;
use tidings_core::scope::passes;
use tidings_core::shard::{
    Action, Batch, Begin, CaughtUp, Cause, ConnectionKey, DrainPlan, Mode, Now, Opening,
    ReplayFailed, Shard, ShardOptions, encode_page,
};
use tidings_core::subscription::Authorised;
use tidings_core::time::{Moment, Timestamp};

use super::super::{Progress, Rest, SocketSink};
use super::log::{Log, all, lineage};
use super::model::{Phase, Plan};
use super::peer::{Peer, Wire};
use super::plain::{PlainCoder, PlainEncoder};
use super::reader::{HEAD, Reader, Stage};
use super::rights::{CREDENTIALS, holder};
use super::stand::open_gate;
use crate::admission::Gate;
use crate::chunk::Framing;
use crate::inbox::Inbox;
use crate::limits::LAST_WORD_MS_MAX;
use crate::seat::Seat;

pub(super) const HEARTBEAT_MS: u32 = 15_000;

type PlayedShard = Shard<SocketSink<Wire>>;

/// Hands the shard what a reader thread has read for a connection, or for all.
type Answer = (Option<ConnectionKey>, Box<dyn FnOnce(&mut PlayedShard)>);

/// How a connection is opened.
pub(super) struct Open {
    pub(super) plan: Plan,
    pub(super) begin: Begin,
    pub(super) framing: Framing,
    pub(super) coding: Coding,
    pub(super) expires_in_ms: Option<u64>,
    pub(super) whim: u64,
}

pub(super) struct World {
    pub(super) shard: PlayedShard,
    pub(super) log: Log,
    pub(super) now: Now,
    /// When the shard's thread last came back too late.
    pub(super) stalled_until: Moment,
    pub(super) readers: Vec<Reader>,
    pub(super) window_events: u64,
    pub(super) patience_ms: u64,
    pub(super) linger_ms: u64,
    pub(super) asked: VecDeque<Action<SocketSink<Wire>>>,
    pub(super) answers: VecDeque<Answer>,
    pub(super) reading: HashSet<ConnectionKey>,
    pub(super) has_dropped: bool,
    /// Credentials that count no longer.
    pub(super) revoked: Vec<usize>,
    pub(super) changes: usize,
    pub(super) changes_amid_reads: usize,
    pub(super) gate: Arc<Gate>,
    pub(super) inbox: Arc<Inbox>,
    /// Keeps the waker of the inbox valid.
    pub(super) _poll: Poll,
}

impl World {
    pub(super) fn new(window_events: u64, patience_ms: u64, linger_ms: u64) -> Self {
        let poll = Poll::new().expect("a poll");
        let waker = Waker::new(poll.registry(), Token(0)).expect("a waker");
        Self {
            shard: Shard::new(ShardOptions {
                node: 1,
                index: 0,
                seed: 1,
                head: Offset::ZERO,
                lineage: Arc::new(lineage()),
                encoder: Arc::new(PlainEncoder),
                coder: Arc::new(PlainCoder),
                linger_ms,
                slow_reader_ms: patience_ms,
            }),
            log: Log::default(),
            now: Now {
                moment: Moment(0),
                wall: Timestamp(1_000_000_000),
            },
            stalled_until: Moment(0),
            readers: Vec::new(),
            window_events,
            patience_ms,
            linger_ms,
            asked: VecDeque::new(),
            answers: VecDeque::new(),
            reading: HashSet::new(),
            has_dropped: false,
            revoked: Vec::new(),
            changes: 0,
            changes_amid_reads: 0,
            gate: open_gate(),
            inbox: Arc::new(Inbox::new(waker)),
            _poll: poll,
        }
    }

    /// Commits events; the shard is told, unless its inbox is full.
    pub(super) fn publish(&mut self, events: &[(&str, &str, Priority)], is_inbox_full: bool) {
        let after = self.log.end();
        let framed: Vec<_> = events
            .iter()
            .map(|(keys, event_type, priority)| self.log.append(keys, event_type, *priority))
            .collect();
        let evict_through = Offset(self.log.end().0.saturating_sub(self.window_events));
        if is_inbox_full {
            self.has_dropped = true;
            return;
        }
        let batch = Batch {
            after,
            events: framed.into(),
            evict_through,
        };
        self.shard.take_in(&batch, &mut Vec::new());
        if self.shard.head() < self.log.end() {
            return;
        }
        let lingers = self.linger_ms > 0;
        let at_once = batch
            .events
            .iter()
            .filter(|framed| framed.is_urgent() || !lingers);
        for framed in at_once {
            let event = framed.event();
            for reader in &mut self.readers {
                let Phase { scope, types, .. } = reader.plan.now();
                if scope.matches(&event.content.audience) && passes(types, event) {
                    reader.owed = Some(event.position.offset.0);
                }
            }
        }
    }

    pub(super) fn open(&mut self, open: Open) {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let subject = Subject::parse("reader").expect("a subject");
        let admission = self.gate.admit(Some(&subject), address).expect("room");
        let sink = SocketSink::new(open.framing, admission, Seat::take(&self.inbox));
        let expires_at = open.expires_in_ms.map(|ms| Timestamp(self.now.wall.0 + ms));
        let credential = self.readers.len() % CREDENTIALS;
        let registered = self.shard.open(
            Opening {
                sink,
                mode: Mode::stream(HEARTBEAT_MS),
                shape: Shape(open.plan.shape),
                authorised: Authorised {
                    scope: open.plan.now().scope.clone(),
                    narrowed: None,
                },
                asked: all(open.plan.now().types.clone()),
                begin: open.begin,
                holder: holder(credential),
                provenance: Provenance::default(),
                expires_at,
                coding: open.coding,
                random: 0,
            },
            self.now,
        );
        self.readers.push(Reader {
            key: registered.key,
            id: registered.id,
            plan: open.plan,
            framing: open.framing,
            coding: open.coding,
            expires_at,
            credential,
            dismissed_at: self
                .revoked
                .contains(&credential)
                .then_some(self.now.moment),
            peer: Rc::new(RefCell::new(Peer {
                whim: open.whim | 1,
                ..Peer::default()
            })),
            is_attached: false,
            stage: Stage::Open,
            cause: None,
            is_sent: false,
            is_cut: false,
            owed: None,
            stuck: None,
            heard: (self.now.moment, 0),
        });
    }

    /// The socket of a reader is there.
    pub(super) fn attach(&mut self, index: usize) {
        let Some(reader) = self.readers.get_mut(index) else {
            return;
        };
        if std::mem::replace(&mut reader.is_attached, true) {
            return;
        }
        let key = reader.key;
        let wire = Wire(reader.peer.clone());
        if let Some(sink) = self.shard.sink(key) {
            sink.attach_stream(wire, Bytes::from_static(HEAD), self.gate.place_socket());
            self.advance(index);
        }
    }

    /// A reader has room for so many bytes; nobody has noticed yet.
    pub(super) fn make_room(&mut self, index: usize, bytes: usize) {
        if let Some(reader) = self.readers.get(index) {
            reader.peer.borrow_mut().room = bytes;
        }
    }

    /// How many bytes a reader has yet to take of what it was given.
    pub(super) fn left(&mut self, index: usize) -> usize {
        let key = self.readers.get(index).map(|reader| reader.key);
        let sink = key.and_then(|key| self.shard.sink(key));
        match sink.and_then(|sink| sink.rest.as_deref()) {
            Some(Rest::Delivery { chunk, written }) => chunk.len() - written,
            Some(Rest::Framed(text)) => text.len(),
            None => 0,
        }
    }

    /// What the poll does for a socket that can take more.
    pub(super) fn advance(&mut self, index: usize) {
        let Some(reader) = self.readers.get_mut(index) else {
            return;
        };
        if let Stage::Ending(sink, _) = &mut reader.stage {
            let progress = sink.resume();
            if matches!(progress, Progress::Done | Progress::Gone) {
                reader.is_sent = progress == Progress::Done;
                reader.stage = Stage::Ended;
            }
            return;
        }
        let key = reader.key;
        let Some(sink) = self.shard.sink(key) else {
            return;
        };
        let progress = sink.resume();
        reader.listen(self.now.moment);
        match progress {
            Progress::Done => self.shard.drained(key, self.now),
            Progress::Some => self.shard.progressed(key, self.now),
            Progress::None => {}
            Progress::Gone => self.shard.left(key, self.now),
        }
    }

    /// The poll sees that a reader has gone.
    pub(super) fn leave(&mut self, index: usize) {
        if let Some(reader) = self.readers.get_mut(index) {
            let mut peer = reader.peer.borrow_mut();
            peer.dies_after = Some(peer.received.len());
            drop(peer);
            if matches!(reader.stage, Stage::Ending(..)) {
                reader.stage = Stage::Ended;
            }
            self.shard.left(reader.key, self.now);
        }
    }

    /// A reader will be gone after so many more bytes, and nobody sees it before.
    pub(super) fn doom(&mut self, index: usize, bytes: usize) {
        if let Some(reader) = self.readers.get_mut(index) {
            let mut peer = reader.peer.borrow_mut();
            let at = peer.received.len() + bytes;
            peer.dies_after.get_or_insert(at);
        }
    }

    pub(super) fn drain(&mut self, spread_ms: u64) {
        let plan = DrainPlan {
            spread_ms,
            retry_after_ms: 0,
        };
        self.shard.drain(plan, self.now);
    }

    /// A reader thread reads what was asked for first; its answer is under way.
    pub(super) fn read_one(&mut self, fails: bool) -> bool {
        let Some(action) = self.asked.pop_front() else {
            return false;
        };
        self.answers.push_back(match action {
            Action::Read(key, request) => {
                let page = self.log.read(&request.scope, &request.types, request.after);
                let coder = &PlainCoder;
                let answer = encode_page(&page, &request, &lineage(), &PlainEncoder, coder);
                let answer = if fails { Err(ReplayFailed) } else { Ok(answer) };
                (
                    Some(key),
                    Box::new(move |shard| shard.replayed(key, answer)),
                )
            }
            Action::Snapshot(key, request) => {
                let answer = self.log.snapshot(&request);
                let answer = if fails { Err(ReplayFailed) } else { Ok(answer) };
                (
                    Some(key),
                    Box::new(move |shard| shard.snapshot(key, answer)),
                )
            }
            Action::CatchUp(after) if fails => {
                let nothing = CaughtUp {
                    events: Vec::new(),
                    hole_through: None,
                    considered: after,
                };
                (None, Box::new(move |shard| shard.caught_up(&nothing)))
            }
            Action::CatchUp(after) => {
                let found = self.log.missed(after);
                (None, Box::new(move |shard| shard.caught_up(&found)))
            }
            Action::Closed(..) => unreachable!("collected"),
        });
        true
    }

    /// An answer arrives.
    pub(super) fn answer_one(&mut self) -> bool {
        let Some((key, answer)) = self.answers.pop_front() else {
            return false;
        };
        key.map(|key| self.reading.remove(&key));
        answer(&mut self.shard);
        true
    }

    /// Lets the shard do all that it can do now.
    pub(super) fn run(&mut self) {
        for _ in 0..1_000 {
            let more = self.shard.turn(self.now);
            self.collect();
            if !more {
                self.check();
                return;
            }
        }
        panic!("the shard goes round in circles");
    }

    /// Time passes, and the shard's thread has other things to do.
    pub(super) fn stall(&mut self, ms: u64) {
        self.now.moment = self.now.moment.plus_ms(ms);
        self.now.wall = Timestamp(self.now.wall.0 + ms);
        self.stalled_until = self.now.moment;
    }

    /// Time passes; the shard is called when it asked to be.
    pub(super) fn wait(&mut self, ms: u64) {
        self.run();
        let until = self.now.moment.plus_ms(ms);
        for _ in 0..10_000 {
            let next = self.shard.next_deadline().filter(|at| *at <= until);
            let at = next.unwrap_or(until).max(self.now.moment);
            let passed = at.ms_since(self.now.moment);
            self.now.moment = at;
            self.now.wall = Timestamp(self.now.wall.0 + passed);
            for reader in &mut self.readers {
                if matches!(&reader.stage, Stage::Ending(_, until) if *until <= at) {
                    reader.stage = Stage::Ended;
                }
            }
            self.run();
            if next.is_none() {
                return;
            }
        }
        panic!("a deadline comes up again and again");
    }

    /// Everything that can happen without anyone publishing happens: sockets come, readers read.
    pub(super) fn settle(&mut self) {
        if std::mem::take(&mut self.has_dropped) {
            let batch = Batch {
                after: self.log.end(),
                events: Arc::new([]),
                evict_through: Offset::ZERO,
            };
            self.shard.take_in(&batch, &mut Vec::new());
        }
        let mut quiet = 0;
        for _ in 0..10_000 {
            for index in 0..self.readers.len() {
                self.attach(index);
                self.make_room(index, usize::MAX);
                self.advance(index);
            }
            self.run();
            self.wait(self.linger_ms);
            let busy = self.read_one(false) | self.answer_one();
            quiet = if busy { 0 } else { quiet + 1 };
            if quiet == 3 {
                return;
            }
        }
        panic!("the shard does not come to rest");
    }

    fn collect(&mut self) {
        for action in self.shard.actions() {
            match action {
                Action::Closed(closed, mut sink) => {
                    let reader = self
                        .readers
                        .iter_mut()
                        .find(|reader| reader.id == closed.id);
                    let reader = reader.expect("it was opened");
                    reader.cause = Some(closed.cause);
                    let silent_ms = self.now.moment.ms_since(reader.heard.0);
                    // A reader may also have been silent because there was nothing for it.
                    let is_slow_by_now = silent_ms >= self.patience_ms;
                    reader.is_cut = is_slow_by_now || reader.may_be_cut(self.now);
                    let is_slow = closed.cause == Cause::Told("slow_reader");
                    assert!(is_slow_by_now || !is_slow, "it took something");
                    if sink.is_unfinished() && sink.stream().is_some() {
                        let until = self.now.moment.plus_ms(LAST_WORD_MS_MAX);
                        reader.stage = Stage::Ending(sink, until);
                    } else {
                        reader.is_sent = sink.stream().is_some();
                        reader.stage = Stage::Ended;
                    }
                }
                Action::Read(key, _) | Action::Snapshot(key, _) => {
                    assert!(
                        self.reading.insert(key),
                        "a connection reads once at a time"
                    );
                    self.asked.push_back(action);
                }
                Action::CatchUp(_) => self.asked.push_back(action),
            }
        }
    }
}
