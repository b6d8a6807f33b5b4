//! A shard with everything around it played by the test: store, window, sinks, time.

mod renewal;
mod store;

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;

use crate::audience::{Audience, Key};
use crate::coding::{CheckSum, Coding};
use crate::delivery::{Delivery, Sink, Taken};
use crate::event::{Content, Event};
use crate::event_type::{EventType, TypeFilter, TypeGlob};
use crate::gap::Gap;
use crate::holder::Holder;
use crate::limits::{LARGE_FRAME_BYTES, STORE_READ_EVENTS_MAX};
use crate::lineage::Lineage;
use crate::pattern::Pattern;
use crate::port::{Coder, Control, Encoder, Shape, Voice};
use crate::position::{Epoch, Offset, Position};
use crate::priority::Priority;
use crate::provenance::Provenance;
use crate::scope::{Scope, Selector};
use crate::shard::{
    Action, Batch, Begin, ConnectionId, ConnectionKey, Framed, Mode, Now, Opening, ReplayFailed,
    Replayed, Shard, ShardOptions, encode_page,
};
use crate::subscription::Authorised;
use crate::time::{Moment, Timestamp};

use renewal::all;
pub(super) use renewal::holder;

pub(super) const EPOCH: u64 = 7;

/// Writes events as `offset;`, those of type `large` with many zeros before it, and control events by name.
#[derive(Debug)]
struct PlainEncoder;

impl Encoder for PlainEncoder {
    fn event(&self, _: Shape, event: &Event, told: Option<Position>, out: &mut Vec<u8>) {
        let mark = if told.is_some() { "" } else { "?" };
        let offset = event.position.offset.0;
        let is_large = event.content.event_type.as_str() == "large";
        let width = if is_large { LARGE_FRAME_BYTES } else { 0 };
        out.extend_from_slice(format!("{offset:0width$}{mark};").as_bytes());
    }

    fn gap(&self, gap: &Gap, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("gap..{};", gap.to.offset).as_bytes());
    }

    fn control(&self, _: Voice, control: &Control, out: &mut Vec<u8>) {
        let text = match control {
            Control::Hello(hello) => {
                format!("hello@{}:{}", hello.cursor.offset, hello.replay.as_str())
            }
            Control::Ping { cursor, .. } => format!("ping@{}", cursor.offset),
            Control::Reauth { .. } => "reauth".to_owned(),
            Control::Bye { cursor, farewell } => {
                let told = cursor.map_or("?".to_owned(), |cursor| cursor.offset.to_string());
                format!("bye@{told}:{}", farewell.code)
            }
        };
        out.extend_from_slice(format!("{text};").as_bytes());
    }
}

/// Packs by brackets: `(<text><text>bytes)`.
#[derive(Debug)]
pub(super) struct PlainCoder;

impl Coder for PlainCoder {
    fn begin(&self, coding: Coding, out: &mut Vec<u8>) {
        assert_ne!(coding, Coding::Identity, "what is not packed is not begun");
        out.push(b'(');
    }

    fn block(&self, coding: Coding, text: &[u8], out: &mut Vec<u8>) -> CheckSum {
        assert_ne!(coding, Coding::Identity, "what is not packed is left alone");
        out.extend_from_slice(&[b"<", text, b">"].concat());
        CheckSum {
            crc32: 0,
            bytes: text.len() as u32,
        }
    }

    fn join(&self, first: CheckSum, second: CheckSum) -> CheckSum {
        CheckSum {
            crc32: 0,
            bytes: first.bytes + second.bytes,
        }
    }

    fn end(&self, _: Coding, all: CheckSum, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("{})", all.bytes).as_bytes());
    }
}

/// Room for one delivery, shared with the test.
#[derive(Debug, Clone, Default)]
pub(super) struct OneSlot(Rc<RefCell<Option<Delivery>>>);

impl Sink for OneSlot {
    fn is_free(&self) -> bool {
        self.0.borrow().is_none()
    }

    fn deliver(&mut self, delivery: Delivery) -> Taken {
        let before = self.0.borrow_mut().replace(delivery);
        assert!(before.is_none(), "a full sink was given a delivery");
        Taken::Full
    }

    fn cut_short(&mut self, last: Bytes) {
        let mut slot = self.0.borrow_mut();
        let delivery = slot.as_mut().expect("called only when it is full");
        delivery.bytes = [&delivery.bytes[..], &last].concat().into();
        delivery.last = true;
    }
}

/// Hands the shard what a reader thread has read.
type Answer = Box<dyn FnOnce(&mut Shard<OneSlot>)>;

/// The played world.
pub(super) struct World {
    pub(super) shard: Shard<OneSlot>,
    pub(super) log: Vec<Arc<Event>>,
    pub(super) now: Now,
    /// How the next connections have their text packed.
    pub(super) coding: Coding,
    /// Whose the next connections are.
    pub(super) holder: Holder,
    /// Where the next connections come from.
    pub(super) provenance: Provenance,
    pub(super) ids: HashMap<ConnectionKey, ConnectionId>,
    window_events: usize,
    sinks: HashMap<ConnectionKey, OneSlot>,
    /// Everything that each reader was given, in words.
    pub(super) got: HashMap<ConnectionKey, Vec<String>>,
    pub(super) last: HashMap<ConnectionKey, Delivery>,
    pub(super) closed: Vec<(ConnectionKey, &'static str)>,
    pending: VecDeque<Action<OneSlot>>,
    /// What reader threads have read and not handed over yet.
    answers: VecDeque<Answer>,
    pub(super) reads: usize,
    dropped: Option<Offset>,
    /// Nothing up to here can be read any more.
    pub(super) removed_through: Offset,
}

impl World {
    /// A world whose readers may take as long as they like.
    pub(super) fn new(window_events: usize) -> Self {
        Self::with_times(window_events, u64::MAX, 0)
    }

    /// A world that gives up readers which take nothing for this long.
    pub(super) fn with_patience(window_events: usize, slow_reader_ms: u64) -> Self {
        Self::with_times(window_events, slow_reader_ms, 0)
    }

    /// As above; events wait this long for others.
    pub(super) fn with_times(window_events: usize, slow_reader_ms: u64, linger_ms: u64) -> Self {
        let lineage = lineage();
        let options = ShardOptions {
            node: 1,
            index: 0,
            seed: 1,
            head: Offset::ZERO,
            lineage: Arc::new(lineage),
            encoder: Arc::new(PlainEncoder),
            coder: Arc::new(PlainCoder),
            linger_ms,
            slow_reader_ms,
        };
        Self {
            shard: Shard::new(options),
            log: Vec::new(),
            now: Now {
                moment: Moment(0),
                wall: Timestamp(1_000_000_000),
            },
            coding: Coding::Identity,
            holder: holder("reader", "token:main:first"),
            provenance: Provenance::default(),
            ids: HashMap::new(),
            window_events,
            sinks: HashMap::new(),
            got: HashMap::new(),
            last: HashMap::new(),
            closed: Vec::new(),
            pending: VecDeque::new(),
            answers: VecDeque::new(),
            reads: 0,
            dropped: None,
            removed_through: Offset::ZERO,
        }
    }

    pub(super) fn end(&self) -> Offset {
        Offset(self.log.len() as u64)
    }

    /// Commits events; the shard is told, unless its inbox is full.
    pub(super) fn publish(&mut self, events: &[(&str, &str)], inbox_full: bool) -> Vec<u64> {
        let after = self.end();
        let mut batch = Vec::new();
        for (key, event_type) in events {
            let offset = Offset(self.log.len() as u64 + 1);
            let event = Arc::new(event(offset, key, event_type));
            self.log.push(event.clone());
            batch.push(Arc::new(Framed::new(event)));
        }
        let evict_through = Offset(self.log.len().saturating_sub(self.window_events) as u64);
        let mut matched = Vec::new();
        if inbox_full {
            self.dropped = Some(self.end());
        } else {
            let batch = Batch {
                after,
                events: batch.into(),
                evict_through,
            };
            self.shard.take_in(&batch, &mut matched);
        }
        self.collect();
        matched
    }

    pub(super) fn open(
        &mut self,
        patterns: &[&str],
        types: &[&str],
        begin: Begin,
    ) -> ConnectionKey {
        self.open_as(patterns, types, begin, Mode::stream(15_000), None)
    }

    pub(super) fn open_as(
        &mut self,
        patterns: &[&str],
        types: &[&str],
        begin: Begin,
        mode: Mode,
        expires_at: Option<Timestamp>,
    ) -> ConnectionKey {
        let sink = OneSlot::default();
        let scope = scope(patterns);
        let registered = self.shard.open(
            Opening {
                sink: sink.clone(),
                mode,
                shape: Shape(0),
                authorised: Authorised {
                    scope,
                    narrowed: None,
                },
                asked: all(types),
                begin,
                holder: self.holder.clone(),
                provenance: self.provenance.clone(),
                expires_at,
                coding: self.coding,
                random: 0xabc,
            },
            self.now,
        );
        self.ids.insert(registered.key, registered.id);
        self.sinks.insert(registered.key, sink);
        self.got.insert(registered.key, Vec::new());
        self.collect();
        registered.key
    }

    /// The reader takes what lies in its sink.
    pub(super) fn take(&mut self, key: ConnectionKey) -> bool {
        let taken = self.sinks[&key].0.borrow_mut().take();
        let Some(delivery) = taken else { return false };
        let words = String::from_utf8(delivery.bytes.to_vec()).expect("text");
        let got = self.got.get_mut(&key).expect("known");
        got.extend(words.split_terminator(';').map(str::to_owned));
        self.last.insert(key, delivery);
        self.shard.drained(key, self.now);
        self.collect();
        true
    }

    /// What lies in a sink.
    pub(super) fn sunk(&self, key: ConnectionKey) -> Delivery {
        self.sinks[&key].0.borrow().clone().expect("a delivery")
    }

    pub(super) fn turn(&mut self) -> bool {
        let more = self.shard.turn(self.now);
        self.collect();
        more
    }

    /// A reader thread reads what the shard asked for first; the answer is under way.
    pub(super) fn read_one(&mut self) -> bool {
        let Some(action) = self.pending.pop_front() else {
            return false;
        };
        self.reads += 1;
        let answer: Answer = match action {
            Action::Read(key, request) => {
                let max = request
                    .page_events_max
                    .unwrap_or(STORE_READ_EVENTS_MAX)
                    .min(5);
                let page = self.read(&request.scope, &request.types, request.after, max);
                let replayed = encode_page(&page, &request, &lineage(), &PlainEncoder, &PlainCoder);
                Box::new(move |shard| shard.replayed(key, Ok(replayed)))
            }
            Action::Snapshot(key, request) => {
                let snapshot = self.newest(&request);
                Box::new(move |shard| shard.snapshot(key, Ok(snapshot)))
            }
            Action::CatchUp(after) => {
                let found = self.missed_after(after);
                Box::new(move |shard| shard.caught_up(&found))
            }
            Action::Closed(..) => unreachable!("collected"),
        };
        self.answers.push_back(answer);
        true
    }

    /// An answer arrives, of a read that is made now if none is under way.
    pub(super) fn answer_one(&mut self) -> bool {
        if self.answers.is_empty() {
            self.read_one();
        }
        let Some(answer) = self.answers.pop_front() else {
            return false;
        };
        answer(&mut self.shard);
        self.collect();
        true
    }

    /// The first read of the store that a connection waits for fails.
    pub(super) fn fail_one(&mut self) {
        match self.pending.pop_front().expect("a read is asked for") {
            Action::Read(key, _) => self.shard.replayed(key, Err(ReplayFailed)),
            Action::Snapshot(key, _) => self.shard.snapshot(key, Err(ReplayFailed)),
            other => panic!("no connection waits for {other:?}"),
        }
    }

    /// A reader thread has looked at the log up to an offset and found nothing for a connection.
    pub(super) fn empty_read(&mut self, key: ConnectionKey, considered: Offset) {
        let asked = self.pending.pop_front();
        assert!(matches!(asked, Some(Action::Read(for_whom, _)) if for_whom == key));
        let nothing = Replayed {
            bytes: Bytes::new(),
            check_sum: CheckSum::default(),
            events: 0,
            considered,
            gap: None,
            more: true,
        };
        self.shard.replayed(key, Ok(nothing));
    }

    /// Everything that can happen without anyone publishing happens.
    pub(super) fn settle(&mut self) {
        if self
            .dropped
            .take()
            .is_some_and(|dropped| dropped > self.shard.head())
        {
            // The feed goes on with an empty stretch that shows the shard what it missed.
            let empty = Batch {
                after: self.end(),
                events: Arc::new([]),
                evict_through: Offset::ZERO,
            };
            self.shard.take_in(&empty, &mut Vec::new());
            self.collect();
        }
        for _ in 0..10_000 {
            let keys: Vec<_> = self.sinks.keys().copied().collect();
            let mut busy = self.turn();
            busy |= self.answer_one();
            for key in keys {
                busy |= self.take(key);
            }
            if !busy {
                return;
            }
        }
        panic!("the shard does not come to rest");
    }

    pub(super) fn advance(&mut self, ms: u64) {
        self.now.moment = self.now.moment.plus_ms(ms);
        self.now.wall = Timestamp(self.now.wall.0 + ms);
    }

    /// Everybody is asked to leave, and soon.
    pub(super) fn drain(&mut self) {
        let plan = crate::shard::DrainPlan {
            spread_ms: 0,
            retry_after_ms: 0,
        };
        self.shard.drain(plan, self.now);
        self.advance(1_000);
    }

    /// What a reader got of events alone.
    pub(super) fn offsets(&self, key: ConnectionKey) -> Vec<u64> {
        self.got[&key]
            .iter()
            .filter_map(|word| word.parse().ok())
            .collect()
    }

    fn collect(&mut self) {
        for action in self.shard.actions() {
            match action {
                Action::Closed(closed, _) => {
                    self.closed.push((closed.id.key, closed.cause.as_str()));
                }
                other => self.pending.push_back(other),
            }
        }
    }
}

pub(super) fn scope(patterns: &[&str]) -> Scope {
    let selector = |text: &&str| match Key::parse(text) {
        Ok(key) => Selector::Key(key),
        Err(_) => Selector::of(Pattern::parse(text).expect("pattern")),
    };
    Scope::new(patterns.iter().map(selector).collect())
}

pub(super) fn filter(types: &[&str]) -> TypeFilter {
    let glob = |text: &&str| TypeGlob::parse(text).expect("glob");
    TypeFilter::new(types.iter().map(glob).collect()).expect("filter")
}

pub(super) fn event(offset: Offset, keys: &str, event_type: &str) -> Event {
    let (event_type, priority) = match event_type.strip_suffix('!') {
        Some(critical) => (critical, Priority::Critical),
        None => (event_type, Priority::Normal),
    };
    Event {
        position: Position {
            epoch: Epoch::from_bits(EPOCH),
            offset,
        },
        timestamp: Timestamp(offset.0),
        content: Content {
            id: None,
            event_type: EventType::parse(event_type).expect("type"),
            priority,
            source: "".into(),
            audience: Audience::new(
                keys.split('+')
                    .map(|key| Key::parse(key).expect("key"))
                    .collect(),
            ),
            data: Bytes::from_static(b"null"),
            metadata: Bytes::new(),
        },
    }
}

fn lineage() -> Lineage {
    Lineage::new(vec![(Epoch::from_bits(EPOCH), Offset(1))]).expect("lineage")
}
