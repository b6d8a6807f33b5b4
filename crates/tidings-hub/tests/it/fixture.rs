//! A hub over a memory log, with an encoder whose text a test can read.

use std::collections::VecDeque;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use tidings_core::audience::{Role, Subject};
use tidings_core::coding::{CheckSum, Coding};
use tidings_core::credential::Credential;
use tidings_core::event::{Content, Event};
use tidings_core::gap::Gap;
use tidings_core::grant::{Grants, PublishGrant};
use tidings_core::identity::Identity;
use tidings_core::pattern::Pattern;
use tidings_core::port::{Coder, Control, Encoder, EventStore, Sequencer, Shape, Voice};
use tidings_core::position::{Epoch, Position};
use tidings_core::provenance::Provenance;
use tidings_core::start::Start;
use tidings_core::subscription::Subscription;
use tidings_hub::{
    Delivery, Hub, Mode, OpenError, OpenRequest, Options, Ports, PublishError, Published, Reader,
};
use tidings_log::memory::{MemoryLog, MemoryOptions};
use tidings_testkit::PATIENCE_S;
use tidings_testkit::clock::ManualClock;
use tidings_testkit::draft::{DraftBuilder, draft};
use tidings_testkit::reading::types;
use tokio::sync::Notify;

/// Sending an event of this type blocks its shard while the encoder's gate is closed.
const STALLING: &str = "stalling";

/// Sending an event of this type ends its shard.
pub(crate) const DEADLY: &str = "deadly";

/// Waits for what must happen.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(PATIENCE_S), what)
        .await
        .expect("it happens in time")
}

/// Packs nothing.
#[derive(Debug)]
pub(crate) struct NoCoder;

impl Coder for NoCoder {
    fn begin(&self, _: Coding, _: &mut Vec<u8>) {}

    fn block(&self, _: Coding, text: &[u8], out: &mut Vec<u8>) -> CheckSum {
        out.extend_from_slice(text);
        CheckSum::default()
    }

    fn join(&self, _: CheckSum, _: CheckSum) -> CheckSum {
        CheckSum::default()
    }

    fn end(&self, _: Coding, _: CheckSum, _: &mut Vec<u8>) {}
}

/// Writes an event as the text of its data, and control events by name.
#[derive(Debug, Default)]
pub(crate) struct PlainEncoder {
    closed: Mutex<bool>,
    opened: Condvar,
    /// Somebody stands before the closed gate.
    stalled: Notify,
}

impl PlainEncoder {
    /// Lets those go on who were stalled.
    pub(crate) fn open_gate(&self) {
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.opened.notify_all();
    }

    fn pass_gate(&self) {
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        while *closed {
            self.stalled.notify_one();
            closed = self
                .opened
                .wait(closed)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Encoder for PlainEncoder {
    fn event(&self, _: Shape, event: &Event, told: Option<Position>, out: &mut Vec<u8>) {
        let event_type = event.content.event_type.as_str();
        if event_type == STALLING {
            self.pass_gate();
        }
        assert_ne!(event_type, DEADLY, "the encoder was told to panic");
        out.extend_from_slice(&event.content.data);
        out.extend_from_slice(if told.is_some() { b"\n" } else { b"?\n" });
    }

    fn gap(&self, gap: &Gap, out: &mut Vec<u8>) {
        let from = gap.from.map_or(-1, |from| from.offset.0.cast_signed());
        let text = format!("gap {from}..{} {}\n", gap.to.offset, gap.reason);
        out.extend_from_slice(text.as_bytes());
    }

    fn control(&self, _: Voice, control: &Control, out: &mut Vec<u8>) {
        let text = match control {
            Control::Hello(hello) => format!("hello {}", hello.replay.as_str()),
            Control::Ping { cursor, .. } => format!("ping {}", cursor.offset),
            Control::Reauth { .. } => "reauth".to_owned(),
            Control::Bye { farewell, .. } => format!("bye {}", farewell.code),
        };
        out.extend_from_slice(text.as_bytes());
        out.push(b'\n');
    }
}

/// The shape of streams.
pub(crate) const STREAM: Shape = Shape(0);

/// The shape of pages, which have no control events.
pub(crate) const PAGE: Shape = Shape(1);

/// A hub and what it is made of.
#[derive(Debug)]
pub(crate) struct Fixture {
    pub(crate) hub: Hub,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) encoder: Arc<PlainEncoder>,
}

pub(crate) fn memory_log(options: MemoryOptions, clock: &Arc<ManualClock>) -> Arc<MemoryLog> {
    Arc::new(MemoryLog::open(options, clock.clone(), Epoch::from_bits(7)))
}

pub(crate) fn two_shards() -> Options {
    Options {
        shards: 2,
        // The tests' clock jumps; readers take their deliveries when the test asks them to.
        slow_reader_ms: u64::MAX,
        // A busy machine is no late shard.
        count_wait_ms: 60_000,
        ..Options::default()
    }
}

pub(crate) fn one_shard() -> Options {
    Options {
        shards: 1,
        // Shards are made late with this one.
        count_wait_ms: Options::default().count_wait_ms,
        ..two_shards()
    }
}

impl Fixture {
    /// A hub of two shards over a memory log that keeps everything.
    pub(crate) fn new() -> Self {
        Self::with(&two_shards(), MemoryOptions::default())
    }

    pub(crate) fn with(options: &Options, log: MemoryOptions) -> Self {
        let clock = Arc::new(ManualClock::default());
        let log = memory_log(log, &clock);
        Self::over(options, clock, log.clone(), log)
    }

    pub(crate) fn over(
        options: &Options,
        clock: Arc<ManualClock>,
        sequencer: Arc<dyn Sequencer>,
        store: Arc<dyn EventStore>,
    ) -> Self {
        let encoder = Arc::new(PlainEncoder::default());
        let ports = Ports {
            sequencer,
            store,
            encoder: encoder.clone(),
            coder: Arc::new(NoCoder),
            clock: clock.clone(),
        };
        let hub = Hub::start(options, ports).expect("the hub starts");
        Self {
            hub,
            clock,
            encoder,
        }
    }

    /// Publishes one event by the usual publisher.
    pub(crate) async fn publish(&self, event: DraftBuilder) -> Published {
        let published = soon(
            self.hub
                .publish(&identity("publisher"), vec![content(event)]),
        )
        .await;
        published.expect("published").remove(0)
    }

    /// Publishes `key` events that say `from`, `from + 1`, and so on, one after the other.
    pub(crate) async fn publish_numbers(&self, key: &str, numbers: std::ops::Range<u64>) {
        for number in numbers {
            self.publish(number_event(key, number)).await;
        }
    }

    pub(crate) async fn publish_group(
        &self,
        events: Vec<DraftBuilder>,
    ) -> Result<Vec<Published>, PublishError> {
        let events = events.into_iter().map(content).collect();
        soon(self.hub.publish(&identity("publisher"), events)).await
    }

    /// Publishes an event to a reader of this key, on which its shard stalls until the gate is opened.
    pub(crate) async fn stall(&self, key: &str, number: u64) {
        *self
            .encoder
            .closed
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = true;
        self.publish(number_event(key, number).event_type(STALLING))
            .await;
        soon(self.encoder.stalled.notified()).await;
    }

    /// Opens a stream and takes its hello, which must be this.
    pub(crate) async fn stream(&self, patterns: &[&str], start: Start, hello: &str) -> Told {
        let mut told = self.open(request(patterns, start)).await.expect("opened");
        assert_eq!(told.word().await, format!("hello {hello}"));
        told
    }

    pub(crate) async fn live(&self, patterns: &[&str]) -> Told {
        self.stream(patterns, Start::Now, "none").await
    }

    pub(crate) async fn open(&self, request: OpenRequest) -> Result<Told, OpenError> {
        soon(self.hub.open(request)).await.map(Told::new)
    }

    /// Reads one page.
    pub(crate) async fn page(&self, request: OpenRequest) -> Delivery {
        let mut reader = soon(self.hub.open(request)).await.expect("opened");
        let page = soon(reader.next()).await.expect("a page");
        assert!(page.last, "a page is the last delivery");
        page
    }

    /// Lets every shard look at the clock: with time standing still nothing else wakes them.
    pub(crate) async fn wake_shards(&self) {
        soon(self.hub.census()).await;
    }

    /// Every shard has had a whole turn: a publish does not wait long for a late one.
    pub(crate) async fn turn_shards(&self) {
        // The first answer comes in the middle of a round, the second in a later one.
        self.wake_shards().await;
        self.wake_shards().await;
    }
}

/// A reader, word by word.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) reader: Reader,
    words: VecDeque<String>,
    /// What the latest delivery was.
    pub(crate) last: Option<Delivery>,
}

impl Told {
    fn new(reader: Reader) -> Self {
        Self {
            reader,
            words: VecDeque::new(),
            last: None,
        }
    }

    /// The next word, or none if the connection has ended.
    pub(crate) async fn next(&mut self) -> Option<String> {
        while self.words.is_empty() {
            let delivery = soon(self.reader.next()).await?;
            self.words.extend(words(&delivery));
            self.last = Some(delivery);
        }
        self.words.pop_front()
    }

    pub(crate) async fn word(&mut self) -> String {
        self.next().await.expect("the stream goes on")
    }

    pub(crate) async fn words(&mut self, count: usize) -> Vec<String> {
        let mut words = Vec::with_capacity(count);
        for _ in 0..count {
            words.push(self.word().await);
        }
        words
    }

    /// The next events, which must say these numbers.
    pub(crate) async fn expect(&mut self, numbers: std::ops::Range<u64>) {
        for number in numbers {
            assert_eq!(self.word().await, number.to_string());
        }
    }
}

/// What a delivery says.
pub(crate) fn words(delivery: &Delivery) -> Vec<String> {
    let text = std::str::from_utf8(&delivery.bytes).expect("plain text");
    text.lines().map(str::to_owned).collect()
}

/// An event that says a number.
pub(crate) fn number_event(key: &str, number: u64) -> DraftBuilder {
    draft(key).data(number.to_string())
}

pub(crate) fn content(event: DraftBuilder) -> Content {
    event.build().content
}

/// Somebody who may do everything but administer.
pub(crate) fn identity(subject: &str) -> Identity {
    let publish = ["**", "@user/*", "@role/*", "@all"];
    Identity {
        subject: Subject::parse(subject).ok(),
        roles: vec![Role::parse("READER").expect("a role")],
        grants: Grants {
            publish: publish
                .map(|grant| PublishGrant::parse(grant).expect("a grant"))
                .to_vec(),
            subscribe: vec![Pattern::parse("**").expect("a pattern")],
            ..Grants::default()
        },
        home: Vec::new(),
        expires_at: None,
        method: "test",
        credential: Credential::default(),
    }
}

pub(crate) fn asked(patterns: &[&str], globs: &[&str]) -> Subscription {
    Subscription {
        patterns: patterns
            .iter()
            .map(|pattern| Pattern::parse(pattern).expect("a pattern"))
            .collect(),
        audience: true,
        types: types(globs),
    }
}

/// A stream of somebody, without signs of life.
pub(crate) fn request(patterns: &[&str], start: Start) -> OpenRequest {
    OpenRequest {
        identity: Arc::new(identity("reader")),
        subscription: asked(patterns, &[]),
        start,
        fallback: Start::Now,
        shape: STREAM,
        coding: Coding::Identity,
        mode: Mode::stream(1_000_000_000),
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        provenance: Provenance::default(),
        introduce: None,
    }
}

/// A page of somebody.
pub(crate) fn page_request(
    patterns: &[&str],
    start: Start,
    events_max: u32,
    wait_ms: u32,
) -> OpenRequest {
    OpenRequest {
        shape: PAGE,
        mode: Mode::Page {
            events_max,
            wait_ms,
        },
        ..request(patterns, start)
    }
}
