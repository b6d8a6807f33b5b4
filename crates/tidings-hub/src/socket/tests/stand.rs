//! A shard by itself, with readers whose time stands still: for what is counted, not played.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use mio::{Poll, Token, Waker};
use tidings_core::audience::Subject;
use tidings_core::coding::Coding;
use tidings_core::credential::Credential;
use tidings_core::holder::Holder;
use tidings_core::port::Shape;
use tidings_core::position::Offset;
use tidings_core::provenance::Provenance;
use tidings_core::shard::{Begin, Mode, Now, Opening, Shard, ShardOptions};
use tidings_core::subscription::Authorised;
use tidings_core::time::{Moment, Timestamp};
use tidings_wire::coding::BlockCoder;

use super::super::{Progress, SocketSink};
use super::log::{all, filter, lineage, scope};
use super::plain::PlainEncoder;
use crate::admission::{Allowed, Gate, SocketPlace};
use crate::chunk::Framing;
use crate::inbox::Inbox;
use crate::seat::Seat;

/// The frames that readers get.
pub(super) const SHAPE: Shape = Shape(0);

/// The time that it is.
pub(super) const NOW: Now = Now {
    moment: Moment(0),
    wall: Timestamp(1_000_000_000),
};

/// Who comes, and from where.
pub(super) struct Visitor<'a> {
    pub(super) subject: Subject,
    pub(super) credential: Credential,
    pub(super) address: IpAddr,
    pub(super) patterns: &'a [&'a str],
    pub(super) coding: Coding,
    pub(super) expires_at: Option<Timestamp>,
}

/// A shard that writes to sockets of this kind.
pub(super) struct Stand<W> {
    pub(super) shard: Shard<SocketSink<W>>,
    gate: Arc<Gate>,
    inbox: Arc<Inbox>,
    /// Keeps the waker of the inbox valid.
    _poll: Poll,
}

impl<W: io::Write> Stand<W> {
    /// A shard without readers, on an empty log.
    pub(super) fn new() -> Self {
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
                coder: Arc::new(BlockCoder::default()),
                linger_ms: 0,
                slow_reader_ms: 10_000,
            }),
            gate: open_gate(),
            inbox: Arc::new(Inbox::new(waker)),
            _poll: poll,
        }
    }

    /// Opens a stream and writes its hello, as it would be once its socket is here.
    pub(super) fn open(
        &mut self,
        visitor: &Visitor<'_>,
        attach: impl FnOnce(&mut SocketSink<W>, SocketPlace),
    ) {
        let admission = self.gate.admit(Some(&visitor.subject), visitor.address);
        let admission = admission.expect("room");
        // As the hub makes it: the subject's text is the one that is counted by.
        let holder = Holder::new(admission.subject().cloned(), &visitor.credential);
        let opening = Opening {
            sink: SocketSink::new(Framing::Chunked, admission, Seat::take(&self.inbox)),
            mode: Mode::stream(15_000),
            shape: SHAPE,
            authorised: Authorised {
                scope: scope(visitor.patterns),
                narrowed: None,
            },
            asked: all(filter(&[])),
            begin: Begin::Now { unknown: false },
            holder,
            provenance: Provenance::default(),
            expires_at: visitor.expires_at,
            coding: visitor.coding,
            random: 0,
        };
        let key = self.shard.open(opening, NOW).key;
        let place = self.gate.place_socket();
        let sink = self.shard.sink(key).expect("it is open");
        attach(sink, place);
        assert_eq!(sink.resume(), Progress::Done);
        self.shard.drained(key, NOW);
    }
}

/// A gate that lets everybody in.
pub(super) fn open_gate() -> Arc<Gate> {
    Arc::new(Gate::new(Allowed {
        hub: usize::MAX,
        per_identity: usize::MAX,
        per_address: usize::MAX,
    }))
}
