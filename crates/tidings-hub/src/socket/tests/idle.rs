//! What an idle stream holds in memory: its slot, its places in selectors, and nothing that writing
//! needed.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use bytes::Bytes;
use mio::{Poll, Token, Waker};
use tidings_core::audience::Subject;
use tidings_core::coding::Coding;
use tidings_core::credential::{Credential, CredentialId};
use tidings_core::holder::Holder;
use tidings_core::port::Shape;
use tidings_core::position::Offset;
use tidings_core::shard::{Begin, Mode, Now, Opening, Shard, ShardOptions};
use tidings_core::subscription::Authorised;
use tidings_core::time::{Moment, Timestamp};
use tidings_wire::coding::BlockCoder;

use super::super::{Progress, SocketSink};
use super::log::{all, filter, lineage, scope};
use super::plain::PlainEncoder;
use crate::admission::{Allowed, Gate};
use crate::chunk::Framing;
use crate::inbox::Inbox;
use crate::seat::Seat;

const NOW: Now = Now {
    moment: Moment(0),
    wall: Timestamp(1_000_000_000),
};

/// As many as the figure to reach is given for.
const STREAMS: usize = 15_000;

/// Bytes that one of many streams holds, with all that it makes others hold.
fn bytes_per_stream(identities: usize, topics: usize) -> usize {
    let poll = Poll::new().expect("a poll");
    let waker = Waker::new(poll.registry(), Token(0)).expect("a waker");
    let inbox = Arc::new(Inbox::new(waker));
    let gate = Arc::new(Gate::new(Allowed {
        hub: usize::MAX,
        per_identity: usize::MAX,
        per_address: usize::MAX,
    }));
    let mut shard: Shard<SocketSink<io::Sink>> = Shard::new(ShardOptions {
        node: 1,
        index: 0,
        seed: 1,
        head: Offset::ZERO,
        lineage: Arc::new(lineage()),
        encoder: Arc::new(PlainEncoder),
        coder: Arc::new(BlockCoder::default()),
        linger_ms: 0,
        slow_reader_ms: 10_000,
    });
    let counted = allocation_counter::measure(|| {
        for stream in 0..STREAMS {
            // Each stream comes with names of its own, as parsed from its request.
            let user = format!("user-{}", stream % identities);
            let topic = format!("bench/topic-{}", stream % topics);
            let patterns = [topic.as_str(), &format!("@user/{user}"), "@all"];
            let subject = Subject::parse(&user).expect("a subject");
            let admission = gate
                .admit(Some(&subject), Ipv4Addr::LOCALHOST.into())
                .expect("room");
            // As the hub makes it: the subject's text is the one that is counted by.
            let holder = Holder::new(admission.subject().cloned(), &credential(stream));
            let opening = Opening {
                sink: SocketSink::new(Framing::Chunked, admission, Seat::take(&inbox)),
                mode: Mode::Stream {
                    heartbeat_ms: 15_000,
                },
                shape: Shape(0),
                authorised: Authorised {
                    scope: scope(&patterns),
                    narrowed: None,
                },
                asked: all(filter(&[])),
                begin: Begin::Now { unknown: false },
                holder,
                expires_at: Some(Timestamp(2_000_000_000)),
                coding: Coding::Identity,
                random: 0,
            };
            let key = shard.open(opening, NOW).key;
            // Its hello is written, as it would be once its socket is here.
            let sink = shard.sink(key).expect("it is open");
            sink.attach_stream(io::sink(), Bytes::new(), gate.place_socket());
            assert_eq!(sink.resume(), Progress::Done);
            shard.drained(key, NOW);
            while shard.turn(NOW) {}
        }
    });
    usize::try_from(counted.bytes_current).expect("more is held than before") / STREAMS
}

/// A token of its own for each stream.
fn credential(stream: usize) -> Credential {
    let id = format!("token:main:token-{stream}");
    Credential {
        id: Some(CredentialId::parse(&id).expect("a name")),
        issued_at: Some(Timestamp(900_000_000)),
        ..Credential::default()
    }
}

#[test]
fn m1_an_idle_stream_is_a_few_hundred_bytes() {
    let shared = bytes_per_stream(1_000, 1_000);
    assert!(shared <= 340, "{shared} bytes");
    let alone = bytes_per_stream(STREAMS, STREAMS);
    assert!(
        alone <= 1_200,
        "{alone} bytes for streams that share nothing"
    );
}
