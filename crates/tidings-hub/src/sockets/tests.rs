//! Last words: seen off while somebody takes them, and given up in their time.

use std::io::Read as _;
use std::net::{self, IpAddr, Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use mio::{Events, Poll, Waker};
use tidings_core::audience::Subject;

use super::*;
use crate::admission::{Allowed, Gate};
use crate::chunk::Framing;
use crate::inbox::Inbox;
use crate::seat::Seat;

/// More than a socket takes whose peer does not read.
const WORD_BYTES: usize = 16 * 1024 * 1024;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

struct Stand {
    poll: Poll,
    sockets: Sockets,
    gate: Arc<Gate>,
    inbox: Arc<Inbox>,
    listener: TcpListener,
}

impl Stand {
    fn new() -> Self {
        let poll = Poll::new().expect("a poll");
        let registry = poll.registry().try_clone().expect("a registry");
        let waker = Waker::new(poll.registry(), WAKER).expect("a waker");
        let allowed = usize::MAX;
        Self {
            poll,
            sockets: Sockets::new(registry),
            gate: Arc::new(Gate::new(Allowed {
                hub: allowed,
                per_identity: allowed,
                per_address: allowed,
            })),
            inbox: Arc::new(Inbox::new(waker)),
            listener: TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port"),
        }
    }

    /// A connection that has ended, of which much is yet to be written; its client.
    fn end_one(&mut self, now: Moment) -> net::TcpStream {
        let address = self.listener.local_addr().expect("an address");
        let client = net::TcpStream::connect(address).expect("a connection");
        client.set_nonblocking(true).expect("a socket");
        let (stream, _) = self.listener.accept().expect("a connection");
        stream.set_nonblocking(true).expect("a socket");
        let subject = Subject::parse("reader").expect("a subject");
        let admission = self
            .gate
            .admit(Some(&subject), IpAddr::V4(Ipv4Addr::LOCALHOST));
        let admission = admission.expect("room");
        let mut sink = SocketSink::new(Framing::UntilClose, admission, Seat::take(&self.inbox));
        let head = Bytes::from(vec![b'x'; WORD_BYTES]);
        let place = self.gate.place_socket();
        let stream = sink.attach(Socket {
            stream,
            head,
            place,
        });
        let interests = Interest::READABLE | Interest::WRITABLE;
        let registry = &self.sockets.registry;
        registry
            .register(stream, Token(0), interests)
            .expect("registered");
        assert_eq!(sink.resume(), Progress::Some, "it takes a part");
        self.sockets.ended(AnySink::Socket(sink), now);
        client
    }

    /// Waits for news of ended connections and deals with them.
    fn look(&mut self) {
        let mut events = Events::with_capacity(16);
        self.poll.poll(&mut events, Some(PATIENCE)).expect("a look");
        assert!(!events.is_empty(), "nothing happens");
        for event in &events {
            assert_ne!(event.token().0 & ENDED, 0, "nobody else is there");
            self.sockets.see_off(event.token().0 & !ENDED, event);
        }
    }

    /// How many are held, by whatever holds them.
    fn held(&self) -> [usize; 3] {
        [
            self.sockets.ended.len(),
            self.gate.count(),
            self.gate.sockets(),
        ]
    }
}

#[test]
fn a_last_word_is_written_as_its_reader_takes_it() {
    let mut stand = Stand::new();
    let mut client = stand.end_one(Moment(0));
    let mut came = 0;
    while stand.held() != [0; 3] {
        let mut buffer = [0; 16 * 1024];
        while let Ok(bytes @ 1..) = client.read(&mut buffer) {
            came += bytes;
        }
        stand.look();
    }
    client.set_nonblocking(false).expect("a socket");
    came += client.read_to_end(&mut Vec::new()).expect("the rest");
    assert_eq!(came, WORD_BYTES);
}

#[test]
fn the_last_word_to_a_reader_that_has_gone_is_let_go() {
    let mut stand = Stand::new();
    drop(stand.end_one(Moment(0)));
    while stand.held() != [0; 3] {
        stand.look();
    }
}

#[test]
fn a_last_word_that_nobody_takes_is_given_up_and_nobody_elses() {
    let mut stand = Stand::new();
    let first = stand.end_one(Moment(0));
    drop(first);
    while stand.held() != [0; 3] {
        stand.look();
    }
    // In the place of the first one, whose deadline is still known.
    let _second = stand.end_one(Moment(1));
    assert_eq!(
        stand.sockets.next_deadline(),
        Some(Moment(LAST_WORD_MS_MAX))
    );
    stand.sockets.give_up(Moment(LAST_WORD_MS_MAX));
    assert_eq!(stand.held(), [1; 3], "it has a little time left");
    stand.sockets.give_up(Moment(LAST_WORD_MS_MAX + 1));
    assert_eq!(stand.held(), [0; 3]);
    assert_eq!(stand.sockets.next_deadline(), None);
}
