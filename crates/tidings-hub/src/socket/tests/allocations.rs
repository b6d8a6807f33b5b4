//! Delivering allocates nothing: not per connection, not per event, not per write.
//!
//! What an event costs once (its record, its text per shape) is paid before counting begins.

use std::io::Read as _;
use std::net::{self, Ipv4Addr, TcpListener};
use std::sync::Arc;

use bytes::Bytes;
use mio::net::TcpStream;
use tidings_core::audience::Subject;
use tidings_core::coding::Coding;
use tidings_core::credential::Credential;
use tidings_core::position::Offset;
use tidings_core::priority::Priority;
use tidings_core::shard::{Batch, Framed};

use super::super::Socket;
use super::log::Log;
use super::plain::PlainEncoder;
use super::stand::{NOW, SHAPE, Stand, Visitor};

/// Events that are kept in memory; more than any batch here.
const WINDOW_EVENTS: u64 = 64;

/// Batches before what is used again and again has its size, and batches that count.
const WARM_UP: usize = 200;
const COUNTED: usize = 50;

/// A shard with readers at real sockets, and the far ends of those.
struct Hall {
    stand: Stand<TcpStream>,
    log: Log,
    clients: Vec<net::TcpStream>,
    matched: Vec<u64>,
}

impl Hall {
    fn new(coding: Coding, patterns: &[&[&str]]) -> Self {
        let mut hall = Self {
            stand: Stand::new(),
            log: Log::default(),
            clients: Vec::new(),
            matched: Vec::new(),
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        for patterns in patterns {
            let client = net::TcpStream::connect(address).expect("a connection");
            client.set_nonblocking(true).expect("a socket");
            let (stream, from) = listener.accept().expect("a connection");
            stream.set_nonblocking(true).expect("a socket");
            let visitor = Visitor {
                subject: Subject::parse("reader").expect("a subject"),
                credential: Credential::default(),
                address: from.ip(),
                patterns,
                coding,
                expires_at: None,
            };
            hall.stand.open(&visitor, |sink, place| {
                let head = Bytes::new();
                let socket = Socket {
                    stream,
                    head,
                    place,
                };
                sink.attach(socket);
            });
            hall.clients.push(client);
        }
        hall
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
        let Self { stand, matched, .. } = self;
        let shard = &mut stand.shard;
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
        let before = self.stand.shard.totals();
        let mut allocations = 0;
        for _ in 0..COUNTED {
            let batch = self.prepare(events);
            allocations += self.deliver(&batch);
        }
        let delivered = self.stand.shard.totals().events_delivered - before.events_delivered;
        assert_eq!(delivered as usize, COUNTED * deliveries_each);
        assert_eq!(allocations, 0, "for {delivered} events");
    }
}

const BROADCAST: [&[&str]; 100] = [&["room/*", "@all"]; 100];

#[test]
fn an_event_for_a_hundred_readers_allocates_nothing() {
    Hall::new(Coding::Identity, &BROADCAST).hold(&[("room/1", "x")], 100);
}

#[test]
fn several_events_that_share_a_write_allocate_nothing() {
    let events = [
        ("room/1", "x"),
        ("@all", "x"),
        ("room/2+@all", "wide"),
        ("room/1", "x"),
    ];
    Hall::new(Coding::Identity, &BROADCAST).hold(&events, 400);
}

#[test]
fn packed_events_allocate_nothing() {
    for coding in [Coding::Gzip, Coding::Zstd] {
        let events = [("room/1", "wide"), ("@all", "x")];
        Hall::new(coding, &BROADCAST).hold(&events, 200);
        Hall::new(coding, &BROADCAST).hold(&[("room/1", "x")], 100);
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
    Hall::new(Coding::Identity, &patterns).hold(&[("@user/u7", "x")], 1);
    Hall::new(Coding::Identity, &patterns).hold(&[("@user/u7", "x"), ("@user/u9", "large")], 2);
}
