//! Delivering allocates nothing: not per connection, not per event, not per write.
//!
//! What an event costs once (its record, its text per shape) is paid before counting begins.

use std::io::Read as _;
use std::net::{self, Ipv4Addr, TcpListener};
use std::sync::Arc;

use bytes::Bytes;
use mio::{Poll, Token, Waker};
use tidings_core::audience::Subject;
use tidings_core::coding::Coding;
use tidings_core::holder::Holder;
use tidings_core::port::Shape;
use tidings_core::position::Offset;
use tidings_core::priority::Priority;
use tidings_core::shard::{Batch, Begin, Framed, Mode, Now, Opening, Shard, ShardOptions};
use tidings_core::subscription::Authorised;
use tidings_core::time::{Moment, Timestamp};
use tidings_wire::coding::BlockCoder;

use super::super::{Progress, Socket, SocketSink};
use super::log::{Log, all, filter, lineage, scope};
use super::plain::PlainEncoder;
use crate::admission::{Allowed, Gate};
use crate::chunk::Framing;
use crate::inbox::Inbox;
use crate::seat::Seat;

const SHAPE: Shape = Shape(0);
const NOW: Now = Now {
    moment: Moment(0),
    wall: Timestamp(1_000_000_000),
};

/// Events that are kept in memory; more than any batch here.
const WINDOW_EVENTS: u64 = 64;

/// Batches before what is used again and again has its size, and batches that count.
const WARM_UP: usize = 200;
const COUNTED: usize = 50;

/// A shard with readers at real sockets, and the far ends of those.
struct Stand {
    shard: Shard<SocketSink>,
    log: Log,
    clients: Vec<net::TcpStream>,
    matched: Vec<u64>,
}

impl Stand {
    fn new(coding: Coding, patterns: &[&[&str]]) -> Self {
        let poll = Poll::new().expect("a poll");
        let waker = Waker::new(poll.registry(), Token(0)).expect("a waker");
        let inbox = Arc::new(Inbox::new(waker));
        let gate = Arc::new(Gate::new(Allowed {
            hub: usize::MAX,
            per_identity: usize::MAX,
            per_address: usize::MAX,
        }));
        let mut stand = Self {
            shard: Shard::new(ShardOptions {
                node: 1,
                index: 0,
                seed: 1,
                head: Offset::ZERO,
                lineage: Arc::new(lineage()),
                encoder: Arc::new(PlainEncoder),
                coder: Arc::new(BlockCoder::default()),
                linger_ms: 0,
                slow_reader_ms: 10_000,
            }),
            log: Log::default(),
            clients: Vec::new(),
            matched: Vec::new(),
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let subject = Subject::parse("reader").expect("a subject");
        for patterns in patterns {
            let client = net::TcpStream::connect(address).expect("a connection");
            client.set_nonblocking(true).expect("a socket");
            let (stream, from) = listener.accept().expect("a connection");
            let admission = gate.admit(Some(&subject), from.ip()).expect("room");
            let opening = Opening {
                sink: SocketSink::new(Framing::Chunked, admission, Seat::take(&inbox)),
                mode: Mode::Stream {
                    heartbeat_ms: 15_000,
                },
                shape: SHAPE,
                authorised: Authorised {
                    scope: scope(patterns),
                    narrowed: None,
                },
                asked: all(filter(&[])),
                begin: Begin::Now { unknown: false },
                holder: Holder::default(),
                expires_at: None,
                coding,
                random: 0,
            };
            let key = stand.shard.open(opening, NOW).key;
            let socket = Socket {
                stream,
                head: Bytes::new(),
                place: gate.place_socket(),
            };
            let sink = stand.shard.sink(key).expect("it is open");
            sink.attach(socket).expect("a socket");
            assert_eq!(sink.resume(), Progress::Done);
            stand.shard.drained(key, NOW);
            stand.clients.push(client);
        }
        stand
    }

    /// A batch whose events have their text already.
    fn prepare(&mut self, events: &[(&str, &str)]) -> Batch {
        let after = self.log.end();
        let framed: Vec<Arc<Framed>> = events
            .iter()
            .map(|(keys, event_type)| {
                let framed = self.log.append(keys, event_type, Priority::Normal);
                // The second look is the one that shares it.
                drop([(); 2].map(|()| framed.frame(SHAPE, &PlainEncoder)));
                framed
            })
            .collect();
        Batch {
            after,
            events: framed.into(),
            evict_through: Offset(self.log.end().0.saturating_sub(WINDOW_EVENTS)),
        }
    }

    /// Delivers a batch; returns how often memory was allocated meanwhile.
    fn deliver(&mut self, batch: &Batch) -> u64 {
        let Self { shard, matched, .. } = self;
        let counted = allocation_counter::measure(|| {
            matched.clear();
            shard.take_in(batch, matched);
            while shard.turn(NOW) {}
        });
        assert_eq!(shard.actions().count(), 0, "nobody reads the store or goes");
        for client in &mut self.clients {
            // What came is taken, so that there is room again.
            while client
                .read(&mut [0; 16 * 1024])
                .is_ok_and(|bytes| bytes > 0)
            {}
        }
        counted.count_total
    }

    /// Delivers the same events again and again, and holds that nothing is allocated.
    fn hold(mut self, events: &[(&str, &str)], deliveries_each: usize) {
        for _ in 0..WARM_UP {
            let batch = self.prepare(events);
            self.deliver(&batch);
        }
        let before = self.shard.totals();
        let mut allocations = 0;
        for _ in 0..COUNTED {
            let batch = self.prepare(events);
            allocations += self.deliver(&batch);
        }
        let delivered = self.shard.totals().events_delivered - before.events_delivered;
        assert_eq!(delivered as usize, COUNTED * deliveries_each);
        assert_eq!(allocations, 0, "for {delivered} events");
    }
}

const BROADCAST: [&[&str]; 100] = [&["room/*", "@all"]; 100];

#[test]
fn an_event_for_a_hundred_readers_allocates_nothing() {
    Stand::new(Coding::Identity, &BROADCAST).hold(&[("room/1", "x")], 100);
}

#[test]
fn several_events_that_share_a_write_allocate_nothing() {
    let events = [
        ("room/1", "x"),
        ("@all", "x"),
        ("room/2+@all", "wide"),
        ("room/1", "x"),
    ];
    Stand::new(Coding::Identity, &BROADCAST).hold(&events, 400);
}

#[test]
fn packed_events_allocate_nothing() {
    for coding in [Coding::Gzip, Coding::Zstd] {
        let events = [("room/1", "wide"), ("@all", "x")];
        Stand::new(coding, &BROADCAST).hold(&events, 200);
        Stand::new(coding, &BROADCAST).hold(&[("room/1", "x")], 100);
    }
}

#[test]
fn an_event_for_one_reader_of_many_allocates_nothing() {
    let users: Vec<String> = (0..100).map(|user| format!("@user/u{user}")).collect();
    let patterns: Vec<[&str; 2]> = users
        .iter()
        .map(|user| [user.as_str(), "room/**"])
        .collect();
    let patterns: Vec<&[&str]> = patterns.iter().map(|patterns| &patterns[..]).collect();
    Stand::new(Coding::Identity, &patterns).hold(&[("@user/u7", "x")], 1);
    Stand::new(Coding::Identity, &patterns).hold(&[("@user/u7", "x"), ("@user/u9", "large")], 2);
}
